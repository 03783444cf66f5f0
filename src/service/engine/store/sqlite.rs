//! Lists on disk: SQLite in WAL mode, one sync per transaction.

mod format;
mod rows;
#[cfg(test)]
mod tests;
mod write_cache;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use rusqlite::{Connection, ErrorCode};

use super::{ChangeSet, Check, Observer, Pairs, Read, Store, Write};
use crate::error::Error;
use crate::sqlite::{self, Lock, Source};
pub(crate) use format::FORMAT;
use rows::Rows;
use write_cache::WriteCache;

/// Idle connections that are kept for readers.
const MAX_IDLE_READERS: usize = 8;

/// Free pages that stay in the file: the next pairs go there.
const SPARE_PAGES: u32 = 16;
/// A transaction that removed something releases a quarter of the free pages, and at least this many.
const PAGES_AT_ONCE: u32 = 32;
/// A close releases more, in transactions of this many pages.
const PAGES_AT_CLOSE: u32 = 256;
/// Transactions of a close, which must not take long. The next close continues.
const STEPS_AT_CLOSE: usize = 64;

/// Lists that survive the process. Readers have connections of their own and see only what is committed.
pub struct Sqlite {
    path: PathBuf,
    /// Closed before the writer: the last connection to close tidies up, and these must not write.
    readers: Mutex<Vec<Connection>>,
    writer: Mutex<SqliteWriter>,
    observer: Option<Arc<dyn Observer>>,
    /// Held while the observer gets a transaction, so that a check sees all of it or nothing.
    applying: RwLock<()>,
    /// Released last: fields drop in order.
    lock: Arc<Lock>,
}

struct SqliteWriter {
    connection: Connection,
    /// After a failed sync the content of the disk is unknown: no further write until the store is reopened.
    failed: Option<Error>,
    /// Changes of the open transaction.
    changes: ChangeSet,
    cache: WriteCache,
}

impl Sqlite {
    /// Opens or creates the store at `path`, which must be absolute. One process, one handle. An observer needs the
    /// content of the store before the first check.
    ///
    /// # Errors
    /// [`crate::Status::Storage`] when the file is in use, foreign, of another format, damaged, or unusable; the
    /// file is untouched then.
    pub fn open(path: &Path, observer: Option<Arc<dyn Observer>>) -> Result<Self, Error> {
        let (lock, connection) = FORMAT.open(path)?;
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::new(SqliteWriter {
                connection,
                failed: None,
                changes: ChangeSet::of(observer.clone()),
                cache: WriteCache::default(),
            }),
            readers: Mutex::default(),
            observer,
            applying: RwLock::default(),
            lock: Arc::new(lock),
        })
    }

    fn storage(&self, error: &rusqlite::Error) -> Error {
        sqlite::storage(&self.path, error)
    }

    fn transact(
        &self,
        work: impl FnOnce(&mut SqliteWriter) -> Result<(), Error>,
    ) -> Result<(), Error> {
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
            // A statement failed: the file may be damaged elsewhere too.
            Err(error) => Err(writer.abandon(error, false)),
            Ok(()) => self.commit(&mut writer),
        }
    }

    fn commit(&self, writer: &mut SqliteWriter) -> Result<(), Error> {
        execute(&writer.connection, "COMMIT").map_err(|error| {
            let is_harmless = error.sqlite_error_code() == Some(ErrorCode::DiskFull);
            writer.abandon(self.storage(&error), is_harmless)
        })?;
        if let Err(error) = self.lock.committed(&writer.connection) {
            return Err(writer.abandon(error, false));
        }
        let _applying = self.applying.write();
        writer.changes.report();
        Ok(())
    }

    /// Releases free pages, as far as that is quick; those of the last deletes were left.
    fn shrink(&self) -> Result<(), Error> {
        for _ in 0..STEPS_AT_CLOSE {
            let free = free_pages(&self.writer.lock().connection);
            if free.map_err(|error| self.storage(&error))? <= SPARE_PAGES {
                break;
            }
            self.transact(|writer| {
                let given = give_back(&writer.connection, PAGES_AT_CLOSE);
                given.map_err(|error| self.storage(&error))
            })?;
        }
        Ok(())
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        // The rest is released after the next removal.
        let _ = self.shrink();
        self.lock.closing();
    }
}

impl SqliteWriter {
    /// Runs `work` inside the open transaction.
    fn change(&mut self, path: &Path, work: &mut Write) -> Result<(), Error> {
        let mut rows = Rows::writing(path, &self.connection, &mut self.cache, &mut self.changes);
        work(&mut rows)?;
        if rows.has_removed() {
            give_back(&self.connection, PAGES_AT_ONCE)
                .map_err(|error| sqlite::storage(path, &error))?;
        }
        self.cache.keep_small();
        Ok(())
    }

    /// Rolls back because of `error`. Unless the failure was harmless, the store writes no more.
    fn abandon(&mut self, error: Error, is_harmless: bool) -> Error {
        self.changes.forget();
        self.cache.clear();
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

fn free_pages(connection: &Connection) -> rusqlite::Result<u32> {
    let mut statement = connection.prepare_cached("PRAGMA freelist_count")?;
    statement.query_row([], |row| row.get(0))
}

/// Removes a quarter of the free pages from the file, and at least `pages` if there are so many.
fn give_back(connection: &Connection, pages: u32) -> rusqlite::Result<()> {
    let spare = free_pages(connection)?.saturating_sub(SPARE_PAGES);
    if spare == 0 {
        return Ok(());
    }
    let pages = spare.min(pages.max(spare / 4));
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
    let mut each = statement.query([])?;
    // One step for each page.
    while each.next()?.is_some() {}
    Ok(())
}

/// Rolls back when the work panics.
struct OnUnwind<'a, 'b> {
    store: &'a Sqlite,
    writer: &'b mut SqliteWriter,
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
        execute(&connection, "BEGIN").map_err(|error| self.storage(&error))?;
        let outcome = work(&Rows::reading(&self.path, &connection));
        // A connection that cannot end its transaction is closed.
        if execute(&connection, "COMMIT").is_ok() {
            let mut readers = self.readers.lock();
            if readers.len() < MAX_IDLE_READERS {
                readers.push(connection);
            }
        }
        outcome
    }

    fn check(&self, work: &mut Check) -> Result<(), Error> {
        let Some(observer) = &self.observer else {
            return self.read(&mut |lists| work(lists));
        };
        let _not_applying = self.applying.read();
        work(&Observed {
            store: self,
            observer: &**observer,
        })
    }
}

/// Pairs that the observer has.
struct Observed<'a> {
    store: &'a Sqlite,
    observer: &'a dyn Observer,
}

impl Observed<'_> {
    fn read(&self, ask: impl Fn(&dyn super::Reader) -> Result<bool, Error>) -> Result<bool, Error> {
        let mut answer = false;
        self.store.read(&mut |lists| {
            answer = ask(lists)?;
            Ok(())
        })?;
        Ok(answer)
    }
}

impl Pairs for Observed<'_> {
    fn contains(&self, owner: &str, target: &str) -> Result<bool, Error> {
        match self.observer.is_blocked(owner, target) {
            Some(is_blocked) => Ok(is_blocked),
            None => self.read(|lists| lists.contains(owner, target)),
        }
    }

    fn is_imported(&self, account: &str) -> Result<bool, Error> {
        self.read(|lists| lists.is_imported(account))
    }
}
