//! Builds the next request: merges the queued calls of an owner.

use std::sync::Arc;
use std::time::Instant;

use super::batch::{Batch, Op, Payment};
use super::in_doubt::WriteHold;
use super::owner_queue::WriteTurn;
use super::{Delayed, Flight, Scheduler};
use crate::api::{Account, Command, Request, Targets};
use crate::client::retry::Attempts;

impl<T> Scheduler<T> {
    /// The next request of `command`; None if its calls have ended.
    pub(super) fn take(&mut self, command: Command, now: Instant) -> Option<Flight> {
        let mut batch = match self.ready_reads[command as usize].pop() {
            Some((_, batch)) => batch,
            None => self.take_write(command, now)?,
        };
        let calls = &self.calls;
        batch.ops.retain(|op| calls.contains_key(&op.call));
        if batch.ops.is_empty() {
            self.finish(&batch, now);
            return None;
        }
        let is_durable = self.is_durable(&batch);
        if let Some(until) = self.rest_until.filter(|until| now < *until && !is_durable) {
            self.refuse_at_rest(batch, until, now);
            return None;
        }
        let mut batch = self.or_until_probe(batch, now)?;
        batch.payment = Payment::Paid;
        if let Some(rate_limiter) = &mut self.rate_limiter {
            rate_limiter[command as usize].begin();
        }
        if batch.attempts.is_none() {
            self.budget.earn();
            batch.attempts = self.attempts(&batch);
        }
        self.report_set_aside(&batch);
        self.in_flight += 1;
        let number = self.hold.depart(is_durable, now);
        self.tally.sent(command, batch.ops.len(), batch.targets());
        Some(Flight {
            deadline: self.dispatch(&batch, now),
            sent: now,
            request: self.request(&batch),
            batch,
            number,
        })
    }

    fn attempts(&self, batch: &Batch) -> Option<Attempts> {
        let patient = self.is_patient(batch);
        let policy = self.rules.retry?;
        Some(if patient {
            Attempts::patient(policy)
        } else {
            Attempts::new(policy)
        })
    }

    fn take_write(&mut self, command: Command, now: Instant) -> Option<Batch> {
        let (owner, ()) = self.ready[command as usize].pop()?;
        self.owners.get_mut(&owner)?.queued = false;
        self.queue_aside(&owner);
        let turn = self.owners.get(&owner)?.turn(now, self.recorded);
        let may_go = turn.filter(|(_, own)| *own == command);
        let Some(turn) =
            may_go.filter(|(turn, _)| *turn != WriteTurn::New || !self.is_held(&owner, now))
        else {
            self.queue(&owner, now);
            return None;
        };
        let (calls, doubts, recorded) = (&self.calls, &self.doubts, self.recorded);
        let request_of = |id| calls.get(&id).map(|entry| entry.call.request.as_ref());
        let may_join = |id, request: &Request| {
            let targets = request.targets().iter();
            id < recorded && doubts.hold(&owner, (command, id), targets, now) == WriteHold::Nothing
        };
        let queue = self.owners.get_mut(&owner)?;
        queue.take_write(&owner, turn, self.rules.merge, request_of, may_join)
    }

    /// Whether the next new write of `owner` has to wait because an earlier one may still arrive. Sees
    /// to it that it is looked at again.
    pub(super) fn is_held(&mut self, owner: &Account, now: Instant) -> bool {
        let Some((command, op)) = self.owners.get(owner).and_then(|queue| queue.first_new()) else {
            return false;
        };
        let Some(entry) = self.calls.get(&op.call) else {
            return false;
        };
        let all = entry.call.request.targets();
        let targets = op.positions.iter().map(|position| &all[position]);
        match self.doubts.hold(owner, (command, op.call), targets, now) {
            WriteHold::Nothing => false,
            WriteHold::Until(moment) => {
                let key = (moment, self.fresh_id());
                if let Some(queue) = self.owners.get_mut(owner)
                    && queue.held_until != Some(moment)
                {
                    queue.held_until = Some(moment);
                    self.delayed.insert(key, Delayed::Owner(owner.clone()));
                }
                true
            }
            WriteHold::ReadBack(targets) => {
                self.read_back(owner, targets, now);
                true
            }
        }
    }

    /// Starts the time of calls that have not started; returns the last deadline.
    fn dispatch(&mut self, batch: &Batch, now: Instant) -> Option<Instant> {
        let patient = self.is_patient(batch);
        let mut last = None;
        for op in &batch.ops {
            let Some(entry) = self.calls.get_mut(&op.call) else {
                continue;
            };
            entry.dispatched = true;
            entry.flights += 1;
            if let (None, Some(time), false) = (entry.deadline, self.rules.call_time, patient) {
                entry.deadline = Some(now + time);
                self.deadlines.insert((now + time, op.call));
            }
            last = last.max(entry.deadline);
        }
        if patient {
            return self.rules.call_time.map(|time| now + time);
        }
        last
    }

    fn request(&self, batch: &Batch) -> Arc<Request> {
        let of = |op: &Op| &self.calls[&op.call].call.request;
        let first = of(&batch.ops[0]);
        if !batch.is_merged() && batch.targets() == first.targets().len() {
            return Arc::clone(first);
        }
        let mut targets = Targets::with_capacity(batch.targets());
        for op in &batch.ops {
            let all = of(op).targets();
            targets.extend(op.positions.iter().map(|position| all[position].clone()));
        }
        Arc::new(first.with_targets(targets))
    }
}
