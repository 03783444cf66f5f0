//! Effects of an outcome: on the calls in the request, on their owner, and on the rate.

use std::time::Instant;

use super::batch::{Batch, Op};
use super::ending::End;
use super::hold::CallerRefusal;
use super::set_aside::Blame;
use super::{CallId, Delayed, Flight, Scheduler};
use crate::api::codes::{self, SIGNATURES_REFUSED};
use crate::api::{Answer, Request, Retry};
use crate::client::call::Call;
use crate::client::call::Positions;
use crate::client::retry::{NextAttempt, REST};
use crate::client::stats::Cause;
use crate::error::{Error, Status};

/// What an outcome says about what is left of a batch.
struct Judgement {
    class: Retry,
    cause: Cause,
    blame: Blame,
    /// The caller is refused, whatever the request says.
    refusal: Option<CallerRefusal>,
}

impl<T> Scheduler<T> {
    /// Takes the outcome of a request. True if a new signature is needed before the next request.
    pub(in crate::client) fn apply_outcome(
        &mut self,
        flight: Flight,
        outcome: Result<Answer, Error>,
        now: Instant,
    ) -> bool {
        self.tally.at(now);
        self.in_flight -= 1;
        let (mut batch, number) = (flight.batch, flight.number);
        self.hold.arrive(number);
        if let Some(trouble) = &mut batch.trouble {
            trouble.took = now.saturating_duration_since(flight.sent);
        }
        if let Some(rate_limiter) = &mut self.rate_limiter {
            rate_limiter[batch.command as usize].end(now);
        }
        for op in &batch.ops {
            if let Some(entry) = self.calls.get_mut(&op.call) {
                entry.flights -= 1;
            }
        }
        let owner = batch.owner.clone();
        let left = match outcome {
            Ok(answer) if answer.is_refused() => self.apply_refusal(batch, number, &answer, now),
            Ok(answer) => self.apply_items(batch, number, answer, now),
            Err(error) => Some(self.apply_error(batch, &flight.request, &error, now)),
        };
        let Some((batch, judgement)) = left else {
            return false;
        };
        let renew = self.decide(batch, judgement, number, now);
        self.queue(&owner, now);
        renew
    }

    /// The request was refused as a whole. None when nothing is left to be decided.
    fn apply_refusal(
        &mut self,
        batch: Batch,
        number: u64,
        answer: &Answer,
        now: Instant,
    ) -> Option<(Batch, Judgement)> {
        let class = answer.retry();
        let refusal = CallerRefusal::of_request(answer);
        if refusal.is_none() {
            self.pass(&batch, number, now);
        }
        if batch.is_merged() && codes::may_concern_one_account(answer.code) {
            self.separate(batch, now);
            return None;
        }
        self.each(&batch, |call, positions| call.refuse(positions, answer));
        let blame = match class {
            Retry::Soon | Retry::Once => Blame::Whole,
            _ => Blame::Nothing,
        };
        let judgement = Judgement {
            class,
            cause: class.into(),
            blame,
            refusal,
        };
        Some((batch, judgement))
    }

    /// The request was answered target by target. None when nothing is left to be decided.
    fn apply_items(
        &mut self,
        mut batch: Batch,
        number: u64,
        answer: Answer,
        now: Instant,
    ) -> Option<(Batch, Judgement)> {
        let refusal = CallerRefusal::of_items(&answer).filter(|_| self.is_durable(&batch));
        if refusal.is_none() {
            self.pass(&batch, number, now);
        }
        let asked = batch.targets();
        self.accept_answer(&mut batch, answer);
        let is_done_in_part = batch.targets() < asked;
        self.writes_done += u64::from(batch.is_write() && is_done_in_part);
        if batch.ops.is_empty() {
            if self.is_patient(&batch) {
                self.budget.refund();
            }
            self.finish(&batch, now);
            return None;
        }
        batch.trouble().is_alone |= is_done_in_part;
        let judgement = Judgement {
            class: refusal.as_ref().map_or(Retry::Soon, |_| Retry::Never),
            cause: self.cause_of_rest(&batch),
            blame: Blame::Targets,
            refusal,
        };
        Some((batch, judgement))
    }

    /// There is no answer: a write may have happened, unless nothing was sent.
    fn apply_error(
        &mut self,
        batch: Batch,
        request: &Request,
        error: &Error,
        now: Instant,
    ) -> (Batch, Judgement) {
        let is_durable = self.is_durable(&batch);
        if batch.is_write() && error.status() != Status::Connect {
            let first = batch.ops.first().map_or(0, |op| op.call);
            self.doubts.add(&batch.owner, request, first, now);
        }
        self.each(&batch, |call, positions| call.lose(positions, error));
        let refusal = CallerRefusal::of_page(error).filter(|_| is_durable);
        // A recorded write is not given up without an answer.
        let is_worth_repeating = error.status().is_retryable() || is_durable;
        let class = if is_worth_repeating && refusal.is_none() {
            Retry::Soon
        } else {
            Retry::Never
        };
        let blame = match error.status() {
            Status::Connect => Blame::Nothing,
            _ => Blame::Whole,
        };
        let judgement = Judgement {
            class,
            cause: Cause::from(error),
            blame,
            refusal,
        };
        (batch, judgement)
    }

    /// Repeats what is left of the batch, holds it back, or gives it up.
    fn decide(
        &mut self,
        mut batch: Batch,
        mut judgement: Judgement,
        number: u64,
        now: Instant,
    ) -> bool {
        self.restrain_others(&batch, &mut judgement, number, now);
        let Judgement {
            class,
            cause,
            blame,
            refusal,
        } = judgement;
        let random = self.random.f64();
        let attempts = batch.attempts.as_mut();
        let next = attempts.map_or(NextAttempt::Stop, |attempts| attempts.after(class, random));
        let waits_a_minute = matches!(class, Retry::Wait60s | Retry::Renew)
            && matches!(next, NextAttempt::Again { delay, .. } if delay >= REST);
        match next {
            _ if (next == NextAttempt::Stop || waits_a_minute)
                && self.is_durable(&batch)
                && let Some(refusal) = refusal =>
            {
                self.tally.repeated(Cause::Rest);
                self.hold_back(batch, refusal, number, now);
                class == Retry::Renew
            }
            NextAttempt::Again { delay, renew } if self.is_patient(&batch) => {
                self.tally.repeated(cause);
                self.repeat_patiently(batch, blame, delay, now);
                renew
            }
            NextAttempt::Again { delay, renew }
                if self.is_in_time(&batch, now + delay) && self.budget.spend() =>
            {
                self.tally.repeated(cause);
                self.repeat(batch, now + delay);
                renew
            }
            _ => {
                self.give_up_batch(&batch, now);
                false
            }
        }
    }

    /// What an outcome means for other requests: fewer in a second, or none for a minute.
    fn restrain_others(
        &mut self,
        batch: &Batch,
        judgement: &mut Judgement,
        number: u64,
        now: Instant,
    ) {
        if judgement.class == Retry::Backoff
            && let Some(rate_limiter) = &mut self.rate_limiter
        {
            rate_limiter[batch.command as usize].slow_down(now);
        }
        if judgement.class == Retry::Wait60s {
            self.rest_until = Some(now + REST);
            self.hold.rest(now + REST);
            let is_of_read = self.rules.recorded && !self.is_durable(batch);
            if let Some(refusal) = judgement.refusal.take_if(|_| is_of_read) {
                self.hold.begin(refusal, number, now);
                self.report_hold(now);
            }
        }
    }

    pub(super) fn give_up_batch(&mut self, batch: &Batch, now: Instant) {
        for op in &batch.ops {
            self.give_up(op.call);
        }
        self.finish(batch, now);
    }

    /// While the breaker is open: a call whose deadline allows it waits, any other ends at once.
    pub(super) fn refuse_at_rest(&mut self, batch: Batch, until: Instant, now: Instant) {
        if self.is_in_time(&batch, until) {
            self.repeat(batch, until);
            return;
        }
        let answer = Answer::refused(
            SIGNATURES_REFUSED,
            "not sent: waiting for a minute after this refusal",
        );
        self.each(&batch, |call, positions| call.refuse(positions, &answer));
        self.give_up_batch(&batch, now);
    }

    /// Whether any call of the batch still has time at `moment`.
    fn is_in_time(&self, batch: &Batch, moment: Instant) -> bool {
        let mut calls = batch.ops.iter().filter_map(|op| self.calls.get(&op.call));
        self.is_patient(batch)
            || calls.any(|entry| entry.deadline.is_none_or(|deadline| moment < deadline))
    }

    pub(super) fn repeat(&mut self, batch: Batch, from: Instant) {
        let key = (from, self.fresh_id());
        if !batch.holds_back().is_empty() {
            self.put_aside(batch, from);
        } else if batch.is_write() {
            let owner = batch.owner.clone();
            if let Some(queue) = self.owners.get_mut(&owner) {
                queue.repeat(batch, from);
            }
            self.delayed.insert(key, Delayed::Owner(owner));
        } else {
            self.delayed.insert(key, Delayed::Read(batch));
        }
    }

    /// The mistake of one call must not fail the others: they go out one by one.
    pub(super) fn separate(&mut self, batch: Batch, now: Instant) {
        let owner = batch.owner.clone();
        if let Some(queue) = self.owners.get_mut(&owner) {
            queue.separate(batch);
        }
        self.queue(&owner, now);
    }

    /// Every call takes its own items; what is worth repeating stays in the batch.
    fn accept_answer(&mut self, batch: &mut Batch, mut answer: Answer) {
        let mut text = answer.text.take().filter(|_| !batch.is_merged());
        let is_kept = batch.is_write() && self.rules.recorded;
        if batch.targets() == 0 {
            // A get is one call, and these are its entries.
            let call = batch.ops.pop().map(|op| op.call);
            if let Some((id, entry)) = call.and_then(|id| Some((id, self.calls.get_mut(&id)?))) {
                entry.call.take_page(answer, text);
                self.op_done(id);
            }
            return;
        }
        if answer.is_all_done {
            for op in std::mem::take(&mut batch.ops) {
                if let Some(entry) = self.calls.get_mut(&op.call) {
                    entry.call.take_done(&op.positions, text.take());
                    self.op_done(op.call);
                }
            }
            return;
        }
        let mut items = answer.items.into_iter();
        for op in std::mem::take(&mut batch.ops) {
            let own = items.by_ref().take(op.positions.len());
            let Some(entry) = self.calls.get_mut(&op.call) else {
                own.for_each(drop);
                continue;
            };
            let left = entry
                .call
                .take_items(&op.positions, own, text.take(), is_kept);
            if left.is_empty() {
                self.op_done(op.call);
            } else {
                batch.ops.push(Op {
                    call: op.call,
                    positions: Positions::Each(left),
                });
                self.report_part(op.call);
            }
        }
    }

    fn each(&mut self, batch: &Batch, change: impl Fn(&mut Call, &Positions)) {
        for op in &batch.ops {
            if let Some(entry) = self.calls.get_mut(&op.call) {
                change(&mut entry.call, &op.positions);
            }
        }
    }

    /// One more part of a call is answered.
    fn op_done(&mut self, id: CallId) {
        if let Some(entry) = self.calls.get_mut(&id) {
            entry.open_ops -= 1;
            if entry.open_ops == 0 {
                self.end(id, End::Final(None));
            } else {
                self.report_part(id);
            }
        }
    }

    /// A part has failed for good: what of the call was not sent yet is not sent any more, unless its parts were
    /// divided for each other's sake.
    fn give_up(&mut self, id: CallId) {
        if let Some(entry) = self.calls.get_mut(&id) {
            if entry.is_divided {
                self.op_done(id);
                return;
            }
            entry.call.skip_rest();
            self.end(id, End::Final(None));
        }
    }

    /// The batch has ended: its owner may send again.
    pub(super) fn finish(&mut self, batch: &Batch, now: Instant) {
        if batch.is_write()
            && let Some(queue) = self.owners.get_mut(&batch.owner)
        {
            queue.complete_batch(batch);
        }
        let owner = batch.owner.clone();
        self.queue(&owner, now);
    }
}
