//! Asynchronous calls.
//!
//! Each function queues a call and returns at once; chatblock_client_poll() returns the completion.

use std::ffi::c_char;

use super::client::{chatblock_client, enter, enter_without_waits};
use super::convert::{accounts, text, timeout};
use super::result::chatblock_result;
use super::status::{chatblock_status, check_type as check_type_of, check_type_number};
use crate::api::Command;
use crate::client::Client;
use crate::error::{Error, Status};

/// Block accounts without waiting; the call ends with one completion that has this tag.
///
/// The arguments are copied. chatblock_client_poll() returns the completion. Writes of one owner keep their
/// order, and those that are queued together are merged into one request. A check sees the writes accepted
/// before it, and perhaps some accepted after it.
///
/// @param owner    the owner of the list, 1 to 32 bytes.
/// @param targets  count account ids.
/// @param count    1 to 100,000.
/// @param tag      returned by chatblock_result_tag(); need not be unique.
/// @param out_error  may be NULL. Receives NULL when the call was accepted, otherwise a result with the status
///                   and a message that names the argument; free it with chatblock_result_free().
/// @return OK = accepted, exactly one completion follows; ARGUMENT, BUSY (queue full), CLOSED, FORKED,
///         PANIC: nothing was accepted.
///
/// Owns: the caller owns the error; the strings are copied.  Threads: any, at once.  Blocks: never.
/// Service: black_list_add.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open; strings are NULL or NUL-terminated; `targets` has count elements; `out_error` is
/// NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_blocklist_add_async(
    client: *const chatblock_client,
    owner: *const c_char,
    targets: *const *const c_char,
    count: usize,
    tag: u64,
    out_error: *mut *mut chatblock_result,
) -> chatblock_status {
    // SAFETY: the caller's promises are those of `submit`.
    unsafe {
        submit(
            client,
            Command::Add,
            owner,
            (targets, count),
            out_error,
            |c, owner, to| c.add_async(owner, to, tag),
        )
    }
}

/// Unblock accounts without waiting; the call ends with one completion that has this tag.
///
/// @param owner    the owner of the list, 1 to 32 bytes.
/// @param targets  count account ids.
/// @param count    1 to 100,000.
/// @param tag      returned by chatblock_result_tag().
/// @param out_error  as for chatblock_blocklist_add_async().
/// @return as chatblock_blocklist_add_async().
///
/// Owns: the caller owns the error; the strings are copied.  Threads: any, at once.  Blocks: never.
/// Service: black_list_delete.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open; strings are NULL or NUL-terminated; `targets` has count elements; `out_error` is
/// NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_blocklist_delete_async(
    client: *const chatblock_client,
    owner: *const c_char,
    targets: *const *const c_char,
    count: usize,
    tag: u64,
    out_error: *mut *mut chatblock_result,
) -> chatblock_status {
    // SAFETY: the caller's promises are those of `submit`.
    unsafe {
        submit(
            client,
            Command::Delete,
            owner,
            (targets, count),
            out_error,
            |c, owner, to| c.delete_async(owner, to, tag),
        )
    }
}

/// Ask the service who blocks whom without waiting; the call ends with one completion that has this tag.
///
/// It sees every write of the owner that was accepted before, except those in an outbox that keep failing
/// (stats key "queue.set_aside"): the message of the result says so. Behind other writes in an outbox it
/// waits at most "call_ms" from now and completes with CONNECT after that; otherwise its time starts when
/// it is sent.
///
/// @param owner       the owner A, 1 to 32 bytes.
/// @param targets     count account ids, each one a B.
/// @param count       1 to 100,000.
/// @param check_type  CHATBLOCK_CHECK_SINGLE or CHATBLOCK_CHECK_BOTH; any other number is ARGUMENT.
/// @param tag         returned by chatblock_result_tag().
/// @param out_error   as for chatblock_blocklist_add_async().
/// @return as chatblock_blocklist_add_async().
///
/// Owns: the caller owns the error; the strings are copied.  Threads: any, at once.  Blocks: never.
/// Service: black_list_check.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open; strings are NULL or NUL-terminated; `targets` has count elements; `out_error` is
/// NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_blocklist_check_async(
    client: *const chatblock_client,
    owner: *const c_char,
    targets: *const *const c_char,
    count: usize,
    check_type: check_type_number,
    tag: u64,
    out_error: *mut *mut chatblock_result,
) -> chatblock_status {
    let check = |client: &Client, owner: &str, to: &[&str]| {
        client.check_async(owner, to, check_type_of(check_type)?, tag)
    };
    // SAFETY: the caller's promises are those of `submit`.
    unsafe {
        submit(
            client,
            Command::Check,
            owner,
            (targets, count),
            out_error,
            check,
        )
    }
}

/// Read one page of a block list without waiting; the call ends with one completion that has this tag.
///
/// It sees the writes accepted before it, as chatblock_blocklist_check_async().
///
/// @param owner        the owner of the list, 1 to 32 bytes.
/// @param start_index  offset of the first item; 0 for the first page.
/// @param limit        size of the page, 1 to 1000 items.
/// @param tag          returned by chatblock_result_tag().
/// @param out_error    as for chatblock_blocklist_add_async().
/// @return as chatblock_blocklist_add_async().
///
/// Owns: the caller owns the error; the strings are copied.  Threads: any, at once.  Blocks: never.
/// Service: black_list_get.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open; `owner` is NULL or NUL-terminated; `out_error` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_blocklist_get_async(
    client: *const chatblock_client,
    owner: *const c_char,
    start_index: u32,
    limit: u32,
    tag: u64,
    out_error: *mut *mut chatblock_result,
) -> chatblock_status {
    let body = |client: &Client| {
        // SAFETY: the caller promises a string.
        let owner = unsafe { text(owner, "owner") }?;
        client.get_async(owner, start_index, limit, tag)
    };
    // SAFETY: the caller promises a client.
    let outcome = unsafe { enter_without_waits(client, |error| Err(error.clone()), body) };
    // SAFETY: the caller promises a writable pointer or NULL.
    unsafe { accepted(Some(Command::Get), outcome, out_error) }
}

/// Make one call with the request JSON of the service without waiting; it ends with one completion that has
/// this tag.
///
/// @param command       "black_list_add", "black_list_delete", "black_list_get" or "black_list_check".
/// @param request_json  the request object of that command, at most 1000 targets.
/// @param tag           returned by chatblock_result_tag().
/// @param out_error     as for chatblock_blocklist_add_async(); its message names the member of the request.
/// @return as chatblock_blocklist_add_async(); REQUEST for a request that is refused at once.
///
/// Owns: the caller owns the error; the strings are copied.  Threads: any, at once.  Blocks: never.
/// Service: the named command.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open; strings are NULL or NUL-terminated; `out_error` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_client_submit(
    client: *const chatblock_client,
    command: *const c_char,
    request_json: *const c_char,
    tag: u64,
    out_error: *mut *mut chatblock_result,
) -> chatblock_status {
    let body = |client: &Client| {
        // SAFETY: the caller promises strings.
        let command = unsafe { text(command, "command") };
        // SAFETY: as above.
        let request = unsafe { text(request_json, "request_json") };
        command.and_then(|command| client.submit(command, request?, tag))
    };
    // SAFETY: the caller promises a client.
    let outcome = unsafe { enter_without_waits(client, |error| Err(error.clone()), body) };
    // SAFETY: the caller promises a writable pointer or NULL.
    unsafe { accepted(None, outcome, out_error) }
}

/// Take the next completion.
///
/// Several threads may poll: each completion is taken once. With an outbox, a write that an earlier client
/// recorded completes only when it is refused, with tag 0.
///
/// @param timeout_ms  milliseconds; 0 = do not wait, negative = no limit.
/// @return a result for chatblock_result_free(); NULL on timeout, after chatblock_client_wakeup(), when
///         the client is closing, and for a client that is NULL, forked or has met a bug
///         (chatblock_client_flush(client, 0) tells which).
///
/// Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to timeout_ms.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_client_poll(
    client: *const chatblock_client,
    timeout_ms: i32,
) -> *mut chatblock_result {
    let body = |client: &Client| match client.poll(timeout(timeout_ms)) {
        Some(reply) => chatblock_result::from_reply(reply).give(),
        None => std::ptr::null_mut(),
    };
    // SAFETY: the caller promises a client.
    unsafe { enter(client, |_| std::ptr::null_mut(), body) }
}

/// A file descriptor that is readable while a completion or a wake-up is waiting, for select, poll and epoll.
///
/// With EPOLLET, call chatblock_client_poll() until it returns NULL: each arrival after that is an edge. A
/// read of the descriptor fails and changes nothing. Do not close it.
///
/// @return a descriptor that lives as long as the client, or a negative status: UNSUPPORTED, ARGUMENT,
///         FORKED, PANIC.
///
/// Owns: nothing.  Threads: any, at once.  Blocks: never.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_client_event_fd(client: *const chatblock_client) -> i32 {
    let body = |client: &Client| client.event_fd().unwrap_or(Status::Unsupported.code());
    // SAFETY: the caller promises a client.
    unsafe { enter(client, |error| error.status().code(), body) }
}

/// Wake one chatblock_client_poll(), the current one or the next: it returns NULL.
///
/// @return OK, ARGUMENT, FORKED, PANIC.
///
/// Owns: nothing.  Threads: any, at once.  Blocks: never.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_client_wakeup(
    client: *const chatblock_client,
) -> chatblock_status {
    let body = |client: &Client| {
        client.wake();
        Status::Ok
    };
    // SAFETY: the caller promises a client.
    unsafe { enter(client, Error::status, body) }.into()
}

/// Cancel the calls with this tag that are not sent yet. Each still completes, with CANCELLED.
///
/// @param tag  as passed to the call.
/// @return the number of calls cancelled, or a negative status: ARGUMENT, FORKED, PANIC.
///
/// Owns: nothing.  Threads: any, at once.  Blocks: never on network or disk; briefly on a lock.
/// Since: 0.1.
///
/// # Safety
/// `client` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_client_cancel(client: *const chatblock_client, tag: u64) -> i32 {
    let body = |client: &Client| i32::try_from(client.cancel(tag)).unwrap_or(i32::MAX);
    // SAFETY: the caller promises a client.
    unsafe { enter(client, |error| error.status().code(), body) }
}

/// Wait until everything accepted before this call is on disk.
///
/// @param timeout_ms  milliseconds; 0 = do not wait, negative = no limit.
/// @return OK; TIMEOUT when work remains (it continues); STORAGE when the outbox failed for good, or when a
///         write since the last sync found no room (its completion says so too); UNSUPPORTED without "path"
///         or "outbox.path"; ARGUMENT, CLOSED, FORKED, PANIC.
///
/// Owns: nothing.  Threads: any, at once.  Blocks: up to timeout_ms.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_client_sync(
    client: *const chatblock_client,
    timeout_ms: i32,
) -> chatblock_status {
    // SAFETY: the caller promises a client.
    unsafe {
        enter(client, Error::status, |client| {
            client.sync(timeout(timeout_ms))
        })
    }
    .into()
}

/// Wait until the completion of everything accepted before this call is queued, polled or not.
///
/// @param timeout_ms  milliseconds; 0 = do not wait, negative = no limit.
/// @return OK, TIMEOUT when work remains (it continues), ARGUMENT, FORKED, PANIC.
///
/// Owns: nothing.  Threads: any, at once.  Blocks: up to timeout_ms.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_client_flush(
    client: *const chatblock_client,
    timeout_ms: i32,
) -> chatblock_status {
    // SAFETY: the caller promises a client.
    unsafe {
        enter(client, Error::status, |client| {
            client.flush(timeout(timeout_ms))
        })
    }
    .into()
}

/// Whether a call was accepted, and at `out_error` why it was not.
///
/// # Safety
/// `out_error` is NULL or points to a writable pointer.
unsafe fn accepted(
    command: Option<Command>,
    outcome: Result<(), Error>,
    out_error: *mut *mut chatblock_result,
) -> chatblock_status {
    let error = outcome.err();
    let status = error.as_ref().map_or(Status::Ok, Error::status);
    // SAFETY: the caller's promise.
    unsafe { chatblock_result::report(command, error.as_ref(), out_error) };
    status.into()
}

/// A command with targets, from pointers to acceptance.
///
/// # Safety
/// `client` is NULL or open; strings are NULL or NUL-terminated; `targets` has as many as it says; `out_error` is NULL
/// or writable.
unsafe fn submit(
    client: *const chatblock_client,
    command: Command,
    owner: *const c_char,
    targets: (*const *const c_char, usize),
    out_error: *mut *mut chatblock_result,
    run: impl FnOnce(&Client, &str, &[&str]) -> Result<(), Error>,
) -> chatblock_status {
    let body = |client: &Client| {
        // SAFETY: the caller promises strings.
        let (owner, targets) = unsafe { accounts(owner, targets) }?;
        run(client, owner, &targets)
    };
    // SAFETY: the caller promises a client.
    let outcome = unsafe { enter_without_waits(client, |error| Err(error.clone()), body) };
    // SAFETY: the caller promises a writable pointer or NULL.
    unsafe { accepted(Some(command), outcome, out_error) }
}
