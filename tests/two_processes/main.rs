//! Two processes and a service: what one of them blocks, the other knows soon, whatever becomes of the webhooks
//! between them. The processes are C programs on the library; the oracle shares no code with it.

mod changer;
mod oracle;
mod relay;
mod worker;

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use changer::Changer;
use oracle::Oracle;
use relay::Relay;
use testkit::receiver::{Manner, Receiver};
use testkit::serve::Serving;
use testkit::{depth, has_tool, report};
use worker::{Connection, Workshop};

const APP: u32 = 1_400_000_001;
const KEY: &str = "synthetic-key-for-tests-0001";
const TOKEN: &str = "synthetic-webhook-token";
/// Who is on no list.
const GHOST: &str = "ghost";

/// How soon a block is seen through its webhook, as promised.
const SOON: Duration = Duration::from_secs(1);
/// How often lists are read again here: without webhooks a block is seen by then.
const REFRESH: Duration = Duration::from_secs(3);
/// Longer than anything takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A service that tells `receiver` what changes.
fn service(receiver: &Receiver) -> Serving {
    let config = json!({"backend": "embedded", "sdkappid": APP, "secret_key": KEY,
        "rate_per_second": 1_000_000, "webhook": {"url": receiver.url(), "token": TOKEN}});
    Serving::start(&config.to_string(), "{}")
}

/// The configuration of a process that reads lists again after `refresh`.
fn client(service: &Serving, refresh: Duration) -> Value {
    json!({"sdkappid": APP, "secret_key": KEY, "base_url": service.url, "rate_per_second": 5000,
        "webhook": {"token": TOKEN},
        "cache": {"refresh_s": refresh.as_secs(), "max_age_s": 2 * refresh.as_secs() + 600}})
}

fn names(kind: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{kind}{number}")).collect()
}

/// Waits until `owner` blocks `peer`; how long after `since` that was.
fn seen(asker: &mut Connection, owner: &str, peer: &str, since: Instant) -> Duration {
    loop {
        let answer = asker.ask(owner, &[peer]);
        let took = since.elapsed();
        if answer == [1] {
            return took;
        }
        assert!(took < PATIENCE, "{owner} never blocked {peer}: {answer:?}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_block_is_seen_by_another_process_within_a_second_through_its_webhook() {
    if !has_tool("exchange", "gcc") {
        return;
    }
    let workshop = Workshop::build();
    let receiver = Receiver::start(Manner::Take);
    let service = service(&receiver);
    let hour = Duration::from_hours(1);
    let (theirs, [mut changer]) = workshop.start(&client(&service, hour));
    let (ours, [mut watcher]) = workshop.start(&client(&service, hour));
    let owners = names("owner", depth().pick(100, 500, 2000));
    watcher.watch(&owners);
    let mut worst = Duration::ZERO;
    for owner in &owners {
        let begin = Instant::now();
        changer.change(true, owner, &["peer"]);
        let webhook = receiver.next();
        let query = webhook.target.split_once('?').expect("a query").1;
        assert_eq!(watcher.apply(query, &webhook.body), 0);
        worst = worst.max(seen(&mut watcher, owner, "peer", begin));
    }
    drop((changer, watcher));
    theirs.end();
    ours.end();
    tell(&format!("{} blocks seen by webhook", owners.len()), worst);
    assert!(worst <= SOON, "{worst:?}");
}

#[test]
fn a_block_is_seen_by_another_process_after_the_refresh_without_webhooks() {
    const OWNERS: usize = 30;
    if !has_tool("exchange", "gcc") {
        return;
    }
    let workshop = Workshop::build();
    let receiver = Receiver::start(Manner::Take);
    let service = service(&receiver);
    let (theirs, changers) = workshop.start::<OWNERS>(&client(&service, REFRESH));
    let (ours, mut watchers) = workshop.start::<OWNERS>(&client(&service, REFRESH));
    let owners = names("owner", OWNERS);
    watchers[0].watch(&owners);
    // At any time between two readings.
    let block = |owner: &str, mut changer: Connection, mut watcher: Connection| {
        thread::sleep(REFRESH.mul_f64(fastrand::f64()));
        let begin = Instant::now();
        changer.change(true, owner, &["peer"]);
        seen(&mut watcher, owner, "peer", begin)
    };
    let worst = thread::scope(|scope| {
        let pairs = changers.into_iter().zip(watchers);
        let all = owners
            .iter()
            .zip(pairs)
            .map(|(owner, (changer, watcher))| scope.spawn(move || block(owner, changer, watcher)));
        let all: Vec<_> = all.collect();
        let times = all.into_iter().map(|one| one.join().expect("a thread"));
        times.max().expect("there are owners")
    });
    theirs.end();
    ours.end();
    let refresh = REFRESH.as_secs();
    tell(
        &format!("{OWNERS} blocks seen without webhooks, lists read every {refresh} s"),
        worst,
    );
    assert!(worst <= REFRESH, "{worst:?}");
}

fn tell(what: &str, worst: Duration) {
    let line = format!("exchange: {what}: after {} ms at most", worst.as_millis());
    report("exchange", &line);
}

/// Threads that change lists, each through a connection of its own, and the owners of each.
const CHANGERS: usize = 8;
const OWNERS_OF_EACH: usize = 12;

/// Everybody whom the changes are about.
struct Cast {
    owners: Vec<String>,
    kept: Vec<String>,
    toggled: Vec<String>,
    oracle: Oracle,
}

impl Cast {
    fn new() -> Self {
        Self {
            owners: names("owner", CHANGERS * OWNERS_OF_EACH),
            kept: names("kept", 30),
            toggled: names("toggled", 10),
            oracle: Oracle::default(),
        }
    }

    fn peers(&self) -> Vec<&str> {
        let peers = self.kept.iter().chain(&self.toggled).map(String::as_str);
        peers.chain([GHOST]).collect()
    }

    /// Asks about everybody in any order; how many answers were a yes because they had to be one.
    fn ask(&self, asker: &mut Connection, is_over: impl Fn() -> bool) -> u64 {
        let (peers, mut sure) = (self.peers(), 0);
        while !is_over() {
            let owner = fastrand::choice(&self.owners).expect("there are owners");
            let before = self.oracle.before_question(owner, &peers);
            let answers = asker.ask(owner, &peers);
            sure += self.oracle.check(owner, &peers, &before, &answers);
            assert_eq!(answers.last(), Some(&0), "{owner} never blocked {GHOST}");
            // The processor is for the others.
            thread::sleep(Duration::from_millis(2));
        }
        sure
    }

    /// How many of all answers are not as the lists are.
    fn wrong(&self, asker: &mut Connection) -> usize {
        let peers = self.peers();
        let wrong = |owner: &String| self.oracle.wrong(owner, &peers, &asker.ask(owner, &peers));
        self.owners.iter().map(wrong).sum()
    }
}

/// Waits until every list was read again after `moment`.
fn read_again(asker: &mut Connection, moment: Instant) {
    loop {
        let elapsed = moment.elapsed();
        let oldest = asker.stats()["cache"]["oldest_ms"].as_u64();
        if oldest.is_some_and(|oldest| Duration::from_millis(oldest) < elapsed) {
            return;
        }
        assert!(elapsed < PATIENCE, "the lists are not read again");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn lost_doubled_reordered_forged_and_stale_webhooks_do_no_harm() {
    if !has_tool("exchange", "gcc") {
        return;
    }
    let (workshop, cast) = (Workshop::build(), Cast::new());
    let calls = depth().pick(1250, 3000, 30_000);
    let receiver = Receiver::start(Manner::Take);
    let service = service(&receiver);
    let (theirs, changers) = workshop.start::<CHANGERS>(&client(&service, REFRESH));
    let (ours, [mut watcher, mut asker]) = workshop.start(&client(&service, REFRESH));
    watcher.watch(&cast.owners);
    let relay = Relay::new(receiver, watcher, &cast.oracle, &cast.owners);
    let (counts, sure) = thread::scope(|scope| {
        let relay = scope.spawn(move || relay.carry(calls * CHANGERS as u64));
        let shares = cast.owners.chunks(OWNERS_OF_EACH);
        for (connection, owners) in changers.into_iter().zip(shares) {
            let changer = Changer {
                connection,
                oracle: &cast.oracle,
                owners,
                kept: &cast.kept,
                toggled: &cast.toggled,
            };
            scope.spawn(move || changer.run(calls));
        }
        let sure = cast.ask(&mut asker, || relay.is_finished());
        (relay.join().expect("the relay ends"), sure)
    });
    read_again(&mut asker, Instant::now());
    let wrong = cast.wrong(&mut asker);
    let told = &asker.stats()["webhooks"];
    drop(asker);
    theirs.end();
    ours.end();
    report(
        "exchange",
        &format!(
            "exchange: events {} (lost {}, doubled {}, reordered {}; forged {} and stale {} refused), \
             never a no in {sure} answers about accepted adds, wrong answers {wrong}",
            counts.events,
            counts.lost,
            counts.doubled,
            counts.reordered,
            counts.forged,
            counts.stale
        ),
    );
    assert_eq!(wrong, 0);
    assert!(sure > counts.events, "{sure} are too few");
    let counted = ["accepted", "forged", "stale"].map(|kind| told[kind].as_u64());
    let brought = [counts.accepted, counts.forged, counts.stale];
    assert_eq!(counted, brought.map(Some), "{told}");
}
