package chatblock_test

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.invalid/chatblock"
)

func TestContextThatEndedBeforeSendsNothing(t *testing.T) {
	client := open(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := client.Add(ctx, "ann", "bob"); err != context.Canceled {
		t.Fatal(err)
	}
	if answer, err := client.IsBlocked("ann", "bob"); answer != chatblock.No || err != nil {
		t.Fatal(answer, err)
	}
}

func TestContextEndsACallThatWasSent(t *testing.T) {
	client := open(t, remote(silence(t), nil))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := client.Add(ctx, "ann", "bob")
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, chatblock.ErrCancelled) {
		t.Fatal(err)
	}
}

func TestContextCancelsACallThatWasNotSent(t *testing.T) {
	client := open(t, remote(silence(t), nil))
	first, cancelFirst := context.WithCancel(context.Background())
	defer cancelFirst()
	go client.Add(first, "ann", "bob") // under way: later writes of ann wait behind it
	eventually(t, "the first call is sent", func() bool { return stat(t, client, "requests.add.sent") == 1.0 })
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := client.Add(ctx, "ann", "cem")
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, chatblock.ErrCancelled) {
		t.Fatal(err)
	}
}

func TestCloseEndsEverythingThatWaits(t *testing.T) {
	client := open(t, remote(silence(t), map[string]any{"call_ms": 60_000, "attempt_ms": 60_000}))
	ctx := context.Background()
	failures := make(chan error)
	for i := 0; i < 100; i++ {
		go func(i int) {
			_, err := client.Add(ctx, fmt.Sprint("owner ", i), "bob")
			failures <- err
		}(i)
	}
	eventually(t, "calls wait", func() bool { return stat(t, client, "calls.add.pending") == 100.0 })
	go func() { failures <- client.Flush(ctx) }()
	if err := client.Close(); !errors.Is(err, chatblock.ErrTimeout) {
		t.Fatal(err)
	}
	for i := 0; i < 101; i++ {
		if err := <-failures; !errors.Is(err, chatblock.ErrClosed) {
			t.Fatal(err)
		}
	}
}

func TestFlushEndsWithItsContext(t *testing.T) {
	client := open(t, remote(silence(t), nil))
	if err := client.Submit(1, "black_list_get", getRequest); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 150*time.Millisecond)
	defer cancel()
	if err := client.Flush(ctx); err != context.DeadlineExceeded {
		t.Fatal(err)
	}
}

// Lists stand in memory of C, where the library may have left addresses of requests that are gone. The garbage
// collector must not take them for its own.
func TestListsAreMadeWhileTheCollectorRuns(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	client := open(t, nil)
	accounts := make([]string, 400)
	for i := range accounts {
		accounts[i] = fmt.Sprint("account ", i)
	}
	var ended sync.WaitGroup
	for number := 0; number < 8; number++ {
		ended.Add(1)
		go func() {
			defer ended.Done()
			for round := 0; round < 300; round++ {
				some := accounts[:100+round]
				request := `{"From_Account":"ann","CheckType":"BlackCheckResult_Type_Single","To_Account":["` +
					strings.Join(some, `","`) + `"]}`
				if _, err := client.Call(context.Background(), "black_list_check", request); err != nil {
					t.Error(err)
				}
				if err := client.Watch(some...); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	ended.Wait()
}

// Everything at once, and then close, with the race detector looking.
func TestManyGoroutinesAtOnce(t *testing.T) {
	const goroutines, rounds = 64, 5
	client := open(t, nil)
	go func() {
		for range client.Completions() {
		}
	}()
	var busy, ended sync.WaitGroup
	for number := 0; number < goroutines; number++ {
		busy.Add(1)
		ended.Add(1)
		go func(owner string) {
			defer ended.Done()
			for round := 0; round < rounds; round++ {
				for name, call := range busyCalls(client, owner) {
					if err := call(); err != nil {
						t.Errorf("%s of %s: %v", name, owner, err)
					}
				}
			}
			busy.Done()
			if err := untilClosed(client, owner); !errors.Is(err, chatblock.ErrClosed) {
				t.Error(err)
			}
		}(fmt.Sprint("owner ", number))
	}
	busy.Wait()
	client.Close()
	ended.Wait()
	if !t.Failed() {
		fmt.Printf("race: clean with %d goroutines\n", goroutines)
	}
}

// untilClosed asks until the answer is an error.
func untilClosed(client *chatblock.Client, owner string) error {
	for {
		if answer, err := client.IsBlocked(owner, "bob"); err != nil {
			return err
		} else if answer != chatblock.Yes {
			return fmt.Errorf("%s: %v", owner, answer)
		}
	}
}

func busyCalls(client *chatblock.Client, owner string) map[string]func() error {
	ctx := context.Background()
	return map[string]func() error{
		"add":    func() error { _, err := client.Add(ctx, owner, "bob", "cem"); return err },
		"delete": func() error { _, err := client.Delete(ctx, owner, "cem"); return err },
		"check":  func() error { _, err := client.Check(ctx, owner, chatblock.CheckBoth, "bob"); return err },
		"get":    func() error { _, err := client.Get(ctx, owner, 0, 10); return err },
		"submit": func() error { return client.Submit(1, "black_list_get", getRequest) },
		"many":   func() error { _, err := client.IsBlockedMany([]string{owner, "bob"}, "cem"); return err },
		"pairs":  func() error { _, _, err := client.BlockedPairs([]string{owner, "bob"}); return err },
		"watch":  func() error { return client.Watch(owner) },
		"cancel": func() error { _, err := client.Cancel(2); return err },
		"stats":  func() error { _, err := client.Stats(); return err },
	}
}

// A signal is seen while goroutines wait in the library, and ends the wait through the context that it ends.
func TestSignalEndsCallsThatWait(t *testing.T) {
	client := open(t, remote(silence(t), map[string]any{"attempt_ms": 60000, "call_ms": 60000}))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGUSR2)
	defer stop()
	waits := []func() error{
		func() error { _, err := client.Add(ctx, "ann", "bob"); return err },
		func() error { _, err := client.Get(ctx, "cem", 0, 1); return err },
		func() error { return client.Flush(ctx) },
	}
	ended := make(chan error)
	for _, wait := range waits {
		go func(wait func() error) { ended <- wait() }(wait)
	}
	eventually(t, "a call is sent", func() bool {
		sent, _ := inside(client)
		return sent > 0
	})
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	for range waits {
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, chatblock.ErrCancelled) {
			t.Fatal(err)
		}
	}
}
