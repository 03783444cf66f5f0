//! The journal as a SQLite file: one row per write, texts that an operator can read.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{
    Connection, ErrorCode, OptionalExtension, Row, Transaction, TransactionBehavior, params,
};

use super::{Changes, Failure, Journal, Record};
use crate::api::{Command, Operation, Request};
use crate::error::Error;
use crate::sqlite::{Format, Lock, storage};

/// The file of the outbox; its mark is "cbob". Identifiers have no control characters, so a line feed
/// parts them.
const FORMAT: Format = Format {
    name: "outbox",
    application_id: 0x6362_6f62,
    version: 1,
    tables: "
    CREATE TABLE app (sdkappid INTEGER NOT NULL) STRICT;
    CREATE TABLE writes (
        id INTEGER PRIMARY KEY,
        command TEXT NOT NULL,
        from_account TEXT NOT NULL,
        to_accounts TEXT NOT NULL,
        accepted INTEGER NOT NULL
    ) STRICT;
",
    upgrades: &[],
};

/// How long a commit waits for the lock of another program, before it is tried again later: no longer, because
/// closing the client waits for it.
const PATIENCE: Duration = Duration::from_millis(250);

/// Writes on disk.
pub(in crate::client) struct SqliteJournal {
    path: PathBuf,
    connection: Connection,
    /// Released last: fields drop in order.
    _lock: Lock,
}

impl SqliteJournal {
    /// Opens or creates the outbox of the app `sdkappid` at `path`, which must be absolute, and gives
    /// what an earlier client left behind, oldest first. One process, one handle.
    ///
    /// # Errors
    /// [`crate::Status::Storage`] when the file is in use, foreign, newer, damaged, unusable, or belongs
    /// to another app; it is untouched then.
    pub(in crate::client) fn open(
        path: &Path,
        sdkappid: u32,
    ) -> Result<(Self, Vec<Record>), Error> {
        let (lock, connection) = FORMAT.open(path)?;
        claim(path, &connection, sdkappid)?;
        let left = read_all(path, &connection)?;
        connection
            .busy_timeout(PATIENCE)
            .map_err(|error| storage(path, &error))?;
        let journal = Self {
            path: path.to_owned(),
            connection,
            _lock: lock,
        };
        Ok((journal, left))
    }

    /// Takes the lock that writing needs: when that fails, nothing was written.
    fn begin(&mut self) -> Result<Transaction<'_>, Failure> {
        let path = &self.path;
        let begun = Transaction::new(&mut self.connection, TransactionBehavior::Immediate);
        begun.map_err(|error| {
            let is_busy = is_locked(&error);
            let error = storage(path, &error);
            if is_busy {
                Failure::Busy(error)
            } else {
                Failure::NotWritten(error)
            }
        })
    }

    fn write(transaction: Transaction<'_>, changes: &Changes) -> rusqlite::Result<()> {
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO writes (id, command, from_account, to_accounts, accepted) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for record in &changes.add {
                let request = &record.request;
                insert.execute(params![
                    record.id,
                    request.command().name(),
                    request.from.as_str(),
                    request.targets().join("\n"),
                    record.accepted,
                ])?;
            }
            let mut delete = transaction.prepare_cached("DELETE FROM writes WHERE id = ?1")?;
            for id in &changes.erase {
                delete.execute([id])?;
            }
        }
        transaction.commit()
    }
}

impl Journal for SqliteJournal {
    fn commit(&mut self, changes: &Changes) -> Result<(), Failure> {
        let written = Self::write(self.begin()?, changes);
        written.map_err(|error| {
            let full = error.sqlite_error_code() == Some(ErrorCode::DiskFull);
            let is_locked = is_locked(&error);
            let taken_back = self.connection.is_autocommit();
            let error = storage(&self.path, &error);
            match taken_back {
                true if full => Failure::NotWritten(error),
                true if is_locked => Failure::Busy(error),
                _ => Failure::Broken(error),
            }
        })
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
    let claim = || {
        let owner = connection
            .query_row("SELECT sdkappid FROM app", [], |row| row.get::<_, u32>(0))
            .optional()?;
        if owner.is_none() {
            connection.execute("INSERT INTO app (sdkappid) VALUES (?1)", [sdkappid])?;
        }
        Ok(owner.unwrap_or(sdkappid))
    };
    match claim() {
        Ok(owner) if owner == sdkappid => Ok(()),
        Ok(owner) => Err(Error::storage(
            path,
            format!("holds writes of sdkappid {owner}; name another file for this app"),
        )),
        Err(error) => Err(storage(path, &error)),
    }
}

fn read_all(path: &Path, connection: &Connection) -> Result<Vec<Record>, Error> {
    let failed = |error: rusqlite::Error| storage(path, &error);
    let mut writes = connection
        .prepare("SELECT id, command, from_account, to_accounts, accepted FROM writes ORDER BY id")
        .map_err(failed)?;
    let mut rows = writes.query([]).map_err(failed)?;
    let mut left = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        left.push(read(path, row)?);
    }
    Ok(left)
}

fn read(path: &Path, row: &Row) -> Result<Record, Error> {
    let read = || -> rusqlite::Result<_> {
        Ok((
            row.get::<_, u64>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, String>(3)?,
            row.get::<_, i64>(4)?,
        ))
    };
    let (id, command, from, targets, accepted) = read().map_err(|error| storage(path, &error))?;
    let targets = targets.split('\n').map(Into::into).collect();
    let operation = match Command::from_name(&command) {
        Some(Command::Add) => Operation::Add(targets),
        Some(Command::Delete) => Operation::Delete(targets),
        _ => {
            return Err(Error::storage(
                path,
                format!(
                    "is damaged: write {id} is neither an add nor a delete; restore it from a copy"
                ),
            ));
        }
    };
    Ok(Record {
        id,
        request: Arc::new(Request {
            from: from.into(),
            operation,
        }),
        accepted,
    })
}
