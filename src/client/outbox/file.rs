//! Operations on the file of an outbox while no client has it open, for an operator.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, params};

use super::dead_letters::DeadLetters;
use super::record::BadRow;
use super::rows;
use super::sqlite::SqliteJournal;
use crate::api::Request;
use crate::error::Error;

pub use super::record::WriteState;

/// So many rows are changed in one transaction.
const PART: usize = 10_000;

/// An outbox file, locked: no client can open it.
pub struct OutboxFile {
    journal: SqliteJournal,
}

/// A row of the file.
#[derive(Clone, Debug)]
pub struct StoredWrite {
    /// Its key; greater means accepted later.
    pub id: i64,
    /// What becomes of it.
    pub state: WriteState,
    /// The write, unless the row is none.
    pub request: Option<Arc<Request>>,
    /// When it was accepted, Unix seconds.
    pub accepted: i64,
    /// When it was refused or found to be no write, Unix seconds; 0 while it is queued.
    pub refused: i64,
    /// The code of the service; 0 when there is none.
    pub code: i32,
    /// What the service said, or what is wrong with the row.
    pub reason: String,
}

/// Rows to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// These, by their keys.
    Ids(Vec<i64>),
    /// All in this state.
    State(WriteState),
    /// All.
    All,
}

/// What was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// So many rows.
    pub done: u64,
    /// Keys that no row has.
    pub missing: Vec<i64>,
    /// Rows that cannot be sent, and what is wrong with them.
    pub unsendable: Vec<(i64, String)>,
}

impl OutboxFile {
    /// Opens the outbox at `path`, which must be absolute, at `unix_seconds`. Rows that are no writes are marked.
    ///
    /// # Errors
    /// [`crate::Status::Storage`] when there is no such file, when a client has it open, when it is no outbox, newer or
    /// damaged.
    pub fn open(path: &Path, unix_seconds: i64) -> Result<Self, Error> {
        if !path.exists() {
            return Err(Error::storage(path, "does not exist; name an outbox file"));
        }
        let mut file = Self {
            journal: SqliteJournal::open_any(path)?,
        };
        file.mark_bad_rows(unix_seconds)?;
        Ok(file)
    }

    fn mark_bad_rows(&mut self, unix_seconds: i64) -> Result<(), Error> {
        let mut letters = DeadLetters::default();
        self.journal.writing(|connection| {
            letters.found(rows::count_letters(connection)?);
            rows::each(connection, |row| {
                if let (WriteState::Queued, Err(reason)) = (row.state(), &row.request) {
                    let row = BadRow {
                        id: row.id,
                        reason: reason.clone(),
                    };
                    letters.set_aside(row, unix_seconds);
                }
                Ok(letters.marks.len() < PART)
            })?;
            rows::insert_letters(connection, &letters.marks)
        })
    }

    /// Goes through all rows in order of acceptance, until `show` gives an error.
    ///
    /// # Errors
    /// Those of `show`, and [`crate::Status::Storage`] when the file cannot be read.
    pub fn each<E: From<Error>>(
        &self,
        mut show: impl FnMut(StoredWrite) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut outcome = Ok(());
        let read = rows::each(self.journal.connection(), |row| {
            outcome = show(row.into());
            Ok(outcome.is_ok())
        });
        outcome?;
        read.map_err(|error| self.journal.storage(&error).into())
    }

    /// Has the next client send refused writes again, each at its old place among those that wait; a row that only has
    /// a bad key comes last. Calls `progress` with the number of rows that were looked at since the last time.
    ///
    /// # Errors
    /// [`crate::Status::Storage`]; what was reported to `progress` is done.
    pub fn retry(&mut self, rows: &Selection, progress: impl FnMut(u64)) -> Result<Changed, Error> {
        self.change(rows, progress, retry)
    }

    /// Removes rows for good.
    ///
    /// # Errors
    /// As [`Self::retry`].
    pub fn drop_writes(
        &mut self,
        rows: &Selection,
        progress: impl FnMut(u64),
    ) -> Result<Changed, Error> {
        let remove = |connection: &Connection, id, changed: &mut Changed| {
            connection
                .prepare_cached("DELETE FROM dead_letters WHERE id = ?1")?
                .execute([id])?;
            let mut row = connection.prepare_cached("DELETE FROM writes WHERE id = ?1")?;
            match row.execute([id])? {
                0 => changed.missing.push(id),
                _ => changed.done += 1,
            }
            Ok(())
        };
        self.change(rows, progress, remove)
    }

    /// Changes row after row, many in one transaction.
    fn change(
        &mut self,
        rows: &Selection,
        mut progress: impl FnMut(u64),
        one: impl Fn(&Connection, i64, &mut Changed) -> rusqlite::Result<()>,
    ) -> Result<Changed, Error> {
        let mut changed = Changed::default();
        let mut after = None;
        loop {
            let count = self.journal.writing(|connection| {
                let ids = select(connection, rows, after)?;
                let transaction = connection.unchecked_transaction()?;
                for id in &ids {
                    one(connection, *id, &mut changed)?;
                }
                transaction.commit()?;
                after = ids.last().copied();
                Ok(ids.len())
            })?;
            if count == 0 {
                return Ok(changed);
            }
            progress(count as u64);
        }
    }
}

/// The next keys of `rows`, in order.
fn select(
    connection: &Connection,
    rows: &Selection,
    after: Option<i64>,
) -> rusqlite::Result<Vec<i64>> {
    let condition = match rows {
        Selection::Ids(ids) => {
            let mut ids = ids.clone();
            ids.sort_unstable();
            ids.dedup();
            ids.retain(|id| after.is_none_or(|after| *id > after));
            ids.truncate(PART);
            return Ok(ids);
        }
        Selection::State(WriteState::Queued) => "mark.id IS NULL",
        Selection::State(WriteState::Refused) => "mark.code <> 0",
        Selection::State(WriteState::Bad) => "mark.code = 0",
        Selection::All => "TRUE",
    };
    let mut ids = connection.prepare_cached(&format!(
        "SELECT writes.id FROM writes LEFT JOIN dead_letters AS mark ON mark.id = writes.id \
         WHERE (?1 IS NULL OR writes.id > ?1) AND {condition} ORDER BY writes.id LIMIT {PART}"
    ))?;
    let ids = ids.query_map([after], |row| row.get(0))?;
    ids.collect()
}

fn retry(connection: &Connection, id: i64, changed: &mut Changed) -> rusqlite::Result<()> {
    let mut mark = connection.prepare_cached("DELETE FROM dead_letters WHERE id = ?1")?;
    match rows::content(connection, id)? {
        None => changed.missing.push(id),
        Some(Err(reason)) => changed.unsendable.push((id, reason)),
        Some(Ok(())) => {
            mark.execute([id])?;
            if !rows::is_our_id(id) {
                let free: i64 = rows::last_id(connection)?.map_or(0, |last| last + 1);
                let renumber = "UPDATE writes SET id = ?2 WHERE id = ?1";
                connection.execute(renumber, params![id, free])?;
            }
            changed.done += 1;
        }
    }
    Ok(())
}

impl From<rows::Whole> for StoredWrite {
    fn from(row: rows::Whole) -> Self {
        let state = row.state();
        let (request, reason) = match row.request {
            Ok(request) => (Some(request), None),
            Err(reason) => (None, Some(reason)),
        };
        let letter = row.letter;
        Self {
            id: row.id,
            state: if reason.is_some() {
                WriteState::Bad
            } else {
                state
            },
            request,
            accepted: row.accepted,
            refused: letter.as_ref().map_or(0, |letter| letter.refused),
            code: letter.as_ref().map_or(0, |letter| letter.code),
            reason: letter
                .map(|letter| letter.reason)
                .or(reason)
                .unwrap_or_default(),
        }
    }
}
