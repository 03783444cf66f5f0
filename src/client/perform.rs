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
                // Closing cuts the connections: then that is why there is no answer.
                let error = if self.closing.has_begun() {
                    closed()
                } else {
                    error
                };
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

#[cfg(test)]
mod tests {
    use super::super::reply::Reply;
    use super::*;
    use crate::api::{Answer, Item, Operation, Verdict};
    use crate::clock::SystemClock;

    type Script = dyn Fn(usize, &Request) -> Result<Answer, Error> + Send + Sync;

    /// Answers the n-th call as a script says and remembers what was asked.
    struct Scripted {
        script: Box<Script>,
        asked: Arc<Mutex<Vec<Vec<String>>>>,
        renewed: Arc<Mutex<usize>>,
    }

    impl Service for Scripted {
        fn call(&self, request: &Request, _deadline: Instant) -> Result<Answer, Error> {
            let mut asked = self.asked.lock();
            asked.push(request.targets().to_vec());
            (self.script)(asked.len(), request)
        }

        fn renew_signature(&self) {
            *self.renewed.lock() += 1;
        }
    }

    struct Outcome {
        reply: Reply,
        asked: Vec<Vec<String>>,
        renewed: usize,
    }

    fn add(
        targets: Vec<String>,
        script: impl Fn(usize, &Request) -> Result<Answer, Error> + Send + Sync + 'static,
    ) -> Outcome {
        let (asked, renewed) = (Arc::default(), Arc::default());
        let performer = Performer {
            service: Box::new(Scripted {
                script: Box::new(script),
                asked: Arc::clone(&asked),
                renewed: Arc::clone(&renewed),
            }),
            clock: Arc::new(SystemClock),
            log: Log::off(),
            closing: Closing::default(),
            retry: Some(RetryPolicy {
                attempts: 3,
                base: Duration::from_millis(1),
                max: Duration::from_millis(1),
            }),
            pace: None,
            random: Mutex::new(fastrand::Rng::with_seed(1)),
        };
        let request = Request {
            from: "ann".into(),
            operation: Operation::Add(targets),
        };
        let call = performer.perform(request, Instant::now() + Duration::from_millis(500));
        let (asked, renewed) = (asked.lock().clone(), *renewed.lock());
        Outcome {
            reply: Reply::from_assembly(call),
            asked,
            renewed,
        }
    }

    fn names(range: std::ops::Range<usize>) -> Vec<String> {
        range.map(|number| format!("u{number}")).collect()
    }

    fn item(account: &str, code: i32, info: &str) -> Item {
        Item::answered(account, code, info, codes::judge(Command::Add, code, info))
    }

    #[allow(clippy::unnecessary_wraps, reason = "the script's type")]
    fn all_ok(request: &Request) -> Result<Answer, Error> {
        let items = request.targets().iter().map(|target| item(target, 0, ""));
        Ok(Answer::accepted(items.collect()))
    }

    #[test]
    fn a_long_list_goes_out_in_parts_and_comes_back_in_order() {
        let outcome = add(names(0..2500), |_, request| all_ok(request));
        let sizes: Vec<_> = outcome.asked.iter().map(Vec::len).collect();
        assert_eq!(sizes, [1000, 1000, 500]);
        assert_eq!(outcome.reply.status(), Status::Ok);
        let order: Vec<_> = outcome
            .reply
            .items()
            .iter()
            .map(|item| item.account().to_owned())
            .collect();
        assert_eq!(order, names(0..2500));
        assert_eq!(outcome.reply.json().matches("To_Account").count(), 2500);
    }

    #[test]
    fn after_a_part_that_failed_for_good_the_rest_is_not_sent() {
        let outcome = add(names(0..2500), |call, request| match call {
            1 => all_ok(request),
            _ => Ok(Answer::refused(60020, "arrears")),
        });
        assert_eq!(outcome.asked.len(), 2);
        assert_eq!(outcome.reply.status(), Status::Partial);
        assert_eq!(outcome.reply.service_code(), 60020);
        assert!(!outcome.reply.is_retryable());
        let done = outcome
            .reply
            .items()
            .iter()
            .filter(|item| item.status() == Status::Ok)
            .count();
        assert_eq!(done, 1000);
        assert!(outcome.reply.json().contains("\"ErrorCode\":60020"));
        assert_eq!(
            outcome.reply.json().matches("\"ResultCode\":0").count(),
            1000
        );
    }

    #[test]
    fn only_what_failed_for_a_while_is_asked_again() {
        let outcome = add(names(0..3), |call, request| {
            if call > 1 {
                return all_ok(request);
            }
            let codes = [("u0", 0), ("u1", 30008), ("u2", 30003)];
            Ok(Answer::accepted(
                codes.map(|(account, code)| item(account, code, "")).into(),
            ))
        });
        assert_eq!(outcome.asked, [names(0..3), names(1..2)]);
        let statuses: Vec<_> = outcome
            .reply
            .items()
            .iter()
            .map(super::super::ReplyItem::status)
            .collect();
        assert_eq!(statuses, [Status::Ok, Status::Ok, Status::Service]);
        assert_eq!(outcome.reply.service_code(), 30003);
    }

    #[test]
    fn after_a_lost_answer_already_blocked_is_success() {
        let outcome = add(names(0..1), |call, _| match call {
            1 => Err(Error::new(Status::Network, "lost")),
            _ => Ok(Answer::accepted(vec![item(
                "u0",
                30001,
                codes::ALREADY_EXIST,
            )])),
        });
        assert_eq!(outcome.reply.status(), Status::Ok);
        assert_eq!(outcome.reply.items()[0].status(), Status::Unchanged);
        assert_eq!(outcome.reply.message(), "");
    }

    #[test]
    fn silence_about_one_account_is_not_success() {
        let outcome = add(names(0..2), |_, request| {
            let mut answer = all_ok(request)?;
            if let Some(item) = answer.items.iter_mut().find(|item| item.account == "u1") {
                item.verdict = Verdict::Unanswered;
            }
            Ok(answer)
        });
        assert_eq!(outcome.asked.len(), 3);
        assert_eq!(outcome.reply.status(), Status::Partial);
        assert_eq!(outcome.reply.items()[1].status(), Status::Network);
        assert!(outcome.reply.is_retryable());
    }

    #[test]
    fn an_expired_signature_is_renewed_once() {
        let outcome = add(names(0..1), |_, _| Ok(Answer::refused(70001, "expired")));
        assert_eq!((outcome.asked.len(), outcome.renewed), (2, 1));
        assert_eq!(
            (outcome.reply.status(), outcome.reply.service_code()),
            (Status::Service, 70001)
        );
        assert!(
            outcome.reply.message().contains("clock"),
            "{}",
            outcome.reply.message()
        );
    }

    #[test]
    fn a_delay_beyond_the_deadline_is_not_waited_for() {
        let outcome = add(names(0..1), |_, _| Ok(Answer::refused(60007, "slow down")));
        assert_eq!(outcome.asked.len(), 1);
        assert_eq!(outcome.reply.service_code(), 60007);
        assert!(outcome.reply.is_retryable());
    }

    #[test]
    fn without_any_answer_there_is_no_json_and_the_cause_is_kept() {
        let outcome = add(names(0..2), |_, _| {
            Err(Error::new(Status::Connect, "cannot connect: refused"))
        });
        assert_eq!(outcome.asked.len(), 3);
        assert_eq!(outcome.reply.status(), Status::Connect);
        assert_eq!(outcome.reply.json(), "");
        assert!(outcome.reply.message().contains("cannot connect"));
    }
}
