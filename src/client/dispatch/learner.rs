//! What the threads of a client do for the mirror: read lists in the background, learn from answers.

use std::sync::Arc;
use std::time::Instant;

use super::{Caller, Dispatch, State};
use crate::client::lanes::{Done, Lanes, Next};
use crate::client::watching::Watching;
use crate::error::Error;

impl Dispatch {
    /// Learns from answers from now on, before anybody else is told of them.
    pub(in crate::client) fn learn_with(&self, watching: Watching) {
        self.state.lock().watching = Some(watching);
    }

    /// Changes what is watched, when there is anything to watch.
    ///
    /// # Errors
    /// [`crate::Status::Closed`], [`crate::Status::Panic`]; [`crate::Status::Busy`] when no thread can
    /// start.
    pub(in crate::client) fn watch(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Watching, &Lanes<Caller>),
    ) -> Result<(), Error> {
        let mut state = self.state.lock();
        if self.is_poisoned() {
            return Err(super::panicked());
        }
        if state.alive.is_none() {
            return Err(super::closed());
        }
        let State {
            lanes, watching, ..
        } = &mut *state;
        let Some(watching) = watching else {
            return Ok(());
        };
        change(watching, lanes);
        if state.crew.threads == 0 {
            self.keep_one_spare(&mut state)
                .map_err(|error| super::busy(&format!("no thread can start: {error}")))?;
        }
        self.rouse(&mut state, self.clock.now());
        Ok(())
    }

    /// What to do now, for callers or in the background.
    pub(super) fn next(&self, state: &mut State) -> Next {
        let now = self.clock.now();
        if let Some(moment) = state.gathering.filter(|moment| now < *moment) {
            return Next::Wait(Some(moment));
        }
        state.gathering = None;
        let State {
            lanes, watching, ..
        } = state;
        let Some(watching) = watching else {
            return lanes.next(now);
        };
        while let Some(page) = watching.next(now) {
            lanes.list(page, now);
        }
        match lanes.next(now) {
            Next::Wait(until) => {
                let page = watching.moment(now);
                Next::Wait([until, page].into_iter().flatten().min())
            }
            send @ Next::Send(_) => send,
        }
    }

    /// The mirror learns what `done` says, in order; pages are taken out.
    pub(super) fn learn(&self, state: &mut State, done: &mut Vec<Done<Caller>>) {
        let now = self.clock.now();
        let State {
            lanes, watching, ..
        } = state;
        let Some(watching) = watching else { return };
        for one in done.iter() {
            if one.is_listing {
                watching.take_page(&one.call, now);
            } else {
                watching.learn(one.id, &one.call, now);
            }
        }
        watching.end_contests(lanes);
        done.retain(|one| !one.is_listing);
    }
}

/// Whether a request may go at `now`, and when to look again.
pub(super) fn outlook(state: &mut State, now: Instant) -> (bool, Option<Instant>) {
    if let Some(moment) = state.gathering.filter(|moment| now < *moment) {
        return (false, Some(moment));
    }
    let page = state
        .watching
        .as_mut()
        .and_then(|watching| watching.moment(now));
    let (is_ready, moment) = state.lanes.outlook(now);
    let is_page = page.is_some_and(|page| page <= now);
    (
        is_ready || is_page,
        [moment, page].into_iter().flatten().min(),
    )
}
