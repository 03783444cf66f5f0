//! Calls without a deadline: writes in the outbox, and the reads that resolve their outcome.

use std::sync::Arc;
use std::time::Instant;

use super::batch::{Batch, Op};
use super::ending::End;
use super::owner_queue::OwnerQueue;
use super::{AcceptedCall, CallId, CallPurpose, Done, Scheduler};
use crate::api::{Account, CheckType, Command, Operation, Request};
use crate::client::call::Positions;
use crate::client::call::{Call, Slot};
use crate::error::Error;

impl<T> Scheduler<T> {
    /// The writes accepted before `up_to` are on disk now.
    pub(in crate::client) fn record(&mut self, up_to: CallId, now: Instant) {
        let fresh: Vec<_> = self
            .calls
            .range(self.recorded..up_to)
            .map(|(id, _)| *id)
            .collect();
        self.recorded = up_to;
        for id in fresh {
            self.queue_owner_of(id, now);
        }
        self.report_hold(now);
    }

    /// These writes cannot be recorded: they were never sent.
    pub(in crate::client) fn fail_unrecorded(
        &mut self,
        ids: impl IntoIterator<Item = CallId>,
        error: &Error,
        now: Instant,
    ) {
        for id in ids {
            self.end_alone(id, End::Final(Some(error.clone())), now);
        }
    }

    /// How many calls with a caller would be lost with this client.
    pub(in crate::client) fn losable(&self) -> usize {
        let is_losable = |(id, entry): &(&CallId, &AcceptedCall<T>)| {
            entry.caller.is_some() && !self.is_safe(**id, entry)
        };
        self.calls.iter().filter(is_losable).count()
    }

    /// Whether the call is on disk until it is answered or refused.
    pub(super) fn is_safe(&self, id: CallId, entry: &AcceptedCall<T>) -> bool {
        self.is_kept(entry) && id < self.recorded
    }

    /// Whether the call stays until it is answered or refused.
    pub(super) fn is_kept(&self, entry: &AcceptedCall<T>) -> bool {
        self.rules.recorded && entry.call.request.command().is_write()
    }

    /// Whether it is a read that waits for writes that may wait without a limit.
    pub(super) fn is_behind_recorded(&self, entry: &AcceptedCall<T>) -> bool {
        let request = &entry.call.request;
        let queue = || self.owners.get(request.owner.as_str());
        self.rules.recorded
            && !request.command().is_write()
            && queue().is_some_and(OwnerQueue::has_writes)
    }

    /// Ends the wait of the caller of a recorded write, which continues without a caller; false for another call.
    pub(super) fn release_caller(&mut self, id: CallId) -> bool {
        let Some((call, caller)) = self.leave(id) else {
            return false;
        };
        self.done.push_back(Done {
            id,
            call,
            caller,
            is_final: false,
            is_listing: false,
            is_part: false,
        });
        true
    }

    /// Detaches a recorded write from its caller: what is known of the write, and the caller that still needs a
    /// reply. None for another call.
    pub(in crate::client) fn leave(&mut self, id: CallId) -> Option<(Call, Option<T>)> {
        let entry = self.calls.get(&id).filter(|it| self.is_safe(id, it))?;
        let mut call = entry.call.clone();
        let (why, code) = self.still_queued(&call);
        call.leave_queued(why, code);
        let entry = self.calls.get_mut(&id)?;
        if let Some(deadline) = entry.deadline.take() {
            self.deadlines.remove(&(deadline, id));
        }
        let caller = entry.caller.take();
        if entry.is_parked {
            // Nothing more of it is needed in memory.
            self.calls.remove(&id);
            self.parked.absent += 1;
        }
        Some((call, caller))
    }

    /// Whether the batch is repeated until it is answered or refused for good.
    pub(super) fn is_patient(&self, batch: &Batch) -> bool {
        if batch.is_write() {
            return self.rules.recorded;
        }
        let mut calls = batch.ops.iter().filter_map(|op| self.calls.get(&op.call));
        calls.any(|entry| entry.purpose == CallPurpose::ReadBack)
    }

    /// Reads the state of `targets` before a write of `owner` is sent.
    pub(super) fn read_back(&mut self, owner: &Account, targets: Vec<Account>, now: Instant) {
        let Some(queue) = self.owners.get_mut(owner) else {
            return;
        };
        queue.reading_back = true;
        let id = self.fresh_id();
        let op = Op {
            call: id,
            positions: Positions::Run(0..targets.len()),
        };
        let request = Request {
            owner: owner.clone(),
            operation: Operation::Check(targets.into(), CheckType::Single),
        };
        let entry = AcceptedCall {
            purpose: CallPurpose::ReadBack,
            ..AcceptedCall::new(Arc::new(request), None, now)
        };
        self.calls.insert(id, entry);
        self.push_read(Batch::read(owner, Command::Check, op));
    }

    /// A read-back is over. Also when it was refused: then the write will be refused too.
    pub(super) fn take_read_back(&mut self, call: &Call) {
        debug_assert!(call.slots().all(|slot| !matches!(slot, Slot::Open)));
        self.doubts
            .resolve(&call.request.owner, call.request.targets());
        if let Some(queue) = self.owners.get_mut(call.request.owner.as_str()) {
            queue.reading_back = false;
        }
    }
}
