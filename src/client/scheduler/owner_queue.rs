//! The queue of one owner: writes one after another, reads after the writes before them are answered or set aside.

use std::collections::{HashSet, VecDeque};
use std::time::Instant;

use super::CallId;
use super::batch::{Batch, Op, Payment};
use super::set_aside::SetAside;
use super::shadow::Shadow;
use crate::api::{Account, Command, MAX_PER_CALL, Request};
use crate::client::call::Positions;

/// A write that waits for its turn.
struct QueuedWrite {
    command: Command,
    op: Op,
    /// It must not share a request.
    is_alone: bool,
}

/// A read that waits for the writes accepted before it.
struct QueuedRead {
    command: Command,
    op: Op,
}

/// What may go next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WriteTurn {
    /// The batch that is to be repeated.
    Again,
    /// One that was set aside.
    Aside,
    /// A write that was not sent before.
    New,
}

/// What one owner has to do.
#[derive(Default)]
pub(super) struct OwnerQueue {
    /// In the order of acceptance, which is that of the ids.
    writes: VecDeque<QueuedWrite>,
    reads: VecDeque<QueuedRead>,
    /// The batch that is to be repeated, and from when on.
    again: Option<(Batch, Instant)>,
    /// The first call of the write that is under way; one that was set aside comes after all others.
    in_flight: Option<CallId>,
    /// Writes that keep failing, and those behind them.
    pub(super) aside: Option<Box<SetAside>>,
    /// Records that outlive their answer.
    pub(super) shadow: Option<Box<Shadow>>,
    /// Whether the owner is in a queue of owners whose write may be sent.
    pub(super) queued: bool,
    /// Until when a write waits because an earlier one may still arrive.
    pub(super) held_until: Option<Instant>,
    /// A read-back is under way: no new write before it is answered.
    pub(super) reading_back: bool,
}

impl OwnerQueue {
    /// Queues a write behind those accepted before it.
    pub(super) fn push_write(&mut self, command: Command, op: Op) {
        self.insert(command, op, false);
    }

    fn insert(&mut self, command: Command, op: Op, is_alone: bool) {
        let is_earlier = |write: &QueuedWrite| write.op.call <= op.call;
        let at = match self.writes.back() {
            Some(last) if !is_earlier(last) => self.writes.partition_point(is_earlier),
            _ => self.writes.len(),
        };
        let write = QueuedWrite {
            command,
            op,
            is_alone,
        };
        self.writes.insert(at, write);
    }

    /// Queues a read behind the writes accepted so far.
    pub(super) fn push_read(&mut self, command: Command, op: Op) {
        self.reads.push_back(QueuedRead { command, op });
    }

    /// Nothing is left, not even a place in the queue: an owner that returns would be queued twice.
    pub(super) fn is_idle(&self) -> bool {
        self.reads.is_empty()
            && !self.has_writes()
            && self.aside.is_none()
            && self.shadow.is_none()
            && !self.queued
            && !self.reading_back
    }

    /// Forgets what waits; whether something is under way.
    pub(super) fn abandon(&mut self) -> bool {
        *self = Self {
            in_flight: self.in_flight,
            ..Self::default()
        };
        self.in_flight.is_some()
    }

    /// Whether a write that is not set aside is not answered.
    pub(super) fn has_writes(&self) -> bool {
        self.in_flight.is_some() || self.again.is_some() || !self.writes.is_empty()
    }

    #[cfg(test)]
    pub(super) fn is_in_flight(&self) -> bool {
        self.in_flight.is_some()
    }

    #[cfg(test)]
    pub(super) fn has_reads(&self) -> bool {
        !self.reads.is_empty()
    }

    #[cfg(test)]
    pub(super) fn has_ready_read(&self) -> bool {
        let first = self.reads.front();
        first.is_some_and(|read| !self.is_behind_a_write(read))
    }

    /// How much waits here: parts of writes and reads, and a request that is to be repeated.
    pub(super) fn depth(&self) -> usize {
        let aside = self.aside.as_ref().map_or(0, |aside| aside.len());
        self.writes.len() + self.reads.len() + usize::from(self.again.is_some()) + aside
    }

    /// What may go now, of the calls before `recorded`, and its command.
    pub(super) fn turn(&self, now: Instant, recorded: CallId) -> Option<(WriteTurn, Command)> {
        if self.in_flight.is_some() || self.reading_back {
            return None;
        }
        if let Some((batch, from)) = &self.again
            && *from <= now
            && batch.payment == Payment::Paid
        {
            return Some((WriteTurn::Again, batch.command));
        }
        let due = self.aside.as_ref().and_then(|aside| aside.due(now));
        if let Some(batch) = due {
            return Some((WriteTurn::Aside, batch.command));
        }
        let first = self.first_new().filter(|(_, op)| op.call < recorded);
        first.map(|(command, _)| (WriteTurn::New, command))
    }

    /// Whether the batch that is to be repeated waits for the budget from now on.
    pub(super) fn begins_to_wait(&mut self, now: Instant) -> bool {
        let Some((batch, from)) = &mut self.again else {
            return false;
        };
        let begins = batch.payment == Payment::Owed && *from <= now;
        if begins {
            batch.payment = Payment::Awaited;
        }
        begins
    }

    /// The budget has a repetition for the batch.
    pub(super) fn pay(&mut self) {
        if let Some((batch, _)) = &mut self.again {
            batch.payment = Payment::Paid;
        }
    }

    /// The next write that was not sent before, when nothing else comes first.
    pub(super) fn first_new(&self) -> Option<(Command, &Op)> {
        let first = self.writes.front().filter(|_| self.again.is_none());
        first.map(|write| (write.command, &write.op))
    }

    /// The next read, when every write before it is answered or set aside.
    pub(super) fn take_read(&mut self) -> Option<(Command, Op)> {
        if self.is_behind_a_write(self.reads.front()?) {
            return None;
        }
        self.reads.pop_front().map(|read| (read.command, read.op))
    }

    fn is_behind_a_write(&self, read: &QueuedRead) -> bool {
        let again = self.again.as_ref().and_then(|(batch, _)| batch.ops.first());
        let next = self.writes.front().map(|write| &write.op);
        let waiting = [again, next].into_iter().flatten().map(|op| op.call);
        waiting
            .chain(self.in_flight)
            .any(|call| call < read.op.call)
    }

    /// Forgets writes at the front whose calls have ended.
    pub(super) fn drop_ended(&mut self, is_wanted: impl Fn(CallId) -> bool) {
        while let Some(write) = self.writes.front()
            && !is_wanted(write.op.call)
        {
            self.writes.pop_front();
        }
    }

    /// Moves the parts of the next write about targets that are set aside behind those. `targets_of` returns the
    /// targets of a call. Returns the call and how many parts it has more, when anything moved.
    pub(super) fn park<'a>(
        &mut self,
        targets_of: impl Fn(CallId) -> Option<&'a [Account]>,
    ) -> Option<(CallId, usize)> {
        let aside = self.aside.as_mut()?;
        let write = self.writes.front_mut().filter(|_| self.again.is_none())?;
        let targets = targets_of(write.op.call)?;
        let (blocked, free): (Vec<_>, Vec<_>) =
            (write.op.positions.iter()).partition(|position| aside.is_about(&targets[*position]));
        if blocked.is_empty() {
            return None;
        }
        let (call, command) = (write.op.call, write.command);
        let parts = blocked.len() + usize::from(!free.is_empty());
        if free.is_empty() {
            self.writes.pop_front();
        } else {
            write.op.positions = Positions::Each(free);
        }
        for position in blocked {
            let positions = Positions::Run(position..position + 1);
            aside.queue(&targets[position], command, Op { call, positions });
        }
        Some((call, parts - 1))
    }

    /// Takes what has its turn: a batch that waits to be repeated, or a maximal run of one command with distinct
    /// targets. `request_of` gives the request of a call that has not ended, `may_join` says whether a later call may
    /// go with the first.
    pub(super) fn take_write<'a>(
        &mut self,
        owner: &Account,
        (turn, command): (WriteTurn, Command),
        merge: bool,
        request_of: impl Fn(CallId) -> Option<&'a Request>,
        may_join: impl Fn(CallId, &Request) -> bool,
    ) -> Option<Batch> {
        let batch = match turn {
            WriteTurn::Again => self.again.take().map(|(batch, _)| batch),
            WriteTurn::Aside => self.aside.as_mut().and_then(|aside| aside.take()),
            WriteTurn::New => Some(self.take_new(owner, command, merge, request_of, may_join)),
        }?;
        let first = batch.ops.first().filter(|_| turn != WriteTurn::Aside);
        self.in_flight = Some(first.map_or(CallId::MAX, |op| op.call));
        Some(batch)
    }

    fn take_new<'a>(
        &mut self,
        owner: &Account,
        command: Command,
        merge: bool,
        request_of: impl Fn(CallId) -> Option<&'a Request>,
        may_join: impl Fn(CallId, &Request) -> bool,
    ) -> Batch {
        let mut batch = Batch::new(owner, command);
        let mut targets = HashSet::new();
        while let Some(write) = self.writes.front() {
            let request = request_of(write.op.call);
            let fits = request.is_none_or(|request| {
                batch.ops.is_empty()
                    || (may_join(write.op.call, request)
                        && self.fits(&batch, write, &request_of, &mut targets))
            });
            if write.command != command || !fits {
                break;
            }
            let goes_alone = !merge || write.is_alone;
            let op = self.writes.pop_front().map(|write| write.op);
            batch.ops.extend(op.filter(|_| request.is_some()));
            if goes_alone {
                break;
            }
        }
        batch
    }

    /// Whether `write` can join the others of `batch`: together at most 1000 targets, all different and none set aside.
    /// `targets` are those of the batch, gathered when the first other one wants to join.
    fn fits<'a>(
        &self,
        batch: &Batch,
        write: &QueuedWrite,
        request_of: impl Fn(CallId) -> Option<&'a Request>,
        targets: &mut HashSet<&'a Account>,
    ) -> bool {
        if write.is_alone {
            return false;
        }
        let all_of = |op: &Op| request_of(op.call).map_or([].as_slice(), Request::targets);
        let own = |op: &Op, targets: &mut HashSet<&'a Account>| {
            let all = all_of(op);
            targets.extend(op.positions.iter().map(|position| &all[position]));
        };
        if let Some(aside) = &self.aside {
            let all = all_of(&write.op);
            let mut positions = write.op.positions.iter();
            if positions.any(|position| aside.is_about(&all[position])) {
                return false;
            }
        }
        // A call that names a target twice keeps the service's answer to that: it goes alone.
        if targets.is_empty() {
            batch.ops.iter().for_each(|op| own(op, targets));
            if targets.len() < batch.targets() {
                return false;
            }
        }
        let count = targets.len() + write.op.positions.len();
        if count > MAX_PER_CALL {
            return false;
        }
        own(&write.op, targets);
        targets.len() == count
    }

    /// The write under way is answered for good. What waited behind a batch that was set aside has its turn.
    pub(super) fn complete_batch(&mut self, batch: &Batch) {
        self.in_flight = None;
        if let Some(aside) = &mut self.aside {
            let freed = aside.free(batch.holds_back());
            self.unpark(freed);
        }
    }

    /// The batch under way goes out again, not before `from`.
    pub(super) fn repeat(&mut self, batch: Batch, from: Instant) {
        self.in_flight = None;
        self.again = Some((batch, from));
    }

    /// The batch in flight keeps failing for `targets`: other batches of the owner proceed, and it is sent again from
    /// `from` on.
    pub(super) fn put_aside(&mut self, mut batch: Batch, targets: Vec<Account>, from: Instant) {
        self.in_flight = None;
        let aside = self.aside.get_or_insert_default();
        aside.block(&targets);
        let freed = aside.free(batch.holds_back());
        batch.trouble().targets = targets;
        aside.insert(batch, from);
        self.unpark(freed);
    }

    fn unpark(&mut self, freed: Vec<(Command, Op)>) {
        for (command, op) in freed {
            self.insert(command, op, false);
        }
        self.aside.take_if(|aside| aside.is_empty());
    }

    /// The calls of a refused batch go out one by one: the mistake of one must not fail the others.
    pub(super) fn separate(&mut self, batch: Batch) {
        self.complete_batch(&batch);
        for op in batch.ops {
            self.insert(batch.command, op, true);
        }
    }
}
