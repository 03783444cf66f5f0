//! The cache of block lists: the pairs of all cached owners, one memory access per check, for any number of readers.
//!
//! # Layout
//!
//! A pair is kept as 72 bits of a keyed 128-bit hash (SipHash-1-3) of both identifiers: a *word* of 64 bits
//! and a *tag* of 8; an owner as a word, which takes half the time. A bucket is one cache line:
//!
//! ```text
//!  byte 0        8        16       24       32       40       48       56 57   58          63
//!       +--------+--------+--------+--------+--------+--------+--------+--+----+----+-...-+----+
//!  pairs| word 0 | word 1 | word 2 | word 3 | word 4 | word 5 | word 6 |P |tag0|tag1|     |tag6|
//!       +--------+--------+--------+--------+--------+--------+--------+--+----+----+-...-+----+
//! owners| word 0 | word 1 | word 2 |value 0 |value 1 |value 2 | unused |P | 0  | 0  | 0  |      |
//!       +--------+--------+--------+--------+--------+--------+--------+--+----+----+----+------+
//! ```
//!
//! A word of 0 is a free slot. The path of a key begins at its *home* bucket and goes on to the next bucket while
//! `P`, the number of keys that passed this bucket because it was full, is not 0. Removing a key frees its slot and
//! counts `P` down along its path, so there are no tombstones. The pairs of a complete cache are kept 0.55 full: 16.6
//! bytes for each, and 1.05 lines are read for each look-up. Those of a cache of some owners, which keeps a record of
//! each pair besides, are kept 0.6 full: 15.3 bytes and 1.08 lines. As the key is secret, identifiers that make a
//! path long cannot be chosen.
//!
//! The home of a word is `word * B / 2^64` for `B` buckets. The levels of `B` are 8, 9, 10 to 16, 18, 20 to 32 and so
//! on. `B` grows to the next one, in a complete cache to the one after it, which is faster and leaves more memory empty
//! meanwhile; one home at a time, from the highest to the lowest:
//!
//! ```text
//!  0                          frontier            B(level)             B(next)
//!  | homes of this level      | empty but for paths      | homes of the next level |
//! ```
//!
//! A word whose home of this level is below the frontier lives there, any other at its home of the next level.
//! That is never lower, so a step overwrites nothing it has still to read. Level and frontier are one 64-bit word,
//! the *shape*. Buckets lie in chunks that never move and live as long as the table: no reader ever waits, and
//! nothing has to be reclaimed. The table does not shrink; its slots are used again.
//!
//! # False answers
//!
//! A check says a false yes when the 72 bits of the pair are those of another pair in the table: n / 2^72 for n
//! pairs, 2.1e-15 for 10^7 and below 1e-12 up to 4.7e9 pairs. The key is random and unknown to players. Two pairs
//! with the same fingerprint also share their removal; that has the same chance.
//!
//! An owner that is not cached is mistaken for one of n cached ones with the same word with a probability of n /
//! 2^64, 5.4e-14 for 10^6. The check of such an owner answers "no".
//!
//! # Memory order
//!
//! There is one writer at a time (a lock); readers take none. Each 64-bit word is an atomic that is stored with
//! release and loaded with acquire, so a reader that sees a store sees all earlier stores of the writer. A key never
//! moves within a bucket, and its word is a single store, so no reader can see half of it. The rules:
//!
//! 1. *Insert*: `P` along the path, tag, value, then the word. A reader that sees the word sees the rest.
//! 2. *Growth*: copies at the new home (as in 1), then the shape, then the old ones are cleared. A reader that
//!    misses a key because its old slot was cleared sees the new shape afterwards: after a miss it computes the home
//!    again and, when that changed, looks there. Homes only go up, so an equal home means that it was the same all
//!    the while. A reader repeats only when the very bucket it asked about moved.
//! 3. *Knowledge*: an owner becomes cached after its pairs are inserted, and unknown before they are removed. A
//!    reader reads the owner's value, then the pair; it says "no" only if the slot where it found the owner still has
//!    the owner's word, and then the same value, afterwards. A value is unique in the life of the cache, so an owner
//!    that was evicted and cached again has another. An owner that moved is looked up again.
//!
//! # Speed
//!
//! In the cache a look-up is hashing and little else, so it is one function without calls, whose branches can all be
//! guessed: a wrong guess costs as much as half a hash. Whether a pair is there, in which slot, and on which side of the
//! frontier its home is, are computed and not asked.
//!
//! A larger cache waits for memory. So both lines of a question are asked for at once, the time is read while they
//! are on their way, and [`BlockCache::is_blocked_many`] and [`BlockCache::change_all`] ask for the lines of a batch first.
//!
//! # What readers may see
//!
//! During growth: exactly what they saw before. During [`BlockCache::replace`] of a known owner each pair changes at
//! most once, from its old answer to its new one: first the new pairs appear, then those that are gone vanish; a pair
//! of both lists is a yes throughout. An owner that was not known stays [`Answer::Unknown`] until its list is
//! complete. A change is seen by every check that begins after the call returned.

#![allow(
    clippy::inline_always,
    reason = "a look-up is one function; left to itself the compiler makes six of it, which pass fingerprints in memory"
)]

mod batch;
mod bucket;
mod counters;
mod eviction;
mod hashing;
#[cfg(test)]
mod lock_tests;
mod lookup;
mod memory;
mod sip;
mod sync;
mod table;
#[cfg(test)]
mod table_tests;
mod update;

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

pub use batch::BlockedPairs;
use counters::CheckCounters;
pub use hashing::HashKey;
use hashing::{Hashing, is_same};
pub use lookup::Answer;
use table::{Growth, Start, Table};
use update::CacheWriter;

/// How many pairs are looked up together: their lines are on the way before the first is read.
const BATCH: usize = 64;

/// The pairs of a complete cache.
const ALL_PAIRS: Growth = Growth { load: 55, step: 2 };

/// Those of a cache of some owners, which has more to keep for each.
const SOME_PAIRS: Growth = Growth { load: 60, step: 1 };

/// A bucket of three overflows sooner than one of seven, and there are few owners.
const OWNERS: Growth = Growth { load: 35, step: 1 };

/// Milliseconds in a tick, the unit in which an owner's value keeps its time.
const TICK_MS: u64 = 100;

/// What a change came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The answer for this pair is another one now.
    Changed,
    /// It was so already.
    Unchanged,
    /// The owner is not known, or the identifiers cannot be a pair. A list that is being loaded takes the change
    /// into account.
    Ignored,
}

/// From now on `owner` blocks `peer`, or does not any more.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// Whose list it is.
    pub owner: &'a [u8],
    /// The target.
    pub peer: &'a [u8],
    /// True if it is blocked now.
    pub blocked: bool,
}

/// The answer of the cache about an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knowledge {
    /// Nothing.
    Unknown,
    /// Nothing yet; a listing is under way.
    Loading,
    /// Its list, as it was at this time (rounded down to 0.1 s) or later.
    Known {
        /// In the caller's milliseconds.
        refreshed_ms: u64,
        /// Whether another listing is under way.
        loading: bool,
    },
}

/// There is no memory for this: the budget is spent and no other owner can be evicted, or the system has none.
///
/// In a cache of some owners the owner concerned is unknown now. In a complete cache the change is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// How much a cache of some owners may remember.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of everything the cache keeps.
    pub max_bytes: u64,
    /// Age in milliseconds from which a list says nothing any more.
    pub max_age_ms: u64,
}

/// Figures about a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// Pairs that answer yes.
    pub pairs: u64,
    /// Owners that are known: whose list answers. 0 in a complete cache.
    pub owners_known: u64,
    /// Owners whose list is too old to answer.
    pub owners_expired: u64,
    /// Bytes in use.
    pub bytes: u64,
    /// Checks that were answered with yes or no.
    pub hits: u64,
    /// Checks that were answered with unknown.
    pub unknowns: u64,
    /// Owners that were evicted.
    pub evictions: u64,
    /// When the list of the owner that waits longest was refreshed, in the caller's milliseconds.
    pub oldest_ms: Option<u64>,
}

/// A set of pairs (owner, peer) that answers for the owners it knows.
///
/// Reading never blocks, allocates, or looks at more of an identifier than its bytes. Times are milliseconds
/// since any moment that the caller chose, such as the opening of the client; they hold for 13 years.
pub struct BlockCache {
    hashing: Hashing,
    pairs: Table<7>,
    /// None when every owner is known.
    known: Option<KnownOwners>,
    writer: Mutex<CacheWriter>,
    counters: CheckCounters,
    evictions: AtomicU64,
}

/// The known owners, each with its value: ticks of the last refresh in the upper half, a number that makes the
/// value unique below.
struct KnownOwners {
    owners: Table<3>,
    limits: Limits,
}

fn refreshed_ms(value: u64) -> u64 {
    (value >> 32) * TICK_MS
}

impl KnownOwners {
    #[inline(always)]
    fn is_fresh(&self, value: u64, now_ms: u64) -> bool {
        now_ms.saturating_sub(refreshed_ms(value)) <= self.limits.max_age_ms
    }

    /// The lowest value that is fresh.
    fn fresh_from(&self, now_ms: u64) -> u64 {
        let oldest_ms = now_ms.saturating_sub(self.limits.max_age_ms);
        oldest_ms.div_ceil(TICK_MS) << 32
    }
}

/// A question as places to look at.
#[derive(Clone, Copy)]
struct Question {
    /// None in a complete cache, and for what cannot be an owner.
    owner: Option<Start>,
    /// None for what cannot be a pair.
    pair: Option<Start>,
    is_self: bool,
}

const NO_QUESTION: Question = Question {
    owner: None,
    pair: None,
    is_self: false,
};

impl BlockCache {
    /// A cache that knows every owner: a pair that is not in it is not blocked.
    ///
    /// `key` comes from the system's random numbers and is kept secret; tests pass any.
    pub fn complete(key: HashKey) -> Result<Self, Full> {
        Self::new(key, None)
    }

    /// A cache of some owners, within limits.
    pub fn partial(key: HashKey, limits: Limits) -> Result<Self, Full> {
        let owners = Table::new(OWNERS)?;
        Self::new(key, Some(KnownOwners { owners, limits }))
    }

    fn new(key: HashKey, known: Option<KnownOwners>) -> Result<Self, Full> {
        Ok(Self {
            hashing: Hashing::new(key),
            pairs: Table::new(if known.is_some() {
                SOME_PAIRS
            } else {
                ALL_PAIRS
            })?,
            known,
            writer: Mutex::default(),
            counters: CheckCounters::default(),
            evictions: AtomicU64::new(0),
        })
    }

    /// Whether `owner` blocks `peer`. An account never blocks itself. `now_ms` is asked while memory is waited for.
    #[inline(always)]
    pub fn is_blocked(&self, owner: &[u8], peer: &[u8], now_ms: impl Fn() -> u64) -> Answer {
        let answer = self.answer(self.question(owner, peer), now_ms);
        self.counters.count(answer);
        answer
    }

    /// Where to look for the answer; these lines are on the way then.
    #[inline(always)]
    fn question(&self, owner: &[u8], peer: &[u8]) -> Question {
        let is_self = is_same(owner, peer);
        // An account and itself are not a pair, and neither are an account and no peer.
        let peer = if is_self { &[] } else { peer };
        let asks_owner = self.known.is_some();
        let (owner, pair) = self.hashing.question(owner, peer, asks_owner);
        let pair = pair.map(|pair| self.pairs.fetch(pair));
        let known = self.known.as_ref().zip(owner);
        let owner = known.map(|(known, owner)| known.owners.fetch(owner));
        Question {
            owner,
            pair,
            is_self,
        }
    }

    #[inline(always)]
    fn answer(&self, question: Question, now_ms: impl Fn() -> u64) -> Answer {
        let Some(known) = &self.known else {
            return match question.pair {
                Some(pair) => Answer::of_known(self.pairs.contains(pair)),
                None => Answer::No,
            };
        };
        if question.is_self {
            return Answer::No;
        }
        let Some(owner) = question.owner else {
            return Answer::Unknown;
        };
        lookup::check(
            &known.owners,
            owner,
            |value| known.is_fresh(value, now_ms()),
            &self.pairs,
            question.pair,
        )
    }

    /// Figures of this moment.
    pub fn stats(&self, now_ms: u64) -> CacheCounts {
        let (hits, unknowns) = self.counters.sums();
        let mut writer = self.writer.lock();
        let fresh_from = (self.known.as_ref()).map_or(0, |known| known.fresh_from(now_ms));
        let expired = writer.records.expired(fresh_from);
        CacheCounts {
            hits,
            unknowns,
            pairs: writer.pairs.len(),
            owners_known: (writer.records.known() - expired) as u64,
            owners_expired: expired as u64,
            bytes: self.bytes_with(&writer, 0, 0),
            evictions: self.evictions.load(Ordering::Relaxed),
            oldest_ms: writer.records.oldest().map(refreshed_ms),
        }
    }
}
