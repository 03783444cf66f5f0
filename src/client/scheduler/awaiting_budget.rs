//! Retries that may not be given up and exceed the budget wait in one queue. The budget sets the timer and releases
//! as many as it allows; the others are not visited.

use std::collections::VecDeque;
use std::time::Instant;

use super::batch::{Batch, Payment};
use super::{Delayed, Scheduler};
use crate::api::Account;

/// Batches that wait for the budget, in order.
#[derive(Default)]
pub(super) struct Unpaid {
    waiting: VecDeque<Delayed>,
}

impl Unpaid {
    pub(super) fn push(&mut self, one: Delayed) {
        self.waiting.push_back(one);
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// Owners whose write waits here.
    #[cfg(test)]
    pub(super) fn owners(&self) -> impl Iterator<Item = &Account> {
        self.waiting.iter().filter_map(|one| match one {
            Delayed::Owner(owner) => Some(owner),
            Delayed::Aside(_) | Delayed::Read(_) => None,
        })
    }

    /// Owners of whom something that is set aside waits here.
    #[cfg(test)]
    pub(super) fn aside(&self) -> impl Iterator<Item = &Account> {
        self.waiting.iter().filter_map(|one| match one {
            Delayed::Aside(owner) => Some(owner),
            Delayed::Owner(_) | Delayed::Read(_) => None,
        })
    }
}

impl<T> Scheduler<T> {
    /// The moment of `owner` has come.
    pub(super) fn wake(&mut self, owner: Account, now: Instant) {
        let queue = self.owners.get_mut(&owner);
        if queue.is_some_and(|queue| queue.begins_to_wait(now)) {
            self.budget.deny();
            self.unpaid.push(Delayed::Owner(owner));
        } else {
            self.queue(&owner, now);
        }
    }

    /// The moment of a read has come.
    pub(super) fn wake_read(&mut self, mut batch: Batch) {
        if batch.payment == Payment::Owed {
            self.budget.deny();
            batch.payment = Payment::Awaited;
            self.unpaid.push(Delayed::Read(batch));
        } else {
            self.push_read(batch);
        }
    }

    /// Releases as many batches as the budget allows.
    pub(super) fn pay(&mut self, now: Instant) {
        while !self.unpaid.waiting.is_empty() && self.budget.spend_or_probe(now) {
            match self.unpaid.waiting.pop_front() {
                Some(Delayed::Owner(owner)) => {
                    if let Some(queue) = self.owners.get_mut(&owner) {
                        queue.pay();
                    }
                    self.queue(&owner, now);
                }
                Some(Delayed::Aside(owner)) => self.pay_aside(&owner, now),
                Some(Delayed::Read(batch)) => self.push_read(batch),
                None => return,
            }
        }
    }

    /// When the budget allows the next one, if one waits.
    pub(super) fn pay_day(&self, now: Instant) -> Option<Instant> {
        let is_any = !self.unpaid.waiting.is_empty();
        is_any.then(|| self.budget.pays_at(now))
    }
}
