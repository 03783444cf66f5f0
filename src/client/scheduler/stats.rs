//! Statistics of the scheduler.

use std::time::Instant;

use super::batch::Batch;
use super::owner_queue::OwnerQueue;
use super::{AcceptedCall, Scheduler};
use crate::api::Command;
use crate::client::call::Slot;
use crate::client::stats::{ByCommand, Cause, RateLimit, Retries, Stats, Tally, whole_ms};

impl<T> Scheduler<T> {
    pub(in crate::client) fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    /// Writes down everything about calls, requests and what waits.
    pub(in crate::client) fn fill(&mut self, stats: &mut Stats, now: Instant) {
        self.tally.fill(stats);
        stats.retries = self.rules.retry.map(|_| Retries {
            budget_left: self.budget.left(),
            over_budget: self.budget.denied(),
            ..self.tally.retries()
        });
        stats.rate_limit = self.rate_limiter.as_mut().map(|rate_limiter| RateLimit {
            by_command: ByCommand::each(|command| rate_limiter[command as usize].stats(now)),
            full_per_second: rate_limiter[Command::Add as usize].full(),
        });
        if let Some(service) = &mut stats.service {
            let rest = self
                .rest_until
                .map(|until| until.saturating_duration_since(now));
            let probe = self.held_stats(now).map_or(0, |held| held.probe_ms);
            service.breaker_ms = rest.map_or(0, whole_ms).max(probe);
        }
        if let Some(outbox) = &mut stats.outbox {
            outbox.held = self.held_stats(now);
        }
        stats.queue.owners = self.owners.len();
        stats.queue.deepest_owner = self
            .owners
            .values()
            .map(OwnerQueue::depth)
            .max()
            .unwrap_or(0);
        let aside = |queue: &OwnerQueue| queue.aside.as_ref().map_or(0, |aside| aside.len());
        stats.queue.set_aside = self.owners.values().map(aside).sum();
        stats.queue.in_flight = self.in_flight;
        stats.queue.max_in_flight = self.rules.requests;
    }

    /// What is wrong with the counts of calls.
    #[cfg(test)]
    pub(super) fn count_fault(&self) -> Option<String> {
        let accepted = |entry: &&AcceptedCall<T>| entry.purpose == super::CallPurpose::Accepted;
        self.tally
            .fault(self.calls.values().filter(accepted).count() + self.parked.absent)
    }

    /// A call is over.
    pub(super) fn count_end(&mut self, entry: &AcceptedCall<T>) {
        self.tally.ended(
            entry.call.request.command(),
            entry.call.status(),
            entry.dispatched,
            entry.accepted,
        );
    }

    /// Why what an answer left of `batch` is repeated.
    pub(super) fn cause_of_rest(&self, batch: &Batch) -> Cause {
        let first = batch.ops.first();
        let slot = first.and_then(|op| {
            let entry = self.calls.get(&op.call)?;
            entry.call.slots().nth(op.positions.iter().next()?)
        });
        match slot {
            Some(Slot::Failed(_)) => Cause::Unanswered,
            _ => Cause::Busy,
        }
    }
}
