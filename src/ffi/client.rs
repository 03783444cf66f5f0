//! Client.
//!
//! A client is one configuration with its connections, queue, cache and store. Any number of threads share
//! it. It is opened once and closed once.

use std::ffi::c_char;
use std::sync::Arc;

use super::convert::{guard, guard_without_waits, panicked, text, timeout};
use super::result::chatblock_result;
use super::status::chatblock_status;
use crate::client::Client;
use crate::error::{Error, Status};
use crate::panics;
use crate::platform::cancel::Uncancelled;
use crate::platform::fork;

/// A handle to block lists: opened once, shared by any number of threads, closed once.
pub struct chatblock_client {
    /// Taken on drop only.
    client: Option<Client>,
    generation: u32,
}

impl chatblock_client {
    /// The client, unless this is a forked child or a bug was met.
    pub(super) fn usable(&self) -> Result<&Client, Error> {
        self.glance().map_err(|status| match status {
            Status::Forked => Error::new(
                status,
                "the client belongs to the process that opened it; open another one after fork()",
            ),
            _ => panicked(),
        })
    }

    /// [`Self::usable`] without a sentence.
    #[inline]
    fn glance(&self) -> Result<&Client, Status> {
        if self.generation != fork::generation() {
            return Err(Status::Forked);
        }
        match &self.client {
            Some(client) if !client.is_poisoned() => Ok(client),
            _ => Err(Status::Panic),
        }
    }
}

impl Drop for chatblock_client {
    fn drop(&mut self) {
        if self.generation != fork::generation() {
            // Its threads, locks and files belong to the parent: nothing of them may be touched here.
            std::mem::forget(self.client.take());
        }
    }
}

/// Open a client with a configuration in JSON.
///
/// "{}" selects the embedded engine, in memory. With "sdkappid" and a secret key, calls go to the cloud
/// service. The manual page chatblock-config(5) lists every key with its default and unit. Unknown keys are
/// errors.
///
/// @param config_json  one JSON object. It may contain a secret key: wipe your copy after the call.
/// @param out_error    may be NULL. Receives NULL on success, otherwise a result with the reason: CONFIG
///                     names the key or file, STORAGE the store; free it with chatblock_result_free().
/// @return a client for chatblock_client_close(); NULL on failure: no file or thread remains.
///
/// Owns: the caller owns the client and the error.  Threads: any.  Blocks: while a durable store is
/// read.  Since: 0.1.
///
/// # Safety
/// Strings are NULL or NUL-terminated; `out_error` is NULL or points to a writable pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_client_open(
    config_json: *const c_char,
    out_error: *mut *mut chatblock_result,
) -> *mut chatblock_client {
    let open = || {
        fork::watch();
        // SAFETY: the caller promises a string.
        unsafe { text(config_json, "config_json") }.and_then(Client::open)
    };
    let (client, error) = match guard(|| Err(panicked()), open) {
        Ok(client) => {
            let handle = chatblock_client {
                client: Some(client),
                generation: fork::generation(),
            };
            (Arc::into_raw(Arc::new(handle)).cast_mut(), None)
        }
        Err(error) => (std::ptr::null_mut(), Some(error)),
    };
    // SAFETY: the caller promises a writable pointer or NULL.
    unsafe { chatblock_result::report(None, error.as_ref(), out_error) };
    client
}

/// Close a client: refuse new calls, wake waiting threads, release all resources.
///
/// Calls in progress return CLOSED, and a write among them may have happened. Accepted calls that are not
/// finished are dropped; call chatblock_client_flush() before to let them finish. With an outbox, writes are
/// recorded first, return QUEUED, and are sent when the outbox is opened again. Results stay valid. Starting
/// a call concurrently with or after close is undefined behaviour. In a forked child this frees the handle
/// only.
///
/// @param client      may be NULL: nothing happens.
/// @param timeout_ms  milliseconds to wait for threads of the library that still use the network;
///                    0 = do not wait, negative = no limit.
/// @return OK; TIMEOUT when work was dropped or such a thread remains, which ends by itself. Lines of the
///         log have 250 ms of the time, and those that are not written by then are dropped.
///
/// Owns: takes the client.  Threads: one; no other thread uses the client any more.  Blocks: up to
/// timeout_ms.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or came from chatblock_client_open() and is not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_client_close(
    client: *mut chatblock_client,
    timeout_ms: i32,
) -> chatblock_status {
    if client.is_null() {
        return chatblock_status::CHATBLOCK_OK;
    }
    let timeout = timeout(timeout_ms);
    let close = || {
        // SAFETY: not NULL; the count of this Arc was given to the caller by open and comes back here.
        let handle = unsafe { Arc::from_raw(client.cast_const()) };
        match &handle.client {
            Some(client) if handle.generation == fork::generation() => client.shut(timeout),
            _ => Status::Ok,
        }
    };
    guard(|| Status::Panic, close).into()
}

/// Runs the body of an exported function on a client. NULL, a forked and a poisoned client are
/// answered here; a panic poisons.
///
/// # Safety
/// `client` is NULL or came from `chatblock_client_open()` and is not closed.
pub(super) unsafe fn enter<R>(
    client: *const chatblock_client,
    fail: impl Fn(&Error) -> R,
    body: impl FnOnce(&Client) -> R,
) -> R {
    // SAFETY: the caller's promise.
    guard(|| fail(&panicked()), || unsafe { run(client, &fail, body) })
}

/// [`enter`] for a function that leaves something for other threads and returns. Cancellation is not held back, which would
/// take a tick thread a twentieth of the call: nothing in it is a cancellation point but the end of the last count, which
/// holds it back itself.
///
/// # Safety
/// As for [`enter`].
pub(super) unsafe fn enter_without_waits<R>(
    client: *const chatblock_client,
    fail: impl Fn(&Error) -> R,
    body: impl FnOnce(&Client) -> R,
) -> R {
    // SAFETY: the caller's promise.
    guard_without_waits(|| fail(&panicked()), || unsafe { run(client, &fail, body) })
}

/// # Safety
/// As for [`enter`].
unsafe fn run<R>(
    client: *const chatblock_client,
    fail: &impl Fn(&Error) -> R,
    body: impl FnOnce(&Client) -> R,
) -> R {
    if client.is_null() {
        return fail(&Error::argument("client", "is NULL"));
    }
    // SAFETY: not NULL; by the contract the handle holds one count of this Arc.
    unsafe { Arc::increment_strong_count(client) };
    // SAFETY: the count taken above belongs to this Arc: the client outlives this call even if close
    // runs out of time and gives up the handle's count.
    let handle = unsafe { Arc::from_raw(client) };
    let outcome = match handle.usable() {
        Ok(client) => panics::contain(|| body(client)).unwrap_or_else(|_| {
            client.poison();
            fail(&panicked())
        }),
        Err(error) => fail(&error),
    };
    if let Some(last) = Arc::into_inner(handle) {
        // It closes files.
        let _uncancelled = Uncancelled::begin();
        drop(last);
    }
    outcome
}

/// [`enter`] for a function that looks at memory and returns: no count is taken, which would be one place
/// for all threads to write to, no errno kept, which is not touched, and no cancellation held back, since
/// nothing in it is a cancellation point.
///
/// # Safety
/// `client` is NULL, or came from `chatblock_client_open()` and is not closed before this returns.
pub(super) unsafe fn glance<R>(
    client: *const chatblock_client,
    fail: impl Fn(Status) -> R,
    body: impl FnOnce(&Client) -> R,
) -> R {
    if client.is_null() {
        return fail(Status::Argument);
    }
    // SAFETY: not NULL; by the contract the handle's count lives until close, which comes later.
    let handle = unsafe { &*client };
    match handle.glance() {
        Ok(client) => panics::contain(|| body(client)).unwrap_or_else(|_| {
            client.poison();
            fail(Status::Panic)
        }),
        Err(status) => fail(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every function comes in by one of these three.
    #[test]
    fn after_a_bug_every_function_returns_panic() {
        // SAFETY: a string, and no place for an error.
        let client = unsafe { chatblock_client_open(c"{}".as_ptr(), std::ptr::null_mut()) };
        let bug = |_: &Client| -> Status { panic!("planted") };
        let sound = |client: &Client| client.flush(None);
        // SAFETY: the client is open.
        let met = unsafe { enter(client, Error::status, bug) };
        // SAFETY: as above.
        let waits = unsafe { enter(client, Error::status, sound) };
        // SAFETY: as above.
        let submits = unsafe { enter_without_waits(client, Error::status, sound) };
        // SAFETY: as above.
        let looks = unsafe { glance(client, |status| status, |_| Status::Ok) };
        assert_eq!([met, waits, submits, looks], [Status::Panic; 4]);
        assert_eq!(chatblock_status::from(met) as i32, -15);
        // SAFETY: it is open, and not used again.
        let closed = unsafe { chatblock_client_close(client, 5000) };
        assert_eq!(closed as i32, Status::Ok.code());
    }
}
