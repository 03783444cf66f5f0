package chatblock

// #include <chatblock.h>
import "C"

import (
	"time"
	"unsafe"
)

// ApplyWebhook takes a webhook of the service: it verifies it and learns what it says. query is the query string
// of the HTTP request, body its body. Send the JSON back as the body, with HTTP status 200, in every case: on
// an error it is in the Result of the *Error.
//
// The error is ErrSignature (forged, stale, of another app), ErrRequest (not a webhook of a blocklist),
// ErrUnsupported (embedded engine), ErrArgument, ErrBusy or ErrClosed; nothing was learned then.
func (c *Client) ApplyWebhook(query string, body []byte) (*Result, error) {
	queryText, err := newText("query", query)
	if err != nil {
		return nil, err
	}
	return c.ask(func(h *C.chatblock_client) *C.chatblock_result {
		var start *C.char
		if len(body) > 0 {
			start = (*C.char)(unsafe.Pointer(&body[0]))
		}
		return C.chatblock_client_apply_webhook(h, queryText.c(), start, C.size_t(len(body)))
	})
}

// GenerateUserSig makes the signature with which identifier logs in, valid for expire (whole seconds, at most 50
// years). The clients of this package sign by themselves; this is for handing signatures to players. The
// signature is a secret: do not log it. The error is ErrArgument.
func GenerateUserSig(sdkAppID uint32, secretKey, identifier string, expire time.Duration) (string, error) {
	key, err := newText("secret_key", secretKey)
	if err != nil {
		return "", err
	}
	defer key.wipe()
	user, err := newText("identifier", identifier)
	if err != nil {
		return "", err
	}
	seconds := expire / time.Second
	if seconds < 0 || seconds > 1<<32-1 {
		return "", invalid("expire", "is out of range")
	}
	result := C.chatblock_usersig_generate(C.uint32_t(sdkAppID), key.c(), user.c(), C.uint32_t(seconds))
	signature := C.GoString(C.chatblock_result_usersig(result))
	_, err = take(result).outcome()
	return signature, err
}

// VerifyUserSig says whether userSig was made with this key, for this app and user, and is still valid. The error
// is ErrSignature with ServiceCode 70003 (not a signature), 70014 (other app), 70013 (other user), 70001 (expired)
// or 70009 (other key), or ErrArgument.
func VerifyUserSig(sdkAppID uint32, secretKey, identifier, userSig string) error {
	key, err := newText("secret_key", secretKey)
	if err != nil {
		return err
	}
	defer key.wipe()
	user, err := newText("identifier", identifier)
	if err != nil {
		return err
	}
	signature, err := newText("usersig", userSig)
	if err != nil {
		return err
	}
	_, err = take(C.chatblock_usersig_verify(C.uint32_t(sdkAppID), key.c(), user.c(), signature.c())).outcome()
	return err
}
