//! What to do now: the timers that are due, and the next owner.

use std::time::Instant;

use super::batch::Batch;
use super::owner_queue::WriteTurn;
use super::{Delayed, Next, Scheduler, earlier};
use crate::api::{Account, Command};

/// So many owners whose moment has come are looked at in one step: others wait for the lock.
const MOST_PER_STEP: usize = 256;

impl<T> Scheduler<T> {
    /// What to do now. Call again after every `accept` and `apply_outcome`, and when the wait is over.
    pub(in crate::client) fn next(&mut self, now: Instant) -> Next {
        self.tally.at(now);
        self.expire(now);
        self.doubts.sweep(now);
        self.wake_delayed(now);
        if self.in_flight >= self.rules.requests {
            return Next::Wait(self.deadlines.first().map(|(moment, _)| *moment));
        }
        self.pay(now);
        loop {
            let (may_go, slot_free) = self.rate_limits_changed(now);
            let Some(command) = self.shares.first(|command| may_go[command as usize]) else {
                return Next::Wait(earlier(slot_free, self.first_moment(now)));
            };
            // What was found to be over may have made something of another command ready.
            if let Some(flight) = self.take(command, now) {
                self.shares.take(command);
                return Next::Send(flight);
            }
        }
    }

    /// Whether a request may go at `now`, and the next moment at which something changes by itself.
    pub(in crate::client) fn outlook(&mut self, now: Instant) -> (bool, Option<Instant>) {
        if self.in_flight >= self.rules.requests {
            return (false, self.deadlines.first().map(|(moment, _)| *moment));
        }
        let (may_go, slot_free) = self.rate_limits_changed(now);
        (
            may_go.contains(&true),
            earlier(slot_free, self.first_moment(now)),
        )
    }

    /// Which commands have something that may go now, and when the rate lets another one.
    fn rate_limits_changed(&mut self, now: Instant) -> ([bool; 4], Option<Instant>) {
        let (mut may_go, mut slot_free) = ([false; 4], None);
        for command in Command::ALL {
            if !self.is_ready(command, now) {
                continue;
            }
            let rate_limiter = self.rate_limiter.as_mut();
            match rate_limiter.map_or(Ok(()), |rate_limiter| {
                rate_limiter[command as usize].look(now)
            }) {
                Ok(()) => may_go[command as usize] = true,
                Err(free) => slot_free = earlier(slot_free, Some(free)),
            }
        }
        (may_go, slot_free)
    }

    fn is_ready(&self, command: Command, now: Instant) -> bool {
        let has_writes = !self.ready[command as usize].is_empty();
        has_writes && self.sends_writes(now) || !self.ready_reads[command as usize].is_empty()
    }

    fn wake_delayed(&mut self, now: Instant) {
        for _ in 0..MOST_PER_STEP {
            let Some(first) = self
                .delayed
                .first_entry()
                .filter(|first| first.key().0 <= now)
            else {
                return;
            };
            match first.remove() {
                Delayed::Owner(owner) => self.wake(owner, now),
                Delayed::Aside(owner) => self.wake_aside(owner, now),
                Delayed::Read(batch) => self.wake_read(batch),
            }
        }
    }

    pub(super) fn push_read(&mut self, batch: Batch) {
        let owner = batch.owner.clone();
        self.ready_reads[batch.command as usize].push(&owner, batch);
    }

    /// When something changes by itself.
    fn first_moment(&self, now: Instant) -> Option<Instant> {
        let delayed = self.delayed.keys().next().map(|(moment, _)| *moment);
        let deadline = self.deadlines.first().map(|(moment, _)| *moment);
        let others = earlier(self.pay_day(now), self.moment_of_probe());
        earlier(earlier(delayed, deadline), others)
    }

    /// Puts what `owner` may do now into the ready queues.
    pub(super) fn queue(&mut self, owner: &Account, now: Instant) {
        let Some(mut queue) = self.owners.get_mut(owner) else {
            return;
        };
        // Nearly always nothing is set aside; then the table of owners is asked once.
        let has_aside = queue.aside.is_some();
        if has_aside {
            self.queue_aside(owner);
            match self.owners.get_mut(owner) {
                Some(own) => queue = own,
                None => return,
            }
        } else {
            let calls = &self.calls;
            queue.drop_ended(|id| calls.contains_key(&id));
        }
        while let Some((command, op)) = queue.take_read() {
            self.ready_reads[command as usize].push(owner, Batch::read(owner, command, op));
        }
        if queue.is_idle() {
            self.owners.remove(owner);
        } else if let Some((turn, command)) = queue.turn(now, self.recorded)
            && !queue.queued
            && !(turn == WriteTurn::New && self.is_held(owner, now))
            && let Some(queue) = self.owners.get_mut(owner)
        {
            queue.queued = true;
            self.ready[command as usize].push(owner, ());
        }
        if has_aside {
            self.keep_time(owner, Some(now));
        }
    }
}
