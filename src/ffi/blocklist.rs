//! The four blocklist commands, waiting for the answer.

use std::ffi::c_char;

use super::border::{text, texts};
use super::client::{chatblock_client, enter};
use super::result::chatblock_result;
use super::status::check_type as check_type_of;
use crate::api::Command;
use crate::client::{Client, Reply};
use crate::error::Error;

/// BLOCKING CALLS. Block accounts: from_account no longer wants to hear to_accounts.
///
/// Lists of more than 1000 accounts go out in parts; after a part that fails as a whole the rest is
/// not sent. An account that is blocked already counts as done (item status UNCHANGED).
///
/// @param from_account  the owner of the list, 1 to 32 bytes.
/// @param to_accounts   count account ids.
/// @param count         1 to 100,000.
/// @return a result, never NULL: OK, PARTIAL, SERVICE (30003 not imported, 30013 list full, ...);
///         NETWORK, TIMEOUT (a write may have happened), CONNECT (nothing was sent), QUEUED (recorded in
///         the outbox and will be sent: do not repeat it), BUSY, STORAGE, ARGUMENT, CLOSED, FORKED, PANIC.
///
/// Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to "call_ms".
/// Service: protocol.md 3.1 black_list_add.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open; strings are NULL or NUL-terminated; to_accounts has count elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_blocklist_add(
    client: *const chatblock_client,
    from_account: *const c_char,
    to_accounts: *const *const c_char,
    count: usize,
) -> *mut chatblock_result {
    // SAFETY: the caller's promises are those of `call`.
    unsafe {
        call(
            client,
            Command::Add,
            from_account,
            (to_accounts, count),
            |c, from, to| c.add(from, to),
        )
    }
}

/// Unblock accounts.
///
/// An account that is not blocked counts as done (item status UNCHANGED). Everything else is as with
/// chatblock_blocklist_add().
///
/// @param from_account  the owner of the list, 1 to 32 bytes.
/// @param to_accounts   count account ids.
/// @param count         1 to 100,000.
/// @return as chatblock_blocklist_add().
///
/// Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to "call_ms".
/// Service: protocol.md 3.2 black_list_delete.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open; strings are NULL or NUL-terminated; to_accounts has count elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_blocklist_delete(
    client: *const chatblock_client,
    from_account: *const c_char,
    to_accounts: *const *const c_char,
    count: usize,
) -> *mut chatblock_result {
    // SAFETY: the caller's promises are those of `call`.
    unsafe {
        call(
            client,
            Command::Delete,
            from_account,
            (to_accounts, count),
            |c, from, to| c.delete(from, to),
        )
    }
}

/// Read one page of a list, oldest entry first.
///
/// Each item is an entry: account and time. Go on with chatblock_result_next_index() until it is 0;
/// entries that are removed meanwhile shift the pages.
///
/// @param from_account  the owner of the list, 1 to 32 bytes.
/// @param start_index   offset of the first entry; 0 at first.
/// @param max_limited   size of the page, 1 to 1000.
/// @return a result, never NULL: OK (also for an empty list), SERVICE, NETWORK, TIMEOUT, CONNECT,
///         BUSY, STORAGE, ARGUMENT, CLOSED, FORKED, PANIC.
///
/// Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to "call_ms".
/// Service: protocol.md 3.3 black_list_get.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open; from_account is NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_blocklist_get(
    client: *const chatblock_client,
    from_account: *const c_char,
    start_index: u32,
    max_limited: u32,
) -> *mut chatblock_result {
    let fail = |error: &Error| chatblock_result::failed(Some(Command::Get), error).give();
    let body = |client: &Client| {
        // SAFETY: the caller promises a string.
        match unsafe { text(from_account, "from_account") } {
            Ok(from) => {
                chatblock_result::from_reply(client.get(from, start_index, max_limited)).give()
            }
            Err(error) => fail(&error),
        }
    };
    // SAFETY: the caller promises a client.
    unsafe { enter(client, fail, body) }
}

/// Ask who blocks whom.
///
/// Each item has a relation between from_account (A) and the account (B). Read the item's status
/// first: a failed item has relation NONE.
///
/// @param from_account  the owner A, 1 to 32 bytes.
/// @param to_accounts   count account ids, each one B.
/// @param count         1 to 100,000.
/// @param check_type    CHATBLOCK_CHECK_SINGLE or CHATBLOCK_CHECK_BOTH.
/// @return a result, never NULL: OK, PARTIAL, SERVICE, NETWORK, TIMEOUT, CONNECT, BUSY, STORAGE,
///         ARGUMENT, CLOSED, FORKED, PANIC.
///
/// Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to "call_ms".
/// Service: protocol.md 3.4 black_list_check.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open; strings are NULL or NUL-terminated; to_accounts has count elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_blocklist_check(
    client: *const chatblock_client,
    from_account: *const c_char,
    to_accounts: *const *const c_char,
    count: usize,
    check_type: i32,
) -> *mut chatblock_result {
    let check = |client: &Client, from: &str, to: &[&str]| match check_type_of(check_type) {
        Some(kind) => client.check(from, to, kind),
        None => Reply::failed(
            Some(Command::Check),
            from,
            &Error::argument(
                "check_type",
                format!("is {check_type}; use CHATBLOCK_CHECK_SINGLE or _BOTH"),
            ),
        ),
    };
    // SAFETY: the caller's promises are those of `call`.
    unsafe {
        call(
            client,
            Command::Check,
            from_account,
            (to_accounts, count),
            check,
        )
    }
}

/// Make one call with the service's own request JSON.
///
/// The same way and the same result as the typed functions, for hosts to which JSON comes easier.
///
/// @param command       "black_list_add", "black_list_delete", "black_list_get" or "black_list_check".
/// @param request_json  the request object of that command; at most 1000 accounts.
/// @return as the typed function of that command; ARGUMENT for another command, REQUEST for a request
///         that is refused before anything is sent (the message names the member).
///
/// Owns: the caller owns the result.  Threads: any, at once.  Blocks: up to "call_ms".
/// Service: protocol.md 3.  Since: 0.1.
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
    from: *const c_char,
    targets: (*const *const c_char, usize),
    run: impl FnOnce(&Client, &str, &[&str]) -> Reply,
) -> *mut chatblock_result {
    let fail = |error: &Error| chatblock_result::failed(Some(command), error).give();
    let body = |client: &Client| {
        // SAFETY: the caller promises a string.
        let from = unsafe { text(from, "from_account") };
        // SAFETY: the caller promises `count` strings.
        let targets = unsafe { texts(targets.0, targets.1, "to_accounts") };
        match (from, targets) {
            (Ok(from), Ok(targets)) => {
                chatblock_result::from_reply(run(client, from, &targets)).give()
            }
            (Err(error), _) | (_, Err(error)) => fail(&error),
        }
    };
    // SAFETY: the caller promises a client.
    unsafe { enter(client, fail, body) }
}
