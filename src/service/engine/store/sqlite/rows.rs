//! Tables and statements of the durable store.

use std::cell::{RefCell, RefMut};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Params, params};

use super::super::{Entry, List, Notes, Reader, Visit, Writer};
use super::lines::{self, Lines, Row};
use crate::error::Error;
use crate::sqlite::{Format, storage};

/// The file of the durable store; its mark is "cblk".
pub(super) const FORMAT: Format = Format {
    name: "store",
    application_id: 0x6362_6c6b,
    version: 2,
    tables: "
    CREATE TABLE owners (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        entries INTEGER NOT NULL DEFAULT 0,
        sequence INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    -- lines has one line for each entry: Unix seconds, a tab, the account. Oldest first, as are rows.
    CREATE TABLE lists (
        owner INTEGER NOT NULL REFERENCES owners (id),
        position INTEGER NOT NULL,
        lines TEXT NOT NULL,
        PRIMARY KEY (owner, position)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE imported (account TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
",
    // Format 1 had a row for each entry. SQLite keeps the order of a subquery for group_concat. An upgrade makes the
    // tables of its own version, whatever those of later versions are: so they stand here again.
    upgrades: &["
    CREATE TABLE lists (
        owner INTEGER NOT NULL REFERENCES owners (id),
        position INTEGER NOT NULL,
        lines TEXT NOT NULL,
        PRIMARY KEY (owner, position)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO lists (owner, position, lines)
        SELECT owner, position / 20, group_concat(added || char(9) || account || char(10), '')
        FROM (SELECT * FROM entries ORDER BY owner, position)
        GROUP BY owner, position / 20;
    DROP TABLE entries;
    ALTER TABLE owners DROP COLUMN next_position;
"],
};

/// The rows as they stand inside a transaction of `connection`.
pub(super) struct Rows<'a> {
    path: &'a Path,
    connection: &'a Connection,
    /// Where changes are noted; None for who only looks.
    notes: Option<&'a mut Notes>,
    /// The list that the transaction is about, once something of it was asked.
    opened: RefCell<Option<Opened>>,
}

struct Opened {
    list: i64,
    lines: Lines,
}

impl<'a> Rows<'a> {
    pub(super) fn new(path: &'a Path, connection: &'a Connection) -> Self {
        Self {
            path,
            connection,
            notes: None,
            opened: RefCell::default(),
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

    fn is_opened(&self, list: &List) -> bool {
        let opened = self.opened.borrow();
        opened.as_ref().is_some_and(|opened| opened.list == list.id)
    }

    /// The lines of `list`, which stay at hand until another list is asked for.
    fn lines(&self, list: &List) -> Result<RefMut<'_, Lines>, Error> {
        if !self.is_opened(list) {
            self.keep_changes()?;
            let lines = Lines::of(self.read_rows(list)?);
            let list = list.id;
            self.opened.replace(Some(Opened { list, lines }));
        }
        Ok(RefMut::map(self.opened.borrow_mut(), |opened| {
            &mut opened.as_mut().expect("a list was opened").lines
        }))
    }

    fn read_rows(&self, list: &List) -> Result<Vec<Row>, Error> {
        let run = || {
            self.connection
                .prepare_cached(
                    "SELECT position, lines FROM lists WHERE owner = ?1 ORDER BY position",
                )?
                .query_map([list.id], |row| {
                    Ok(Row {
                        position: row.get(0)?,
                        text: row.get(1)?,
                        is_stored: true,
                        is_changed: false,
                    })
                })?
                .collect::<rusqlite::Result<Vec<Row>>>()
        };
        run().map_err(|error| storage(self.path, &error))
    }

    /// Writes what was appended to the opened list and removed from it.
    fn keep_changes(&self) -> Result<(), Error> {
        let mut opened = self.opened.borrow_mut();
        let Some(Opened { list, lines }) = &mut *opened else {
            return Ok(());
        };
        let list = *list;
        for row in lines.changed() {
            match (row.is_stored, row.text.is_empty()) {
                (false, true) => 0,
                (false, false) => self.execute(
                    "INSERT INTO lists (owner, position, lines) VALUES (?1, ?2, ?3)",
                    params![list, row.position, row.text],
                )?,
                (true, false) => self.execute(
                    "UPDATE lists SET lines = ?3 WHERE owner = ?1 AND position = ?2",
                    params![list, row.position, row.text],
                )?,
                (true, true) => self.execute(
                    "DELETE FROM lists WHERE owner = ?1 AND position = ?2",
                    params![list, row.position],
                )?,
            };
            row.is_stored = !row.text.is_empty();
            row.is_changed = false;
        }
        Ok(())
    }

    fn damaged(&self) -> Error {
        Error::storage(
            self.path,
            "is damaged (a line of a list cannot be read); restore it from a copy",
        )
    }
}

impl Reader for Rows<'_> {
    fn find(&self, owner: &str) -> Result<Option<List>, Error> {
        let run = || {
            self.connection
                .prepare_cached("SELECT id, entries, sequence FROM owners WHERE name = ?1")?
                .query_row([owner], |row| {
                    Ok(List {
                        id: row.get(0)?,
                        entries: row.get(1)?,
                        sequence: row.get(2)?,
                    })
                })
                .optional()
        };
        run().map_err(|error| storage(self.path, &error))
    }

    fn contains(&self, list: &List, account: &str) -> Result<bool, Error> {
        let is_another = self.opened.borrow().is_some() && !self.is_opened(list);
        if is_another {
            // Asked once, as when a check looks the other way: the opened list is asked again.
            return self.exists(
                "SELECT 1 FROM lists WHERE owner = ?1 AND instr(lines, ?2)",
                params![list.id, lines::needle(account)],
            );
        }
        Ok(self.lines(list)?.contains(account))
    }

    fn page(&self, list: &List, start: usize, limit: usize) -> Result<Vec<Entry>, Error> {
        let lines = self.lines(list)?;
        let page = lines.entries().skip(start).take(limit).map(|entry| {
            let (account, time) = entry.map_err(|lines::Damaged| self.damaged())?;
            Ok(Entry {
                account: account.to_owned(),
                time,
            })
        });
        page.collect()
    }

    fn is_imported(&self, account: &str) -> Result<bool, Error> {
        self.exists("SELECT 1 FROM imported WHERE account = ?1", [account])
    }

    fn count(&self) -> Result<u64, Error> {
        let count =
            self.connection
                .query_row("SELECT ifnull(sum(entries), 0) FROM owners", [], |row| {
                    row.get(0)
                });
        count.map_err(|error| storage(self.path, &error))
    }

    fn each(&self, visit: &mut Visit) -> Result<(), Error> {
        let mut is_damaged = false;
        let mut run = || {
            let mut lists = self.connection.prepare(
                "SELECT owners.name, lists.lines FROM lists JOIN owners ON owners.id = lists.owner",
            )?;
            let mut rows = lists.query([])?;
            while let Some(row) = rows.next()? {
                let owner = row.get_ref(0)?.as_str()?;
                let accounts = lines::entries(row.get_ref(1)?.as_str()?).filter_map(|entry| {
                    is_damaged |= entry.is_err();
                    entry.ok()
                });
                visit(owner, &mut accounts.map(|(account, _)| account));
            }
            Ok(())
        };
        run().map_err(|error| storage(self.path, &error))?;
        if is_damaged {
            return Err(self.damaged());
        }
        Ok(())
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
        self.lines(list)?.append(account, time);
        Ok(())
    }

    fn remove(&mut self, list: &List, account: &str) -> Result<bool, Error> {
        Ok(self.lines(list)?.remove(account))
    }

    fn save(&mut self, list: &List) -> Result<(), Error> {
        self.keep_changes()?;
        // The next one is about another list.
        self.opened.replace(None);
        self.execute(
            "UPDATE owners SET entries = ?2, sequence = ?3 WHERE id = ?1",
            params![list.id, list.entries, list.sequence],
        )?;
        Ok(())
    }

    fn clear(&mut self, list: &List) -> Result<(), Error> {
        self.keep_changes()?;
        self.opened.replace(None);
        self.execute("DELETE FROM lists WHERE owner = ?1", [list.id])?;
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
