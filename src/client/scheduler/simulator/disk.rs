//! The disk of a history: commits that succeed, find the disk full, or end with the process.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::super::{CallId, Scheduler};
use super::{ATTEMPT, Simulation, Sleeper, rules};
use crate::client::outbox::{Changes, CommitFailure, Loaded, Outbox, Record, Stored, intake};
use crate::error::{Error, Status};

/// How a commit ends.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Commit {
    Fine,
    Full,
    /// Another program has the file locked.
    Locked,
    /// The process ends before it is on disk.
    CrashBefore,
    /// The process ends after the commit and before any reply.
    CrashAfter,
}

/// The file of the outbox, and a commit on its way to it.
#[derive(Default)]
pub(super) struct Disk {
    pub(super) records: BTreeMap<CallId, Record>,
    pub(super) commit: Option<(Instant, Changes, Commit)>,
    /// Writes that are being read, and when they have been.
    pub(super) page: Option<(Instant, Vec<CallId>)>,
    /// How many times the process may still end.
    pub(super) crashes: u8,
}

impl Simulation {
    /// Hands over what is to be written.
    pub(super) fn begin_commit(&mut self) {
        let next = self.scheduler.next_call();
        let Some(outbox) = &mut self.outbox else {
            return;
        };
        let changes = outbox.begin(next);
        let may_crash = self.disk.crashes > 0;
        let commit = match self.random.u8(..12) {
            0 if may_crash => Commit::CrashBefore,
            1 if may_crash => Commit::CrashAfter,
            2 if self.is_faulty() => Commit::Full,
            3 if self.is_faulty() => Commit::Locked,
            _ => Commit::Fine,
        };
        self.faults += u64::from(commit != Commit::Fine);
        let moment = self.now + Duration::from_millis(self.random.u64(..20));
        self.disk.commit = Some((moment, changes, commit));
    }

    pub(super) fn end_commit(&mut self, changes: Changes, commit: Commit) {
        if matches!(commit, Commit::Fine | Commit::CrashAfter) {
            for record in &changes.add {
                self.asked[self.calls[&record.id]].recorded = true;
                self.disk.records.insert(record.id, record.clone());
            }
            for id in &changes.erase {
                self.disk.records.remove(id);
            }
        }
        if matches!(commit, Commit::CrashBefore | Commit::CrashAfter) {
            self.crash();
            return;
        }
        let outcome = match commit {
            Commit::Full => Err(CommitFailure::NotWritten(Error::new(
                Status::Storage,
                "full",
            ))),
            Commit::Locked => Err(CommitFailure::Busy(Error::new(Status::Storage, "locked"))),
            _ => Ok(()),
        };
        let Some(outbox) = &mut self.outbox else {
            return;
        };
        let outcome = outbox.finish(changes, outcome, self.now);
        intake::take_outcome(&mut self.scheduler, outbox, outcome, self.now);
        self.writer = Sleeper::Awake;
        self.collect();
        self.rouse();
    }

    /// Reads what has room in memory.
    pub(super) fn begin_page(&mut self) {
        let Some(outbox) = &mut self.outbox else {
            return;
        };
        let ids = outbox.begin_page();
        let moment = self.now + Duration::from_millis(self.random.u64(..20));
        self.disk.page = (!ids.is_empty()).then_some((moment, ids));
    }

    pub(super) fn end_page(&mut self) {
        let (Some(outbox), Some((_, ids))) = (&mut self.outbox, self.disk.page.take()) else {
            return;
        };
        let read = |id| match self.disk.records.get(&id) {
            Some(record) => (id, Loaded::Write(record.clone())),
            None => (id, Loaded::Gone),
        };
        let page: Vec<_> = ids.into_iter().map(read).collect();
        let back = intake::arrive(&mut self.scheduler, outbox, page, (self.now, 0));
        for id in back.gone {
            self.violation(format!("write {id} is no longer on disk"));
        }
        self.writer = Sleeper::Awake;
        self.collect();
        self.rouse();
    }

    /// The process ends, and another one opens the outbox when no attempt can arrive any more of which
    /// nothing is on disk.
    fn crash(&mut self) {
        self.disk.crashes -= 1;
        self.note_event();
        for asked in &mut self.asked {
            asked.orphaned |= asked.replies == 0;
        }
        self.flying.clear();
        self.service.in_flight.clear();
        self.service.forget_arrivals_after(self.time());
        self.now += ATTEMPT + Duration::from_millis(self.random.u64(..2000));
        self.arrive_late();
        let left: Vec<_> = self.disk.records.values().cloned().collect();
        let calls = std::mem::take(&mut self.calls);
        let known = left.iter().map(|record| (record.id, calls[&record.id]));
        self.calls = known.collect();
        self.scheduler = Scheduler::new(rules(self.rate, true), self.random.fork());
        let mut outbox = Outbox::new(
            1 << 20,
            Duration::from_millis(5),
            super::window(self.trouble.is_some()),
        );
        for record in &left {
            outbox.find(&Stored {
                id: record.id,
                owner: record.owner(),
                command: record.command(),
                bytes: 50,
                accepted: record.accepted,
            });
        }
        self.scheduler.begin_at(outbox.recorded(), self.now);
        for record in left {
            self.scheduler.inherit(record.command());
        }
        self.outbox = Some(outbox);
        self.disk.page = None;
        (self.worker, self.writer) = (Sleeper::Awake, Sleeper::Awake);
    }
}
