//! The bounded part of the outbox that is in memory: writes accepted while there was room, and writes loaded from
//! disk. Each kind has its own limit, so neither blocks the other.

use std::collections::HashMap;

use super::backlog::Wanted;
use super::owner_counts::OwnerHash;
use crate::client::scheduler::CallId;

/// Bytes on their way to disk for each call of `queue.max_calls`.
const WRITE_BYTES: u64 = 512;

/// Most that is in memory. Bytes are counted as for `outbox.max_bytes`.
#[derive(Clone, Copy, Debug)]
pub(in crate::client) struct Limit {
    /// Writes of either kind.
    pub(in crate::client) records: usize,
    pub(in crate::client) bytes: u64,
    /// Writes that are recorded by one commit.
    pub(in crate::client) commit: usize,
    /// Writes on their way to disk.
    pub(in crate::client) unwritten: u64,
}

impl Limit {
    /// Some twenty megabytes of memory, and twice that while writes arrive faster than they are recorded.
    pub(in crate::client) const DEFAULT: Self = Self {
        records: 16_384,
        bytes: 8 << 20,
        commit: 8192,
        unwritten: 32 << 20,
    };

    /// For a client that may have so many calls under way.
    pub(in crate::client) fn for_calls(max_calls: usize) -> Self {
        let default = Self::DEFAULT;
        let unwritten = default.unwritten.max(max_calls as u64 * WRITE_BYTES);
        Self {
            unwritten,
            ..default
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Usage {
    records: usize,
    bytes: u64,
}

/// What is in memory, or on its way there.
pub(super) struct Window {
    limit: Limit,
    live: Usage,
    returned: Usage,
    of_owner: HashMap<OwnerHash, usize>,
}

impl Window {
    pub(super) fn new(limit: Limit) -> Self {
        Self {
            limit,
            live: Usage::default(),
            returned: Usage::default(),
            of_owner: HashMap::new(),
        }
    }

    /// Whether a write that comes in stays on disk only.
    pub(super) fn is_full(&self) -> bool {
        self.live.records >= self.limit.records || self.live.bytes >= self.limit.bytes
    }

    /// Whether there is room for a page of writes from disk.
    pub(super) fn wants_page(&self) -> bool {
        self.returned.records <= self.limit.records / 2
            && self.returned.bytes <= self.limit.bytes / 2
    }

    /// What may come back at once, of the writes before `before`: at most `most`.
    pub(super) fn wanted(&self, most: usize, before: CallId) -> Wanted {
        Wanted {
            records: (self.limit.records - self.returned.records).min(most),
            bytes: self.limit.bytes - self.returned.bytes,
            before,
            of_owner: self.most_of_owner(),
        }
    }

    /// One owner alone does not fill the window.
    fn most_of_owner(&self) -> usize {
        (self.limit.records / 4).max(1)
    }

    /// How many writes of `owner` came back and are not done.
    pub(super) fn of_owner(&self, owner: OwnerHash) -> usize {
        self.of_owner.get(&owner).copied().unwrap_or(0)
    }

    /// A write takes room: one that came in, or one of `owner` that comes back.
    pub(super) fn enter(&mut self, bytes: u64, owner: Option<OwnerHash>) {
        let usage = self.usage(owner);
        usage.records += 1;
        usage.bytes += bytes;
        if let Some(owner) = owner {
            *self.of_owner.entry(owner).or_default() += 1;
        }
    }

    /// It gives its room back. True when there is room for more writes of its owner.
    pub(super) fn leave(&mut self, bytes: u64, owner: Option<OwnerHash>) -> bool {
        let usage = self.usage(owner);
        usage.records -= 1;
        usage.bytes -= bytes;
        let Some(owner) = owner else {
            return false;
        };
        let count = self.of_owner(owner).saturating_sub(1);
        if count == 0 {
            self.of_owner.remove(&owner);
        } else {
            self.of_owner.insert(owner, count);
        }
        count <= self.most_of_owner() / 2
    }

    fn usage(&mut self, owner: Option<OwnerHash>) -> &mut Usage {
        match owner {
            None => &mut self.live,
            Some(_) => &mut self.returned,
        }
    }
}
