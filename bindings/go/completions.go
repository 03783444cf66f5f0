package chatblock

// #include <chatblock.h>
import "C"

import (
	"sync"
	"time"
)

// replayed is the tag of a write of an earlier client with the same outbox.
const replayed = 0

// unreceived is how many submitted calls may wait for their completion or for its receiver.
const unreceived = 65536

// Completion is what became of a submitted call.
type Completion struct {
	// Result is never nil; its Tag says which call it was. Tag 0 is a write of an earlier client with the same
	// outbox, which the service refused when it was sent at last.
	*Result
	// Err is nil when the call was done, else an *Error.
	Err error
}

// Submit hands a call over without waiting; Completions gives one completion with this tag. command and request
// are as for Call. The tag is 1 to 1<<63 - 1 and need not be unique.
//
// With an error nothing was accepted: ErrArgument, ErrRequest, ErrBusy (too many calls wait, or too many
// completions wait for a receiver), or ErrClosed.
func (c *Client) Submit(tag uint64, command, request string) error {
	if tag == replayed || tag >= ownTags {
		return invalid("tag", "is not 1 to 1<<63 - 1")
	}
	call, err := jsonCall(command, request)
	if err != nil {
		return err
	}
	if !c.core.completions.reserve() {
		return refusal(ErrBusy)
	}
	if err := c.submit(tag, call); err != nil {
		c.core.completions.release()
		return err
	}
	return nil
}

// Completions is the channel of what became of submitted calls, and of writes of earlier clients. It is the same
// channel each time; any number of goroutines may receive from it. Close closes it, after what has come until
// then, as long as somebody receives it within two seconds.
//
// Whoever receives must also hold the Client: one that is unreachable is closed.
func (c *Client) Completions() <-chan Completion {
	c.core.completions.start.Do(func() { go c.core.completions.run() })
	return c.core.completions.out
}

// collect takes completions from the library and hands them on, until the client closes.
func (c *core) collect(handle *C.chatblock_client) {
	defer close(c.collected)
	wait := C.int32_t(-1)
	for {
		completion := C.chatblock_client_poll(handle, wait)
		switch {
		case completion != nil:
			c.handOn(take(completion))
		case c.closing.Load() && wait == 0:
			return
		case c.closing.Load(): // what came before the wake-up
			wait = 0
		default:
			if status := Status(C.chatblock_client_flush(handle, 0)); status == ErrPanic || status == ErrForked {
				c.calls.endAll(refusal(status))
				return
			}
		}
	}
}

func (c *core) handOn(result *Result) {
	if result.Tag >= ownTags {
		c.calls.end(result)
		return
	}
	_, err := result.outcome()
	c.completions.put(Completion{result, err})
}

// completions are those that wait for a receiver. The queue is between collector and channel, so that a slow
// receiver does not hold up calls that goroutines wait for.
type completions struct {
	mu       sync.Mutex
	queue    []Completion
	reserved int // submitted and not received

	start  sync.Once
	more   chan struct{} // has a token when the queue has grown
	out    chan Completion
	closed chan struct{}
}

func (q *completions) init() {
	q.more = make(chan struct{}, 1)
	q.out = make(chan Completion)
	q.closed = make(chan struct{})
}

// reserve makes room for one completion, or says that there is none.
func (q *completions) reserve() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.reserved >= unreceived {
		return false
	}
	q.reserved++
	return true
}

func (q *completions) release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.reserved--
}

func (q *completions) put(completion Completion) {
	q.mu.Lock()
	q.queue = append(q.queue, completion)
	q.mu.Unlock()
	select {
	case q.more <- struct{}{}:
	default:
	}
}

// first is the oldest completion and the channel for it; a nil channel when there is none.
func (q *completions) first() (Completion, chan<- Completion) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.queue) == 0 {
		return Completion{}, nil
	}
	return q.queue[0], q.out
}

func (q *completions) received() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.queue[0].Tag != replayed {
		q.reserved--
	}
	q.queue[0] = Completion{}
	q.queue = q.queue[1:]
}

// run hands completions to receivers until the client is closed.
func (q *completions) run() {
	defer close(q.out)
	var late <-chan time.Time
	closed := q.closed
	for {
		first, out := q.first()
		if out == nil && closed == nil {
			return
		}
		select {
		case out <- first:
			q.received()
		case <-q.more:
		case <-closed:
			closed, late = nil, time.After(closeWait)
		case <-late:
			return
		}
	}
}

func (q *completions) close() { close(q.closed) }
