//! Thousands of histories from seeds: the production lanes, pace and retry on virtual time against a
//! service that loses, delays, throttles and refuses, judged by an oracle that knows only what was
//! accepted, what the service did, and what the callers were told.
//!
//! CHATBLOCK_SEED=N repeats one history.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use super::*;
use crate::api::codes::{self, ALREADY_EXIST, NOT_EXIST};
use crate::api::{Answer, CheckType, Item, Relation, Retry, Verdict};
use crate::client::reply::Reply;

const ATTEMPT: Duration = Duration::from_millis(3500);
const CALL: Duration = Duration::from_secs(12);

/// What became of a request on its way.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Fine,
    /// It never arrived.
    RequestLost,
    /// It was done, and nobody heard.
    AnswerLost,
    Throttled,
    Busy,
    /// One account in it fails for a while.
    Conflict,
    /// The answer leaves an account out.
    Silent,
}

/// The service: who blocks whom, and how often it was called.
#[derive(Default)]
struct Service {
    blocked: HashSet<(String, String)>,
    arrivals: HashMap<Command, Vec<Duration>>,
    in_flight: HashSet<String>,
}

/// A call as its caller remembers it.
struct Asked {
    request: Request,
    replies: usize,
    /// What the caller was told about each target.
    told: Vec<Status>,
}

struct Simulation {
    random: fastrand::Rng,
    rate: u32,
    lanes: Lanes<usize>,
    start: Instant,
    now: Instant,
    service: Service,
    faulty_until: Duration,
    asked: Vec<Asked>,
    flying: BTreeMap<(Instant, u64), (Flight, Result<Answer, Error>)>,
    number: u64,
    faults: u64,
    violations: Vec<String>,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let start = Instant::now();
        let rate = random.u32(3..40);
        let rules = Rules {
            merge: true,
            retry: Some(RetryPolicy {
                attempts: 4,
                base: Duration::from_millis(200),
                max: Duration::from_secs(5),
            }),
            rate_per_second: Some(rate),
            call_time: Some(CALL),
            requests: 8,
        };
        Self {
            rate,
            lanes: Lanes::new(rules, random.fork()),
            faulty_until: Duration::from_millis(random.u64(..20_000)),
            random,
            start,
            now: start,
            service: Service::default(),
            asked: Vec::new(),
            flying: BTreeMap::new(),
            number: 0,
            faults: 0,
            violations: Vec::new(),
        }
    }

    fn time(&self) -> Duration {
        self.now - self.start
    }

    fn violation(&mut self, what: impl std::fmt::Display) {
        self.violations.push(format!("{:?}: {what}", self.time()));
    }

    /// A random call: few owners and targets, so that they meet.
    fn submit(&mut self) {
        let owner = format!("owner{}", self.random.u8(..3));
        let count = if self.random.u8(..8) == 0 {
            self.random.usize(1..6)
        } else {
            1
        };
        let targets: Vec<_> = (0..count)
            .map(|_| format!("t{}", self.random.u8(..6)))
            .collect();
        let operation = match self.random.u8(..10) {
            0..5 => Operation::Add(targets),
            5..8 => Operation::Delete(targets),
            _ => Operation::Check(targets, CheckType::Single),
        };
        let request = Request {
            from: owner,
            operation,
        };
        let entered = self.random.bool().then_some(self.now);
        self.asked.push(Asked {
            request: request.clone(),
            replies: 0,
            told: Vec::new(),
        });
        self.lanes
            .accept(request, self.asked.len() - 1, entered, self.now);
    }

    fn fate(&mut self) -> Fate {
        if self.time() > self.faulty_until {
            return Fate::Fine;
        }
        let fate = match self.random.u8(..20) {
            0 | 1 => Fate::RequestLost,
            2 | 3 => Fate::AnswerLost,
            4 => Fate::Throttled,
            5 => Fate::Busy,
            6 | 7 => Fate::Conflict,
            8 => Fate::Silent,
            _ => Fate::Fine,
        };
        self.faults += u64::from(fate != Fate::Fine);
        fate
    }

    fn send(&mut self, flight: Flight) {
        let command = flight.request.command();
        let time = self.time();
        self.service.arrivals.entry(command).or_default().push(time);
        let owner = flight.request.from.clone();
        let is_write = matches!(command, Command::Add | Command::Delete);
        if is_write && !self.service.in_flight.insert(owner.clone()) {
            self.violation(format!("two writes of {owner} in flight"));
        }
        if flight.request.targets().len() > MAX_PER_CALL {
            self.violation("more than 1000 targets");
        }
        let fate = self.fate();
        let (outcome, took) = self.answer(&flight.request, fate);
        self.number += 1;
        self.flying
            .insert((self.now + took, self.number), (flight, outcome));
    }

    fn answer(&mut self, request: &Request, fate: Fate) -> (Result<Answer, Error>, Duration) {
        let took = Duration::from_millis(self.random.u64(1..400));
        let lost = || Err(Error::new(Status::Timeout, "lost"));
        match fate {
            Fate::RequestLost => (lost(), ATTEMPT),
            Fate::AnswerLost => {
                self.apply(request, None);
                (lost(), ATTEMPT)
            }
            Fate::Throttled => (Ok(Answer::refused(60007, "slow down")), took),
            Fate::Busy => (Ok(Answer::refused(30006, "busy")), took),
            Fate::Fine => (Ok(self.apply(request, None)), took),
            Fate::Conflict => {
                let victim = self.random.usize(..request.targets().len());
                (
                    Ok(self.apply(request, Some((victim, Verdict::Failed(Retry::Soon))))),
                    took,
                )
            }
            Fate::Silent => {
                let victim = self.random.usize(..request.targets().len());
                (
                    Ok(self.apply(request, Some((victim, Verdict::Unanswered)))),
                    took,
                )
            }
        }
    }

    /// Does what is asked, but for one victim whose item carries that verdict.
    fn apply(&mut self, request: &Request, victim: Option<(usize, Verdict)>) -> Answer {
        let mut items = Vec::new();
        for (position, target) in request.targets().iter().enumerate() {
            if let Some((unlucky, verdict)) = victim
                && unlucky == position
            {
                let code = if verdict == Verdict::Unanswered {
                    0
                } else {
                    30008
                };
                items.push(Item::answered(target, code, "", verdict));
                continue;
            }
            let pair = (request.from.clone(), target.clone());
            let command = request.command();
            let (code, info) = match command {
                Command::Add if !self.service.blocked.insert(pair.clone()) => {
                    (30001, ALREADY_EXIST)
                }
                Command::Delete if !self.service.blocked.remove(&pair) => (30001, NOT_EXIST),
                _ => (0, ""),
            };
            let mut item = Item::answered(target, code, info, codes::judge(command, code, info));
            if command == Command::Check {
                let blocked = self.service.blocked.contains(&pair);
                item.relation = if blocked {
                    Relation::AWithB
                } else {
                    Relation::No
                };
            }
            items.push(item);
        }
        Answer::accepted(items)
    }

    fn land(&mut self) {
        while let Some(first) = self.flying.first_entry()
            && first.key().0 <= self.now
        {
            let (flight, outcome) = first.remove();
            if matches!(flight.request.command(), Command::Add | Command::Delete) {
                self.service.in_flight.remove(&flight.request.from);
            }
            self.lanes.settle(flight, outcome, self.now);
            self.collect();
        }
    }

    /// Judges what callers are told, at the moment at which they are told it.
    fn collect(&mut self) {
        self.violations.extend(self.lanes.count_fault());
        for done in self.lanes.take_done() {
            let reply = Reply::from_assembly(done.call);
            self.asked[done.caller].replies += 1;
            if self.asked[done.caller].replies > 1 {
                self.violation(format!("call {} completed twice", done.caller));
            }
            let request = self.asked[done.caller].request.clone();
            if reply.items().len() != request.targets().len() {
                self.violation(format!(
                    "call {} has {} items",
                    done.caller,
                    reply.items().len()
                ));
            }
            self.judge(&request, &reply);
            let items = reply.items().iter();
            self.asked[done.caller].told = items.map(crate::client::ReplyItem::status).collect();
        }
    }

    /// A confirmed write is what the service holds now: nothing later of this owner can have been sent.
    fn judge(&mut self, request: &Request, reply: &Reply) {
        let last: HashMap<_, _> = request
            .targets()
            .iter()
            .enumerate()
            .map(|(at, target)| (target, at))
            .collect();
        for (position, item) in reply.items().iter().enumerate() {
            let is_last = last.get(&request.targets()[position]) == Some(&position);
            if !item.status().is_done() || !is_last {
                continue;
            }
            let pair = (request.from.clone(), item.account().to_owned());
            let blocked = self.service.blocked.contains(&pair);
            let true_now = match request.command() {
                Command::Add => blocked,
                Command::Delete => !blocked,
                Command::Check | Command::Get => true,
            };
            if !true_now {
                self.violation(format!(
                    "{:?} of {pair:?} was confirmed and is not so",
                    request.command()
                ));
            }
        }
    }

    fn run(&mut self, operations: usize) {
        let mut to_submit = operations;
        loop {
            while to_submit > 0 && self.random.u8(..3) > 0 {
                self.submit();
                to_submit -= 1;
            }
            match self.lanes.next(self.now) {
                Next::Send(flight) => self.send(flight),
                Next::Wait(until) => {
                    self.collect();
                    let landing = self.flying.keys().next().map(|(moment, _)| *moment);
                    let next = [until, landing].into_iter().flatten().min();
                    match next {
                        Some(next) => self.now = self.now.max(next),
                        None if to_submit == 0 => break,
                        None => self.now += Duration::from_millis(1),
                    }
                    self.land();
                }
            }
        }
        self.judge_end();
    }

    /// In the end the last write of a pair that was confirmed has won, or one after it whose outcome
    /// nobody knows.
    fn pairs_out_of_order(&self) -> Vec<String> {
        let mut possible: HashMap<(String, String), HashSet<bool>> = HashMap::new();
        for asked in &self.asked {
            let blocks = match asked.request.command() {
                Command::Add => true,
                Command::Delete => false,
                Command::Get | Command::Check => continue,
            };
            for (target, told) in asked.request.targets().iter().zip(&asked.told) {
                let pair = (asked.request.from.clone(), target.clone());
                let states = possible
                    .entry(pair)
                    .or_insert_with(|| HashSet::from([false]));
                if told.is_done() {
                    states.clear();
                }
                states.insert(blocks);
            }
        }
        let wrong = |(pair, states): &(&(String, String), &HashSet<bool>)| {
            !states.contains(&self.service.blocked.contains(*pair))
        };
        let wrong = possible.iter().filter(wrong);
        wrong
            .map(|(pair, _)| format!("{pair:?} is not what its last write asked for"))
            .collect()
    }

    fn judge_end(&mut self) {
        let silent = self.asked.iter().filter(|asked| asked.replies == 0).count();
        if silent > 0 {
            self.violation(format!("{silent} calls never completed"));
        }
        for what in self.pairs_out_of_order() {
            self.violation(what);
        }
        if self.time() > self.faulty_until + CALL * 20 {
            self.violation("work went on long after the faults ended");
        }
        let over = |times: &Vec<Duration>| {
            let limit = self.rate as usize;
            times
                .windows(limit + 1)
                .any(|window| window[limit] < window[0] + Duration::from_secs(1))
        };
        if self.service.arrivals.values().any(over) {
            self.violation("more calls in a second than the pace allows");
        }
    }
}

fn seeds() -> std::ops::Range<u64> {
    let one = std::env::var("CHATBLOCK_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    match one {
        Some(seed) => seed..seed + 1,
        None if std::env::var("CHATBLOCK_TEST").as_deref() == Ok("full") => 0..20_000,
        None => 0..2_000,
    }
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
    report(&line);
}

/// Keeps the line for the end of `make test`.
fn report(line: &str) {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    let folder = target.join("report");
    std::fs::create_dir_all(&folder).expect("the report directory can be made");
    std::fs::write(folder.join("simulator"), format!("{line}\n"))
        .expect("the report can be written");
}
