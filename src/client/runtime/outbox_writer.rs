//! The thread that commits accepted writes to the outbox, many in one commit.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::{Caller, Runtime, RuntimeState};
use crate::client::outbox::{Journal, Loaded, Outbox, WriteRefusal, intake, unsendable};
use crate::client::scheduler::{CallId, Done};
use crate::config::LogLevel;
use crate::error::{Error, Status};
use crate::locks::MutexGuard;
use crate::panics;
use crate::threads;

/// Refused writes that stay on disk until they are polled, and whether they are to be polled now.
pub(super) type Letters = HashMap<CallId, bool>;

impl Runtime {
    pub(super) fn start_recorder(
        self: &Arc<Self>,
        state: &mut RuntimeState,
        mut journal: Box<dyn Journal>,
    ) -> std::io::Result<()> {
        let (own, alive) = (Arc::clone(self), state.alive.clone());
        threads::spawn("chatblock-outbox", move || {
            if panics::contain(|| own.record_until_closed(journal.as_mut())).is_err() {
                own.poison();
            }
            // In this order: after the end of all threads the file may be opened again.
            drop(journal);
            drop(own);
            drop(alive);
        })?;
        Ok(())
    }

    /// Cancels the calls with `tag` that only the outbox has; returns their number.
    pub(super) fn cancel_beyond(&self, state: &mut RuntimeState, tag: u64, now: Instant) -> usize {
        let Some(outbox) = &mut state.outbox else {
            return 0;
        };
        let count = intake::cancel(&mut state.scheduler, outbox, tag, now);
        if count > 0 {
            self.to_record.notify_one();
        }
        count
    }

    /// Takes writes that were read into the scheduler.
    pub(super) fn take_page(&self, state: &mut RuntimeState, page: Vec<(CallId, Loaded)>) {
        let Some(outbox) = &mut state.outbox else {
            return;
        };
        let moment = (self.clock.now(), self.clock.unix_seconds());
        let back = intake::arrive(&mut state.scheduler, outbox, page, moment);
        state.tags.extend(back.tags);
        for row in back.bad {
            self.log.line(LogLevel::Error, || unsendable(&row));
        }
        for id in back.gone {
            self.log.line(LogLevel::Error, || {
                format!("the write {id} is no longer in the outbox: somebody has removed it")
            });
        }
    }

    /// At the end, and after a bug, records stay on disk: their callers have their replies.
    fn takes_pages(&self, state: &RuntimeState) -> bool {
        state.alive.is_some() && !self.is_poisoned()
    }

    /// Reads the next writes, without holding the lock.
    fn read_page<'a>(
        &'a self,
        mut state: MutexGuard<'a, RuntimeState>,
        journal: &mut dyn Journal,
    ) -> MutexGuard<'a, RuntimeState> {
        let ids = match &mut state.outbox {
            Some(outbox) => outbox.begin_page(),
            None => return state,
        };
        let mut left = ids.as_slice();
        while !left.is_empty() && self.takes_pages(&state) {
            let mut page = MutexGuard::unlocked(&mut state, || journal.read(left));
            // The journal has waited: what another program has locked is read again.
            let is_locked = |(_, loaded): &(CallId, Loaded)| matches!(loaded, Loaded::Locked(_));
            let count = page.iter().position(is_locked).unwrap_or(page.len());
            page.truncate(count);
            left = &left[count..];
            if self.takes_pages(&state) {
                self.take_page(&mut state, page);
            }
        }
        let mut state = self.deliver(state);
        self.rouse(&mut state, self.clock.now());
        // Others may want the lock: there may be much to look through.
        MutexGuard::unlocked(&mut state, std::thread::yield_now);
        state
    }

    /// Removes answered writes from the outbox, except refused ones, and returns the latter.
    pub(super) fn erase_answered(
        &self,
        state: &mut RuntimeState,
        done: &[Done<Caller>],
    ) -> Letters {
        let mut letters = Letters::new();
        let Some(outbox) = &mut state.outbox else {
            return letters;
        };
        let now = (self.clock.now(), self.clock.unix_seconds());
        let mut sooner = false;
        for done in done.iter().filter(|done| done.is_final) {
            let refusal = match &done.caller {
                // Its own thread delivers it.
                Some(Caller::Waits(_)) => None,
                _ => WriteRefusal::of(&done.call),
            };
            let has_tag = done.caller.is_some();
            let kept = refusal.and_then(|refusal| outbox.refuse(done.id, refusal, has_tag, now));
            sooner |= match kept {
                Some((is_shown, is_sooner)) => {
                    letters.insert(done.id, is_shown);
                    is_sooner
                }
                None => outbox.erase(done.id, now.0),
            };
        }
        if sooner {
            self.to_record.notify_one();
        }
        letters
    }

    /// The refusal of the write `id` was polled.
    pub(in crate::client) fn take_letter(&self, id: CallId) {
        let mut state = self.state.lock();
        let now = self.clock.now();
        if let Some(outbox) = &mut state.outbox
            && outbox.take_letter(id, now)
        {
            self.to_record.notify_one();
        }
    }

    /// Reads refusals that wait on disk and hands them to poll, without holding the lock.
    fn show_letters<'a>(
        &'a self,
        mut state: MutexGuard<'a, RuntimeState>,
        (after, count): (i64, usize),
        journal: &mut dyn Journal,
    ) -> MutexGuard<'a, RuntimeState> {
        let read = MutexGuard::unlocked(&mut state, || journal.refused(after, count));
        let (page, last) = read.unwrap_or_else(|error| {
            self.log.line(LogLevel::Error, || {
                format!("{error}; refused writes are not shown until the client is opened again")
            });
            (Vec::new(), None)
        });
        if let Some(outbox) = &mut state.outbox {
            let replies = outbox.take_letters(page, last);
            self.completions.push_letters(replies);
        }
        state
    }

    /// Waits until everything accepted before is on disk; false at `deadline`.
    ///
    /// # Errors
    /// [`Status::Unsupported`] without an outbox, [`Status::Storage`] when it has failed or had no room
    /// for a write since the last sync, [`Status::Closed`], [`Status::Panic`].
    pub(in crate::client) fn sync(&self, deadline: Option<Instant>) -> Result<bool, Error> {
        let mut state = self.lock_and_drain();
        let unsupported = || {
            Error::new(
                Status::Unsupported,
                "nothing is kept on disk; set \"outbox.path\"",
            )
        };
        let reported_losses = state
            .outbox
            .as_ref()
            .ok_or_else(unsupported)?
            .reported_losses();
        let next = state.scheduler.next_call();
        loop {
            if self.is_poisoned() {
                return Err(super::panicked());
            }
            if state.alive.is_none() {
                return Err(super::closed());
            }
            let outbox = state.outbox.as_mut().ok_or_else(unsupported)?;
            if outbox.is_recorded(next)? {
                return outbox.take_loss(reported_losses).map_or(Ok(true), Err);
            }
            if outbox.hurry(self.clock.now()) {
                self.to_record.notify_one();
            }
            match deadline {
                None => self.idle.wait(&mut state),
                Some(deadline) => {
                    if self.idle.wait_until(&mut state, deadline).timed_out() {
                        let outbox = state.outbox.as_mut().ok_or_else(unsupported)?;
                        let is_recorded = outbox.is_recorded(next)?;
                        return outbox
                            .take_loss(reported_losses)
                            .map_or(Ok(is_recorded), Err);
                    }
                }
            }
        }
    }

    /// Waits until `deadline` for accepted writes that are not on disk.
    pub(super) fn record_all(
        &self,
        state: &mut MutexGuard<'_, RuntimeState>,
        deadline: Option<Instant>,
    ) {
        let next = state.scheduler.next_call();
        while !self.is_poisoned()
            && let Some(outbox) = &mut state.outbox
            && matches!(outbox.is_recorded(next), Ok(false))
        {
            if outbox.hurry(self.clock.now()) {
                self.to_record.notify_one();
            }
            match deadline {
                None => self.idle.wait(state),
                Some(deadline) => {
                    if self.idle.wait_until(state, deadline).timed_out() {
                        return;
                    }
                }
            }
        }
    }

    fn record_until_closed(&self, journal: &mut dyn Journal) {
        let mut state = self.state.lock();
        while !self.is_poisoned() {
            let due = state.outbox.as_ref().and_then(Outbox::due);
            let now = self.clock.now();
            let is_time = state.alive.is_some() && due.is_none_or(|moment| now < moment);
            if is_time && state.outbox.as_ref().is_some_and(Outbox::wants_page) {
                state = self.read_page(state, journal);
                continue;
            }
            let page = match due {
                None if state.alive.is_some() => {
                    state.outbox.as_mut().and_then(Outbox::begin_letters)
                }
                _ => None,
            };
            if let Some(page) = page {
                state = self.show_letters(state, page, journal);
                continue;
            }
            match due {
                Some(_) if state.alive.is_none() => {
                    // The last commit: what it does not erase is sent once more by the next client.
                    drop(self.record(state, journal));
                    return;
                }
                None if state.alive.is_none() => return,
                Some(moment) if moment <= now => state = self.record(state, journal),
                Some(moment) => drop(self.to_record.wait_until(&mut state, moment)),
                None => self.to_record.wait(&mut state),
            }
        }
    }

    /// One commit, without holding the lock.
    fn record<'a>(
        &'a self,
        mut state: MutexGuard<'a, RuntimeState>,
        journal: &mut dyn Journal,
    ) -> MutexGuard<'a, RuntimeState> {
        let next = state.scheduler.next_call();
        let is_last = state.alive.is_none();
        let Some(outbox) = &mut state.outbox else {
            return state;
        };
        let changes = if is_last {
            outbox.begin_last(next)
        } else {
            outbox.begin(next)
        };
        drop(state);
        let outcome = journal.commit(&changes);
        let mut state = self.state.lock();
        let now = self.clock.now();
        let RuntimeState {
            scheduler, outbox, ..
        } = &mut *state;
        let Some(outbox) = outbox else {
            return state;
        };
        let outcome = outbox.finish(changes, outcome, now);
        let news = intake::take_outcome(scheduler, outbox, outcome, now);
        if let Some((is_error, text)) = news {
            let level = if is_error {
                LogLevel::Error
            } else {
                LogLevel::Warn
            };
            self.log.line(level, || text);
            state = self.deliver(state);
        }
        self.idle.notify_all();
        self.rouse(&mut state, now);
        state
    }
}
