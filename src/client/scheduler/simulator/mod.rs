//! Thousands of histories from seeds: the production scheduler, rate, retry and outbox on virtual time, against a
//! service that loses, delays, throttles and refuses, and a disk that is full or ends with the process. The oracle
//! knows only what was accepted, what was on disk, what the service executed, and what the callers received.
//!
//! CHATBLOCK_SEED=N repeats one history, CHATBLOCK_SEEDS=N goes through the first N.

mod answers;
mod cache;
mod disk;
mod oracle;
mod service;
mod sleepers;
mod travel;
mod troubled;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use super::*;
use crate::api::Retry;
use crate::api::{Answer, CheckType, Operation, Targets, Verdict};
use crate::client::outbox::intake::{self, IncomingCall};
use crate::client::outbox::{Limit, Outbox, Tagged};
use crate::client::reply::Reply;
use crate::error::{Error, Status};
use disk::Disk;
use oracle::{Asked, SeenReply};
use service::{Fate, Service};
use sleepers::Sleeper;
use testkit::depth;
use troubled::Trouble;

/// The code of a refusal that concerns the caller.
const ANOTHER_KEY: i32 = 70009;
/// What follows them says nothing new.
const MOST_VIOLATIONS: usize = 20;
const ATTEMPT: Duration = Duration::from_millis(3500);
const CALL: Duration = Duration::from_secs(12);
const RETRY: RetryPolicy = RetryPolicy {
    attempts: 4,
    base: Duration::from_millis(200),
    max: Duration::from_secs(5),
};

/// So few writes in memory that most are on disk only at times.
const WINDOW: Limit = Limit {
    records: 3,
    bytes: 1 << 20,
    commit: 2,
    unwritten: 1 << 20,
};

/// What is set aside takes its place in the window: it delays no other pair as long as it leaves half of it free.
fn window(is_troubled: bool) -> Limit {
    let records = if is_troubled { 200 } else { WINDOW.records };
    Limit { records, ..WINDOW }
}

impl Tagged for usize {
    fn tag(&self) -> Option<u64> {
        Some(*self as u64)
    }

    fn of_tag(tag: u64) -> Self {
        Self::try_from(tag).expect("it was a number of ours")
    }
}

struct Simulation {
    random: fastrand::Rng,
    rate: u32,
    durable: bool,
    scheduler: Scheduler<usize>,
    outbox: Option<Outbox>,
    disk: Disk,
    start: Instant,
    now: Instant,
    service: Service,
    faulty_until: Duration,
    trouble: Option<Trouble>,
    asked: Vec<Asked>,
    /// Which call is meant by an id of the running process.
    calls: HashMap<CallId, usize>,
    /// The id of each call in the process that accepted it.
    ids: Vec<CallId>,
    /// The threads that send, and the one that writes the outbox.
    worker: Sleeper,
    writer: Sleeper,
    flying: BTreeMap<(Instant, u64), (Flight, Result<Answer, Error>)>,
    /// Requests that arrive after they were given up.
    late: BTreeMap<(Instant, u64), Request>,
    number: u64,
    faults: u64,
    violations: Vec<String>,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let start = Instant::now();
        let rate = random.u32(3..40);
        let durable = seed % 2 == 1;
        let faulty_until = Duration::from_millis(random.u64(..20_000));
        let is_troubled = durable && random.bool();
        let outbox = || Outbox::new(1 << 20, Duration::from_millis(5), window(is_troubled));
        Self {
            rate,
            durable,
            trouble: is_troubled.then(|| Trouble::draw(&mut random, faulty_until)),
            scheduler: Scheduler::new(rules(rate, durable), random.fork()),
            outbox: durable.then(outbox),
            disk: Disk {
                crashes: random.u8(..4),
                ..Disk::default()
            },
            faulty_until,
            random,
            start,
            now: start,
            service: Service::default(),
            asked: Vec::new(),
            calls: HashMap::new(),
            ids: Vec::new(),
            worker: Sleeper::Awake,
            writer: Sleeper::Awake,
            flying: BTreeMap::new(),
            late: BTreeMap::new(),
            number: 0,
            faults: 0,
            violations: Vec::new(),
        }
    }

    fn time(&self) -> Duration {
        self.now - self.start
    }

    fn is_faulty(&self) -> bool {
        self.time() <= self.faulty_until
    }

    fn violation(&mut self, what: impl std::fmt::Display) {
        self.violations.push(format!("{:?}: {what}", self.time()));
    }

    fn key(&mut self, moment: Instant) -> (Instant, u64) {
        self.number += 1;
        (moment, self.number)
    }

    /// A random call: few owners and targets, so that they meet.
    fn submit(&mut self) {
        let owner = format!("owner{}", self.random.u8(..3));
        let count = if self.random.u8(..8) == 0 {
            self.random.usize(1..6)
        } else {
            1
        };
        let targets: Targets = (0..count)
            .map(|_| format!("t{}", self.random.u8(..6)).into())
            .collect();
        let operation = match self.random.u8(..10) {
            0..5 => Operation::Add(targets),
            5..8 => Operation::Delete(targets),
            _ => Operation::Check(targets, CheckType::Single),
        };
        let request = Arc::new(Request {
            owner: owner.into(),
            operation,
        });
        let entered = self.random.bool().then_some(self.now);
        self.asked.push(Asked::new(request.as_ref().clone()));
        let number = self.asked.len() - 1;
        self.asked[number].waits = entered.is_some();
        let call = IncomingCall {
            request,
            caller: number,
            entered,
        };
        let moment = (self.now, 0);
        let accepted = intake::accept(&mut self.scheduler, self.outbox.as_mut(), call, moment);
        self.calls.insert(accepted.id, number);
        self.ids.push(accepted.id);
        if accepted.wakes_writer {
            self.writer = Sleeper::Awake;
        }
        self.rouse();
    }

    /// A caller cancels a call that it made some time ago.
    fn cancel(&mut self) {
        let Some(number) = self.random.choice(0..self.ids.len()) else {
            return;
        };
        let id = self.ids[number];
        // No caller cancels a call whose reply it has, or what the next process finds in the outbox.
        let asked = &self.asked[number];
        let is_answered = asked.orphaned || asked.replies > 0;
        if self.calls.get(&id) != Some(&number) || is_answered || (self.durable && asked.waits) {
            return;
        }
        let error = Error::new(Status::Cancelled, "cancelled");
        let mut count = self.scheduler.cancel(&[id], &error, self.now);
        if let Some(outbox) = &mut self.outbox {
            let beyond = intake::cancel(&mut self.scheduler, outbox, number as u64, self.now);
            if beyond > 0 {
                self.writer = Sleeper::Awake;
            }
            count += beyond;
        }
        self.asked[number].cancelled |= count > 0;
        self.collect();
        self.rouse();
    }

    /// Checks each reply at the time at which the caller gets it.
    fn collect(&mut self) {
        self.violations.extend(self.scheduler.count_fault());
        let all = self.scheduler.take_done(usize::MAX);
        let ended = all.iter().filter(|done| done.is_final);
        let ended: HashSet<_> = ended.map(|done| done.id).collect();
        for done in all {
            let number = self.calls[&done.id];
            if done.is_final
                && let Some(outbox) = &mut self.outbox
                && outbox.erase(done.id, self.now)
            {
                self.writer = Sleeper::Awake;
            }
            self.asked[number].ended |= done.is_final;
            if done.is_part {
                continue;
            }
            let reply = Reply::from_call(done.call);
            let seen = SeenReply {
                reply: &reply,
                is_awaited: done.caller.is_some(),
                is_final: ended.contains(&done.id) || self.scheduler.stays_recorded(done.id),
                is_recorded: self.disk.records.contains_key(&done.id),
            };
            let asked = self.outbox.as_ref().map(|_| &self.asked[number]);
            let wrong = asked.and_then(|asked| oracle::untrue_of_outbox(asked, &seen, ANOTHER_KEY));
            self.violations
                .extend(wrong.map(|what| format!("call {number}: {what}")));
            let asked = &mut self.asked[number];
            asked.replies += usize::from(done.caller.is_some());
            asked.ended |= done.is_final;
            asked.statuses = reply
                .items()
                .iter()
                .map(crate::client::ReplyItem::status)
                .collect();
            if done.caller.is_some() {
                let asked = &self.asked[number];
                // A call with parts that were set aside ends after later writes about its other targets.
                let is_overtaken = |target: &Account| {
                    let mut later = self.asked[number + 1..].iter();
                    let is_apart = self.durable && asked.request.targets().len() > 1;
                    is_apart
                        && later.any(|later| later.is_write_about(&asked.request.owner, target))
                };
                let blocked = &self.service.blocked;
                let wrong = oracle::false_claims(&asked.request, &reply, blocked, is_overtaken);
                for what in wrong {
                    self.violation(format!("call {number}: {what}"));
                }
            }
        }
    }

    fn run(&mut self, operations: usize) {
        let mut to_submit = operations;
        let mut submit_at = self.now;
        loop {
            if to_submit > 0 && submit_at <= self.now {
                self.submit();
                self.note_event();
                to_submit -= 1;
                // Bursts, and the time between them.
                let pause = if self.random.u8(..4) > 0 {
                    0
                } else {
                    self.random.u64(..1500)
                };
                submit_at = self.now + Duration::from_millis(pause);
            }
            if self.random.u8(..32) == 0 {
                self.cancel();
            }
            self.look_at_outbox();
            self.look_for_work();
            self.hold_invariants();
            if self.worker == Sleeper::Awake || self.is_writer_at_work() {
                continue;
            }
            let submit = (to_submit > 0).then_some(submit_at);
            match self.next_moment(submit) {
                Some(next) => self.now = self.now.max(next),
                None => break,
            }
            self.land();
            self.hold_invariants();
            if self.now > self.end_of_work() {
                self.violation("work went on long after the faults ended");
                break;
            }
            if self.violations.len() > MOST_VIOLATIONS {
                break;
            }
        }
        self.judge_end();
    }

    fn next_moment(&self, submit: Option<Instant>) -> Option<Instant> {
        let landing = self.flying.keys().next().map(|(moment, _)| *moment);
        let late = self.late.keys().next().map(|(moment, _)| *moment);
        let commit = self.disk.commit.as_ref().map(|(moment, ..)| *moment);
        let page = self.disk.page.as_ref().map(|(moment, _)| *moment);
        let is_idle = commit.is_none() && page.is_none();
        let writer = self.writer.moment().filter(|_| is_idle);
        let worker = self.worker.moment();
        let others = [submit, landing, late, commit, page, writer, worker];
        others.into_iter().flatten().min()
    }

    fn hold_invariants(&mut self) {
        let is_commit_coming = self.disk.commit.is_some()
            || (self.outbox.as_ref()).is_some_and(|outbox| outbox.due().is_some());
        let stuck = self.scheduler.stuck_owner(is_commit_coming);
        let delayed = self.delayed_by_trouble();
        for fault in [stuck, delayed].into_iter().flatten() {
            self.violation(fault);
        }
    }

    fn judge_end(&mut self) {
        let blocked = &self.service.blocked;
        let mut wrong = oracle::broken_promises(&self.asked);
        wrong.extend(oracle::pairs_out_of_order(
            &self.asked,
            blocked,
            self.durable,
        ));
        if !self.disk.records.is_empty() {
            wrong.push(format!("{} records are left", self.disk.records.len()));
        }
        let beyond = self.outbox.as_ref().and_then(Outbox::oldest_beyond);
        if let Some(id) = beyond {
            wrong.push(format!("write {id} never came back from disk"));
        }
        if self.service.was_called_too_fast(self.rate as usize) {
            wrong.push("more calls in a second than the rate_limiter allows".into());
        }
        for what in wrong {
            self.violation(what);
        }
    }
}

fn rules(rate: u32, durable: bool) -> Rules {
    Rules {
        merge: true,
        retry: Some(RETRY),
        rate_per_second: Some(rate),
        call_time: Some(CALL),
        requests: 8,
        late: Some(ATTEMPT),
        recorded: durable,
    }
}

fn seeds() -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    if let Some(seed) = number("CHATBLOCK_SEED") {
        return seed..seed + 1;
    }
    0..number("CHATBLOCK_SEEDS").unwrap_or_else(|| depth().pick(2_000, 20_000, 200_000))
}

#[test]
fn no_history_violates_what_is_promised() {
    let (mut operations, mut faults) = (0, 0);
    let seeds = seeds();
    for seed in seeds.clone() {
        let mut simulation = Simulation::new(seed);
        simulation.run(20 + usize::try_from(seed % 60).unwrap_or(0));
        operations += simulation.asked.len();
        faults += simulation.faults;
        let violations = simulation.violations;
        assert!(
            violations.is_empty(),
            "CHATBLOCK_SEED={seed}: {violations:#?}"
        );
    }
    let line = format!(
        "simulator: seeds {}, operations {operations}, faults {faults}, violations 0",
        seeds.end - seeds.start
    );
    println!("{line}");
    report("simulator", &line);
}

/// Keeps the line for the end of `make test`.
fn report(name: &str, line: &str) {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    let folder = target.join("report");
    std::fs::create_dir_all(&folder).expect("the report directory can be made");
    std::fs::write(folder.join(name), format!("{line}\n")).expect("the report can be written");
}
