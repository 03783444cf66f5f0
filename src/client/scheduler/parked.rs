//! Calls that are not in their owner queue yet: writes that are on disk only, and reads behind them. The outbox knows
//! these writes and loads them (`outbox/intake.rs`).

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ending::End;
use super::{AcceptedCall, CallId, Scheduler};
use crate::api::{Account, Command, Operation, Request, Targets};
use crate::error::Error;

/// What waits for writes that are on disk only.
#[derive(Default)]
pub(super) struct Parked {
    /// Reads, by owner, in order.
    reads: HashMap<Account, VecDeque<CallId>>,
    /// Accepted writes of which nothing is in memory.
    pub(super) absent: usize,
    /// Writes before this one are an earlier client's, whose attempts may still arrive after `opened`.
    inherited: CallId,
    opened: Option<Instant>,
}

/// A write that comes back from disk.
pub(in crate::client) struct Returned<T> {
    pub(in crate::client) id: CallId,
    pub(in crate::client) request: Arc<Request>,
    /// None when no caller waits, or when it waits here.
    pub(in crate::client) caller: Option<T>,
    /// Since when it is accepted.
    pub(in crate::client) age: Duration,
}

impl<T> Scheduler<T> {
    /// Gives the next call this id: smaller ones are those of an earlier client.
    pub(in crate::client) fn begin_at(&mut self, id: CallId, now: Instant) {
        self.next_id = id;
        self.recorded = id;
        self.parked.inherited = id;
        self.parked.opened = Some(now);
    }

    /// An earlier client left a write on disk.
    pub(in crate::client) fn inherit(&mut self, command: Command) {
        self.tally.accepted(command);
        self.parked.absent += 1;
    }

    /// Takes a write that is on disk only until [`Self::unpark`]. A caller that waits since `entered` gets its reply
    /// at its deadline as usual; the tag of an asynchronous call is returned, as nothing of the call stays in memory.
    pub(in crate::client) fn park_write(
        &mut self,
        request: Arc<Request>,
        caller: T,
        entered: Option<Instant>,
        now: Instant,
    ) -> (CallId, Option<T>) {
        let id = self.fresh_id();
        self.tally.accepted(request.command());
        if entered.is_none() {
            self.parked.absent += 1;
            return (id, Some(caller));
        }
        self.park(id, AcceptedCall::new(request, Some(caller), now), entered);
        (id, None)
    }

    /// Takes a read of an owner that has writes on disk only.
    pub(in crate::client) fn park_read(
        &mut self,
        request: Arc<Request>,
        caller: T,
        entered: Option<Instant>,
        now: Instant,
    ) -> CallId {
        let id = self.fresh_id();
        self.tally.accepted(request.command());
        let reads = self.parked.reads.entry(request.owner.clone()).or_default();
        reads.push_back(id);
        let begin = entered.unwrap_or(now);
        self.park(
            id,
            AcceptedCall::new(request, Some(caller), now),
            Some(begin),
        );
        id
    }

    fn park(&mut self, id: CallId, mut entry: AcceptedCall<T>, begin: Option<Instant>) {
        entry.is_parked = true;
        entry.deadline = begin
            .zip(self.rules.call_time)
            .map(|(begin, time)| begin + time);
        self.deadlines
            .extend(entry.deadline.map(|deadline| (deadline, id)));
        self.calls.insert(id, entry);
    }

    /// A write comes back into memory, after all earlier ones of its owner.
    pub(in crate::client) fn unpark(&mut self, write: Returned<T>, now: Instant) {
        let Returned { id, request, .. } = write;
        let owner = request.owner.clone();
        self.release_reads(&owner, id, now);
        if let Some(opened) = self.parked.opened
            && id < self.parked.inherited
            && self.rules.late.is_some_and(|late| now < opened + late * 2)
        {
            self.doubts.add(&owner, &request, id, opened);
        }
        let entry = self.calls.remove(&id).unwrap_or_else(|| {
            self.parked.absent -= 1;
            // What an earlier client accepted is timed from the begin of this one.
            let accepted = now.checked_sub(write.age).max(self.parked.opened);
            AcceptedCall::new(request, write.caller, accepted.unwrap_or(now))
        });
        self.line_up(id, entry);
        self.queue(&owner, now);
    }

    /// Lets the reads of `owner` that were accepted before `before` into its owner queue.
    pub(in crate::client) fn release_reads(
        &mut self,
        owner: &Account,
        before: CallId,
        now: Instant,
    ) {
        let Some(reads) = self.parked.reads.get_mut(owner) else {
            return;
        };
        let count = reads.partition_point(|id| *id < before);
        let free: Vec<_> = reads.drain(..count).collect();
        if reads.is_empty() {
            self.parked.reads.remove(owner);
        }
        for id in free {
            // Its time may be over.
            if let Some(entry) = self.calls.remove(&id) {
                self.line_up(id, entry);
            }
        }
        self.queue(owner, now);
    }

    /// Owners of reads that wait for writes on disk.
    pub(in crate::client) fn parked_owners(&self) -> Vec<Account> {
        self.parked.reads.keys().cloned().collect()
    }

    fn line_up(&mut self, id: CallId, mut entry: AcceptedCall<T>) {
        entry.is_parked = false;
        self.push(id, &mut entry);
        self.calls.insert(id, entry);
    }

    /// Ends a write of which nothing was sent and that is not loaded again. For one that is not in memory, `known`
    /// has its request and its caller.
    pub(in crate::client) fn end_parked(
        &mut self,
        id: CallId,
        known: (Arc<Request>, Option<T>),
        error: &Error,
        (now, is_final): (Instant, bool),
    ) {
        self.calls.entry(id).or_insert_with(|| {
            self.parked.absent -= 1;
            let (request, caller) = known;
            AcceptedCall::new(request, caller, now)
        });
        let end = if is_final {
            End::Final(Some(error.clone()))
        } else {
            End::BrokenOff(error.clone())
        };
        self.end(id, end);
    }
}

/// What is known of a write whose accounts are on disk and are not read any more.
pub(in crate::client) fn unread(command: Command) -> Arc<Request> {
    let operation = match command {
        Command::Delete => Operation::Delete(Targets::new()),
        _ => Operation::Add(Targets::new()),
    };
    Arc::new(Request {
        owner: Account::default(),
        operation,
    })
}
