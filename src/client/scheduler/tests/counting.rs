//! The counters after every way in which a call can end.

use super::*;
use crate::api::Command;
use crate::client::stats::{CallCounts, ServiceStats, Stats};

impl World {
    fn stats(&mut self) -> Stats {
        assert_eq!(self.scheduler.count_fault(), None);
        let mut stats = Stats::default();
        self.scheduler.fill(&mut stats, self.now);
        stats
    }

    fn adds(&mut self) -> CallCounts {
        self.stats().calls.by_command.add
    }
}

fn error(status: Status) -> Outcome {
    Err(Error::new(status, "planned"))
}

/// Counts of one call to `targets` that met `outcome` at every attempt.
fn one_add(targets: &[&str], outcome: impl Fn(&Request) -> Outcome) -> CallCounts {
    let mut world = World::new();
    world.add(1, "ann", targets);
    assert_eq!(world.adds().pending, 1);
    world.run(|_, request| outcome(request));
    world.adds()
}

#[test]
fn a_call_is_confirmed_when_every_account_is_as_wanted() {
    let counts = one_add(&["a", "b"], |_| {
        let items = vec![item("a", 0, ""), item("b", 30001, ALREADY_EXIST)];
        Ok(Answer::accepted(items))
    });
    assert_eq!((counts.accepted, counts.confirmed), (1, 1));
}

#[test]
fn a_call_is_refused_when_an_account_is_not_as_wanted() {
    let part = |_: &Request| {
        Ok(Answer::accepted(vec![
            item("a", 0, ""),
            item("b", 30003, ""),
        ]))
    };
    assert_eq!(one_add(&["a", "b"], part).refused, 1);
    let whole = |_: &Request| Ok(Answer::refused(30004, "no admin"));
    assert_eq!(one_add(&["a", "b"], whole).refused, 1);
}

#[test]
fn a_call_is_unknown_when_it_was_sent_and_not_answered() {
    for status in [Status::Network, Status::Timeout] {
        assert_eq!(one_add(&["a"], |_| error(status)).in_doubt, 1);
    }
    let mut world = World::new();
    world.add(1, "ann", &["bob"]);
    assert!(matches!(world.scheduler.next(world.now), Next::Send(_)));
    world
        .scheduler
        .end_all(&Error::new(Status::Closed, "closing"));
    assert_eq!(world.adds().in_doubt, 1);
}

#[test]
fn a_call_that_never_left_is_not_sent() {
    assert_eq!(one_add(&["a"], |_| error(Status::Connect)).not_sent, 1);
    let mut world = World::new();
    world.add(1, "ann", &["bob"]);
    let cancelled = Error::new(Status::Cancelled, "cancelled");
    assert_eq!(world.scheduler.cancel(&[0], &cancelled, world.now), 1);
    world.add(2, "ann", &["bob"]);
    world
        .scheduler
        .end_all(&Error::new(Status::Closed, "closing"));
    let adds = world.adds();
    assert_eq!((adds.cancelled, adds.not_sent, adds.pending), (1, 1, 0));
}

#[test]
fn a_call_that_runs_out_of_time_before_its_turn_is_not_sent() {
    let mut world = World::with(|rules| rules.requests = 1);
    world.latency = Duration::from_mins(1);
    for target in ["a", "b"] {
        let request = Request {
            owner: "ann".into(),
            operation: Operation::Add(owned(&[target])),
        };
        world
            .scheduler
            .accept(Arc::new(request), 0, Some(world.now), world.now);
        let _ = world.scheduler.next(world.now);
    }
    world.now += Duration::from_secs(12);
    let _ = world.scheduler.next(world.now);
    let adds = world.adds();
    assert_eq!((adds.in_doubt, adds.not_sent), (1, 1));
}

#[test]
fn requests_accounts_and_merged_calls_are_counted() {
    let mut world = World::new();
    for tag in 0..3 {
        world.add(tag, "ann", &[&format!("t{tag}")]);
    }
    world.submit(
        9,
        "ann",
        Operation::Check(owned(&["t1"]), CheckType::Single),
    );
    world.run(|_, request| all_ok(request));
    let stats = world.stats();
    let adds = stats.requests.add;
    assert_eq!((adds.sent, adds.accounts, adds.merged_calls), (1, 3, 3));
    assert_eq!(stats.requests.check.sent, 1);
    assert_eq!(stats.calls.total.confirmed, 4);
}

#[test]
fn every_repetition_has_its_reason() {
    let retries_after = |first: fn(&Request) -> Outcome| {
        let mut world = World::new();
        world.add(1, "ann", &["a"]);
        world.run(|number, request| {
            if number == 1 {
                first(request)
            } else {
                all_ok(request)
            }
        });
        assert_eq!(world.adds().confirmed, 1);
        world.stats().retries.expect("calls are repeated")
    };
    assert_eq!(retries_after(|_| error(Status::Timeout)).timeout, 1);
    assert_eq!(retries_after(|_| error(Status::Network)).network, 1);
    assert_eq!(retries_after(|_| error(Status::Connect)).connect, 1);
    assert_eq!(
        retries_after(|_| Ok(Answer::refused(60007, ""))).throttled,
        1
    );
    assert_eq!(retries_after(|_| Ok(Answer::refused(30006, ""))).busy, 1);
    assert_eq!(
        retries_after(|_| Ok(Answer::refused(70001, ""))).signature,
        1
    );
    let conflict = |_: &Request| Ok(Answer::accepted(vec![item("a", 30008, "")]));
    assert_eq!(retries_after(conflict).busy, 1);
    let silent = |_: &Request| {
        Ok(Answer::accepted(vec![Item::answered(
            "a",
            0,
            "",
            Verdict::Unanswered,
        )]))
    };
    assert_eq!(retries_after(silent).unanswered, 1);
}

#[test]
fn the_breaker_shows_how_long_it_stays_open() {
    let mut world = World::new();
    world.add(1, "ann", &["a"]);
    world.run(|_, _| Ok(Answer::refused(codes::SIGNATURES_REFUSED, "")));
    let mut stats = Stats {
        service: Some(ServiceStats::default()),
        ..Stats::default()
    };
    world.scheduler.fill(&mut stats, world.now);
    assert_eq!(
        stats.service.map(|service| service.breaker_ms),
        Some(60_000)
    );
    assert_eq!(stats.calls.total.refused, 1);
}

#[test]
fn waiting_for_the_rate_limit_is_counted_once_for_all_that_wait_together() {
    let mut world = World::with(|rules| rules.rate_per_second = Some(2));
    for tag in 0..5 {
        world.add(tag, &format!("owner{tag}"), &["bob"]);
    }
    world.run(|_, request| all_ok(request));
    let rate_limiter = world.stats().rate_limit.expect("a rate_limiter");
    assert_eq!(rate_limiter.full_per_second, 2);
    let adds = rate_limiter.by_command.add;
    assert_eq!((adds.per_second, adds.waits, adds.waited_ms), (2, 2, 2020));
    assert_eq!(rate_limiter.by_command.delete.waits, 0);
}

#[test]
fn a_call_is_timed_from_acceptance_to_its_end() {
    let mut world = World::new();
    world.scheduler.tally().time_calls();
    for tag in 0..100 {
        world.latency = Duration::from_millis(if tag == 0 { 700 } else { 10 });
        world.add(tag, "ann", &["bob"]);
        world.run(|_, request| all_ok(request));
    }
    world.add(101, "ann", &["bob"]);
    assert_eq!(
        world
            .scheduler
            .cancel(&[100], &out_of_time(Command::Add), world.now),
        1
    );
    let adds = world.stats().latency.add;
    assert_eq!(adds.count, 100, "a call that was not sent is not timed");
    assert!((10_000..10_101).contains(&adds.p50_us), "{adds:?}");
    assert!((10_000..10_101).contains(&adds.p99_us), "{adds:?}");
    assert!((700_000..707_001).contains(&adds.max_us), "{adds:?}");
}

#[test]
fn what_waits_is_counted_by_owner() {
    let mut world = World::new();
    for tag in 0..4 {
        world.add(tag, "ann", &["bob"]);
    }
    world.add(9, "zoe", &["bob"]);
    let queue = world.stats().queue;
    assert_eq!(
        (queue.owners, queue.deepest_owner, queue.in_flight),
        (2, 4, 0)
    );
}
