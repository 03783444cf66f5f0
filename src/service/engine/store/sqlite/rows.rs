//! Statements of the durable store.

use std::cell::RefCell;
use std::collections::BinaryHeap;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Params, params};

use super::super::{ChangeSet, Entry, List, Page, Pairs, Reader, Visit, Writer};
use super::write_cache::{Counters, WriteCache};
use crate::error::Error;
use crate::sqlite::storage;

/// Targets of one owner that are passed on at once.
const VISITED: usize = 1000;

/// The rows inside a transaction of `connection`.
pub(super) struct Rows<'a> {
    path: &'a Path,
    connection: &'a Connection,
    /// None for readers.
    writing: Option<Writing<'a>>,
}

struct Writing<'a> {
    cache: RefCell<&'a mut WriteCache>,
    changes: &'a mut ChangeSet,
    has_removed: bool,
}

impl<'a> Rows<'a> {
    pub(super) fn reading(path: &'a Path, connection: &'a Connection) -> Self {
        Self {
            path,
            connection,
            writing: None,
        }
    }

    pub(super) fn writing(
        path: &'a Path,
        connection: &'a Connection,
        cache: &'a mut WriteCache,
        changes: &'a mut ChangeSet,
    ) -> Self {
        Self {
            writing: Some(Writing {
                cache: RefCell::new(cache),
                changes,
                has_removed: false,
            }),
            ..Self::reading(path, connection)
        }
    }

    /// Whether rows were removed, which leaves room in the file.
    pub(super) fn has_removed(&self) -> bool {
        self.writing
            .as_ref()
            .is_some_and(|writing| writing.has_removed)
    }

    fn sql<T>(&self, run: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        run(self.connection).map_err(|error| storage(self.path, &error))
    }

    fn execute(&self, sql: &str, params: impl Params) -> Result<usize, Error> {
        self.sql(|connection| connection.prepare_cached(sql)?.execute(params))
    }

    fn exists(&self, sql: &str, params: impl Params) -> Result<bool, Error> {
        self.sql(|connection| connection.prepare_cached(sql)?.exists(params))
    }

    /// The sequence that `owner` has in the table of those whose last change removed something.
    fn read_sequence(&self, owner: &str) -> Result<u64, Error> {
        let sequence = self.sql(|connection| {
            connection
                .prepare_cached("SELECT sequence FROM sequences WHERE owner = ?1")?
                .query_row([owner], |row| row.get(0))
                .optional()
        })?;
        Ok(sequence.unwrap_or(0))
    }

    fn read_counters(&self, owner: &str) -> Result<Counters, Error> {
        let mut counters = self.sql(|connection| {
            connection
                .prepare_cached(
                    "SELECT count(*), ifnull(max(position), -1) + 1, ifnull(max(sequence), 0)
                     FROM pairs WHERE owner = ?1",
                )?
                .query_row([owner], |row| {
                    Ok(Counters {
                        entries: row.get(0)?,
                        next_position: row.get(1)?,
                        sequence: row.get(2)?,
                        ..Counters::default()
                    })
                })
        })?;
        counters.sequence = counters.sequence.max(self.read_sequence(owner)?);
        counters.highest = counters.sequence;
        counters.is_in_rows = true;
        Ok(counters)
    }

    fn writer(&mut self) -> &mut Writing<'a> {
        self.writing.as_mut().expect("a transaction that writes")
    }

    /// The counters of a list that was found or created.
    fn counters(&mut self, list: &List) -> &mut Counters {
        let cache = self.writer().cache.get_mut();
        cache.get_mut(list.owner).expect("it was found or created")
    }

    fn note(&mut self, owner: &str, target: &str, blocked: bool) {
        self.writer().changes.push(owner, target, blocked);
    }
}

impl Pairs for Rows<'_> {
    fn contains(&self, owner: &str, target: &str) -> Result<bool, Error> {
        self.exists(
            "SELECT 1 FROM pairs WHERE owner = ?1 AND target = ?2",
            [owner, target],
        )
    }

    fn is_imported(&self, account: &str) -> Result<bool, Error> {
        self.exists("SELECT 1 FROM imported WHERE account = ?1", [account])
    }
}

impl Reader for Rows<'_> {
    fn find<'o>(&self, owner: &'o str) -> Result<Option<List<'o>>, Error> {
        let cache = self.writing.as_ref().map(|writing| &writing.cache);
        if let Some(counters) = cache.and_then(|cache| cache.borrow().get(owner).copied()) {
            return Ok(Some(counters.list(owner)));
        }
        let counters = self.read_counters(owner)?;
        if counters.entries == 0 && counters.sequence == 0 {
            return Ok(None);
        }
        if let Some(cache) = cache {
            cache.borrow_mut().insert(owner, counters);
        }
        Ok(Some(counters.list(owner)))
    }

    fn page(&self, owner: &str, start: usize, limit: usize) -> Result<Page, Error> {
        let mut first = FirstEntries::new(start.saturating_add(limit));
        let mut total = 0;
        let mut sequence = self.read_sequence(owner)?;
        let mut newest = -1;
        self.sql(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT position, time, sequence, target FROM pairs WHERE owner = ?1",
            )?;
            let mut rows = statement.query([owner])?;
            while let Some(row) = rows.next()? {
                total += 1;
                let position = row.get(0)?;
                if position > newest {
                    // Sequences grow with positions.
                    newest = position;
                    sequence = sequence.max(row.get(2)?);
                }
                if first.wants(position) {
                    first.take(position, row.get(1)?, row.get_ref(3)?.as_str()?);
                }
            }
            Ok(())
        })?;
        Ok(Page {
            entries: first.into_entries(start),
            total,
            sequence,
        })
    }

    fn count(&self) -> Result<u64, Error> {
        let count = "SELECT count(*) FROM pairs";
        self.sql(|connection| connection.query_row(count, [], |row| row.get(0)))
    }

    fn each(&self, visit: &mut Visit) -> Result<(), Error> {
        let mut owner = String::new();
        let mut targets = TargetChunk::default();
        self.sql(|connection| {
            let mut statement = connection.prepare("SELECT owner, target FROM pairs")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let next = row.get_ref(0)?.as_str()?;
                if next != owner || targets.ends.len() == VISITED {
                    targets.pass_on(&owner, visit);
                    next.clone_into(&mut owner);
                }
                targets.push(row.get_ref(1)?.as_str()?);
            }
            Ok(())
        })?;
        targets.pass_on(&owner, visit);
        Ok(())
    }
}

/// The first entries of a list by position, of rows that come in another order. Sorted here, because SQLite would make
/// a record of each row for it, and because most rows need only their position then.
struct FirstEntries {
    most: usize,
    /// Position, time, and where the target is in the names; the last position on top.
    found: BinaryHeap<(i64, i64, (usize, usize))>,
    names: String,
}
/// Targets of one owner: many without many allocations.
#[derive(Default)]
struct TargetChunk {
    names: String,
    ends: Vec<usize>,
}

impl TargetChunk {
    fn push(&mut self, target: &str) {
        self.names.push_str(target);
        self.ends.push(self.names.len());
    }

    fn pass_on(&mut self, owner: &str, visit: &mut Visit) {
        if self.ends.is_empty() {
            return;
        }
        let mut start = 0;
        let names = &self.names;
        let mut targets = self.ends.drain(..).map(|end| {
            let from = std::mem::replace(&mut start, end);
            &names[from..end]
        });
        visit(owner, &mut targets);
        drop(targets);
        self.names.clear();
    }
}

impl FirstEntries {
    fn new(most: usize) -> Self {
        Self {
            most,
            found: BinaryHeap::new(),
            names: String::new(),
        }
    }

    /// Whether the entry at `position` is among the first of those that came so far.
    fn wants(&self, position: i64) -> bool {
        self.found.len() < self.most || self.found.peek().is_some_and(|last| position < last.0)
    }

    fn take(&mut self, position: i64, time: i64, target: &str) {
        if self.found.len() == self.most {
            self.found.pop();
        }
        let from = self.names.len();
        self.names.push_str(target);
        let name = (from, self.names.len());
        self.found.push((position, time, name));
    }

    /// Those from the one at `start` on, in order.
    fn into_entries(self, start: usize) -> Vec<Entry> {
        let first = self.found.into_sorted_vec();
        let wanted = first.iter().skip(start);
        let entry = |&(_, time, (from, to)): &(i64, i64, (usize, usize))| Entry {
            account: self.names[from..to].to_owned(),
            time,
        };
        wanted.map(entry).collect()
    }
}

impl Writer for Rows<'_> {
    fn create<'o>(&mut self, owner: &'o str) -> Result<List<'o>, Error> {
        let counters = Counters {
            is_in_rows: true,
            ..Counters::default()
        };
        self.writer().cache.get_mut().insert(owner, counters);
        Ok(counters.list(owner))
    }

    fn append(&mut self, list: &List, target: &str, time: i64) -> Result<bool, Error> {
        let next = list.sequence + 1;
        let position = self.counters(list).next_position;
        let appended = self.execute(
            "INSERT INTO pairs (owner, target, time, sequence, position) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO NOTHING",
            params![list.owner, target, time, next, position],
        )?;
        if appended == 0 {
            return Ok(false);
        }
        let counters = self.counters(list);
        counters.next_position += 1;
        if next > counters.highest {
            counters.highest = next;
            counters.is_in_rows = true;
        }
        self.note(list.owner, target, true);
        Ok(true)
    }

    fn remove(&mut self, list: &List, target: &str) -> Result<bool, Error> {
        let removed = self.execute(
            "DELETE FROM pairs WHERE owner = ?1 AND target = ?2",
            [list.owner, target],
        )?;
        if removed == 0 {
            return Ok(false);
        }
        self.counters(list).is_in_rows = false;
        self.writer().has_removed = true;
        self.note(list.owner, target, false);
        Ok(true)
    }

    fn save(&mut self, list: &List) -> Result<(), Error> {
        let counters = self.counters(list);
        counters.entries = list.entries;
        counters.sequence = list.sequence;
        if counters.is_in_rows && counters.highest == list.sequence {
            // The pairs that were added say it.
            return Ok(());
        }
        let is_lower = list.sequence < counters.highest;
        counters.highest = list.sequence;
        counters.is_in_rows = true;
        if is_lower {
            // As in a state that is loaded.
            self.execute(
                "UPDATE pairs SET sequence = 0 WHERE owner = ?1",
                [list.owner],
            )?;
        }
        self.execute(
            "INSERT OR REPLACE INTO sequences (owner, sequence) VALUES (?1, ?2)",
            params![list.owner, list.sequence],
        )?;
        Ok(())
    }

    fn clear(&mut self, list: &List) -> Result<(), Error> {
        let targets: Vec<String> = self.sql(|connection| {
            connection
                .prepare_cached("SELECT target FROM pairs WHERE owner = ?1")?
                .query_map([list.owner], |row| row.get(0))?
                .collect()
        })?;
        for target in &targets {
            self.note(list.owner, target, false);
        }
        for sql in [
            "DELETE FROM pairs WHERE owner = ?1",
            "DELETE FROM sequences WHERE owner = ?1",
        ] {
            self.execute(sql, [list.owner])?;
        }
        let writing = self.writer();
        writing.has_removed = true;
        writing.cache.get_mut().remove(list.owner);
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
