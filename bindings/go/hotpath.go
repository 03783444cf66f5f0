package chatblock

/*
#include "hotpath.h"

static int32_t is_blocked_go(const chatblock_client *client, _GoString_ owner, _GoString_ peer)
{
    return is_blocked(client, _GoStringPtr(owner), _GoStringLen(owner), _GoStringPtr(peer), _GoStringLen(peer));
}
*/
import "C"

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"unsafe"
)

// Answer says whether an owner blocks a peer.
type Answer int8

const (
	No      = Answer(0)
	Yes     = Answer(1)
	Unknown = Answer(C.CHATBLOCK_ERR_UNKNOWN) // nothing is known of the owner, which is not "no"
)

// String is "NO", "YES" or "UNKNOWN".
func (a Answer) String() string {
	switch a {
	case No:
		return "NO"
	case Yes:
		return "YES"
	case Unknown:
		return "UNKNOWN"
	}
	return "?"
}

// IsBlocked answers from memory whether owner blocks peer: nothing is sent, and nothing allocated.
//
// The embedded engine knows every owner. On the remote backend an owner is known after Watch has read the list, or
// after a complete listing; until then the answer is Unknown: deliver and Watch, or ask with Check, as your game
// wants. A write of this client shows when it is confirmed. An account never blocks itself.
//
// The error is ErrArgument for an account that is empty, longer than 32 bytes or has a NUL byte, or ErrClosed.
func (c *Client) IsBlocked(owner, peer string) (Answer, error) {
	handle, lock, err := c.core.enter()
	if err != nil {
		return Unknown, err
	}
	answer := C.is_blocked_go(handle, owner, peer)
	lock.RUnlock()
	runtime.KeepAlive(c)
	if answer >= 0 || answer == C.CHATBLOCK_ERR_UNKNOWN {
		return Answer(answer), nil
	}
	return Unknown, hotRefusal(Status(answer))
}

func hotRefusal(status Status) error {
	if status == ErrArgument {
		return invalid("owner or peer", "is no account: 1 to 32 bytes without NUL")
	}
	return refusal(status)
}

// packs are buffers for texts, one behind the other, each with its NUL.
var packs = sync.Pool{New: func() any { return new([]byte) }}

// IsBlockedMany asks which of these owners block peer: who may hear this player. It is faster than asking one by
// one. The answers are in the order of the owners; errors are as with IsBlocked.
func (c *Client) IsBlockedMany(owners []string, peer string) ([]Answer, error) {
	answers := make([]Answer, len(owners))
	if len(owners) == 0 {
		return answers, nil
	}
	buffer := packs.Get().(*[]byte)
	defer packs.Put(buffer)
	pack := append(append((*buffer)[:0], peer...), 0)
	for _, owner := range owners {
		pack = append(append(pack, owner...), 0)
	}
	*buffer = pack
	if strings.IndexByte(peer, 0) >= 0 || hasNUL(owners) {
		return nil, hotRefusal(ErrArgument)
	}
	_, err := c.use(func(h *C.chatblock_client) C.int32_t {
		texts, out := (*C.char)(unsafe.Pointer(&pack[0])), (*C.int8_t)(unsafe.Pointer(&answers[0]))
		return C.is_blocked_many(h, texts, C.size_t(len(owners)), out)
	})
	if err != nil {
		return nil, hotRefusal(err.(*Error).Status)
	}
	for i, answer := range answers {
		if answer == Answer(ErrArgument) {
			return nil, invalid(fmt.Sprintf("owners[%d]", i), "is no account: 1 to 32 bytes")
		}
	}
	return answers, nil
}

func hasNUL(texts []string) bool {
	for _, text := range texts {
		if strings.IndexByte(text, 0) >= 0 {
			return true
		}
	}
	return false
}

// Pair says that the account with the number Owner blocks that with the number Peer.
type Pair struct{ Owner, Peer uint32 }

// BlockedPairs asks which of these accounts, 1 to 10,000, block which: who may not share a match. The pairs have
// indices of accounts, in the order of owners; unknown is how many accounts are not known as owners. Errors are as
// with IsBlocked.
func (c *Client) BlockedPairs(accounts []string) (pairs []Pair, unknown int, err error) {
	named, err := newList("accounts", accounts)
	if err != nil {
		return nil, 0, err
	}
	defer named.free()
	pairs = make([]Pair, 2*len(accounts)+1)
	for {
		var unknowns C.size_t
		count, err := c.use(func(h *C.chatblock_client) C.int32_t {
			out := (*C.uint32_t)(unsafe.Pointer(&pairs[0]))
			return C.chatblock_client_blocked_pairs(h, named.c(), named.count, out, C.size_t(len(pairs)), &unknowns)
		})
		switch {
		case err != nil && err.(*Error).Status == ErrArgument:
			return nil, 0, invalid("accounts", "are not 1 to 10,000 of 1 to 32 bytes each")
		case err != nil:
			return nil, 0, err
		case count <= len(pairs):
			return pairs[:count], int(unknowns), nil
		}
		pairs = make([]Pair, count)
	}
}

// Watch makes these owners known from now on, such as players who log in: their lists are read in the background,
// and again and again. It takes 1 to 100,000 owners and does not wait. The embedded engine knows everybody.
//
// The error is ErrArgument (also for one invalid account: nobody is watched then), ErrBusy or ErrClosed.
func (c *Client) Watch(owners ...string) error {
	return c.overOwners(owners, func(h *C.chatblock_client, owners list) C.int32_t {
		return C.chatblock_client_watch(h, owners.c(), owners.count)
	})
}

// Unwatch lets go of owners, such as players who log out. One that is not watched does no harm.
func (c *Client) Unwatch(owners ...string) error {
	return c.overOwners(owners, func(h *C.chatblock_client, owners list) C.int32_t {
		return C.chatblock_client_unwatch(h, owners.c(), owners.count)
	})
}

func (c *Client) overOwners(owners []string, call func(*C.chatblock_client, list) C.int32_t) error {
	named, err := newList("owners", owners)
	if err != nil {
		return err
	}
	defer named.free()
	_, err = c.use(func(h *C.chatblock_client) C.int32_t { return call(h, named) })
	if failure, failed := err.(*Error); failed && failure.Status == ErrArgument {
		return invalid("owners", "are not 1 to 100,000 of 1 to 32 bytes each")
	}
	return err
}
