//! Writes that are on disk only: a few bytes in memory for each.
//!
//! Writes are loaded in order of acceptance, owner by owner: if a write of an owner stays here because too many of
//! that owner are in memory, the later ones of the same owner stay too, until the next pass starts with the oldest.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

use foldhash::fast::FixedState;

use super::CallId;
use super::owner_counts::{OwnerCounts, OwnerHash};
use crate::api::Command;

/// Rows that share a block: one is allocated at a time.
const CHUNK: usize = 1024;
/// So many rows are looked at in one go.
const LOOKS: usize = 16_384;

const TAKEN: u32 = 1 << 31;
const TAGGED: u32 = 1 << 30;
const DELETE: u32 = 1 << 29;
const FLAGS: u32 = TAKEN | TAGGED | DELETE;

/// A write on disk. Without padding, as there may be millions.
struct BacklogRow {
    owner: OwnerHash,
    /// From the first id of the chunk.
    offset: u32,
    /// What it takes of `outbox.max_bytes`, and flags.
    bytes: u32,
    /// Unix seconds, as near as they fit.
    accepted: u32,
}

struct BacklogChunk {
    first: CallId,
    rows: Vec<BacklogRow>,
    /// What callers gave with their calls: one for each row, or none at all.
    tags: Vec<u64>,
    left: usize,
}

/// One write of the backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) id: CallId,
    pub(super) owner: OwnerHash,
    pub(super) bytes: u64,
    pub(super) accepted: i64,
    pub(super) command: Command,
    pub(super) tag: Option<u64>,
}

/// What may be taken at once.
pub(super) struct Wanted {
    pub(super) records: usize,
    pub(super) bytes: u64,
    /// Only writes before this one are on disk.
    pub(super) before: CallId,
    /// Most writes of one owner in memory.
    pub(super) of_owner: usize,
}

/// Writes that are on disk only.
pub(super) struct Backlog {
    chunks: VecDeque<BacklogChunk>,
    len: usize,
    /// How many writes of each owner are here or on their way back.
    owners: OwnerCounts,
    hashing: RandomState,
    /// Where the pass continues.
    next: CallId,
    /// Owners of which a write was left in this pass.
    left: HashSet<OwnerHash, FixedState>,
    /// Something changed since the pass began: there is use in another one.
    is_stirred: bool,
}

impl Backlog {
    pub(super) fn new() -> Self {
        Self {
            chunks: VecDeque::new(),
            len: 0,
            owners: OwnerCounts::new(),
            hashing: RandomState::new(),
            next: 0,
            left: HashSet::default(),
            is_stirred: true,
        }
    }

    pub(super) fn owner(&self, account: &str) -> OwnerHash {
        let hash = self.hashing.hash_one(account);
        OwnerHash::of_word(hash)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Whether writes of `owner` are here or on their way back.
    pub(super) fn holds(&self, owner: OwnerHash) -> bool {
        self.owners.has(owner)
    }

    /// Takes a write that is accepted after all others here.
    pub(super) fn push(&mut self, write: &Waiting) {
        let fits = |chunk: &BacklogChunk| {
            chunk.rows.len() < CHUNK && u32::try_from(write.id - chunk.first).is_ok()
        };
        if !self.chunks.back().is_some_and(fits) {
            self.chunks.push_back(BacklogChunk {
                first: write.id,
                rows: Vec::with_capacity(CHUNK),
                tags: Vec::new(),
                left: 0,
            });
        }
        let Some(chunk) = self.chunks.back_mut() else {
            return;
        };
        chunk.push(write);
        self.len += 1;
        self.owners.add(write.owner);
        self.is_stirred = true;
    }

    /// The oldest write.
    pub(super) fn first(&self) -> Option<Waiting> {
        self.iter().next()
    }

    /// The writes from `id` on.
    pub(super) fn from(&self, id: CallId) -> impl Iterator<Item = Waiting> {
        let first = self.chunks.partition_point(|chunk| chunk.last() < id);
        let late = self.chunks.range(first..).flat_map(BacklogChunk::iter);
        late.filter(move |write| write.id >= id)
    }

    /// Whether the write is here.
    pub(super) fn has(&self, id: CallId) -> bool {
        self.from(id).next().is_some_and(|write| write.id == id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Waiting> {
        self.chunks.iter().flat_map(BacklogChunk::iter)
    }

    /// The writes of callers with this tag.
    pub(super) fn with_tag(&self, tag: u64) -> Vec<CallId> {
        let chunks = self.chunks.iter();
        let chunks = chunks.filter(|chunk| chunk.tags.contains(&tag));
        let own = chunks
            .flat_map(BacklogChunk::iter)
            .filter(|write| write.tag == Some(tag));
        own.map(|write| write.id).collect()
    }

    /// Removes the tags.
    pub(super) fn forget_tags(&mut self) {
        for chunk in &mut self.chunks {
            chunk.tags = Vec::new();
            for row in &mut chunk.rows {
                row.bytes &= !TAGGED;
            }
        }
    }

    /// Takes a write out. It still counts for its owner, until `release`.
    pub(super) fn remove(&mut self, id: CallId) -> Option<Waiting> {
        let index = self.chunks.partition_point(|chunk| chunk.last() < id);
        let chunk = self.chunks.get_mut(index)?;
        let offset = u32::try_from(id.checked_sub(chunk.first)?).ok()?;
        let row = chunk
            .rows
            .binary_search_by_key(&offset, |row| row.offset)
            .ok()?;
        let write = chunk.waiting(row)?;
        self.take(index, row);
        Some(write)
    }

    /// Marks a row as taken, and forgets its chunk when it is the last.
    fn take(&mut self, chunk: usize, row: usize) {
        self.len -= 1;
        let own = &mut self.chunks[chunk];
        own.rows[row].bytes |= TAKEN;
        own.left -= 1;
        // The last chunk may get more.
        if own.left == 0 && (own.rows.len() == CHUNK || chunk + 1 < self.chunks.len()) {
            self.chunks.remove(chunk);
        }
    }

    /// A write that was taken out has arrived where it goes. True when it was the last of its owner.
    pub(super) fn release(&mut self, owner: OwnerHash) -> bool {
        self.owners.remove(owner)
    }

    /// There is less of `owner` in memory: a new pass may find something.
    pub(super) fn stir(&mut self, owner: OwnerHash) {
        self.is_stirred |= self.holds(owner);
    }

    /// More is on disk, or there is more room: the next pass may find something.
    pub(super) fn go_on(&mut self) {
        self.is_stirred = true;
    }

    /// Whether [`Self::next`] may find something.
    pub(super) fn has_next(&self) -> bool {
        self.len > 0 && (self.is_stirred || self.next > 0)
    }

    /// Takes the next writes out, in order; `in_memory` knows how many there are of an owner. May find none and still
    /// have more: see [`Self::has_next`].
    pub(super) fn next(
        &mut self,
        wanted: &Wanted,
        in_memory: impl Fn(OwnerHash) -> usize,
    ) -> Vec<Waiting> {
        if self.next == 0 {
            self.is_stirred = false;
        }
        let mut found: Vec<Waiting> = Vec::new();
        let mut counts: HashMap<OwnerHash, usize, FixedState> = HashMap::default();
        let (mut bytes, mut looks) = (0, 0);
        let mut index = self
            .chunks
            .partition_point(|chunk| chunk.last() < self.next);
        let mut is_over = true;
        'pass: while let Some(chunk) = self.chunks.get(index) {
            for write in chunk.iter().filter(|write| write.id >= self.next) {
                looks += 1;
                if write.id >= wanted.before {
                    break 'pass;
                }
                let is_enough = found.len() == wanted.records
                    || (bytes > 0 && bytes + write.bytes > wanted.bytes);
                if looks > LOOKS || is_enough {
                    self.next = write.id;
                    is_over = false;
                    break 'pass;
                }
                if self.left.contains(&write.owner) {
                    continue;
                }
                let count = counts
                    .entry(write.owner)
                    .or_insert_with(|| in_memory(write.owner));
                if *count >= wanted.of_owner {
                    self.left.insert(write.owner);
                    continue;
                }
                *count += 1;
                bytes += write.bytes;
                found.push(write);
            }
            index += 1;
        }
        if is_over {
            self.next = 0;
            self.left.clear();
        }
        for write in &found {
            self.remove(write.id);
        }
        found
    }
}

impl BacklogChunk {
    fn push(&mut self, write: &Waiting) {
        let mut flags = 0;
        if write.command == Command::Delete {
            flags |= DELETE;
        }
        if let Some(tag) = write.tag {
            flags |= TAGGED;
            if self.tags.is_empty() {
                self.tags.reserve_exact(CHUNK);
                self.tags.resize(self.rows.len(), 0);
            }
            self.tags.push(tag);
        } else if !self.tags.is_empty() {
            self.tags.push(0);
        }
        let bytes = u32::try_from(write.bytes).unwrap_or(u32::MAX).min(!FLAGS);
        let accepted = write.accepted.clamp(0, i64::from(u32::MAX));
        self.rows.push(BacklogRow {
            owner: write.owner,
            offset: u32::try_from(write.id - self.first).expect("it fits this chunk"),
            bytes: bytes | flags,
            accepted: u32::try_from(accepted).expect("clamped"),
        });
        self.left += 1;
    }

    /// The greatest id.
    fn last(&self) -> CallId {
        let last = self.rows.last().map_or(0, |row| row.offset);
        self.first + u64::from(last)
    }

    fn iter(&self) -> impl Iterator<Item = Waiting> {
        (0..self.rows.len()).filter_map(|row| self.waiting(row))
    }

    /// The write in a row that was not taken.
    fn waiting(&self, index: usize) -> Option<Waiting> {
        let row = &self.rows[index];
        let is = |flag| row.bytes & flag != 0;
        (!is(TAKEN)).then(|| Waiting {
            id: self.first + u64::from(row.offset),
            owner: row.owner,
            bytes: u64::from(row.bytes & !FLAGS),
            accepted: i64::from(row.accepted),
            command: if is(DELETE) {
                Command::Delete
            } else {
                Command::Add
            },
            tag: is(TAGGED).then(|| self.tags[index]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(backlog: &Backlog, id: CallId, owner: &str) -> Waiting {
        Waiting {
            id,
            owner: backlog.owner(owner),
            bytes: 100,
            accepted: 7,
            command: Command::Add,
            tag: id.is_multiple_of(2).then_some(id),
        }
    }

    fn backlog(owners: &[&str]) -> Backlog {
        let mut backlog = Backlog::new();
        for (id, owner) in owners.iter().enumerate() {
            let write = waiting(&backlog, id as u64, owner);
            backlog.push(&write);
        }
        backlog
    }

    fn wanted(records: usize, of_owner: usize) -> Wanted {
        Wanted {
            records,
            bytes: u64::MAX,
            before: CallId::MAX,
            of_owner,
        }
    }

    fn ids(writes: &[Waiting]) -> Vec<CallId> {
        writes.iter().map(|write| write.id).collect()
    }

    /// What is promised: at most 64 bytes for each, also when every owner has one write and every call a tag.
    #[test]
    fn a_write_on_disk_takes_at_most_64_bytes_of_memory() {
        assert_eq!(size_of::<BacklogRow>(), 20);
        // A hash table grows when 7 of 8 slots are used, and has one more byte per slot.
        let places = |bytes: usize| (bytes + 1) * 16 / 7;
        let owner = places(size_of::<(OwnerHash, u32)>());
        assert!(size_of::<BacklogRow>() + size_of::<u64>() + owner <= 64);
    }

    #[test]
    fn writes_come_back_in_order_and_as_they_were() {
        let mut backlog = backlog(&vec!["ann"; 3000]);
        let all: Vec<_> = (0..3000).map(|id| waiting(&backlog, id, "ann")).collect();
        assert_eq!((backlog.len(), backlog.first()), (3000, Some(all[0])));
        assert_eq!(backlog.from(2500).count(), 500);
        assert!(backlog.has(2999) && !backlog.has(3000));
        assert_eq!(backlog.with_tag(2000), [2000]);
        assert_eq!(backlog.remove(1), Some(all[1]));
        assert_eq!(backlog.remove(1), None);
        let mut found = Vec::new();
        while backlog.has_next() {
            found.extend(backlog.next(&wanted(500, usize::MAX), |_| 0));
        }
        assert_eq!(found.len(), 2999);
        assert_eq!((found[0], found[1]), (all[0], all[2]));
        assert!(found.is_sorted_by_key(|write| write.id));
        assert_eq!((backlog.len(), backlog.first()), (0, None));
        let ann = backlog.owner("ann");
        let last: Vec<_> = (0..3000).map(|_| backlog.release(ann)).collect();
        assert!(last[2999] && !last[2998] && !backlog.holds(ann));
    }

    #[test]
    fn an_owner_with_much_in_memory_lets_others_pass_and_keeps_its_order() {
        let mut backlog = backlog(&["ann", "ann", "bob", "ann", "bob", "cat"]);
        let ann = backlog.owner("ann");
        let found = backlog.next(&wanted(10, 2), |owner| usize::from(owner == ann));
        assert_eq!(ids(&found), [0, 2, 4, 5]);
        assert!(!backlog.has_next(), "nothing changes by itself");
        backlog.stir(ann);
        let found = backlog.next(&wanted(10, 2), |_| 1);
        assert_eq!(ids(&found), [1]);
        backlog.stir(ann);
        assert_eq!(ids(&backlog.next(&wanted(10, 2), |_| 0)), [3]);
    }

    #[test]
    fn what_is_not_on_disk_yet_does_not_come_back() {
        let mut backlog = backlog(&["ann", "bob", "cat"]);
        let before = |before| Wanted {
            before,
            ..wanted(10, 10)
        };
        assert_eq!(ids(&backlog.next(&before(2), |_| 0)), [0, 1]);
        assert!(backlog.next(&before(2), |_| 0).is_empty() && !backlog.has_next());
        backlog.go_on();
        assert_eq!(ids(&backlog.next(&before(3), |_| 0)), [2]);
    }
}
