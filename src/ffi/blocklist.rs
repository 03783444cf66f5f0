//! Blocking calls.
//!
//! Each function waits for the answer and returns it as a result. Use them from worker threads; a tick
//! thread uses the asynchronous calls.

use std::ffi::c_char;

use super::client::{chatblock_client, enter};
use super::convert::{accounts, text};
use super::result::chatblock_result;
use super::status::{check_type as check_type_of, check_type_number};
use crate::api::Command;
use crate::client::{Client, Reply};
use crate::error::Error;

/// Block accounts: put the targets on the block list of the owner.
///
/// More than 1000 targets are sent as several requests; after a request that fails as a whole the rest is
/// not sent. A target that is blocked already counts as done (item status UNCHANGED).
///
/// @param owner    the owner of the list, 1 to 32 bytes.
/// @param targets  count account ids.
/// @param count    1 to 100,000.
/// @return a result, never NULL: OK, PARTIAL, SERVICE (30003 not imported, 30013 list full, ...);
///         NETWORK, TIMEOUT (the write may have happened), CONNECT (nothing was sent), QUEUED (recorded in
///         the outbox and will be sent: do not repeat it), BUSY, STORAGE, ARGUMENT, CLOSED, FORKED, PANIC.
///
/// Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to "call_ms".
/// Service: black_list_add.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open; strings are NULL or NUL-terminated; `targets` has count elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_blocklist_add(
    client: *const chatblock_client,
    owner: *const c_char,
    targets: *const *const c_char,
    count: usize,
) -> *mut chatblock_result {
    // SAFETY: the caller's promises are those of `call`.
    unsafe {
        call(
            client,
            Command::Add,
            owner,
            (targets, count),
            |c, owner, to| c.add(owner, to),
        )
    }
}

/// Unblock accounts: take the targets off the block list of the owner.
///
/// A target that is not blocked counts as done (item status UNCHANGED). Everything else is as with
/// chatblock_blocklist_add().
///
/// @param owner    the owner of the list, 1 to 32 bytes.
/// @param targets  count account ids.
/// @param count    1 to 100,000.
/// @return as chatblock_blocklist_add().
///
/// Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to "call_ms".
/// Service: black_list_delete.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open; strings are NULL or NUL-terminated; `targets` has count elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_blocklist_delete(
    client: *const chatblock_client,
    owner: *const c_char,
    targets: *const *const c_char,
    count: usize,
) -> *mut chatblock_result {
    // SAFETY: the caller's promises are those of `call`.
    unsafe {
        call(
            client,
            Command::Delete,
            owner,
            (targets, count),
            |c, owner, to| c.delete(owner, to),
        )
    }
}

/// Read one page of a block list, oldest block first.
///
/// Each item is one blocked account with its time. Continue with chatblock_result_next_index() until it
/// is 0. An account that is unblocked between two pages shifts the later pages.
///
/// @param owner        the owner of the list, 1 to 32 bytes.
/// @param start_index  offset of the first item; 0 for the first page.
/// @param limit        size of the page, 1 to 1000 items.
/// @return a result, never NULL: OK (also for an empty list), SERVICE, NETWORK, TIMEOUT, CONNECT,
///         BUSY, STORAGE, ARGUMENT, CLOSED, FORKED, PANIC.
///
/// Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to "call_ms".
/// Service: black_list_get.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open; `owner` is NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_blocklist_get(
    client: *const chatblock_client,
    owner: *const c_char,
    start_index: u32,
    limit: u32,
) -> *mut chatblock_result {
    let fail = |error: &Error| chatblock_result::failed(Some(Command::Get), error).give();
    let body = |client: &Client| {
        // SAFETY: the caller promises a string.
        match unsafe { text(owner, "owner") } {
            Ok(owner) => chatblock_result::from_reply(client.get(owner, start_index, limit)).give(),
            Err(error) => fail(&error),
        }
    };
    // SAFETY: the caller promises a client.
    unsafe { enter(client, fail, body) }
}

/// Ask the service who blocks whom.
///
/// Each item has a relation between the owner (A) and the target (B). Read the status of the item first: a
/// failed item has the relation NONE.
///
/// @param owner       the owner A, 1 to 32 bytes.
/// @param targets     count account ids, each one a B.
/// @param count       1 to 100,000.
/// @param check_type  CHATBLOCK_CHECK_SINGLE or CHATBLOCK_CHECK_BOTH; any other number is ARGUMENT.
/// @return a result, never NULL: OK, PARTIAL, SERVICE, NETWORK, TIMEOUT, CONNECT, BUSY, STORAGE,
///         ARGUMENT, CLOSED, FORKED, PANIC.
///
/// Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to "call_ms".
/// Service: black_list_check.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open; strings are NULL or NUL-terminated; `targets` has count elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_blocklist_check(
    client: *const chatblock_client,
    owner: *const c_char,
    targets: *const *const c_char,
    count: usize,
    check_type: check_type_number,
) -> *mut chatblock_result {
    let check = |client: &Client, owner: &str, to: &[&str]| match check_type_of(check_type) {
        Ok(kind) => client.check(owner, to, kind),
        Err(error) => Reply::failed(Some(Command::Check), owner, &error),
    };
    // SAFETY: the caller's promises are those of `call`.
    unsafe { call(client, Command::Check, owner, (targets, count), check) }
}

/// Make one call with the request JSON of the service.
///
/// The result is the same as that of the typed function. Use it from languages in which JSON is easier to
/// build than arrays of C strings.
///
/// @param command       "black_list_add", "black_list_delete", "black_list_get" or "black_list_check".
/// @param request_json  the request object of that command, at most 1000 targets.
/// @return as the typed function of that command; ARGUMENT for another command, REQUEST for a request
///         that is refused before anything is sent (the message names the member): a member that the command
///         does not have is refused too, which the service itself ignores.
///
/// Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to "call_ms".
/// Service: the named command.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open; strings are NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_client_call(
    client: *const chatblock_client,
    command: *const c_char,
    request_json: *const c_char,
) -> *mut chatblock_result {
    let fail = |error: &Error| chatblock_result::failed(None, error).give();
    let body = |client: &Client| {
        // SAFETY: the caller promises strings.
        let command = unsafe { text(command, "command") };
        // SAFETY: as above.
        let request = unsafe { text(request_json, "request_json") };
        match (command, request) {
            (Ok(command), Ok(request)) => {
                chatblock_result::from_reply(client.call(command, request)).give()
            }
            (Err(error), _) | (_, Err(error)) => fail(&error),
        }
    };
    // SAFETY: the caller promises a client.
    unsafe { enter(client, fail, body) }
}

/// A command with targets, from pointers to result.
///
/// # Safety
/// `client` is NULL or open; strings are NULL or NUL-terminated; `targets` has as many as it says.
unsafe fn call(
    client: *const chatblock_client,
    command: Command,
    owner: *const c_char,
    targets: (*const *const c_char, usize),
    run: impl FnOnce(&Client, &str, &[&str]) -> Reply,
) -> *mut chatblock_result {
    let fail = |error: &Error| chatblock_result::failed(Some(command), error).give();
    let body = |client: &Client| {
        // SAFETY: the caller promises strings.
        match unsafe { accounts(owner, targets) } {
            Ok((owner, targets)) => {
                chatblock_result::from_reply(run(client, owner, &targets)).give()
            }
            Err(error) => fail(&error),
        }
    };
    // SAFETY: the caller promises a client.
    unsafe { enter(client, fail, body) }
}
