//! Lists on disk: SQLite in WAL mode, one sync per transaction.

mod at_hand;
mod changes;
mod format;
mod lines;
mod numbers;
mod rows;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode};

use super::{ChangeSet, Observer, Read, Store, Write};
use crate::error::Error;
use crate::sqlite::{self, Lock, Source};
use at_hand::AtHand;
pub(crate) use format::FORMAT;
use rows::Rows;

/// Idle connections that are kept for readers.
const MAX_IDLE_READERS: usize = 8;

/// Lists that survive the process. Readers have connections of their own and see only what is committed.
pub struct Sqlite {
    path: PathBuf,
    /// Closed before the writer: the last connection to close tidies up, and these must not write.
    readers: Mutex<Vec<Connection>>,
    writer: Mutex<Changing>,
    /// Released last: fields drop in order.
    lock: Arc<Lock>,
}

struct Changing {
    connection: Connection,
    /// After a failed sync nobody knows what is on disk: no further write until the store is reopened.
    failed: Option<Error>,
    /// Changes of the open transaction.
    notes: ChangeSet,
    /// None when lists may have changes and not be at hand, as after the start.
    at_hand: Option<RefCell<AtHand>>,
}

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
            writer: Mutex::new(Changing {
                connection,
                failed: None,
                notes: ChangeSet::of(observer),
                at_hand: None,
            }),
            readers: Mutex::default(),
            lock: Arc::new(lock),
        })
    }

    fn storage(&self, error: &rusqlite::Error) -> Error {
        sqlite::storage(&self.path, error)
    }

    fn transact(&self, work: impl FnOnce(&mut Changing) -> Result<(), Error>) -> Result<(), Error> {
        let mut writer = self.writer.lock();
        if let Some(error) = &writer.failed {
            return Err(error.clone());
        }
        if let Err(error) = self.lock.before_write(&writer.connection) {
            return Err(writer.abandon(error, false));
        }
        execute(&writer.connection, "BEGIN IMMEDIATE").map_err(|error| self.storage(&error))?;
        let guard = OnUnwind {
            store: self,
            writer: &mut writer,
        };
        let outcome = work(guard.writer);
        std::mem::forget(guard);
        match outcome {
            // A statement failed: nobody knows what else is wrong with the file.
            Err(error) => Err(writer.abandon(error, false)),
            Ok(()) => self.commit(&mut writer),
        }
    }

    fn commit(&self, writer: &mut Changing) -> Result<(), Error> {
        execute(&writer.connection, "COMMIT").map_err(|error| {
            let is_harmless = error.sqlite_error_code() == Some(ErrorCode::DiskFull);
            writer.abandon(self.storage(&error), is_harmless)
        })?;
        if let Err(error) = self.lock.committed(&writer.connection) {
            return Err(writer.abandon(error, false));
        }
        writer.notes.tell();
        Ok(())
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        let has_changes = |at_hand: &RefCell<AtHand>| at_hand.borrow().changes > 0;
        if self
            .writer
            .get_mut()
            .at_hand
            .as_ref()
            .is_some_and(has_changes)
        {
            // What is not brought into the lists now will be when the store is written to again.
            let _ = self.transact(|writer| writer.fold(&self.path));
        }
        self.lock.closing();
    }
}

impl Changing {
    /// Brings all changes into the lists.
    fn fold(&mut self, path: &Path) -> Result<(), Error> {
        let at_hand = self.at_hand.get_or_insert_default();
        let rows = Rows::new(path, &self.connection, at_hand);
        rows.fold()
    }

    /// Runs `work` inside the open transaction.
    fn change(&mut self, path: &Path, work: &mut Write) -> Result<(), Error> {
        let is_whole = self.at_hand.is_some();
        let at_hand = self.at_hand.get_or_insert_default();
        let mut rows = Rows::new(path, &self.connection, at_hand).noting(&mut self.notes);
        if !is_whole {
            rows.fold()?;
        }
        work(&mut rows)?;
        if at_hand.borrow().is_full() {
            rows.fold()?;
        }
        if at_hand.borrow().is_large() {
            at_hand.replace(AtHand::default());
        }
        Ok(())
    }

    /// Rolls back because of `error`. Unless the failure was harmless, the store writes no more.
    fn abandon(&mut self, error: Error, is_harmless: bool) -> Error {
        self.notes.forget();
        self.at_hand = None;
        let is_rolled_back =
            self.connection.is_autocommit() || self.connection.execute_batch("ROLLBACK").is_ok();
        if !is_harmless || !is_rolled_back {
            let message =
                format!("{error}; nothing more is written until the store is opened again");
            self.failed = Some(Error::new(error.status(), message));
        }
        error
    }
}

/// Runs a statement that is parsed once for a connection.
fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<usize> {
    connection.prepare_cached(sql)?.execute([])
}

/// Rolls back when the work panics.
struct OnUnwind<'a, 'b> {
    store: &'a Sqlite,
    writer: &'b mut Changing,
}

impl Drop for OnUnwind<'_, '_> {
    fn drop(&mut self) {
        let error = Error::storage(
            &self.store.path,
            "a write was interrupted by a bug in the library",
        );
        // The panic says it already.
        let _ = self.writer.abandon(error, false);
    }
}

impl Store for Sqlite {
    fn notice(&self) -> Option<String> {
        self.lock.notice()
    }

    fn file(&self) -> Option<Source> {
        Some(Source::of(&self.path, &self.lock))
    }

    fn write(&self, work: &mut Write) -> Result<(), Error> {
        self.transact(|writer| writer.change(&self.path, work))
    }

    fn read(&self, work: &mut Read) -> Result<(), Error> {
        let idle = self.readers.lock().pop();
        let connection = idle.map_or_else(|| self.lock.connect_reader(), Ok)?;
        let snapshot = connection
            .unchecked_transaction()
            .map_err(|error| self.storage(&error))?;
        let at_hand = RefCell::default();
        let outcome = work(&Rows::new(&self.path, &snapshot, &at_hand));
        drop(snapshot);
        let mut readers = self.readers.lock();
        if readers.len() < MAX_IDLE_READERS {
            readers.push(connection);
        }
        outcome
    }
}
