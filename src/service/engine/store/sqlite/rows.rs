//! Tables and statements of the durable store.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Params, params};

use super::super::{Entry, List, Notes, Reader, Writer};
use crate::error::Error;
use crate::sqlite::{Format, storage};

/// The file of the durable store; its mark is "cblk".
pub(super) const FORMAT: Format = Format {
    name: "store",
    application_id: 0x6362_6c6b,
    version: 1,
    tables: "
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
",
};

/// The rows as they stand inside a transaction of `connection`.
pub(super) struct Rows<'a> {
    path: &'a Path,
    connection: &'a Connection,
    /// Where changes are noted; None for who only looks.
    notes: Option<&'a mut Notes>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(path: &'a Path, connection: &'a Connection) -> Self {
        Self {
            path,
            connection,
            notes: None,
        }
    }

    /// For a transaction that changes something.
    pub(super) fn noting(self, notes: &'a mut Notes) -> Self {
        Self {
            notes: Some(notes),
            ..self
        }
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

    fn count(&self) -> Result<u64, Error> {
        let count = self
            .connection
            .query_row("SELECT count(*) FROM entries", [], |row| row.get(0));
        count.map_err(|error| storage(self.path, &error))
    }

    fn each(&self, visit: &mut dyn FnMut(&str, &str)) -> Result<(), Error> {
        let mut run = || {
            let mut entries = self.connection.prepare(
                "SELECT owners.name, entries.account FROM entries JOIN owners ON owners.id = entries.owner",
            )?;
            let mut rows = entries.query([])?;
            while let Some(row) = rows.next()? {
                visit(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
            }
            Ok(())
        };
        run().map_err(|error| storage(self.path, &error))
    }
}

impl Writer for Rows<'_> {
    fn note(&mut self, owner: &str, account: &str, blocked: bool) {
        if let Some(notes) = &mut self.notes {
            notes.push(owner, account, blocked);
        }
    }

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
