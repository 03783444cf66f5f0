//! How replies go out.

use parking_lot::MutexGuard;

use super::recorder::Letters;
use super::{Caller, Runtime, State};
use crate::client::completions::Completions;
use crate::client::lanes::Done;
use crate::client::reply::Reply;
use crate::error::Status;
use crate::promise::Promise;

impl Runtime {
    /// Hands out what is done, without holding the lock: whoever is woken wants it next. A second thread leaves its own
    /// to the first.
    pub(super) fn deliver<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        while !state.is_delivering && state.lanes.done_len() > 0 {
            let mut done = state.lanes.take_done();
            for one in &done {
                if let Some(tag) = one.caller.as_ref().and_then(Caller::tag) {
                    state.tags.remove(&(tag, one.id));
                }
            }
            let letters = self.let_go(&mut state, &done);
            self.learn(&mut state, &mut done);
            state.is_delivering = true;
            self.completions.set_coming(true);
            drop(state);
            let (polled, waited) = replies(done, &letters, &self.completions);
            self.completions.push(polled, waited.len());
            for (promise, reply) in waited {
                promise.keep(reply);
            }
            state = self.state.lock();
            state.is_delivering = false;
            self.quieter.notify_all();
        }
        state
    }
}

/// The replies to callers that poll, in order, and those to callers that wait. A write that nobody
/// waits for any more shows itself only when it was refused.
fn replies(
    done: Vec<Done<Caller>>,
    letters: &Letters,
    completions: &Completions,
) -> (Vec<Reply>, Vec<(Promise<Reply>, Reply)>) {
    let (mut polled, mut waited) = (Vec::new(), Vec::new());
    for Done {
        id,
        call,
        caller,
        is_settled,
        ..
    } in done
    {
        let letter = letters.get(&id);
        let reply = Reply {
            letter: letter.map(|_| id),
            ..Reply::from_assembly(call)
        };
        match caller {
            Some(Caller::Polls(tag)) => polled.push(Reply { tag, ..reply }),
            Some(Caller::Waits(promise)) => waited.push((promise, reply)),
            // On disk and in no queue: a host program that never polls goes on.
            None if letter == Some(&true) => polled.push(Reply {
                has_place: false,
                ..reply
            }),
            None if letter.is_some() => {}
            None if is_settled && reply.status() != Status::Ok => {
                completions.reserve_always();
                polled.push(reply);
            }
            None => {}
        }
    }
    (polled, waited)
}
