//! Types and constants.
//!
//! All enumerations have the size of int32_t. A function refuses a number that is not in the enumeration.

use crate::api::{CheckType, Relation};
use crate::error::{Error, Status};

/// Outcome of a call. Values are never renumbered or reused; new ones may appear.
#[repr(i32)]
pub enum chatblock_status {
    /// Of items only: the account was as wanted already.
    CHATBLOCK_UNCHANGED = 2,
    /// Done for some accounts and not for others: read the items.
    CHATBLOCK_PARTIAL = 1,
    /// Done: every account is as wanted now.
    CHATBLOCK_OK = 0,
    /// An argument is NULL, not UTF-8, or out of range.
    CHATBLOCK_ERR_ARGUMENT = -1,
    /// Bad configuration; the message names the key.
    CHATBLOCK_ERR_CONFIG = -2,
    /// Bad request JSON; nothing was sent.
    CHATBLOCK_ERR_REQUEST = -3,
    /// The service answered FAIL: see chatblock_result_service_code().
    CHATBLOCK_ERR_SERVICE = -4,
    /// No valid answer; a write may have happened.
    CHATBLOCK_ERR_NETWORK = -5,
    /// Out of time; a write may have happened.
    CHATBLOCK_ERR_TIMEOUT = -6,
    /// The queue is full; nothing was accepted.
    CHATBLOCK_ERR_BUSY = -7,
    /// Cancelled before it was sent.
    CHATBLOCK_ERR_CANCELLED = -8,
    /// The client is closing.
    CHATBLOCK_ERR_CLOSED = -9,
    /// The store or the outbox failed.
    CHATBLOCK_ERR_STORAGE = -10,
    /// The owner is not cached: watch it, or use a check.
    CHATBLOCK_ERR_UNKNOWN = -11,
    /// The signature of a user or of a webhook did not verify.
    CHATBLOCK_ERR_SIGNATURE = -12,
    /// Not available on this platform or backend.
    CHATBLOCK_ERR_UNSUPPORTED = -13,
    /// The client was opened before fork(): open another one in the child.
    CHATBLOCK_ERR_FORKED = -14,
    /// A bug in the library; from now on every call of the client returns this.
    CHATBLOCK_ERR_PANIC = -15,
    /// Name resolution, connection or TLS failed, or the call was still queued when its time ended; nothing was
    /// sent.
    CHATBLOCK_ERR_CONNECT = -16,
    /// Not answered yet: the write is recorded in the outbox and will be sent. Do not repeat it.
    CHATBLOCK_ERR_QUEUED = -17,
}

// What comes from C may be any number, and a Rust enumeration with a number it does not list is undefined
// behaviour. Arguments are therefore plain integers; the header gives them the names of the enumerations.

/// A chatblock_status as an argument.
pub type status_number = i32;

/// A chatblock_check_type as an argument.
pub type check_type_number = i32;

/// The directions that chatblock_blocklist_check() asks about.
#[repr(i32)]
pub enum chatblock_check_type {
    /// Does the owner block the target?
    CHATBLOCK_CHECK_SINGLE = 1,
    /// The same, and does the target block the owner?
    CHATBLOCK_CHECK_BOTH = 2,
}

/// Who blocks whom between the owner A and the target B.
#[repr(i32)]
pub enum chatblock_relation {
    /// Not a check, or the item failed.
    CHATBLOCK_RELATION_NONE = 0,
    /// No block in the directions asked about.
    CHATBLOCK_RELATION_NO = 1,
    /// A blocks B; with CHATBLOCK_CHECK_BOTH also: B does not block A.
    CHATBLOCK_RELATION_A_WITH_B = 2,
    /// B blocks A, A does not block B.
    CHATBLOCK_RELATION_B_WITH_A = 3,
    /// Each blocks the other.
    CHATBLOCK_RELATION_BOTH_WAY = 4,
}

impl From<Status> for chatblock_status {
    fn from(status: Status) -> Self {
        match status {
            Status::Unchanged => Self::CHATBLOCK_UNCHANGED,
            Status::Partial => Self::CHATBLOCK_PARTIAL,
            Status::Ok => Self::CHATBLOCK_OK,
            Status::Argument => Self::CHATBLOCK_ERR_ARGUMENT,
            Status::Config => Self::CHATBLOCK_ERR_CONFIG,
            Status::Request => Self::CHATBLOCK_ERR_REQUEST,
            Status::Service => Self::CHATBLOCK_ERR_SERVICE,
            Status::Network => Self::CHATBLOCK_ERR_NETWORK,
            Status::Timeout => Self::CHATBLOCK_ERR_TIMEOUT,
            Status::Busy => Self::CHATBLOCK_ERR_BUSY,
            Status::Cancelled => Self::CHATBLOCK_ERR_CANCELLED,
            Status::Closed => Self::CHATBLOCK_ERR_CLOSED,
            Status::Storage => Self::CHATBLOCK_ERR_STORAGE,
            Status::Unknown => Self::CHATBLOCK_ERR_UNKNOWN,
            Status::Signature => Self::CHATBLOCK_ERR_SIGNATURE,
            Status::Unsupported => Self::CHATBLOCK_ERR_UNSUPPORTED,
            Status::Forked => Self::CHATBLOCK_ERR_FORKED,
            Status::Panic => Self::CHATBLOCK_ERR_PANIC,
            Status::Connect => Self::CHATBLOCK_ERR_CONNECT,
            Status::Queued => Self::CHATBLOCK_ERR_QUEUED,
        }
    }
}

impl From<Relation> for chatblock_relation {
    fn from(relation: Relation) -> Self {
        match relation {
            Relation::None => Self::CHATBLOCK_RELATION_NONE,
            Relation::No => Self::CHATBLOCK_RELATION_NO,
            Relation::AWithB => Self::CHATBLOCK_RELATION_A_WITH_B,
            Relation::BWithA => Self::CHATBLOCK_RELATION_B_WITH_A,
            Relation::BothWay => Self::CHATBLOCK_RELATION_BOTH_WAY,
        }
    }
}

pub(super) fn check_type(number: check_type_number) -> Result<CheckType, Error> {
    [CheckType::Single, CheckType::Both]
        .into_iter()
        .find(|kind| *kind as i32 == number)
        .ok_or_else(|| {
            Error::argument(
                "check_type",
                format!("is {number}; use CHATBLOCK_CHECK_SINGLE or _BOTH"),
            )
        })
}

const _: () = {
    assert!(chatblock_check_type::CHATBLOCK_CHECK_SINGLE as i32 == CheckType::Single as i32);
    assert!(chatblock_check_type::CHATBLOCK_CHECK_BOTH as i32 == CheckType::Both as i32);
    assert!(chatblock_relation::CHATBLOCK_RELATION_NONE as i32 == Relation::None as i32);
    assert!(chatblock_relation::CHATBLOCK_RELATION_NO as i32 == Relation::No as i32);
    assert!(chatblock_relation::CHATBLOCK_RELATION_A_WITH_B as i32 == Relation::AWithB as i32);
    assert!(chatblock_relation::CHATBLOCK_RELATION_B_WITH_A as i32 == Relation::BWithA as i32);
    assert!(chatblock_relation::CHATBLOCK_RELATION_BOTH_WAY as i32 == Relation::BothWay as i32);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_c_are_those_of_the_table() {
        for row in Status::TABLE {
            assert_eq!(
                chatblock_status::from(row.status) as i32,
                row.status.code(),
                "{:?}",
                row.name
            );
        }
    }
}
