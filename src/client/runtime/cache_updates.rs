//! Work of the threads for the cache: read lists in the background, apply responses.

use std::sync::Arc;

use super::arrivals::What;
use super::{Caller, Runtime, RuntimeState};
use crate::api::Account;
use crate::client::cache_sync::refresh::Refresher;
use crate::client::scheduler::{Done, Scheduler};
use crate::error::Error;

impl Runtime {
    /// Applies responses to the cache from now on, before their callers get them.
    pub(in crate::client) fn refresh_with(&self, refresher: Refresher) {
        self.state.lock().refresher = Some(refresher);
    }

    /// Reads the lists of `owners` in the background from now on. Takes the lock of the inbox only.
    ///
    /// # Errors
    /// [`crate::Status::Closed`], [`crate::Status::Panic`]; [`crate::Status::Busy`] when no thread can
    /// start.
    pub(in crate::client) fn watch(self: &Arc<Self>, owners: Vec<Account>) -> Result<(), Error> {
        self.push(What::Watch(owners))
    }

    /// Ends that.
    ///
    /// # Errors
    /// As [`Self::watch`].
    pub(in crate::client) fn unwatch(self: &Arc<Self>, owners: Vec<Account>) -> Result<(), Error> {
        self.push(What::Unwatch(owners))
    }

    /// Applies an event, when there is anything to watch.
    ///
    /// # Errors
    /// As [`Self::watch`].
    pub(in crate::client) fn apply_event(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Refresher, &Scheduler<Caller>),
    ) -> Result<(), Error> {
        let mut state = self.lock_and_drain();
        self.check_open()?;
        let RuntimeState {
            scheduler,
            refresher,
            ..
        } = &mut *state;
        let Some(refresher) = refresher else {
            return Ok(());
        };
        change(refresher, scheduler);
        self.have_a_thread(&mut state)?;
        self.rouse(&mut state, self.clock.now());
        Ok(())
    }

    /// Applies `done` to the cache, in order; pages are removed from it.
    pub(super) fn apply(&self, state: &mut RuntimeState, done: &mut Vec<Done<Caller>>) {
        let now = self.clock.now();
        let RuntimeState {
            scheduler,
            refresher,
            ..
        } = state;
        let Some(refresher) = refresher else { return };
        for one in done.iter() {
            if one.is_listing {
                refresher.take_page(&one.call, now);
            } else {
                refresher.apply(one.id, &one.call, now);
            }
        }
        refresher.end_contests(scheduler);
        done.retain(|one| !one.is_listing && !one.is_part);
    }
}
