//! Statistics.
//!
//! The counters of a client, for monitoring.

use super::client::{chatblock_client, enter};
use super::result::chatblock_result;

/// The counters and gauges of a client as one JSON object, read at one moment.
///
/// Groups: "calls" (by command and outcome; always accepted = confirmed + refused + in_doubt + not_sent +
/// cancelled + pending), "queue" (what is waiting), "requests" (what was sent), "latency" (whole calls, in
/// microseconds), "log"; on the remote backend also "retries" (by reason), "rate" (calls per second) and
/// "service" (circuit breaker, endpoint, connections, expiry of the signature). The manual page
/// chatblock-stats(7) lists every key with its unit. Later versions may add keys. There is no secret and no
/// account in it.
///
/// @param client  the client.
/// @return a result, never NULL: OK with chatblock_result_json(); ARGUMENT, FORKED, PANIC.
///
/// Owns: the caller owns the result.  Threads: any, at once.  Blocks: never on network or disk. It holds
/// the lock of the scheduler while it visits every owner that has work.  Service: none.  Since: 0.1.
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
