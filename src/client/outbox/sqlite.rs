//! The journal as a SQLite file: one row per write, with strings that an operator can read.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior, params};

use super::journal::{Changes, CommitFailure, Journal, Loaded};
use super::record::{BadRow, LetterCounts, Refused};
use super::rows::{self, Stored};
use crate::client::scheduler::CallId;
use crate::error::Error;
use crate::sqlite::{Format, Lock, Source, storage};

/// The file of the outbox; its mark is "cbob". Identifiers have no control characters, so a line feed
/// parts them.
pub(in crate::client) const FORMAT: Format = Format {
    name: "outbox",
    application_id: 0x6362_6f62,
    version: 2,
    tables: "
    CREATE TABLE app (sdkappid INTEGER NOT NULL) STRICT;
    CREATE TABLE writes (
        id INTEGER PRIMARY KEY,
        command TEXT NOT NULL,
        owner TEXT NOT NULL,
        targets TEXT NOT NULL,
        accepted INTEGER NOT NULL
    ) STRICT;
    -- Writes that are sent no more, whose rows stay in writes: refused by the service, with its code for all accounts
    -- or in codes one for each, or (code 0) not a write at all. number grows in the order in which they were refused.
    CREATE TABLE dead_letters (
        number INTEGER PRIMARY KEY,
        id INTEGER NOT NULL UNIQUE,
        refused INTEGER NOT NULL,
        code INTEGER NOT NULL,
        codes TEXT NOT NULL,
        reason TEXT NOT NULL
    ) STRICT;
",
    shrinks: false,
    // After a long outage it is large, and has to be sent at once. Each row is looked at in any case.
    checked_up_to: 16 << 20,
};

/// How long a commit waits for the lock of another program, before it is tried again later: no longer, because
/// closing the client waits for it.
const PATIENCE: Duration = Duration::from_millis(250);

/// Most rows that are set aside at one open; what more there is waits for the next one.
const MOST_BAD: usize = 10_000;

/// What a look through the file found beside writes to be sent.
#[derive(Default)]
pub(in crate::client) struct Left {
    /// Rows that are no writes, the first of them.
    pub(in crate::client) bad: Vec<BadRow>,
    /// How many there are of them.
    pub(in crate::client) bad_rows: u64,
    pub(in crate::client) letters: LetterCounts,
    /// The id of the next write: no row has it or a greater one that the outbox assigned, also of those that are not
    /// sent.
    pub(in crate::client) next_id: CallId,
}

/// Writes on disk.
pub(in crate::client) struct SqliteJournal {
    path: PathBuf,
    connection: Connection,
    /// Released last: fields drop in order.
    lock: Arc<Lock>,
}

impl SqliteJournal {
    /// Opens or creates the outbox of the app `sdkappid` at `path`, which must be absolute, and passes each write
    /// that an earlier client left to `each`, oldest first. One process, one handle.
    ///
    /// # Errors
    /// [`crate::Status::Storage`] when the file is in use, foreign, of another version, damaged, unusable, or belongs
    /// to another app; it is untouched then.
    pub(in crate::client) fn open(
        path: &Path,
        sdkappid: u32,
        each: impl FnMut(&Stored<'_>),
    ) -> Result<(Self, Left), Error> {
        let mut journal = Self::open_any(path)?;
        claim(path, &journal.connection, sdkappid)?;
        let left = journal.look_through(each)?;
        Ok((journal, left))
    }

    /// Opens the outbox at `path` of whatever app.
    pub(super) fn open_any(path: &Path) -> Result<Self, Error> {
        let (lock, connection) = FORMAT.open(path)?;
        Ok(Self {
            path: path.to_owned(),
            connection,
            lock: Arc::new(lock),
        })
    }

    /// The file, to copy it.
    pub(super) fn file(&self) -> Source {
        Source::of(&self.path, &self.lock)
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Runs `work`, which commits what it writes, as every write to the file has to be run.
    pub(super) fn writing<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        self.lock.before_write(&self.connection)?;
        let written = work(&self.connection).map_err(|error| self.storage(&error))?;
        self.lock.committed(&self.connection)?;
        Ok(written)
    }

    /// SQLite's error with the file and the next step.
    pub(super) fn storage(&self, error: &rusqlite::Error) -> Error {
        storage(&self.path, error)
    }

    /// Passes each write that is to be sent to `each`, and returns the other rows.
    fn look_through(&mut self, mut each: impl FnMut(&Stored<'_>)) -> Result<Left, Error> {
        let mut left = Left::default();
        let looked = rows::scan(&self.connection, |row| match row {
            Ok(stored) => each(&stored),
            Err(row) => {
                left.bad_rows += 1;
                if left.bad.len() < MOST_BAD {
                    left.bad.push(row);
                }
            }
        });
        let counted = looked.and_then(|()| rows::count_letters(&self.connection));
        let last = rows::last_id(&self.connection).map_err(|error| self.storage(&error))?;
        left.next_id = last.map_or(0, |last| last.unsigned_abs() + 1);
        let patient = self.connection.busy_timeout(PATIENCE);
        left.letters = counted
            .and_then(|letters| patient.map(|()| letters))
            .map_err(|error| storage(&self.path, &error))?;
        Ok(left)
    }

    /// What an operator should know about the opening.
    pub(in crate::client) fn notice(&self) -> Option<String> {
        self.lock.notice()
    }

    /// Takes the lock that writing needs: when that fails, nothing was written.
    fn begin(&mut self) -> Result<Transaction<'_>, CommitFailure> {
        let path = &self.path;
        let begun = Transaction::new(&mut self.connection, TransactionBehavior::Immediate);
        begun.map_err(|error| {
            let is_busy = is_locked(&error);
            let error = storage(path, &error);
            if is_busy {
                CommitFailure::Busy(error)
            } else {
                CommitFailure::NotWritten(error)
            }
        })
    }

    fn write(transaction: Transaction<'_>, changes: &Changes) -> rusqlite::Result<()> {
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO writes (id, command, owner, targets, accepted) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for record in &changes.add {
                insert.execute(params![
                    record.id,
                    record.command().name(),
                    record.owner(),
                    record.targets(),
                    record.accepted,
                ])?;
            }
            let mut delete = transaction.prepare_cached("DELETE FROM writes WHERE id = ?1")?;
            for id in &changes.erase {
                delete.execute([id])?;
            }
            rows::insert_letters(&transaction, &changes.letters)?;
            rows::delete_letters(&transaction, &changes.polled)?;
        }
        transaction.commit()
    }
}

impl Journal for SqliteJournal {
    fn commit(&mut self, changes: &Changes) -> Result<(), CommitFailure> {
        self.lock
            .before_write(&self.connection)
            .map_err(CommitFailure::Broken)?;
        let written = Self::write(self.begin()?, changes);
        written.map_err(|error| {
            let full = error.sqlite_error_code() == Some(ErrorCode::DiskFull);
            let is_locked = is_locked(&error);
            let taken_back = self.connection.is_autocommit();
            let error = storage(&self.path, &error);
            match taken_back {
                true if full => CommitFailure::NotWritten(error),
                true if is_locked => CommitFailure::Busy(error),
                _ => CommitFailure::Broken(error),
            }
        })?;
        self.lock
            .committed(&self.connection)
            .map_err(CommitFailure::Broken)
    }

    fn read(&mut self, ids: &[CallId]) -> Vec<(CallId, Loaded)> {
        let mut page = Vec::with_capacity(ids.len());
        for id in ids {
            let loaded = match rows::read(&self.connection, *id) {
                Ok(None) => Loaded::Gone,
                Ok(Some(Ok(record))) => Loaded::Write(record),
                Ok(Some(Err(reason))) => Loaded::Bad(reason),
                Err(error) if is_locked(&error) => Loaded::Locked(storage(&self.path, &error)),
                Err(error) => Loaded::Unreadable(storage(&self.path, &error)),
            };
            let is_locked = matches!(loaded, Loaded::Locked(_));
            page.push((*id, loaded));
            if is_locked {
                break;
            }
        }
        page
    }

    fn refused(&mut self, after: i64, count: usize) -> Result<(Vec<Refused>, Option<i64>), Error> {
        rows::refused(&self.connection, after, count).map_err(|error| storage(&self.path, &error))
    }
}

/// Another program has the file locked: nothing was done.
fn is_locked(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed
        )
    )
}

/// Writes for one app must not reach another: the file says whose they are.
fn claim(path: &Path, connection: &Connection, sdkappid: u32) -> Result<(), Error> {
    let failed = |error: rusqlite::Error| storage(path, &error);
    let mut apps = connection
        .prepare("SELECT sdkappid FROM app LIMIT 2")
        .map_err(failed)?;
    let apps: Vec<i64> = apps
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(failed)?;
    match apps.as_slice() {
        [owner] if *owner == i64::from(sdkappid) => Ok(()),
        [owner] => Err(Error::storage(
            path,
            format!("holds writes of sdkappid {owner}; name another file for this app"),
        )),
        [] if rows::is_empty(connection).map_err(failed)? => connection
            .execute("INSERT INTO app (sdkappid) VALUES (?1)", [sdkappid])
            .map(drop)
            .map_err(failed),
        _ => Err(Error::storage(
            path,
            "does not say of which one app its writes are; nothing was sent, name another file",
        )),
    }
}
