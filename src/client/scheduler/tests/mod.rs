//! The scheduler on virtual time: a script replaces the service, and nothing sleeps.

mod counting;
mod endings;
mod fairness;
mod held;
mod order;
mod outcomes;
mod queued;
mod set_aside;
mod tail;

use super::*;
use crate::api::codes::{self, ALREADY_EXIST};
use crate::api::{Answer, CheckType, Command, Item, Operation, Targets, Verdict};
use crate::client::reply::Reply;
use crate::error::{Error, Status};

type Outcome = Result<Answer, Error>;

/// One request as the service saw it.
#[derive(Clone, Debug)]
struct Seen {
    at: Duration,
    request: Arc<Request>,
}

/// Scheduler with a clock of their own and a service that takes `latency` for each answer.
struct World {
    scheduler: Scheduler<u64>,
    start: Instant,
    now: Instant,
    latency: Duration,
    seen: Vec<Seen>,
    renewed: usize,
    /// Calls in the order in which they came to their end.
    done: Vec<(u64, Reply)>,
    flying: BTreeMap<(Instant, usize), Flight>,
}

const RETRY: RetryPolicy = RetryPolicy {
    attempts: 3,
    base: Duration::from_millis(200),
    max: Duration::from_secs(5),
};

impl World {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Rules)) -> Self {
        let mut rules = Rules {
            merge: true,
            retry: Some(RETRY),
            rate_per_second: None,
            call_time: Some(Duration::from_secs(12)),
            requests: 1000,
            late: None,
            recorded: false,
        };
        change(&mut rules);
        let start = Instant::now();
        Self {
            scheduler: Scheduler::new(rules, fastrand::Rng::with_seed(7)),
            start,
            now: start,
            latency: Duration::from_millis(10),
            seen: Vec::new(),
            renewed: 0,
            done: Vec::new(),
            flying: BTreeMap::new(),
        }
    }

    fn submit(&mut self, tag: u64, owner: &str, operation: Operation) {
        let request = Request {
            owner: owner.into(),
            operation,
        };
        self.scheduler
            .accept(Arc::new(request), tag, None, self.now);
    }

    fn add(&mut self, tag: u64, owner: &str, targets: &[&str]) {
        self.submit(tag, owner, Operation::Add(owned(targets)));
    }

    /// Runs until nothing is left to do.
    fn run(&mut self, service: impl FnMut(usize, &Request) -> Outcome) {
        self.run_until(None, service);
    }

    /// The same, or until that moment.
    fn run_until(
        &mut self,
        end: Option<Instant>,
        mut service: impl FnMut(usize, &Request) -> Outcome,
    ) {
        loop {
            match self.scheduler.next(self.now) {
                Next::Send(flight) => {
                    self.seen.push(Seen {
                        at: self.now - self.start,
                        request: flight.request.clone(),
                    });
                    self.flying
                        .insert((self.now + self.latency, self.seen.len()), flight);
                }
                Next::Wait(until) => {
                    self.collect();
                    let landing = self.flying.keys().next().map(|(moment, _)| *moment);
                    let next = [until, landing].into_iter().flatten().min();
                    if let Some(end) = end
                        && next.is_none_or(|next| next > end)
                    {
                        self.now = end;
                        return;
                    }
                    let Some(next) = next else { return };
                    self.now = self.now.max(next);
                    self.land(&mut service);
                }
            }
        }
    }

    fn land(&mut self, service: &mut impl FnMut(usize, &Request) -> Outcome) {
        while let Some(first) = self.flying.first_entry()
            && first.key().0 <= self.now
        {
            let number = first.key().1;
            let flight = first.remove();
            let outcome = service(number, &flight.request);
            self.renewed += usize::from(self.scheduler.apply_outcome(flight, outcome, self.now));
        }
        self.collect();
    }

    fn collect(&mut self) {
        let done = self.scheduler.take_done(usize::MAX).into_iter();
        self.done
            .extend(done.filter_map(|done| Some((done.caller?, Reply::from_call(done.call)))));
    }

    fn reply(&self, tag: u64) -> &Reply {
        let mut own = self.done.iter().filter(|(own, _)| *own == tag);
        let (_, reply) = own.next().expect("the call is done");
        assert!(own.next().is_none(), "call {tag} was completed twice");
        reply
    }

    fn requests(&self) -> Vec<(Command, Targets)> {
        let seen = self.seen.iter();
        seen.map(|seen| (seen.request.command(), seen.request.targets().into()))
            .collect()
    }
}

fn owned(targets: &[&str]) -> Targets {
    targets.iter().copied().map(Into::into).collect()
}

fn names(range: std::ops::Range<usize>) -> Targets {
    range.map(|number| format!("u{number}").into()).collect()
}

fn item(account: &str, code: i32, info: &str) -> Item {
    Item::answered(account, code, info, codes::judge(Command::Add, code, info))
}

#[allow(clippy::unnecessary_wraps, reason = "a script's type")]
fn all_ok(request: &Request) -> Outcome {
    let items = request.targets().iter().map(|target| item(target, 0, ""));
    Ok(Answer::accepted(items.collect()))
}

fn statuses(reply: &Reply) -> Vec<Status> {
    reply
        .items()
        .iter()
        .map(crate::client::ReplyItem::status)
        .collect()
}
