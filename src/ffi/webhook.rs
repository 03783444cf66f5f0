//! Webhooks.
//!
//! Changes that the service reports to your HTTP server, applied to the cache.

use std::ffi::c_char;

use super::client::{chatblock_client, enter};
use super::convert::text;
use super::result::chatblock_result;
use crate::client::{Client, Reply};
use crate::error::Error;

/// Verify a webhook of the service and apply it to the cache.
///
/// Pass what your HTTP server received, and answer with chatblock_result_json() as the body and HTTP
/// status 200, in every case. An add blocks its pairs for chatblock_client_is_blocked() at once; after an add
/// and after a delete the lists concerned are read again, so duplicates, loss and reordering do no harm.
/// Owners that are not cached are ignored. Without "webhook.token" every webhook is refused, unless
/// "webhook.unsigned" is true.
///
/// @param query     the query string of the request, after the question mark.
/// @param body      its body; need not be NUL-terminated. May be NULL when body_len is 0.
/// @param body_len  bytes of body.
/// @return a result, never NULL: OK; SIGNATURE (forged, stale, another application), REQUEST (not a webhook
///         of a block list), UNSUPPORTED (embedded engine), ARGUMENT, BUSY, CLOSED, FORKED, PANIC: nothing
///         was applied.
///
/// Owns: the caller owns the result.  Threads: any, at once.
/// Blocks: never on network or disk; briefly on a lock.
/// Service: Sns.CallbackBlackListAdd, Sns.CallbackBlackListDelete.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open; `query` is NULL or NUL-terminated; `body` is NULL or has body_len bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_client_apply_webhook(
    client: *const chatblock_client,
    query: *const c_char,
    body: *const c_char,
    body_len: usize,
) -> *mut chatblock_result {
    let refused = |error: &Error| chatblock_result::from_reply(Reply::to_webhook(Some(error)));
    let apply = |client: &Client| {
        // SAFETY: the caller promises a string.
        let query = match unsafe { text(query, "query") } {
            Ok(query) => query,
            Err(error) => return refused(&error),
        };
        let body = if body_len == 0 {
            &[]
        } else if body.is_null() {
            return refused(&Error::argument("body", "is NULL"));
        } else if isize::try_from(body_len).is_err() {
            return refused(&Error::argument("body_len", "is longer than memory"));
        } else {
            // SAFETY: not NULL, not too long, and the caller promises so many bytes.
            unsafe { std::slice::from_raw_parts(body.cast::<u8>(), body_len) }
        };
        chatblock_result::from_reply(client.apply_webhook(query, body))
    };
    // SAFETY: the caller promises a client.
    unsafe { enter(client, refused, apply) }.give()
}
