//! Invariants between any two steps of the scheduler. The simulator checks them after each step.

use std::collections::HashMap;

use super::fair_shares::Turns;
use super::owner_queue::OwnerQueue;
use super::{CallPurpose, Delayed, Scheduler};
use crate::api::Account;

impl<T> Scheduler<T> {
    /// Each owner has work that proceeds by itself: the owner is queued, delayed, in flight or reading back, or its
    /// next write awaits a commit, which `is_commit_coming`. Returns what violates that.
    pub(super) fn stuck_owner(&self, is_commit_coming: bool) -> Option<String> {
        let mut queued: HashMap<&Account, usize> = HashMap::new();
        for owner in self.ready.iter().flat_map(Turns::owners) {
            *queued.entry(owner).or_default() += 1;
        }
        let delayed = |owner: &Account| {
            let mut all = self.delayed.values();
            all.any(|delayed| matches!(delayed, Delayed::Owner(delayed) if delayed == owner))
        };
        let delayed_aside = |owner: &Account| {
            let mut all = self.delayed.values();
            all.any(|delayed| matches!(delayed, Delayed::Aside(delayed) if delayed == owner))
        };
        let reads_back = |owner: &Account| {
            let mut calls = self.calls.values();
            calls.any(|entry| {
                entry.purpose == CallPurpose::ReadBack && entry.call.request.owner == *owner
            })
        };
        let fault = |(owner, queue): (&Account, &OwnerQueue)| {
            let places = queued.get(owner).copied().unwrap_or(0);
            if places != usize::from(queue.queued) {
                return Some(format!("{owner} stands {places} times in the ready queues"));
            }
            if queue.is_idle() {
                return Some(format!("{owner} has nothing to do and is kept"));
            }
            if queue.has_ready_read() {
                return Some(format!("{owner} has a read that nobody sends"));
            }
            let awaits_commit = || {
                let next = queue.first_new();
                next.is_some_and(|(_, op)| {
                    self.calls.contains_key(&op.call) && op.call >= self.recorded
                })
            };
            let is_looked_at =
                places > 0 || queue.is_in_flight() || (queue.reading_back && reads_back(owner));
            let goes_on = delayed(owner)
                || self.unpaid.owners().any(|unpaid| unpaid == owner)
                || (is_commit_coming && awaits_commit());
            let has_more = queue.has_writes() || queue.has_reads();
            if has_more && !is_looked_at && !goes_on {
                return Some(format!("{owner} has work that nobody looks at"));
            }
            let is_aside_looked_at = is_looked_at
                || delayed_aside(owner)
                || self.unpaid.aside().any(|unpaid| unpaid == owner);
            (queue.aside.is_some() && !is_aside_looked_at)
                .then(|| format!("{owner} has set something aside for good"))
        };
        self.owners.iter().find_map(fault)
    }
}
