//! The work of one owner: writes one after another, reads when the writes before them are answered.

use std::collections::{HashSet, VecDeque};
use std::time::Instant;

use super::CallId;
use crate::api::{Account, Command, MAX_PER_CALL, Request};
use crate::client::positions::Positions;
use crate::client::retry::Attempts;

/// Targets of one call that go out together.
#[derive(Debug)]
pub(super) struct Op {
    pub(super) call: CallId,
    /// Positions in the call's request; empty for a get.
    pub(super) positions: Positions,
}

/// One request to the service, made of parts of one or more calls.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) owner: Account,
    pub(super) command: Command,
    pub(super) ops: Vec<Op>,
    /// How many writes of the lane this batch stands for, also when some of them need no repetition.
    pub(super) writes: u64,
    pub(super) attempts: Option<Attempts>,
    pub(super) payment: Payment,
    /// The number of its last request that was refused for the caller's sake.
    pub(super) refused: Option<u64>,
    /// Later requests passed meanwhile: it is not the caller who is refused.
    pub(super) is_refused_alone: bool,
}

/// Whether the budget has a repetition for a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Payment {
    /// Yes, or it needs none.
    Paid,
    /// It is to be asked when the batch may go.
    Owed,
    /// The batch stands in the queue for it.
    Awaited,
}

/// A read that waits until `after` writes of its owner are answered.
struct Read {
    command: Command,
    op: Op,
    after: u64,
}

/// What one owner has to do.
#[derive(Default)]
pub(super) struct Lane {
    writes: VecDeque<(Command, Op)>,
    reads: VecDeque<Read>,
    /// The batch that is to be repeated, and from when on.
    again: Option<(Batch, Instant)>,
    in_flight: bool,
    /// Whether the owner stands in a queue of those whose write may go.
    pub(super) queued: bool,
    /// Until when a write waits because an earlier one may still arrive.
    pub(super) held_until: Option<Instant>,
    /// A read-back is under way: no new write before it is answered.
    pub(super) reading_back: bool,
    /// How many writes at the front must not be merged.
    alone: usize,
    accepted: u64,
    answered: u64,
}

impl Lane {
    pub(super) fn push_write(&mut self, command: Command, op: Op) {
        self.accepted += 1;
        self.writes.push_back((command, op));
    }

    /// Queues a read behind the writes accepted so far.
    pub(super) fn push_read(&mut self, command: Command, op: Op) {
        let after = self.accepted;
        self.reads.push_back(Read { command, op, after });
    }

    /// Nothing is left, not even a place in the queue: an owner that came back would stand there twice.
    pub(super) fn is_idle(&self) -> bool {
        self.writes.is_empty()
            && !self.queued
            && self.reads.is_empty()
            && self.again.is_none()
            && !self.in_flight
            && !self.reading_back
    }

    /// Forgets what waits; whether something is under way.
    pub(super) fn abandon(&mut self) -> bool {
        *self = Self {
            in_flight: self.in_flight,
            ..Self::default()
        };
        self.in_flight
    }

    #[cfg(test)]
    pub(super) fn is_in_flight(&self) -> bool {
        self.in_flight
    }

    #[cfg(test)]
    pub(super) fn has_ready_read(&self) -> bool {
        let mut reads = self.reads.iter();
        reads.next().is_some_and(|read| read.after <= self.answered)
    }

    /// Whether a write is not answered.
    pub(super) fn has_writes(&self) -> bool {
        self.in_flight || self.again.is_some() || !self.writes.is_empty()
    }

    /// How much waits here: parts of writes and reads, and a request that is to be repeated.
    pub(super) fn depth(&self) -> usize {
        self.writes.len() + self.reads.len() + usize::from(self.again.is_some())
    }

    /// The command of the next write, when it may go now: of the calls before `recorded`.
    pub(super) fn next_write(&self, now: Instant, recorded: CallId) -> Option<Command> {
        if self.in_flight || self.reading_back {
            return None;
        }
        if let Some((batch, from)) = &self.again {
            let may_go = *from <= now && batch.payment == Payment::Paid;
            return may_go.then_some(batch.command);
        }
        let first = self.writes.front().filter(|(_, op)| op.call < recorded);
        first.map(|(command, _)| *command)
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
        first.map(|(command, op)| (*command, op))
    }

    /// The next read, when every write before it is answered.
    pub(super) fn take_read(&mut self) -> Option<(Command, Op)> {
        if self.reads.front()?.after > self.answered {
            return None;
        }
        self.reads.pop_front().map(|read| (read.command, read.op))
    }

    /// Forgets writes at the front whose calls have ended, unless others before them are under way.
    pub(super) fn drop_ended(&mut self, is_wanted: impl Fn(CallId) -> bool) {
        if self.in_flight || self.again.is_some() {
            return;
        }
        while let Some((_, op)) = self.writes.front()
            && !is_wanted(op.call)
        {
            self.writes.pop_front();
            self.alone = self.alone.saturating_sub(1);
            self.answered += 1;
        }
    }

    /// Takes the next write: a batch that waits to be repeated, or a maximal run of one command with
    /// distinct targets. `request_of` gives the request of a call that has not ended, `may_join` says
    /// whether a later call may go with the first.
    pub(super) fn take_write<'a>(
        &mut self,
        owner: &Account,
        merge: bool,
        request_of: impl Fn(CallId) -> Option<&'a Request>,
        may_join: impl Fn(CallId, &Request) -> bool,
    ) -> Option<Batch> {
        if let Some((batch, _)) = self.again.take() {
            self.in_flight = true;
            return Some(batch);
        }
        let mut batch = Batch {
            owner: owner.clone(),
            command: self.writes.front()?.0,
            ops: Vec::new(),
            writes: 0,
            attempts: None,
            payment: Payment::Paid,
            refused: None,
            is_refused_alone: false,
        };
        let mut targets = HashSet::new();
        while let Some((command, op)) = self.writes.front() {
            let request = request_of(op.call);
            let fits = request.is_none_or(|request| {
                batch.ops.is_empty()
                    || (may_join(op.call, request)
                        && self.fits(&batch, op, &request_of, &mut targets))
            });
            if *command != batch.command || (!fits && !batch.ops.is_empty()) {
                break;
            }
            batch.writes += 1;
            let goes_alone = !merge || self.alone > 0;
            self.alone = self.alone.saturating_sub(1);
            let op = self.writes.pop_front().map(|(_, op)| op);
            batch.ops.extend(op.filter(|_| request.is_some()));
            if goes_alone {
                break;
            }
        }
        self.in_flight = true;
        Some(batch)
    }

    /// Whether `op` can join the others of `batch`: together at most 1000 targets, all different. `targets`
    /// are those of the batch, gathered when the first other one wants to join.
    fn fits<'a>(
        &self,
        batch: &Batch,
        op: &Op,
        request_of: impl Fn(CallId) -> Option<&'a Request>,
        targets: &mut HashSet<&'a Account>,
    ) -> bool {
        if self.alone > 0 {
            return false;
        }
        let own = |op: &Op, targets: &mut HashSet<&'a Account>| {
            let all = request_of(op.call).map_or([].as_slice(), Request::targets);
            targets.extend(op.positions.iter().map(|position| &all[position]));
        };
        // A call that names a target twice keeps the service's answer to that: it goes alone.
        if targets.is_empty() {
            batch.ops.iter().for_each(|op| own(op, targets));
            if targets.len() < batch.targets() {
                return false;
            }
        }
        let count = targets.len() + op.positions.len();
        if count > MAX_PER_CALL {
            return false;
        }
        own(op, targets);
        targets.len() == count
    }

    /// The batch in flight is answered for good.
    pub(super) fn settle(&mut self, batch: &Batch) {
        self.in_flight = false;
        self.answered += batch.writes;
    }

    /// The batch in flight goes out again, not before `from`.
    pub(super) fn repeat(&mut self, batch: Batch, from: Instant) {
        self.in_flight = false;
        self.again = Some((batch, from));
    }

    /// The calls of a refused batch go out one by one: the mistake of one must not fail the others.
    pub(super) fn separate(&mut self, batch: Batch) {
        self.in_flight = false;
        self.alone = batch.ops.len();
        self.answered += batch.writes - batch.ops.len() as u64;
        for op in batch.ops.into_iter().rev() {
            self.writes.push_front((batch.command, op));
        }
    }
}

impl Batch {
    /// A read of one call.
    pub(super) fn read(owner: &Account, command: Command, op: Op) -> Self {
        Self {
            owner: owner.clone(),
            command,
            ops: vec![op],
            writes: 0,
            attempts: None,
            payment: Payment::Paid,
            refused: None,
            is_refused_alone: false,
        }
    }

    pub(super) fn is_write(&self) -> bool {
        self.command.is_write()
    }

    /// How many targets it has.
    pub(super) fn targets(&self) -> usize {
        self.ops.iter().map(|op| op.positions.len()).sum()
    }

    /// Whether several calls share it.
    pub(super) fn is_merged(&self) -> bool {
        self.ops.len() > 1
    }
}
