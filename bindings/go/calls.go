package chatblock

// #include <chatblock.h>
import "C"

import (
	"context"
	"runtime"
)

// CheckType says which directions Check looks at.
type CheckType int32

const (
	CheckSingle = CheckType(C.CHATBLOCK_CHECK_SINGLE) // does the owner block the account?
	CheckBoth   = CheckType(C.CHATBLOCK_CHECK_BOTH)   // the same, and does the account block the owner?
)

// Add blocks accounts: from no longer wants to hear them. It takes 1 to 100,000 accounts; an account that is
// blocked already counts as done. Writes of one owner keep their order.
//
// The error is ErrService (with ServiceCode, for example 30013 for a full list), ErrNetwork or ErrTimeout (a
// write may have happened; the same call may be repeated), ErrConnect (nothing was sent), ErrBusy, ErrStorage,
// ErrArgument, ErrClosed, or that of the context. With an outbox a write waits for its answer as long as the context
// allows; one that is on disk by then is sent later all the same, so do not repeat it.
func (c *Client) Add(ctx context.Context, owner string, targets ...string) (*Result, error) {
	return c.overAccounts(ctx, owner, targets, func(
		h *C.chatblock_client, owner *C.char, targets list, tag C.uint64_t, why **C.chatblock_result,
	) C.chatblock_status {
		return C.chatblock_blocklist_add_async(h, owner, targets.c(), targets.count, tag, why)
	})
}

// Delete unblocks accounts. An account that is not blocked counts as done; everything else is as with Add.
func (c *Client) Delete(ctx context.Context, owner string, targets ...string) (*Result, error) {
	return c.overAccounts(ctx, owner, targets, func(
		h *C.chatblock_client, owner *C.char, targets list, tag C.uint64_t, why **C.chatblock_result,
	) C.chatblock_status {
		return C.chatblock_blocklist_delete_async(h, owner, targets.c(), targets.count, tag, why)
	})
}

// Check asks the service who blocks whom: each item has a Relation between from (A) and the account (B). It sees
// every write of from that was accepted before. It takes 1 to 100,000 accounts; errors are as with Add.
func (c *Client) Check(ctx context.Context, owner string, check CheckType, targets ...string) (*Result, error) {
	return c.overAccounts(ctx, owner, targets, func(
		h *C.chatblock_client, owner *C.char, targets list, tag C.uint64_t, why **C.chatblock_result,
	) C.chatblock_status {
		kind := C.chatblock_check_type(check)
		return C.chatblock_blocklist_check_async(h, owner, targets.c(), targets.count, kind, tag, why)
	})
}

// Get reads one page of a list, oldest entry first: from start, at most max entries, 1 to 1000. Go on with
// NextIndex until it is 0; entries that are removed meanwhile shift the pages. Errors are as with Add.
func (c *Client) Get(ctx context.Context, owner string, start, max uint32) (*Result, error) {
	name, err := newText("owner", owner)
	if err != nil {
		return nil, err
	}
	return c.do(ctx, func(h *C.chatblock_client, tag C.uint64_t, why **C.chatblock_result) C.chatblock_status {
		return C.chatblock_blocklist_get_async(h, name.c(), C.uint32_t(start), C.uint32_t(max), tag, why)
	})
}

// Call makes one call with the service's own request JSON of at most 1000 accounts. command is "black_list_add",
// "black_list_delete", "black_list_get" or "black_list_check". Errors are as with Add, and ErrRequest for a
// request that is refused before anything is sent; the message names the member.
func (c *Client) Call(ctx context.Context, command, request string) (*Result, error) {
	submit, err := jsonCall(command, request)
	if err != nil {
		return nil, err
	}
	return c.do(ctx, submit)
}

// submission hands a call over, or leaves at the last argument why it was not accepted.
type submission func(*C.chatblock_client, C.uint64_t, **C.chatblock_result) C.chatblock_status

// accountsSubmission is one about accounts.
type accountsSubmission func(
	*C.chatblock_client, *C.char, list, C.uint64_t, **C.chatblock_result,
) C.chatblock_status

func (c *Client) overAccounts(
	ctx context.Context, owner string, targets []string, submit accountsSubmission,
) (*Result, error) {
	name, err := newText("owner", owner)
	if err != nil {
		return nil, err
	}
	named, err := newList("targets", targets)
	if err != nil {
		return nil, err
	}
	defer named.free()
	return c.do(ctx, func(h *C.chatblock_client, tag C.uint64_t, why **C.chatblock_result) C.chatblock_status {
		return submit(h, name.c(), named, tag, why)
	})
}

// jsonCall is the submission of a call with the service's own request.
func jsonCall(command, request string) (submission, error) {
	commandText, err := newText("command", command)
	if err != nil {
		return nil, err
	}
	requestText, err := newText("request", request)
	if err != nil {
		return nil, err
	}
	return func(h *C.chatblock_client, tag C.uint64_t, why **C.chatblock_result) C.chatblock_status {
		return C.chatblock_client_submit(h, commandText.c(), requestText.c(), tag, why)
	}, nil
}

// submit hands a call over; the error says why it was not accepted.
func (c *Client) submit(tag uint64, call submission) error {
	defer runtime.KeepAlive(c)
	handle, lock, err := c.core.enter()
	if err != nil {
		return err
	}
	defer lock.RUnlock()
	var why *C.chatblock_result
	if call(handle, C.uint64_t(tag), &why) < 0 {
		_, err = take(why).outcome()
	}
	return err
}

// do hands a call over and waits for its completion, or for the context.
func (c *Client) do(ctx context.Context, call submission) (*Result, error) {
	defer runtime.KeepAlive(c)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	tag, done := c.core.calls.begin()
	if err := c.submit(tag, call); err != nil {
		c.core.calls.forget(tag)
		return nil, err
	}
	select {
	case result := <-done:
		return result.outcome()
	case <-ctx.Done():
		return c.abandon(ctx, tag, done)
	}
}

// abandon ends a call whose context has ended.
func (c *Client) abandon(ctx context.Context, tag uint64, done <-chan *Result) (*Result, error) {
	c.core.calls.forget(tag)
	cancelled, err := c.Cancel(tag)
	select {
	case result := <-done: // it was faster
		return result.outcome()
	default:
	}
	if err == nil && cancelled > 0 {
		const message = "cancelled before it was sent; nothing happened"
		return nil, &Error{Status: ErrCancelled, Message: message, cause: ctx.Err()}
	}
	return nil, ctx.Err()
}
