//! Waiting times of owners with few calls beside owners that exceed the capacity, on virtual time.

use super::*;

const RUN: Duration = Duration::from_secs(3);
const QUIET_CALLS: usize = 500;

/// What others ask for.
#[derive(Clone, Copy, Debug)]
enum Load {
    Nothing,
    /// One owner leaves many calls at once, again and again.
    HotOwner(Command),
    /// Threads that each ask again when they have an answer, for one owner or each for its own.
    Callers {
        command: Command,
        is_one_owner: bool,
    },
    /// One player blocks and unblocks 200 times a second.
    Player(Flood),
}

/// What a player does who means harm.
#[derive(Clone, Copy, Debug)]
enum Flood {
    /// One block, again and again.
    Repeats,
    /// A block and its removal in turns.
    Toggles,
    /// Another account each time.
    NewTargets,
}

struct Tail {
    world: World,
    random: fastrand::Rng,
    arrivals: BTreeMap<(Instant, usize), (u64, Request)>,
    /// When the calls of quiet owners were accepted.
    quiet: HashMap<u64, Instant>,
    number: usize,
    took: Vec<Duration>,
    /// Microseconds of a request.
    round_trip: Range<u64>,
}

const OTHERS: u64 = u64::MAX / 2;

impl Tail {
    fn request(command: Command, owner: String, number: impl std::fmt::Display) -> Request {
        let targets: Targets = [format!("t{number}").into()].into();
        let operation = match command {
            Command::Delete => Operation::Delete(targets),
            Command::Check | Command::Get => Operation::Check(targets, CheckType::Single),
            Command::Add => Operation::Add(targets),
        };
        Request {
            owner: owner.into(),
            operation,
        }
    }

    fn arrive(&mut self, moment: Instant, tag: u64, request: Request) {
        self.number += 1;
        self.arrivals.insert((moment, self.number), (tag, request));
    }

    fn load(&mut self, load: Load) {
        match load {
            Load::Nothing => {}
            Load::HotOwner(command) => {
                for second in 0..RUN.as_secs() {
                    let moment = self.world.start + Duration::from_secs(second);
                    for number in 0..3000 {
                        let request = Self::request(command, "hot".into(), number);
                        self.arrive(moment, OTHERS, request);
                    }
                }
            }
            Load::Player(flood) => {
                for number in 0..200 * RUN.as_secs() {
                    let moment = self.world.start + Duration::from_millis(5 * number);
                    let (command, target) = match flood {
                        Flood::Toggles if number % 2 == 1 => (Command::Delete, 0),
                        Flood::Repeats | Flood::Toggles => (Command::Add, 0),
                        Flood::NewTargets => (Command::Add, number),
                    };
                    self.arrive(
                        moment,
                        OTHERS,
                        Self::request(command, "flood".into(), target),
                    );
                }
            }
            Load::Callers { .. } => {
                for caller in 0..64 {
                    self.ask_again(load, OTHERS + 1 + caller);
                }
            }
        }
    }

    fn ask_again(&mut self, load: Load, tag: u64) {
        if let Load::Callers {
            command,
            is_one_owner,
        } = load
        {
            let owner = if is_one_owner { 0 } else { tag - OTHERS };
            let request = Self::request(command, format!("caller{owner}"), self.number);
            self.arrive(self.world.now, tag, request);
        }
    }

    /// The 99th percentile of what quiet owners wait for an answer.
    fn p99(load: Load, round_trip: Range<u64>) -> Duration {
        let mut tail = Self {
            world: World::with(|rules| rules.requests = 32),
            random: fastrand::Rng::with_seed(5),
            arrivals: BTreeMap::new(),
            quiet: HashMap::new(),
            number: 0,
            took: Vec::new(),
            round_trip,
        };
        for tag in 0..QUIET_CALLS as u64 {
            let moment = tail.world.start + RUN.mul_f64(tail.random.f64());
            let command = tail.random.choice([Command::Add, Command::Check]);
            let owner = format!("quiet{}", tail.random.u32(..200));
            let request = Self::request(command.expect("two"), owner, tag);
            tail.arrive(moment, tag, request);
        }
        tail.load(load);
        tail.run(load);
        assert_eq!(tail.took.len(), QUIET_CALLS);
        tail.took.sort_unstable();
        tail.took[QUIET_CALLS * 99 / 100]
    }

    fn run(&mut self, load: Load) {
        let end = self.world.start + RUN;
        while self.took.len() < QUIET_CALLS {
            let now = self.world.now;
            while let Some(first) = self.arrivals.first_entry()
                && first.key().0 <= now
            {
                let (tag, request) = first.remove();
                if tag < OTHERS {
                    self.quiet.insert(tag, now);
                }
                let entered = (tag != OTHERS).then_some(now);
                let scheduler = &mut self.world.scheduler;
                scheduler.accept(Arc::new(request), tag, entered, now);
            }
            match self.world.scheduler.next(now) {
                Next::Send(flight) => {
                    self.number += 1;
                    let took = Duration::from_micros(self.random.u64(self.round_trip.clone()));
                    let key = (now + took, self.number);
                    self.world.flying.insert(key, flight);
                }
                Next::Wait(until) => {
                    let landing = self.world.flying.keys().next().map(|(moment, _)| *moment);
                    let arrival = self.arrivals.keys().next().map(|(moment, _)| *moment);
                    let next = [until, landing, arrival].into_iter().flatten().min();
                    self.world.now = now.max(next.expect("something is left"));
                    self.world.land(&mut |_, request: &Request| all_ok(request));
                    self.take_done(load, end);
                }
            }
        }
    }

    fn take_done(&mut self, load: Load, end: Instant) {
        for (tag, reply) in std::mem::take(&mut self.world.done) {
            assert_eq!(reply.status(), Status::Ok);
            if let Some(accepted) = self.quiet.remove(&tag) {
                self.took.push(self.world.now - accepted);
            } else if tag > OTHERS && self.world.now < end {
                self.ask_again(load, tag);
            }
        }
    }
}

#[test]
fn quiet_owners_wait_at_most_three_times_as_long_beside_others() {
    let round_trip = 5_000..15_000;
    let alone = Tail::p99(Load::Nothing, round_trip.clone());
    let hot = [Command::Add, Command::Check].map(Load::HotOwner);
    let callers = [Command::Add, Command::Check]
        .into_iter()
        .flat_map(|command| {
            [false, true].map(|is_one_owner| Load::Callers {
                command,
                is_one_owner,
            })
        });
    for load in hot.into_iter().chain(callers) {
        let beside = Tail::p99(load, round_trip.clone());
        println!("{load:?}: {beside:?}, alone {alone:?}");
        assert!(beside <= alone * 3, "{load:?}: {beside:?}, alone {alone:?}");
    }
}

#[test]
fn others_wait_at_most_twice_as_long_beside_a_player_who_floods() {
    let round_trip = 50_000..50_001;
    let alone = Tail::p99(Load::Nothing, round_trip.clone());
    for flood in [Flood::Repeats, Flood::Toggles, Flood::NewTargets] {
        let beside = Tail::p99(Load::Player(flood), round_trip.clone());
        println!("{flood:?}: {beside:?}, alone {alone:?}");
        assert!(
            beside <= alone * 2,
            "{flood:?}: {beside:?}, alone {alone:?}"
        );
    }
}
