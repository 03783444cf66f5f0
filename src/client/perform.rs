//! One call from first to last attempt: split, pace, send, judge, try again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::assembly::Assembly;
use super::closing::{Closing, closed};
use super::log::Log;
use super::retry::{Attempts, Next};
use crate::api::{Command, MAX_PER_CALL, Request, Retry, codes};
use crate::clock::Clock;
use crate::config::{LogLevel, RetryPolicy};
use crate::error::{Error, Status};
use crate::rate::Window;
use crate::service::Service;

/// Everything that a call needs on its way; shared by all threads of a client.
pub(super) struct Performer {
    pub(super) service: Box<dyn Service>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) log: Log,
    pub(super) closing: Closing,
    /// How often to try again; the engine's answers are final.
    pub(super) retry: Option<RetryPolicy>,
    /// One window per command; none for the engine.
    pub(super) pace: Option<Mutex<[Window; 4]>>,
    pub(super) random: Mutex<fastrand::Rng>,
}

impl Performer {
    /// Answers `request` until `deadline`. Lists longer than 1000 go out in parts, one after another;
    /// after a part that failed as a whole the rest is not sent.
    pub(super) fn perform(&self, request: Request, deadline: Instant) -> Assembly {
        let started = self.clock.now();
        let mut call = Assembly::new(request);
        let count = call.slots.len();
        let mut start = 0;
        loop {
            let end = (start + MAX_PER_CALL).min(count);
            self.perform_part(&mut call, (start..end).collect(), deadline);
            if end >= count {
                break;
            }
            if call.refusal.is_some() || call.error.is_some() {
                call.skip_rest(end);
                break;
            }
            start = end;
        }
        self.log.line(LogLevel::Info, || {
            let took = self
                .clock
                .now()
                .saturating_duration_since(started)
                .as_millis();
            format!(
                "{} of {count} accounts took {took} ms",
                call.request.command().name()
            )
        });
        call
    }

    fn perform_part(&self, call: &mut Assembly, mut open: Vec<usize>, deadline: Instant) {
        let mut attempts = self.retry.map(Attempts::new);
        loop {
            let class = self.attempt(call, &mut open, deadline);
            let (Some(class), Some(attempts)) = (class, &mut attempts) else {
                return;
            };
            let random = self.random.lock().f64();
            let Next::Again { delay, renew } = attempts.after(class, random) else {
                return;
            };
            let next = self.clock.now() + delay;
            if next >= deadline {
                return;
            }
            self.log.line(LogLevel::Warn, || {
                let name = call.request.command().name();
                format!(
                    "{name} will be tried again in {} ms ({class:?})",
                    delay.as_millis()
                )
            });
            if renew {
                self.service.renew_signature();
            }
            if delay > Duration::ZERO && self.closing.wait_until(next) {
                return call.lose(&open, closed());
            }
        }
    }

    /// Sends what is open; gives the class of the failure when there is something left to repeat.
    fn attempt(
        &self,
        call: &mut Assembly,
        open: &mut Vec<usize>,
        deadline: Instant,
    ) -> Option<Retry> {
        let request = call.part(open);
        let command = request.command();
        if let Err(error) = self.keep_pace(command, deadline) {
            call.lose(open, error);
            return None;
        }
        let outcome = self.service.call(&request, deadline);
        self.log_attempt(command, &outcome);
        match outcome {
            Ok(answer) if answer.is_refused() => {
                let class = answer.retry();
                call.refuse(open, answer);
                Some(class)
            }
            Ok(answer) => {
                *open = call.accept(open, answer);
                (!open.is_empty()).then_some(Retry::Soon)
            }
            Err(error) => {
                let class = if error.status().is_retryable() {
                    Retry::Soon
                } else {
                    Retry::Never
                };
                call.lose(open, error);
                Some(class)
            }
        }
    }

    fn keep_pace(&self, command: Command, deadline: Instant) -> Result<(), Error> {
        let Some(pace) = &self.pace else {
            return Ok(());
        };
        loop {
            let taken = pace.lock()[command as usize].take(self.clock.now());
            let Err(free) = taken else { return Ok(()) };
            if free >= deadline {
                return Err(Error::new(
                    Status::Timeout,
                    "out of time while waiting for \"rate_per_second\"; nothing was sent",
                ));
            }
            if self.closing.wait_until(free) {
                return Err(closed());
            }
        }
    }

    fn log_attempt(&self, command: Command, outcome: &Result<crate::api::Answer, Error>) {
        let name = command.name();
        match outcome {
            Ok(answer) if answer.is_refused() => {
                self.log.line(LogLevel::Warn, || {
                    format!("{name} refused: {}", codes::explain(answer.code))
                });
            }
            Ok(answer) => self.log.line(LogLevel::Debug, || {
                let request_id = answer.request_id.as_deref().unwrap_or("none");
                format!(
                    "{name} answered, {} items, RequestId {}",
                    answer.items.len(),
                    super::reply::plain(request_id)
                )
            }),
            Err(error) => self
                .log
                .line(LogLevel::Warn, || format!("{name} has no answer: {error}")),
        }
    }
}
