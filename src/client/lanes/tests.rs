//! The lanes on virtual time: a script stands for the service, and nothing sleeps.

use super::*;
use crate::api::codes::{self, ALREADY_EXIST};
use crate::api::{Answer, CheckType, Item, Verdict};
use crate::client::reply::Reply;

type Outcome = Result<Answer, Error>;

/// One request as the service saw it.
#[derive(Clone, Debug)]
struct Seen {
    at: Duration,
    request: Request,
}

/// Lanes with a clock of their own and a service that takes `latency` for each answer.
struct World {
    lanes: Lanes<u64>,
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
        };
        change(&mut rules);
        let start = Instant::now();
        Self {
            lanes: Lanes::new(rules, fastrand::Rng::with_seed(7)),
            start,
            now: start,
            latency: Duration::from_millis(10),
            seen: Vec::new(),
            renewed: 0,
            done: Vec::new(),
            flying: BTreeMap::new(),
        }
    }

    fn submit(&mut self, tag: u64, from: &str, operation: Operation) {
        let request = Request {
            from: from.into(),
            operation,
        };
        self.lanes.accept(request, tag, None, self.now);
    }

    fn add(&mut self, tag: u64, from: &str, targets: &[&str]) {
        self.submit(tag, from, Operation::Add(owned(targets)));
    }

    /// Runs until nothing is left to do.
    fn run(&mut self, mut service: impl FnMut(usize, &Request) -> Outcome) {
        loop {
            match self.lanes.next(self.now) {
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
                    let Some(next) = [until, landing].into_iter().flatten().min() else {
                        return;
                    };
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
            self.renewed += usize::from(self.lanes.settle(flight, outcome, self.now));
        }
        self.collect();
    }

    fn collect(&mut self) {
        let done = self.lanes.take_done().into_iter();
        self.done
            .extend(done.map(|done| (done.caller, Reply::from_assembly(done.call))));
    }

    fn reply(&self, tag: u64) -> &Reply {
        let mut own = self.done.iter().filter(|(own, _)| *own == tag);
        let (_, reply) = own.next().expect("the call is done");
        assert!(own.next().is_none(), "call {tag} was completed twice");
        reply
    }

    fn requests(&self) -> Vec<(Command, Vec<String>)> {
        let seen = self.seen.iter();
        seen.map(|seen| (seen.request.command(), seen.request.targets().to_vec()))
            .collect()
    }
}

fn owned(targets: &[&str]) -> Vec<String> {
    targets.iter().map(ToString::to_string).collect()
}

fn names(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| format!("u{number}")).collect()
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

#[test]
fn a_long_list_goes_out_in_parts_one_after_another() {
    let mut world = World::new();
    world.submit(1, "ann", Operation::Add(names(0..2500)));
    world.run(|_, request| all_ok(request));
    let sizes: Vec<_> = world
        .seen
        .iter()
        .map(|seen| (seen.at.as_millis(), seen.request.targets().len()))
        .collect();
    assert_eq!(sizes, [(0, 1000), (10, 1000), (20, 500)]);
    let order: Vec<_> = world
        .reply(1)
        .items()
        .iter()
        .map(|item| item.account().to_owned())
        .collect();
    assert_eq!(order, names(0..2500));
    assert_eq!(world.reply(1).json().matches("To_Account").count(), 2500);
}

#[test]
fn after_a_part_that_failed_for_good_the_rest_is_not_sent() {
    let mut world = World::new();
    world.submit(1, "ann", Operation::Add(names(0..2500)));
    world.run(|call, request| match call {
        1 => all_ok(request),
        _ => Ok(Answer::refused(60020, "arrears")),
    });
    assert_eq!(world.seen.len(), 2);
    let reply = world.reply(1);
    assert_eq!(
        (reply.status(), reply.service_code()),
        (Status::Partial, 60020)
    );
    assert!(!reply.is_retryable());
    let statuses = statuses(reply);
    assert!(statuses[..1000].iter().all(|status| *status == Status::Ok));
    assert!(
        statuses[1000..]
            .iter()
            .all(|status| *status == Status::Service)
    );
    assert!(reply.json().contains("\"ErrorCode\":60020"));
    assert_eq!(reply.json().matches("\"ResultCode\":0").count(), 1000);
}

#[test]
fn writes_of_one_owner_are_merged_while_one_is_in_flight() {
    let mut world = World::new();
    world.add(1, "ann", &["a"]);
    for tag in 2..6 {
        world.submit(tag, "ann", Operation::Add(vec![format!("u{tag}")]));
    }
    world.lanes.accept(
        Request {
            from: "ann".into(),
            operation: Operation::Delete(owned(&["a"])),
        },
        6,
        None,
        world.now,
    );
    world.run(|_, request| all_ok(request));
    let expected = [
        (Command::Add, owned(&["a", "u2", "u3", "u4", "u5"])),
        (Command::Delete, owned(&["a"])),
    ];
    assert_eq!(world.requests(), expected);
    for tag in 1..7 {
        assert_eq!(world.reply(tag).status(), Status::Ok);
        assert_eq!(world.reply(tag).items().len(), 1);
    }
}

#[test]
fn a_target_that_comes_again_ends_the_run() {
    let mut world = World::new();
    world.add(1, "ann", &["a", "b"]);
    world.add(2, "ann", &["c", "a"]);
    world.add(3, "ann", &["d"]);
    world.run(|_, request| all_ok(request));
    let expected = [
        (Command::Add, owned(&["a", "b"])),
        (Command::Add, owned(&["c", "a", "d"])),
    ];
    assert_eq!(world.requests(), expected);
}

#[test]
fn a_call_that_names_a_target_twice_goes_alone_as_it_is() {
    let mut world = World::new();
    world.add(1, "ann", &["x"]);
    world.add(2, "ann", &["a", "a"]);
    world.add(3, "ann", &["b"]);
    world.run(|_, request| all_ok(request));
    let sent: Vec<_> = world
        .requests()
        .into_iter()
        .map(|(_, targets)| targets)
        .collect();
    assert_eq!(sent, [owned(&["x"]), owned(&["a", "a"]), owned(&["b"])]);
}

#[test]
fn a_merged_request_never_exceeds_a_thousand_targets() {
    let mut world = World::new();
    for tag in 0..4 {
        let start = tag * 400;
        world.submit(tag as u64, "ann", Operation::Add(names(start..start + 400)));
    }
    world.run(|_, request| all_ok(request));
    let sizes: Vec<_> = world
        .requests()
        .iter()
        .map(|(_, targets)| targets.len())
        .collect();
    assert_eq!(sizes, [800, 800]);
}

#[test]
fn owners_do_not_wait_for_each_other() {
    let mut world = World::new();
    world.add(1, "ann", &["x"]);
    world.add(2, "bob", &["x"]);
    world.run(|_, request| all_ok(request));
    assert!(world.seen.iter().all(|seen| seen.at == Duration::ZERO));
}

#[test]
fn a_read_waits_for_the_writes_before_it_and_holds_none_behind_it() {
    let mut world = World::new();
    world.add(1, "ann", &["a"]);
    world.submit(2, "ann", Operation::Check(owned(&["a"]), CheckType::Single));
    world.submit(3, "ann", Operation::Delete(owned(&["a"])));
    world.run(|_, request| all_ok(request));
    let order: Vec<_> = world
        .seen
        .iter()
        .map(|seen| (seen.at.as_millis(), seen.request.command()))
        .collect();
    assert_eq!(
        order,
        [
            (0, Command::Add),
            (10, Command::Check),
            (10, Command::Delete)
        ]
    );
}

#[test]
fn only_what_failed_for_a_while_is_asked_again() {
    let mut world = World::new();
    world.add(1, "ann", &["a", "b"]);
    world.add(2, "ann", &["c"]);
    world.run(|call, request| {
        if call > 1 {
            return all_ok(request);
        }
        let codes = [("a", 0), ("b", 30008), ("c", 30003)];
        Ok(Answer::accepted(
            codes.map(|(account, code)| item(account, code, "")).into(),
        ))
    });
    assert_eq!(
        world.requests().last().map(|(_, targets)| targets.clone()),
        Some(owned(&["b"]))
    );
    assert_eq!(world.reply(1).status(), Status::Ok);
    assert_eq!(world.reply(2).service_code(), 30003);
    assert_eq!(
        world.done[0].0, 2,
        "the call that needs no repetition is done first"
    );
}

#[test]
fn after_a_lost_answer_already_blocked_is_success() {
    let mut world = World::new();
    world.add(1, "ann", &["a"]);
    world.run(|call, _| match call {
        1 => Err(Error::new(Status::Network, "lost")),
        _ => Ok(Answer::accepted(vec![item("a", 30001, ALREADY_EXIST)])),
    });
    assert_eq!(world.reply(1).status(), Status::Ok);
    assert_eq!(statuses(world.reply(1)), [Status::Unchanged]);
    assert_eq!(world.reply(1).message(), "");
}

#[test]
fn silence_about_one_account_is_not_success() {
    let mut world = World::new();
    world.add(1, "ann", &["a", "b"]);
    world.run(|_, request| {
        let mut answer = all_ok(request)?;
        for item in answer.items.iter_mut().filter(|item| item.account == "b") {
            item.verdict = Verdict::Unanswered;
        }
        Ok(answer)
    });
    assert_eq!(world.seen.len(), 3);
    assert_eq!(statuses(world.reply(1)), [Status::Ok, Status::Network]);
    assert!(world.reply(1).is_retryable());
}

#[test]
fn the_mistake_of_one_call_does_not_fail_those_merged_with_it() {
    let mut world = World::new();
    world.add(1, "ann", &["a"]);
    world.add(2, "ann", &["bad"]);
    world.add(3, "ann", &["c"]);
    world.run(|_, request| {
        if request.targets().contains(&"bad".to_owned()) {
            return Ok(Answer::refused(30001, "bad account"));
        }
        all_ok(request)
    });
    assert_eq!(world.reply(1).status(), Status::Ok);
    assert_eq!(
        (world.reply(2).status(), world.reply(2).service_code()),
        (Status::Service, 30001)
    );
    assert_eq!(world.reply(3).status(), Status::Ok);
    assert_eq!(world.seen.len(), 4);
}

#[test]
fn an_expired_signature_is_renewed_once() {
    let mut world = World::new();
    world.add(1, "ann", &["a"]);
    world.run(|_, _| Ok(Answer::refused(70001, "expired")));
    assert_eq!((world.seen.len(), world.renewed), (2, 1));
    assert_eq!(world.reply(1).service_code(), 70001);
    assert!(
        world.reply(1).message().contains("clock"),
        "{}",
        world.reply(1).message()
    );
}

#[test]
fn a_deadline_holds_to_the_instant() {
    let mut world = World::new();
    world.latency = Duration::from_secs(60);
    world.add(1, "ann", &["a"]);
    world.add(2, "ann", &["a"]);
    let mut ended = Vec::new();
    while ended.is_empty() {
        match world.lanes.next(world.now) {
            Next::Send(flight) => drop(world.flying.insert((world.now + world.latency, 0), flight)),
            Next::Wait(until) => {
                world.now = until.expect("a deadline is near");
                world.lanes.next(world.now);
                ended = world.lanes.take_done();
            }
        }
    }
    assert_eq!(world.now - world.start, Duration::from_secs(12));
    assert_eq!(
        ended.len(),
        1,
        "the call that was not sent has no deadline yet"
    );
    assert_eq!(
        Reply::from_assembly(ended.remove(0).call).status(),
        Status::Timeout
    );
}

#[test]
fn a_delay_beyond_the_deadline_is_not_waited_for() {
    let mut world = World::with(|rules| rules.call_time = Some(Duration::from_millis(500)));
    world.add(1, "ann", &["a"]);
    world.run(|_, _| Ok(Answer::refused(60007, "slow down")));
    assert_eq!(world.seen.len(), 1);
    assert_eq!(world.reply(1).service_code(), 60007);
    assert!(world.now - world.start < Duration::from_millis(500));
}

#[test]
fn no_window_of_a_second_holds_more_calls_than_the_pace() {
    let mut world = World::with(|rules| rules.rate_per_second = Some(20));
    for tag in 0..100 {
        world.submit(tag, &format!("owner{tag}"), Operation::Add(owned(&["x"])));
    }
    world.run(|_, request| all_ok(request));
    let times: Vec<_> = world.seen.iter().map(|seen| seen.at).collect();
    for (index, start) in times.iter().enumerate() {
        let within = times[index..]
            .iter()
            .take_while(|time| **time < *start + Duration::from_secs(1));
        assert!(within.count() <= 20);
    }
    assert_eq!(times.last(), Some(&Duration::from_secs(4)));
}

#[test]
fn the_pace_is_fair_over_owners() {
    let mut world = World::with(|rules| rules.rate_per_second = Some(1));
    for tag in 0..10 {
        world.add(tag, "busy", &["same"]);
    }
    world.add(10, "quiet", &["x"]);
    world.run(|_, request| all_ok(request));
    let position = world
        .seen
        .iter()
        .position(|seen| seen.request.from == "quiet");
    assert!(position <= Some(1), "{position:?}");
}

#[test]
fn an_outage_adds_at_most_a_tenth_to_the_load() {
    let mut world = World::with(|rules| rules.rate_per_second = Some(1000));
    for tag in 0..5000 {
        world.submit(tag, &format!("owner{tag}"), Operation::Add(owned(&["x"])));
    }
    world.run(|_, _| Err(Error::new(Status::Network, "down")));
    assert_eq!(world.done.len(), 5000);
    assert!(world.seen.len() <= 5000 + 500 + 32, "{}", world.seen.len());
}

#[test]
fn what_was_not_sent_can_be_cancelled_and_completes_once() {
    let mut world = World::new();
    world.add(1, "ann", &["a"]);
    let Next::Send(flight) = world.lanes.next(world.now) else {
        panic!("a write may go at once");
    };
    world.add(2, "ann", &["b"]);
    world.add(2, "ann", &["c"]);
    let error = Error::new(Status::Cancelled, "cancelled");
    assert_eq!(world.lanes.cancel(|tag| *tag == 1, &error), 0);
    assert_eq!(world.lanes.cancel(|tag| *tag == 2, &error), 2);
    let outcome = all_ok(&flight.request);
    world.lanes.settle(flight, outcome, world.now);
    world.run(|_, request| all_ok(request));
    assert_eq!(
        world.seen.len(),
        0,
        "nothing of the cancelled calls goes out"
    );
    let statuses: Vec<_> = world
        .done
        .iter()
        .map(|(tag, reply)| (*tag, reply.status()))
        .collect();
    assert_eq!(
        statuses,
        [
            (2, Status::Cancelled),
            (2, Status::Cancelled),
            (1, Status::Ok)
        ]
    );
}

#[test]
fn nothing_is_left_when_everything_is_done() {
    let mut world = World::new();
    for tag in 0..20 {
        world.submit(
            tag,
            &format!("owner{}", tag % 3),
            Operation::Add(vec![format!("u{tag}")]),
        );
        world.submit(
            100 + tag,
            &format!("owner{}", tag % 3),
            Operation::Check(owned(&["x"]), CheckType::Both),
        );
    }
    world.run(|call, request| match call % 3 {
        0 => Err(Error::new(Status::Network, "lost")),
        1 => Ok(Answer::refused(30008, "conflict")),
        _ => all_ok(request),
    });
    assert_eq!(world.done.len(), 40);
    let lanes = &world.lanes;
    assert_eq!(
        (lanes.calls.len(), lanes.owners.len(), lanes.in_flight),
        (0, 0, 0)
    );
    assert!(lanes.delayed.is_empty() && lanes.deadlines.is_empty());
}

#[test]
fn after_too_many_refused_signatures_nothing_is_sent_for_a_minute() {
    let mut world = World::new();
    world.add(1, "ann", &["a"]);
    world.run(|_, _| Ok(Answer::refused(70050, "too many")));
    let waits = Request {
        from: "bob".into(),
        operation: Operation::Add(owned(&["b"])),
    };
    let (entered, tag) = (Some(world.now), 2);
    world.lanes.accept(waits, tag, entered, world.now);
    world.add(3, "cat", &["c"]);
    world.run(|_, request| all_ok(request));
    let reply = world.reply(2);
    assert_eq!(
        (reply.status(), reply.service_code()),
        (Status::Service, 70050)
    );
    assert!(reply.is_retryable(), "who waits is told at once");
    assert_eq!(
        world.reply(3).status(),
        Status::Ok,
        "who does not wait goes out later"
    );
    let times: Vec<_> = world.seen.iter().map(|seen| seen.at.as_millis()).collect();
    assert_eq!(times, [0, 60_010]);
}

#[test]
fn no_more_requests_are_under_way_than_allowed() {
    let mut world = World::with(|rules| rules.requests = 2);
    for tag in 0..6 {
        world.submit(tag, &format!("owner{tag}"), Operation::Add(owned(&["x"])));
    }
    world.run(|_, request| all_ok(request));
    let times: Vec<_> = world.seen.iter().map(|seen| seen.at.as_millis()).collect();
    assert_eq!(times, [0, 0, 10, 10, 20, 20]);
}

#[test]
fn a_refusal_that_concerns_everybody_is_not_asked_for_one_by_one() {
    let mut world = World::new();
    for tag in 0..20 {
        world.submit(tag, "ann", Operation::Add(vec![format!("u{tag}")]));
    }
    world.run(|_, _| Ok(Answer::refused(60020, "arrears")));
    assert_eq!(world.seen.len(), 1);
    assert!((0..20).all(|tag| world.reply(tag).service_code() == 60020));
}
