//! Calls that are done and wait to be taken by poll.

use std::collections::VecDeque;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use nix::sys::eventfd::{EfdFlags, EventFd};
use parking_lot::{Condvar, Mutex};

use super::reply::Reply;
use super::stats::Queue;

/// A queue of replies, wake-up tokens, and a descriptor that is readable while there is either.
pub(super) struct Completions {
    state: Mutex<State>,
    arrived: Condvar,
    /// Replies that wait and those still to come. Not under the lock: whoever hands a call over takes a place.
    places: AtomicUsize,
    max_calls: usize,
    /// There are replies on their way.
    is_coming: AtomicBool,
    /// Calls for which there was no place.
    busy: AtomicU64,
    /// None where the system gave no descriptor.
    event: Option<EventFd>,
}

#[derive(Default)]
struct State {
    replies: VecDeque<Reply>,
    tokens: usize,
    /// Nothing will arrive any more: nobody waits from now on.
    over: bool,
    readable: bool,
}

impl Completions {
    /// With places for the replies of `max_calls` calls.
    pub(super) fn new(max_calls: usize) -> Self {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        Self {
            state: Mutex::default(),
            arrived: Condvar::new(),
            places: AtomicUsize::new(0),
            max_calls,
            is_coming: AtomicBool::new(false),
            busy: AtomicU64::new(0),
            event: EventFd::from_value_and_flags(0, flags).ok(),
        }
    }

    /// How full it is.
    pub(super) fn stats(&self) -> Queue {
        let state = self.state.lock();
        let completions = state.replies.len();
        Queue {
            completions,
            calls: self
                .places
                .load(Ordering::Relaxed)
                .saturating_sub(completions),
            max_calls: self.max_calls,
            busy: self.busy.load(Ordering::Relaxed),
            ..Queue::default()
        }
    }

    /// Takes a place for the reply to a call, until it is taken by poll; false when there is none.
    pub(super) fn reserve(&self) -> bool {
        let more = |taken| (taken < self.max_calls).then_some(taken + 1);
        let is_free = self
            .places
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok();
        self.busy.fetch_add(u64::from(!is_free), Ordering::Relaxed);
        is_free
    }

    /// A place for a reply that comes in any case.
    pub(super) fn reserve_always(&self) {
        self.places.fetch_add(1, Ordering::Relaxed);
    }

    /// So many calls will have no reply here.
    pub(super) fn free(&self, count: usize) {
        self.places.fetch_sub(count, Ordering::Relaxed);
    }

    pub(super) fn descriptor(&self) -> Option<RawFd> {
        self.event.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// Whether replies are on their way, here or to callers that wait.
    pub(super) fn set_coming(&self, is_coming: bool) {
        self.is_coming.store(is_coming, Ordering::Relaxed);
    }

    pub(super) fn is_coming(&self) -> bool {
        self.is_coming.load(Ordering::Relaxed)
    }

    /// Queues those of the replies on their way that belong here, in order: `others` are there too.
    pub(super) fn push(&self, replies: Vec<Reply>, others: usize) {
        let arrived = replies.len();
        let mut state = self.state.lock();
        state.replies.extend(replies);
        self.show(&mut state);
        // Whoever has a reply finds its place free, and nothing of it left to wait for.
        self.free(others);
        self.set_coming(false);
        drop(state);
        if arrived == 0 {
            return;
        }
        if arrived == 1 {
            self.arrived.notify_one();
        } else {
            self.arrived.notify_all();
        }
    }

    /// One token: wakes one poll, now or next.
    pub(super) fn wake(&self) {
        let mut state = self.state.lock();
        state.tokens += 1;
        self.show(&mut state);
        drop(state);
        self.arrived.notify_one();
    }

    /// From now on nobody waits.
    pub(super) fn end(&self) {
        self.state.lock().over = true;
        self.arrived.notify_all();
    }

    /// The oldest reply; None at `deadline` (without one: never), on a token, and when all is over.
    pub(super) fn take(&self, deadline: Option<Instant>) -> Option<Reply> {
        let mut state = self.state.lock();
        loop {
            if let Some(reply) = state.replies.pop_front() {
                self.show(&mut state);
                self.free(usize::from(reply.has_place));
                return Some(reply);
            }
            if state.tokens > 0 {
                state.tokens -= 1;
                self.show(&mut state);
                return None;
            }
            if state.over {
                return None;
            }
            match deadline {
                None => self.arrived.wait(&mut state),
                Some(deadline) => {
                    if self.arrived.wait_until(&mut state, deadline).timed_out() && state.is_empty()
                    {
                        return None;
                    }
                }
            }
        }
    }

    /// Makes the descriptor readable exactly while there is something.
    fn show(&self, state: &mut State) {
        let wanted = !state.is_empty();
        if let Some(event) = &self.event
            && wanted != state.readable
        {
            // The counter is 0 or 1 under this lock, so neither call can block or fail.
            let changed = if wanted {
                event.write(1).is_ok()
            } else {
                event.read().is_ok()
            };
            if changed {
                state.readable = wanted;
            }
        }
    }
}

impl State {
    fn is_empty(&self) -> bool {
        self.replies.is_empty() && self.tokens == 0
    }
}
