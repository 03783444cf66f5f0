//! Checks from memory.
//!
//! Who blocks whom, from the cache: no JSON, no allocation, no lock, no network.

use std::cell::Cell;
use std::ffi::c_char;

use super::client::{chatblock_client, enter, glance};
use super::convert::texts;
use super::status::chatblock_status;
use crate::cache::Answer;
use crate::client::Client;
use crate::error::{Error, Status};

/// Longest account in bytes; a text is looked at up to one byte more.
const LONGEST: usize = 32;

/// Most accounts whose pairs are looked up at once: each is asked about each.
const MAX_ACCOUNTS: usize = 10_000;

/// Does the owner block the peer? Takes about as long as one memory access.
///
/// The embedded engine has every owner in memory. On the remote backend an owner is cached after
/// chatblock_client_watch() has read the list, or after a complete listing. UNKNOWN never means "no": decide
/// what suits your game (deliver and watch, or ask with chatblock_blocklist_check()). A write of this client
/// is visible when it is confirmed. An account never blocks itself.
///
/// @param owner  the owner of the list, 1 to 32 bytes; not checked to be UTF-8.
/// @param peer   the account that may be on it, likewise.
/// @return 1 = blocked, 0 = not blocked, or a negative status: UNKNOWN (the owner is not cached), ARGUMENT
///         (NULL, empty or too long), FORKED, PANIC.
///
/// Owns: nothing.  Threads: any, at once.  Blocks: never.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open; strings are NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_client_is_blocked(
    client: *const chatblock_client,
    owner: *const c_char,
    peer: *const c_char,
) -> i32 {
    let body = |client: &Client| {
        // SAFETY: the caller promises strings.
        let owner = unsafe { account(owner) };
        // SAFETY: as above.
        let peer = unsafe { account(peer) };
        match (owner, peer) {
            (Some(owner), Some(peer)) => number(client.is_blocked(owner, peer)),
            _ => Status::Argument.code(),
        }
    };
    // SAFETY: the caller promises a client.
    unsafe { glance(client, Status::code, body) }
}

/// Which of these owners block the peer? Faster than one call per owner when the lists are larger than the
/// caches of the processor.
///
/// @param owners  count account ids; duplicates are allowed.
/// @param count   1 to 2,147,483,647.
/// @param peer    the account that may be on their lists, 1 to 32 bytes.
/// @param out     room for count answers: 1 = blocked, 0 = not blocked, or a negative status of this owner:
///                UNKNOWN, ARGUMENT (NULL, empty or too long).
/// @return how many answers are 1; or a negative status, and nothing is written: ARGUMENT, FORKED, PANIC.
///
/// Owns: nothing.  Threads: any, at once.  Blocks: never.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open; strings are NULL or NUL-terminated; `owners` and `out` have count elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_client_is_blocked_many(
    client: *const chatblock_client,
    owners: *const *const c_char,
    count: usize,
    peer: *const c_char,
    out: *mut i8,
) -> i32 {
    let body = |client: &Client| {
        // SAFETY: the caller promises a string.
        let peer = unsafe { account(peer) };
        let (Some(peer), false, false) = (peer, owners.is_null(), out.is_null()) else {
            return Status::Argument.code();
        };
        if count == 0 || i32::try_from(count).is_err() {
            return Status::Argument.code();
        }
        // SAFETY: not NULL, and the caller promises `count` strings.
        let owners = unsafe { std::slice::from_raw_parts(owners.cast::<Element>(), count) };
        // Whether there is any: lengths are not found twice for those that are accounts.
        let has_faults = Cell::new(false);
        let asked = owners.iter().map(|owner| {
            let owner = owner.as_ref();
            if owner.is_empty() {
                has_faults.set(true);
            }
            owner
        });
        let mut blocked = 0;
        for (index, answer) in client.is_blocked_many(asked, peer).enumerate() {
            let answer = if has_faults.get() && owners[index].as_ref().is_empty() {
                Status::Argument.code()
            } else {
                number(answer)
            };
            blocked += i32::from(answer == 1);
            let answer = i8::try_from(answer).unwrap_or(i8::MIN);
            // SAFETY: the caller promises room for `count` answers.
            let place = unsafe { out.add(index) };
            // SAFETY: as above, and not NULL.
            unsafe { place.write(answer) };
        }
        blocked
    };
    // SAFETY: the caller promises a client.
    unsafe { glance(client, Status::code, body) }
}

/// Which of these accounts block which? For example: may these players share a match?
///
/// @param accounts     count account ids; duplicates are allowed.
/// @param count        1 to 10,000: each is checked against each.
/// @param out_pairs    room for 2 * capacity indices: the owner and the blocked account of each pair, in
///                     order of owners. NULL when capacity is 0.
/// @param capacity     how many pairs fit; further pairs are counted and not written.
/// @param out_unknown  may be NULL. Receives how many of the accounts are not cached as owners.
/// @return the number of pairs, also beyond capacity; or a negative status, and nothing is written: ARGUMENT
///         (also when an account is NULL, empty or too long), FORKED, PANIC.
///
/// Owns: nothing.  Threads: any, at once.  Blocks: never.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open; strings are NULL or NUL-terminated; `accounts` has count elements, `out_pairs`
/// 2 * capacity; `out_unknown` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_client_blocked_pairs(
    client: *const chatblock_client,
    accounts: *const *const c_char,
    count: usize,
    out_pairs: *mut u32,
    capacity: usize,
    out_unknown: *mut usize,
) -> i32 {
    let body = |client: &Client| {
        let is_sound = !accounts.is_null()
            && (1..=MAX_ACCOUNTS).contains(&count)
            && (capacity == 0 || !out_pairs.is_null());
        if !is_sound {
            return Status::Argument.code();
        }
        // SAFETY: not NULL, and the caller promises `count` strings.
        let accounts = unsafe { std::slice::from_raw_parts(accounts.cast::<Element>(), count) };
        if accounts.iter().any(|account| account.as_ref().is_empty()) {
            return Status::Argument.code();
        }
        let mut found = 0;
        let mut pairs = client.blocked_pairs(accounts);
        for (owner, peer) in pairs.by_ref() {
            if found < capacity {
                let pair = [owner, peer].map(|index| u32::try_from(index).unwrap_or(u32::MAX));
                // SAFETY: the pair before it was within capacity, and this one is too.
                let place = unsafe { out_pairs.add(2 * found) };
                // SAFETY: the caller promises room for two indices for each pair.
                unsafe { place.cast::<[u32; 2]>().write(pair) };
            }
            found += 1;
        }
        if !out_unknown.is_null() {
            // SAFETY: not NULL, and the caller promises that it is writable.
            unsafe { out_unknown.write(pairs.unknown()) };
        }
        i32::try_from(found).unwrap_or(i32::MAX)
    };
    // SAFETY: the caller promises a client.
    unsafe { glance(client, Status::code, body) }
}

/// Subscribe to owners: read their lists in the background and keep them fresh ("cache.refresh_s"). Call it
/// for example when players log in.
///
/// @param owners  count account ids.
/// @param count   1 to 100,000.
/// @return OK (at once, and always on the embedded engine, which has every owner in memory), ARGUMENT (also
///         for an invalid account), BUSY (there is no memory for all of them beside those that are watched: one
///         owner for each 1024 bytes of "cache.max_bytes"), CLOSED, FORKED, PANIC. In case of an error none of
///         these owners is watched that was not before.
///
/// Owns: nothing; the strings are copied.  Threads: any, at once.  Blocks: never; the library's threads take the
/// owners a few at a time, so other calls do not wait for them.
/// Service: black_list_get.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open; strings are NULL or NUL-terminated; `owners` has count elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_client_watch(
    client: *const chatblock_client,
    owners: *const *const c_char,
    count: usize,
) -> chatblock_status {
    // SAFETY: the caller's promises.
    unsafe { each_owner(client, owners, count, |client, owners| client.watch(owners)) }
}

/// Unsubscribe from owners: their lists are not read again and are the first to be evicted. Call it for
/// example when players log out.
///
/// @param owners  count account ids; one that is not watched is ignored.
/// @param count   1 to 100,000.
/// @return as chatblock_client_watch().
///
/// Owns: nothing.  Threads: any, at once.  Blocks: never.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open; strings are NULL or NUL-terminated; `owners` has count elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_client_unwatch(
    client: *const chatblock_client,
    owners: *const *const c_char,
    count: usize,
) -> chatblock_status {
    // SAFETY: the caller's promises.
    unsafe {
        each_owner(client, owners, count, |client, owners| {
            client.unwatch(owners)
        })
    }
}

/// # Safety
/// `client` is NULL or open; `owners` is NULL or has `count` elements, NULL or NUL-terminated.
unsafe fn each_owner(
    client: *const chatblock_client,
    owners: *const *const c_char,
    count: usize,
    act: impl FnOnce(&Client, &[&str]) -> Result<(), Error>,
) -> chatblock_status {
    let body = |client: &Client| {
        // SAFETY: the caller promises `count` strings.
        let owners = unsafe { texts(owners, count, "owners") };
        let done = owners.and_then(|owners| act(client, &owners));
        done.map_or_else(|error| error.status(), |()| Status::Ok)
    };
    // SAFETY: the caller promises a client.
    unsafe { enter(client, Error::status, body) }.into()
}

fn number(answer: Answer) -> i32 {
    match answer {
        Answer::Yes => 1,
        Answer::No => 0,
        Answer::Unknown => Status::Unknown.code(),
    }
}

/// The bytes of an account; None when it is NULL, empty or too long. No byte after the NUL is read.
///
/// # Safety
/// `account` is NULL or points to a NUL-terminated string that lives for `'a`.
unsafe fn account<'a>(account: *const c_char) -> Option<&'a [u8]> {
    if account.is_null() {
        return None;
    }
    // SAFETY: not NULL, and NUL-terminated by the caller's promise.
    let length = unsafe { libc::strnlen(account, LONGEST + 1) };
    // SAFETY: so many bytes stand before the NUL.
    let bytes = unsafe { std::slice::from_raw_parts(account.cast::<u8>(), length) };
    (1..=LONGEST).contains(&length).then_some(bytes)
}

/// An element of a caller's array: NULL or a NUL-terminated string that lives for the call. One is only ever made by a
/// cast of such an array.
#[repr(transparent)]
struct Element(*const c_char);

impl AsRef<[u8]> for Element {
    /// The account; empty when it is NULL, empty or too long, which is on no list.
    #[inline]
    fn as_ref(&self) -> &[u8] {
        // SAFETY: as it was promised for the array.
        unsafe { account(self.0) }.unwrap_or_default()
    }
}
