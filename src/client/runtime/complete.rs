//! Delivery of replies.

use super::outbox_writer::Letters;
use super::{Caller, Runtime, RuntimeState};
use crate::client::outbox::{Outbox, Tagged};
use crate::client::reply::Reply;
use crate::client::scheduler::{CallId, Done};
use crate::error::Status;
use crate::locks::MutexGuard;
use crate::oneshot::Sender;

/// So many replies go out together. More would hold up those behind them, and the requests that wait for the thread.
/// Fewer, and a program that polls frees each reply while the next is made: the two threads then meet at the lock of the
/// allocator for most of them, 800 times instead of 300 for 20,000 replies at 64 together.
const CHUNK: usize = 512;

impl Runtime {
    /// Whether there are replies, and no thread has others in hand: one at a time keeps their order.
    pub(super) fn can_deliver(&self, state: &RuntimeState) -> bool {
        state.scheduler.done_len() > 0 && self.completions.in_hand().is_none()
    }

    /// Whether a call that was accepted before `later` has no reply yet.
    pub(super) fn is_unanswered(&self, state: &RuntimeState, later: CallId) -> bool {
        let in_hand = self.completions.in_hand();
        in_hand.is_some_and(|oldest| oldest < later)
            || state
                .scheduler
                .oldest()
                .is_some_and(|oldest| oldest < later)
            || state.scheduler.has_done_before(later)
            || (state.outbox.as_ref().and_then(Outbox::oldest_beyond))
                .is_some_and(|oldest| oldest < later)
    }

    /// Hands out what is done.
    pub(super) fn deliver<'a>(
        &'a self,
        mut state: MutexGuard<'a, RuntimeState>,
    ) -> MutexGuard<'a, RuntimeState> {
        while self.can_deliver(&state) {
            state = self.deliver_some(state);
        }
        state
    }

    /// Hands out what is done and waits for what another thread has in hand: the client is at its end.
    pub(super) fn deliver_last<'a>(
        &'a self,
        mut state: MutexGuard<'a, RuntimeState>,
    ) -> MutexGuard<'a, RuntimeState> {
        state = self.deliver(state);
        while self.completions.in_hand().is_some() {
            self.idle.wait(&mut state);
            state = self.deliver(state);
        }
        state
    }

    /// Hands out some of what is done, without holding the lock: callers that are woken want it next. A second thread
    /// leaves its own to the first.
    pub(super) fn deliver_some<'a>(
        &'a self,
        mut state: MutexGuard<'a, RuntimeState>,
    ) -> MutexGuard<'a, RuntimeState> {
        if !self.can_deliver(&state) {
            return state;
        }
        let mut done = state.scheduler.take_done(CHUNK);
        for one in &done {
            if let Some(tag) = one.caller.as_ref().and_then(Caller::tag) {
                state.tags.remove(&(tag, one.id));
            }
        }
        let oldest = done.iter().map(|one| one.id).min();
        self.completions.hold(oldest);
        let letters = self.erase_answered(&mut state, &done);
        self.apply(&mut state, &mut done);
        drop(state);
        let (polled, waited) = self.replies(done, &letters);
        let places = waited.iter().filter(|(_, reply)| reply.has_place);
        self.completions.push(polled, places.count());
        for (sender, reply) in waited {
            sender.send(reply);
        }
        let state = self.state.lock();
        self.idle.notify_all();
        state
    }

    /// The replies to callers that poll, in order, and those to callers that wait. A write without a caller has a
    /// completion only if it was refused.
    fn replies(
        &self,
        done: Vec<Done<Caller>>,
        letters: &Letters,
    ) -> (Vec<Reply>, Vec<(Sender<Reply>, Reply)>) {
        let (mut polled, mut waited, mut ended) = (Vec::new(), Vec::new(), Vec::new());
        for Done {
            id,
            call,
            caller,
            is_final,
            ..
        } in done
        {
            let letter = letters.get(&id);
            let has_place = !self.is_recorded(call.request.command());
            if has_place && caller.is_some() {
                ended.push(self.inbox.weigh(&call.request));
            }
            let reply = Reply {
                letter: letter.map(|_| id),
                has_place,
                ..Reply::from_call(call)
            };
            match caller {
                Some(Caller::Polls(tag)) => {
                    if !has_place {
                        self.completions.reserve_always();
                    }
                    polled.push(Reply {
                        tag,
                        has_place: true,
                        ..reply
                    });
                }
                Some(Caller::Waits(sender)) => waited.push((sender, reply)),
                // On disk and in no queue: a host program that never polls is not blocked.
                None if letter == Some(&true) => polled.push(reply),
                None if letter.is_some() => {}
                None if is_final && reply.status() != Status::Ok => {
                    self.completions.reserve_always();
                    polled.push(Reply {
                        has_place: true,
                        ..reply
                    });
                }
                None => {}
            }
        }
        self.inbox.release(&ended);
        (polled, waited)
    }
}
