//! Recorded writes that keep failing while others succeed: one failing account must not block its owner.
//!
//! ```text
//! sent ---> it fails ---> again, a few times ---> set aside: other writes of the owner go on
//! set aside ---> fails as a whole ---> its halves, one by one, until the culprit is alone
//!           ---> fails alone, or the answer names what failed ---> again, with growing delays
//!           ---> done, or refused for good: what waited behind it goes on
//! ```
//!
//! A write that is set aside delays later writes about the same pair, in order, and nothing else. A failed
//! connection, a rate limit or an expired signature says nothing about a write and does not count as a failure of it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::batch::{Batch, Op, Payment, Trouble};
use super::{CallId, Delayed, Done, Scheduler};
use crate::api::{Account, Command};
use crate::client::retry::{Attempts, REST};

/// So many failures of its own has a request before anything is done about it.
const FEW: u32 = 4;
/// Enough for others to go first.
const A_MOMENT: Duration = Duration::from_millis(1);
/// After a failure the owner has so many times as long for other writes.
const SHARE: u32 = 4;

/// What a failed attempt says about its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    Nothing,
    /// It failed as a whole: each of its targets may be the reason.
    Whole,
    /// What is left of it failed, target by target.
    Targets,
}

/// Later writes about a target.
#[derive(Default)]
struct Behind {
    /// How many batches that were set aside are about the target.
    batches: usize,
    writes: VecDeque<(Command, Op)>,
}

/// What one owner has set aside.
#[derive(Default)]
pub(super) struct SetAside {
    /// By the moment from which on they may go again.
    batches: BTreeMap<(Instant, u64), Batch>,
    behind: HashMap<Account, Behind>,
    number: u64,
    /// Whether the budget has a repetition for the first of them.
    payment: Payment,
    /// There is a timer for this moment.
    timer: Option<Instant>,
    not_before: Option<Instant>,
}

impl SetAside {
    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty() && self.behind.is_empty()
    }

    /// How many parts of calls wait here.
    pub(super) fn len(&self) -> usize {
        let batches = self.batches.values().map(|batch| batch.ops.len());
        let behind = self.behind.values().map(|behind| behind.writes.len());
        batches.chain(behind).sum()
    }

    pub(super) fn is_about(&self, target: &Account) -> bool {
        self.behind.contains_key(target)
    }

    /// Queues a write behind what was set aside about `target`.
    pub(super) fn queue(&mut self, target: &Account, command: Command, op: Op) {
        if let Some(behind) = self.behind.get_mut(target) {
            behind.writes.push_back((command, op));
        }
    }

    pub(super) fn block(&mut self, targets: &[Account]) {
        for target in targets {
            self.behind.entry(target.clone()).or_default().batches += 1;
        }
    }

    /// A batch is no longer about these targets. Returns the writes that waited for it.
    pub(super) fn free(&mut self, targets: &[Account]) -> Vec<(Command, Op)> {
        let mut freed = Vec::new();
        for target in targets {
            let Some(behind) = self.behind.get_mut(target) else {
                continue;
            };
            behind.batches -= 1;
            if behind.batches == 0 {
                let behind = self.behind.remove(target);
                freed.extend(behind.into_iter().flat_map(|behind| behind.writes));
            }
        }
        freed
    }

    pub(super) fn insert(&mut self, batch: Batch, from: Instant) {
        self.number += 1;
        self.batches.insert((from, self.number), batch);
    }

    /// The batch that may go now.
    pub(super) fn due(&self, now: Instant) -> Option<&Batch> {
        let is_due = self.moment()? <= now && self.payment == Payment::Paid;
        self.batches.values().next().filter(|_| is_due)
    }

    /// When the first of them may go.
    fn moment(&self) -> Option<Instant> {
        let ((owner, _), _) = self.batches.first_key_value()?;
        Some(self.not_before.map_or(*owner, |moment| moment.max(*owner)))
    }

    pub(super) fn take(&mut self) -> Option<Batch> {
        self.payment = Payment::Owed;
        self.batches.pop_first().map(|(_, batch)| batch)
    }

    /// Returns the time at which a thread has to look, unless one will. What the budget allows and is due is sent as
    /// soon as the owner may send.
    fn set_timer(&mut self, now: Option<Instant>) -> Option<Instant> {
        let moment = self.moment()?;
        let needs_timer = match self.payment {
            Payment::Owed => true,
            Payment::Awaited => false,
            Payment::Paid => now.is_some_and(|now| now < moment),
        };
        let is_set = self.timer.is_some_and(|timer| timer <= moment);
        if !needs_timer || is_set {
            return None;
        }
        self.timer = Some(moment);
        self.timer
    }

    /// Whether the first of them waits for the budget from now on.
    fn begins_to_wait(&mut self, now: Instant) -> bool {
        self.timer = None;
        let is_due = self.moment().is_some_and(|moment| moment <= now);
        let begins = is_due && self.payment == Payment::Owed;
        if begins {
            self.payment = Payment::Awaited;
        }
        begins
    }
}

impl<T> Scheduler<T> {
    /// Repeats what is left of a batch that is not given up, or makes way for others.
    pub(super) fn repeat_patiently(
        &mut self,
        mut batch: Batch,
        blame: Blame,
        delay: Duration,
        now: Instant,
    ) {
        batch.payment = Payment::Owed;
        if blame != Blame::Nothing {
            let trouble = batch.trouble();
            trouble.failures += 1;
            let done_before = *trouble.done_before.get_or_insert(self.writes_done);
            trouble.is_alone |= done_before < self.writes_done;
        }
        let is_failing = blame != Blame::Nothing && batch.trouble().failures >= FEW;
        if !is_failing {
            self.repeat(batch, now + delay);
        } else if !batch.is_write() {
            // Nothing can arrive any more that it was to ask about: the write finds out itself.
            self.give_up_batch(&batch, now);
        } else if blame == Blame::Whole && batch.targets() > 1 {
            self.halve(batch, now, now);
        } else {
            self.set_aside(batch, Duration::ZERO, now);
        }
    }

    /// Others pass, and this request is refused, or something in it: it goes again after `least`.
    pub(super) fn fail_alone(&mut self, mut batch: Batch, least: Duration, now: Instant) {
        batch.trouble().is_alone = true;
        if !batch.is_write() {
            self.repeat(batch, now + least);
        } else if batch.targets() > 1 {
            self.halve(batch, now, now);
        } else {
            let calls: Vec<_> = batch.ops.iter().map(|op| op.call).collect();
            self.set_aside(batch, least, now);
            self.release_callers(calls);
        }
    }

    /// Nothing passes, and this request may be the reason: others of its owner go at `moment`, this one after them.
    pub(super) fn make_way(&mut self, batch: Batch, moment: Instant, now: Instant) {
        let owner = batch.owner.clone();
        let after = moment + A_MOMENT;
        if batch.targets() > 1 {
            self.halve(batch, after, now);
        } else {
            self.put_aside(batch, after);
        }
        self.leave_time(&owner, after);
    }

    /// The halves of a batch are sent one by one, to find the target that fails; other writes of the owner proceed.
    fn halve(&mut self, mut batch: Batch, from: Instant, now: Instant) {
        let (rest, divided) = batch.halve();
        if let Some(call) = divided {
            self.divide(call, 1);
        }
        let (owner, took) = (batch.owner.clone(), batch.trouble().took);
        let rest = Batch {
            ops: rest,
            attempts: self.rules.retry.map(Attempts::patient),
            refused: batch.refused,
            is_refused_alone: batch.is_refused_alone,
            trouble: Some(Box::new(Trouble {
                targets: Vec::new(),
                ..batch.trouble().clone()
            })),
            ..Batch::new(&owner, batch.command)
        };
        self.put_aside(rest, from);
        self.put_aside(batch, from);
        self.leave_time(&owner, now + took);
    }

    /// Other writes of the owner proceed without this one.
    fn set_aside(&mut self, mut batch: Batch, least: Duration, now: Instant) {
        let (owner, took) = (batch.owner.clone(), batch.trouble().took);
        let first = self.rules.retry.map_or(REST, |policy| policy.max);
        batch.trouble().tries += 1;
        let delay = batch.trouble().delay(first, self.random.f64()).max(least);
        self.put_aside(batch, now + delay);
        self.leave_time(&owner, now + took * SHARE);
    }

    /// Until that moment other writes of `owner` go.
    fn leave_time(&mut self, owner: &Account, until: Instant) {
        let queue = self.owners.get_mut(owner);
        if let Some(aside) = queue.and_then(|queue| queue.aside.as_mut()) {
            aside.not_before = Some(until);
        }
    }

    pub(super) fn put_aside(&mut self, batch: Batch, from: Instant) {
        let owner = batch.owner.clone();
        let targets = self.targets_of(&batch);
        for op in &batch.ops {
            self.divide(op.call, 0);
            self.report_part(op.call);
        }
        if let Some(queue) = self.owners.get_mut(&owner) {
            queue.put_aside(batch, targets, from);
        }
        self.keep_time(&owner, None);
    }

    /// The parts of a divided call that are done are applied to the cache before later writes about them are sent.
    pub(super) fn report_part(&mut self, id: CallId) {
        let Some(entry) = self.calls.get_mut(&id).filter(|entry| entry.is_divided) else {
            return;
        };
        if let Some(call) = entry.call.report_done() {
            self.done.push_back(Done {
                id,
                call,
                caller: None,
                is_final: false,
                is_listing: false,
                is_part: true,
            });
        }
    }

    fn targets_of(&self, batch: &Batch) -> Vec<Account> {
        let mut targets = Vec::with_capacity(batch.targets());
        for op in &batch.ops {
            if let Some(entry) = self.calls.get(&op.call) {
                let all = entry.call.request.targets();
                targets.extend(op.positions.iter().map(|position| all[position].clone()));
            }
        }
        targets
    }

    /// Sees to it that what `owner` has set aside is looked at in time.
    pub(super) fn keep_time(&mut self, owner: &Account, now: Option<Instant>) {
        let queue = self.owners.get_mut(owner);
        let aside = queue.and_then(|queue| queue.aside.as_mut());
        if let Some(moment) = aside.and_then(|aside| aside.set_timer(now)) {
            let key = (moment, self.fresh_id());
            self.delayed.insert(key, Delayed::Aside(owner.clone()));
        }
    }

    /// The moment of what `owner` has set aside has come.
    pub(super) fn wake_aside(&mut self, owner: Account, now: Instant) {
        let queue = self.owners.get_mut(&owner);
        let aside = queue.and_then(|queue| queue.aside.as_mut());
        if aside.is_some_and(|aside| aside.begins_to_wait(now)) {
            self.budget.deny();
            self.unpaid.push(Delayed::Aside(owner));
        } else {
            self.queue(&owner, now);
        }
    }

    /// The budget has a repetition for what `owner` has set aside.
    pub(super) fn pay_aside(&mut self, owner: &Account, now: Instant) {
        let queue = self.owners.get_mut(owner);
        if let Some(aside) = queue.and_then(|queue| queue.aside.as_mut()) {
            aside.payment = Payment::Paid;
        }
        self.queue(owner, now);
    }

    /// Moves writes of `owner` that have their turn behind what they have to wait for.
    pub(super) fn queue_aside(&mut self, owner: &Account) {
        let calls = &self.calls;
        let targets_of = |id: CallId| Some(calls.get(&id)?.call.request.targets());
        let Some(queue) = self.owners.get_mut(owner) else {
            return;
        };
        let mut divided = Vec::new();
        loop {
            queue.drop_ended(|id| calls.contains_key(&id));
            match queue.park(targets_of) {
                Some(parts) => divided.push(parts),
                None => break,
            }
        }
        for (call, parts) in divided {
            self.divide(call, parts);
        }
    }

    /// The reply to a read names the writes that it does not wait for.
    pub(super) fn report_set_aside(&mut self, batch: &Batch) {
        let queue = self.owners.get(&batch.owner);
        let aside = queue.and_then(|queue| queue.aside.as_ref());
        for op in batch.ops.iter().filter(|_| !batch.is_write()) {
            let Some(entry) = self.calls.get_mut(&op.call) else {
                continue;
            };
            let targets = entry.call.request.targets();
            let passed = aside.map_or(0, |aside| match batch.command {
                Command::Get => aside.behind.len(),
                _ => targets
                    .iter()
                    .filter(|target| aside.is_about(target))
                    .count(),
            });
            entry.call.pass_set_aside(passed);
        }
    }
}
