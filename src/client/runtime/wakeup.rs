//! Leader and followers: the only code that decides which thread sleeps and which is woken.
//!
//! A thread *looks* when it holds the lock of the scheduler, processes the inbox, and gets its next task. After that
//! it sends a request, or it sleeps. One sleeping thread is the *leader*: it wakes by itself when its timer is due.
//! The others are *followers*. Waking a thread costs more than a request, so a thread is woken only if no other will
//! look.
//!
//! ```text
//!                              woken: post(), leave(), end()
//!               +-------------------------------------------------------------+
//!               v                                                             |
//!  start() -> LOOKING -- sleep(), nothing posted, no leader --> LEADER (until its moment, or woken)
//!               ^  |  \                                                       |
//!               |  |   +- sleep(), nothing posted, a leader --> FOLLOWER (until woken)
//!               |  |   +- sleep(), posted --> LOOKING
//!               |  v leave()
//!             IN FLIGHT -- come_back() --> LOOKING
//! ```
//!
//! Invariants, which `model.rs` checks in every order that shuttle explores:
//! - `looking` is the exact number of threads that will look before they sleep or leave.
//! - A thread that adds work calls `post()` after the work is visible. While a thread looks, the work is noted in
//!   `posted` for the thread that sleeps or leaves next. Otherwise a sleeping thread starts to look at once. If no
//!   thread sleeps, all are sending and look when they return.
//! - A thread that leaves posts the work that remains, and what was posted while it looked.
//! - The timer of the leader is never later than the earliest time that was posted.

use std::time::Instant;

/// What there is to do: now, and at a moment to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Work {
    pub(super) is_ready: bool,
    pub(super) moment: Option<Instant>,
}

impl Work {
    /// Both.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            is_ready: self.is_ready || other.is_ready,
            moment: earlier(self.moment, other.moment),
        }
    }
}

/// Whom to notify, after the lock is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Wake {
    Nobody,
    /// The leader: to look, or only to reset its timer.
    Leader,
    /// One follower, to look.
    Follower,
}

/// How a thread sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Sleep {
    /// Not at all: something was posted.
    LookAgain,
    /// Until the moment of the leader, as the leader of this number.
    Leader(u64),
    /// Until called; the leader has to reset its timer if `wake` says so.
    Follower(Wake),
}

/// The sleeper with a timer.
#[derive(Debug)]
struct Leader {
    /// Distinguishes one leader from the next.
    number: u64,
    until: Option<Instant>,
}

/// The threads that sleep and those that look.
#[derive(Debug, Default)]
pub(super) struct Wakeup {
    leader: Option<Leader>,
    /// Leaders so far.
    leaders: u64,
    /// Followers that were not called.
    followers: usize,
    /// Followers that were called and are not awake yet.
    called: usize,
    looking: usize,
    posted: Work,
    is_over: bool,
}

impl Wakeup {
    /// A new thread will look.
    pub(super) fn start(&mut self) {
        self.looking += 1;
    }

    /// The thread that was to start cannot.
    pub(super) fn start_failed(&mut self) {
        self.looking -= 1;
    }

    /// A thread is back from the network and will look.
    pub(super) fn come_back(&mut self) {
        self.looking += 1;
    }

    /// A thread looks now: it sees everything that was posted before.
    pub(super) fn look(&mut self) {
        self.posted = Work::default();
    }

    /// There is `work`, which a thread that looks now will see.
    pub(super) fn post(&mut self, work: Work) -> Wake {
        if work == Work::default() {
            return Wake::Nobody;
        }
        if self.looking > 0 {
            self.posted = self.posted.and(work);
            return Wake::Nobody;
        }
        if !work.is_ready && self.leader.is_some() {
            return self.lead_until(work.moment);
        }
        self.call_one()
    }

    /// A thread that looked starts to send and leaves `work` to others.
    pub(super) fn leave(&mut self, work: Work) -> Wake {
        self.looking -= 1;
        let posted = std::mem::take(&mut self.posted);
        self.post(work.and(posted))
    }

    /// A thread that looked has nothing to do until `until`.
    pub(super) fn sleep(&mut self, until: Option<Instant>) -> Sleep {
        if self.posted.is_ready || self.is_over {
            return Sleep::LookAgain;
        }
        let posted = std::mem::take(&mut self.posted);
        let until = earlier(until, posted.moment);
        self.looking -= 1;
        if self.leader.is_none() {
            self.leaders += 1;
            self.leader = Some(Leader {
                number: self.leaders,
                until,
            });
            return Sleep::Leader(self.leaders);
        }
        self.followers += 1;
        Sleep::Follower(self.lead_until(until))
    }

    /// Whether no other thread looks and the timer is kept by another: then a thread may let others run before it sleeps.
    pub(super) fn may_linger(&self) -> bool {
        self.leader.is_some() && self.looking == 1
    }

    /// Whether the thread that sleeps as the leader of this number still does; false when it was called to look.
    pub(super) fn leads(&self, number: u64) -> bool {
        self.leader.as_ref().is_some_and(|own| own.number == number)
    }

    /// Until when the leader sleeps.
    pub(super) fn moment(&self) -> Option<Instant> {
        self.leader.as_ref().and_then(|leader| leader.until)
    }

    /// The timer of the leader is due: it looks.
    pub(super) fn timer_is_due(&mut self) {
        self.leader = None;
        self.looking += 1;
    }

    /// Whether a follower was called, which ends its sleep.
    pub(super) fn take_call(&mut self) -> bool {
        let is_called = self.called > 0;
        self.called -= usize::from(is_called);
        is_called
    }

    /// Every thread looks, and none sleeps any more.
    pub(super) fn end(&mut self) {
        self.is_over = true;
        self.looking += self.followers + usize::from(self.leader.is_some());
        self.called += std::mem::take(&mut self.followers);
        self.leader = None;
    }

    /// One sleeper looks: a follower, because the leader keeps the timer.
    fn call_one(&mut self) -> Wake {
        if self.followers > 0 {
            self.followers -= 1;
            self.called += 1;
            self.looking += 1;
            return Wake::Follower;
        }
        if self.leader.take().is_some() {
            self.looking += 1;
            return Wake::Leader;
        }
        Wake::Nobody
    }

    /// The leader looks at `moment` at the latest.
    fn lead_until(&mut self, moment: Option<Instant>) -> Wake {
        match (&mut self.leader, moment) {
            (Some(leader), Some(moment)) if leader.until.is_none_or(|until| moment < until) => {
                leader.until = Some(moment);
                Wake::Leader
            }
            _ => Wake::Nobody,
        }
    }
}

pub(super) fn earlier<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    [one, other].into_iter().flatten().min()
}

#[cfg(test)]
impl Wakeup {
    /// Whether all of `threads` sleep.
    pub(super) fn is_asleep(&self, threads: usize) -> bool {
        self.looking == 0 && self.leader.is_some() && self.followers + 1 == threads
    }
}
