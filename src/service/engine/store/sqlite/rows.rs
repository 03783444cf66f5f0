//! Tables and statements of the durable store.

use std::cell::{RefCell, RefMut};
use std::collections::HashSet;
use std::path::Path;

use once_cell::unsync::OnceCell;
use rusqlite::{Connection, OptionalExtension, Params, params};

use super::super::{ChangeSet, Entry, List, Reader, Visit, Writer};
use super::at_hand::AtHand;
use super::lines::{self, Lines, Row};
use crate::error::Error;
use crate::sqlite::{restore, storage};

/// The rows as they stand inside a transaction of `connection`.
pub(super) struct Rows<'a> {
    path: &'a Path,
    connection: &'a Connection,
    /// Where changes are noted; None for who only looks.
    notes: Option<&'a mut ChangeSet>,
    /// What was read of lists; a writer's stays from one transaction to the next.
    pub(super) at_hand: &'a RefCell<AtHand>,
    /// For who only looks: owners that have changes.
    changed: OnceCell<HashSet<i64>>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(
        path: &'a Path,
        connection: &'a Connection,
        at_hand: &'a RefCell<AtHand>,
    ) -> Self {
        Self {
            path,
            connection,
            notes: None,
            at_hand,
            changed: OnceCell::new(),
        }
    }

    /// For a transaction that changes something.
    pub(super) fn noting(self, notes: &'a mut ChangeSet) -> Self {
        Self {
            notes: Some(notes),
            ..self
        }
    }

    /// A writer has at hand what has changes, and keeps what it finds.
    fn is_writing(&self) -> bool {
        self.notes.is_some()
    }

    pub(super) fn sql<T>(
        &self,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        run(self.connection).map_err(|error| storage(self.path, &error))
    }

    pub(super) fn execute(&self, sql: &str, params: impl Params) -> Result<usize, Error> {
        self.sql(|connection| connection.prepare_cached(sql)?.execute(params))
    }

    fn exists(&self, sql: &str, params: impl Params) -> Result<bool, Error> {
        self.sql(|connection| connection.prepare_cached(sql)?.exists(params))
    }

    /// Whether something of this list is in the table of changes, as far as it is not at hand.
    fn has_changes(&self, id: i64) -> Result<bool, Error> {
        if self.is_writing() {
            return Ok(false);
        }
        let changed = self.changed.get_or_try_init(|| self.read_changed())?;
        Ok(changed.contains(&id))
    }

    /// The lines of `list`, which stay at hand.
    fn lines(&self, list: &List) -> Result<RefMut<'_, Lines>, Error> {
        if !self.at_hand.borrow().has_lines(list.id) {
            let mut lines = self.read_lines(list.id)?;
            if self.has_changes(list.id)? {
                self.bring_up(list.id, &mut lines)?;
            }
            self.at_hand.borrow_mut().set_lines(list.id, lines);
        }
        Ok(RefMut::map(self.at_hand.borrow_mut(), |at_hand| {
            at_hand.lines_mut(list.id).expect("they were just read")
        }))
    }

    /// As they are in the lists.
    pub(super) fn read_lines(&self, id: i64) -> Result<Lines, Error> {
        let rows = self.sql(|connection| {
            connection
                .prepare_cached(
                    "SELECT position, lines FROM lists WHERE owner = ?1 ORDER BY position",
                )?
                .query_map([id], |row| {
                    Ok(Row {
                        position: row.get(0)?,
                        text: row.get(1)?,
                        is_stored: true,
                        is_changed: false,
                    })
                })?
                .collect()
        })?;
        Ok(Lines::of(rows))
    }

    /// As it is among the owners.
    pub(super) fn read_list(&self, id: i64) -> Result<List, Error> {
        self.sql(|connection| {
            connection
                .prepare_cached("SELECT id, entries, sequence FROM owners WHERE id = ?1")?
                .query_row([id], list)
        })
    }

    /// Writes the list `id`, which is at hand with its lines.
    pub(super) fn write_list(&self, id: i64) -> Result<(), Error> {
        let mut at_hand = self.at_hand.borrow_mut();
        let kept = at_hand.get_mut(id);
        for row in kept.lines.iter_mut().flat_map(Lines::changed) {
            match (row.is_stored, row.text.is_empty()) {
                (false, true) => 0,
                (false, false) => self.execute(
                    "INSERT INTO lists (owner, position, lines) VALUES (?1, ?2, ?3)",
                    params![id, row.position, row.text],
                )?,
                (true, false) => self.execute(
                    "UPDATE lists SET lines = ?3 WHERE owner = ?1 AND position = ?2",
                    params![id, row.position, row.text],
                )?,
                (true, true) => self.execute(
                    "DELETE FROM lists WHERE owner = ?1 AND position = ?2",
                    params![id, row.position],
                )?,
            };
            row.is_stored = !row.text.is_empty();
            row.is_changed = false;
        }
        self.execute(
            "UPDATE owners SET entries = ?2, sequence = ?3 WHERE id = ?1",
            params![id, kept.list.entries, kept.list.sequence],
        )?;
        Ok(())
    }

    pub(super) fn damaged(&self) -> Error {
        Error::storage(
            self.path,
            format!(
                "is damaged (a line of a list cannot be read); {}",
                restore(self.path)
            ),
        )
    }
}

/// Of the columns id, entries, sequence.
fn list(row: &rusqlite::Row<'_>) -> rusqlite::Result<List> {
    Ok(List {
        id: row.get(0)?,
        entries: row.get(1)?,
        sequence: row.get(2)?,
    })
}

impl Reader for Rows<'_> {
    fn find(&self, owner: &str) -> Result<Option<List>, Error> {
        if let Some(list) = self.at_hand.borrow().find(owner) {
            return Ok(Some(list));
        }
        let found = self.sql(|connection| {
            connection
                .prepare_cached("SELECT id, entries, sequence FROM owners WHERE name = ?1")?
                .query_row([owner], list)
                .optional()
        })?;
        let Some(list) = found else {
            return Ok(None);
        };
        if self.has_changes(list.id)? {
            return Ok(Some(self.latest(list)?));
        }
        if self.is_writing() {
            self.at_hand.borrow_mut().put(owner, list);
        }
        Ok(Some(list))
    }

    fn contains(&self, list: &List, account: &str) -> Result<bool, Error> {
        let is_another = {
            let at_hand = self.at_hand.borrow();
            !self.is_writing() && !at_hand.is_empty() && !at_hand.has_lines(list.id)
        };
        if is_another && !self.has_changes(list.id)? {
            // Asked once, as when a check looks the other way.
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
        let mut count: u64 = self.sql(|connection| {
            let sum = "SELECT ifnull(sum(entries), 0) FROM owners";
            connection.query_row(sum, [], |row| row.get(0))
        })?;
        for id in self.read_changed()? {
            let list = self.read_list(id)?;
            count += self.latest(list)?.entries as u64;
            count -= list.entries as u64;
        }
        Ok(count)
    }

    fn each(&self, visit: &mut Visit) -> Result<(), Error> {
        let changed = self.read_changed()?;
        let mut is_damaged = false;
        self.sql(|connection| {
            let mut lists = connection.prepare(
                "SELECT owners.id, owners.name, lists.lines
                 FROM lists JOIN owners ON owners.id = lists.owner",
            )?;
            let mut rows = lists.query([])?;
            while let Some(row) = rows.next()? {
                if changed.contains(&row.get(0)?) {
                    continue;
                }
                let owner = row.get_ref(1)?.as_str()?;
                let accounts = lines::entries(row.get_ref(2)?.as_str()?).filter_map(|entry| {
                    is_damaged |= entry.is_err();
                    entry.ok()
                });
                visit(owner, &mut accounts.map(|(account, _)| account));
            }
            Ok(())
        })?;
        for id in changed {
            let owner: String = self.sql(|connection| {
                let name = "SELECT name FROM owners WHERE id = ?1";
                connection.query_row(name, [id], |row| row.get(0))
            })?;
            let mut lines = self.read_lines(id)?;
            self.bring_up(id, &mut lines)?;
            let accounts = lines.entries().filter_map(|entry| {
                is_damaged |= entry.is_err();
                entry.ok()
            });
            visit(&owner, &mut accounts.map(|(account, _)| account));
        }
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
        let list = List {
            id: self.connection.last_insert_rowid(),
            ..List::default()
        };
        self.at_hand.borrow_mut().put(owner, list);
        Ok(list)
    }

    fn append(&mut self, list: &List, account: &str, time: i64) -> Result<(), Error> {
        self.lines(list)?.append(account, time);
        let mut at_hand = self.at_hand.borrow_mut();
        at_hand.appended(list.id, account, time);
        Ok(())
    }

    fn remove(&mut self, list: &List, account: &str) -> Result<bool, Error> {
        let was_there = self.lines(list)?.remove(account);
        if was_there {
            let mut at_hand = self.at_hand.borrow_mut();
            at_hand.get_mut(list.id).unsaved.remove(account);
        }
        Ok(was_there)
    }

    fn save(&mut self, list: &List) -> Result<(), Error> {
        self.keep(list)
    }

    fn clear(&mut self, list: &List) -> Result<(), Error> {
        self.at_hand.borrow_mut().forget(list.id);
        for sql in [
            "DELETE FROM lists WHERE owner = ?1",
            "DELETE FROM changes WHERE owner = ?1",
            "UPDATE owners SET entries = 0, sequence = 0 WHERE id = ?1",
        ] {
            self.execute(sql, [list.id])?;
        }
        Ok(())
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
