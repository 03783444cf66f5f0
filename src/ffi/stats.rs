//! Looking inside.

use super::client::{chatblock_client, enter};
use super::result::chatblock_result;

/// LOOKING INSIDE. What a client says about itself, as one JSON object, taken at one moment.
///
/// Its groups: "calls" (what became of them, by command: accepted = confirmed + refused + in_doubt +
/// not_sent + cancelled + pending, always), "queue" (what waits), "requests" (what was sent), "latency" (whole calls,
/// in microseconds), "log"; on the remote backend also "retries" (by reason), "rate" (calls per second)
/// and "service" (breaker, host, connections, expiry of the signature). The README lists every key with
/// its unit under "Stats". Later versions may add keys. It contains no secret and no account.
///
/// @param client  the client.
/// @return a result, never NULL: OK with chatblock_result_json(); ARGUMENT, FORKED, PANIC.
///
/// Owns: the caller owns the result.  Threads: any, at once.  Blocks: never on network or disk. While it
/// looks, other calls wait, and it looks at every owner that has work.  Service: none.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or came from chatblock_client_open() and is not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_client_stats(
    client: *const chatblock_client,
) -> *mut chatblock_result {
    // SAFETY: the caller's promise.
    let result = unsafe {
        enter(client, chatblock_result::from_error, |client| {
            chatblock_result::from_stats(&client.stats())
        })
    };
    result.give()
}
