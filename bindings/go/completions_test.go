package chatblock_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"example.invalid/chatblock"
)

const getRequest = `{"From_Account":"ann","StartIndex":0,"MaxLimited":10,"LastSequence":0}`

func addRequest(from, to string) string {
	return `{"From_Account":"` + from + `","To_Account":["` + to + `"]}`
}

func receive(t *testing.T, client *chatblock.Client) chatblock.Completion {
	t.Helper()
	select {
	case completion, open := <-client.Completions():
		if !open {
			t.Fatal("the channel is closed")
		}
		return completion
	case <-time.After(10 * time.Second):
		t.Fatal("no completion within 10 seconds")
	}
	panic("not reached")
}

// stat is a member of the client's own document.
func stat(t *testing.T, client *chatblock.Client, path string) any {
	t.Helper()
	document, err := client.Stats()
	if err != nil {
		t.Fatal(err)
	}
	var member any
	if err := json.Unmarshal(document, &member); err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Split(path, ".") {
		member = member.(map[string]any)[name]
	}
	return member
}

func TestSubmittedCallsCompleteWithTheirTags(t *testing.T) {
	client := open(t, nil)
	for tag := uint64(1); tag <= 100; tag++ {
		if err := client.Submit(tag, "black_list_add", addRequest("ann", "bob")); err != nil {
			t.Fatal(err)
		}
	}
	for tag := uint64(1); tag <= 100; tag++ { // calls of one owner keep their order
		if done := receive(t, client); done.Err != nil || done.Tag != tag || done.Items[0].Account != "bob" {
			t.Fatalf("%d: %+v", tag, done)
		}
	}
}

func TestCompletionOfARefusedCallIsAnError(t *testing.T) {
	client := open(t, nil)
	if err := client.Submit(7, "black_list_add", addRequest("ann", "ann")); err != nil {
		t.Fatal(err)
	}
	if done := receive(t, client); done.Tag != 7 || !errors.Is(done.Err, chatblock.ErrService) {
		t.Fatalf("%+v", done)
	}
}

func TestSubmitSaysWhyItRefuses(t *testing.T) {
	client := open(t, nil)
	for _, bad := range []struct {
		tag                    uint64
		command, request, text string
	}{
		{1, "black_list_add", `{"From_Account":"ann"}`, "To_Account"},
		{1, "black_list_burn", `{}`, "command"},
		{0, "black_list_get", getRequest, "tag"},
		{1 << 63, "black_list_get", getRequest, "tag"},
	} {
		if err := client.Submit(bad.tag, bad.command, bad.request); err == nil || !strings.Contains(err.Error(), bad.text) {
			t.Errorf("%q is expected in: %v", bad.text, err)
		}
	}
}

func TestCancelledCallsComplete(t *testing.T) {
	client := open(t, remote(silence(t), nil))
	for tag := uint64(1); tag <= 2; tag++ { // the second waits behind the first
		if err := client.Submit(tag, "black_list_add", addRequest("ann", "bob")); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the first call is sent", func() bool { return stat(t, client, "requests.add.sent") == 1.0 })
	}
	if cancelled, err := client.Cancel(2); cancelled != 1 || err != nil {
		t.Fatal(cancelled, err)
	}
	if done := receive(t, client); done.Tag != 2 || !errors.Is(done.Err, chatblock.ErrCancelled) {
		t.Fatalf("%+v", done)
	}
}

func TestCompletionsThatNobodyReceivesHoldUpNobody(t *testing.T) {
	client := open(t, nil)
	var err error
	for accepted := 0; err == nil; accepted++ {
		if accepted > 100_000 {
			t.Fatal("the queue has no end")
		}
		err = client.Submit(1, "black_list_get", getRequest)
	}
	if !errors.Is(err, chatblock.ErrBusy) {
		t.Fatal(err)
	}
	if _, err := client.Add(context.Background(), "eve", "bob"); err != nil {
		t.Fatal(err)
	}
	receive(t, client)
	eventually(t, "there is room again", func() bool {
		return client.Submit(1, "black_list_get", getRequest) == nil
	})
}

func TestCloseDeliversWhatCameAndClosesTheChannel(t *testing.T) {
	client := open(t, nil)
	for tag := uint64(1); tag <= 10; tag++ {
		if err := client.Submit(tag, "black_list_get", getRequest); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	completions := client.Completions()
	client.Close()
	received := 0
	for range completions {
		received++
	}
	if received != 10 {
		t.Fatal(received)
	}
}

func TestRefusedWriteOfAnEarlierClientIsHandedOver(t *testing.T) {
	outbox := map[string]any{"outbox": map[string]any{"path": t.TempDir() + "/outbox.db"}}
	earlier := open(t, remote(silence(t), outbox))
	if err := earlier.Submit(1, "black_list_add", addRequest("ann", "bob")); err != nil {
		t.Fatal(err)
	}
	if err := earlier.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	earlier.Close()
	later := open(t, remote(serve(t, map[string]any{"accounts": "imported"}), outbox))
	done := receive(t, later)
	if done.Tag != 0 || !errors.Is(done.Err, chatblock.ErrService) || done.Owner != "ann" {
		t.Fatalf("%+v %v", done.Result, done.Err)
	}
}
