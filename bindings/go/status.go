package chatblock

// #include <chatblock.h>
import "C"

import "strings"

// Status says how a call, or one account of it, ended. Zero or more is done, negative is not. A later version of
// the library may have further ones.
//
// A Status is an error, so that errors.Is(err, chatblock.ErrBusy) works. The functions of this package return an
// *Error, which also says why.
type Status int32

// What is done.
const (
	OK        = Status(C.CHATBLOCK_OK)        // every account is as wanted
	Partial   = Status(C.CHATBLOCK_PARTIAL)   // done for some accounts: read the items
	Unchanged = Status(C.CHATBLOCK_UNCHANGED) // items only: was as wanted already
)

// What is not done.
const (
	ErrArgument    = Status(C.CHATBLOCK_ERR_ARGUMENT)    // out of range, not UTF-8, or with a NUL byte
	ErrConfig      = Status(C.CHATBLOCK_ERR_CONFIG)      // bad configuration; the message names the key
	ErrRequest     = Status(C.CHATBLOCK_ERR_REQUEST)     // bad request JSON; nothing was sent
	ErrService     = Status(C.CHATBLOCK_ERR_SERVICE)     // the service refused: see ServiceCode
	ErrNetwork     = Status(C.CHATBLOCK_ERR_NETWORK)     // no valid answer; a write may have happened
	ErrTimeout     = Status(C.CHATBLOCK_ERR_TIMEOUT)     // out of time; a write may have happened
	ErrBusy        = Status(C.CHATBLOCK_ERR_BUSY)        // too many calls wait; nothing was accepted
	ErrCancelled   = Status(C.CHATBLOCK_ERR_CANCELLED)   // cancelled before it was sent
	ErrClosed      = Status(C.CHATBLOCK_ERR_CLOSED)      // the client is closed; what was sent may have happened
	ErrStorage     = Status(C.CHATBLOCK_ERR_STORAGE)     // the store or the outbox failed
	ErrUnknown     = Status(C.CHATBLOCK_ERR_UNKNOWN)     // nothing is known of the owner
	ErrSignature   = Status(C.CHATBLOCK_ERR_SIGNATURE)   // a UserSig or a webhook did not verify
	ErrUnsupported = Status(C.CHATBLOCK_ERR_UNSUPPORTED) // not on this platform or backend
	ErrForked      = Status(C.CHATBLOCK_ERR_FORKED)      // the client belongs to another process
	ErrPanic       = Status(C.CHATBLOCK_ERR_PANIC)       // a bug in the library: close the client
	ErrConnect     = Status(C.CHATBLOCK_ERR_CONNECT)     // no connection, or no turn in time; nothing was sent
	ErrQueued      = Status(C.CHATBLOCK_ERR_QUEUED)      // recorded in the outbox and will be sent: do not repeat it
)

// String is the name without its prefix, for example "ERR_BUSY".
func (s Status) String() string {
	return strings.TrimPrefix(C.GoString(C.chatblock_status_name(C.chatblock_status(s))), "CHATBLOCK_")
}

// Error is the same as String.
func (s Status) Error() string { return s.String() }

// Error says why a call was not done.
type Error struct {
	Status      Status
	ServiceCode int    // the service's own code, for example 30013 for a full list; 0 when there is none
	Retryable   bool   // the same call may succeed later without anybody changing anything
	Message     string // a sentence for people; not for branching

	// Result is the whole answer, with what is known of each account. It is nil when there was none.
	Result *Result

	cause error
}

// Error names the status and says what failed, why, and the next step.
func (e *Error) Error() string { return "chatblock: " + e.Status.String() + ": " + e.Message }

// Is tells errors.Is that an Error is its Status.
func (e *Error) Is(target error) bool { return target == e.Status }

// Unwrap is the error of the context that ended the call, if one did.
func (e *Error) Unwrap() error { return e.cause }

// refusals are the sentences for what the library says with a number only.
var refusals = map[Status]string{
	ErrBusy:        "too many calls are waiting; nothing was accepted, try again later",
	ErrClosed:      "the client is closed; what was under way has no answer",
	ErrTimeout:     "work is left when the time is over",
	ErrUnsupported: "not on this platform or with this configuration",
}

// refusal is the error for a status that came without a result.
func refusal(status Status) *Error {
	message, known := refusals[status]
	if !known {
		message = "the library refused the call"
	}
	return &Error{Status: status, Message: message, Retryable: status == ErrBusy}
}

func invalid(argument, why string) *Error {
	return &Error{Status: ErrArgument, Message: argument + " " + why}
}
