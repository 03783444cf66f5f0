//! The threads of a client, which execute the decisions of the scheduler (`scheduler`). Blocking and asynchronous
//! calls take the same path.
//!
//! Each part owns its lock: `inbox.rs` has the calls that arrive and the threads that sleep, `completions.rs` the
//! replies that wait for poll, and the state here is the scheduler with its outbox. The lock order is state, inbox or
//! state, completions; no thread holds the locks of inbox and completions together.

mod admission;
mod arrivals;
mod cache_updates;
mod complete;
mod ended;
mod inbox;
mod local;
#[cfg(all(test, feature = "model"))]
mod model;
mod outbox_writer;
mod submit;
#[cfg(test)]
mod tests;
mod wakeup;
mod workers;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::cache_sync::refresh::{Refresher, WatchList};
use super::completions::Completions;
use super::outbox::{Opened, Outbox, Room, Tagged, intake};
use super::reply::Reply;
use super::scheduler::{CallId, Flight, Rules, Scheduler};
use super::stats::{CacheStats, LogLines, Stats, whole_ms};
use crate::api::{Answer, Request, codes};
use crate::clock::Clock;
use crate::config::{LogLevel, QueueLimits};
use crate::error::{Error, Status};
use crate::locks::{Condvar, Mutex, MutexGuard};
use crate::log::Log;
use crate::oneshot::Sender;
use crate::service::Service;
use arrivals::Arrivals;
use ended::{Alive, Ended};
use inbox::Inbox;

/// An asynchronous call waits so long for others with which it can share requests. The network takes longer.
const BATCH_WINDOW: Duration = Duration::from_millis(1);

/// Idle threads need a moment to end, also with a time limit of 0: the store is free for the next client when close
/// returns.
const CLOSE_GRACE: Duration = Duration::from_millis(40);

/// Where the reply to a call goes.
pub(super) enum Caller {
    /// To a thread that waits for it.
    Waits(Sender<Reply>),
    /// To the queue of completions, with this tag.
    Polls(u64),
}

impl Tagged for Caller {
    fn tag(&self) -> Option<u64> {
        match self {
            Self::Waits(_) => None,
            Self::Polls(tag) => Some(*tag),
        }
    }

    fn of_tag(tag: u64) -> Self {
        Self::Polls(tag)
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
    /// Where owners can be watched.
    watch_list: OnceLock<Arc<WatchList>>,
    state: Mutex<RuntimeState>,
    /// A call ended or is on disk: flush, sync and close check again.
    idle: Condvar,
    /// Something is to be written to the outbox.
    to_record: Condvar,
    ended: Ended,
}

struct RuntimeState {
    /// Boxed, because a copy on the way to its place takes a good part of a small stack.
    scheduler: Box<Scheduler<Caller>>,
    /// None where writes live in memory until they are answered.
    outbox: Option<Outbox>,
    /// None where everything is known.
    refresher: Option<Refresher>,
    /// Taken when closing begins; every thread has a clone.
    alive: Option<Alive>,
    /// How many threads there are that look for work.
    threads: usize,
    /// On their way into the scheduler.
    arriving: Arrivals,
    /// Calls whose completion is not queued yet, by their tags.
    tags: BTreeSet<(u64, CallId)>,
}

impl Runtime {
    pub(super) fn new(
        service: Box<dyn Service>,
        clock: Arc<dyn Clock>,
        log: Log,
        rules: Rules,
        limits: QueueLimits,
    ) -> Self {
        let mut scheduler = Box::new(Scheduler::new(rules, crate::random::generator()));
        scheduler.tally().time_calls();
        let batch_window = if scheduler.merges() {
            BATCH_WINDOW
        } else {
            Duration::ZERO
        };
        Self::batching(service, clock, log, (scheduler, batch_window), limits)
    }

    /// With a batch window of its own.
    fn batching(
        service: Box<dyn Service>,
        clock: Arc<dyn Clock>,
        log: Log,
        (scheduler, batch_window): (Box<Scheduler<Caller>>, Duration),
        limits: QueueLimits,
    ) -> Self {
        let (alive, ended) = ended::channel();
        Self {
            service,
            opened: clock.now(),
            clock,
            log,
            completions: Completions::new(limits.max_calls),
            poisoned: AtomicBool::new(false),
            inbox: Inbox::new(batch_window, limits),
            room: OnceLock::new(),
            watch_list: OnceLock::new(),
            state: Mutex::new(RuntimeState {
                scheduler,
                outbox: None,
                refresher: None,
                alive: Some(alive),
                threads: 0,
                arriving: Arrivals::default(),
                tags: BTreeSet::new(),
            }),
            idle: Condvar::new(),
            to_record: Condvar::new(),
            ended,
        }
    }

    /// Takes up the writes that an earlier client left behind, and records those to come.
    pub(super) fn record_in(self: &Arc<Self>, opened: Opened) -> std::io::Result<()> {
        let mut state = self.state.lock();
        let now = self.clock.now();
        // It is asked before the first call is accepted.
        let _ = self.room.set(opened.outbox.room());
        state.scheduler.begin_at(opened.outbox.recorded(), now);
        for (command, count) in opened.left {
            (0..count).for_each(|_| state.scheduler.inherit(command));
        }
        state.outbox = Some(opened.outbox);
        self.take_page(&mut state, opened.page);
        self.start_recorder(&mut state, Box::new(opened.journal))?;
        self.keep_one_spare(&mut state)
    }

    /// The state, with all that was accepted before: takes the lock, drains the inbox, and wakes a thread for what was
    /// there.
    fn lock_and_drain(&self) -> MutexGuard<'_, RuntimeState> {
        let mut state = self.state.lock();
        if self.take_in(&mut state) {
            self.rouse(&mut state, self.clock.now());
        }
        state
    }

    /// A look inside, at one moment.
    pub(super) fn stats(&self, cache: CacheStats) -> Stats {
        let now = self.clock.now();
        let mut inside = Stats {
            cache,
            uptime_ms: whole_ms(now.saturating_duration_since(self.opened)),
            service: self.service.state(now).map(Into::into),
            log: LogLines {
                dropped: self.log.dropped(),
            },
            ..Stats::default()
        };
        let mut state = self.lock_and_drain();
        inside.queue = self.completions.stats();
        let unix_seconds = self.clock.unix_seconds();
        inside.outbox = state
            .outbox
            .as_ref()
            .map(|outbox| outbox.stats(unix_seconds));
        if let Some(refresher) = &state.refresher {
            refresher.fill(&mut inside.cache);
        }
        state.scheduler.fill(&mut inside, now);
        inside
    }

    /// Ends the calls with `tag` that were not sent yet; how many they were.
    pub(super) fn cancel(&self, tag: u64) -> usize {
        let mut state = self.lock_and_drain();
        let ids = state.tags.range((tag, CallId::MIN)..=(tag, CallId::MAX));
        let ids: Vec<_> = ids.map(|(_, id)| *id).collect();
        let error = Error::new(Status::Cancelled, "cancelled before it was sent");
        let now = self.clock.now();
        let mut count = state.scheduler.cancel(&ids, &error, now);
        count += self.cancel_beyond(&mut state, tag, now);
        // What waited behind a cancelled call may go now. Threads of the client hand the completions out: the caller may
        // be a tick thread.
        self.rouse(&mut state, now);
        count
    }

    /// Waits until everything accepted before has its reply; false at `deadline`.
    pub(super) fn flush(&self, deadline: Option<Instant>) -> bool {
        let mut state = self.lock_and_drain();
        let later = state.scheduler.next_call();
        while self.is_unanswered(&state, later) {
            match deadline {
                None => self.idle.wait(&mut state),
                Some(deadline) => {
                    if self.idle.wait_until(&mut state, deadline).timed_out() {
                        return !self.is_unanswered(&state, later);
                    }
                }
            }
        }
        true
    }

    /// Takes nothing more, ends what is left with `Closed`, and waits for the threads. False when
    /// calls were dropped or a thread was still on the network at `deadline`.
    pub(super) fn close(&self, deadline: Option<Instant>) -> bool {
        self.inbox.refuse(closed());
        let mut state = self.lock_and_drain();
        self.record_all(&mut state, deadline);
        state.alive = None;
        self.to_record.notify_all();
        let beyond = state.outbox.as_ref().map_or(0, Outbox::losable);
        let dropped = state.scheduler.losable() + beyond;
        if let Some(outbox) = &mut state.outbox {
            // There may be millions, and a client that closes is not polled any more.
            outbox.forget_callers();
        }
        self.end_all(&mut state, &closed());
        drop(self.deliver_last(state));
        self.service.shut_down();
        self.inbox.end();
        self.completions.end();
        let deadline = deadline.map(|deadline| deadline.max(self.clock.now() + CLOSE_GRACE));
        let has_ended = self.ended.wait(deadline);
        dropped == 0 && has_ended
    }

    /// Ends every call, also those that only the outbox knows.
    fn end_all(&self, state: &mut RuntimeState, error: &Error) {
        state.scheduler.end_all(error);
        if let Some(outbox) = &mut state.outbox {
            intake::end_all(&mut state.scheduler, outbox, error, self.clock.now());
        }
    }

    /// A bug was met: every call ends with `Panic`, and nothing more is accepted.
    pub(super) fn poison(&self) {
        self.poisoned.store(true, Ordering::SeqCst);
        self.inbox.refuse(panicked());
        let mut state = self.lock_and_drain();
        // The thread that met the bug may have been the one that delivers: it does not come back.
        self.completions.hold(None);
        self.idle.notify_all();
        self.end_all(&mut state, &panicked());
        drop(self.deliver(state));
        self.inbox.end();
        self.to_record.notify_all();
        self.completions.end();
    }

    /// Whether a bug was met.
    pub(super) fn is_poisoned(&self) -> bool {
        self.poisoned.load(Ordering::Relaxed)
    }

    /// Sends one request and takes its outcome.
    fn send(&self, flight: Flight) -> MutexGuard<'_, RuntimeState> {
        // Only the engine's calls have no deadline, and it takes none.
        let deadline = flight.deadline.unwrap_or_else(|| self.clock.now());
        let outcome = self.service.call(&flight.request, deadline);
        self.log_outcome(&flight.request, &outcome);
        let mut state = self.state.lock();
        self.inbox.come_back();
        if state
            .scheduler
            .apply_outcome(flight, outcome, self.clock.now())
        {
            self.service.renew_signature();
        }
        for line in state.scheduler.take_news() {
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
