//! Owners in few bytes, and how many writes each has on disk only.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use foldhash::fast::FixedState;

/// A table that grows is in memory twice for a moment. Of so many small ones only one is.
const TABLES: usize = 64;
/// A table with fewer places than this stays as it is.
const SMALL: usize = 64;

/// A hash of an owner. Two owners with the same one, which cannot be provoked, wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OwnerHash([u32; 2]);

impl OwnerHash {
    #[allow(clippy::cast_possible_truncation, reason = "the two halves")]
    pub(super) fn of_word(word: u64) -> Self {
        Self([word as u32, (word >> 32) as u32])
    }

    fn word(self) -> u64 {
        u64::from(self.0[0]) | u64::from(self.0[1]) << 32
    }

    /// A part of it.
    pub(super) fn byte(self) -> u8 {
        self.0[0].to_le_bytes()[0]
    }
}

/// As one word: it is a keyed hash already.
impl Hash for OwnerHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.word());
    }
}

pub(super) struct OwnerCounts([HashMap<OwnerHash, u32, FixedState>; TABLES]);

impl OwnerCounts {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| HashMap::default()))
    }

    pub(super) fn has(&self, owner: OwnerHash) -> bool {
        self.0[index(owner)].contains_key(&owner)
    }

    pub(super) fn add(&mut self, owner: OwnerHash) {
        *self.0[index(owner)].entry(owner).or_default() += 1;
    }

    /// One write less. True when it was the last of its owner.
    pub(super) fn remove(&mut self, owner: OwnerHash) -> bool {
        let table = &mut self.0[index(owner)];
        let Some(count) = table.get_mut(&owner) else {
            return true;
        };
        *count -= 1;
        let is_last = *count == 0;
        if is_last {
            table.remove(&owner);
            if table.capacity() > SMALL && table.capacity() / 4 > table.len() {
                table.shrink_to(table.len() * 2);
            }
        }
        is_last
    }

    #[cfg(test)]
    fn places(&self) -> usize {
        self.0.iter().map(HashMap::capacity).sum()
    }
}

fn index(owner: OwnerHash) -> usize {
    usize::from(owner.byte()) % TABLES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_shrink_with_their_owners() {
        let hash = |number: u64| OwnerHash::of_word(number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let owners = || (0..100_000).map(hash);
        let mut counts = OwnerCounts::new();
        owners().for_each(|owner| counts.add(owner));
        let full = counts.places();
        assert!((100_000..250_000).contains(&full), "{full}");
        for owner in owners().skip(1000) {
            assert!(counts.remove(owner) && !counts.has(owner));
        }
        assert!(counts.places() < 10_000, "{}", counts.places());
        assert!(owners().take(1000).all(|owner| counts.has(owner)));
    }
}
