//! A hash table that many threads read while one writes: a bucket is one cache line, growth moves one
//! bucket at a time within memory that never moves. The module above draws it and argues its order.

use super::memory::Memory;
use super::sync::{AtomicU64, Ordering};

/// A bucket that a key passes is followed by at most this many more.
pub(super) const MAX_PATH: u64 = 64;

/// Most keys that may pass one bucket: a byte.
const MAX_PASSED: u64 = 255;

/// Words of a bucket beside its control word.
const WORDS: usize = 7;

/// How full the table is kept, in percent.
const LOAD: u64 = 60;

/// The lower part of a shape, which is the frontier.
const FRONTIER: u64 = (1 << 56) - 1;

/// What the table keeps of a key: 72 bits of its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C, packed)]
pub(super) struct Mark {
    /// Decides where the key lives; never 0, which is a free slot.
    pub(super) word: u64,
    tag: u8,
}

impl Mark {
    pub(super) fn new(word: u64, tag: u8) -> Self {
        Self {
            word: word.max(1),
            tag,
        }
    }
}

/// One cache line. Byte 0 of `control` counts the keys that passed this bucket because it was full;
/// byte `1 + n` is the tag of slot `n`.
#[repr(C, align(64))]
#[derive(Default)]
pub(super) struct Bucket {
    words: [AtomicU64; WORDS],
    control: AtomicU64,
}

impl Bucket {
    /// The slot of `mark`, if it is one of the first `SLOTS`.
    #[inline]
    fn slot<const SLOTS: usize>(&self, mark: Mark) -> Option<usize> {
        // Without an early end: which slot it is cannot be predicted, that it is one often can.
        let mut equal = 0_u32;
        for slot in 0..SLOTS {
            let word = self.words[slot].load(Ordering::Acquire);
            equal |= u32::from(word == mark.word) << slot;
        }
        while equal != 0 {
            let slot = equal.trailing_zeros() as usize;
            // The tag was stored before the word, so whoever saw the word sees the tag.
            if tag(self.control.load(Ordering::Acquire), slot) == mark.tag {
                return Some(slot);
            }
            equal &= equal - 1;
        }
        None
    }

    fn passed(&self) -> u64 {
        self.control.load(Ordering::Acquire) & MAX_PASSED
    }

    fn free_slot<const SLOTS: usize>(&self) -> Option<usize> {
        (0..SLOTS).find(|&slot| self.words[slot].load(Ordering::Relaxed) == 0)
    }

    fn mark(&self, slot: usize) -> Option<Mark> {
        let word = self.words[slot].load(Ordering::Relaxed);
        let tag = tag(self.control.load(Ordering::Relaxed), slot);
        (word != 0).then_some(Mark { word, tag })
    }

    fn set_tag(&self, slot: usize, tag: u8) {
        let shift = 8 * (slot + 1);
        let others = self.control.load(Ordering::Relaxed) & !(0xff << shift);
        self.control
            .store(others | u64::from(tag) << shift, Ordering::Release);
    }

    fn one_more_passes(&self) {
        let control = self.control.load(Ordering::Relaxed);
        self.control.store(control + 1, Ordering::Release);
    }

    fn one_less_passes(&self) {
        let control = self.control.load(Ordering::Relaxed);
        self.control.store(control - 1, Ordering::Release);
    }
}

fn tag(control: u64, slot: usize) -> u8 {
    control.to_le_bytes()[slot + 1]
}

/// Where a key is, and where its path began.
#[derive(Clone, Copy)]
struct Spot {
    home: u64,
    at: u64,
    slot: usize,
}

/// The memory for more keys cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoRoom;

/// What only the writer needs. Every method that takes it changes the table: there is one for each table,
/// behind a lock.
#[derive(Default)]
pub(super) struct Pen {
    /// Keys in the table.
    len: u64,
    /// Of the step under way: where its keys are, and where they were copied to.
    leaving: Vec<Spot>,
    arriving: Vec<Spot>,
}

impl Pen {
    pub(super) fn len(&self) -> u64 {
        self.len
    }
}

/// A set of marks (`SLOTS` is 7), or a map from marks to a word each (`SLOTS` is at most 3).
pub(super) struct Table<const SLOTS: usize> {
    /// Level in the upper 8 bits, frontier below.
    shape: AtomicU64,
    memory: Memory,
}

/// Buckets of a level: 4, 5, 6 to 16, 18, 20 to 32, 36 and so on.
pub(super) fn buckets(level: u64) -> u64 {
    let level = level + 4;
    if level < 8 {
        level
    } else {
        (8 + (level & 7)) << ((level >> 3) - 1)
    }
}

pub(super) fn shape(level: u64, frontier: u64) -> u64 {
    level << 56 | frontier
}

fn parts(shape: u64) -> (u64, u64) {
    (shape >> 56, shape & FRONTIER)
}

/// `word` as a fraction of its range, times `buckets`.
fn scale(word: u64, buckets: u64) -> u64 {
    ((u128::from(word) * u128::from(buckets)) >> 64) as u64
}

/// Where the path of `word` begins. It never goes down while the table grows.
#[inline]
pub(super) fn home(shape: u64, word: u64) -> u64 {
    let (level, frontier) = parts(shape);
    let before = scale(word, buckets(level));
    let after = scale(word, buckets(level + 1));
    if before < frontier { before } else { after }
}

/// Buckets in use: those below the frontier, and what those above have become.
fn in_use(shape: u64) -> u64 {
    let (level, frontier) = parts(shape);
    let (old, new) = (buckets(level), buckets(level + 1));
    frontier + new - (frontier * new).div_ceil(old)
}

/// Buckets that are kept for `len` keys.
fn wanted<const SLOTS: usize>(len: u64) -> u64 {
    (len * 100).div_ceil(SLOTS as u64 * LOAD)
}

impl<const SLOTS: usize> Table<SLOTS> {
    /// Where the value of a slot stands, if this table has values.
    const VALUES: Option<usize> = if 2 * SLOTS <= WORDS {
        Some(SLOTS)
    } else {
        assert!(SLOTS <= WORDS);
        None
    };

    pub(super) fn new() -> Result<Self, NoRoom> {
        let memory = Memory::default();
        memory.reserve(buckets(0) + MAX_PATH)?;
        Ok(Self {
            shape: AtomicU64::new(shape(0, buckets(0))),
            memory,
        })
    }

    /// Asks the processor for the first line that [`Self::find`] will read.
    pub(super) fn prefetch(&self, mark: Mark) {
        let shape = self.shape.load(Ordering::Relaxed);
        self.memory.prefetch(home(shape, mark.word));
    }

    /// The value of `mark`, 0 in a set; `None` when it is not in the table.
    #[inline]
    pub(super) fn find(&self, mark: Mark) -> Option<u64> {
        let mut start = home(self.shape.load(Ordering::Acquire), mark.word);
        loop {
            if let Some((bucket, slot)) = self.walk(start, mark) {
                let value = Self::VALUES.map_or(0, |first| {
                    bucket.words[first + slot].load(Ordering::Acquire)
                });
                return Some(value);
            }
            // A key that moved away was published at its new home before it left the old one.
            let again = home(self.shape.load(Ordering::Acquire), mark.word);
            if again == start {
                return None;
            }
            start = again;
        }
    }

    #[inline]
    fn walk(&self, start: u64, mark: Mark) -> Option<(&Bucket, usize)> {
        for at in start..=start + MAX_PATH {
            let bucket = self.memory.bucket(at)?;
            if let Some(slot) = bucket.slot::<SLOTS>(mark) {
                return Some((bucket, slot));
            }
            if bucket.passed() == 0 {
                break;
            }
        }
        None
    }

    /// Puts `mark` in, with `value` in a map. False when it was there; the value is the new one all the same.
    pub(super) fn insert(&self, pen: &mut Pen, mark: Mark, value: u64) -> Result<bool, NoRoom> {
        let start = home(self.shape.load(Ordering::Relaxed), mark.word);
        if let Some((bucket, slot)) = self.walk(start, mark) {
            Self::set_value(bucket, slot, value);
            return Ok(false);
        }
        while in_use(self.shape.load(Ordering::Relaxed)) < wanted::<SLOTS>(pen.len + 1) {
            self.grow_a_step(pen)?;
        }
        loop {
            let start = home(self.shape.load(Ordering::Relaxed), mark.word);
            if self.place(start, mark, value).is_ok() {
                pen.len += 1;
                return Ok(true);
            }
            self.grow_a_step(pen)?;
        }
    }

    /// Takes `mark` out; whether it was there.
    pub(super) fn remove(&self, pen: &mut Pen, mark: Mark) -> bool {
        let home = home(self.shape.load(Ordering::Relaxed), mark.word);
        for at in home..=home + MAX_PATH {
            let Some(bucket) = self.memory.bucket(at) else {
                return false;
            };
            if let Some(slot) = bucket.slot::<SLOTS>(mark) {
                self.clear(Spot { home, at, slot });
                pen.len -= 1;
                return true;
            }
            if bucket.passed() == 0 {
                return false;
            }
        }
        false
    }

    /// Makes an empty table large enough for `len` keys at once; others grow as they fill.
    pub(super) fn reserve(&self, pen: &Pen, len: u64) -> Result<(), NoRoom> {
        let (mut level, _) = parts(self.shape.load(Ordering::Relaxed));
        if pen.len > 0 || buckets(level) >= wanted::<SLOTS>(len) {
            return Ok(());
        }
        while buckets(level) < wanted::<SLOTS>(len) {
            level += 1;
        }
        self.memory.reserve(buckets(level) + MAX_PATH)?;
        self.shape
            .store(shape(level, buckets(level)), Ordering::Release);
        Ok(())
    }

    /// Bytes that the table has in use when it holds `len` keys, and at least what it uses now.
    pub(super) fn bytes_for(&self, len: u64) -> u64 {
        let now = in_use(self.shape.load(Ordering::Relaxed));
        now.max(wanted::<SLOTS>(len)) * size_of::<Bucket>() as u64
    }

    /// Gives the keys of the highest home below the frontier their homes of the next level.
    pub(super) fn grow_a_step(&self, pen: &mut Pen) -> Result<(), NoRoom> {
        let before = self.shape.load(Ordering::Relaxed);
        let (level, frontier) = parts(before);
        if frontier == buckets(level) {
            self.memory.reserve(buckets(level + 1) + MAX_PATH)?;
        }
        let leaving = frontier - 1;
        let after = shape(level, leaving);
        pen.leaving.clear();
        pen.arriving.clear();
        let copied = self.copy_home(pen, leaving, before, after);
        if copied.is_err() {
            for spot in pen.arriving.drain(..) {
                self.clear(spot);
            }
            return copied;
        }
        // The next level with nothing moved gives every key the same home as this one with all moved.
        let after = match leaving {
            0 => shape(level + 1, buckets(level + 1)),
            _ => after,
        };
        self.shape.store(after, Ordering::Release);
        for spot in pen.leaving.drain(..) {
            self.clear(spot);
        }
        Ok(())
    }

    /// Copies every key whose home is `leaving` to its home in the shape `after`.
    fn copy_home(
        &self,
        pen: &mut Pen,
        leaving: u64,
        before: u64,
        after: u64,
    ) -> Result<(), NoRoom> {
        for at in leaving..=leaving + MAX_PATH {
            let bucket = self.memory.bucket(at).ok_or(NoRoom)?;
            let passed = bucket.passed();
            for slot in 0..SLOTS {
                let Some(mark) = bucket.mark(slot) else {
                    continue;
                };
                let arriving = home(after, mark.word);
                let copied = pen
                    .arriving
                    .iter()
                    .any(|spot| spot.at == at && spot.slot == slot);
                if copied || home(before, mark.word) != leaving || arriving == leaving {
                    continue;
                }
                let value = Self::VALUES.map_or(0, |first| {
                    bucket.words[first + slot].load(Ordering::Relaxed)
                });
                let spot = self.place(arriving, mark, value)?;
                pen.arriving.push(spot);
                pen.leaving.push(Spot {
                    home: leaving,
                    at,
                    slot,
                });
            }
            if passed == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Puts `mark` into the first free slot from `home` on.
    fn place(&self, home: u64, mark: Mark, value: u64) -> Result<Spot, NoRoom> {
        for at in home..home + MAX_PATH {
            let bucket = self.memory.bucket(at).ok_or(NoRoom)?;
            let Some(slot) = bucket.free_slot::<SLOTS>() else {
                if bucket.passed() == MAX_PASSED {
                    return Err(NoRoom);
                }
                continue;
            };
            for passed in home..at {
                self.memory.bucket(passed).ok_or(NoRoom)?.one_more_passes();
            }
            bucket.set_tag(slot, mark.tag);
            Self::set_value(bucket, slot, value);
            bucket.words[slot].store(mark.word, Ordering::Release);
            return Ok(Spot { home, at, slot });
        }
        Err(NoRoom)
    }

    fn set_value(bucket: &Bucket, slot: usize, value: u64) {
        if let Some(first) = Self::VALUES {
            bucket.words[first + slot].store(value, Ordering::Release);
        }
    }

    fn clear(&self, spot: Spot) {
        if let Some(bucket) = self.memory.bucket(spot.at) {
            bucket.words[spot.slot].store(0, Ordering::Release);
        }
        for passed in spot.home..spot.at {
            if let Some(bucket) = self.memory.bucket(passed) {
                bucket.one_less_passes();
            }
        }
    }

    /// How many lines a look-up of `mark` reads.
    #[cfg(test)]
    pub(super) fn lines(&self, mark: Mark) -> u64 {
        let start = home(self.shape.load(Ordering::Relaxed), mark.word);
        let mut at = start;
        while self.passed(at) > 0
            && let Some(bucket) = self.memory.bucket(at)
            && bucket.slot::<SLOTS>(mark).is_none()
        {
            at += 1;
        }
        at - start + 1
    }

    /// How many keys passed a bucket.
    #[cfg(test)]
    pub(super) fn passed(&self, at: u64) -> u64 {
        self.memory.bucket(at).map_or(0, Bucket::passed)
    }
}
