//! The writer's side of the cache: one thread at a time, behind the lock.

use std::num::NonZeroU64;
use std::sync::atomic::Ordering;

use parking_lot::MutexGuard;

use super::bucket::Fingerprint;
use super::eviction::{OwnerRecords, amended};
use super::memory::NoRoom;
use super::table::WriterState;
use super::{
    BATCH, BlockCache, Change, Effect, Full, Knowledge, KnownOwners, TICK_MS, refreshed_ms,
};

/// What only the writer needs.
#[derive(Default)]
pub(super) struct CacheWriter {
    pub(super) pairs: WriterState,
    owners: WriterState,
    pub(super) records: OwnerRecords,
    /// Makes each value of an owner another one.
    last_value: u32,
}

impl From<NoRoom> for Full {
    fn from(_: NoRoom) -> Self {
        Self
    }
}

impl CacheWriter {
    fn value(&mut self, now_ms: u64) -> NonZeroU64 {
        self.last_value = self.last_value.wrapping_add(1);
        let value = ((now_ms / TICK_MS) << 32) | u64::from(self.last_value);
        // It is 0 after 2^32 readings in the first tick only.
        NonZeroU64::new(value).unwrap_or(NonZeroU64::MIN)
    }
}

impl BlockCache {
    /// `owner` blocks `peer` from now on.
    pub fn block(&self, owner: &[u8], peer: &[u8]) -> Result<Effect, Full> {
        self.change(owner, peer, true)
    }

    /// `owner` does not block `peer` any more.
    pub fn unblock(&self, owner: &[u8], peer: &[u8]) -> Result<Effect, Full> {
        self.change(owner, peer, false)
    }

    /// Many changes, one after another. In a complete cache this takes less time than one by one: the lines of a batch
    /// are on the way before the first is changed.
    pub fn change_all<'a>(
        &self,
        changes: impl IntoIterator<Item = Change<'a>>,
    ) -> Result<(), Full> {
        let mut changes = changes.into_iter();
        if self.known.is_some() {
            return changes.try_for_each(|change| {
                self.change(change.owner, change.peer, change.blocked)?;
                Ok(())
            });
        }
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            batch.extend(changes.by_ref().take(BATCH).map(|change| {
                let pair = self.hashing.pair(change.owner, change.peer);
                if let Some(pair) = pair {
                    self.pairs.fetch(pair);
                }
                (pair, change.blocked)
            }));
            if batch.is_empty() {
                return Ok(());
            }
            let mut writer = self.writer.lock();
            for (pair, blocked) in batch.drain(..) {
                if let Some(pair) = pair {
                    self.set(&mut writer.pairs, pair, blocked)?;
                }
            }
        }
    }

    /// Whether the answer is another one now.
    fn set(
        &self,
        writer: &mut WriterState,
        pair: Fingerprint,
        blocked: bool,
    ) -> Result<bool, NoRoom> {
        if blocked {
            self.pairs.insert(writer, pair, 0)
        } else {
            Ok(self.pairs.remove(writer, pair))
        }
    }

    fn change(&self, owner: &[u8], peer: &[u8], blocked: bool) -> Result<Effect, Full> {
        let Some(pair) = self.hashing.pair(owner, peer) else {
            return Ok(Effect::Ignored);
        };
        let mut writer = self.writer.lock();
        let Some(known) = &self.known else {
            let changed = self.set(&mut writer.pairs, pair, blocked)?;
            return Ok(effect(changed));
        };
        let Some(owner) = self.hashing.owner(owner) else {
            return Ok(Effect::Ignored);
        };
        writer.records.write_journal(owner, pair, blocked);
        if writer
            .records
            .get(owner)
            .is_none_or(|record| record.known.is_none())
        {
            return Ok(Effect::Ignored);
        }
        if blocked == self.pairs.find(pair).is_some() {
            return Ok(Effect::Unchanged);
        }
        if !blocked {
            self.pairs.remove(&mut writer.pairs, pair);
            writer.records.drop_fingerprint(owner, pair);
            return Ok(Effect::Changed);
        }
        let added = self.add(known, &mut writer, owner, pair);
        if added.is_err() {
            // A known owner without one of its pairs would be a false no.
            self.forget(known, &mut writer, owner);
        }
        added.map(|()| Effect::Changed)
    }

    fn add(
        &self,
        known: &KnownOwners,
        writer: &mut CacheWriter,
        owner: Fingerprint,
        pair: Fingerprint,
    ) -> Result<(), Full> {
        let growth = writer.records.bytes_to_add(owner);
        self.make_room(known, writer, owner, 1, growth)?;
        self.pairs.insert(&mut writer.pairs, pair, 0)?;
        writer.records.add_fingerprint(owner, pair);
        Ok(())
    }

    /// The complete list of `owner` is `peers`, as it was at `now_ms` or later, with the changes since
    /// [`Self::set_loading`] on top of it. What cannot be a peer is left out.
    ///
    /// Ignored when no listing is under way: changes that the list may lack would be lost. Ignored too in a
    /// complete cache.
    pub fn replace<'a>(
        &self,
        owner: &[u8],
        peers: impl IntoIterator<Item = &'a [u8]>,
        now_ms: u64,
    ) -> Result<Effect, Full> {
        let fingerprints = peers
            .into_iter()
            .filter_map(|peer| self.hashing.pair(owner, peer))
            .collect();
        let done = self.with_owner(owner, |known, mut writer, owner| {
            let Some(journal) = writer.records.take_journal(owner) else {
                return Ok(Effect::Ignored);
            };
            let fingerprints = amended(fingerprints, &journal);
            let done = self.replace_fingerprints(known, &mut writer, owner, fingerprints, now_ms);
            if done.is_err() {
                self.forget(known, &mut writer, owner);
            }
            done.map(|()| Effect::Changed)
        });
        done.unwrap_or(Ok(Effect::Ignored))
    }

    fn replace_fingerprints(
        &self,
        known: &KnownOwners,
        writer: &mut CacheWriter,
        owner: Fingerprint,
        fingerprints: Vec<Fingerprint>,
        now_ms: u64,
    ) -> Result<(), Full> {
        let is_new = |fingerprint: &&Fingerprint| self.pairs.find(**fingerprint).is_none();
        let more = fingerprints.iter().filter(is_new).count() as u64;
        let growth = writer.records.bytes_to_hold(owner, fingerprints.len());
        self.make_room(known, writer, owner, more, growth)?;
        let old = writer.records.swap_fingerprints(owner, Vec::new());
        // Whatever fails from here on: the records has every pair that may be in the table.
        let both = old.iter().chain(&fingerprints).copied().collect();
        writer.records.swap_fingerprints(owner, both);
        for fingerprint in &fingerprints {
            self.pairs.insert(&mut writer.pairs, *fingerprint, 0)?;
        }
        let value = writer.value(now_ms);
        let owners = &known.owners;
        owners.insert(&mut writer.owners, owner, value.get())?;
        for fingerprint in old {
            if fingerprints.binary_search(&fingerprint).is_err() {
                self.pairs.remove(&mut writer.pairs, fingerprint);
            }
        }
        writer.records.swap_fingerprints(owner, fingerprints);
        writer
            .records
            .update(owner, |record| record.known = Some(value));
        Ok(())
    }

    /// A listing of `owner` is under way: changes are noted until [`Self::replace`] or [`Self::stop_loading`]. If there
    /// are thousands, the listing has failed.
    /// What is known of the owner stays. Call it before the listing is asked for. The first of several listings under
    /// way at once counts, the others are ignored.
    pub fn set_loading(&self, owner: &[u8]) -> Result<(), Full> {
        let (Some(known), Some(owner)) = (&self.known, self.hashing.owner(owner)) else {
            return Ok(());
        };
        let mut writer = self.writer.lock();
        if writer.records.get(owner).is_none() {
            let growth = writer.records.bytes_to_hold(owner, 0);
            self.make_room(known, &mut writer, owner, 0, growth)?;
        }
        writer.records.begin_journal(owner);
        Ok(())
    }

    /// The listing of `owner` failed. What was known stays known.
    pub fn stop_loading(&self, owner: &[u8]) {
        self.with_owner(owner, |_, mut writer, owner| {
            let _ = writer.records.take_journal(owner);
            if writer
                .records
                .get(owner)
                .is_some_and(|record| record.known.is_none())
            {
                writer.records.forget(owner);
            }
        });
    }

    /// Forgets `owner`, which is unknown from now on, also when a listing is under way.
    pub fn evict(&self, owner: &[u8]) {
        self.with_owner(owner, |known, mut writer, owner| {
            self.forget(known, &mut writer, owner);
        });
    }

    /// Whether `owner` is to be evicted only when no unwatched one is left. Holds until it is unknown.
    pub fn set_watched(&self, owner: &[u8], watched: bool) {
        self.with_owner(owner, |_, mut writer, owner| {
            if writer.records.get(owner).is_some() {
                writer
                    .records
                    .update(owner, |record| record.watched = watched);
            }
        });
    }

    /// What is known of `owner`, whatever its age. `None` in a complete cache.
    pub fn knowledge(&self, owner: &[u8]) -> Option<Knowledge> {
        self.known.as_ref()?;
        let found = self.with_owner(owner, |_, writer, owner| {
            let record = writer.records.get(owner)?;
            let loading = record.is_loading();
            Some(match record.known {
                Some(value) => Knowledge::Known {
                    refreshed_ms: refreshed_ms(value.get()),
                    loading,
                },
                None => Knowledge::Loading,
            })
        });
        Some(found.flatten().unwrap_or(Knowledge::Unknown))
    }

    /// Makes an empty cache large enough for `pairs` at once, which is faster than growing there.
    /// Does nothing when there are pairs in it.
    pub fn reserve(&self, pairs: u64) -> Result<(), Full> {
        let writer = self.writer.lock();
        Ok(self.pairs.reserve(&writer.pairs, pairs)?)
    }

    fn with_owner<'a, T>(
        &'a self,
        owner: &[u8],
        act: impl FnOnce(&'a KnownOwners, MutexGuard<'a, CacheWriter>, Fingerprint) -> T,
    ) -> Option<T> {
        let (Some(known), Some(owner)) = (&self.known, self.hashing.owner(owner)) else {
            return None;
        };
        Some(act(known, self.writer.lock(), owner))
    }

    /// Makes an owner unknown, then takes its pairs out.
    fn make_unknown(&self, known: &KnownOwners, writer: &mut CacheWriter, owner: Fingerprint) {
        known.owners.remove(&mut writer.owners, owner);
        for pair in writer.records.swap_fingerprints(owner, Vec::new()) {
            self.pairs.remove(&mut writer.pairs, pair);
        }
        writer.records.update(owner, |record| record.known = None);
    }

    fn forget(&self, known: &KnownOwners, writer: &mut CacheWriter, owner: Fingerprint) {
        self.make_unknown(known, writer, owner);
        writer.records.forget(owner);
    }

    /// Evicts others than `owner` until `pairs` more pairs and `bytes` more in the records are within the budget.
    fn make_room(
        &self,
        known: &KnownOwners,
        writer: &mut CacheWriter,
        owner: Fingerprint,
        pairs: u64,
        bytes: u64,
    ) -> Result<(), Full> {
        while self.bytes_with(writer, pairs, bytes) > known.limits.max_bytes {
            let victim = writer.records.victim(owner).ok_or(Full)?;
            self.make_unknown(known, writer, victim);
            // A listing in progress continues: it needs its journal when it arrives.
            if writer
                .records
                .get(victim)
                .is_some_and(|record| !record.is_loading())
            {
                writer.records.forget(victim);
            }
            self.evictions.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Bytes in use once there are `pairs` more pairs and `bytes` more in the records.
    pub(super) fn bytes_with(&self, writer: &CacheWriter, pairs: u64, bytes: u64) -> u64 {
        let owners = self
            .known
            .as_ref()
            .map_or(0, |known| known.owners.bytes_for(writer.owners.len() + 1));
        self.pairs.bytes_for(writer.pairs.len() + pairs) + owners + writer.records.bytes() + bytes
    }
}

fn effect(changed: bool) -> Effect {
    if changed {
        Effect::Changed
    } else {
        Effect::Unchanged
    }
}
