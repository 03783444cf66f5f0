//! Numbers of the C ABI.

use crate::api::{CheckType, Relation};
use crate::error::Status;

/// Outcome of a call. Values are never renumbered or reused; new ones may appear.
#[repr(i32)]
pub enum chatblock_status {
    /// Items only: was as wanted already.
    CHATBLOCK_UNCHANGED = 2,
    /// Done for some accounts, not for others: read the items.
    CHATBLOCK_PARTIAL = 1,
    /// Done; every account is as wanted now.
    CHATBLOCK_OK = 0,
    /// NULL, not UTF-8, or out of range.
    CHATBLOCK_ERR_ARGUMENT = -1,
    /// Bad configuration; message names the key.
    CHATBLOCK_ERR_CONFIG = -2,
    /// Bad request JSON; nothing was sent.
    CHATBLOCK_ERR_REQUEST = -3,
    /// The service said FAIL: see service_code.
    CHATBLOCK_ERR_SERVICE = -4,
    /// No valid answer; a write may have happened.
    CHATBLOCK_ERR_NETWORK = -5,
    /// Out of time; a write may have happened.
    CHATBLOCK_ERR_TIMEOUT = -6,
    /// Queue full; nothing was accepted.
    CHATBLOCK_ERR_BUSY = -7,
    /// Cancelled before it was sent.
    CHATBLOCK_ERR_CANCELLED = -8,
    /// The client is closing.
    CHATBLOCK_ERR_CLOSED = -9,
    /// The store or the outbox failed.
    CHATBLOCK_ERR_STORAGE = -10,
    /// Local state has no answer: use check.
    CHATBLOCK_ERR_UNKNOWN = -11,
    /// UserSig or webhook did not verify.
    CHATBLOCK_ERR_SIGNATURE = -12,
    /// Not on this platform or backend.
    CHATBLOCK_ERR_UNSUPPORTED = -13,
    /// Client used after fork().
    CHATBLOCK_ERR_FORKED = -14,
    /// A bug in the library; the client answers only this.
    CHATBLOCK_ERR_PANIC = -15,
    /// Name, connection or TLS failed, or no turn came in time; nothing was sent.
    CHATBLOCK_ERR_CONNECT = -16,
    /// Not answered; the write is recorded in the outbox and will be sent: do not repeat it.
    CHATBLOCK_ERR_QUEUED = -17,
}

/// A status as it arrives from C, where any number is possible. The header calls it chatblock_status.
pub type status_number = i32;

/// Which directions chatblock_blocklist_check() looks at.
#[repr(i32)]
pub enum chatblock_check_type {
    /// Does the owner block the account?
    CHATBLOCK_CHECK_SINGLE = 1,
    /// The same, and does the account block the owner?
    CHATBLOCK_CHECK_BOTH = 2,
}

/// Who blocks whom between the owner A and the account B.
#[repr(i32)]
pub enum chatblock_relation {
    /// Not a check, or the item failed: no statement.
    CHATBLOCK_RELATION_NONE = 0,
    /// No block, in the directions asked about.
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

pub(super) fn check_type(number: i32) -> Option<CheckType> {
    [CheckType::Single, CheckType::Both]
        .into_iter()
        .find(|kind| *kind as i32 == number)
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
