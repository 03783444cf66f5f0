//! The last few changes, call by call.
//!
//! To write the rows of a list costs a page for each list that is in a transaction; a sync takes the longer the more
//! pages there are. So a call that changes little is one row at the end of the table `changes`, whose page it shares
//! with everybody else's, and from time to time all of them are brought into the lists at once. A change whose
//! sequence is not above that of its owner is in the lists already.

use std::collections::HashSet;

use rusqlite::{OptionalExtension, params};

use super::super::List;
use super::at_hand::{AtHand, Unsaved};
use super::lines::{Damaged, Lines};
use super::rows::Rows;
use crate::error::Error;

/// Rows of `changes` from which on they are brought into the lists.
const MAX_ROWS: usize = 512;

/// A call that changes more is written into its list at once.
const MAX_LINES: usize = 16;

impl AtHand {
    /// Whether it is time to bring the changes into the lists.
    pub(super) fn is_full(&self) -> bool {
        self.changes >= MAX_ROWS || self.is_large()
    }
}

impl Unsaved {
    pub(super) fn append(&mut self, account: &str, time: i64) {
        if self.has_room() {
            self.lines.extend([&time.to_string(), "\t", account, "\n"]);
        }
    }

    pub(super) fn remove(&mut self, account: &str) {
        if self.has_room() {
            self.lines.extend(["-\t", account, "\n"]);
        }
    }

    fn has_room(&mut self) -> bool {
        self.count += 1;
        self.count <= MAX_LINES
    }
}

impl Rows<'_> {
    /// Owners that have rows in the table.
    pub(super) fn read_changed(&self) -> Result<HashSet<i64>, Error> {
        self.sql(|connection| {
            connection
                .prepare_cached("SELECT owner FROM changes")?
                .query_map([], |row| row.get(0))?
                .collect()
        })
    }

    /// `list` with the counters of its last change.
    pub(super) fn latest(&self, list: List) -> Result<List, Error> {
        let latest = self.sql(|connection| {
            connection
                .prepare_cached(
                    "SELECT entries, sequence FROM changes WHERE owner = ?1 AND sequence > ?2 ORDER BY id DESC LIMIT 1",
                )?
                .query_row(params![list.id, list.sequence], |row| {
                    Ok(List {
                        id: list.id,
                        entries: row.get(0)?,
                        sequence: row.get(1)?,
                    })
                })
                .optional()
        })?;
        Ok(latest.unwrap_or(list))
    }

    /// Makes `lines`, which are those of the list `id`, what they are since.
    pub(super) fn bring_up(&self, id: i64, lines: &mut Lines) -> Result<(), Error> {
        let changes: Vec<String> = self.sql(|connection| {
            connection
                .prepare_cached(
                    "SELECT lines FROM changes
                     WHERE owner = ?1 AND sequence > (SELECT sequence FROM owners WHERE id = ?1) ORDER BY id",
                )?
                .query_map([id], |row| row.get(0))?
                .collect()
        })?;
        for line in changes
            .iter()
            .flat_map(|changes| changes.split_terminator('\n'))
        {
            let change = line.split_once('\t').ok_or(Damaged);
            let (what, account) = change.map_err(|Damaged| self.damaged())?;
            if what == "-" {
                lines.remove(account);
            } else {
                let time = what.parse().map_err(|_| self.damaged())?;
                lines.append(account, time);
            }
        }
        Ok(())
    }

    /// Keeps what was done to `list` in this call.
    pub(super) fn keep(&self, list: &List) -> Result<(), Error> {
        let mut at_hand = self.at_hand.borrow_mut();
        let kept = at_hand.get_mut(list.id);
        let (before, unsaved) = (kept.list.sequence, std::mem::take(&mut kept.unsaved));
        kept.list = *list;
        let is_next = list.sequence > before;
        if is_next && unsaved.count <= MAX_LINES {
            at_hand.changes += 1;
            self.execute(
                "INSERT INTO changes (owner, sequence, entries, lines) VALUES (?1, ?2, ?3, ?4)",
                params![list.id, list.sequence, list.entries, unsaved.lines],
            )?;
            return Ok(());
        }
        drop(at_hand);
        if !is_next {
            // Otherwise those before would be taken for what is not in the list yet.
            self.execute("DELETE FROM changes WHERE owner = ?1", [list.id])?;
        }
        self.write_list(list.id)
    }

    /// Brings all changes into the lists.
    pub(super) fn fold(&self) -> Result<(), Error> {
        for id in self.read_changed()? {
            if !self.at_hand.borrow().has_lines(id) {
                let list = self.latest(self.read_list(id)?)?;
                let mut lines = self.read_lines(id)?;
                self.bring_up(id, &mut lines)?;
                let mut at_hand = self.at_hand.borrow_mut();
                at_hand.get_mut(id).list = list;
                at_hand.set_lines(id, lines);
            }
            self.write_list(id)?;
        }
        self.execute("DELETE FROM changes", [])?;
        self.at_hand.borrow_mut().changes = 0;
        Ok(())
    }
}
