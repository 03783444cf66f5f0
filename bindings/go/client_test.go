package chatblock_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.invalid/chatblock"
)

func TestConfigIsTextOrAnyObject(t *testing.T) {
	type settings struct {
		Charset string `json:"account_charset"`
	}
	configs := []any{
		nil, `{}`, []byte(`{}`), json.RawMessage(`{}`), map[string]string{"account_charset": "utf8"}, settings{"strict"},
	}
	for _, config := range configs {
		if err := open(t, config).Close(); err != nil {
			t.Errorf("%v: %v", config, err)
		}
	}
}

func TestBadConfigSaysWhat(t *testing.T) {
	for text, config := range map[string]any{
		"colour":           map[string]string{"colour": "red"},
		"is not JSON":      "{",
		"NUL":              "{}\x00",
		"unsupported type": func() {},
	} {
		_, err := chatblock.Open(config)
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%q is expected in: %v", text, err)
		}
	}
}

func TestErrorsNeverContainTheKey(t *testing.T) {
	_, err := chatblock.Open(remote("127.0.0.1:1", map[string]any{"colour": testKey}))
	if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), testKey) {
		t.Fatal(err)
	}
}

func TestInnerNULIsRefusedAndNotCut(t *testing.T) {
	client := open(t, nil)
	const cut = "ann\x00bob"
	ctx := context.Background()
	calls := map[string]func() error{
		"from":    func() error { _, err := client.Add(ctx, cut, "bob"); return err },
		"account": func() error { _, err := client.Add(ctx, "ann", "bob", cut); return err },
		"request": func() error { _, err := client.Call(ctx, "black_list_get", "{}\x00"); return err },
		"owner":   func() error { _, err := client.IsBlocked(cut, "bob"); return err },
		"peer":    func() error { _, err := client.IsBlocked("bob", cut); return err },
		"owners":  func() error { _, err := client.IsBlockedMany([]string{"ann", cut}, "bob"); return err },
		"many":    func() error { _, err := client.IsBlockedMany([]string{"ann"}, cut); return err },
		"pairs":   func() error { _, _, err := client.BlockedPairs([]string{"ann", cut}); return err },
		"watch":   func() error { return client.Watch(cut) },
		"webhook": func() error { _, err := client.ApplyWebhook(cut, nil); return err },
		"verify":  func() error { return chatblock.VerifyUserSig(1, cut, "ann", "sig") },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, chatblock.ErrArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOwnerThatIsNotUTF8IsRefusedAndNotRepaired(t *testing.T) {
	client := open(t, map[string]string{"account_charset": "utf8"})
	if _, err := client.Get(context.Background(), "ann\xff", 0, 10); !errors.Is(err, chatblock.ErrArgument) {
		t.Fatal(err)
	}
}

func TestErrorHasStatusCodeAndItems(t *testing.T) {
	_, err := open(t, nil).Add(context.Background(), "ann", "ann")
	var failure *chatblock.Error
	if !errors.As(err, &failure) || !errors.Is(err, chatblock.ErrService) || errors.Is(err, chatblock.ErrBusy) {
		t.Fatal(err)
	}
	if failure.ServiceCode != 30001 || failure.Result.Items[0].Account != "ann" {
		t.Fatalf("%+v", failure)
	}
}

func TestResultsOutliveTheClientAndTheCollector(t *testing.T) {
	client := open(t, nil)
	results := []*chatblock.Result{}
	for i := 0; i < 100; i++ {
		result, err := client.Add(context.Background(), "ann", fmt.Sprint("account ", i))
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, result)
	}
	client.Close()
	runtime.GC()
	for i, result := range results {
		account := fmt.Sprint("account ", i)
		if result.Items[0].Account != account || !strings.Contains(string(result.JSON), account) {
			t.Fatalf("%d: %+v", i, result)
		}
	}
}

func TestHundredThousandAccountsAreOneCall(t *testing.T) {
	client := open(t, nil)
	accounts := make([]string, 100_000)
	for i := range accounts {
		accounts[i] = fmt.Sprint("account ", i)
	}
	result, err := client.Check(context.Background(), "ann", chatblock.CheckSingle, accounts...)
	if err != nil || len(result.Items) != len(accounts) || result.Items[99_999].Account != "account 99999" {
		t.Fatal(err)
	}
}

func TestResultsAreFreed(t *testing.T) {
	client := open(t, nil)
	accounts := make([]string, 1000)
	for i := range accounts {
		accounts[i] = fmt.Sprint("account ", i)
	}
	before := 0
	for i := 0; i < 400; i++ { // in C they take 40 MiB
		if i == 100 {
			before = residentMiB()
		}
		if _, err := client.Check(context.Background(), "ann", chatblock.CheckSingle, accounts...); err != nil {
			t.Fatal(err)
		}
	}
	if growth := residentMiB() - before; growth > 4 {
		t.Fatalf("the process grew by %d MiB", growth)
	}
}

func TestClosingTwiceDoesNothing(t *testing.T) {
	client := open(t, nil)
	for i := 0; i < 2; i++ {
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDroppedClientIsClosed(t *testing.T) {
	file := t.TempDir() + "/store.db"
	config := map[string]string{"path": file}
	func() { // the store takes one client at a time
		if _, err := chatblock.Open(config); err != nil {
			t.Fatal(err)
		}
	}()
	eventually(t, "the client that nobody holds is closed", func() bool {
		runtime.GC()
		client, err := chatblock.Open(config)
		if err == nil {
			client.Close()
		}
		return err == nil
	})
}

func TestClientIsNotDroppedWhileACallWaits(t *testing.T) {
	waiting := make(chan error)
	go func() {
		client, err := chatblock.Open(remote(silence(t), map[string]any{"attempt_ms": 300, "call_ms": 300}))
		if err == nil {
			_, err = client.Add(context.Background(), "ann", "bob")
		}
		waiting <- err
	}()
	for {
		select {
		case err := <-waiting:
			if !errors.Is(err, chatblock.ErrTimeout) {
				t.Fatal(err)
			}
			return
		case <-time.After(time.Millisecond):
			runtime.GC()
		}
	}
}

func TestNothingIsLeftBehindAClient(t *testing.T) {
	before := runtime.NumGoroutine()
	for i := 0; i < 20; i++ {
		client := open(t, nil)
		client.Completions()
		client.Close()
	}
	eventually(t, "goroutines end", func() bool { return runtime.NumGoroutine() <= before })
}

func TestBlockedPairsFindsMoreThanItHadRoomFor(t *testing.T) {
	client := open(t, nil)
	accounts := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	for _, owner := range accounts {
		if _, err := client.Call(context.Background(), "black_list_add",
			fmt.Sprintf(`{"From_Account":%q,"To_Account":["a","b","c","d","e","f","g","h"]}`, owner)); err != nil {
			t.Fatal(err)
		}
	}
	pairs, unknown, err := client.BlockedPairs(accounts)
	if err != nil || unknown != 0 || len(pairs) != 8*7 || pairs[55] != (chatblock.Pair{Owner: 7, Peer: 6}) {
		t.Fatal(pairs, unknown, err)
	}
}

func TestManyOwnersAreAskedAboutInOrder(t *testing.T) {
	client := open(t, nil)
	owners := make([]string, 1000) // more than go into C at once
	for i := range owners {
		owners[i] = fmt.Sprint("owner ", i)
		if i%7 == 3 {
			if _, err := client.Add(context.Background(), owners[i], "ann"); err != nil {
				t.Fatal(err)
			}
		}
	}
	answers, err := client.IsBlockedMany(owners, "ann")
	for i, answer := range answers {
		if (answer == chatblock.Yes) != (i%7 == 3) {
			t.Errorf("owner %d: %v", i, answer)
		}
	}
	if err != nil || len(answers) != len(owners) {
		t.Fatal(err)
	}
	owners[700] = ""
	if _, err := client.IsBlockedMany(owners, "ann"); err == nil || !strings.Contains(err.Error(), "owners[700]") {
		t.Fatal(err)
	}
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	client := open(t, nil)
	if count := testing.AllocsPerRun(1000, func() { client.IsBlocked("ann", "bob") }); count != 0 {
		t.Fatal(count)
	}
}
