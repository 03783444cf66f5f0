//! Responses to a command (docs/protocol.md 1.2 and 3).

use super::Account;
use super::codes::{Retry, Verdict};

/// Who blocks whom between the owner A and the target B.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i32)]
pub enum Relation {
    /// No relation was asked for, or the item failed.
    #[default]
    None = 0,
    /// Neither blocks the other, as far as was asked.
    No = 1,
    /// A blocks B.
    AWithB = 2,
    /// B blocks A.
    BWithA = 3,
    /// Each blocks the other.
    BothWay = 4,
}

/// The result for one account: a target of add, delete and check, an entry of get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The account.
    pub account: Account,
    /// The raw `ResultCode`; 0 for success, for entries of get, and where there was no answer.
    pub code: i32,
    /// The raw `ResultInfo`.
    pub info: String,
    /// Check only.
    pub relation: Relation,
    /// Get only: `AddBlackTimeStamp`, Unix seconds.
    pub time: i64,
    /// What the code means for the caller.
    pub verdict: Verdict,
}

impl Item {
    /// A target for which `code` came back.
    pub fn answered(
        account: impl Into<Account>,
        code: i32,
        info: impl Into<String>,
        verdict: Verdict,
    ) -> Self {
        Self {
            account: account.into(),
            code,
            info: info.into(),
            relation: Relation::None,
            time: 0,
            verdict,
        }
    }

    /// A target about which the answer says nothing.
    pub fn unanswered(account: impl Into<Account>) -> Self {
        Self::answered(account, 0, "", Verdict::Unanswered)
    }

    /// An entry of a list.
    pub fn entry(account: impl Into<Account>, time: i64) -> Self {
        Self {
            time,
            ..Self::answered(account, 0, "", Verdict::Done)
        }
    }
}

/// What an answer to get says beside its entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Where the next page starts; 0 when the listing is complete.
    pub next_index: u32,
    /// Newest sequence of the list.
    pub sequence: u64,
}

/// A valid answer: accepted, with one item per target or entry, or refused as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// `ErrorCode`; 0 when the request was accepted.
    pub code: i32,
    /// `ErrorInfo`.
    pub info: String,
    /// One per target in request order, or one per entry of the page; none when `is_all_done`.
    pub items: Vec<Item>,
    /// Every target was done, and nothing else is to be said of any.
    pub is_all_done: bool,
    /// Get only.
    pub listing: Listing,
    /// `RequestId`, when the service sent one.
    pub request_id: Option<String>,
    /// The answer as it was received; absent when the engine made it or several were joined.
    pub text: Option<String>,
}

impl Answer {
    /// An accepted request.
    pub fn accepted(items: Vec<Item>) -> Self {
        Self {
            items,
            ..Self::default()
        }
    }

    /// An accepted request all of whose targets were done.
    pub fn all_done() -> Self {
        Self {
            is_all_done: true,
            ..Self::default()
        }
    }

    /// A refused request.
    pub fn refused(code: i32, info: impl Into<String>) -> Self {
        Self {
            code,
            info: info.into(),
            ..Self::default()
        }
    }

    /// Whether the request was refused as a whole.
    pub fn is_refused(&self) -> bool {
        self.code != 0
    }

    /// What may be done about a refused request.
    pub fn retry(&self) -> Retry {
        super::codes::retry(self.code)
    }
}
