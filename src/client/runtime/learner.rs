//! What the threads of a client do for the mirror: read lists in the background, learn from answers.

use std::sync::Arc;

use super::inbox::What;
use super::{Caller, Runtime, State};
use crate::api::Account;
use crate::client::lanes::{Done, Lanes};
use crate::client::watching::Watching;
use crate::error::Error;

impl Runtime {
    /// Learns from answers from now on, before anybody else is told of them.
    pub(in crate::client) fn learn_with(&self, watching: Watching) {
        self.state.lock().watching = Some(watching);
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
        change: impl FnOnce(&mut Watching, &Lanes<Caller>),
    ) -> Result<(), Error> {
        let mut state = self.lock_and_drain();
        self.check_open()?;
        let State {
            lanes, watching, ..
        } = &mut *state;
        let Some(watching) = watching else {
            return Ok(());
        };
        change(watching, lanes);
        self.have_a_thread(&mut state)?;
        self.rouse(&mut state, self.clock.now());
        Ok(())
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
        done.retain(|one| !one.is_listing && !one.is_part);
    }
}
