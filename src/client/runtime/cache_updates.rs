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
        // It is asked before the first owner is watched.
        let _ = self.watch_list.set(refresher.watch_list());
        self.state.lock().refresher = Some(refresher);
    }

    /// Reads the lists of `owners` in the background from now on. Takes the locks of the list of watched owners and of
    /// the inbox only.
    ///
    /// # Errors
    /// [`crate::Status::Closed`], [`crate::Status::Panic`]; [`crate::Status::Busy`] when there is no memory for the
    /// owners or no thread can start. No owner is watched then.
    pub(in crate::client) fn watch(self: &Arc<Self>, owners: &[Account]) -> Result<(), Error> {
        self.check_open()?;
        let Some(list) = self.watch_list.get() else {
            return Ok(());
        };
        // First, so that what is in the list is followed.
        if !self.inbox.has_drainer() {
            self.have_a_thread(&mut self.state.lock())?;
        }
        self.push_watch_list(list.add(owners)?)
    }

    /// Ends that.
    ///
    /// # Errors
    /// [`crate::Status::Closed`], [`crate::Status::Panic`], [`crate::Status::Busy`] when no thread can start.
    pub(in crate::client) fn unwatch(self: &Arc<Self>, owners: &[Account]) -> Result<(), Error> {
        self.check_open()?;
        let Some(list) = self.watch_list.get() else {
            return Ok(());
        };
        self.push_watch_list(list.remove(owners))
    }

    fn push_watch_list(self: &Arc<Self>, changed: Vec<Account>) -> Result<(), Error> {
        if changed.is_empty() {
            return Ok(());
        }
        self.push(What::WatchListChanged(changed))
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

impl RuntimeState {
    /// Some of what changed in the list of watched owners. A thread goes on with the rest when the lock was free.
    pub(super) fn follow_watch_list(&mut self) {
        if let Some(refresher) = &mut self.refresher {
            refresher.follow_watch_list();
        }
    }
}
