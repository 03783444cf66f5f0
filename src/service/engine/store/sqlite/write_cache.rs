//! Write cache: counters of recently written lists, so that an add does not have to read the list first.

use std::collections::HashMap;

use super::super::List;

/// Number of owners at which it is emptied: about 2 MiB.
const MAX_OWNERS: usize = 16_384;

/// Counters by owner inside the open transaction. Between two transactions they are those on disk, because no other
/// program changes the file.
#[derive(Default)]
pub(super) struct WriteCache {
    owners: HashMap<Box<str>, Counters>,
}

/// What is known of the list of one owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) entries: usize,
    /// The sequence that was saved last.
    pub(super) sequence: u64,
    /// The position of the next pair.
    pub(super) next_position: i64,
    /// No row has a higher sequence.
    pub(super) highest: u64,
    /// A row with this sequence exists.
    pub(super) is_in_rows: bool,
}

impl Counters {
    pub(super) fn list<'a>(&self, owner: &'a str) -> List<'a> {
        List {
            owner,
            entries: self.entries,
            sequence: self.sequence,
        }
    }
}

impl WriteCache {
    pub(super) fn get(&self, owner: &str) -> Option<&Counters> {
        self.owners.get(owner)
    }

    pub(super) fn get_mut(&mut self, owner: &str) -> Option<&mut Counters> {
        self.owners.get_mut(owner)
    }

    pub(super) fn insert(&mut self, owner: &str, counters: Counters) {
        self.owners.insert(owner.into(), counters);
    }

    pub(super) fn remove(&mut self, owner: &str) {
        self.owners.remove(owner);
    }

    /// Empties the cache after a rollback.
    pub(super) fn clear(&mut self) {
        self.owners.clear();
    }

    /// To be called between two transactions.
    pub(super) fn keep_small(&mut self) {
        if self.owners.len() > MAX_OWNERS {
            self.owners = HashMap::new();
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.owners.len()
    }
}
