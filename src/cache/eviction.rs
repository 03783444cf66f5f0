//! The writer's record of each owner: the fingerprints of its pairs, the time of its last refresh, and the LRU order
//! for eviction.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::num::NonZeroU64;

use super::bucket::Fingerprint;

/// Bytes that an owner costs beside its fingerprints: its entries in the map and in the order, and the allocator's share.
const OWNER_BYTES: u64 = 224;

/// Most changes that are kept for a listing: more than a list has entries, several times.
const MOST_AMENDMENTS: usize = 4096;

/// Changes of pairs in their order: blocked or not any more.
#[derive(Default)]
pub(super) struct Amendments(Vec<(Fingerprint, bool)>);

impl Amendments {
    /// Whether there is room for more, when only the last change of each pair is kept.
    fn has_room(&mut self) -> bool {
        if self.0.len() < MOST_AMENDMENTS {
            return true;
        }
        let mut seen = HashSet::new();
        let last = self.0.drain(..).rev();
        let mut last: Vec<_> = last.filter(|(pair, _)| seen.insert(*pair)).collect();
        last.reverse();
        self.0 = last;
        self.0.len() <= MOST_AMENDMENTS / 2
    }
}

/// A listing with the changes since it was asked for, sorted.
pub(super) fn amended(
    mut fingerprints: Vec<Fingerprint>,
    journal: &Amendments,
) -> Vec<Fingerprint> {
    fingerprints.sort_unstable();
    fingerprints.dedup();
    for (pair, blocked) in &journal.0 {
        match (fingerprints.binary_search(pair), blocked) {
            (Err(place), true) => fingerprints.insert(place, *pair),
            (Ok(place), false) => drop(fingerprints.remove(place)),
            _ => {}
        }
    }
    fingerprints.shrink_to_fit();
    fingerprints
}

/// One owner.
#[derive(Default)]
pub(super) struct OwnerRecord {
    /// Exactly the pairs of this owner that are in the table. Empty unless it is known.
    fingerprints: Vec<Fingerprint>,
    /// The word that readers see, when the owner is known.
    pub(super) known: Option<NonZeroU64>,
    pub(super) watched: bool,
    /// Changes since a listing was asked for, when one is under way: of few owners at a time, so elsewhere.
    journal: Option<Box<Amendments>>,
}

impl OwnerRecord {
    pub(super) fn is_loading(&self) -> bool {
        self.journal.is_some()
    }

    /// An eighth more, not twice as much: memory is what this library saves on.
    fn extra(&self) -> usize {
        self.fingerprints.len() / 8 + 4
    }

    fn bytes(&self) -> u64 {
        let journal = self.journal.as_ref();
        let journal = journal.map_or(0, |journal| journal.0.capacity());
        let bytes = self.fingerprints.capacity() * size_of::<Fingerprint>()
            + journal * size_of::<(Fingerprint, bool)>();
        OWNER_BYTES + bytes as u64
    }
}

/// Whether an owner is watched, its word, and its number. As bytes, from the highest down: a number would make it a
/// third larger.
type EvictionTurn = (bool, [u8; 8], Fingerprint);

fn turn(watched: bool, word: NonZeroU64, owner: Fingerprint) -> EvictionTurn {
    (watched, word.get().to_be_bytes(), owner)
}

/// All owners that are known or loading.
#[derive(Default)]
pub(super) struct OwnerRecords {
    owners: HashMap<Fingerprint, OwnerRecord>,
    /// Known owners: unwatched first, then by age.
    order: BTreeSet<EvictionTurn>,
    /// Those of them whose word is below this one.
    expired: usize,
    expired_below: u64,
    bytes: u64,
}

impl OwnerRecords {
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What it would add that `owner` has `fingerprints` pairs.
    pub(super) fn bytes_to_hold(&self, owner: Fingerprint, fingerprints: usize) -> u64 {
        let now = self.owners.get(&owner).map_or(0, OwnerRecord::bytes);
        (OWNER_BYTES + (fingerprints * size_of::<Fingerprint>()) as u64).saturating_sub(now)
    }

    /// What one more pair of a known owner would add.
    pub(super) fn bytes_to_add(&self, owner: Fingerprint) -> u64 {
        let full =
            |record: &&OwnerRecord| record.fingerprints.len() == record.fingerprints.capacity();
        let record = self.owners.get(&owner).filter(full);
        record.map_or(0, |record| {
            (record.extra() * size_of::<Fingerprint>()) as u64
        })
    }

    pub(super) fn known(&self) -> usize {
        self.order.len()
    }

    /// Known owners with a word below `below`, which only grows: those that expired since it was asked are counted.
    pub(super) fn expired(&mut self, below: u64) -> usize {
        let word = |word| NonZeroU64::new(word).unwrap_or(NonZeroU64::MIN);
        let (from, to) = (word(self.expired_below), word(below));
        if from < to {
            let first = Fingerprint::new(0, 0);
            for watched in [false, true] {
                let since = turn(watched, from, first)..turn(watched, to, first);
                self.expired += self.order.range(since).count();
            }
            self.expired_below = below;
        }
        self.expired
    }

    pub(super) fn get(&self, owner: Fingerprint) -> Option<&OwnerRecord> {
        self.owners.get(&owner)
    }

    /// The words of the owners that were refreshed longest ago, watched and not.
    pub(super) fn oldest(&self) -> Option<u64> {
        let first = self.order.first();
        let watched = turn(true, NonZeroU64::MIN, Fingerprint::new(0, 0));
        let watched = self.order.range(watched..).next();
        let words = first.into_iter().chain(watched);
        words.map(|turn| u64::from_be_bytes(turn.1)).min()
    }

    /// The owner to evict next, never `spared`.
    pub(super) fn victim(&self, spared: Fingerprint) -> Option<Fingerprint> {
        let mut candidates = self.order.iter().map(|entry| entry.2);
        candidates.find(|owner| *owner != spared)
    }

    /// Changes a record, which is made when it is missing, and keeps the sums right.
    pub(super) fn update<T>(
        &mut self,
        owner: Fingerprint,
        change: impl FnOnce(&mut OwnerRecord) -> T,
    ) -> T {
        let record = self.owners.entry(owner).or_insert_with(|| {
            self.bytes += OWNER_BYTES;
            OwnerRecord::default()
        });
        let (before, bytes) = ((record.watched, record.known), record.bytes());
        let result = change(record);
        let after = (record.watched, record.known);
        self.bytes = self.bytes + record.bytes() - bytes;
        if before != after {
            self.leave_order(before, owner);
            self.enter_order(after, owner);
        }
        result
    }

    pub(super) fn forget(&mut self, owner: Fingerprint) {
        if let Some(record) = self.owners.remove(&owner) {
            self.bytes -= record.bytes();
            self.leave_order((record.watched, record.known), owner);
        }
    }

    fn enter_order(&mut self, (watched, word): (bool, Option<NonZeroU64>), owner: Fingerprint) {
        if let Some(word) = word {
            self.expired += usize::from(word.get() < self.expired_below);
            self.order.insert(turn(watched, word, owner));
        }
    }

    fn leave_order(&mut self, (watched, word): (bool, Option<NonZeroU64>), owner: Fingerprint) {
        if let Some(word) = word {
            self.expired -= usize::from(word.get() < self.expired_below);
            self.order.remove(&turn(watched, word, owner));
        }
    }

    pub(super) fn begin_journal(&mut self, owner: Fingerprint) {
        self.update(owner, |record| {
            record.journal.get_or_insert_default();
        });
    }

    pub(super) fn take_journal(&mut self, owner: Fingerprint) -> Option<Box<Amendments>> {
        self.owners.get(&owner)?;
        self.update(owner, |record| record.journal.take())
    }

    /// Notes a change of a pair while a listing is under way. After too many the listing counts as failed.
    pub(super) fn write_journal(&mut self, owner: Fingerprint, pair: Fingerprint, blocked: bool) {
        if !self.owners.get(&owner).is_some_and(OwnerRecord::is_loading) {
            return;
        }
        let is_useless = self.update(owner, |record| {
            record.journal.take_if(|journal| !journal.has_room());
            if let Some(journal) = &mut record.journal {
                journal.0.push((pair, blocked));
            }
            record.journal.is_none() && record.known.is_none()
        });
        if is_useless {
            self.forget(owner);
        }
    }

    pub(super) fn add_fingerprint(&mut self, owner: Fingerprint, pair: Fingerprint) {
        self.update(owner, |record| {
            if record.fingerprints.len() == record.fingerprints.capacity() {
                record.fingerprints.reserve_exact(record.extra());
            }
            record.fingerprints.push(pair);
        });
    }

    pub(super) fn drop_fingerprint(&mut self, owner: Fingerprint, pair: Fingerprint) {
        self.update(owner, |record| {
            if let Some(index) = record
                .fingerprints
                .iter()
                .position(|fingerprint| *fingerprint == pair)
            {
                record.fingerprints.swap_remove(index);
            }
        });
    }

    /// Gives the owner another list and returns the one before.
    pub(super) fn swap_fingerprints(
        &mut self,
        owner: Fingerprint,
        fingerprints: Vec<Fingerprint>,
    ) -> Vec<Fingerprint> {
        self.update(owner, |record| {
            std::mem::replace(&mut record.fingerprints, fingerprints)
        })
    }
}
