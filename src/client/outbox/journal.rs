//! What is asked of the disk.

use super::record::{Letter, Record, Refused};
use crate::client::scheduler::CallId;
use crate::error::Error;

/// What one commit does to the journal, whole or not at all.
#[derive(Debug, Default)]
pub(in crate::client) struct Changes {
    pub(in crate::client) add: Vec<Record>,
    pub(in crate::client) erase: Vec<CallId>,
    /// Rows that are sent no more and stay.
    pub(in crate::client) letters: Vec<Letter>,
    /// Such rows that are removed, with their marks.
    pub(in crate::client) polled: Vec<CallId>,
    /// Every write accepted before this one is recorded with this commit.
    pub(super) up_to: CallId,
}

/// Why nothing of a commit is on disk.
#[derive(Debug)]
pub(in crate::client) enum CommitFailure {
    /// Another program holds the file locked. Nothing was written: the same commit is tried again.
    Busy(Error),
    /// There is no room, or the file could not be read. Nothing was written: the next commit may succeed.
    NotWritten(Error),
    /// The content of the disk is unknown: nothing more may be written until the journal is opened again.
    Broken(Error),
}

/// What the journal has under an id.
pub(in crate::client) enum Loaded {
    Write(Record),
    /// The row is not a valid write, for this reason.
    Bad(String),
    /// SQLite cannot read it.
    Unreadable(Error),
    /// Another program has the file locked: the same read may succeed later.
    Locked(Error),
    /// There is no such row: another program has removed it.
    Gone,
}

/// Keeps records on disk.
pub(in crate::client) trait Journal: Send {
    /// Makes `changes`; they are on disk when this returns.
    fn commit(&mut self, changes: &Changes) -> Result<(), CommitFailure>;

    /// What is recorded under each of `ids`, in order; up to the first that is locked.
    fn read(&mut self, ids: &[CallId]) -> Vec<(CallId, Loaded)>;

    /// At most `count` refused writes with numbers above `after`, and the last number that was looked at; None when
    /// there is none.
    ///
    /// # Errors
    /// [`Status::Storage`] when they cannot be read.
    fn refused(&mut self, after: i64, count: usize) -> Result<(Vec<Refused>, Option<i64>), Error>;
}
