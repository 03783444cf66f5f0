//! Writes of the outbox that are not in memory: the part of [`Outbox`] that leaves them on disk and loads them.

use std::time::Instant;

use super::backlog::Waiting;
use super::owner_counts::OwnerHash;
use super::{BadRow, CallId, Outbox, Record, Stored};
use crate::api::Command;
use crate::error::Error;

/// Most writes that are read at once.
pub(super) const PAGE: usize = 512;
/// At open: enough for the first requests to be shared by many.
pub(super) const FIRST_PAGE: usize = 4096;

/// A write on its way back from disk.
pub(super) struct Transit {
    pub(super) waiting: Waiting,
    is_cancelled: bool,
}

/// A write that has been read.
pub(in crate::client) struct Arrived {
    pub(in crate::client) tag: Option<u64>,
    pub(in crate::client) command: Command,
    /// Unix seconds.
    pub(in crate::client) accepted: i64,
    /// Its caller has taken it back.
    pub(in crate::client) is_cancelled: bool,
}

/// A write of which only the outbox knows.
pub(in crate::client) struct Unread {
    pub(in crate::client) id: CallId,
    pub(in crate::client) command: Command,
    pub(in crate::client) tag: Option<u64>,
}

impl Outbox {
    /// An earlier client left this write on disk.
    pub(in crate::client) fn find(&mut self, row: &Stored<'_>) {
        let write = Waiting {
            id: row.id,
            owner: self.backlog.owner(row.owner),
            bytes: row.bytes,
            accepted: row.accepted,
            command: row.command,
            tag: None,
        };
        self.room.take(row.bytes);
        self.backlog.push(&write);
        self.recorded = self.recorded.max(row.id + 1);
    }

    /// Whether a write of `owner` that comes in goes to disk only: there is no room for it in memory, or earlier ones
    /// are on disk only.
    pub(in crate::client) fn is_beyond(&self, owner: &str) -> bool {
        self.window.is_full() || self.has_beyond(owner)
    }

    /// Whether writes of `owner` are on disk only.
    pub(in crate::client) fn has_beyond(&self, owner: &str) -> bool {
        self.backlog.holds(self.backlog.owner(owner))
    }

    /// Takes an accepted write that goes to disk only, for which there is room; `tag` is that of its caller. True if
    /// the threads that wait for work have to look again.
    ///
    /// # Errors
    /// [`crate::Status::Storage`] when a sync failed since it was accepted.
    pub(in crate::client) fn add_beyond(
        &mut self,
        record: Record,
        tag: Option<u64>,
        now: Instant,
    ) -> Result<bool, Error> {
        let bytes = record.bytes();
        self.room.check().inspect_err(|_| self.room.refuse(bytes))?;
        self.backlog.push(&Waiting {
            id: record.id,
            owner: self.backlog.owner(record.owner()),
            bytes,
            accepted: record.accepted,
            command: record.command(),
            tag,
        });
        self.add.push(record.packed());
        Ok(self.schedule(now + self.commit_time))
    }

    /// Whether writes are to be loaded. The code that makes this true wakes the writer.
    pub(in crate::client) fn wants_page(&self) -> bool {
        let is_on_disk = |id: &CallId| *id < self.recorded;
        self.cancelled.first().is_some_and(is_on_disk)
            || (self.window.wants_page() && self.backlog.has_next())
    }

    /// Which writes are to be read next; there may be none, and yet more to look through.
    pub(in crate::client) fn begin_page(&mut self) -> Vec<CallId> {
        self.begin_page_of(PAGE)
    }

    /// As [`Self::begin_page`], with at most `most` writes.
    pub(super) fn begin_page_of(&mut self, most: usize) -> Vec<CallId> {
        let mut writes = Vec::new();
        while writes.len() < most
            && let Some(id) = self
                .cancelled
                .first()
                .copied()
                .filter(|id| *id < self.recorded)
        {
            self.cancelled.remove(&id);
            writes.extend(self.backlog.remove(id).map(|waiting| (waiting, true)));
        }
        if self.window.wants_page() && writes.is_empty() {
            let wanted = self.window.wanted(most, self.recorded);
            let window = &self.window;
            let next = self.backlog.next(&wanted, |owner| window.of_owner(owner));
            writes.extend(next.into_iter().map(|waiting| (waiting, false)));
        }
        let ids = writes.iter().map(|(waiting, _)| waiting.id).collect();
        for (waiting, is_cancelled) in writes {
            self.window.enter(waiting.bytes, Some(waiting.owner));
            let transit = Transit {
                waiting,
                is_cancelled,
            };
            self.transit.insert(waiting.id, transit);
        }
        ids
    }

    /// The write `id` has been read: it is in memory from now on.
    pub(in crate::client) fn arrive(&mut self, id: CallId) -> Option<Arrived> {
        let Transit {
            waiting,
            is_cancelled,
        } = self.transit.remove(&id)?;
        self.backlog.release(waiting.owner);
        let kept = InMemory {
            bytes: waiting.bytes,
            accepted: waiting.accepted,
            returned: Some(waiting.owner),
        };
        self.kept.insert(id, kept);
        Some(Arrived {
            tag: waiting.tag,
            command: waiting.command,
            accepted: waiting.accepted,
            is_cancelled,
        })
    }

    /// What was read under `id` is no write, for this reason: its row stays and is marked. As for `add`.
    pub(in crate::client) fn set_aside_arrived(
        &mut self,
        id: CallId,
        reason: String,
        (now, unix_seconds): (Instant, i64),
    ) -> bool {
        self.forget(id);
        self.set_aside(vec![BadRow::new(id, reason)], unix_seconds, now)
    }

    /// Cancels the writes on disk of callers with `tag`: their number, and those of them that are not being written
    /// yet, which have ended. The others end when they were read.
    pub(in crate::client) fn cancel_beyond(&mut self, tag: u64) -> (usize, Vec<Record>) {
        let mut count = 0;
        let on_their_way = self.transit.values_mut();
        for transit in on_their_way.filter(|transit| transit.waiting.tag == Some(tag)) {
            count += usize::from(!transit.is_cancelled);
            transit.is_cancelled = true;
        }
        let mut over = Vec::new();
        for id in self.backlog.with_tag(tag) {
            if let Some(record) = self.add.get(id) {
                over.push(record.clone());
                count += 1;
            } else {
                count += usize::from(self.cancelled.insert(id));
            }
        }
        (count, over)
    }

    /// The oldest write that is not in memory.
    pub(in crate::client) fn oldest_beyond(&self) -> Option<CallId> {
        self.oldest_waiting().map(|waiting| waiting.id)
    }

    pub(super) fn oldest_waiting(&self) -> Option<Waiting> {
        let on_its_way = self.transit.values().next().map(|transit| transit.waiting);
        let first = self.backlog.first();
        [on_its_way, first]
            .into_iter()
            .flatten()
            .min_by_key(|waiting| waiting.id)
    }

    /// Removes the callers of writes that are not in memory; they still need a reply.
    pub(in crate::client) fn take_callers(&mut self) -> Vec<Unread> {
        let transits = self.transit.values().map(|transit| transit.waiting);
        let all = self.backlog.iter().chain(transits);
        let tagged: Vec<_> = all.filter(|waiting| waiting.tag.is_some()).collect();
        self.forget_callers();
        let unread = |waiting: Waiting| Unread {
            id: waiting.id,
            command: waiting.command,
            tag: waiting.tag,
        };
        tagged.into_iter().map(unread).collect()
    }

    /// Removes the callers of writes that are not in memory; they get no reply.
    pub(in crate::client) fn forget_callers(&mut self) {
        self.backlog.forget_tags();
        for transit in self.transit.values_mut() {
            transit.waiting.tag = None;
        }
    }

    /// How many callers of writes that are neither in memory nor on disk need a reply.
    pub(in crate::client) fn losable(&self) -> usize {
        let rows = self.backlog.from(self.recorded);
        rows.filter(|waiting| waiting.tag.is_some()).count()
    }

    /// The write is in no list any more; returns its size.
    pub(super) fn forget(&mut self, id: CallId) -> Option<u64> {
        let bytes = if let Some(kept) = self.kept.remove(&id) {
            if self.window.leave(kept.bytes, kept.returned)
                && let Some(owner) = kept.returned
            {
                self.backlog.stir(owner);
            }
            kept.bytes
        } else {
            let waiting = self.backlog.remove(id)?;
            self.cancelled.remove(&id);
            self.backlog.release(waiting.owner);
            waiting.bytes
        };
        self.room.free(bytes);
        Some(bytes)
    }

    /// Whether the write is neither erased nor refused.
    pub(super) fn keeps(&self, id: CallId) -> bool {
        self.kept.contains_key(&id) || self.transit.contains_key(&id) || self.backlog.has(id)
    }
}

/// A write in memory.
pub(super) struct InMemory {
    pub(super) bytes: u64,
    pub(super) accepted: i64,
    /// Whose it is, when it came back from disk.
    pub(super) returned: Option<OwnerHash>,
}
