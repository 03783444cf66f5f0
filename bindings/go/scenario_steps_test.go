package chatblock_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"example.invalid/chatblock"
)

// actor does the steps of the scenario, one after another.
type actor struct {
	ctx    context.Context
	client *chatblock.Client
}

var doers = map[string]func(*actor, step) (facts, error){
	"version":          (*actor).version,
	"open":             (*actor).open,
	"open_fails":       (*actor).openFails,
	"add":              (*actor).add,
	"delete":           (*actor).delete,
	"check":            (*actor).check,
	"get":              (*actor).get,
	"call":             (*actor).call,
	"is_blocked":       (*actor).isBlocked,
	"is_blocked_many":  (*actor).isBlockedMany,
	"blocked_pairs":    (*actor).blockedPairs,
	"bad_value":        func(*actor, step) (facts, error) { return nil, nil }, // the compiler refuses them
	"watch":            func(a *actor, s step) (facts, error) { return nil, a.client.Watch(s.Owners...) },
	"unwatch":          func(a *actor, s step) (facts, error) { return nil, a.client.Unwatch(s.Owners...) },
	"async":            (*actor).async,
	"flush":            func(a *actor, s step) (facts, error) { return nil, a.client.Flush(a.ctx) },
	"sync_fails":       func(a *actor, s step) (facts, error) { return fails(a.client.Sync(a.ctx)) },
	"backup_fails":     func(a *actor, s step) (facts, error) { return fails(a.client.Backup("no-copy.db")) },
	"backup":           (*actor).backup,
	"cancel":           (*actor).cancel,
	"stats":            (*actor).stats,
	"usersig":          (*actor).userSig,
	"usersig_fails":    (*actor).userSigFails,
	"webhook":          (*actor).webhook,
	"many_results":     (*actor).manyResults,
	"submit_and_close": (*actor).submitAndClose,
	"after_close":      (*actor).afterClose,
}

func fails(err error) (facts, error) {
	if err == nil {
		return nil, errors.New("did not fail")
	}
	return errorFacts(err)
}

func (a *actor) version(step) (facts, error) {
	return facts{"starts_with": chatblock.Version()}, nil
}

func (a *actor) open(s step) (facts, error) {
	client, err := chatblock.Open(s.Config)
	a.client = client
	return nil, err
}

func (a *actor) openFails(s step) (facts, error) {
	_, err := chatblock.Open(s.Config)
	return fails(err)
}

func (a *actor) add(s step) (facts, error) {
	return resultFacts(a.client.Add(a.ctx, s.From, s.To...))
}

func (a *actor) delete(s step) (facts, error) {
	return resultFacts(a.client.Delete(a.ctx, s.From, s.To...))
}

func (a *actor) check(s step) (facts, error) {
	types := map[string]chatblock.CheckType{"SINGLE": chatblock.CheckSingle, "BOTH": chatblock.CheckBoth}
	return resultFacts(a.client.Check(a.ctx, s.From, types[s.Type], s.To...))
}

func (a *actor) get(s step) (facts, error) {
	return resultFacts(a.client.Get(a.ctx, s.From, s.Start, s.Max))
}

func (a *actor) call(s step) (facts, error) {
	return resultFacts(a.client.Call(a.ctx, s.Command, s.Request))
}

func (a *actor) isBlocked(s step) (facts, error) {
	answer, err := a.client.IsBlocked(s.Owner, s.Peer)
	if err != nil {
		return errorFacts(err)
	}
	return facts{"answer": answer.String()}, nil
}

func (a *actor) isBlockedMany(s step) (facts, error) {
	answers, err := a.client.IsBlockedMany(s.Owners, s.Peer)
	names := []string{}
	for _, answer := range answers {
		names = append(names, answer.String())
	}
	return facts{"answers": names}, err
}

func (a *actor) blockedPairs(s step) (facts, error) {
	found, unknown, err := a.client.BlockedPairs(s.Accounts)
	pairs := [][]uint32{}
	for _, pair := range found {
		pairs = append(pairs, []uint32{pair.Owner, pair.Peer})
	}
	return facts{"pairs": pairs, "unknown": unknown}, err
}

// async blocks many accounts at once, each in its goroutine, and then counts the list.
func (a *actor) async(s step) (facts, error) {
	failures := make(chan error, s.Count)
	for i := 0; i < s.Count; i++ {
		go func(account string) {
			result, err := a.client.Add(a.ctx, s.From, account)
			if err == nil && (result.Status.String() != s.Expect["status"] || result.Items[0].Account != account) {
				err = fmt.Errorf("%s: %+v", account, result)
			}
			failures <- err
		}(fmt.Sprintf("t%d", i))
	}
	for i := 0; i < s.Count; i++ {
		if err := <-failures; err != nil {
			return nil, err
		}
	}
	listed := map[string]bool{}
	for start, more := uint32(0), true; more; more = start != 0 {
		page, err := a.client.Get(a.ctx, s.From, start, 300)
		if err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			listed[item.Account] = true
		}
		start = page.NextIndex
	}
	return facts{"status": "OK", "listed": len(listed)}, nil
}

// backup copies a store of its own, and looks into the copy.
func (a *actor) backup(s step) (facts, error) {
	folder, err := os.MkdirTemp("", "chatblock-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	copied := filepath.Join(folder, "copy.db")
	store, err := chatblock.Open(map[string]any{"backend": "embedded", "path": filepath.Join(folder, "lists.db")})
	if err != nil {
		return nil, err
	}
	defer store.Close()
	if _, err := store.Add(a.ctx, s.From, s.To...); err != nil {
		return nil, err
	}
	if err := store.Backup(copied); err != nil {
		return nil, err
	}
	found, err := fails(store.Backup(copied))
	if err != nil {
		return nil, err
	}
	again, err := chatblock.Open(map[string]any{"backend": "embedded", "path": copied})
	if err != nil {
		return nil, err
	}
	defer again.Close()
	page, err := again.Get(a.ctx, s.From, 0, 100)
	if err != nil {
		return nil, err
	}
	listed := []string{}
	for _, item := range page.Items {
		listed = append(listed, item.Account)
	}
	if !slices.Equal(listed, s.To) {
		return nil, fmt.Errorf("the copy lists %v", listed)
	}
	return found, nil
}

func (a *actor) cancel(s step) (facts, error) {
	cancelled, err := a.client.Cancel(s.Tag)
	return facts{"cancelled": cancelled}, err
}

func (a *actor) stats(step) (facts, error) {
	document, err := a.client.Stats()
	return facts{"has": document}, err
}

func (a *actor) userSig(s step) (facts, error) {
	expire := time.Duration(s.Expire) * time.Second
	signature, err := chatblock.GenerateUserSig(s.SDKAppID, s.Key, s.Identifier, expire)
	if err != nil {
		return nil, err
	}
	return nil, chatblock.VerifyUserSig(s.SDKAppID, s.Key, s.Identifier, signature)
}

func (a *actor) userSigFails(s step) (facts, error) {
	return fails(chatblock.VerifyUserSig(s.SDKAppID, s.Key, s.Identifier, s.UserSig))
}

func (a *actor) webhook(s step) (facts, error) {
	_, err := a.client.ApplyWebhook(s.Query, []byte(s.Body))
	found, unexpected := fails(err)
	if unexpected == nil && found["json"] == nil {
		unexpected = errors.New("there is no JSON to answer with")
	}
	return found, unexpected
}

func (a *actor) manyResults(s step) (facts, error) {
	before := 0
	for i := 0; i < s.Count; i++ {
		if i == 1000 {
			before = residentMiB()
		}
		if _, err := a.client.Check(a.ctx, s.From, chatblock.CheckSingle, "bob"); err != nil {
			return nil, err
		}
	}
	if growth := residentMiB() - before; growth >= s.MaxGrowth {
		return nil, fmt.Errorf("the process grew by %d MiB", growth)
	}
	return nil, nil
}

// residentMiB is the memory of this process, without what the collector can give back.
func residentMiB() int {
	debug.FreeOSMemory()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	var size, resident int
	if _, err := fmt.Sscan(string(statm), &size, &resident); err != nil {
		panic(err)
	}
	return resident * os.Getpagesize() >> 20
}

// submitAndClose hands calls over without waiting, and closes with work pending.
func (a *actor) submitAndClose(s step) (facts, error) {
	var ended sync.WaitGroup
	failures := make(chan error, s.Count)
	for i := 0; i < s.Count; i++ {
		ended.Add(1)
		go func(account string) {
			defer ended.Done()
			if _, err := a.client.Add(a.ctx, s.From, account); err != nil && !errors.Is(err, chatblock.ErrClosed) {
				failures <- err
			}
		}(fmt.Sprintf("t%d", i))
	}
	if err := a.client.Close(); err != nil && !errors.Is(err, chatblock.ErrTimeout) {
		return nil, err
	}
	ended.Wait()
	close(failures)
	return nil, <-failures
}

func (a *actor) afterClose(step) (facts, error) {
	for name, call := range everyCall(a.client) {
		if err := call(); !errors.Is(err, chatblock.ErrClosed) {
			return nil, fmt.Errorf("%s after close: %v", name, err)
		}
	}
	return nil, a.client.Close()
}
