package chatblock_test

import (
	"context"
	"encoding/json"
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

// inside is what the stats say of the writes of a client.
func inside(client *chatblock.Client) (sent, kept int) {
	var seen struct {
		Requests struct{ Add struct{ Sent int } }
		Outbox   struct{ Writes int }
	}
	if stats, err := client.Stats(); err != nil || json.Unmarshal(stats, &seen) != nil {
		return -1, -1
	}
	return seen.Requests.Add.Sent, seen.Outbox.Writes
}

func TestWriteThatIsOnDiskStaysWhenItsContextEnds(t *testing.T) {
	outbox := map[string]any{"outbox": map[string]any{"path": filepath.Join(t.TempDir(), "outbox.db")}}
	earlier := open(t, remote("127.0.0.1:1", outbox))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		_, err := earlier.Add(ctx, "ann", "bob")
		ended <- err
	}()
	eventually(t, "the write is sent", func() bool {
		sent, _ := inside(earlier)
		return sent > 0
	})
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := earlier.Close(); err != nil {
		t.Fatal(err)
	}
	if _, kept := inside(open(t, remote("127.0.0.1:1", outbox))); kept != 1 {
		t.Fatal(kept)
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
