//! Lists on disk: SQLite in WAL mode, one sync per group of callers.

mod lines;
mod rows;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::{Condvar, Mutex, MutexGuard};
use rusqlite::{Connection, ErrorCode};

use super::{Notes, Observer, Read, Store, Write};
use crate::error::Error;
use crate::sqlite::{self, Lock};
use rows::{FORMAT, Rows};

/// Most callers whose changes share one commit.
const MAX_GROUP: usize = 256;
/// Idle connections that are kept for readers.
const MAX_IDLE_READERS: usize = 8;

/// Lists that survive the process.
///
/// Every caller runs its own work inside the open transaction; the last one in commits for all. A
/// caller returns when the group it belongs to is on disk. Readers have connections of their own and
/// see only what is committed.
pub struct Sqlite {
    path: PathBuf,
    /// Closed before the writer: the last connection to close tidies up, and these must not write.
    readers: Mutex<Vec<Connection>>,
    writer: Mutex<GroupWriter>,
    settled: Condvar,
    /// Callers on their way to the writer: while there are any, nobody commits yet.
    arriving: AtomicUsize,
    /// Released last: fields drop in order.
    _lock: Lock,
}

struct GroupWriter {
    connection: Connection,
    group: Option<Arc<Group>>,
    size: usize,
    /// After a failed sync nobody knows what is on disk: no further write until the store is reopened.
    failed: Option<Error>,
    /// Changes of the open transaction.
    notes: Notes,
}

/// Callers that share one commit, and how it ended.
#[derive(Default)]
struct Group(OnceLock<Result<(), Error>>);

impl Sqlite {
    /// Opens or creates the store at `path`, which must be absolute. One process, one handle.
    ///
    /// # Errors
    /// [`crate::Status::Storage`] when the file is in use, foreign, newer, damaged, or unusable; the
    /// file is untouched then.
    pub fn open(path: &Path, observer: Option<Arc<dyn Observer>>) -> Result<Self, Error> {
        let (lock, connection) = FORMAT.open(path)?;
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::new(GroupWriter {
                connection,
                group: None,
                size: 0,
                failed: None,
                notes: Notes::of(observer),
            }),
            settled: Condvar::new(),
            arriving: AtomicUsize::new(0),
            readers: Mutex::default(),
            _lock: lock,
        })
    }

    fn storage(&self, error: &rusqlite::Error) -> Error {
        sqlite::storage(&self.path, error)
    }

    /// The writer, with an open transaction.
    fn join_group(&self) -> Result<(MutexGuard<'_, GroupWriter>, Arc<Group>), Error> {
        self.arriving.fetch_add(1, Ordering::SeqCst);
        let mut writer = self.writer.lock();
        self.arriving.fetch_sub(1, Ordering::SeqCst);
        if let Some(error) = &writer.failed {
            return Err(error.clone());
        }
        if let Some(group) = &writer.group {
            let group = Arc::clone(group);
            return Ok((writer, group));
        }
        execute(&writer.connection, "BEGIN IMMEDIATE").map_err(|error| self.storage(&error))?;
        let group = Arc::new(Group::default());
        writer.group = Some(Arc::clone(&group));
        writer.size = 0;
        Ok((writer, group))
    }

    /// Commits for the whole group.
    fn commit(&self, writer: &mut GroupWriter) {
        let outcome = execute(&writer.connection, "COMMIT");
        let outcome = outcome.map_err(|error| {
            let full = error.sqlite_error_code() == Some(ErrorCode::DiskFull);
            (self.storage(&error), full)
        });
        match outcome {
            Ok(_) => {
                writer.notes.tell();
                self.settle(writer, Ok(()));
            }
            Err((error, harmless)) => self.abandon(writer, error, harmless),
        }
    }

    /// Rolls the group back. Unless the failure was harmless, the store writes no more.
    fn abandon(&self, writer: &mut GroupWriter, error: Error, harmless: bool) {
        writer.notes.forget();
        let rolled_back = writer.connection.is_autocommit()
            || writer.connection.execute_batch("ROLLBACK").is_ok();
        if !harmless || !rolled_back {
            let message =
                format!("{error}; nothing more is written until the store is opened again");
            writer.failed = Some(Error::new(error.status(), message));
        }
        self.settle(writer, Err(error));
    }

    fn settle(&self, writer: &mut GroupWriter, outcome: Result<(), Error>) {
        if let Some(group) = writer.group.take() {
            group.0.set(outcome).expect("a group is settled once");
        }
        self.settled.notify_all();
    }
}

/// Runs a statement that is parsed once for a connection.
fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<usize> {
    connection.prepare_cached(sql)?.execute([])
}

/// Settles the group when the work of a caller panics, so that the others are not left waiting.
struct OnUnwind<'a, 'b> {
    store: &'a Sqlite,
    writer: &'b mut GroupWriter,
}

impl Drop for OnUnwind<'_, '_> {
    fn drop(&mut self) {
        let error = Error::storage(
            &self.store.path,
            "a write was interrupted by a bug in the library",
        );
        self.store.abandon(self.writer, error, false);
    }
}

impl Store for Sqlite {
    fn write(&self, work: &mut Write) -> Result<(), Error> {
        let (mut writer, group) = self.join_group()?;
        let guard = OnUnwind {
            store: self,
            writer: &mut writer,
        };
        let GroupWriter {
            connection, notes, ..
        } = &mut *guard.writer;
        let outcome = work(&mut Rows::new(&self.path, connection).noting(notes));
        std::mem::forget(guard);
        writer.size += 1;
        if let Err(error) = outcome {
            // A statement failed: nobody knows what else is wrong with the file.
            self.abandon(&mut writer, error, false);
        } else if writer.size >= MAX_GROUP || self.arriving.load(Ordering::SeqCst) == 0 {
            self.commit(&mut writer);
        }
        loop {
            if let Some(outcome) = group.0.get() {
                return outcome.clone();
            }
            self.settled.wait(&mut writer);
        }
    }

    fn read(&self, work: &mut Read) -> Result<(), Error> {
        let idle = self.readers.lock().pop();
        let connection = idle.map_or_else(|| sqlite::connect_reader(&self.path), Ok)?;
        let snapshot = connection
            .unchecked_transaction()
            .map_err(|error| self.storage(&error))?;
        let outcome = work(&Rows::new(&self.path, &snapshot));
        drop(snapshot);
        let mut readers = self.readers.lock();
        if readers.len() < MAX_IDLE_READERS {
            readers.push(connection);
        }
        outcome
    }
}
