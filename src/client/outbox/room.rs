//! How much an outbox holds.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::record::bytes;
use crate::api::Request;
use crate::error::{Error, Status};

/// How much is kept, for threads that do not hold the lock of the scheduler.
pub(in crate::client) struct Room {
    pub(super) max_bytes: u64,
    pub(super) bytes: AtomicU64,
    /// How much of it may be on its way to disk, and is.
    max_unwritten: u64,
    pub(super) unwritten: AtomicU64,
    /// Writes for which there was no room.
    pub(super) busy: AtomicU64,
    /// Why nothing more is kept.
    pub(super) failed: OnceLock<Error>,
}

impl Room {
    /// Empty.
    pub(super) fn new(max_bytes: u64, max_unwritten: u64) -> Self {
        Self {
            max_bytes,
            bytes: AtomicU64::new(0),
            max_unwritten,
            unwritten: AtomicU64::new(0),
            busy: AtomicU64::new(0),
            failed: OnceLock::new(),
        }
    }

    /// Takes room for a write; what is added to the outbox fills it. A caller that waits (`waits`) brings one write at
    /// a time: it is not refused because of those on their way to disk.
    ///
    /// # Errors
    /// [`Status::Busy`] when there is none, [`Status::Storage`] after a failed sync.
    pub(in crate::client) fn reserve(&self, request: &Request, waits: bool) -> Result<(), Error> {
        self.check()?;
        let own = bytes(request);
        if !waits && self.unwritten.load(Ordering::Relaxed) >= self.max_unwritten {
            self.busy.fetch_add(1, Ordering::Relaxed);
            return Err(Error::new(
                Status::Busy,
                "writes arrive faster than the outbox records them; try again later",
            ));
        }
        let more = |taken| (taken < self.max_bytes).then_some(taken + own);
        if self
            .bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_err()
        {
            self.busy.fetch_add(1, Ordering::Relaxed);
            return Err(Error::new(
                Status::Busy,
                "the outbox is full (config key \"outbox.max_bytes\"); try again later",
            ));
        }
        self.unwritten.fetch_add(own, Ordering::Relaxed);
        Ok(())
    }

    /// A write of so many bytes is on disk, or never will be.
    pub(super) fn wrote(&self, bytes: u64) {
        self.unwritten.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// A write of so many bytes does not enter the outbox.
    pub(super) fn refuse(&self, bytes: u64) {
        self.wrote(bytes);
        self.free(bytes);
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        self.failed.get().cloned().map_or(Ok(()), Err)
    }

    pub(super) fn take(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn free(&self, bytes: u64) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}
