//! Completions: calls that ended and wait for poll.

use std::collections::VecDeque;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use super::event::CompletionEvent;
use super::reply::Reply;
use super::scheduler::CallId;
use super::stats::QueueStats;
use crate::locks::{Condvar, Mutex};

/// A queue of replies, wake-up tokens, and a descriptor that is readable while there is either.
pub(super) struct Completions {
    state: Mutex<CompletionState>,
    arrived: Condvar,
    /// Replies that wait and those still to come. Not under the lock: a thread that submits a call takes a place.
    places: AtomicUsize,
    max_calls: usize,
    /// The oldest call of the replies that a thread has in hand, here or for callers that wait; `NONE` without one.
    in_hand: AtomicU64,
    /// Calls for which there was no place.
    busy: AtomicU64,
    /// None where the system gave no descriptor.
    event: Option<CompletionEvent>,
}

/// No call has this id.
const NONE: CallId = CallId::MAX;

#[derive(Default)]
struct CompletionState {
    replies: VecDeque<Reply>,
    tokens: usize,
    /// Nothing will arrive any more: no call of poll waits from now on.
    over: bool,
    /// What the descriptor shows.
    is_readable: bool,
    /// A poll returned without a reply since the last edge: the next arrival makes an edge, also for a program that
    /// polls until there is nothing (`EPOLLET`) while a token was left.
    needs_edge: bool,
}

impl Completions {
    /// With places for the replies of `max_calls` calls.
    pub(super) fn new(max_calls: usize) -> Self {
        Self {
            state: Mutex::default(),
            arrived: Condvar::new(),
            places: AtomicUsize::new(0),
            max_calls,
            in_hand: AtomicU64::new(NONE),
            busy: AtomicU64::new(0),
            event: CompletionEvent::new().ok(),
        }
    }

    /// How full it is.
    pub(super) fn stats(&self) -> QueueStats {
        let state = self.state.lock();
        let completions = state.replies.len();
        QueueStats {
            completions,
            calls: self
                .places
                .load(Ordering::Relaxed)
                .saturating_sub(completions),
            max_calls: self.max_calls,
            busy: self.busy.load(Ordering::Relaxed),
            ..QueueStats::default()
        }
    }

    /// Takes a place for the reply to a call, until it is taken by poll; false when there is none.
    pub(super) fn reserve(&self) -> bool {
        let more = |taken| (taken < self.max_calls).then_some(taken + 1);
        let is_free = self
            .places
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok();
        self.count_busy(!is_free);
        is_free
    }

    /// A call that had a place is refused for another reason.
    pub(super) fn refuse_reserved(&self) {
        self.free(1);
        self.count_busy(true);
    }

    fn count_busy(&self, is_busy: bool) {
        if is_busy {
            self.busy.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether there is a place at this moment.
    pub(super) fn has_place(&self) -> bool {
        let is_free = self.places.load(Ordering::Relaxed) < self.max_calls;
        self.count_busy(!is_free);
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
        self.event.as_ref().map(CompletionEvent::descriptor)
    }

    /// A thread takes replies in hand, of which that to `oldest` is the oldest; or puts them away. Only under the lock of the
    /// scheduler; [`Self::push`] puts them away too.
    pub(super) fn hold(&self, oldest: Option<CallId>) {
        self.in_hand
            .store(oldest.unwrap_or(NONE), Ordering::Relaxed);
    }

    /// The oldest call of the replies that a thread has in hand.
    pub(super) fn in_hand(&self) -> Option<CallId> {
        Some(self.in_hand.load(Ordering::Relaxed)).filter(|oldest| *oldest != NONE)
    }

    /// Queues those of the replies on their way that belong here, in order: `others` are there too.
    pub(super) fn push(&self, replies: Vec<Reply>, others: usize) {
        self.queue(replies, || {
            // After poll has returned a reply its place is free, and nothing of it is left to wait for.
            self.free(others);
            self.hold(None);
        });
    }

    /// Queues replies that were on disk.
    pub(super) fn push_letters(&self, replies: Vec<Reply>) {
        self.queue(replies, || ());
    }

    fn queue(&self, replies: Vec<Reply>, then: impl FnOnce()) {
        let arrived = replies.len();
        let mut state = self.state.lock();
        state.replies.extend(replies);
        self.show_arrival(&mut state);
        then();
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
        self.show_arrival(&mut state);
        drop(state);
        self.arrived.notify_one();
    }

    /// From now on no call of poll waits.
    pub(super) fn end(&self) {
        self.state.lock().over = true;
        self.arrived.notify_all();
    }

    /// The oldest reply; None at `deadline` (without one: never), on a token, and when all is over.
    pub(super) fn take(&self, deadline: Option<Instant>) -> Option<Reply> {
        let mut state = self.state.lock();
        loop {
            if let Some(reply) = state.replies.pop_front() {
                self.show_departure(&mut state);
                self.free(usize::from(reply.has_place));
                return Some(reply);
            }
            if state.tokens > 0 {
                state.tokens -= 1;
                state.needs_edge = true;
                self.show_departure(&mut state);
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

    /// Something arrived, or nothing did: readable while there is something, with an edge where one is due.
    fn show_arrival(&self, state: &mut CompletionState) {
        if let Some(event) = &self.event
            && !state.is_empty()
            && (!state.is_readable || state.needs_edge)
        {
            state.is_readable = event.set();
            state.needs_edge = false;
        }
    }

    /// Something was taken: not readable any more when it was the last.
    fn show_departure(&self, state: &mut CompletionState) {
        if let Some(event) = &self.event
            && state.is_empty()
            && state.is_readable
        {
            event.clear();
            state.is_readable = false;
        }
    }
}

impl CompletionState {
    fn is_empty(&self) -> bool {
        self.replies.is_empty() && self.tokens == 0
    }
}

#[cfg(test)]
mod tests {
    use nix::poll::PollTimeout;
    use nix::sys::epoll::EpollEvent;

    use super::*;

    #[test]
    fn every_arrival_after_a_poll_without_a_reply_is_an_edge() {
        let completions = Completions::new(10);
        let outer = completions.event.as_ref().expect("a descriptor").edges();
        let edges = || {
            let mut events = [EpollEvent::empty()];
            outer.wait(&mut events, PollTimeout::ZERO).expect("a wait")
        };
        // Two tokens and one poll: one is left, so the descriptor is readable all the time.
        completions.wake();
        completions.wake();
        assert_eq!((edges(), edges()), (1, 0));
        assert!(completions.take(None).is_none());
        completions.wake();
        assert_eq!((edges(), edges()), (1, 0));
    }
}
