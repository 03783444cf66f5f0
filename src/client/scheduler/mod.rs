//! The scheduler: which request is sent next, and what an outcome means for the calls in it.
//!
//! A state machine without threads, clocks or sockets: the threads of `runtime/` and the simulator drive the same
//! code. Invariants: at most one write per owner is in flight; writes of one owner are answered in the order of
//! acceptance, unless one is set aside, and writes about one pair always; a read is sent when the writes accepted
//! before it are answered or set aside; `take_done` returns every accepted call exactly once. With an outbox a write
//! is sent when it is on disk, and again until it is answered.

mod awaiting_budget;
mod batch;
mod durable;
mod ending;
mod fair_shares;
mod hold;
mod in_doubt;
#[cfg(test)]
mod invariants;
mod next_request;
mod outcome;
mod owner_queue;
mod parked;
mod retry_budget;
mod schedule;
mod set_aside;
mod shadow;
#[cfg(test)]
mod simulator;
mod stats;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::call::Call;
use super::call::Positions;
use super::rate_limiter::RateLimiter;
use super::stats::Tally;
use crate::api::{Account, MAX_PER_CALL, Request};
use crate::config::RetryPolicy;
use awaiting_budget::Unpaid;
use batch::{Batch, Op};
pub(super) use ending::out_of_time;
use fair_shares::{Shares, Turns};
use hold::Hold;
use in_doubt::Doubts;
use owner_queue::OwnerQueue;
use parked::Parked;
pub(super) use parked::{Returned, unread};
use retry_budget::Budget;

/// One accepted call; greater means accepted later.
pub(super) type CallId = u64;

/// How a backend wants its calls to travel.
pub(super) struct Rules {
    /// Merge writes of one owner; otherwise every call goes out as it is.
    pub(super) merge: bool,
    /// How often to try again; without it every answer is final.
    pub(super) retry: Option<RetryPolicy>,
    /// Calls per second and command; without it there is no limit.
    pub(super) rate_per_second: Option<u32>,
    /// The whole call with its repetitions.
    pub(super) call_time: Option<Duration>,
    /// Requests at once.
    pub(super) requests: usize,
    /// How long a request without an answer may still arrive; without it nothing gets lost.
    pub(super) late: Option<Duration>,
    /// Writes are on disk before they are sent, and are repeated until they are answered.
    pub(super) recorded: bool,
}

/// A call that came to its end.
pub(super) struct Done<T> {
    pub(super) id: CallId,
    pub(super) call: Call,
    /// What the caller passed with the call; None if no caller waits any more.
    pub(super) caller: Option<T>,
    /// Nothing is left to be sent: answered, refused for good, or cancelled.
    pub(super) is_final: bool,
    /// A page that we asked for ourselves, in the background.
    pub(super) is_listing: bool,
    /// No reply to a caller: these targets of the call are done and others may take long, or its record is not needed
    /// any more.
    pub(super) is_part: bool,
}

/// Why a call is in the scheduler.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CallPurpose {
    Accepted,
    /// An internal read: the state of targets in doubt.
    ReadBack,
    /// An internal read: a page of a watched list.
    Listing,
}

struct AcceptedCall<T> {
    call: Call,
    caller: Option<T>,
    purpose: CallPurpose,
    /// From acceptance for a blocking call and for a read behind recorded writes, from first dispatch for another.
    deadline: Option<Instant>,
    accepted: Instant,
    dispatched: bool,
    /// Requests with a part of it that are under way.
    flights: u32,
    /// Requests that still have to be answered for it.
    open_ops: usize,
    /// It is not in the queue of its owner.
    is_parked: bool,
    /// Its parts end for themselves: one that was refused does not end the others.
    is_divided: bool,
}

impl<T> AcceptedCall<T> {
    fn new(request: Arc<Request>, caller: Option<T>, now: Instant) -> Self {
        Self {
            call: Call::new(request),
            caller,
            purpose: CallPurpose::Accepted,
            deadline: None,
            accepted: now,
            dispatched: false,
            flights: 0,
            open_ops: 1,
            is_parked: false,
            is_divided: false,
        }
    }

    /// Whether any of it may have arrived without an answer.
    fn may_have_happened(&self) -> bool {
        self.flights > 0 || self.call.was_lost()
    }
}

/// A request on its way.
pub(super) struct Flight {
    pub(super) request: Arc<Request>,
    /// When the last of its calls runs out of time; None where no call can hang.
    pub(super) deadline: Option<Instant>,
    sent: Instant,
    batch: Batch,
    /// Greater means later.
    number: u64,
}

/// What to do now.
pub(super) enum Next {
    /// Send this and report the outcome to `apply_outcome`.
    Send(Flight),
    /// Nothing, until this moment or until something is accepted or has an outcome.
    Wait(Option<Instant>),
}

/// What waits for a time.
enum Delayed {
    Owner(Account),
    /// Something that the owner has set aside.
    Aside(Account),
    Read(Batch),
}

/// Everything accepted and not yet done.
pub(super) struct Scheduler<T> {
    rules: Rules,
    calls: BTreeMap<CallId, AcceptedCall<T>>,
    owners: HashMap<Account, OwnerQueue>,
    /// Owners whose next request of that command may go, in turn.
    ready: [Turns<()>; 4],
    ready_reads: [Turns<Batch>; 4],
    shares: Shares,
    unpaid: Unpaid,
    delayed: BTreeMap<(Instant, u64), Delayed>,
    deadlines: BTreeSet<(Instant, CallId)>,
    rate_limiter: Option<[RateLimiter; 4]>,
    budget: Budget,
    /// Requests with writes that were done.
    writes_done: u64,
    doubts: Doubts,
    parked: Parked,
    /// Writes before this one are on disk, or need not be.
    recorded: CallId,
    /// The service refused too many signatures: until then nothing is sent.
    rest_until: Option<Instant>,
    /// The service refuses the caller: recorded writes wait until it does not.
    hold: Hold,
    random: fastrand::Rng,
    next_id: u64,
    in_flight: usize,
    done: VecDeque<Done<T>>,
    tally: Tally,
}

impl<T> Scheduler<T> {
    pub(super) fn new(rules: Rules, random: fastrand::Rng) -> Self {
        Self {
            rate_limiter: rules
                .rate_per_second
                .map(|rate| [(); 4].map(|()| RateLimiter::new(rate))),
            doubts: Doubts::new(rules.late),
            parked: Parked::default(),
            recorded: if rules.recorded { 0 } else { CallId::MAX },
            rules,
            calls: BTreeMap::new(),
            owners: HashMap::new(),
            ready: Default::default(),
            ready_reads: Default::default(),
            shares: Shares::default(),
            unpaid: Unpaid::default(),
            delayed: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            budget: Budget::full(),
            writes_done: 0,
            rest_until: None,
            hold: Hold::default(),
            random,
            next_id: 0,
            in_flight: 0,
            done: VecDeque::new(),
            tally: Tally::default(),
        }
    }

    /// How many calls have a waiting caller.
    #[cfg(test)]
    fn awaited(&self) -> usize {
        let is_awaited = |entry: &&AcceptedCall<T>| entry.caller.is_some();
        self.calls.values().filter(is_awaited).count()
    }

    /// Whether `owner` has calls that are not done.
    pub(super) fn is_busy(&self, owner: &str) -> bool {
        self.owners.contains_key(owner)
    }

    /// Whether `owner` has calls that `take_done` did not return yet.
    pub(super) fn is_unanswered(&self, owner: &str) -> bool {
        let is_own = |done: &Done<T>| done.call.request.owner == owner;
        self.is_busy(owner) || self.done.iter().any(is_own)
    }

    /// Whether calls can share requests.
    pub(super) fn merges(&self) -> bool {
        self.rules.merge
    }

    /// How many requests are under way.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// The oldest accepted call that is not done; later ones have greater ids.
    pub(super) fn oldest(&self) -> Option<CallId> {
        let accepted = |entry: &AcceptedCall<T>| entry.purpose == CallPurpose::Accepted;
        self.calls
            .iter()
            .find(|(_, entry)| accepted(entry))
            .map(|(id, _)| *id)
    }

    /// The id that the next call will get.
    pub(super) fn next_call(&self) -> CallId {
        self.next_id
    }

    /// Takes a call. With `entered` its time runs from there, else from its first dispatch, which nothing puts off
    /// without a limit but recorded writes: a read behind them has its time from `now`.
    pub(super) fn accept(
        &mut self,
        request: Arc<Request>,
        caller: T,
        entered: Option<Instant>,
        now: Instant,
    ) -> CallId {
        let id = self.fresh_id();
        let mut entry = AcceptedCall::new(request, Some(caller), now);
        let begin = entered.or_else(|| self.is_behind_recorded(&entry).then_some(now));
        entry.deadline = begin
            .zip(self.rules.call_time)
            .map(|(begin, time)| begin + time);
        self.insert(id, entry);
        self.queue_owner_of(id, now);
        id
    }

    /// Requests a page in the background; `take_done` returns it without a caller.
    pub(super) fn list(&mut self, request: Request, now: Instant) {
        let id = self.fresh_id();
        let mut entry = AcceptedCall::new(Arc::new(request), None, now);
        entry.purpose = CallPurpose::Listing;
        self.insert(id, entry);
        self.queue_owner_of(id, now);
    }

    /// Takes a call into the queue of its owner.
    fn insert(&mut self, id: CallId, mut entry: AcceptedCall<T>) {
        if entry.purpose == CallPurpose::Accepted {
            self.tally.accepted(entry.call.request.command());
        }
        self.deadlines
            .extend(entry.deadline.map(|deadline| (deadline, id)));
        self.push(id, &mut entry);
        self.calls.insert(id, entry);
    }

    /// Puts the parts of a call into the queue of its owner.
    fn push(&mut self, id: CallId, entry: &mut AcceptedCall<T>) {
        let request = &entry.call.request;
        let command = request.command();
        let queue = self.owners.entry(request.owner.clone()).or_default();
        entry.open_ops = 0;
        for part in parts(request.targets().len()) {
            entry.open_ops += 1;
            let op = Op {
                call: id,
                positions: Positions::Run(part),
            };
            if command.is_write() {
                queue.push_write(command, op);
            } else {
                queue.push_read(command, op);
            }
        }
    }

    /// How many calls came to their end since the last `take_done`.
    pub(super) fn done_len(&self) -> usize {
        self.done.len()
    }

    /// Whether a call that was accepted before `later` came to its end and was not taken yet.
    pub(super) fn has_done_before(&self, later: CallId) -> bool {
        self.done.iter().any(|done| done.id < later)
    }

    /// The next calls that came to their end, in order, `most` of them.
    pub(super) fn take_done(&mut self, most: usize) -> Vec<Done<T>> {
        self.done.drain(..self.done.len().min(most)).collect()
    }

    fn queue_owner_of(&mut self, id: CallId, now: Instant) {
        if let Some(entry) = self.calls.get(&id) {
            let owner = entry.call.request.owner.clone();
            self.queue(&owner, now);
        }
    }

    fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    [one, other].into_iter().flatten().min()
}

/// A call's targets in parts of at most 1000; one empty part for a get.
pub(super) fn parts(count: usize) -> impl Iterator<Item = Range<usize>> {
    let starts = (0..count.max(1)).step_by(MAX_PER_CALL);
    starts.map(move |start| start..count.min(start + MAX_PER_CALL))
}
