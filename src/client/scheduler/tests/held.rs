//! Recorded writes and refusals: a refusal of the caller holds all writes and ends none.

use super::*;
use crate::client::stats::{HoldStats, OutboxStats, ServiceStats, Stats};

pub(super) const MINUTE: Duration = Duration::from_mins(1);

/// A world whose writes are recorded.
pub(super) fn durable() -> World {
    World::with(|rules| rules.recorded = true)
}

impl World {
    /// A write with a waiting caller; it is not on disk yet.
    pub(super) fn wait(&mut self, tag: u64, owner: &str, targets: &[&str]) {
        let request = Request {
            owner: owner.into(),
            operation: Operation::Add(owned(targets)),
        };
        let entered = Some(self.now);
        self.scheduler
            .accept(Arc::new(request), tag, entered, self.now);
    }

    /// What was accepted is on disk now.
    pub(super) fn record(&mut self) {
        self.scheduler.record(self.scheduler.next_call(), self.now);
        self.collect();
    }

    pub(super) fn run_for(
        &mut self,
        time: Duration,
        service: impl FnMut(usize, &Request) -> Outcome,
    ) {
        self.run_until(Some(self.now + time), service);
    }

    pub(super) fn held(&mut self) -> Option<HoldStats> {
        self.look().outbox.and_then(|outbox| outbox.held)
    }

    pub(super) fn look(&mut self) -> Stats {
        let mut stats = Stats {
            outbox: Some(OutboxStats::default()),
            service: Some(ServiceStats::default()),
            ..Stats::default()
        };
        self.scheduler.fill(&mut stats, self.now);
        stats
    }

    pub(super) fn seconds(&self) -> Vec<u64> {
        self.seen.iter().map(|seen| seen.at.as_secs()).collect()
    }
}

fn refuses(code: i32) -> impl Fn(usize, &Request) -> Outcome {
    move |_, _| Ok(Answer::refused(code, "planned"))
}

#[test]
fn a_refusal_about_the_caller_ends_no_recorded_write_and_is_tried_again_once_a_minute() {
    for code in [
        70009, 60020, 60021, 60026, 70020, 70050, 30004, 99999, 60004, 70001,
    ] {
        let mut world = durable();
        for tag in 0..20 {
            let owner = format!("owner{}", tag % 10);
            world.add(tag, &owner, &[&format!("t{tag}")]);
        }
        world.record();
        let first = |_: usize, _: &Request| Ok(Answer::refused(code, "planned"));
        world.run_for(Duration::from_secs(30), first);
        let burst = world.seen.len();
        assert!(burst <= 30, "{code}: {burst} requests at once");
        world.run_for(MINUTE * 10, refuses(code));
        let probes = world.seen.len() - burst;
        assert_eq!(probes, 10, "{code}: {:?}", world.seconds());
        assert!(world.done.is_empty(), "{code}");
        assert_eq!(world.held().map(|held| held.code), Some(code));
        world.run_for(MINUTE * 2, |_, request| all_ok(request));
        assert_eq!((world.done.len(), world.held()), (20, None), "{code}");
        assert!((0..20).all(|tag| world.reply(tag).status() == Status::Ok));
    }
}

#[test]
fn every_whole_refusal_of_the_table_that_is_not_about_the_write_leaves_it() {
    for row in codes::SERVICE_CODES {
        let mut world = durable();
        world.add(1, "ann", &["bob"]);
        world.record();
        world.run_for(MINUTE * 3, refuses(row.code));
        let is_over = row.concern == codes::Concern::Write;
        assert_eq!(world.done.len(), usize::from(is_over), "{}", row.code);
    }
}

#[test]
fn a_page_of_a_firewall_holds_what_is_recorded() {
    let mut world = durable();
    world.wait(1, "ann", &["bob"]);
    world.record();
    let forbidden = |_: usize, _: &Request| Err(Error::page(403, "HTTP status 403"));
    world.run_for(MINUTE, forbidden);
    assert_eq!(world.seen.len(), 1);
    let held = world.held().expect("it is held");
    assert_eq!((held.code, held.http_status), (0, 403));
    let reply = world.reply(1);
    assert_eq!(statuses(reply), [Status::Queued]);
    assert_eq!((reply.status(), reply.service_code()), (Status::Queued, 0));
    assert!(
        reply.message().contains("HTTP status 403"),
        "{}",
        reply.message()
    );
}

#[test]
fn the_rest_after_too_many_signatures_holds_what_is_recorded_whoever_met_it() {
    let mut world = durable();
    world.submit(
        1,
        "ann",
        Operation::Check(owned(&["bob"]), CheckType::Single),
    );
    world.run_for(Duration::from_secs(1), refuses(70050));
    world.wait(2, "cat", &["dan"]);
    world.record();
    let reply = world.reply(2);
    assert_eq!(
        (reply.status(), reply.service_code()),
        (Status::Queued, 70050)
    );
    world.run_for(MINUTE * 2, |_, request| all_ok(request));
    assert_eq!(world.seconds(), [0, 60]);
}

#[test]
fn who_comes_when_the_next_probe_is_due_waits_for_its_answer() {
    for code in [0, 70009] {
        let mut world = durable();
        world.submit(
            1,
            "ann",
            Operation::Check(owned(&["bob"]), CheckType::Single),
        );
        world.run_for(MINUTE * 60, refuses(70050));
        assert!(world.held().is_some(), "no write has asked since");
        world.wait(2, "cat", &["dan"]);
        world.wait(3, "eve", &["fay"]);
        world.record();
        assert_eq!(world.done.len(), 1);
        world.run_for(Duration::from_secs(1), |number, request| match code {
            0 => all_ok(request),
            code => refuses(code)(number, request),
        });
        let expected = if code == 0 {
            Status::Ok
        } else {
            Status::Queued
        };
        for tag in [2, 3] {
            assert_eq!(world.reply(tag).status(), expected);
        }
    }
}

#[test]
fn a_request_that_is_refused_alone_holds_no_other() {
    let mut world = durable();
    world.add(1, "bad", &["bob"]);
    world.add(2, "ann", &["bob"]);
    world.record();
    let service = |_: usize, request: &Request| match &*request.owner {
        "bad" => Err(Error::page(403, "HTTP status 403")),
        _ => all_ok(request),
    };
    world.run_for(MINUTE * 3, service);
    assert_eq!(world.reply(2).status(), Status::Ok);
    assert_eq!(world.held(), None);
    let before = world.seen.len();
    for tag in 10..20 {
        world.wait(tag, "ann", &["cat"]);
        world.record();
        world.run_for(MINUTE, service);
        assert_eq!(world.reply(tag).status(), Status::Ok);
    }
    let tries = world.seen[before..].iter();
    let tries = tries.filter(|seen| seen.request.owner == "bad").count();
    assert!((5..=10).contains(&tries), "{tries}");
}

#[test]
fn while_held_another_write_is_the_next_probe() {
    let mut world = durable();
    world.add(1, "bad", &["bob"]);
    world.record();
    let service = |_: usize, request: &Request| match &*request.owner {
        "bad" => Ok(Answer::refused(70009, "planned")),
        _ => all_ok(request),
    };
    world.run_for(MINUTE * 3, service);
    world.wait(2, "ann", &["bob"]);
    world.record();
    assert_eq!(world.reply(2).status(), Status::Queued);
    world.run_for(MINUTE * 2, service);
    assert_eq!(world.held(), None);
    world.wait(3, "ann", &["cat"]);
    world.record();
    world.run_for(Duration::from_secs(1), service);
    assert_eq!(world.reply(3).status(), Status::Ok);
}

#[test]
fn an_item_that_fails_for_the_callers_sake_stays() {
    for code in [30004, 99999] {
        let mut world = durable();
        world.add(1, "ann", &["bob", "cat"]);
        world.record();
        let one_fails = |_: usize, request: &Request| {
            let items = request.targets().iter();
            let items =
                items.map(|target| item(target, if *target == "cat" { code } else { 0 }, ""));
            Ok(Answer::accepted(items.collect()))
        };
        world.run_for(MINUTE * 3, one_fails);
        assert!(world.done.is_empty(), "{code}");
        world.run_for(MINUTE * 3, |_, request| all_ok(request));
        assert_eq!(world.reply(1).status(), Status::Ok);
    }
}

#[test]
fn items_that_all_refuse_the_caller_hold_everything() {
    let mut world = durable();
    world.add(1, "ann", &["bob", "cat"]);
    world.record();
    world.run_for(MINUTE * 5, |_, request| {
        let items = request.targets().iter();
        Ok(Answer::accepted(
            items.map(|target| item(target, 30004, "")).collect(),
        ))
    });
    assert_eq!(world.seconds(), [0, 60, 120, 180, 240]);
    assert_eq!(world.held().map(|held| held.code), Some(30004));
}

#[test]
fn every_change_is_one_line_for_the_log() {
    let mut world = durable();
    world.add(1, "ann", &["bob"]);
    world.record();
    world.run_for(MINUTE * 3, refuses(70009));
    let news = world.scheduler.take_news();
    assert_eq!(news.len(), 1, "{news:?}");
    assert!(news[0].contains("70009"), "{news:?}");
    world.run_for(MINUTE * 3, refuses(60020));
    assert_eq!(world.scheduler.take_news().len(), 1);
    let stats = world.look();
    let breaker = stats.service.map(|service| service.breaker_ms);
    assert!(
        breaker.is_some_and(|left| (1..=60_000).contains(&left)),
        "{breaker:?}"
    );
    let held = stats
        .outbox
        .and_then(|outbox| outbox.held)
        .expect("it is held");
    assert_eq!(
        (held.code, held.http_status, held.since_s),
        (60020, 200, 359)
    );
    assert!(held.message.contains("arrears"), "{}", held.message);
    world.run_for(MINUTE * 2, |_, request| all_ok(request));
    let news = world.scheduler.take_news();
    assert!(news.len() == 1 && news[0].contains("released"), "{news:?}");
}

#[test]
fn without_an_outbox_a_refusal_about_the_caller_is_final() {
    let mut world = World::new();
    world.add(1, "ann", &["bob"]);
    world.run(refuses(70009));
    assert_eq!(
        (world.reply(1).status(), world.seen.len()),
        (Status::Service, 1)
    );
    world.add(2, "ann", &["bob"]);
    world.run(|_, request| all_ok(request));
    assert_eq!(world.reply(2).status(), Status::Ok);
}
