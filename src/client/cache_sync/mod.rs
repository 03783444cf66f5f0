//! Keeps the cache of a client up to date; checks read it without locks and allocations.

pub(in crate::client) mod refresh;
pub(in crate::client) mod webhooks;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use self::refresh::NAMES;
use crate::Error;
use crate::cache::{BlockCache, Full, Knowledge, Limits};
use crate::client::stats;
use crate::clock::{Clock, TICK};
use crate::config::Cache as Settings;
use crate::random;
use crate::service::engine::pair_cache;
use crate::service::engine::store::{ChangeEvent, Observer, Store};

/// How often a check looks whether the machine was suspended.
const LOOK_MS: u64 = 100;

/// The cache and its time.
pub(in crate::client) struct TimedCache {
    pub(in crate::client) blocks: BlockCache,
    clock: Arc<dyn Clock>,
    opened: Instant,
    /// The tick before `opened`.
    opened_tick: Duration,
    /// How long the machine had been suspended when it was opened.
    suspended_before: Duration,
    /// Milliseconds for which it was suspended since, and when that was looked at.
    suspended_ms: AtomicU64,
    looked_ms: AtomicU64,
    /// Every owner is known, and nothing grows old.
    is_complete: bool,
}

impl TimedCache {
    /// For a backend whose owners are all known.
    pub(in crate::client) fn complete(clock: Arc<dyn Clock>) -> Result<Self, Error> {
        Self::new(BlockCache::complete(random::key()), clock, true)
    }

    /// For a client whose checks are all answered by its backend: no owner is ever known.
    pub(in crate::client) fn unused(clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let limits = Limits {
            max_bytes: 0,
            max_age_ms: 0,
        };
        Self::new(BlockCache::partial(random::key(), limits), clock, false)
    }

    /// For a backend of whose owners some are known.
    pub(in crate::client) fn partial(
        config: Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let limits = Limits {
            max_bytes: config.max_bytes - config.max_bytes / NAMES,
            max_age_ms: stats::whole_ms(config.max_age),
        };
        Self::new(BlockCache::partial(random::key(), limits), clock, false)
    }

    fn new(
        blocks: Result<BlockCache, Full>,
        clock: Arc<dyn Clock>,
        is_complete: bool,
    ) -> Result<Self, Error> {
        Ok(Self {
            blocks: blocks.map_err(|Full| pair_cache::no_memory())?,
            opened_tick: clock.last_tick(),
            opened: clock.now(),
            suspended_before: clock.suspended(),
            suspended_ms: AtomicU64::new(0),
            looked_ms: AtomicU64::new(0),
            clock,
            is_complete,
        })
    }

    /// Loads every list of a store into the cache.
    pub(in crate::client) fn load(&self, store: &dyn Store) -> Result<(), Error> {
        pair_cache::load(&self.blocks, store)
    }

    /// Milliseconds since the client was opened, or up to two ticks more: a list is never taken for younger than it is, except
    /// for [`LOOK_MS`] after the machine was suspended.
    #[inline]
    pub(in crate::client) fn now_ms(&self) -> u64 {
        // Where nothing grows old the time is not needed, and a look at the clock is a good part of a check.
        if self.is_complete {
            return 0;
        }
        let since = self.clock.last_tick().saturating_sub(self.opened_tick);
        let awake = stats::whole_ms(since.saturating_add(TICK));
        if awake.saturating_sub(self.looked_ms.load(Ordering::Relaxed)) >= LOOK_MS {
            self.look_for_suspension();
            self.looked_ms.store(awake, Ordering::Relaxed);
        }
        awake.saturating_add(self.suspended_ms.load(Ordering::Relaxed))
    }

    /// Milliseconds from the opening of the client to `now`.
    pub(in crate::client) fn ms(&self, now: Instant) -> u64 {
        self.look_for_suspension();
        let awake = stats::whole_ms(now.saturating_duration_since(self.opened));
        awake.saturating_add(self.suspended_ms.load(Ordering::Relaxed))
    }

    #[cold]
    fn look_for_suspension(&self) {
        let since = self.clock.suspended().saturating_sub(self.suspended_before);
        // What was looked at is never taken back: lists have their age by it.
        self.suspended_ms
            .fetch_max(stats::whole_ms(since), Ordering::Relaxed);
    }

    /// Whether the list of `owner` is known, whatever its age, or asked for.
    pub(in crate::client) fn is_cached(&self, owner: &str) -> bool {
        let knowledge = self.blocks.knowledge(owner.as_bytes());
        !matches!(knowledge, None | Some(Knowledge::Unknown))
    }

    pub(in crate::client) fn apply_change(&self, owner: &str, account: &str, blocked: bool) {
        let (owner, account) = (owner.as_bytes(), account.as_bytes());
        let applied = if blocked {
            self.blocks.block(owner, account)
        } else {
            self.blocks.unblock(owner, account)
        };
        self.must_be_kept(applied.is_ok());
    }

    /// Where some owners are known, one without room for its pairs is unknown now. Where all are, a cache that
    /// lacks a pair would let a blocked player through.
    fn must_be_kept(&self, is_kept: bool) {
        assert!(
            is_kept || !self.is_complete,
            "there is no memory for another pair"
        );
    }

    pub(in crate::client) fn stats(&self) -> stats::CacheStats {
        let now_ms = self.now_ms();
        let inside = self.blocks.stats(now_ms);
        stats::CacheStats {
            pairs: inside.pairs,
            owners: inside.owners_known,
            expired: inside.owners_expired,
            bytes: inside.bytes,
            answered: inside.hits,
            unknown: inside.unknowns,
            evictions: inside.evictions,
            watched: 0,
            refreshes: 0,
            refresh_ms: 0,
            exceeds_max_age: false,
            oldest_ms: inside.oldest_ms.map(|oldest| now_ms.saturating_sub(oldest)),
        }
    }
}

/// The store passes its lists.
impl Observer for TimedCache {
    fn apply(&self, changes: &mut dyn Iterator<Item = ChangeEvent<'_>>) {
        let applied = pair_cache::apply(&self.blocks, changes);
        self.must_be_kept(applied.is_ok());
    }

    fn is_blocked(&self, owner: &str, account: &str) -> Option<bool> {
        self.is_complete
            .then(|| pair_cache::is_blocked(&self.blocks, owner, account))
    }
}
