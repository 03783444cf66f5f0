//! Entry of calls: stored in the inbox, or passed to the scheduler by a caller that waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::admission::Admission;
use super::arrivals::{Arrival, What};
use super::{Caller, Runtime, RuntimeState, busy};
use crate::api::{Command, Request};
use crate::client::outbox::Tagged;
use crate::client::outbox::intake::{self, IncomingCall};
use crate::client::reply::Reply;
use crate::client::scheduler::CallId;
use crate::error::Error;
use crate::oneshot::Sender;

impl Runtime {
    /// Takes an asynchronous call.
    ///
    /// # Errors
    /// [`crate::Status::Busy`] when the queue or the outbox is full or no thread can start,
    /// [`crate::Status::Storage`] when the outbox has failed, [`crate::Status::Closed`],
    /// [`crate::Status::Panic`]; nothing was accepted then.
    pub(in crate::client) fn submit(
        self: &Arc<Self>,
        request: Request,
        tag: u64,
    ) -> Result<(), Error> {
        self.push(What::Call(request, tag))
    }

    /// Leaves something in the inbox, without the lock of the scheduler unless the first thread has to be started.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub(super) fn push(self: &Arc<Self>, mut what: What) -> Result<(), Error> {
        let admit = |admission: &mut Admission, what: &What| match what {
            What::Call(request, _) => self.admit(admission, request, false),
            What::WatchListChanged(_) => Ok(()),
        };
        while let Some(back) = self.inbox.push(what, self.clock.as_ref(), admit)? {
            what = back;
            self.have_a_thread(&mut self.state.lock())?;
        }
        Ok(())
    }

    /// Takes a call of a thread that waits; its time runs from `entered`.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub(in crate::client) fn accept(
        self: &Arc<Self>,
        request: Request,
        sender: Sender<Reply>,
        entered: Instant,
    ) -> Result<CallId, Error> {
        let mut state = self.lock_and_drain();
        self.check_open()?;
        self.have_a_thread(&mut state)?;
        self.inbox
            .admit(|admission| self.admit(admission, &request, true))?;
        let now = self.clock.now();
        let caller = Caller::Waits(sender);
        let id = self.enter(&mut state, request, caller, Some(entered), now);
        self.rouse(&mut state, now);
        Ok(id)
    }

    /// The reply to a caller whose deadline passed, if its write continues without it. Waits for the lock no longer
    /// than `patience`.
    pub(in crate::client) fn stop_waiting(&self, id: CallId, patience: Duration) -> Option<Reply> {
        let mut state = self.state.try_lock_for(patience)?;
        let (call, caller) = state.scheduler.leave(id)?;
        drop(state);
        if caller.is_some() && !self.is_recorded(call.request.command()) {
            self.completions.free(1);
            self.inbox.release(&[self.inbox.weigh(&call.request)]);
        }
        Some(Reply::from_call(call))
    }

    /// A place for the reply to a call; for a write that is recorded, room on disk instead. The reply to an
    /// asynchronous call (`waits` is false) takes a place when it arrives, so the call is refused while no place is
    /// free.
    fn admit(
        &self,
        admission: &mut Admission,
        request: &Request,
        waits: bool,
    ) -> Result<(), Error> {
        let full = || busy("the queue is full (config key \"queue.max_calls\")");
        if let Some(room) = self.room.get().filter(|_| request.command().is_write()) {
            if !waits && !self.completions.has_place() {
                return Err(full());
            }
            return room.reserve(request, waits);
        }
        if !self.completions.reserve() {
            return Err(full());
        }
        (admission.admit(self.inbox.weigh(request)))
            .inspect_err(|_| self.completions.refuse_reserved())
    }

    /// Whether the call is a write that is recorded, which takes no place while it is under way.
    pub(super) fn is_recorded(&self, command: Command) -> bool {
        command.is_write() && self.room.get().is_some()
    }

    /// # Errors
    /// [`crate::Status::Closed`], [`crate::Status::Panic`].
    pub(in crate::client) fn check_open(&self) -> Result<(), Error> {
        self.inbox.refusal().map_or(Ok(()), Err)
    }

    /// Takes what arrived into the scheduler; false when there was nothing.
    pub(super) fn take_in(&self, state: &mut RuntimeState) -> bool {
        // A bug may have left some.
        let is_left = self.enter_arriving(state);
        self.inbox.take(&mut state.arriving);
        let is_any = self.enter_arriving(state) | is_left;
        state.follow_watch_list();
        is_any
    }

    /// One by one, so that a bug loses none of the others.
    pub(super) fn enter_arriving(&self, state: &mut RuntimeState) -> bool {
        let is_any = !state.arriving.is_empty();
        while let Some(Arrival { what, accepted }) = state.arriving.pop_front() {
            match what {
                What::Call(request, tag) => {
                    self.enter(state, request, Caller::Polls(tag), None, accepted);
                }
                What::WatchListChanged(owners) => {
                    if let Some(refresher) = &mut state.refresher {
                        refresher.watch_list_changed(owners, accepted);
                    }
                }
            }
        }
        is_any
    }

    /// Into the scheduler.
    fn enter(
        &self,
        state: &mut RuntimeState,
        request: Request,
        caller: Caller,
        entered: Option<Instant>,
        now: Instant,
    ) -> CallId {
        let (request, tag) = (Arc::new(request), caller.tag());
        let call = IncomingCall {
            request: Arc::clone(&request),
            caller,
            entered,
        };
        let moment = (now, self.clock.unix_seconds());
        let accepted = intake::accept(&mut state.scheduler, state.outbox.as_mut(), call, moment);
        let tag = tag.filter(|_| accepted.is_scheduled);
        state.tags.extend(tag.map(|tag| (tag, accepted.id)));
        if accepted.wakes_writer {
            self.to_record.notify_one();
        }
        if let Some(refresher) = &mut state.refresher {
            refresher.begin_asked(accepted.id, &request, now);
        }
        accepted.id
    }
}
