//! The outbox: writes on disk until they are answered. They are accepted, recorded, and confirmed or refused.
//!
//! A state machine without threads, clocks or files: what is to be written and when. The thread of
//! `runtime/outbox_writer.rs` and the simulator pass its changes to a [`Journal`]. Ids of records are ids of calls,
//! so their order is the order of acceptance.

mod backlog;
mod beyond;
mod dead_letters;
pub mod file;
pub(super) mod intake;
mod journal;
mod opening;
mod owner_counts;
mod record;
mod room;
mod rows;
mod sqlite;
mod unwritten;
mod window;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use dead_letters::DeadLetters;
pub(super) use dead_letters::WriteRefusal;
pub(super) use intake::Tagged;
pub(super) use journal::{Changes, CommitFailure, Journal, Loaded};
pub(super) use opening::{Opened, open, unsendable};
pub(super) use record::{BadRow, Record, Refused};
pub(super) use room::Room;
pub(super) use rows::Stored;
pub(super) use sqlite::{FORMAT, SqliteJournal};
pub(super) use window::Limit;

use backlog::Backlog;
use beyond::{InMemory, Transit};
use record::LetterCounts;
use unwritten::Unwritten;
use window::Window;

use super::reply::Reply;
use super::scheduler::CallId;
use super::stats;
use crate::error::Error;

/// When a commit that found no room is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// When a commit that found the file locked is tried again; the journal itself has waited before.
const BUSY_RETRY: Duration = Duration::from_millis(100);

/// Outcome of a commit.
pub(super) enum CommitOutcome {
    /// The writes before this one are recorded.
    Recorded(CallId),
    /// These were not, and never will be.
    Lost {
        records: Vec<Lost>,
        up_to: CallId,
        error: Error,
    },
    /// Nothing was written, nothing is lost: the commit is tried again.
    Postponed(Error),
}

/// A write that is not recorded and never will be.
pub(super) struct Lost {
    pub(super) record: Record,
    /// That of its caller, when nothing of the call is in memory.
    pub(super) tag: Option<u64>,
}

/// What is on disk, what is on its way there, and when it has to go.
pub(super) struct Outbox {
    room: Arc<Room>,
    /// A record waits at most this long for others to share its commit.
    commit_time: Duration,
    add: Unwritten,
    erase: Vec<CallId>,
    letters: DeadLetters,
    /// When the next commit begins; None exactly while there is nothing to write.
    due: Option<Instant>,
    /// What is in memory and not erased.
    kept: BTreeMap<CallId, InMemory>,
    window: Window,
    /// What is on disk only, what is on its way back, and what is read only to be ended.
    backlog: Backlog,
    transit: BTreeMap<CallId, Transit>,
    cancelled: BTreeSet<CallId>,
    recorded: CallId,
    is_committing: bool,
    failures: u64,
    /// Writes for which the disk had no room, how many of them a sync has reported, and the reason of the last.
    lost: u64,
    reported_losses: u64,
    no_room: Option<Error>,
}

impl Outbox {
    /// With nothing in it, and at most `limit` of either kind in memory.
    pub(super) fn new(max_bytes: u64, commit_time: Duration, limit: Limit) -> Self {
        let room = Room::new(max_bytes, limit.unwritten);
        Self {
            room: Arc::new(room),
            commit_time,
            add: Unwritten::new(limit.commit),
            erase: Vec::new(),
            letters: DeadLetters::default(),
            due: None,
            recorded: 0,
            kept: BTreeMap::new(),
            window: Window::new(limit),
            backlog: Backlog::new(),
            transit: BTreeMap::new(),
            cancelled: BTreeSet::new(),
            is_committing: false,
            failures: 0,
            lost: 0,
            reported_losses: 0,
            no_room: None,
        }
    }

    /// Where room for a write is taken before it is accepted.
    pub(super) fn room(&self) -> Arc<Room> {
        Arc::clone(&self.room)
    }

    /// Takes an accepted write, for which there is room. True if the threads that wait for work have to look again.
    ///
    /// # Errors
    /// [`Status::Storage`] when a sync failed since it was accepted.
    pub(super) fn add(&mut self, record: Record, now: Instant) -> Result<bool, Error> {
        let bytes = record.bytes();
        self.room.check().inspect_err(|_| self.room.refuse(bytes))?;
        let kept = InMemory {
            bytes,
            accepted: record.accepted,
            returned: None,
        };
        self.kept.insert(record.id, kept);
        self.window.enter(bytes, None);
        self.add.push(record);
        Ok(self.schedule(now + self.commit_time))
    }

    /// The write is complete. True if the threads that wait for work have to look again.
    pub(super) fn erase(&mut self, id: CallId, now: Instant) -> bool {
        if self.forget(id).is_none() {
            return false;
        }
        match self.add.remove(id) {
            Some(record) => self.room.wrote(record.bytes()),
            None => self.erase.push(id),
        }
        if self.is_written() {
            // A moment that is left here would be taken for one at which the writer looks.
            self.due = None;
            return self.wants_page();
        }
        self.schedule(now + self.commit_time) | self.wants_page()
    }

    /// Every id below `next` may be one of a row on disk.
    pub(super) fn begin_at(&mut self, next: CallId) {
        self.recorded = self.recorded.max(next);
    }

    /// The writes before this one are on disk, or are none any more.
    pub(super) fn recorded(&self) -> CallId {
        self.recorded
    }

    /// These dead letters are on disk.
    pub(super) fn find_letters(&mut self, counts: LetterCounts) {
        self.letters.found(counts);
    }

    /// These rows are no writes: they stay as they are and are marked, at `unix_seconds`. True as for `add`.
    pub(super) fn set_aside(&mut self, rows: Vec<BadRow>, unix_seconds: i64, now: Instant) -> bool {
        for row in rows {
            self.letters.set_aside(row, unix_seconds);
        }
        !self.is_written() && self.schedule(now + self.commit_time)
    }

    /// The write `id` is sent no more and stays on disk until its refusal is polled; `has_tag` when a caller has.
    /// Returns whether its reply is to be polled now, and true as for `add`. None when the write is not recorded.
    pub(super) fn refuse(
        &mut self,
        id: CallId,
        refusal: WriteRefusal,
        has_tag: bool,
        (now, unix_seconds): (Instant, i64),
    ) -> Option<(bool, bool)> {
        if id >= self.recorded {
            return None;
        }
        self.forget(id)?;
        let is_shown = self.letters.refuse(id, refusal, has_tag, unix_seconds);
        Some((is_shown, self.schedule(now + self.commit_time)))
    }

    /// The refusal of the write `id` was polled: nothing of it stays. True as for `add`.
    pub(super) fn take_letter(&mut self, id: CallId, now: Instant) -> bool {
        self.letters.take(id) && self.schedule(now + self.commit_time)
    }

    /// Which refusals are to be read for poll: after that number, so many.
    pub(super) fn begin_letters(&mut self) -> Option<(i64, usize)> {
        let is_time = self.is_written() && !self.is_committing && self.letters.wants_page();
        is_time.then(|| self.letters.begin_page())
    }

    /// Takes refusals that were read, up to that number; returns their replies.
    pub(super) fn take_letters(&mut self, page: Vec<Refused>, read: Option<i64>) -> Vec<Reply> {
        self.letters.take_page(page, read)
    }

    /// A caller waits: pending changes are written now. True as for `add`.
    pub(super) fn hurry(&mut self, now: Instant) -> bool {
        !self.is_written() && self.schedule(now)
    }

    fn schedule(&mut self, moment: Instant) -> bool {
        let sooner = self.due.is_none_or(|due| moment < due);
        if sooner {
            self.due = Some(moment);
        }
        sooner
    }

    /// When the next commit begins; None while there is nothing to write. A thread that waits for work sleeps until
    /// that time, and `schedule` compares with the same time: otherwise the thread would not be woken.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due.filter(|_| self.room.check().is_ok())
    }

    fn is_written(&self) -> bool {
        self.add.is_empty() && self.erase.is_empty() && self.letters.is_written()
    }

    /// Hands over what the next commit does; `next` is the id of the next call.
    pub(super) fn begin(&mut self, next: CallId) -> Changes {
        let add = self.add.take();
        self.begin_with(add, next)
    }

    /// As [`Self::begin`], for a commit after which there is no other.
    pub(super) fn begin_last(&mut self, next: CallId) -> Changes {
        let add = self.add.take_all();
        self.begin_with(add, next)
    }

    fn begin_with(&mut self, add: Vec<Record>, next: CallId) -> Changes {
        self.due = None;
        self.is_committing = true;
        Changes {
            add,
            erase: std::mem::take(&mut self.erase),
            letters: std::mem::take(&mut self.letters.marks),
            polled: std::mem::take(&mut self.letters.polled),
            up_to: self.add.first().map_or(next, |record| record.id),
        }
    }

    /// Takes the outcome of a commit.
    pub(super) fn finish(
        &mut self,
        changes: Changes,
        outcome: Result<(), CommitFailure>,
        now: Instant,
    ) -> CommitOutcome {
        self.is_committing = false;
        self.failures += u64::from(outcome.is_err());
        let error = match outcome {
            Ok(()) => {
                self.recorded = changes.up_to;
                self.wrote(&changes.add);
                self.backlog.go_on();
                if !self.add.is_empty() {
                    self.schedule(now);
                }
                return CommitOutcome::Recorded(changes.up_to);
            }
            Err(CommitFailure::Busy(error)) => return self.postpone(changes, error, now),
            Err(CommitFailure::NotWritten(error)) => {
                // They are part of a later commit; until it they do no harm on disk.
                self.erase.splice(..0, changes.erase);
                self.letters.marks.splice(..0, changes.letters);
                self.letters.polled.splice(..0, changes.polled);
                if !self.is_written() {
                    self.schedule(now + RETRY);
                }
                self.lost += changes.add.len() as u64;
                self.no_room = Some(error.clone());
                error
            }
            Err(CommitFailure::Broken(error)) => {
                let message =
                    format!("{error}; nothing more is accepted until the client is opened again");
                let error = Error::new(error.status(), message);
                // The first reason stays.
                let _ = self.room.failed.set(error.clone());
                error
            }
        };
        self.recorded = changes.up_to;
        let mut lost = changes.add;
        if self.room.check().is_err() {
            // Writes accepted after it have no commit to wait for.
            lost.append(&mut self.add.take_all());
        }
        self.wrote(&lost);
        let records = lost.into_iter().map(|record| {
            let tag = self.backlog.from(record.id).next();
            let tag = tag.filter(|waiting| waiting.id == record.id);
            let tag = tag.and_then(|waiting| waiting.tag);
            self.forget(record.id);
            Lost { record, tag }
        });
        let records = records.collect();
        self.backlog.go_on();
        CommitOutcome::Lost {
            records,
            up_to: changes.up_to,
            error,
        }
    }

    /// These are on disk, or never will be.
    fn wrote(&self, records: &[Record]) {
        self.room.wrote(records.iter().map(Record::bytes).sum());
    }

    /// Puts `changes` back in front of later ones.
    fn postpone(&mut self, changes: Changes, error: Error, now: Instant) -> CommitOutcome {
        // A write that was cancelled before that is neither recorded nor erased.
        let add = changes.add.into_iter();
        let (add, over): (Vec<_>, Vec<_>) = add.partition(|record| self.keeps(record.id));
        self.wrote(&over);
        let over: HashSet<_> = over.iter().map(|record| record.id).collect();
        self.erase.retain(|id| !over.contains(id));
        self.add.put_back(add);
        self.erase.splice(..0, changes.erase);
        self.letters.marks.splice(..0, changes.letters);
        self.letters.polled.splice(..0, changes.polled);
        if !self.is_written() {
            self.schedule(now + BUSY_RETRY);
        }
        CommitOutcome::Postponed(error)
    }

    /// What it says about itself at `unix_seconds`.
    pub(super) fn stats(&self, unix_seconds: i64) -> stats::OutboxStats {
        let in_memory = self.kept.iter().next();
        let in_memory = in_memory.map(|(id, kept)| (*id, kept.accepted));
        let beyond = self.oldest_waiting();
        let beyond = beyond.map(|waiting| (waiting.id, waiting.accepted));
        let oldest = in_memory.into_iter().chain(beyond).min();
        let oldest = oldest.map(|(_, accepted)| accepted);
        let on_disk = self.backlog.len() + self.transit.len();
        let age = oldest.map_or(0, |accepted| unix_seconds.saturating_sub(accepted));
        stats::OutboxStats {
            writes: self.kept.len() + on_disk,
            on_disk,
            unrecorded: self.kept.range(self.recorded..).count()
                + self.backlog.from(self.recorded).count(),
            bytes: self.room.bytes.load(Ordering::Relaxed),
            max_bytes: self.room.max_bytes,
            oldest_s: u64::try_from(age).unwrap_or(0),
            busy: self.room.busy.load(Ordering::Relaxed),
            failures: self.failures,
            failed: self.room.check().is_err(),
            refused: self.letters.counts().refused,
            bad_rows: self.letters.counts().bad_rows,
            held: None,
        }
    }

    /// How many lost writes are old news for a sync that begins now.
    pub(super) fn reported_losses(&self) -> u64 {
        self.reported_losses
    }

    /// Why a sync that began when `reported_losses` were reported does not succeed, though nothing is left to be written.
    pub(super) fn take_loss(&mut self, reported_losses: u64) -> Option<Error> {
        self.reported_losses = self.lost;
        self.no_room.clone().filter(|_| self.lost > reported_losses)
    }

    /// Whether everything accepted before `next` is on disk.
    ///
    /// # Errors
    /// [`Status::Storage`] when it never will be.
    pub(super) fn is_recorded(&self, next: CallId) -> Result<bool, Error> {
        self.room.check()?;
        Ok(self.recorded >= next || (self.add.is_empty() && !self.is_committing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Operation, Request};
    use crate::error::Status;

    pub(super) fn record(id: CallId) -> Record {
        let operation = Operation::Add(["bob".into()].into());
        let request = Arc::new(Request {
            owner: "ann".into(),
            operation,
        });
        Record::new(id, request, 0)
    }

    #[test]
    fn a_write_behind_one_that_was_cancelled_before_its_commit_wakes_the_writer() {
        let mut now = Instant::now();
        let mut outbox = Outbox::new(1000, Duration::from_millis(5), Limit::DEFAULT);
        assert_eq!(outbox.add(record(0), now).ok(), Some(true));
        outbox.erase(0, now);
        assert_eq!(outbox.due(), None, "the writer sleeps without a limit");
        now += Duration::from_secs(1);
        assert_eq!(outbox.add(record(1), now).ok(), Some(true));
        assert_eq!(outbox.due(), Some(now + Duration::from_millis(5)));
    }

    #[test]
    fn a_write_behind_a_failed_commit_and_a_cancel_wakes_the_writer() {
        let now = Instant::now();
        let mut outbox = Outbox::new(1000, Duration::from_millis(5), Limit::DEFAULT);
        for id in 0..3 {
            outbox.add(record(id), now).expect("there is room");
        }
        let changes = outbox.begin(3);
        outbox.add(record(3), now).expect("there is room");
        outbox.erase(3, now);
        let full = CommitFailure::NotWritten(Error::new(Status::Storage, "no room"));
        outbox.finish(changes, Err(full), now);
        assert_eq!(outbox.due(), None);
        assert_eq!(outbox.add(record(4), now).ok(), Some(true));
        assert!(outbox.hurry(now), "and so does whoever waits for it");
    }

    #[test]
    fn a_commit_that_found_the_file_locked_is_tried_again_without_what_was_cancelled() {
        let now = Instant::now();
        let mut outbox = Outbox::new(1000, Duration::ZERO, Limit::DEFAULT);
        for id in 0..2 {
            outbox.add(record(id), now).expect("there is room");
        }
        let changes = outbox.begin(2);
        outbox.add(record(2), now).expect("there is room");
        outbox.erase(0, now);
        let locked = CommitFailure::Busy(Error::new(Status::Storage, "locked"));
        let outcome = outbox.finish(changes, Err(locked), now);
        assert!(matches!(outcome, CommitOutcome::Postponed(_)));
        assert!(matches!(outbox.is_recorded(2), Ok(false)));
        assert_eq!(outbox.due(), Some(now), "what came meanwhile goes at once");
        let changes = outbox.begin(3);
        let ids: Vec<_> = changes.add.iter().map(|record| record.id).collect();
        assert_eq!((ids, changes.erase.len()), (vec![1, 2], 0));
        let outcome = outbox.finish(changes, Ok(()), now);
        assert!(matches!(outcome, CommitOutcome::Recorded(3)));
        assert!(matches!(outbox.is_recorded(3), Ok(true)));
    }

    #[test]
    fn one_commit_records_a_bounded_number_of_writes_and_the_next_follows_at_once() {
        let now = Instant::now();
        let limit = Limit {
            commit: 2,
            ..Limit::DEFAULT
        };
        let mut outbox = Outbox::new(1000, Duration::from_secs(1), limit);
        for id in 0..5 {
            outbox.add(record(id), now).expect("there is room");
        }
        for (from, up_to) in [(0, 2), (2, 4)] {
            let changes = outbox.begin(5);
            let ids: Vec<_> = changes.add.iter().map(|record| record.id).collect();
            assert_eq!(ids, [from, from + 1]);
            let outcome = outbox.finish(changes, Ok(()), now);
            assert!(matches!(outcome, CommitOutcome::Recorded(id) if id == up_to));
            assert_eq!(outbox.stats(0).unrecorded as u64, 5 - up_to);
            assert!(matches!(outbox.is_recorded(5), Ok(false)));
            assert_eq!(outbox.due(), Some(now));
        }
        outbox.add(record(5), now).expect("there is room");
        let changes = outbox.begin_last(6);
        assert_eq!((changes.add.len(), changes.up_to), (2, 6));
        outbox.finish(changes, Ok(()), now);
        assert!(matches!(outbox.is_recorded(6), Ok(true)));
        assert_eq!(outbox.due(), None);
    }

    #[test]
    fn writes_on_their_way_to_disk_are_bounded_and_a_waiting_caller_is_not_refused_for_them() {
        let now = Instant::now();
        let limit = Limit {
            unwritten: 100,
            ..Limit::DEFAULT
        };
        let request = Arc::new(Request {
            owner: "ann".into(),
            operation: Operation::Add(["bob".into()].into()),
        });
        let mut outbox = Outbox::new(10_000, Duration::ZERO, limit);
        let room = outbox.room();
        for id in 0..3 {
            room.reserve(&request, id == 2).expect("there is room");
            let record = Record::new(id, Arc::clone(&request), 0);
            outbox.add(record, now).expect("there is room");
        }
        let refused = room.reserve(&request, false).expect_err("no room");
        assert_eq!((refused.status(), outbox.stats(0).busy), (Status::Busy, 1));
        outbox.erase(1, now);
        let changes = outbox.begin(3);
        assert!(room.reserve(&request, false).is_err(), "not on disk yet");
        outbox.finish(changes, Ok(()), now);
        room.reserve(&request, false).expect("all are on disk");
        room.refuse(record(0).bytes());
        assert_eq!(room.unwritten.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_write_that_a_failed_sync_overtakes_is_refused_and_gives_its_room_back() {
        let now = Instant::now();
        let mut outbox = Outbox::new(1000, Duration::ZERO, Limit::DEFAULT);
        let request = Arc::new(Request {
            owner: "ann".into(),
            operation: Operation::Add(["bob".into()].into()),
        });
        outbox
            .room()
            .reserve(&request, true)
            .expect("there is room");
        let changes = outbox.begin(0);
        let broken = CommitFailure::Broken(Error::new(Status::Storage, "no sync"));
        outbox.finish(changes, Err(broken), now);
        let record = Record::new(0, Arc::clone(&request), 0);
        let refused = outbox.add(record, now).expect_err("refused");
        assert_eq!(refused.status(), Status::Storage);
        assert_eq!((outbox.stats(0).bytes, outbox.stats(0).writes), (0, 0));
        assert!(outbox.room().reserve(&request, true).is_err());
    }
}
