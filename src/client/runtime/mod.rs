//! Threads that do what the lanes say. Calls of blocking callers and of others take the same way.

mod complete;
mod inbox;
mod learner;
mod recorder;
mod submit;
#[cfg(test)]
mod tests;
mod workers;

use std::collections::{BTreeSet, VecDeque};
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use parking_lot::{Condvar, Mutex, MutexGuard};

use super::completions::Completions;
use super::lanes::{CallId, Flight, Lanes, Next, Rules};
use super::log::Log;
use super::outbox::{Journal, Outbox, Record, Room};
use super::reply::Reply;
use super::stats::{LogLines, Mirror, Stats, whole_ms};
use super::watching::Watching;
use crate::api::{Answer, Request, codes};
use crate::clock::Clock;
use crate::config::LogLevel;
use crate::error::{Error, Status};
use crate::panics;
use crate::promise::Promise;
use crate::service::Service;
use inbox::{Arrival, Inbox};
use workers::Workers;

/// A call that nobody waits for waits so long for others with which it can share requests. The network takes
/// longer.
const GATHERING: Duration = Duration::from_millis(1);

/// Threads that have nothing to do need a moment to end, also when nobody wants to wait: the store is
/// free for the next client when close returns.
const FAREWELL: Duration = Duration::from_millis(40);

/// Where the reply to a call goes.
pub(super) enum Caller {
    /// To a thread that waits for it.
    Waits(Promise<Reply>),
    /// To the queue of completions, with this tag.
    Polls(u64),
}

impl Caller {
    fn tag(&self) -> Option<u64> {
        match self {
            Self::Waits(_) => None,
            Self::Polls(tag) => Some(*tag),
        }
    }
}

/// Everything the threads of one client share.
pub(super) struct Runtime {
    pub(super) service: Box<dyn Service>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) log: Log,
    pub(super) completions: Completions,
    opened: Instant,
    poisoned: AtomicBool,
    inbox: Inbox,
    /// Room in the outbox, when there is one.
    room: OnceLock<Arc<Room>>,
    /// There is a thread that takes in what arrives.
    is_manned: AtomicBool,
    state: Mutex<State>,
    /// Where threads wait for work.
    work: Condvar,
    /// Something came to its end or is on disk: who flushes, syncs or closes looks again.
    quieter: Condvar,
    /// Something is to be written to the outbox.
    to_record: Condvar,
    /// Disconnected when the last thread has ended.
    ended: Receiver<Infallible>,
}

struct State {
    lanes: Lanes<Caller>,
    /// None where writes live in memory until they are answered.
    outbox: Option<Outbox>,
    /// None where everything is known.
    watching: Option<Watching>,
    /// Taken when closing begins; every thread has a clone.
    alive: Option<Sender<Infallible>>,
    workers: Workers,
    /// One thread has the replies that are on their way to their callers: that keeps their order.
    is_delivering: bool,
    /// On their way into the lanes.
    arriving: VecDeque<Arrival>,
    /// Calls whose completion is not queued yet, by their tags.
    tags: BTreeSet<(u64, CallId)>,
}

impl Runtime {
    pub(super) fn new(
        service: Box<dyn Service>,
        clock: Arc<dyn Clock>,
        log: Log,
        rules: Rules,
        max_calls: usize,
    ) -> Self {
        let (alive, ended) = bounded(0);
        let mut lanes = Lanes::new(rules, crate::random::generator());
        lanes.tally().time_calls();
        let gathering = if lanes.merges() {
            GATHERING
        } else {
            Duration::ZERO
        };
        Self {
            service,
            opened: clock.now(),
            clock,
            log,
            completions: Completions::new(max_calls),
            poisoned: AtomicBool::new(false),
            inbox: Inbox::new(gathering),
            room: OnceLock::new(),
            is_manned: AtomicBool::new(false),
            state: Mutex::new(State {
                lanes,
                outbox: None,
                watching: None,
                alive: Some(alive),
                workers: Workers::new(),
                is_delivering: false,
                arriving: VecDeque::new(),
                tags: BTreeSet::new(),
            }),
            work: Condvar::new(),
            quieter: Condvar::new(),
            to_record: Condvar::new(),
            ended,
        }
    }

    /// Takes up the writes that an earlier client left in `journal`, and records those to come.
    pub(super) fn record_in(
        self: &Arc<Self>,
        outbox: Outbox,
        journal: Box<dyn Journal>,
        left: Vec<Record>,
    ) -> std::io::Result<()> {
        let mut state = self.state.lock();
        // It is asked before the first call is accepted.
        let _ = self.room.set(outbox.room());
        state.lanes.begin_at(outbox.recorded());
        state.outbox = Some(outbox);
        for record in left {
            let now = self.clock.now();
            state.lanes.restore(record.id, record.request, now);
        }
        self.start_recorder(&mut state, journal)?;
        self.keep_one_spare(&mut state)
    }

    /// Everything the threads share, with all that was accepted before.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock();
        if self.take_in(&mut state) {
            self.rouse(&mut state, self.clock.now());
        }
        state
    }

    /// A look inside, at one moment.
    pub(super) fn stats(&self, mirror: Mirror) -> Stats {
        let now = self.clock.now();
        let mut inside = Stats {
            mirror,
            uptime_ms: whole_ms(now.saturating_duration_since(self.opened)),
            service: self.service.state(now).map(Into::into),
            log: LogLines {
                dropped: self.log.dropped(),
            },
            ..Stats::default()
        };
        let mut state = self.state();
        inside.queue = self.completions.stats();
        let unix_seconds = self.clock.unix_seconds();
        inside.outbox = state
            .outbox
            .as_ref()
            .map(|outbox| outbox.stats(unix_seconds));
        if let Some(watching) = &state.watching {
            watching.fill(&mut inside.mirror);
        }
        state.lanes.fill(&mut inside, now);
        inside
    }

    /// Ends the calls with `tag` that were not sent yet; how many they were.
    pub(super) fn cancel(&self, tag: u64) -> usize {
        let mut state = self.state();
        let ids = state.tags.range((tag, CallId::MIN)..=(tag, CallId::MAX));
        let ids: Vec<_> = ids.map(|(_, id)| *id).collect();
        let error = Error::new(Status::Cancelled, "cancelled before it was sent");
        let now = self.clock.now();
        let count = state.lanes.cancel(&ids, &error, now);
        let mut state = self.deliver(state);
        // What waited behind a cancelled call may go now.
        self.rouse(&mut state, now);
        count
    }

    /// Waits until everything accepted before has its reply; false at `deadline`.
    pub(super) fn flush(&self, deadline: Option<Instant>) -> bool {
        let mut state = self.state();
        let later = state.lanes.next_call();
        while self.is_unanswered(&state, later) {
            match deadline {
                None => self.quieter.wait(&mut state),
                Some(deadline) => {
                    if self.quieter.wait_until(&mut state, deadline).timed_out() {
                        return !self.is_unanswered(&state, later);
                    }
                }
            }
        }
        true
    }

    /// Whether a call that was accepted before `later` has no reply yet.
    fn is_unanswered(&self, state: &State, later: CallId) -> bool {
        self.completions.is_coming()
            || state.lanes.done_len() > 0
            || state.lanes.oldest().is_some_and(|oldest| oldest < later)
    }

    /// Takes nothing more, ends what is left with `Closed`, and waits for the threads. False when
    /// calls were dropped or a thread was still on the network at `deadline`.
    pub(super) fn close(&self, deadline: Option<Instant>) -> bool {
        self.inbox.refuse(closed());
        let mut state = self.state();
        self.record_all(&mut state, deadline);
        state.alive = None;
        self.to_record.notify_all();
        let dropped = state.lanes.losable();
        state.lanes.end_all(&closed());
        drop(self.deliver(state));
        self.service.shut_down();
        self.wake_all();
        self.completions.end();
        let outcome = match deadline {
            Some(deadline) => self
                .ended
                .recv_deadline(deadline.max(self.clock.now() + FAREWELL)),
            None => self
                .ended
                .recv()
                .map_err(|_| RecvTimeoutError::Disconnected),
        };
        dropped == 0 && outcome == Err(RecvTimeoutError::Disconnected)
    }

    /// A bug was met: every call ends with `Panic`, and nothing more is accepted.
    pub(super) fn poison(&self) {
        self.poisoned.store(true, Ordering::SeqCst);
        self.inbox.refuse(panicked());
        let mut state = self.state();
        // The thread that met the bug may have been the one that delivers: it does not come back.
        state.is_delivering = false;
        self.completions.set_coming(false);
        self.quieter.notify_all();
        state.lanes.end_all(&panicked());
        drop(self.deliver(state));
        self.wake_all();
        self.to_record.notify_all();
        self.completions.end();
    }

    /// Whether a bug was met.
    pub(super) fn is_poisoned(&self) -> bool {
        self.poisoned.load(Ordering::Relaxed)
    }

    fn work(self: &Arc<Self>) {
        if panics::contain(|| self.work_until_closed()).is_err() {
            self.poison();
        }
    }

    fn work_until_closed(self: &Arc<Self>) {
        let mut state = self.state.lock();
        state.workers.is_waking = false;
        let mut came_back = false;
        while state.alive.is_some() && !self.is_poisoned() {
            let next = self.next(&mut state);
            let can_deliver = state.lanes.done_len() > 0 && !state.is_delivering;
            if can_deliver && !matches!(next, Next::Send(_)) {
                // Things may change while the lock is given up: look again before waiting.
                state = self.deliver(state);
                continue;
            }
            match next {
                Next::Send(flight) => {
                    // Without a spare thread the next request waits for this one, which is no harm.
                    let _ = self.keep_one_spare(&mut state);
                    state = self.deliver(state);
                    // Another request may be ready too.
                    self.leave(&mut state);
                    drop(state);
                    state = self.send(flight);
                    came_back = true;
                }
                Next::Wait(until) => self.rest(&mut state, until, std::mem::take(&mut came_back)),
            }
        }
    }

    /// Sends one request and takes its outcome.
    fn send(&self, flight: Flight) -> MutexGuard<'_, State> {
        // Only the engine's calls have no deadline, and it takes none.
        let deadline = flight.deadline.unwrap_or_else(|| self.clock.now());
        let outcome = self.service.call(&flight.request, deadline);
        self.log_outcome(&flight.request, &outcome);
        let mut state = self.state.lock();
        if state.lanes.settle(flight, outcome, self.clock.now()) {
            self.service.renew_signature();
        }
        for line in state.lanes.take_news() {
            self.log.line(LogLevel::Warn, || line);
        }
        state
    }

    fn log_outcome(&self, request: &Request, outcome: &Result<Answer, Error>) {
        let name = request.command().name();
        match outcome {
            Ok(answer) if answer.is_refused() => {
                self.log.line(LogLevel::Warn, || {
                    format!("{name} refused: {}", codes::explain(answer.code))
                });
            }
            Ok(answer) => self.log.line(LogLevel::Debug, || {
                let request_id =
                    super::reply::plain(answer.request_id.as_deref().unwrap_or("none"));
                let items = if answer.is_all_done {
                    request.targets().len()
                } else {
                    answer.items.len()
                };
                format!("{name} answered, {items} items, RequestId {request_id}")
            }),
            Err(error) => self
                .log
                .line(LogLevel::Warn, || format!("{name} has no answer: {error}")),
        }
    }
}

fn busy(what: &str) -> Error {
    Error::new(Status::Busy, format!("{what}; try again later"))
}

pub(super) fn closed() -> Error {
    Error::new(Status::Closed, "the client is closing")
}

fn panicked() -> Error {
    Error::new(
        Status::Panic,
        "a bug in the library; close the client and report it",
    )
}
