package chatblock

/*
#cgo pkg-config: chatblock
#include <stdlib.h>
#include <chatblock.h>
*/
import "C"

import (
	"context"
	"encoding/json"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// closeWait is how long Close waits for threads that are still on the network.
	closeWait = 2 * time.Second
	// slice is how long a call into C may wait: as long may Close wait for it.
	slice = 100 * time.Millisecond
)

// Client is a set of blocklists, opened once and shared by any number of goroutines.
type Client struct {
	// What the goroutines of the client hold, so that they do not keep a Client alive that nobody uses.
	core *core
}

// core is the C client behind a guard: no call starts after close, and it is freed when no call is inside.
type core struct {
	guard  guard
	handle *C.chatblock_client // nil when closed

	calls       calls
	completions completions

	closing   atomic.Bool
	collected chan struct{} // closed when the collector has ended
	once      sync.Once
}

// Open opens a client. config is JSON text (string, []byte or json.RawMessage), anything else that json.Marshal
// turns into an object, such as a map or a struct, or nil for the engine inside this process, in memory.
// docs/configuration.md of the library lists the keys.
//
// The error is ErrConfig, and its message names the key or file; ErrStorage when the store cannot be opened; or
// ErrArgument. Open may read a durable store.
func Open(config any) (*Client, error) {
	document, err := document(config)
	if err != nil {
		return nil, err
	}
	configJSON, err := newText("config", document)
	if err != nil {
		return nil, err
	}
	defer configJSON.wipe()
	var why *C.chatblock_result
	handle := C.chatblock_client_open(configJSON.c(), &why)
	if handle == nil {
		_, err := take(why).outcome()
		return nil, err
	}
	core := &core{handle: handle, collected: make(chan struct{})}
	core.calls.init()
	core.completions.init()
	go core.collect(handle)
	client := &Client{core}
	// Close may wait, which finalizers must not.
	runtime.SetFinalizer(client, func(*Client) { go core.close() })
	return client, nil
}

func document(config any) (string, error) {
	switch config := config.(type) {
	case nil:
		return "{}", nil
	case string:
		return config, nil
	case []byte:
		return string(config), nil
	case json.RawMessage:
		return string(config), nil
	}
	encoded, err := json.Marshal(config)
	if err != nil {
		return "", &Error{Status: ErrConfig, Message: "config is not JSON: " + err.Error(), cause: err}
	}
	return string(encoded), nil
}

// Close ends the client. Calls that wait end with ErrClosed, and so does every later one. What was accepted and
// is not done is dropped, unless there is an outbox: Flush before, to let it finish.
//
// The error is ErrTimeout when work was dropped, or a thread of the library is still on the network after two
// seconds; it ends by itself. Closing again does nothing.
func (c *Client) Close() error {
	defer runtime.KeepAlive(c)
	return c.core.close()
}

func (c *core) close() (err error) {
	c.once.Do(func() {
		c.closing.Store(true)
		C.chatblock_client_wakeup(c.handle)
		<-c.collected
		handle := c.handle
		c.guard.exclude(func() { c.handle = nil })
		status := Status(C.chatblock_client_close(handle, C.int32_t(closeWait.Milliseconds())))
		c.calls.endAll(refusal(ErrClosed))
		c.completions.close()
		if status < 0 {
			err = refusal(status)
		}
	})
	return err
}

// enter gives the C client for a short call, after which the lock has to be unlocked for reading.
func (c *core) enter() (*C.chatblock_client, *sync.RWMutex, error) {
	lock := c.guard.enter()
	if c.handle == nil {
		lock.RUnlock()
		return nil, nil, refusal(ErrClosed)
	}
	return c.handle, lock, nil
}

// use runs a short call that answers with a status or a number of zero or more.
func (c *Client) use(call func(*C.chatblock_client) C.int32_t) (int, error) {
	defer runtime.KeepAlive(c)
	handle, lock, err := c.core.enter()
	if err != nil {
		return 0, err
	}
	defer lock.RUnlock()
	answer := call(handle)
	if answer < 0 {
		return 0, refusal(Status(answer))
	}
	return int(answer), nil
}

// Flush waits until everything accepted before has ended. Under load it may also wait for calls that are accepted
// meanwhile. The error is that of the context when work is left, or ErrClosed.
func (c *Client) Flush(ctx context.Context) error {
	return c.wait(ctx, func(handle *C.chatblock_client, ms C.int32_t) C.int32_t {
		return C.chatblock_client_flush(handle, ms)
	})
}

// Sync waits until everything accepted before is on disk. The error is that of the context when work is left,
// ErrStorage when it never will be on disk or a write since the last Sync found no room, ErrUnsupported without
// "path" or "outbox.path", or ErrClosed.
func (c *Client) Sync(ctx context.Context) error {
	return c.wait(ctx, func(handle *C.chatblock_client, ms C.int32_t) C.int32_t {
		return C.chatblock_client_sync(handle, ms)
	})
}

// wait waits in slices, so that neither the context nor Close has to wait for long.
func (c *Client) wait(ctx context.Context, call func(*C.chatblock_client, C.int32_t) C.int32_t) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if c.core.closing.Load() {
			return refusal(ErrClosed)
		}
		ms := C.int32_t(sliceBefore(ctx).Milliseconds())
		_, err := c.use(func(handle *C.chatblock_client) C.int32_t { return call(handle, ms) })
		if failure, failed := err.(*Error); !failed || failure.Status != ErrTimeout {
			return err
		}
	}
}

// sliceBefore is a slice, or what is left until the context's deadline.
func sliceBefore(ctx context.Context) time.Duration {
	deadline, limited := ctx.Deadline()
	left := time.Until(deadline)
	switch {
	case !limited || left > slice:
		return slice
	case left < 0: // to C a negative time is no limit
		return 0
	}
	return left + time.Millisecond // the context has ended then
}

// Cancel cancels the calls that were submitted with this tag and not sent yet, and says how many they were. Each
// still completes, with ErrCancelled. Calls with a context are cancelled by their context.
func (c *Client) Cancel(tag uint64) (int, error) {
	return c.use(func(handle *C.chatblock_client) C.int32_t {
		return C.chatblock_client_cancel(handle, C.uint64_t(tag))
	})
}

// Stats returns the statistics of the client as one JSON object; docs/statistics.md of the library lists its members.
// It contains no secret and no account.
func (c *Client) Stats() (json.RawMessage, error) {
	result, err := c.ask(func(handle *C.chatblock_client) *C.chatblock_result {
		return C.chatblock_client_stats(handle)
	})
	if err != nil {
		return nil, err
	}
	return result.JSON, nil
}

// Backup copies the durable store ("path") or the outbox ("outbox.path") to a new file while the client goes on, and waits
// until the copy is on disk; Close waits for it. What is at path already is never replaced. The error is ErrUnsupported
// where nothing is on disk, ErrStorage, ErrArgument, ErrBusy or ErrClosed; there is no copy then.
func (c *Client) Backup(path string) error {
	name, err := newText("path", path)
	if err != nil {
		return err
	}
	_, err = c.ask(func(handle *C.chatblock_client) *C.chatblock_result {
		return C.chatblock_client_backup(handle, name.c())
	})
	return err
}

// ask runs a short call that answers with a result.
func (c *Client) ask(call func(*C.chatblock_client) *C.chatblock_result) (*Result, error) {
	defer runtime.KeepAlive(c)
	handle, lock, err := c.core.enter()
	if err != nil {
		return nil, err
	}
	defer lock.RUnlock()
	return take(call(handle)).outcome()
}

// Version is the version of the library that is running, for example "0.1.0".
func Version() string { return C.GoString(C.chatblock_version()) }

// VersionNumber is the same as major << 16 | minor << 8 | patch.
func VersionNumber() uint32 { return uint32(C.chatblock_version_number()) }
