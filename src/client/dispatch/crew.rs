//! Who of the threads does what: some are on the network, one keeps the watch, the others wait for work.
//! The watch ends calls that run out of time while every connection hangs, and sees what becomes ready
//! with time. A thread is woken only when it has something to do: waking costs more than a request.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::{Condvar, MutexGuard};

use super::learner::outlook;
use super::{Dispatch, State};
use crate::threads;

/// Threads that are not on the network.
pub(super) struct Crew {
    /// How many there are in all.
    pub(super) threads: usize,
    /// Those that wait for work.
    idle: usize,
    /// One of them was woken and has not looked yet. It wakes the next if there is work for two.
    is_waking: bool,
    watch: Watch,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Watch {
    Nobody,
    /// Somebody, who looks again at this moment; None: when woken.
    Until(Option<Instant>),
    /// Somebody who was woken and has not looked yet.
    Waking,
}

impl Crew {
    pub(super) fn new() -> Self {
        Self {
            threads: 0,
            idle: 0,
            is_waking: false,
            watch: Watch::Nobody,
        }
    }
}

/// Where the threads of a crew wait.
#[derive(Default)]
pub(super) struct Bunks {
    work: Condvar,
    watch: Condvar,
}

impl Bunks {
    /// Everybody looks again.
    pub(super) fn wake_all(&self) {
        self.work.notify_all();
        self.watch.notify_all();
    }
}

impl Dispatch {
    /// Starts a thread when all others are under way with a request.
    pub(super) fn keep_one_spare(self: &Arc<Self>, state: &mut State) -> std::io::Result<()> {
        let Some(alive) = state.alive.clone() else {
            return Ok(());
        };
        if state.crew.threads > state.lanes.in_flight() {
            return Ok(());
        }
        let own = Arc::clone(self);
        threads::spawn("chatblock-call", move || {
            own.work();
            // In this order: who waits for the end of all threads may reopen the store.
            drop(own);
            drop(alive);
        })?;
        state.crew.threads += 1;
        Ok(())
    }

    /// Wakes who has something to do now: for a request that may go, or for a moment that comes before the one
    /// at which the watch looks again.
    pub(super) fn rouse(&self, state: &mut State, now: Instant) {
        let (is_ready, moment) = outlook(state, now);
        let crew = &state.crew;
        let is_earlier = match crew.watch {
            Watch::Nobody | Watch::Waking => false,
            Watch::Until(None) => moment.is_some(),
            Watch::Until(Some(until)) => moment.is_some_and(|moment| moment < until),
        };
        let has_news = state.lanes.done_len() > 0 && state.delivering == 0;
        let is_ready = is_ready || has_news;
        let needs_hand = is_ready || (moment.is_some() && crew.watch == Watch::Nobody);
        if needs_hand && crew.idle > 0 && !crew.is_waking {
            state.crew.is_waking = true;
            self.bunks.work.notify_one();
        }
        let is_alone = is_ready && state.crew.idle == 0;
        if is_earlier || (is_alone && matches!(state.crew.watch, Watch::Until(_))) {
            state.crew.watch = Watch::Waking;
            self.bunks.watch.notify_one();
        }
    }

    /// There is nothing to do before `until`: keeps the watch, or waits for work if another one does.
    pub(super) fn rest(&self, state: &mut MutexGuard<'_, State>, until: Option<Instant>) {
        if state.crew.watch == Watch::Nobody {
            state.crew.watch = Watch::Until(until);
            match until {
                Some(until) => drop(self.bunks.watch.wait_until(state, until)),
                None => self.bunks.watch.wait(state),
            }
            state.crew.watch = Watch::Nobody;
        } else {
            self.rouse(state, self.clock.now());
            state.crew.idle += 1;
            self.bunks.work.wait(state);
            state.crew.idle -= 1;
            state.crew.is_waking = false;
        }
    }
}
