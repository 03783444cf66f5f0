//! The loop of a thread: look for work, send a request, process its outcome. `wakeup.rs` decides which thread sleeps
//! and which is woken. There is one thread more than requests in flight, which runs the timers, so deadlines hold
//! while every connection hangs.

use std::sync::Arc;
use std::time::Instant;

use super::wakeup::{Work, earlier};
use super::{Runtime, RuntimeState, busy};
use crate::client::scheduler::Next;
use crate::config::LogLevel;
use crate::error::Error;
use crate::locks::MutexGuard;
use crate::panics;
use crate::threads;

impl Runtime {
    /// There is a thread from now on.
    ///
    /// # Errors
    /// [`crate::Status::Busy`] when none can start.
    pub(super) fn have_a_thread(self: &Arc<Self>, state: &mut RuntimeState) -> Result<(), Error> {
        if state.threads > 0 {
            return Ok(());
        }
        self.keep_one_spare(state)
            .map_err(|error| busy(&format!("no thread can start for the call: {error}")))
    }

    /// Starts a thread when all others are under way with a request.
    pub(super) fn keep_one_spare(
        self: &Arc<Self>,
        state: &mut RuntimeState,
    ) -> std::io::Result<()> {
        let Some(alive) = state.alive.clone() else {
            return Ok(());
        };
        if state.threads > state.scheduler.in_flight() {
            return Ok(());
        }
        self.inbox.start();
        let own = Arc::clone(self);
        threads::spawn("chatblock-call", move || {
            own.work();
            // In this order: after the end of all threads the store may be opened again.
            drop(own);
            drop(alive);
        })
        .inspect_err(|_| self.inbox.start_failed(state.threads == 0))?;
        state.threads += 1;
        Ok(())
    }

    fn work(self: &Arc<Self>) {
        if panics::contain(|| self.work_until_closed()).is_err() {
            self.poison();
        }
    }

    fn work_until_closed(self: &Arc<Self>) {
        let mut state = self.state.lock();
        let mut came_back = false;
        while state.alive.is_some() && !self.is_poisoned() {
            // First, so that a request that is taken is sent at once.
            state = self.deliver_some(state);
            match self.next(&mut state) {
                Next::Send(flight) => {
                    // Without a spare thread the next request waits for this one, which is no harm.
                    let _ = self.keep_one_spare(&mut state);
                    let left = self.outlook(&mut state, self.clock.now());
                    self.inbox.leave(left);
                    drop(state);
                    state = self.send(flight);
                    came_back = true;
                }
                // More may be done than was delivered.
                Next::Wait(_) if self.can_deliver(&state) => {}
                Next::Wait(until) => self.rest(&mut state, until, std::mem::take(&mut came_back)),
            }
        }
    }

    /// What to do now, for callers or in the background.
    pub(super) fn next(&self, state: &mut RuntimeState) -> Next {
        let now = self.clock.now();
        self.enter_arriving(state);
        let due = self.inbox.look(&mut state.arriving, now);
        self.enter_arriving(state);
        state.follow_watch_list();
        let RuntimeState {
            scheduler,
            refresher,
            ..
        } = state;
        if let Some(refresher) = refresher {
            while let Some(page) = refresher.next(now) {
                scheduler.list(page, now);
            }
            if let Some(news) = refresher.take_news() {
                self.log.line(LogLevel::Warn, || news);
            }
        }
        match scheduler.next(now) {
            Next::Wait(until) => {
                let page = refresher
                    .as_mut()
                    .and_then(|refresher| refresher.moment(now));
                Next::Wait(earlier(earlier(until, page), due))
            }
            send @ Next::Send(_) => send,
        }
    }

    /// What is left to do at `now` and later, beside what has arrived.
    fn outlook(&self, state: &mut RuntimeState, now: Instant) -> Work {
        let refresher = state.refresher.as_mut();
        let page = refresher.and_then(|refresher| refresher.moment(now));
        let (is_ready, moment) = state.scheduler.outlook(now);
        Work {
            is_ready: is_ready
                || self.can_deliver(state)
                || page.is_some_and(|moment| moment <= now),
            moment: earlier(moment, page),
        }
    }

    /// Sees to it that what there is to do is done: call after every change of the state.
    pub(super) fn rouse(&self, state: &mut RuntimeState, now: Instant) {
        let work = self.outlook(state, now);
        self.inbox.post(work);
    }

    /// There is nothing to do before `until`. A thread that `came_back` from the network yields and looks once more:
    /// if every core is busy, callers that have their replies submit the next work in that time, and a look is
    /// cheaper than to sleep and be woken.
    fn rest(
        &self,
        state: &mut MutexGuard<'_, RuntimeState>,
        until: Option<Instant>,
        came_back: bool,
    ) {
        MutexGuard::unlocked(state, || {
            if came_back && self.inbox.may_linger() {
                threads::yield_now();
            } else {
                self.inbox.sleep(until, &*self.clock);
            }
        });
    }
}
