//! What an outbox has: writes, marks of rows that are sent no more, and rows that are no writes.

use std::sync::Arc;

use crate::api::Request;
use crate::client::scheduler::CallId;

/// What a record takes beside its texts.
const RECORD_BYTES: u64 = 48;

/// A write that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::client) struct Record {
    pub(in crate::client) id: CallId,
    pub(in crate::client) request: Arc<Request>,
    /// When it was accepted, Unix seconds.
    pub(in crate::client) accepted: i64,
}

/// What a record of `request` takes.
pub(super) fn bytes(request: &Request) -> u64 {
    let targets: usize = request
        .targets()
        .iter()
        .map(|target| target.len() + 1)
        .sum();
    record_bytes(request.owner.len(), targets)
}

/// What a record takes of which the owner has so many bytes and the targets have, each with a line feed.
pub(super) fn record_bytes(owner: usize, targets: usize) -> u64 {
    RECORD_BYTES + (owner + targets) as u64
}

/// A row that is not a valid write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::client) struct BadRow {
    /// The key of the row, which need not be an id of the outbox.
    pub(in crate::client) id: i64,
    /// The end of a sentence about the row.
    pub(in crate::client) reason: String,
}

impl BadRow {
    pub(super) fn new(id: CallId, reason: String) -> Self {
        Self {
            id: i64::try_from(id).unwrap_or(i64::MAX),
            reason,
        }
    }
}

/// What becomes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteState {
    /// The next client sends it.
    Queued,
    /// The service refused it; the next client gives the refusal to poll.
    Refused,
    /// It is not a valid write and is not sent.
    Bad,
}

/// The mark of a row that is sent no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::client) struct Letter {
    /// Grows in the order in which they were set aside.
    pub(super) number: i64,
    /// The key of the row.
    pub(super) id: i64,
    /// When it was refused or found, Unix seconds.
    pub(super) refused: i64,
    /// The code of the service for all of its accounts; 0 for a row that is no write.
    pub(super) code: i32,
    /// One code for each account with blanks between, where they differ.
    pub(super) codes: String,
    /// Words of the service, or what is wrong with the row.
    pub(super) reason: String,
}

/// A dead letter with its write.
pub(in crate::client) struct Refused {
    pub(super) letter: Letter,
    pub(super) record: Record,
}

/// How many dead letters there are.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::client) struct LetterCounts {
    /// Refused by the service, and not polled yet.
    pub(super) refused: u64,
    /// Rows that are no writes.
    pub(super) bad_rows: u64,
    /// The greatest number.
    pub(super) last: i64,
}
