//! Who of the threads does what: some are on the network, one keeps the watch, the others wait for work.
//! The watch ends calls that run out of time while every connection hangs, sees what becomes ready
//! with time, and takes in what arrives. A thread is woken only when it has something to do: waking
//! costs more than a request.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use parking_lot::MutexGuard;

use super::{Runtime, State, busy};
use crate::client::lanes::Next;
use crate::error::Error;
use crate::threads;

/// Threads that are not on the network.
pub(super) struct Workers {
    /// How many there are in all.
    pub(super) threads: usize,
    /// Those that wait for work.
    idle: usize,
    /// One of them was woken or started and has not looked yet. It wakes the next if there is work for two.
    pub(super) is_waking: bool,
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

impl Workers {
    pub(super) fn new() -> Self {
        Self {
            threads: 0,
            idle: 0,
            is_waking: false,
            watch: Watch::Nobody,
        }
    }
}

#[cfg(test)]
impl Workers {
    /// Whether every thread waits.
    pub(super) fn is_at_rest(&self) -> bool {
        matches!(self.watch, Watch::Until(_)) && self.idle + 1 == self.threads
    }
}

impl Runtime {
    /// There is a thread from now on.
    ///
    /// # Errors
    /// [`crate::Status::Busy`] when none can start.
    pub(super) fn man(self: &Arc<Self>, state: &mut State) -> Result<(), Error> {
        if state.workers.threads == 0 {
            self.keep_one_spare(state)
                .map_err(|error| busy(&format!("no thread can start for the call: {error}")))?;
        }
        self.is_manned.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Every thread looks again.
    pub(super) fn wake_all(&self) {
        self.work.notify_all();
        self.inbox.call_watch();
    }

    /// Starts a thread when all others are under way with a request.
    pub(super) fn keep_one_spare(self: &Arc<Self>, state: &mut State) -> std::io::Result<()> {
        let Some(alive) = state.alive.clone() else {
            return Ok(());
        };
        if state.workers.threads > state.lanes.in_flight() {
            return Ok(());
        }
        let own = Arc::clone(self);
        threads::spawn("chatblock-call", move || {
            own.work();
            // In this order: who waits for the end of all threads may reopen the store.
            drop(own);
            drop(alive);
        })?;
        state.workers.threads += 1;
        state.workers.is_waking = true;
        Ok(())
    }

    /// What to do now, for callers or in the background.
    pub(super) fn next(&self, state: &mut State) -> Next {
        let now = self.clock.now();
        let mut due = self.inbox.due();
        if due.is_some_and(|moment| moment <= now) {
            self.take_in(state);
            due = None;
        }
        let State {
            lanes, watching, ..
        } = state;
        while let Some(page) = watching.as_mut().and_then(|watching| watching.next(now)) {
            lanes.list(page, now);
        }
        match lanes.next(now) {
            Next::Wait(until) => {
                let page = watching.as_mut().and_then(|watching| watching.moment(now));
                Next::Wait([until, page, due].into_iter().flatten().min())
            }
            send @ Next::Send(_) => send,
        }
    }

    /// Whether there is something to do at `now`, and when to look again.
    pub(super) fn outlook(&self, state: &mut State, now: Instant) -> (bool, Option<Instant>) {
        let watching = state.watching.as_mut();
        let page = watching.and_then(|watching| watching.moment(now));
        let (is_ready, moment) = state.lanes.outlook(now);
        let others = [page, self.inbox.due()].into_iter().flatten().min();
        (
            is_ready || others.is_some_and(|moment| moment <= now),
            [moment, others].into_iter().flatten().min(),
        )
    }

    /// A thread goes on the network: another one does what is left, if there is another.
    pub(super) fn leave(&self, state: &mut State) {
        self.rouse(state, self.clock.now());
        if state.workers.watch == Watch::Nobody && !state.workers.is_waking {
            self.inbox.abandon();
        }
    }

    /// Wakes who has something to do now: for a request that may go, or for a moment that comes before the one
    /// at which the watch looks again.
    pub(super) fn rouse(&self, state: &mut State, now: Instant) {
        let (is_ready, moment) = self.outlook(state, now);
        let workers = &state.workers;
        let is_earlier = match workers.watch {
            Watch::Nobody | Watch::Waking => false,
            Watch::Until(None) => moment.is_some(),
            Watch::Until(Some(until)) => moment.is_some_and(|moment| moment < until),
        };
        let has_news = state.lanes.done_len() > 0 && !state.is_delivering;
        let is_ready = is_ready || has_news;
        let needs_hand = is_ready || (moment.is_some() && workers.watch == Watch::Nobody);
        if needs_hand && workers.idle > 0 && !workers.is_waking {
            state.workers.is_waking = true;
            self.work.notify_one();
        }
        let is_alone = is_ready && state.workers.idle == 0;
        if is_earlier || (is_alone && matches!(state.workers.watch, Watch::Until(_))) {
            state.workers.watch = Watch::Waking;
            self.inbox.call_watch();
        }
    }

    /// There is nothing to do before `until`: keeps the watch, or waits for work if another one does. Who just
    /// `came_back` from the network lets others run first and looks once more: where every core is busy the callers that
    /// have their answers bring the next work meanwhile, and a look is cheaper than to sleep and be woken.
    pub(super) fn rest(
        &self,
        state: &mut MutexGuard<'_, State>,
        until: Option<Instant>,
        came_back: bool,
    ) {
        if state.workers.watch == Watch::Nobody {
            state.workers.watch = Watch::Until(until);
            MutexGuard::unlocked(state, || self.inbox.attend(until, &*self.clock));
            state.workers.watch = Watch::Nobody;
        } else if came_back && !state.workers.is_waking {
            state.workers.is_waking = true;
            MutexGuard::unlocked(state, std::thread::yield_now);
            state.workers.is_waking = false;
        } else {
            self.rouse(state, self.clock.now());
            state.workers.idle += 1;
            self.work.wait(state);
            state.workers.idle -= 1;
            state.workers.is_waking = false;
        }
    }
}
