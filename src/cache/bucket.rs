//! One cache line of a table: the fingerprints of a few keys, with a value each in a map.

use super::sync::{AtomicU64, Ordering};

/// Most keys that may pass one bucket: a byte.
pub(super) const MAX_PASSED: u64 = 255;

/// Words of a bucket beside its control word.
const WORDS: usize = 7;

/// What the table keeps of a key: 72 bits of its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C, packed)]
pub(super) struct Fingerprint {
    /// Decides where the key lives; never 0, which is a free slot.
    pub(super) word: u64,
    tag: u8,
}

impl Fingerprint {
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
    /// Looks for `fingerprint` in the first `SLOTS` slots.
    #[inline(always)]
    pub(super) fn look<const SLOTS: usize>(&self, fingerprint: Fingerprint) -> Probe<'_, SLOTS> {
        // Without a branch: neither whether it is here nor where can be predicted.
        let mut equal = 0;
        for slot in 0..SLOTS {
            let word = self.words[slot].load(Ordering::Acquire);
            equal |= u64::from(word == fingerprint.word) << (8 * (slot + 1));
        }
        // The tag was stored before the word, so a reader that saw the word sees the tag.
        let control = self.control.load(Ordering::Acquire);
        Probe {
            bucket: self,
            here: equal & bytes_equal_to(control, fingerprint.tag),
            passed: control & MAX_PASSED,
        }
    }

    /// How many keys passed this bucket.
    pub(super) fn passed(&self) -> u64 {
        self.control.load(Ordering::Acquire) & MAX_PASSED
    }

    pub(super) fn free_slot<const SLOTS: usize>(&self) -> Option<usize> {
        let Slots(taken) = self.taken::<SLOTS>();
        let slot = taken.trailing_ones() as usize;
        (slot < SLOTS).then_some(slot)
    }

    /// The slots that have a key. Without a branch: which those are cannot be predicted.
    #[inline(always)]
    pub(super) fn taken<const SLOTS: usize>(&self) -> Slots {
        let is_taken = |slot: usize| self.words[slot].load(Ordering::Relaxed) != 0;
        Slots((0..SLOTS).fold(0, |taken, slot| taken | u32::from(is_taken(slot)) << slot))
    }

    /// The key in a slot that is taken.
    #[inline(always)]
    pub(super) fn fingerprint(&self, slot: usize) -> Fingerprint {
        Fingerprint {
            word: self.words[slot].load(Ordering::Relaxed),
            tag: tag(self.control.load(Ordering::Relaxed), slot),
        }
    }

    /// Index of the value of the first slot; values follow the words of a map.
    const fn values<const SLOTS: usize>() -> Option<usize> {
        assert!(SLOTS <= WORDS);
        if 2 * SLOTS <= WORDS {
            Some(SLOTS)
        } else {
            None
        }
    }

    /// The value in `slot`, 0 in a set.
    #[inline(always)]
    pub(super) fn value<const SLOTS: usize>(&self, slot: usize) -> u64 {
        const { Self::values::<SLOTS>() }
            .map_or(0, |first| self.words[first + slot].load(Ordering::Acquire))
    }

    pub(super) fn set_value<const SLOTS: usize>(&self, slot: usize, value: u64) {
        if let Some(first) = const { Self::values::<SLOTS>() } {
            self.words[first + slot].store(value, Ordering::Release);
        }
    }

    /// Fills a free slot. A reader that sees the word sees the rest.
    pub(super) fn put<const SLOTS: usize>(
        &self,
        slot: usize,
        fingerprint: Fingerprint,
        value: u64,
    ) {
        self.set_tag(slot, fingerprint.tag);
        self.set_value::<SLOTS>(slot, value);
        self.words[slot].store(fingerprint.word, Ordering::Release);
    }

    pub(super) fn clear(&self, slot: usize) {
        self.words[slot].store(0, Ordering::Release);
    }

    fn set_tag(&self, slot: usize, tag: u8) {
        let shift = 8 * (slot + 1);
        let others = self.control.load(Ordering::Relaxed) & !(0xff << shift);
        self.control
            .store(others | u64::from(tag) << shift, Ordering::Release);
    }

    pub(super) fn one_more_passes(&self) {
        let control = self.control.load(Ordering::Relaxed);
        self.control.store(control + 1, Ordering::Release);
    }

    pub(super) fn one_less_passes(&self) {
        let control = self.control.load(Ordering::Relaxed);
        self.control.store(control - 1, Ordering::Release);
    }
}

/// Slots of a bucket by number, lowest first; each is a bit.
pub(super) struct Slots(u32);

impl Iterator for Slots {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        let slot = self.0.trailing_zeros();
        self.0 &= self.0.checked_sub(1)?;
        Some(slot as usize)
    }
}

/// The lowest bit of each byte of `bytes` that is `byte`.
#[inline(always)]
fn bytes_equal_to(bytes: u64, byte: u8) -> u64 {
    const LOWEST: u64 = 0x0101_0101_0101_0101;
    const ALL_BUT_HIGHEST: u64 = 0x7f * LOWEST;
    let different = bytes ^ (u64::from(byte) * LOWEST);
    // The highest bit of each byte that is not 0; nothing is carried from one byte into another.
    let not_zero = ((different & ALL_BUT_HIGHEST) + ALL_BUT_HIGHEST) | different;
    !(not_zero >> 7) & LOWEST
}

fn tag(control: u64, slot: usize) -> u8 {
    control.to_le_bytes()[slot + 1]
}

/// A bucket that was looked at for a key.
#[derive(Clone, Copy)]
pub(super) struct Probe<'a, const SLOTS: usize> {
    bucket: &'a Bucket,
    /// A bit in byte `1 + n` when the key is in slot `n`.
    here: u64,
    /// How many keys passed this bucket.
    pub(super) passed: u64,
}

impl<'a, const SLOTS: usize> Probe<'a, SLOTS> {
    #[inline(always)]
    pub(super) fn is_here(&self) -> bool {
        self.here != 0
    }

    /// The bucket and the slot of the key, when it is here.
    pub(super) fn spot(&self) -> Option<(&'a Bucket, usize)> {
        self.is_here().then(|| (self.bucket, self.slot()))
    }

    #[inline(always)]
    fn slot(&self) -> usize {
        self.here.trailing_zeros() as usize / 8 - 1
    }

    /// The value of the key that is here, 0 in a set.
    #[inline(always)]
    pub(super) fn value(&self) -> u64 {
        self.bucket.value::<SLOTS>(self.slot())
    }

    /// Whether there is a key with this word and this value where one was seen.
    #[inline(always)]
    pub(super) fn still_has(&self, word: u64, value: u64) -> bool {
        // In this order: a reader that sees a word stored here later sees its value too.
        self.bucket.words[self.slot()].load(Ordering::Acquire) == word && self.value() == value
    }
}
