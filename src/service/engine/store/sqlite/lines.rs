//! A list as it lies on disk: rows of text, with a line for each entry.
//!
//! A row for each entry costs a search in a tree for each entry. Many entries in one row cost as
//! much as one, and a row stays small enough that adding to a full list writes a page, not the list.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, BuildHasherDefault};

use memchr::memmem;

use super::numbers::Spread;

/// A row takes lines up to here: four of them fit into a page of SQLite.
const ROW_BYTES: usize = 960;
/// From this many questions on, a set of hashes is cheaper than searching the text each time.
const MANY: usize = 8;
/// Neither can be part of an account: both are control characters.
const BEFORE_ACCOUNT: char = '\t';
const END: char = '\n';

/// One row: lines of "time TAB account", oldest first.
#[derive(Default)]
pub(super) struct Row {
    /// Orders the rows of a list.
    pub(super) position: i64,
    pub(super) text: String,
    /// The disk has a row at this position.
    pub(super) is_stored: bool,
    /// The disk has another text, or none.
    pub(super) is_changed: bool,
}

/// The rows of one list.
#[derive(Default)]
pub(super) struct Lines {
    rows: Vec<Row>,
    questions: usize,
    seen: Option<Seen>,
    /// What the last line begins with: those of one call have the same time.
    stamp: Stamp,
}

/// A time as a line has it, with what follows.
#[derive(Default)]
struct Stamp {
    time: i64,
    text: String,
}

/// Hashes of accounts: whose hash is missing is not in the list.
#[derive(Default)]
struct Seen {
    hasher: RandomState,
    hashes: HashSet<u64, BuildHasherDefault<Spread>>,
}

impl Seen {
    fn insert(&mut self, account: &str) {
        self.hashes.insert(self.hasher.hash_one(account));
    }

    fn may_contain(&self, account: &str) -> bool {
        self.hashes.contains(&self.hasher.hash_one(account))
    }
}

impl Lines {
    /// A list of these rows, in their order.
    pub(super) fn of(rows: Vec<Row>) -> Self {
        Self {
            rows,
            ..Self::default()
        }
    }

    pub(super) fn contains(&mut self, account: &str) -> bool {
        self.questions += 1;
        if self.questions == MANY {
            let mut seen = Seen::default();
            for (account, _) in self.entries().flatten() {
                seen.insert(account);
            }
            self.seen = Some(seen);
        }
        let may_contain = |seen: &Seen| seen.may_contain(account);
        self.seen.as_ref().is_none_or(may_contain) && self.find(account).is_some()
    }

    pub(super) fn bytes(&self) -> usize {
        self.rows.iter().map(|row| row.text.capacity()).sum()
    }

    /// Which row has `account`, and the end of what is before it there.
    fn find(&self, account: &str) -> Option<(usize, usize)> {
        let needle = needle(account);
        let finder = memmem::Finder::new(&needle);
        let find = |(index, row): (usize, &Row)| Some((index, finder.find(row.text.as_bytes())?));
        self.rows.iter().enumerate().find_map(find)
    }

    /// Appends an entry that is not in the list.
    pub(super) fn append(&mut self, account: &str, time: i64) {
        if let Some(seen) = &mut self.seen {
            seen.insert(account);
        }
        let needed = account.len() + 13;
        let position = match self.rows.last() {
            Some(row) if row.text.len() + needed <= ROW_BYTES => None,
            Some(row) => Some(row.position + 1),
            None => Some(0),
        };
        if let Some(position) = position {
            self.rows.push(Row {
                position,
                ..Row::default()
            });
        }
        if self.stamp.time != time || self.stamp.text.is_empty() {
            let text = format!("{time}{BEFORE_ACCOUNT}");
            self.stamp = Stamp { time, text };
        }
        let row = self.rows.last_mut().expect("a row was added");
        row.text.push_str(&self.stamp.text);
        row.text.push_str(account);
        row.text.push(END);
        row.is_changed = true;
    }

    /// Removes an entry; whether it was there.
    pub(super) fn remove(&mut self, account: &str) -> bool {
        if !self.contains(account) {
            return false;
        }
        let Some((index, middle)) = self.find(account) else {
            return false;
        };
        let row = &mut self.rows[index];
        let start = row.text[..middle].rfind(END).map_or(0, |end| end + 1);
        let end = middle + needle(account).len();
        row.text.replace_range(start..end, "");
        row.is_changed = true;
        true
    }

    /// Every entry, oldest first.
    pub(super) fn entries(&self) -> impl Iterator<Item = Result<(&str, i64), Damaged>> {
        self.rows.iter().flat_map(|row| entries(&row.text))
    }

    /// Rows that the disk does not have as they are. An empty one is to be removed there.
    pub(super) fn changed(&mut self) -> impl Iterator<Item = &mut Row> {
        self.rows.iter_mut().filter(|row| row.is_changed)
    }
}

/// A line that no version of this library wrote.
#[derive(Debug, PartialEq)]
pub(super) struct Damaged;

/// The entries of one row.
pub(super) fn entries(text: &str) -> impl Iterator<Item = Result<(&str, i64), Damaged>> {
    text.split_terminator(END).map(|line| {
        let (time, account) = line.split_once(BEFORE_ACCOUNT).ok_or(Damaged)?;
        Ok((account, time.parse().map_err(|_| Damaged)?))
    })
}

/// What a row contains when it contains `account`, and only then.
pub(super) fn needle(account: &str) -> String {
    let mut needle = String::with_capacity(account.len() + 2);
    needle.push(BEFORE_ACCOUNT);
    needle.push_str(account);
    needle.push(END);
    needle
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(accounts: std::ops::Range<i64>) -> Lines {
        let mut lines = Lines::default();
        for number in accounts {
            lines.append(&format!("account {number}"), 1000 + number);
        }
        lines
    }

    fn accounts(lines: &Lines) -> Vec<String> {
        let account = |entry: Result<(&str, i64), Damaged>| entry.expect("our line").0.to_owned();
        lines.entries().map(account).collect()
    }

    #[test]
    fn entries_keep_their_order_and_time_over_many_rows() {
        let lines = list(0..1000);
        assert!(lines.rows.len() > 10);
        assert!(lines.rows.iter().all(|row| row.text.len() <= ROW_BYTES));
        for (number, entry) in (0..).zip(lines.entries()) {
            let expected = format!("account {number}");
            assert_eq!(entry, Ok((expected.as_str(), 1000 + number)));
        }
    }

    #[test]
    fn part_of_an_account_is_not_an_account() {
        for questions in [1, 2 * MANY] {
            let mut lines = Lines::default();
            lines.append("a b c", 1);
            for _ in 0..questions {
                for part in ["a", "b", "c", "a b", "b c", "1", "1 a b c"] {
                    assert!(!lines.contains(part), "{part}");
                    assert!(!lines.remove(part), "{part}");
                }
                assert!(lines.contains("a b c"));
            }
        }
    }

    #[test]
    fn what_is_removed_is_gone_and_the_rest_stays() {
        let mut lines = list(0..100);
        for number in (0..100).filter(|number| number % 3 != 0) {
            assert!(lines.remove(&format!("account {number}")));
            assert!(!lines.remove(&format!("account {number}")));
        }
        let left: Vec<_> = (0..100)
            .step_by(3)
            .map(|number| format!("account {number}"))
            .collect();
        assert_eq!(accounts(&lines), left);
        lines.append("account 1", 5);
        assert!(lines.contains("account 1"));
        assert_eq!(
            accounts(&lines).last().map(String::as_str),
            Some("account 1")
        );
    }

    #[test]
    fn only_the_last_row_changes_when_an_entry_is_added() {
        let mut lines = list(0..1000);
        lines.changed().for_each(|row| row.is_changed = false);
        lines.append("one more", 1);
        assert_eq!(lines.changed().count(), 1);
    }

    #[test]
    fn a_line_of_another_kind_is_damage() {
        for text in ["bob", "bob\n", "x\tbob\n", "\tbob\n"] {
            assert!(entries(text).any(|entry| entry == Err(Damaged)), "{text:?}");
        }
    }
}
