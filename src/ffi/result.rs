//! Results.
//!
//! Every call is answered by a result. It never changes, and its strings live as long as it does.

use std::borrow::Cow;
use std::ffi::{CStr, c_char};

use zeroize::Zeroizing;

use super::convert::{c_string, guard};
use super::status::chatblock_status;
use crate::api::Command;
use crate::client::stats::Stats;
use crate::client::{Reply, ReplyItem};
use crate::error::{Error, Status};
use crate::panics;

/// The result of a call: status, message, JSON and items. It never changes and may outlive its client.
pub struct chatblock_result {
    reply: Reply,
    message: Cow<'static, CStr>,
    json: Cow<'static, CStr>,
    owner: Cow<'static, CStr>,
    /// Every item's account with its NUL, one after another.
    accounts: Vec<u8>,
    /// Where in `accounts` each item's starts.
    starts: Vec<u32>,
    /// With its NUL. To wipe even an empty one would take a tenth of the time of a check.
    usersig: Option<Zeroizing<String>>,
}

impl chatblock_result {
    pub(super) fn from_reply(mut reply: Reply) -> Self {
        let bytes = reply
            .items()
            .iter()
            .map(|item| item.account().len() + 1)
            .sum();
        let mut accounts = Vec::with_capacity(bytes);
        let mut starts = Vec::with_capacity(reply.items().len());
        for item in reply.items() {
            // 100,000 accounts of 32 bytes stay far below 4 GiB.
            starts.push(u32::try_from(accounts.len()).unwrap_or(u32::MAX));
            accounts.extend_from_slice(item.account().as_bytes());
            accounts.push(0);
        }
        Self {
            message: c_string(std::mem::take(&mut reply.message)),
            json: c_string(std::mem::take(&mut reply.json)),
            owner: c_string(reply.owner().to_owned()),
            accounts,
            starts,
            usersig: None,
            reply,
        }
    }

    pub(super) fn from_error(error: &Error) -> Self {
        Self::failed(None, error)
    }

    pub(super) fn failed(command: Option<Command>, error: &Error) -> Self {
        Self::from_reply(Reply::failed(command, "", error))
    }

    /// OK, and nothing more to say.
    pub(super) fn done() -> Self {
        Self::from_error(&Error::new(Status::Ok, ""))
    }

    pub(super) fn from_stats(stats: &Stats) -> Self {
        let mut result = Self::done();
        result.json = c_string(stats.to_json());
        result
    }

    pub(super) fn from_signature(mut usersig: Zeroizing<String>) -> Self {
        let mut result = Self::done();
        usersig.push('\0');
        result.usersig = Some(usersig);
        result
    }

    pub(super) fn from_refused_signature(code: i32, message: &str) -> Self {
        let error = Error::new(Status::Signature, message);
        let mut reply = Reply::failed(None, "", &error);
        reply.service_code = code;
        Self::from_reply(reply)
    }

    /// What a function that may refuse leaves at its `out_error`: NULL, or a result with the reason.
    ///
    /// # Safety
    /// `out_error` is NULL or points to a writable pointer.
    pub(super) unsafe fn report(
        command: Option<Command>,
        error: Option<&Error>,
        out_error: *mut *mut Self,
    ) {
        if out_error.is_null() {
            return;
        }
        let given = error.map_or(std::ptr::null_mut(), |error| {
            Self::failed(command, error).give()
        });
        // SAFETY: not NULL, and the caller promises a writable pointer.
        unsafe { out_error.write(given) };
    }

    /// Hands the result to C.
    pub(super) fn give(self) -> *mut Self {
        Box::into_raw(Box::new(self))
    }

    pub(super) fn item_count(&self) -> usize {
        self.reply.items().len()
    }

    pub(super) fn item(&self, index: usize) -> Option<&ReplyItem> {
        self.reply.items().get(index)
    }

    /// The account of an item, NUL-terminated.
    pub(super) fn account(&self, index: usize) -> Option<*const c_char> {
        let start = *self.starts.get(index)? as usize;
        Some(self.accounts.get(start..)?.as_ptr().cast())
    }
}

impl Drop for chatblock_result {
    fn drop(&mut self) {
        // Room that is not in use is wiped as one piece and not byte by byte.
        if let Some(usersig) = &mut self.usersig {
            usersig.clear();
        }
    }
}

/// Reads something from a result; `otherwise` for NULL.
///
/// # Safety
/// `result` is NULL or came from this library and is not freed.
pub(super) unsafe fn read<R: Copy>(
    result: *const chatblock_result,
    otherwise: R,
    get: impl FnOnce(&chatblock_result) -> R,
) -> R {
    if result.is_null() {
        return otherwise;
    }
    // SAFETY: not NULL; the caller promises a result that is not freed.
    let result = unsafe { &*result };
    // It looks at memory and returns: errno is not touched, and there is no cancellation point.
    panics::contain(|| get(result)).unwrap_or(otherwise)
}

pub(super) fn empty() -> *const c_char {
    c"".as_ptr()
}

/// The status of the call.
///
/// @param result  may be NULL: reads as ARGUMENT.
/// @return zero or more = done, negative = not done.
///
/// Threads: one at a time.  Blocks: never.  Since: 0.1.
///
/// # Safety
/// `result` is NULL or a result that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_result_status(
    result: *const chatblock_result,
) -> chatblock_status {
    // SAFETY: the caller's promise.
    unsafe { read(result, Status::Argument, |result| result.reply.status()) }.into()
}

/// The code of the service: the ResultCode of the first account that failed, or the ErrorCode of a refusal.
///
/// @param result  may be NULL.
/// @return the code, for example 30013 for a full list; 0 when there is none.
///
/// Threads: one at a time.  Blocks: never.  Service: ResultCode, ErrorCode.  Since: 0.1.
///
/// # Safety
/// `result` is NULL or a result that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_result_service_code(result: *const chatblock_result) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { read(result, 0, |result| result.reply.service_code()) }
}

/// Whether the same call may succeed later without a change by you.
///
/// Repeating is safe: to block twice or to unblock twice is no error. Do not repeat an add after a later
/// delete of the same account.
///
/// @param result  may be NULL.
/// @return 1 or 0.
///
/// Threads: one at a time.  Blocks: never.  Since: 0.1.
///
/// # Safety
/// `result` is NULL or a result that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_result_retryable(result: *const chatblock_result) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { read(result, 0, |result| i32::from(result.reply.is_retryable())) }
}

/// A sentence for people: what failed, why, and the next step. Do not branch on it.
///
/// @param result  may be NULL.
/// @return a string that lives as long as the result; "" when every account is as wanted. A get or check
///         that did not wait for writes that are set aside has status OK and says so here.
///
/// Owns: borrowed from the result.  Threads: one at a time.  Blocks: never.  Since: 0.1.
///
/// # Safety
/// `result` is NULL or a result that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_result_message(
    result: *const chatblock_result,
) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe { read(result, empty(), |result| result.message.as_ptr()) }
}

/// The response object of the service as JSON, with the field names of the service; also for PARTIAL and
/// SERVICE.
///
/// For a call that was sent as several requests it is one object: items in request order, failed accounts in
/// Fail_Account, accounts without an answer only there.
///
/// @param result  may be NULL.
/// @return a string that lives as long as the result; "" when there was no answer.
///
/// Owns: borrowed from the result.  Threads: one at a time.  Blocks: never.
/// Service: the response of the command.  Since: 0.1.
///
/// # Safety
/// `result` is NULL or a result that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_result_json(result: *const chatblock_result) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe { read(result, empty(), |result| result.json.as_ptr()) }
}

/// The length of chatblock_result_json() in bytes, without the NUL.
///
/// @param result  may be NULL.
/// @return bytes.
///
/// Threads: one at a time.  Blocks: never.  Since: 0.1.
///
/// # Safety
/// `result` is NULL or a result that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_result_json_len(result: *const chatblock_result) -> usize {
    // SAFETY: the caller's promise.
    unsafe { read(result, 0, |result| result.json.count_bytes()) }
}

/// The tag that was passed to an asynchronous call.
///
/// @param result  may be NULL.
/// @return the tag; 0 for a blocking call.
///
/// Threads: one at a time.  Blocks: never.  Since: 0.1.
///
/// # Safety
/// `result` is NULL or a result that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_result_tag(result: *const chatblock_result) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { read(result, 0, |result| result.reply.tag()) }
}

/// The command of the call, as the service names it.
///
/// @param result  may be NULL.
/// @return "black_list_add", "black_list_delete", "black_list_get", "black_list_check", or "".
///
/// Owns: a constant.  Threads: one at a time.  Blocks: never.  Since: 0.1.
///
/// # Safety
/// `result` is NULL or a result that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_result_command(
    result: *const chatblock_result,
) -> *const c_char {
    let name = |result: &chatblock_result| match result.reply.command() {
        Some(Command::Add) => c"black_list_add".as_ptr(),
        Some(Command::Delete) => c"black_list_delete".as_ptr(),
        Some(Command::Get) => c"black_list_get".as_ptr(),
        Some(Command::Check) => c"black_list_check".as_ptr(),
        None => empty(),
    };
    // SAFETY: the caller's promise.
    unsafe { read(result, empty(), name) }
}

/// The owner of the list that was read or changed.
///
/// @param result  may be NULL.
/// @return a string that lives as long as the result; "" when the call was refused before its owner was read.
///
/// Owns: borrowed from the result.  Threads: one at a time.  Blocks: never.
/// Service: From_Account.  Since: 0.1.
///
/// # Safety
/// `result` is NULL or a result that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_result_from_account(
    result: *const chatblock_result,
) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe { read(result, empty(), |result| result.owner.as_ptr()) }
}

/// Of a get: where the next page starts.
///
/// @param result  may be NULL.
/// @return the start_index of the next call; 0 when the listing is complete, and for other commands.
///
/// Threads: one at a time.  Blocks: never.  Service: StartIndex of black_list_get.  Since: 0.1.
///
/// # Safety
/// `result` is NULL or a result that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_result_next_index(result: *const chatblock_result) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { read(result, 0, |result| result.reply.next_index()) }
}

/// The signature that chatblock_usersig_generate() made. It is a secret: do not log it.
///
/// @param result  may be NULL.
/// @return a string that lives as long as the result and is wiped with it; "" for other results.
///
/// Owns: borrowed from the result.  Threads: one at a time.  Blocks: never.  Since: 0.1.
///
/// # Safety
/// `result` is NULL or a result that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_result_usersig(
    result: *const chatblock_result,
) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe {
        read(result, empty(), |result| {
            let usersig = result.usersig.as_ref();
            usersig.map_or(empty(), |usersig| usersig.as_ptr().cast())
        })
    }
}

/// Free a result. Strings obtained from it become invalid.
///
/// @param result  may be NULL: nothing happens.
///
/// Owns: takes the result.  Threads: one at a time; the client may be closed already.
/// Blocks: never.  Since: 0.1.
///
/// # Safety
/// `result` is NULL or a result that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_result_free(result: *mut chatblock_result) {
    if !result.is_null() {
        // SAFETY: not NULL; it was given by `give` and is taken back once.
        let result = unsafe { Box::from_raw(result) };
        guard(|| (), || drop(result));
    }
}
