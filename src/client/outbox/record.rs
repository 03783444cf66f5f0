//! What an outbox has: writes, marks of rows that are sent no more, and rows that are no writes.

use std::borrow::Cow;
use std::sync::Arc;

use crate::api::{Command, Operation, Request};
use crate::client::scheduler::CallId;

/// What a record takes beside its texts.
const RECORD_BYTES: u64 = 48;

/// A write that waits for its answer.
#[derive(Clone, Debug)]
pub(in crate::client) struct Record {
    pub(in crate::client) id: CallId,
    content: RecordContent,
    /// When it was accepted, Unix seconds.
    pub(in crate::client) accepted: i64,
}

/// What a write asks.
#[derive(Clone, Debug)]
enum RecordContent {
    Shared(Arc<Request>),
    /// Owner and targets, one a line: half of the memory, for a write of which nothing else is in memory.
    Packed(Command, Box<str>),
}

impl Record {
    pub(in crate::client) fn new(id: CallId, request: Arc<Request>, accepted: i64) -> Self {
        Self {
            id,
            content: RecordContent::Shared(request),
            accepted,
        }
    }

    /// The same in less memory.
    pub(super) fn packed(self) -> Self {
        let RecordContent::Shared(request) = &self.content else {
            return self;
        };
        let bytes = bytes(request).saturating_sub(RECORD_BYTES);
        let mut text = String::with_capacity(usize::try_from(bytes).unwrap_or(0));
        text.push_str(&request.owner);
        for target in request.targets() {
            text.push('\n');
            text.push_str(target);
        }
        let content = RecordContent::Packed(request.command(), text.into_boxed_str());
        Self { content, ..self }
    }

    pub(in crate::client) fn command(&self) -> Command {
        match &self.content {
            RecordContent::Shared(request) => request.command(),
            RecordContent::Packed(command, _) => *command,
        }
    }

    pub(in crate::client) fn owner(&self) -> &str {
        match &self.content {
            RecordContent::Shared(request) => &request.owner,
            RecordContent::Packed(_, text) => lines(text).0,
        }
    }

    /// The accounts, one a line.
    pub(super) fn targets(&self) -> Cow<'_, str> {
        match &self.content {
            RecordContent::Shared(request) => request.targets().join("\n").into(),
            RecordContent::Packed(_, text) => lines(text).1.into(),
        }
    }

    pub(in crate::client) fn into_request(self) -> Arc<Request> {
        match self.content {
            RecordContent::Shared(request) => request,
            RecordContent::Packed(command, text) => {
                let (owner, targets) = lines(&text);
                let targets = targets.split('\n').map(Into::into).collect();
                Arc::new(Request {
                    owner: owner.into(),
                    operation: match command {
                        Command::Delete => Operation::Delete(targets),
                        _ => Operation::Add(targets),
                    },
                })
            }
        }
    }

    /// What it takes of `outbox.max_bytes`.
    pub(super) fn bytes(&self) -> u64 {
        match &self.content {
            RecordContent::Shared(request) => bytes(request),
            RecordContent::Packed(_, text) => RECORD_BYTES + text.len() as u64,
        }
    }
}

/// The owner and the targets of a packed write.
fn lines(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_write_is_the_same_write() {
        for targets in [&["bob"] as &[&str], &["bob", "cat", "dan"]] {
            let targets = || targets.iter().map(|target| (*target).into()).collect();
            for operation in [Operation::Add(targets()), Operation::Delete(targets())] {
                let owner = "ann".into();
                let request = Arc::new(Request { owner, operation });
                let record = Record::new(7, Arc::clone(&request), 9);
                let packed = record.clone().packed();
                assert_eq!(packed.bytes(), record.bytes());
                assert_eq!(packed.targets(), record.targets());
                assert_eq!(packed.command(), request.command());
                assert_eq!((packed.owner(), packed.accepted), ("ann", 9));
                assert_eq!(packed.into_request(), request);
            }
        }
    }
}
