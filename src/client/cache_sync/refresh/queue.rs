//! Owners whose lists are to be read, the urgent ones first.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

/// How urgent it is to read a list, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// Of a watched owner of whom nothing is known: until then no block of his counts.
    First,
    /// Something was reported about it.
    Changed,
    /// It was read before, and is read again in time.
    Again,
}

impl Urgency {
    pub(super) const ALL: [Self; 3] = [Self::First, Self::Changed, Self::Again];
}

/// A place in the queue.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) urgency: Urgency,
    pub(super) moment: Instant,
    number: u64,
}

/// Readings that are due at some moment, and those whose next page is to be asked for.
#[derive(Default)]
pub(super) struct ReadQueue {
    waiting: [BTreeMap<(Instant, u64), Arc<str>>; 3],
    onward: [VecDeque<Arc<str>>; 3],
    number: u64,
}

impl ReadQueue {
    pub(super) fn insert(&mut self, owner: Arc<str>, urgency: Urgency, moment: Instant) -> Due {
        self.number += 1;
        let number = self.number;
        self.waiting[urgency as usize].insert((moment, number), owner);
        Due {
            urgency,
            moment,
            number,
        }
    }

    pub(super) fn remove(&mut self, due: Due) {
        self.waiting[due.urgency as usize].remove(&(due.moment, due.number));
    }

    /// The owner that is due for the longest time.
    pub(super) fn take(&mut self, urgency: Urgency, now: Instant) -> Option<Arc<str>> {
        let first = self.waiting[urgency as usize].first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    /// The next page of the list of `owner` is to be asked for.
    pub(super) fn push_onward(&mut self, owner: Arc<str>, urgency: Urgency) {
        self.onward[urgency as usize].push_back(owner);
    }

    pub(super) fn pop_onward(&mut self, urgency: Urgency) -> Option<Arc<str>> {
        self.onward[urgency as usize].pop_front()
    }

    /// When there is something to read; None while there is nothing.
    pub(super) fn moment(&self, urgency: Urgency, now: Instant) -> Option<Instant> {
        if !self.onward[urgency as usize].is_empty() {
            return Some(now);
        }
        let first = self.waiting[urgency as usize].keys().next();
        first.map(|(moment, _)| *moment)
    }
}
