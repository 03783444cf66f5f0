//! How much an outbox holds, of all owners together and of each.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::owner_counts::{OwnerCounts, OwnerHash};
use super::record::bytes;
use super::window::Limit;
use crate::api::Request;
use crate::error::{Error, Status};
use crate::locks::Mutex;

/// How much is kept, for threads that do not hold the lock of the scheduler.
pub(in crate::client) struct Room {
    pub(super) max_bytes: u64,
    pub(super) bytes: AtomicU64,
    /// How much of it may be on its way to disk, and is.
    max_unwritten: u64,
    pub(super) unwritten: AtomicU64,
    /// Most writes of one owner.
    per_owner: u32,
    hashing: RandomState,
    owners: Mutex<Owners>,
    /// Writes for which there was no room.
    pub(super) busy: AtomicU64,
    /// Why nothing more is kept.
    pub(super) failed: OnceLock<Error>,
}

/// How many writes each owner has. Those in memory are counted apart, so that a write on disk takes a place in one table.
struct Owners {
    /// In memory, or on their way into the outbox.
    near: OwnerCounts,
    /// On disk only, or on their way back.
    beyond: OwnerCounts,
}

impl Room {
    /// Empty.
    pub(super) fn new(max_bytes: u64, limit: Limit) -> Self {
        Self {
            max_bytes,
            bytes: AtomicU64::new(0),
            max_unwritten: limit.unwritten,
            unwritten: AtomicU64::new(0),
            per_owner: limit.per_owner,
            hashing: RandomState::new(),
            owners: Mutex::new(Owners {
                near: OwnerCounts::new(),
                beyond: OwnerCounts::new(),
            }),
            busy: AtomicU64::new(0),
            failed: OnceLock::new(),
        }
    }

    /// Takes room for a write; what is added to the outbox fills it. A caller that waits (`waits`) brings one write at
    /// a time: it is not refused because of those on their way to disk.
    ///
    /// # Errors
    /// [`Status::Busy`] when there is none, or when its owner has too many, [`Status::Storage`] after a failed sync.
    pub(in crate::client) fn reserve(&self, request: &Request, waits: bool) -> Result<(), Error> {
        self.check()?;
        let own = bytes(request);
        if !waits && self.unwritten.load(Ordering::Relaxed) >= self.max_unwritten {
            return Err(self.busy("writes arrive faster than the outbox records them"));
        }
        let owner = self.owner(&request.owner);
        let mut owners = self.owners.lock();
        if owners.near.of(owner) + owners.beyond.of(owner) >= self.per_owner {
            return Err(self.busy(
                "too many writes of this owner are in the outbox (config key \"queue.max_calls_per_owner\")",
            ));
        }
        let more = |taken| (taken < self.max_bytes).then_some(taken + own);
        self.bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .map_err(|_| self.busy("the outbox is full (config key \"outbox.max_bytes\")"))?;
        owners.near.add(owner);
        self.unwritten.fetch_add(own, Ordering::Relaxed);
        Ok(())
    }

    fn busy(&self, what: &str) -> Error {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Error::new(Status::Busy, format!("{what}; try again later"))
    }

    pub(super) fn owner(&self, account: &str) -> OwnerHash {
        OwnerHash::of_word(self.hashing.hash_one(account))
    }

    /// Whether writes of `owner` are on disk only, or on their way back.
    pub(super) fn has_beyond(&self, owner: OwnerHash) -> bool {
        self.owners.lock().beyond.of(owner) > 0
    }

    /// A write of `owner` is on disk only from now on.
    pub(super) fn leave_memory(&self, owner: OwnerHash) {
        let mut owners = self.owners.lock();
        owners.near.remove(owner);
        owners.beyond.add(owner);
    }

    /// A write of `owner` is back in memory.
    pub(super) fn enter_memory(&self, owner: OwnerHash) {
        let mut owners = self.owners.lock();
        owners.beyond.remove(owner);
        owners.near.add(owner);
    }

    /// A write of so many bytes is on disk, or never will be.
    pub(super) fn wrote(&self, bytes: u64) {
        self.unwritten.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// A write of `owner` with so many bytes does not enter the outbox.
    pub(super) fn refuse(&self, owner: OwnerHash, bytes: u64) {
        self.wrote(bytes);
        self.free_near(owner, bytes);
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        self.failed.get().cloned().map_or(Ok(()), Err)
    }

    /// An earlier client left a write of `owner` with so many bytes, which is on disk only.
    pub(super) fn find(&self, owner: OwnerHash, bytes: u64) {
        self.owners.lock().beyond.add(owner);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A write in memory, of `owner` and with so many bytes, is gone.
    pub(super) fn free_near(&self, owner: OwnerHash, bytes: u64) {
        self.owners.lock().near.remove(owner);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// The same of a write that was on disk only.
    pub(super) fn free_beyond(&self, owner: OwnerHash, bytes: u64) {
        self.owners.lock().beyond.remove(owner);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}
