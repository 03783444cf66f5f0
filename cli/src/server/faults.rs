//! A hook for tests: forced results for single targets (`faults` of a state).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use chatblock::api::{Answer, Command, Item, Request, codes};
use chatblock::error::Error;
use chatblock::service::Service;

/// The result that a target gets instead of the service's own.
#[derive(Clone, Debug)]
pub(super) struct Forced {
    pub(super) code: i32,
    pub(super) info: String,
}

/// A service that does not get the forced targets: they are removed from the request, and their results are inserted
/// at their places.
pub(super) struct Faults {
    pub(super) inner: Arc<dyn Service>,
    pub(super) forced: HashMap<(Command, String), Forced>,
}

impl Service for Faults {
    fn call(&self, request: &Request, deadline: Instant) -> Result<Answer, Error> {
        let command = request.command();
        let forced: Vec<Option<&Forced>> = request
            .targets()
            .iter()
            .map(|target| self.forced.get(&(command, target.to_string())))
            .collect();
        if forced.iter().all(Option::is_none) {
            return self.inner.call(request, deadline);
        }
        let left = request.targets().iter().zip(&forced);
        let left = left.filter(|(_, forced)| forced.is_none());
        let left = request.with_targets(left.map(|(target, _)| target.clone()).collect());
        let mut answer = self.inner.call(&left, deadline)?;
        if answer.is_refused() {
            return Ok(answer);
        }
        let mut answered = std::mem::take(&mut answer.items).into_iter();
        for (target, forced) in request.targets().iter().zip(forced) {
            answer.items.push(match forced {
                Some(forced) => {
                    let verdict = codes::judge(command, forced.code, &forced.info);
                    Item::answered(target.clone(), forced.code, &forced.info, verdict)
                }
                None => answered
                    .next()
                    .unwrap_or_else(|| Item::unanswered(target.clone())),
            });
        }
        // The text of a remote service lacks what was put in.
        answer.text = None;
        Ok(answer)
    }

    fn waits(&self, command: Command) -> bool {
        self.inner.waits(command)
    }

    fn shut_down(&self) {
        self.inner.shut_down();
    }
}
