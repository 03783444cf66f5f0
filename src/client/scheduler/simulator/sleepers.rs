//! Sleeping threads and what wakes them, as in `runtime`: with the predicates of the scheduler and of the outbox
//! only. Work for which no predicate wakes a thread is not done here either.

use std::time::Instant;

use super::super::Next;
use super::Simulation;
use crate::client::outbox::Outbox;

/// A thread, or several of which one looks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sleeper {
    Awake,
    /// Looks again at this time; None: when it is woken.
    Until(Option<Instant>),
}

impl Sleeper {
    /// When it looks by itself.
    pub(super) fn moment(self) -> Option<Instant> {
        match self {
            Self::Awake => None,
            Self::Until(moment) => moment,
        }
    }

    fn is_awake(self, now: Instant) -> bool {
        match self {
            Self::Awake => true,
            Self::Until(moment) => moment.is_some_and(|moment| moment <= now),
        }
    }
}

impl Simulation {
    /// As `Dispatch::rouse`.
    pub(super) fn rouse(&mut self) {
        let (is_ready, moment) = self.scheduler.outlook(self.now);
        let Sleeper::Until(until) = self.worker else {
            return;
        };
        let is_earlier = match until {
            None => moment.is_some(),
            Some(until) => moment.is_some_and(|moment| moment < until),
        };
        if is_ready || is_earlier || self.scheduler.done_len() > 0 {
            self.worker = Sleeper::Awake;
        }
    }

    /// As `Dispatch::work_until_closed`: one look.
    pub(super) fn look_for_work(&mut self) {
        if !self.worker.is_awake(self.now) {
            return;
        }
        match self.scheduler.next(self.now) {
            Next::Send(flight) => {
                self.worker = Sleeper::Awake;
                self.send(flight);
            }
            Next::Wait(_) if self.scheduler.done_len() > 0 => {
                self.worker = Sleeper::Awake;
                self.collect();
            }
            Next::Wait(until) => self.worker = Sleeper::Until(until),
        }
    }

    /// Whether the writer looks again at once, without waiting for the disk.
    pub(super) fn is_writer_at_work(&self) -> bool {
        let is_idle = self.disk.commit.is_none() && self.disk.page.is_none();
        is_idle && self.writer == Sleeper::Awake
    }

    /// As `Dispatch::record_until_closed`: one look.
    pub(super) fn look_at_outbox(&mut self) {
        let is_busy = self.disk.commit.is_some() || self.disk.page.is_some();
        if is_busy || !self.writer.is_awake(self.now) {
            return;
        }
        match self.outbox.as_ref().and_then(Outbox::due) {
            Some(due) if due <= self.now => self.begin_commit(),
            _ if self.outbox.as_ref().is_some_and(Outbox::wants_page) => self.begin_page(),
            due => self.writer = Sleeper::Until(due),
        }
    }
}
