//! Calls on their caller's thread, for a service that answers at once: no queue, and no repetition.

use std::sync::Arc;

use super::{Runtime, RuntimeState, closed};
use crate::api::{Answer, Command, Request};
use crate::client::call::{Call, Positions};
use crate::client::reply::Reply;
use crate::client::scheduler::parts;
use crate::error::{Error, Status};
use crate::locks::Mutex;

/// A call under way. It is counted at its end, also when a bug ends it.
struct LocalCall<'a> {
    state: &'a Mutex<RuntimeState>,
    command: Command,
    targets: usize,
    requests: usize,
    status: Status,
}

impl Drop for LocalCall<'_> {
    fn drop(&mut self) {
        let mut state = self.state.lock();
        let tally = state.scheduler.tally();
        for part in parts(self.targets).take(self.requests) {
            tally.sent(self.command, 1, part.len());
        }
        tally.count_end(self.command, self.status, self.requests > 0);
    }
}

impl Runtime {
    /// Does a call on this very thread.
    ///
    /// # Errors
    /// The request, when calls of the same owner are under way, which must come first.
    pub(in crate::client) fn perform_here(&self, request: Request) -> Result<Reply, Request> {
        let command = request.command();
        let mut local = {
            let mut state = self.lock_and_drain();
            if state.alive.is_none() {
                return Ok(Reply::failed(Some(command), &request.owner, &closed()));
            }
            if state.scheduler.is_busy(&request.owner) {
                return Err(request);
            }
            state.scheduler.tally().accepted(command);
            LocalCall {
                state: &self.state,
                command,
                targets: request.targets().len(),
                requests: 0,
                status: Status::Panic,
            }
        };
        let mut call = Call::new(Arc::new(request));
        for part in parts(local.targets) {
            local.requests += 1;
            let request = request_of(&call, part.clone());
            let outcome = self.service.call(&request, self.clock.now());
            self.log_outcome(&request, &outcome);
            if !take(&mut call, &Positions::Run(part), outcome) {
                call.skip_rest();
                break;
            }
        }
        local.status = call.status();
        Ok(Reply::from_call(call))
    }
}

fn request_of(call: &Call, part: std::ops::Range<usize>) -> Arc<Request> {
    let targets = call.request.targets();
    if part.len() == targets.len() {
        return Arc::clone(&call.request);
    }
    let targets = targets[part].iter().cloned();
    Arc::new(call.request.with_targets(targets.collect()))
}

/// Takes the outcome for a part of the call; whether the next part may go.
fn take(call: &mut Call, part: &Positions, outcome: Result<Answer, Error>) -> bool {
    match outcome {
        Err(error) => call.lose(part, &error),
        Ok(answer) if answer.is_refused() => call.refuse(part, &answer),
        Ok(answer) if part.len() == 0 => {
            call.take_page(answer, None);
            return true;
        }
        Ok(answer) => return call.take_items(part, answer.items, None, false).is_empty(),
    }
    false
}
