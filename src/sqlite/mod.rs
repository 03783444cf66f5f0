//! SQLite files of ours: one handle each, marked, checked at open, synced at every commit.

mod file;

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::Error;
pub(crate) use file::Lock;

/// How many pages the log takes before they go to the file and it is written from its start again: writing
/// over it costs half of what letting it grow costs.
const LOG_PAGES: u32 = 250;

/// What kind of file it is.
pub(crate) struct Format {
    /// What people call it, as in "is not a chatblock store".
    pub(crate) name: &'static str,
    /// Marks the file as ours.
    pub(crate) application_id: u32,
    /// Version of the tables. A newer one is refused.
    pub(crate) version: u32,
    /// SQL that creates the tables.
    pub(crate) tables: &'static str,
    /// SQL that makes the next version of a file: the first is for files of version 1.
    pub(crate) upgrades: &'static [&'static str],
    /// SQLite checks the whole file at open when it has at most so many bytes. In a larger one what is damaged shows
    /// when it is read.
    pub(crate) checked_up_to: u64,
}

impl Format {
    /// Opens or creates the file at `path`, which must be absolute, for this handle alone.
    ///
    /// # Errors
    /// [`crate::Status::Storage`] when the file is in use, foreign, newer, damaged, or unusable; it is
    /// untouched then.
    pub(crate) fn open(&self, path: &Path) -> Result<(Lock, Connection), Error> {
        let lock = file::lock(path)?;
        file::create_if_missing(path, self)?;
        file::check_header(path, self)?;
        let connection = connect(path)?;
        if size(&connection).map_err(|error| storage(path, &error))? <= self.checked_up_to {
            check_integrity(path, &connection)?;
        }
        self.upgrade(path, &connection)?;
        Ok((lock, connection))
    }

    /// Brings a file of an older version up to this one, in one transaction.
    fn upgrade(&self, path: &Path, connection: &Connection) -> Result<(), Error> {
        let failed = |error| storage(path, &error);
        // Not from the header of the file: the newest one may still lie in the log beside it.
        let version: u32 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(failed)?;
        if version > self.version {
            return Err(file::newer(path, self, version));
        }
        if version == self.version {
            return Ok(());
        }
        let steps = version
            .checked_sub(1)
            .and_then(|done| self.upgrades.get(done as usize..))
            .ok_or_else(|| Error::storage(path, format!("has an unknown format ({version})")))?;
        let upgrade = || {
            let transaction = connection.unchecked_transaction()?;
            for step in steps {
                transaction.execute_batch(step)?;
            }
            transaction.pragma_update(None, "user_version", self.version)?;
            transaction.commit()?;
            // So that also an older library sees in the file itself that it cannot read it.
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        };
        upgrade().map_err(failed)
    }

    /// Writes the tables into the empty file `draft`.
    fn create_tables(&self, draft: &Path) -> rusqlite::Result<()> {
        let connection = connect_any(draft)?;
        connection.execute_batch(&format!(
            "PRAGMA synchronous = FULL; BEGIN; PRAGMA application_id = {}; PRAGMA user_version = {}; {} COMMIT;",
            self.application_id, self.version, self.tables
        ))?;
        connection.close().map_err(|(_, error)| error)
    }
}

/// The connection that writes: every commit is synced.
fn connect(path: &Path) -> Result<Connection, Error> {
    let connect = || {
        let connection = connect_any(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
        Ok(connection)
    };
    connect().map_err(|error| storage(path, &error))
}

/// A connection that only reads what is committed.
pub(crate) fn connect_reader(path: &Path) -> Result<Connection, Error> {
    let connect = || {
        let connection = connect_any(path)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    };
    connect().map_err(|error| storage(path, &error))
}

fn connect_any(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(32);
    // Otherwise SQLite plans a statement anew for each value that is bound to it, as these could differ
    // in what they find; ours do not.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// What is committed, in bytes.
fn size(connection: &Connection) -> rusqlite::Result<u64> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    Ok(number("page_count")? * number("page_size")?)
}

/// SQLite's own check of the whole file.
fn check_integrity(path: &Path, connection: &Connection) -> Result<(), Error> {
    let verdict: rusqlite::Result<String> =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    match verdict {
        Ok(verdict) if verdict == "ok" => Ok(()),
        Ok(verdict) => Err(Error::storage(
            path,
            format!("is damaged ({verdict}); restore it from a copy"),
        )),
        Err(error) => Err(storage(path, &error)),
    }
}

/// SQLite's error with the file and the next step.
pub(crate) fn storage(path: &Path, error: &rusqlite::Error) -> Error {
    use rusqlite::ErrorCode::{
        DatabaseBusy, DatabaseCorrupt, DiskFull, NotADatabase, PermissionDenied, ReadOnly,
        SystemIoFailure,
    };
    let step = match error.sqlite_error_code() {
        Some(DatabaseBusy) => "another program has a transaction open on the file, end it there",
        Some(DiskFull) => "make room on the disk",
        Some(DatabaseCorrupt | NotADatabase) => "the file is damaged, restore it from a copy",
        Some(PermissionDenied | ReadOnly) => "check the rights of the file and its directory",
        Some(SystemIoFailure) => "check the disk",
        _ => "see the text of SQLite",
    };
    Error::storage(path, format!("{error}: {step}"))
}
