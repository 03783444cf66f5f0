//! The SQLite files of store and outbox: one client each, marked, checked at open, synced at every commit.

mod backup;
mod file;
mod leftovers;
mod names;
mod restore;
mod schema;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};

use crate::error::Error;
use crate::platform::database::Database;
use crate::platform::fork::ParentOnly;
use crate::platform::vfs::Vfs;
pub use backup::Source;
pub use restore::Restored;
pub(crate) use restore::{back_up, put_back};

/// After so many commits, or at so many bytes (1000 pages), the pages in the log go to the file and it is written from its
/// start again: for a commit of a page or two, writing over the log costs half of what letting it grow costs; commits of
/// many pages are fewer, and what costs then is bringing the same pages to the file again and again.
const LOG_COMMITS: u32 = 250;
const LOG_BYTES: u64 = 1000 * (4096 + 24);

/// What kind of file it is.
pub(crate) struct Format {
    /// What people call it, as in "is not a chatblock store".
    pub(crate) name: &'static str,
    /// Marks the file as one of this library.
    pub(crate) application_id: u32,
    /// Version of the tables. Any other one is refused: the formats before these were never released.
    pub(crate) version: u32,
    /// SQL that creates the tables.
    pub(crate) tables: &'static str,
    /// Free pages can be taken out of the file, at some cost of each page that is written.
    pub(crate) shrinks: bool,
    /// SQLite checks the whole file at open when it has at most so many bytes. In a larger one what is damaged shows
    /// when it is read.
    pub(crate) checked_up_to: u64,
}

impl Format {
    /// Opens or creates the file at `path`, which must be absolute, for this client alone.
    ///
    /// # Errors
    /// [`crate::Status::Storage`] when the file is in use, foreign, of another version, damaged, or
    /// unusable; it is untouched then.
    pub(crate) fn open(&self, path: &Path) -> Result<(Lock, Connection), Error> {
        let claimed = file::claim(path, self)?;
        file::check_header(path, &claimed.file, self)?;
        let set_aside = leftovers::set_aside_of_another_file(path, &claimed.path, &claimed.file)?
            .or(claimed.set_aside);
        let has_log = leftovers::has_log(&claimed.path);
        let database = Database::new(&claimed.path, claimed.file)
            .map_err(|error| names::unusable(path, &error))?;
        let vfs = Vfs::register(Arc::new(database)).map_err(|error| storage(path, &error))?;
        let lock = Lock {
            vfs,
            path: path.to_owned(),
            has_begun: AtomicBool::new(false),
            commits: AtomicU32::new(0),
            set_aside,
            _old: claimed.old_lock,
        };
        let connection = lock.connect()?;
        // A file that is refused stays as it is, its log too.
        set(
            &connection,
            DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
            has_log,
        )
        .map_err(|error| storage(path, &error))?;
        self.accept(path, &connection)?;
        Ok((lock, connection))
    }

    /// Checks what is in the file before anything is written to it.
    fn accept(&self, path: &Path, connection: &Connection) -> Result<(), Error> {
        let failed = |error| storage(path, &error);
        // Not from the header of the file: the newest one may still lie in the log beside it.
        let version: u32 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(failed)?;
        file::check_version(path, self, version)?;
        schema::check(path, connection, self)?;
        if size(connection).map_err(failed)? <= self.checked_up_to {
            check_integrity(path, connection)?;
        }
        let begin = || {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            // `Lock::committed` does it, because a new log begins then.
            connection.pragma_update(None, "wal_autocheckpoint", 0)?;
            set(
                connection,
                DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
                false,
            )
        };
        begin().map_err(failed)
    }

    /// An empty database with these tables.
    fn schema(&self) -> rusqlite::Result<Connection> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(self.tables)?;
        Ok(connection)
    }

    /// Writes the tables into the empty file `draft`, which no other program uses.
    fn create_tables(&self, draft: &Path) -> rusqlite::Result<()> {
        let connection = Vfs::connect_unlocked(draft)?;
        if self.shrinks {
            connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        }
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = MEMORY; BEGIN; PRAGMA application_id = {}; PRAGMA user_version = {}; {} COMMIT;",
            self.application_id, self.version, self.tables
        ))?;
        draw(&connection)?;
        connection.close().map_err(|(_, error)| error)
    }
}

/// A file that is open for one client. Dropped after the connections to it.
pub(crate) struct Lock {
    vfs: Vfs,
    path: PathBuf,
    /// This client has begun a log.
    has_begun: AtomicBool,
    /// Commits in the log.
    commits: AtomicU32,
    set_aside: Option<PathBuf>,
    /// Released last: fields drop in order.
    _old: Option<ParentOnly<std::fs::File>>,
}

impl Lock {
    /// A connection that only reads what is committed.
    pub(crate) fn connect_reader(&self) -> Result<Connection, Error> {
        let connection = self.connect()?;
        connection
            .pragma_update(None, "query_only", true)
            .map_err(|error| storage(&self.path, &error))?;
        Ok(connection)
    }

    fn connect(&self) -> Result<Connection, Error> {
        let connect = || {
            let connection = self.vfs.connect()?;
            harden(&connection)?;
            connection.set_prepared_statement_cache_capacity(32);
            // Otherwise SQLite plans a statement again for each bound value, because another plan could be better for
            // it; for these statements it never is.
            set(&connection, DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
            Ok(connection)
        };
        connect().map_err(|error| storage(&self.path, &error))
    }

    /// To be called before each transaction of `connection` that writes. Before the first one the file gets a number that no
    /// copy of it has, and a new log.
    ///
    /// # Errors
    /// [`crate::Status::Storage`]: nothing more may be written.
    pub(crate) fn before_write(&self, connection: &Connection) -> Result<(), Error> {
        if !self.has_begun.load(Ordering::Relaxed) {
            // The first time the number comes into the log, the second time into the file.
            let has_begun = self.begin_log(connection)? && self.begin_log(connection)?;
            self.has_begun.store(has_begun, Ordering::Relaxed);
        }
        Ok(())
    }

    /// To be called after each commit of `connection`, before any reply: what was written counts only if it is found
    /// at the path of the file. Now and then it also begins a new log.
    ///
    /// # Errors
    /// [`crate::Status::Storage`]: nothing more may be written, and the commit does not count.
    pub(crate) fn committed(&self, connection: &Connection) -> Result<(), Error> {
        self.check_place(connection)?;
        let commits = self.commits.fetch_add(1, Ordering::Relaxed) + 1;
        if commits < LOG_COMMITS && self.vfs.database().log_bytes() < LOG_BYTES {
            return Ok(());
        }
        self.begin_log(connection).map(drop)
    }

    /// To be called before the first connection is closed.
    pub(crate) fn closing(&self) {
        self.vfs.database().look_for_others();
    }

    /// What an operator should know about the opening.
    pub(crate) fn notice(&self) -> Option<String> {
        let place = self.set_aside.as_ref()?.display();
        Some(format!(
            "{}: the log of another file lay beside it, which is at {place} now; when the writes in it are not wanted, remove it",
            self.path.display()
        ))
    }

    fn check_place(&self, connection: &Connection) -> Result<(), Error> {
        let missing = self
            .vfs
            .database()
            .missing()
            .map_err(|error| names::unusable(&self.path, &error))?;
        let Some(missing) = missing else {
            return Ok(());
        };
        // When it is the log that is missing, what was in it is kept in the file.
        let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        let (path, missing) = (&self.path, missing.display());
        Err(Error::storage(
            path,
            format!(
                "{missing} was removed, renamed or replaced while it was open; the file, its log (\"-wal\") and its \
                 index (\"-shm\") belong together, leave them alone until the client is closed"
            ),
        ))
    }

    /// Brings the log into the file. When all of it is there, the next log begins, with the number of the file; false when that
    /// has to be tried again.
    fn begin_log(&self, connection: &Connection) -> Result<bool, Error> {
        // Busy, pages in the log, pages of them in the file.
        let done = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
            Ok(row.get::<_, i64>(0)? == 0 && row.get::<_, i64>(1)? == row.get::<_, i64>(2)?)
        });
        // What fails here is tried again after the next commit; the log has everything.
        if !matches!(done, Ok(true)) {
            return Ok(false);
        }
        match number(connection) {
            Ok(()) => {
                self.commits.store(0, Ordering::Relaxed);
                Ok(true)
            }
            Err(error) if is_harmless(&error) && connection.is_autocommit() => Ok(false),
            Err(error) => Err(storage(&self.path, &error)),
        }
    }
}

/// Writes the number of the file into the log, and then a new one (see [`leftovers`]). Neither is synced: what is synced later
/// comes after them in the log.
fn number(connection: &Connection) -> rusqlite::Result<()> {
    let number = || {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        // Nothing changes, but the page with the number is written.
        connection.pragma_update(None, "user_version", version)?;
        connection.execute_batch("COMMIT; BEGIN IMMEDIATE")?;
        draw(connection)?;
        connection.execute_batch("COMMIT")
    };
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    let numbered = number().inspect_err(|_| {
        if !connection.is_autocommit() {
            // The error that counts is known.
            let _ = connection.execute_batch("ROLLBACK");
        }
    });
    connection.pragma_update(None, "synchronous", "FULL")?;
    numbered
}

/// Draws a number for the file.
fn draw(connection: &Connection) -> rusqlite::Result<()> {
    let number: i64 = connection.query_row("SELECT random()", [], |row| row.get(0))?;
    // SQLite protects this number from being set; only this connection has prepared statements.
    set(connection, DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)?;
    let drawn = connection.pragma_update(None, "schema_version", (number & 0x7fff_ffff) | 1 << 16);
    set(connection, DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    drawn
}

/// Nothing was written, and it may succeed later.
fn is_harmless(error: &rusqlite::Error) -> bool {
    use ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseBusy | DatabaseLocked | DiskFull)
    )
}

/// A file may come from anywhere: nothing in it is run, and every page is looked at before it is used.
fn harden(connection: &Connection) -> rusqlite::Result<()> {
    set(connection, DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    set(connection, DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    set(connection, DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    set(connection, DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.pragma_update(None, "cell_size_check", true)
}

fn set(connection: &Connection, what: DbConfig, value: bool) -> rusqlite::Result<()> {
    connection.set_db_config(what, value).map(drop)
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
            format!("is damaged ({verdict}); {}", restore(path)),
        )),
        Err(error) => Err(storage(path, &error)),
    }
}

/// What to do about a damaged file.
pub(crate) fn restore(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().display();
    format!(
        "put a copy in its place with \"chatblock restore COPY {name}\", which also moves \"{name}-wal\" and \"{name}-shm\" away: \
         they are one"
    )
}

/// SQLite's error with the file and the next step.
pub(crate) fn storage(path: &Path, error: &rusqlite::Error) -> Error {
    use rusqlite::ErrorCode::{
        DatabaseBusy, DatabaseCorrupt, DiskFull, NotADatabase, PermissionDenied, ReadOnly,
        SystemIoFailure,
    };
    let step = match error.sqlite_error_code() {
        // A value that no library of ours wrote.
        None if is_of_another_kind(error) => {
            let step = restore(path);
            return Error::storage(path, format!("{error}: the file is damaged, {step}"));
        }
        Some(DatabaseBusy) => "another program has a transaction open on the file, end it there",
        Some(DiskFull) => "make room on the disk",
        Some(DatabaseCorrupt | NotADatabase) => {
            let step = restore(path);
            return Error::storage(path, format!("{error}: the file is damaged, {step}"));
        }
        Some(PermissionDenied | ReadOnly) => "check the rights of the file and its directory",
        Some(SystemIoFailure) => "check the disk",
        _ => "see the text of SQLite",
    };
    Error::storage(path, format!("{error}: {step}"))
}

/// A value has another type than it is read as.
fn is_of_another_kind(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{
        FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error,
    };
    matches!(
        error,
        FromSqlConversionFailure(..)
            | IntegralValueOutOfRange(..)
            | InvalidColumnType(..)
            | Utf8Error(..)
    )
}
