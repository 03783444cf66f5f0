//! Tables and statements of the durable store.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Params, params};

use super::super::{Entry, List, Reader, Writer};
use crate::error::Error;

/// "cblk": marks the file as a store of this library.
pub(super) const APPLICATION_ID: u32 = 0x6362_6c6b;
/// Version of the tables. A newer one is refused.
pub(super) const SCHEMA_VERSION: u32 = 1;

const TABLES: &str = "
    CREATE TABLE owners (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        entries INTEGER NOT NULL DEFAULT 0,
        sequence INTEGER NOT NULL DEFAULT 0,
        next_position INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    -- position orders a list by insertion; the index answers who is in it.
    CREATE TABLE entries (
        owner INTEGER NOT NULL REFERENCES owners (id),
        position INTEGER NOT NULL,
        account TEXT NOT NULL,
        added INTEGER NOT NULL,
        PRIMARY KEY (owner, position)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX entries_by_account ON entries (owner, account);
    CREATE TABLE imported (account TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
";

/// Writes the tables into the empty file `draft`.
pub(super) fn create_tables(draft: &Path) -> rusqlite::Result<()> {
    let connection = open(draft)?;
    connection.execute_batch(&format!(
        "PRAGMA synchronous = FULL; BEGIN; PRAGMA application_id = {APPLICATION_ID}; \
         PRAGMA user_version = {SCHEMA_VERSION}; {TABLES} COMMIT;"
    ))?;
    connection.close().map_err(|(_, error)| error)
}

/// The connection that writes: every commit is synced.
pub(super) fn connect(path: &Path) -> Result<Connection, Error> {
    let connect = || {
        let connection = open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        Ok(connection)
    };
    connect().map_err(|error| storage(path, &error))
}

/// A connection that only reads what is committed.
pub(super) fn connect_reader(path: &Path) -> Result<Connection, Error> {
    let connect = || {
        let connection = open(path)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    };
    connect().map_err(|error| storage(path, &error))
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// SQLite's own check of the whole file.
pub(super) fn check_integrity(path: &Path, connection: &Connection) -> Result<(), Error> {
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
pub(super) fn storage(path: &Path, error: &rusqlite::Error) -> Error {
    use rusqlite::ErrorCode::{
        DatabaseCorrupt, DiskFull, NotADatabase, PermissionDenied, ReadOnly, SystemIoFailure,
    };
    let step = match error.sqlite_error_code() {
        Some(DiskFull) => "make room on the disk",
        Some(DatabaseCorrupt | NotADatabase) => "the file is damaged, restore it from a copy",
        Some(PermissionDenied | ReadOnly) => "check the rights of the file and its directory",
        Some(SystemIoFailure) => "check the disk",
        _ => "see the text of SQLite",
    };
    Error::storage(path, format!("{error}: {step}"))
}

/// The rows as they stand inside a transaction of `connection`.
pub(super) struct Rows<'a> {
    path: &'a Path,
    connection: &'a Connection,
}

impl<'a> Rows<'a> {
    pub(super) fn new(path: &'a Path, connection: &'a Connection) -> Self {
        Self { path, connection }
    }

    fn execute(&self, sql: &str, params: impl Params) -> Result<usize, Error> {
        let run = || self.connection.prepare_cached(sql)?.execute(params);
        run().map_err(|error| storage(self.path, &error))
    }

    fn exists(&self, sql: &str, params: impl Params) -> Result<bool, Error> {
        let run = || self.connection.prepare_cached(sql)?.exists(params);
        run().map_err(|error| storage(self.path, &error))
    }
}

impl Reader for Rows<'_> {
    fn find(&self, owner: &str) -> Result<Option<List>, Error> {
        let run = || {
            self.connection
                .prepare_cached(
                    "SELECT id, entries, sequence, next_position FROM owners WHERE name = ?1",
                )?
                .query_row([owner], |row| {
                    Ok(List {
                        id: row.get(0)?,
                        entries: row.get(1)?,
                        sequence: row.get(2)?,
                        next_position: row.get(3)?,
                    })
                })
                .optional()
        };
        run().map_err(|error| storage(self.path, &error))
    }

    fn contains(&self, list: &List, account: &str) -> Result<bool, Error> {
        self.exists(
            "SELECT 1 FROM entries WHERE owner = ?1 AND account = ?2",
            params![list.id, account],
        )
    }

    fn page(&self, list: &List, start: usize, limit: usize) -> Result<Vec<Entry>, Error> {
        let run = || {
            self.connection
                .prepare_cached(
                    "SELECT account, added FROM entries WHERE owner = ?1 ORDER BY position LIMIT ?2 OFFSET ?3",
                )?
                .query_map(params![list.id, limit, start], |row| {
                    Ok(Entry {
                        account: row.get(0)?,
                        time: row.get(1)?,
                    })
                })?
                .collect::<rusqlite::Result<Vec<Entry>>>()
        };
        run().map_err(|error| storage(self.path, &error))
    }

    fn is_imported(&self, account: &str) -> Result<bool, Error> {
        self.exists("SELECT 1 FROM imported WHERE account = ?1", [account])
    }
}

impl Writer for Rows<'_> {
    fn create(&mut self, owner: &str) -> Result<List, Error> {
        self.execute("INSERT INTO owners (name) VALUES (?1)", [owner])?;
        Ok(List {
            id: self.connection.last_insert_rowid(),
            ..List::default()
        })
    }

    fn append(&mut self, list: &List, account: &str, time: i64) -> Result<(), Error> {
        self.execute(
            "INSERT INTO entries (owner, position, account, added) VALUES (?1, ?2, ?3, ?4)",
            params![list.id, list.next_position, account, time],
        )?;
        Ok(())
    }

    fn remove(&mut self, list: &List, account: &str) -> Result<bool, Error> {
        let removed = self.execute(
            "DELETE FROM entries WHERE owner = ?1 AND account = ?2",
            params![list.id, account],
        )?;
        Ok(removed > 0)
    }

    fn save(&mut self, list: &List) -> Result<(), Error> {
        self.execute(
            "UPDATE owners SET entries = ?2, sequence = ?3, next_position = ?4 WHERE id = ?1",
            params![list.id, list.entries, list.sequence, list.next_position],
        )?;
        Ok(())
    }

    fn clear(&mut self, list: &List) -> Result<(), Error> {
        self.execute("DELETE FROM entries WHERE owner = ?1", [list.id])?;
        self.save(&List {
            id: list.id,
            ..List::default()
        })
    }

    fn import(&mut self, account: &str) -> Result<(), Error> {
        self.execute(
            "INSERT OR IGNORE INTO imported (account) VALUES (?1)",
            [account],
        )?;
        Ok(())
    }

    fn forget(&mut self, account: &str) -> Result<bool, Error> {
        Ok(self.execute("DELETE FROM imported WHERE account = ?1", [account])? > 0)
    }
}
