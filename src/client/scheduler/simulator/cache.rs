//! Histories for the cache of a remote client: the production scheduler, refresh and cache on virtual time, against a
//! service with short pages, with and without a sequence, that another client changes too, and webhooks that arrive late,
//! twice, in another order or never. The oracle knows the state of the service and the responses that the client received.

mod travel;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::super::*;
use super::answers::{Oracle, Pair};
use super::service::Service;
use super::{ATTEMPT, report, rules, seeds};
use crate::api::{Account, Answer, Command, Operation};
use crate::cache::{Answer as CheckAnswer, Knowledge};
use crate::client::cache_sync::TimedCache;
use crate::client::cache_sync::refresh::{self, Refresher};
use crate::clock::Clock;
use crate::config::Cache as Settings;
use crate::error::{Error, Status};

const OWNERS: u8 = 4;
const TARGETS: u8 = 9;
/// Entries on a page: most lists have several.
const PAGE: usize = 3;
const REFRESH: Duration = Duration::from_secs(5);
/// After the faults: the longest wait after a failed reading, a refresh, and time to read.
const RECOVERY: Duration = Duration::from_secs(75);
const SECOND: Duration = Duration::from_secs(1);
const PLENTY: u64 = 1 << 20;
/// No history takes a tenth of this many steps.
const MOST_STEPS: u32 = 20_000;

struct VirtualClock {
    start: Instant,
    now: Mutex<Instant>,
}

impl Clock for VirtualClock {
    fn unix_seconds(&self) -> i64 {
        0
    }

    fn now(&self) -> Instant {
        *self.now.lock()
    }

    fn last_tick(&self) -> Duration {
        self.now() - self.start
    }
}

/// A request on its way, and what will come back.
struct Sent {
    flight: Flight,
    outcome: Result<Answer, Error>,
    begun: Instant,
}

/// A webhook on its way.
struct Event {
    added: bool,
    pair: Pair,
}

struct Simulation {
    random: fastrand::Rng,
    scheduler: Scheduler<()>,
    refresher: Refresher,
    cache: Arc<TimedCache>,
    clock: Arc<VirtualClock>,
    max_age: Duration,
    max_bytes: u64,
    pages_per_second: usize,
    start: Instant,
    now: Instant,
    faulty_until: Duration,
    /// While nothing arrives at all.
    outage: std::ops::Range<Duration>,
    service: Service,
    /// None where the service gives no sequence.
    sequences: Option<HashMap<Account, u64>>,
    flying: BTreeMap<(Instant, u64), Sent>,
    late: BTreeMap<(Instant, u64), Request>,
    hooks: BTreeMap<(Instant, u64), Event>,
    number: u64,
    events: u64,
    oracle: Oracle,
    /// When the list of an owner was begun in the background, and the sequence of its first page.
    begun: HashMap<Account, Instant>,
    first_sequence: HashMap<Account, u64>,
    restarts: HashSet<Account>,
    pages: Vec<Instant>,
    is_over: bool,
    violations: Vec<String>,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let start = Instant::now();
        let clock = Arc::new(VirtualClock {
            start,
            now: Mutex::new(start),
        });
        let max_age = Duration::from_secs(if random.bool() { 12 } else { 300 });
        let max_bytes = match random.u8(..4) {
            0 => random.u64(2200..5000),
            _ => PLENTY,
        };
        let settings = Settings {
            max_bytes,
            refresh: REFRESH,
            max_age,
        };
        let cache = TimedCache::partial(settings, clock.clone()).map(Arc::new);
        let cache = cache.expect("a cache can be made");
        let rate = random.u32(4..40);
        let down = Duration::from_millis(random.u64(..20_000));
        let refresher = refresh::RefreshRules {
            refresh: REFRESH,
            max_age,
            pages_per_second: rate / 2,
            pages: 4,
            late: ATTEMPT,
            max_bytes,
            contests: random.usize(..4),
        };
        Self {
            scheduler: Scheduler::new(rules(rate, false), random.fork()),
            refresher: Refresher::new(Arc::clone(&cache), refresher, random.fork()),
            cache,
            clock,
            max_age,
            max_bytes,
            pages_per_second: rate as usize / 2,
            start,
            now: start,
            faulty_until: Duration::from_millis(random.u64(..30_000)),
            outage: down..down + Duration::from_millis(random.u64(..15_000)),
            random,
            service: Service::default(),
            sequences: (!seed.is_multiple_of(3)).then(HashMap::new),
            flying: BTreeMap::new(),
            late: BTreeMap::new(),
            hooks: BTreeMap::new(),
            number: 0,
            events: 0,
            oracle: Oracle::default(),
            begun: HashMap::new(),
            first_sequence: HashMap::new(),
            restarts: HashSet::new(),
            pages: Vec::new(),
            is_over: false,
            violations: Vec::new(),
        }
    }

    fn time(&self) -> Duration {
        self.now - self.start
    }

    fn violation(&mut self, what: impl std::fmt::Display) {
        self.violations.push(format!("{:?}: {what}", self.time()));
    }

    fn key(&mut self, after: Duration) -> (Instant, u64) {
        self.number += 1;
        (self.now + after, self.number)
    }

    fn owner(&mut self) -> Account {
        format!("owner{}", self.random.u8(..OWNERS)).into()
    }

    fn write(&mut self) -> Request {
        let owner = self.owner();
        let targets = vec![format!("t{}", self.random.u8(..TARGETS)).into()].into();
        let operation = match self.random.u8(..5) {
            0..3 => Operation::Add(targets),
            _ => Operation::Delete(targets),
        };
        Request { owner, operation }
    }

    /// Something that a host does, this one or another.
    fn act(&mut self) {
        match self.random.u8(..16) {
            0..2 => {
                let owner = self.owner();
                let list = self.refresher.watch_list();
                // With little memory there is no place for each.
                if let Ok(added) = list.add(std::slice::from_ref(&owner)) {
                    self.refresher.watch_list_changed(added, self.now);
                    self.oracle.watched.insert(owner);
                }
            }
            2 => {
                let owner = self.owner();
                let list = self.refresher.watch_list();
                let removed = list.remove(std::slice::from_ref(&owner));
                self.refresher.watch_list_changed(removed, self.now);
                self.oracle.watched.remove(&owner);
            }
            3..8 => {
                let request = self.write();
                self.submit(request);
            }
            8..10 => {
                let request = Request {
                    owner: self.owner(),
                    operation: Operation::Get {
                        start_index: 0,
                        limit: 1000,
                        last_sequence: 0,
                    },
                };
                self.submit(request);
            }
            _ => {
                let request = self.write();
                self.apply(&request, None, true);
            }
        }
    }

    fn submit(&mut self, request: Request) {
        let request = Arc::new(request);
        let entered = self.random.bool().then_some(self.now);
        let id = self
            .scheduler
            .accept(Arc::clone(&request), (), entered, self.now);
        self.refresher.begin_asked(id, &request, self.now);
    }

    /// In the order of the runtime: first the cache, then the callers.
    fn collect(&mut self) {
        let mut owners = Vec::new();
        for done in self.scheduler.take_done(usize::MAX) {
            owners.push(done.call.request.owner.clone());
            if done.is_listing {
                self.notice_restart(&done.call);
                self.refresher.take_page(&done.call, self.now);
            } else {
                self.refresher.apply(done.id, &done.call, self.now);
                self.confirm(done.id, &done.call);
            }
        }
        self.refresher.end_contests(&self.scheduler);
        // While nothing happens any more, only the end counts.
        if !self.is_over {
            for owner in owners {
                self.check(&owner);
            }
        }
    }

    fn notice_restart(&mut self, call: &Call) {
        let (owner, sequence) = (&call.request.owner, call.listing.sequence);
        if call.status() != Status::Ok {
            return;
        }
        // Without a sequence a list of several pages is read again to see whether it is whole.
        let is_unconfirmed = self.sequences.is_none() && call.listing.next_index == 0;
        if matches!(
            call.request.operation,
            Operation::Get { start_index: 0, .. }
        ) {
            self.first_sequence.insert(owner.clone(), sequence);
        } else if self.first_sequence.get(owner) != Some(&sequence) || is_unconfirmed {
            self.restarts.insert(owner.clone());
        }
    }

    /// A caller gets the reply to a write: the cache has it, if its owner is cached.
    fn confirm(&mut self, id: CallId, call: &Call) {
        let request = &call.request;
        if !request.command().is_write() {
            return;
        }
        let blocks = request.command() == Command::Add;
        for (slot, target) in call.slots().zip(request.targets()) {
            let pair = (request.owner.clone(), target.clone());
            if !slot.status().is_done() {
                continue;
            }
            let is_so = self.service.blocked.contains(&pair) == blocks;
            self.oracle.confirm(id, pair, blocks, is_so, self.now);
        }
    }

    fn check(&mut self, owner: &str) {
        // The cache's word is that its list is as it was at this moment or later.
        let as_of = match self.cache.blocks.knowledge(owner.as_bytes()) {
            Some(Knowledge::Known { refreshed_ms, .. }) => {
                Some(self.start + Duration::from_millis(refreshed_ms))
            }
            _ => None,
        };
        for target in 0..TARGETS {
            let pair = (owner.into(), format!("t{target}").into());
            let answer = self.ask(&pair);
            let fault = self.oracle.fault(&pair, answer, self.now, self.max_age);
            let missed = self.oracle.missed(&pair, answer, as_of);
            if let Some(what) = fault.or(missed) {
                self.violation(format!("{pair:?} {what}: {answer:?}"));
            }
        }
    }

    fn ask(&self, pair: &Pair) -> CheckAnswer {
        let cache = &self.cache.blocks;
        cache.is_blocked(pair.0.as_bytes(), pair.1.as_bytes(), || self.cache.now_ms())
    }

    /// A page is asked for in the background.
    fn list(&mut self, page: Request) {
        if matches!(page.operation, Operation::Get { start_index: 0, .. })
            && !self.restarts.remove(&page.owner)
        {
            let before = self.begun.insert(page.owner.clone(), self.now);
            // An evicted owner is a new one.
            let is_soon = before.is_some_and(|before| self.now < before + SECOND);
            if is_soon && self.max_bytes == PLENTY {
                self.violation(format!("{} is listed twice in a second", page.owner));
            }
        }
        self.pages.push(self.now);
        self.scheduler.list(page, self.now);
    }

    fn set_now(&mut self, moment: Instant) {
        self.now = self.now.max(moment);
        *self.clock.now.lock() = self.now;
    }

    fn run(&mut self, mut actions: u64) {
        let mut act_at = self.now;
        let mut end = None;
        let mut steps = 0;
        while end.is_none_or(|end| self.now < end) {
            steps += 1;
            if steps > MOST_STEPS {
                self.violation("there is no end to it");
                return;
            }
            if actions > 0 && act_at <= self.now {
                self.act();
                actions -= 1;
                let pause = match self.random.u8(..4) {
                    0 => self.random.u64(..3000),
                    1 => self.random.u64(..100),
                    _ => 0,
                };
                act_at = self.now + Duration::from_millis(pause);
            }
            let is_quiet = actions == 0 && self.scheduler.awaited() == 0 && self.late.is_empty();
            let faults = self.faulty_until.max(self.outage.end);
            if end.is_none() && is_quiet && self.hooks.is_empty() && self.time() > faults {
                end = Some(self.now + RECOVERY);
                self.is_over = true;
            }
            self.step((actions > 0).then_some(act_at), faults);
        }
        self.judge_end();
    }

    fn step(&mut self, act_at: Option<Instant>, faults: Duration) {
        self.refresher.follow_watch_list();
        while let Some(page) = self.refresher.next(self.now) {
            self.list(page);
        }
        let until = match self.scheduler.next(self.now) {
            Next::Send(flight) => return self.send(flight),
            Next::Wait(until) => until,
        };
        self.collect();
        let landing = [
            self.flying.keys().next(),
            self.late.keys().next(),
            self.hooks.keys().next(),
        ];
        let landing = landing.into_iter().flatten().map(|key| key.0).min();
        let page = self.refresher.moment(self.now);
        let moments = [until, landing, page, act_at];
        let next = moments.into_iter().flatten().min();
        let nothing = self.now.max(self.start + faults) + SECOND;
        self.set_now(next.unwrap_or(nothing));
        self.land();
    }

    fn judge_end(&mut self) {
        // Two readings of each list, at a slow pace, can take longer than lists are good.
        let is_in_time = self.sequences.is_some() || self.max_age > RECOVERY;
        let must_be_known = is_in_time && self.max_bytes == PLENTY;
        for owner in (0..OWNERS).map(|owner| Account::from(format!("owner{owner}"))) {
            self.check(&owner);
            let is_watched = self.oracle.watched.contains(&owner);
            for target in (0..TARGETS).map(|target| format!("t{target}").into()) {
                let pair = (owner.clone(), target);
                let answer = self.ask(&pair);
                let is_noted = is_watched || !self.oracle.unreported.contains(&pair);
                let is_right = (answer == CheckAnswer::Yes) == self.service.blocked.contains(&pair);
                if answer == CheckAnswer::Unknown && is_watched && must_be_known {
                    self.violation(format!("{owner} is watched and not known"));
                } else if answer != CheckAnswer::Unknown && is_noted && !is_right {
                    self.violation(format!("{pair:?} is {answer:?} in the end"));
                }
            }
        }
        let limit = self.pages_per_second;
        let is_close = |pages: &[Instant]| pages[limit] < pages[0] + SECOND;
        if self.pages.windows(limit + 1).any(is_close) {
            self.violation("more than half of the rate_limiter for pages");
        }
    }
}

#[test]
fn no_history_makes_the_cache_guess() {
    let (mut events, mut checks) = (0, 0);
    let seeds = seeds();
    for seed in seeds.clone() {
        let mut simulation = Simulation::new(seed);
        simulation.run(15 + seed % 50);
        events += simulation.events;
        checks += simulation.oracle.checks;
        let violations = simulation.violations;
        assert!(
            violations.is_empty(),
            "CHATBLOCK_SEED={seed}: {violations:#?}"
        );
    }
    let line = format!(
        "cache simulator: seeds {}, events {events}, checks {checks}, violations 0",
        seeds.end - seeds.start
    );
    println!("{line}");
    report("cache-simulator", &line);
}
