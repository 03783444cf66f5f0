//! The order of things: which request goes out next, and what an outcome means for the calls in it.
//!
//! A plain state machine without threads, clocks or sockets: the threads of `workers.rs` and the
//! simulator drive the same code. Invariants: at most one write per owner is in flight; writes of one
//! owner are answered in the order in which they were accepted; a read goes out when the writes
//! accepted before it are answered; every accepted call comes out of `take_done` exactly once.

mod budget;
mod lane;
mod settle;
#[cfg(test)]
mod simulator;
mod stats;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::assembly::Assembly;
use super::pace::Pace;
use super::retry::Attempts;
use super::stats::Tally;
use crate::api::{Command, MAX_PER_CALL, Operation, Request};
use crate::config::RetryPolicy;
use crate::error::{Error, Status};
use budget::Budget;
use lane::{Batch, Lane, Op};

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
}

/// A call that came to its end.
pub(super) struct Done<T> {
    pub(super) call: Assembly,
    /// What the caller gave with the call.
    pub(super) caller: T,
}

struct Entry<T> {
    call: Assembly,
    caller: T,
    /// From acceptance for a blocking call, from first dispatch for another.
    deadline: Option<Instant>,
    accepted: Instant,
    dispatched: bool,
    /// Requests that still have to be answered for it.
    open_ops: usize,
}

/// A request on its way.
pub(super) struct Flight {
    pub(super) request: Request,
    /// When the last of its calls runs out of time.
    pub(super) deadline: Option<Instant>,
    batch: Batch,
}

/// What to do now.
pub(super) enum Next {
    /// Send this and report the outcome to `settle`.
    Send(Flight),
    /// Nothing, until this moment or until something is accepted or settled.
    Wait(Option<Instant>),
}

/// Who waits for a moment to come.
enum Delayed {
    Owner(Arc<str>),
    Read(Batch),
}

/// Everything accepted and not yet done.
pub(super) struct Lanes<T> {
    rules: Rules,
    calls: BTreeMap<CallId, Entry<T>>,
    owners: HashMap<Arc<str>, Lane>,
    /// Owners whose next request of that command may go, in turn.
    ready: [VecDeque<Arc<str>>; 4],
    ready_reads: [VecDeque<Batch>; 4],
    delayed: BTreeMap<(Instant, u64), Delayed>,
    deadlines: BTreeSet<(Instant, CallId)>,
    pace: Option<[Pace; 4]>,
    budget: Budget,
    /// The service refused too many signatures: until then nothing is sent.
    rest_until: Option<Instant>,
    random: fastrand::Rng,
    next_id: u64,
    in_flight: usize,
    done: Vec<Done<T>>,
    tally: Tally,
}

impl<T> Lanes<T> {
    pub(super) fn new(rules: Rules, random: fastrand::Rng) -> Self {
        Self {
            pace: rules
                .rate_per_second
                .map(|rate| [(); 4].map(|()| Pace::new(rate))),
            rules,
            calls: BTreeMap::new(),
            owners: HashMap::new(),
            ready: Default::default(),
            ready_reads: Default::default(),
            delayed: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            budget: Budget::full(),
            rest_until: None,
            random,
            next_id: 0,
            in_flight: 0,
            done: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// How many calls are accepted and not done.
    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether `owner` has calls that are not done.
    pub(super) fn is_busy(&self, owner: &str) -> bool {
        self.owners.contains_key(owner)
    }

    /// How many requests are under way.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// The oldest call that is not done; later ones have greater ids.
    pub(super) fn oldest(&self) -> Option<CallId> {
        self.calls.keys().next().copied()
    }

    /// The id that the next call will get.
    pub(super) fn next_call(&self) -> CallId {
        self.next_id
    }

    /// Takes a call. With `entered` its time runs from there, else from its first dispatch.
    pub(super) fn accept(
        &mut self,
        request: Request,
        caller: T,
        entered: Option<Instant>,
        now: Instant,
    ) {
        let id = self.fresh_id();
        let command = request.command();
        self.tally.accepted(command);
        let owner: Arc<str> = request.from.as_str().into();
        let deadline = entered
            .zip(self.rules.call_time)
            .map(|(entered, time)| entered + time);
        self.deadlines
            .extend(deadline.map(|deadline| (deadline, id)));
        let lane = self.owners.entry(Arc::clone(&owner)).or_default();
        let mut open_ops = 0;
        for positions in parts(request.targets().len()) {
            let op = Op {
                call: id,
                positions,
            };
            open_ops += 1;
            match command {
                Command::Add | Command::Delete => lane.push_write(command, op),
                Command::Get | Command::Check => lane.push_read(command, op),
            }
        }
        let entry = Entry {
            call: Assembly::new(request),
            caller,
            deadline,
            accepted: now,
            dispatched: false,
            open_ops,
        };
        self.calls.insert(id, entry);
        self.queue(&owner, now);
    }

    /// What to do now. Call again after every `accept` and `settle`, and when the wait is over.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        self.tally.at(now);
        self.expire(now);
        self.wake_delayed(now);
        if self.in_flight >= self.rules.requests {
            return Next::Wait(self.deadlines.first().map(|(moment, _)| *moment));
        }
        loop {
            let mut changed = false;
            let mut pace_free = None;
            // Reads first: they are what somebody waits for.
            for command in [Command::Check, Command::Get, Command::Add, Command::Delete] {
                while self.is_ready(command) {
                    if let Err(free) = self.look_at_pace(command, now) {
                        pace_free = earlier(pace_free, Some(free));
                        break;
                    }
                    if let Some(flight) = self.take(command, now) {
                        return Next::Send(flight);
                    }
                    changed = true;
                }
            }
            // What was found to be over may have made something of another command ready.
            if !changed {
                return Next::Wait(earlier(pace_free, self.first_moment()));
            }
        }
    }

    fn is_ready(&self, command: Command) -> bool {
        !self.ready[command as usize].is_empty() || !self.ready_reads[command as usize].is_empty()
    }

    /// How many calls came to their end since the last `take_done`.
    pub(super) fn done_len(&self) -> usize {
        self.done.len()
    }

    /// Calls that came to their end since the last time.
    pub(super) fn take_done(&mut self) -> Vec<Done<T>> {
        std::mem::take(&mut self.done)
    }

    /// Ends every call that was not dispatched and for which `wanted` holds; how many they were.
    pub(super) fn cancel(&mut self, wanted: impl Fn(&T) -> bool, error: &Error) -> usize {
        let chosen = self
            .calls
            .iter()
            .filter(|(_, entry)| !entry.dispatched && wanted(&entry.caller));
        let chosen: Vec<_> = chosen.map(|(id, _)| *id).collect();
        for id in &chosen {
            self.end(*id, Some(error.clone()));
        }
        chosen.len()
    }

    /// Ends every call, dispatched or not.
    pub(super) fn end_all(&mut self, error: &Error) {
        let all: Vec<_> = self.calls.keys().copied().collect();
        for id in all {
            self.end(id, Some(error.clone()));
        }
    }

    /// The call is over; with `error` for the targets that have no answer yet.
    fn end(&mut self, id: CallId, error: Option<Error>) {
        if let Some(mut entry) = self.calls.remove(&id) {
            if let Some(deadline) = entry.deadline {
                self.deadlines.remove(&(deadline, id));
            }
            if let Some(error) = error {
                entry.call.fail(error);
            }
            self.count_end(&entry);
            self.done.push(Done {
                call: entry.call,
                caller: entry.caller,
            });
        }
    }

    fn expire(&mut self, now: Instant) {
        while let Some((deadline, id)) = self.deadlines.first().copied()
            && deadline <= now
        {
            self.deadlines.pop_first();
            self.end(id, Some(out_of_time()));
        }
    }

    fn wake_delayed(&mut self, now: Instant) {
        while let Some(first) = self.delayed.first_entry()
            && first.key().0 <= now
        {
            match first.remove() {
                Delayed::Owner(owner) => self.queue(&owner, now),
                Delayed::Read(batch) => self.ready_reads[batch.command as usize].push_back(batch),
            }
        }
    }

    fn first_moment(&self) -> Option<Instant> {
        let delayed = self.delayed.keys().next().map(|(moment, _)| *moment);
        let deadline = self.deadlines.first().map(|(moment, _)| *moment);
        earlier(delayed, deadline)
    }

    /// Puts what `owner` may do now into the ready queues.
    fn queue(&mut self, owner: &Arc<str>, now: Instant) {
        let Some(lane) = self.owners.get_mut(owner) else {
            return;
        };
        let calls = &self.calls;
        lane.drop_ended(|id| calls.contains_key(&id));
        while let Some((command, op)) = lane.take_read() {
            self.ready_reads[command as usize].push_back(Batch::read(owner, command, op));
        }
        if let Some(command) = lane.next_write(now)
            && !lane.queued
        {
            lane.queued = true;
            self.ready[command as usize].push_back(Arc::clone(owner));
        }
        if lane.is_idle() {
            self.owners.remove(owner);
        }
    }

    /// The next request of `command`; None when its calls have ended meanwhile.
    fn take(&mut self, command: Command, now: Instant) -> Option<Flight> {
        let mut batch = match self.ready_reads[command as usize].pop_front() {
            Some(batch) => batch,
            None => self.take_write(command, now)?,
        };
        let calls = &self.calls;
        batch.ops.retain(|op| calls.contains_key(&op.call));
        if batch.ops.is_empty() {
            self.finish(&batch, now);
            return None;
        }
        if let Some(until) = self.rest_until.filter(|until| now < *until) {
            self.refuse_at_rest(batch, until, now);
            return None;
        }
        if let Some(pace) = &mut self.pace {
            pace[command as usize].count(now);
        }
        let deadline = self.dispatch(&batch, now);
        if batch.attempts.is_none() {
            self.budget.earn();
            batch.attempts = self.rules.retry.map(Attempts::new);
        }
        self.in_flight += 1;
        self.tally.sent(command, batch.ops.len(), batch.targets());
        Some(Flight {
            request: self.request(&batch),
            deadline,
            batch,
        })
    }

    fn look_at_pace(&mut self, command: Command, now: Instant) -> Result<(), Instant> {
        self.pace
            .as_mut()
            .map_or(Ok(()), |pace| pace[command as usize].look(now))
    }

    fn take_write(&mut self, command: Command, now: Instant) -> Option<Batch> {
        let owner = self.ready[command as usize].pop_front()?;
        let (lane, calls) = (self.owners.get_mut(&owner)?, &self.calls);
        lane.queued = false;
        lane.drop_ended(|id| calls.contains_key(&id));
        if lane.next_write(now) != Some(command) {
            self.queue(&owner, now);
            return None;
        }
        let request_of = |id| calls.get(&id).map(|entry| &entry.call.request);
        lane.take_write(&owner, self.rules.merge, request_of)
    }

    /// Starts the time of calls that have not started; gives the last deadline.
    fn dispatch(&mut self, batch: &Batch, now: Instant) -> Option<Instant> {
        let mut last = None;
        for op in &batch.ops {
            let Some(entry) = self.calls.get_mut(&op.call) else {
                continue;
            };
            entry.dispatched = true;
            if let (None, Some(time)) = (entry.deadline, self.rules.call_time) {
                entry.deadline = Some(now + time);
                self.deadlines.insert((now + time, op.call));
            }
            last = last.max(entry.deadline);
        }
        last
    }

    fn request(&self, batch: &Batch) -> Request {
        let of = |op: &Op| &self.calls[&op.call].call.request;
        let first = of(&batch.ops[0]);
        if matches!(first.operation, Operation::Get { .. }) {
            return first.clone();
        }
        let mut targets = Vec::with_capacity(batch.targets());
        for op in &batch.ops {
            let all = of(op).targets();
            targets.extend(op.positions.iter().map(|&position| all[position].clone()));
        }
        first.with_targets(targets)
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
fn parts(count: usize) -> Vec<Vec<usize>> {
    let positions: Vec<_> = (0..count).collect();
    if positions.is_empty() {
        return vec![positions];
    }
    positions.chunks(MAX_PER_CALL).map(<[_]>::to_vec).collect()
}

pub(super) fn out_of_time() -> Error {
    Error::new(
        Status::Timeout,
        "out of time (config key \"call_ms\"); a write may have happened, the same call may be repeated",
    )
}
