//! Items of a result.
//!
//! One item per account of the call, read by index.

use std::ffi::c_char;

use super::result::{chatblock_result, empty, read};
use super::status::{chatblock_relation, chatblock_status};
use crate::api::Relation;
use crate::client::ReplyItem;
use crate::error::Status;

/// The number of items: one per target of the request, in its order; of a get one per blocked account.
///
/// @param result  may be NULL.
/// @return the number of items; 0 when the call did not become a request.
///
/// Threads: one at a time.  Blocks: never.  Since: 0.1.
///
/// # Safety
/// `result` is NULL or a result that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_result_item_count(result: *const chatblock_result) -> usize {
    // SAFETY: the caller's promise.
    unsafe { read(result, 0, chatblock_result::item_count) }
}

/// The account of an item.
///
/// @param result  may be NULL.
/// @param index   0 to chatblock_result_item_count() - 1.
/// @return a string that lives as long as the result; "" when there is no such item.
///
/// Owns: borrowed from the result.  Threads: one at a time.  Blocks: never.
/// Service: To_Account.  Since: 0.1.
///
/// # Safety
/// `result` is NULL or a result that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_result_item_account(
    result: *const chatblock_result,
    index: usize,
) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe {
        read(result, empty(), |result| {
            result.account(index).unwrap_or(empty())
        })
    }
}

/// The status of one account.
///
/// @param result  may be NULL.
/// @param index   0 to chatblock_result_item_count() - 1.
/// @return OK, UNCHANGED (was as wanted already), SERVICE (see the code of the item), or why there is no
///         answer for this account: NETWORK, TIMEOUT, CONNECT, QUEUED, CANCELLED, CLOSED; ARGUMENT when
///         there is no such item.
///
/// Threads: one at a time.  Blocks: never.  Since: 0.1.
///
/// # Safety
/// `result` is NULL or a result that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_result_item_status(
    result: *const chatblock_result,
    index: usize,
) -> chatblock_status {
    let status = |result: &chatblock_result| {
        result
            .item(index)
            .map_or(Status::Argument, ReplyItem::status)
    };
    // SAFETY: the caller's promise.
    unsafe { read(result, Status::Argument, status) }.into()
}

/// The ResultCode of the service for one account.
///
/// @param result  may be NULL.
/// @param index   0 to chatblock_result_item_count() - 1.
/// @return the code; 0 for success, for items of a get, and where there is no code.
///
/// Threads: one at a time.  Blocks: never.  Service: ResultCode.  Since: 0.1.
///
/// # Safety
/// `result` is NULL or a result that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_result_item_code(
    result: *const chatblock_result,
    index: usize,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        read(result, 0, |result| {
            result.item(index).map_or(0, ReplyItem::code)
        })
    }
}

/// Of a check: who blocks whom.
///
/// @param result  may be NULL.
/// @param index   0 to chatblock_result_item_count() - 1.
/// @return the relation; CHATBLOCK_RELATION_NONE for a failed item and for other commands.
///
/// Threads: one at a time.  Blocks: never.  Service: Relation of black_list_check.  Since: 0.1.
///
/// # Safety
/// `result` is NULL or a result that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_result_item_relation(
    result: *const chatblock_result,
    index: usize,
) -> chatblock_relation {
    let relation = |result: &chatblock_result| {
        result
            .item(index)
            .map_or(Relation::None, ReplyItem::relation)
    };
    // SAFETY: the caller's promise.
    unsafe { read(result, Relation::None, relation) }.into()
}

/// Of a get: when the account was blocked.
///
/// @param result  may be NULL.
/// @param index   0 to chatblock_result_item_count() - 1.
/// @return Unix time in seconds; 0 for other commands.
///
/// Threads: one at a time.  Blocks: never.  Service: AddBlackTimeStamp of black_list_get.  Since: 0.1.
///
/// # Safety
/// `result` is NULL or a result that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_result_item_time(
    result: *const chatblock_result,
    index: usize,
) -> i64 {
    // SAFETY: the caller's promise.
    unsafe {
        read(result, 0, |result| {
            result.item(index).map_or(0, ReplyItem::time)
        })
    }
}
