package chatblock_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"example.invalid/chatblock"
)

func TestBlockShowsOnTheHotPathAfterWatch(t *testing.T) {
	client := open(t, remote(serve(t, nil), nil))
	result, err := client.Add(context.Background(), "ann", "bob")
	if err != nil || result.Status != chatblock.OK {
		t.Fatal(result, err)
	}
	if answer, err := client.IsBlocked("ann", "bob"); answer != chatblock.Unknown || err != nil {
		t.Fatal(answer, err)
	}
	if err := client.Watch("ann"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the list is read", func() bool {
		answer, err := client.IsBlocked("ann", "bob")
		return answer == chatblock.Yes && err == nil
	})
	if answer, err := client.IsBlocked("ann", "cem"); answer != chatblock.No || err != nil {
		t.Fatal(answer, err)
	}
	if _, unknown, err := client.BlockedPairs([]string{"ann", "bob"}); unknown != 1 || err != nil {
		t.Fatal(unknown, err)
	}
}

func TestWriteThatIsOnDiskAndNotAnsweredIsQueued(t *testing.T) {
	outbox := map[string]any{"path": filepath.Join(t.TempDir(), "outbox.db")}
	client := open(t, remote("127.0.0.1:1", map[string]any{"call_ms": 3000, "outbox": outbox}))
	_, err := client.Add(context.Background(), "ann", "bob")
	var failure *chatblock.Error
	if !errors.As(err, &failure) || failure.Status != chatblock.ErrQueued || failure.Retryable {
		t.Fatal(err)
	}
}

func TestServiceThatIsNotThereIsAConnectError(t *testing.T) {
	client := open(t, remote("127.0.0.1:1", map[string]any{"retry": map[string]int{"attempts": 1}}))
	_, err := client.Add(context.Background(), "ann", "bob")
	var failure *chatblock.Error
	if !errors.As(err, &failure) || failure.Status != chatblock.ErrConnect || !failure.Retryable {
		t.Fatal(err)
	}
}
