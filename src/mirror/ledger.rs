//! What the writer remembers of each owner: which marks are its pairs, when it was refreshed, whose turn it is
//! to be evicted.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroU64;

use super::bucket::Mark;

/// Bytes that an owner costs beside its marks: its entries in the map and in the order, and the allocator's share.
const OWNER_BYTES: u64 = 224;

/// Changes of pairs in their order: blocked or not any more.
#[derive(Default)]
pub(super) struct Journal(Vec<(Mark, bool)>);

/// A listing with the changes since it was asked for, sorted.
pub(super) fn amended(mut marks: Vec<Mark>, journal: &Journal) -> Vec<Mark> {
    marks.sort_unstable();
    marks.dedup();
    for (pair, blocked) in &journal.0 {
        match (marks.binary_search(pair), blocked) {
            (Err(place), true) => marks.insert(place, *pair),
            (Ok(place), false) => drop(marks.remove(place)),
            _ => {}
        }
    }
    marks.shrink_to_fit();
    marks
}

/// One owner.
#[derive(Default)]
pub(super) struct Record {
    /// Exactly the pairs of this owner that are in the table. Empty unless it is known.
    marks: Vec<Mark>,
    /// The word that readers see, when the owner is known.
    pub(super) known: Option<NonZeroU64>,
    pub(super) watched: bool,
    /// Changes since a listing was asked for, when one is under way: of few owners at a time, so elsewhere.
    journal: Option<Box<Journal>>,
}

impl Record {
    pub(super) fn is_loading(&self) -> bool {
        self.journal.is_some()
    }

    /// An eighth more, not twice as much: memory is what this library saves on.
    fn extra(&self) -> usize {
        self.marks.len() / 8 + 4
    }

    fn bytes(&self) -> u64 {
        let journal = self.journal.as_ref();
        let journal = journal.map_or(0, |journal| journal.0.capacity());
        let bytes = self.marks.capacity() * size_of::<Mark>() + journal * size_of::<(Mark, bool)>();
        OWNER_BYTES + bytes as u64
    }
}

/// Whether an owner is watched, its word, and who it is. As bytes, from the highest down: a number would make it a
/// third larger.
type Turn = (bool, [u8; 8], Mark);

fn turn(watched: bool, word: NonZeroU64, owner: Mark) -> Turn {
    (watched, word.get().to_be_bytes(), owner)
}

/// All owners that are known or loading.
#[derive(Default)]
pub(super) struct Ledger {
    owners: HashMap<Mark, Record>,
    /// Known owners: unwatched first, then by age.
    order: BTreeSet<Turn>,
    bytes: u64,
}

impl Ledger {
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What it would add that `owner` has `marks` pairs.
    pub(super) fn bytes_to_hold(&self, owner: Mark, marks: usize) -> u64 {
        let now = self.owners.get(&owner).map_or(0, Record::bytes);
        (OWNER_BYTES + (marks * size_of::<Mark>()) as u64).saturating_sub(now)
    }

    /// What one more pair of a known owner would add.
    pub(super) fn bytes_to_add(&self, owner: Mark) -> u64 {
        let full = |record: &&Record| record.marks.len() == record.marks.capacity();
        let record = self.owners.get(&owner).filter(full);
        record.map_or(0, |record| (record.extra() * size_of::<Mark>()) as u64)
    }

    pub(super) fn known(&self) -> usize {
        self.order.len()
    }

    pub(super) fn get(&self, owner: Mark) -> Option<&Record> {
        self.owners.get(&owner)
    }

    /// The words of the owners that were refreshed longest ago, watched and not.
    pub(super) fn oldest(&self) -> Option<u64> {
        let first = self.order.first();
        let watched = turn(true, NonZeroU64::MIN, Mark::new(0, 0));
        let watched = self.order.range(watched..).next();
        let words = first.into_iter().chain(watched);
        words.map(|turn| u64::from_be_bytes(turn.1)).min()
    }

    /// Who is evicted next, never `spared`.
    pub(super) fn victim(&self, spared: Mark) -> Option<Mark> {
        let mut candidates = self.order.iter().map(|entry| entry.2);
        candidates.find(|owner| *owner != spared)
    }

    /// Changes a record, which is made when it is missing, and keeps the sums right.
    pub(super) fn update<T>(&mut self, owner: Mark, change: impl FnOnce(&mut Record) -> T) -> T {
        let record = self.owners.entry(owner).or_insert_with(|| {
            self.bytes += OWNER_BYTES;
            Record::default()
        });
        let before = (record.watched, record.known, record.bytes());
        let result = change(record);
        self.bytes = self.bytes + record.bytes() - before.2;
        if (before.0, before.1) != (record.watched, record.known) {
            if let Some(word) = before.1 {
                self.order.remove(&turn(before.0, word, owner));
            }
            if let Some(word) = record.known {
                self.order.insert(turn(record.watched, word, owner));
            }
        }
        result
    }

    pub(super) fn forget(&mut self, owner: Mark) {
        if let Some(record) = self.owners.remove(&owner) {
            self.bytes -= record.bytes();
            if let Some(word) = record.known {
                self.order.remove(&turn(record.watched, word, owner));
            }
        }
    }

    pub(super) fn begin_journal(&mut self, owner: Mark) {
        self.update(owner, |record| {
            record.journal.get_or_insert_default();
        });
    }

    pub(super) fn take_journal(&mut self, owner: Mark) -> Option<Box<Journal>> {
        self.owners.get(&owner)?;
        self.update(owner, |record| record.journal.take())
    }

    /// Notes a change of a pair while a listing is under way.
    pub(super) fn write_journal(&mut self, owner: Mark, pair: Mark, blocked: bool) {
        if self.owners.get(&owner).is_some_and(Record::is_loading) {
            self.update(owner, |record| {
                let journal = record.journal.get_or_insert_default();
                journal.0.push((pair, blocked));
            });
        }
    }

    pub(super) fn add_mark(&mut self, owner: Mark, pair: Mark) {
        self.update(owner, |record| {
            if record.marks.len() == record.marks.capacity() {
                record.marks.reserve_exact(record.extra());
            }
            record.marks.push(pair);
        });
    }

    pub(super) fn drop_mark(&mut self, owner: Mark, pair: Mark) {
        self.update(owner, |record| {
            if let Some(index) = record.marks.iter().position(|mark| *mark == pair) {
                record.marks.swap_remove(index);
            }
        });
    }

    /// Gives the owner another list and returns the one before.
    pub(super) fn swap_marks(&mut self, owner: Mark, marks: Vec<Mark>) -> Vec<Mark> {
        self.update(owner, |record| std::mem::replace(&mut record.marks, marks))
    }
}
