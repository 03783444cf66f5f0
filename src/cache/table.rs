//! A hash table that many threads read while one writes: a bucket is one cache line, growth moves one bucket at a
//! time within memory that never moves. The parent module has a diagram and the proof of its memory order.

use std::hint::select_unpredictable;

use super::bucket::{Bucket, Fingerprint, MAX_PASSED, Probe};
use super::memory::{BucketMemory, NoRoom};
use super::sync::{AtomicU64, Ordering};

/// A bucket that a key passes is followed by at most this many more.
pub(super) const MAX_PATH: u64 = 64;

/// The lower part of a shape, which is the frontier.
const FRONTIER: u64 = (1 << 56) - 1;

/// Where a key is, and where its path began.
#[derive(Clone, Copy)]
struct Spot {
    home: u64,
    at: u64,
    slot: usize,
}

/// Where a look-up begins, as of a shape.
#[derive(Clone, Copy)]
pub(super) struct Start {
    pub(super) fingerprint: Fingerprint,
    shape: u64,
    home: u64,
}

/// What only the writer needs. Every method that takes it changes the table: there is one for each table,
/// behind a lock.
#[derive(Default)]
pub(super) struct WriterState {
    /// Keys in the table.
    len: u64,
    /// Of the step under way: where its keys are, and where they were copied to.
    leaving: Vec<Spot>,
    arriving: Vec<Spot>,
}

impl WriterState {
    pub(super) fn len(&self) -> u64 {
        self.len
    }
}

/// A set of fingerprints (`SLOTS` is 7), or a map from fingerprints to a word each (`SLOTS` is at most 3).
pub(super) struct Table<const SLOTS: usize> {
    /// Level in the upper 8 bits, frontier below.
    shape: AtomicU64,
    memory: BucketMemory,
    growth: Growth,
}

/// How a table grows.
#[derive(Clone, Copy)]
pub(super) struct Growth {
    /// Keys for each hundred slots: the more, the smaller the table, and the more look-ups read a second line.
    pub(super) load: u64,
    /// Levels at a time: the more, the fewer times a key moves, and the more memory is unused.
    pub(super) step: u64,
}

/// Buckets of a level: 4, 5, 6 to 16, 18, 20 to 32, 36 and so on.
#[inline(always)]
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
#[inline(always)]
fn scale(word: u64, buckets: u64) -> u64 {
    ((u128::from(word) * u128::from(buckets)) >> 64) as u64
}

impl Growth {
    /// Where the path of `word` begins. It never goes down while the table grows.
    #[inline(always)]
    pub(super) fn home(self, shape: u64, word: u64) -> u64 {
        let (level, frontier) = parts(shape);
        let before = scale(word, buckets(level));
        let after = scale(word, buckets(level + self.step));
        // A branch would be taken for one word and not for the next, and a wrong guess costs as much as a hash.
        select_unpredictable(before < frontier, before, after)
    }

    /// Buckets in use: those below the frontier, and what those above have become.
    fn in_use(self, shape: u64) -> u64 {
        let (level, frontier) = parts(shape);
        let (old, new) = (buckets(level), buckets(level + self.step));
        frontier + new - (frontier * new).div_ceil(old)
    }
}

impl<const SLOTS: usize> Table<SLOTS> {
    pub(super) fn new(growth: Growth) -> Result<Self, NoRoom> {
        let memory = BucketMemory::default();
        memory.reserve(buckets(0) + MAX_PATH)?;
        Ok(Self {
            shape: AtomicU64::new(shape(0, buckets(0))),
            memory,
            growth,
        })
    }

    /// Buckets that are kept for `len` keys.
    fn wanted(&self, len: u64) -> u64 {
        (len * 100).div_ceil(SLOTS as u64 * self.growth.load)
    }

    /// Where the path of `fingerprint` begins, as the writer sees it.
    fn home(&self, fingerprint: Fingerprint) -> u64 {
        let shape = self.shape.load(Ordering::Relaxed);
        self.growth.home(shape, fingerprint.word)
    }

    /// Where a look-up of `fingerprint` begins; the processor is asked for that line.
    #[inline(always)]
    pub(super) fn fetch(&self, fingerprint: Fingerprint) -> Start {
        let start = self.start(fingerprint);
        self.memory.prefetch(start.home);
        start
    }

    /// Where a look-up of `fingerprint` begins.
    #[inline(always)]
    pub(super) fn start(&self, fingerprint: Fingerprint) -> Start {
        let shape = self.shape.load(Ordering::Acquire);
        let home = self.growth.home(shape, fingerprint.word);
        Start {
            fingerprint,
            shape,
            home,
        }
    }

    /// The value of `fingerprint`, 0 in a set; `None` when it is not in the table.
    pub(super) fn find(&self, fingerprint: Fingerprint) -> Option<u64> {
        let seen = self.seek(self.start(fingerprint))?;
        seen.is_here().then(|| seen.value())
    }

    /// Whether the fingerprint is in the table.
    #[inline(always)]
    pub(super) fn contains(&self, start: Start) -> bool {
        self.seek(start).is_some_and(|seen| seen.is_here())
    }

    /// Where the fingerprint is, or the last bucket where it could have been.
    #[inline(always)]
    pub(super) fn seek(&self, mut start: Start) -> Option<Probe<'_, SLOTS>> {
        loop {
            let seen = self.walk(start.home, start.fingerprint)?;
            // A key that moved away was published at its new home before it left the old one.
            let shape = self.shape.load(Ordering::Acquire);
            // Asked first, because this can be predicted.
            if shape == start.shape || seen.is_here() {
                return Some(seen);
            }
            let home = self.growth.home(shape, start.fingerprint.word);
            if home == start.home {
                return Some(seen);
            }
            start = Start {
                shape,
                home,
                ..start
            };
        }
    }

    #[inline(always)]
    fn walk(&self, home: u64, fingerprint: Fingerprint) -> Option<Probe<'_, SLOTS>> {
        let mut at = home;
        loop {
            let seen = self.memory.bucket(at)?.look::<SLOTS>(fingerprint);
            // Asked in this order, because the first can be predicted.
            if seen.passed == 0 || seen.is_here() || at == home + MAX_PATH {
                return Some(seen);
            }
            at += 1;
        }
    }

    /// Puts `fingerprint` in, with `value` in a map. False when it was there; the value is the new one all the same.
    pub(super) fn insert(
        &self,
        writer: &mut WriterState,
        fingerprint: Fingerprint,
        value: u64,
    ) -> Result<bool, NoRoom> {
        let start = self.home(fingerprint);
        let found = self.walk(start, fingerprint).and_then(|seen| seen.spot());
        if let Some((bucket, slot)) = found {
            bucket.set_value::<SLOTS>(slot, value);
            return Ok(false);
        }
        while self.growth.in_use(self.shape.load(Ordering::Relaxed)) < self.wanted(writer.len + 1) {
            self.grow_a_step(writer)?;
        }
        loop {
            let start = self.home(fingerprint);
            if self.put(start, fingerprint, value).is_ok() {
                writer.len += 1;
                return Ok(true);
            }
            self.grow_a_step(writer)?;
        }
    }

    /// Takes `fingerprint` out; whether it was there.
    pub(super) fn remove(&self, writer: &mut WriterState, fingerprint: Fingerprint) -> bool {
        let home = self.home(fingerprint);
        for at in home..=home + MAX_PATH {
            let Some(bucket) = self.memory.bucket(at) else {
                return false;
            };
            let seen = bucket.look::<SLOTS>(fingerprint);
            if let Some((_, slot)) = seen.spot() {
                self.clear(Spot { home, at, slot });
                writer.len -= 1;
                return true;
            }
            if seen.passed == 0 {
                return false;
            }
        }
        false
    }

    /// Makes an empty table large enough for `len` keys at once; others grow as they fill.
    pub(super) fn reserve(&self, writer: &WriterState, len: u64) -> Result<(), NoRoom> {
        let (mut level, _) = parts(self.shape.load(Ordering::Relaxed));
        if writer.len > 0 || buckets(level) >= self.wanted(len) {
            return Ok(());
        }
        while buckets(level) < self.wanted(len) {
            level += 1;
        }
        self.memory.reserve(buckets(level) + MAX_PATH)?;
        self.shape
            .store(shape(level, buckets(level)), Ordering::Release);
        Ok(())
    }

    /// Bytes that the table has in use when it holds `len` keys, and at least what it uses now.
    pub(super) fn bytes_for(&self, len: u64) -> u64 {
        let now = self.growth.in_use(self.shape.load(Ordering::Relaxed));
        now.max(self.wanted(len)) * size_of::<Bucket>() as u64
    }

    /// Gives the keys of the highest home below the frontier their homes of the next level.
    pub(super) fn grow_a_step(&self, writer: &mut WriterState) -> Result<(), NoRoom> {
        let before = self.shape.load(Ordering::Relaxed);
        let (level, frontier) = parts(before);
        let next = level + self.growth.step;
        if frontier == buckets(level) {
            self.memory.reserve(buckets(next) + MAX_PATH)?;
        }
        let leaving = frontier - 1;
        let after = shape(level, leaving);
        writer.leaving.clear();
        writer.arriving.clear();
        let copied = self.copy_home(writer, level, leaving);
        if copied.is_err() {
            for spot in writer.arriving.drain(..) {
                self.clear(spot);
            }
            return copied;
        }
        // The next level with nothing moved gives every key the same home as this one with all moved.
        let after = match leaving {
            0 => shape(next, buckets(next)),
            _ => after,
        };
        self.shape.store(after, Ordering::Release);
        for spot in writer.leaving.drain(..) {
            self.clear(spot);
        }
        Ok(())
    }

    /// Copies every key whose home is `leaving`, the highest of `level` that is left, to its home of the next level.
    fn copy_home(&self, writer: &mut WriterState, level: u64, leaving: u64) -> Result<(), NoRoom> {
        let (old, new) = (buckets(level), buckets(level + self.growth.step));
        for at in leaving..=leaving + MAX_PATH {
            let bucket = self.memory.bucket(at).ok_or(NoRoom)?;
            let passed = bucket.passed();
            for slot in bucket.taken::<SLOTS>() {
                let fingerprint = bucket.fingerprint(slot);
                let arriving = scale(fingerprint.word, new);
                // Nothing arrives where everything leaves from.
                let is_copy = at > leaving
                    && writer
                        .arriving
                        .iter()
                        .any(|spot| spot.at == at && spot.slot == slot);
                if scale(fingerprint.word, old) != leaving || arriving == leaving || is_copy {
                    continue;
                }
                let spot = self.put(arriving, fingerprint, bucket.value::<SLOTS>(slot))?;
                writer.arriving.push(spot);
                writer.leaving.push(Spot {
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

    /// Puts `fingerprint` into the first free slot from `home` on.
    #[inline(always)]
    fn put(&self, home: u64, fingerprint: Fingerprint, value: u64) -> Result<Spot, NoRoom> {
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
            bucket.put::<SLOTS>(slot, fingerprint, value);
            return Ok(Spot { home, at, slot });
        }
        Err(NoRoom)
    }

    fn clear(&self, spot: Spot) {
        if let Some(bucket) = self.memory.bucket(spot.at) {
            bucket.clear(spot.slot);
        }
        for passed in spot.home..spot.at {
            if let Some(bucket) = self.memory.bucket(passed) {
                bucket.one_less_passes();
            }
        }
    }

    /// How many lines a look-up of `fingerprint` reads.
    #[cfg(test)]
    pub(super) fn lines(&self, fingerprint: Fingerprint) -> u64 {
        let start = self.home(fingerprint);
        let mut at = start;
        while self.passed(at) > 0
            && let Some(bucket) = self.memory.bucket(at)
            && !bucket.look::<SLOTS>(fingerprint).is_here()
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
