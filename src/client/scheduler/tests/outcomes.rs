//! Effects of an outcome on the calls in a request and on later ones.

use super::*;

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
        if request.targets().contains(&"bad".into()) {
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
    world.latency = Duration::from_mins(1);
    world.add(1, "ann", &["a"]);
    world.add(2, "ann", &["a"]);
    let mut ended = Vec::new();
    while ended.is_empty() {
        match world.scheduler.next(world.now) {
            Next::Send(flight) => drop(world.flying.insert((world.now + world.latency, 0), flight)),
            Next::Wait(until) => {
                world.now = until.expect("a deadline is near");
                world.scheduler.next(world.now);
                ended = world.scheduler.take_done(usize::MAX);
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
        Reply::from_call(ended.remove(0).call).status(),
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
fn after_too_many_refused_signatures_nothing_is_sent_for_a_minute() {
    let mut world = World::new();
    world.add(1, "ann", &["a"]);
    world.run(|_, _| Ok(Answer::refused(70050, "too many")));
    let waits = Request {
        owner: "bob".into(),
        operation: Operation::Add(owned(&["b"])),
    };
    let (entered, tag) = (Some(world.now), 2);
    world
        .scheduler
        .accept(Arc::new(waits), tag, entered, world.now);
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
fn a_refusal_that_concerns_everybody_is_not_asked_for_one_by_one() {
    let mut world = World::new();
    for tag in 0..20 {
        world.submit(
            tag,
            "ann",
            Operation::Add(vec![format!("u{tag}").into()].into()),
        );
    }
    world.run(|_, _| Ok(Answer::refused(60020, "arrears")));
    assert_eq!(world.seen.len(), 1);
    assert!((0..20).all(|tag| world.reply(tag).service_code() == 60020));
}

#[test]
fn nothing_was_sent_is_said_only_when_no_attempt_was_sent() {
    let mut world = World::new();
    world.add(1, "ann", &["a"]);
    world.run(|call, _| match call {
        1 => Err(Error::new(Status::Connect, "refused")),
        _ => Err(Error::new(Status::Network, "lost")),
    });
    assert_eq!(statuses(world.reply(1)), [Status::Network]);
    assert_eq!(world.reply(1).status(), Status::Network);
    assert!(world.reply(1).message().contains("lost"));

    let mut world = World::new();
    world.add(2, "ann", &["a"]);
    world.run(|call, _| match call {
        1 => Err(Error::new(Status::Network, "lost")),
        _ => Err(Error::new(Status::Connect, "refused")),
    });
    assert_eq!(statuses(world.reply(2)), [Status::Network]);
}

#[test]
fn a_call_that_runs_out_of_time_under_way_may_have_happened() {
    let mut world = World::new();
    world.add(1, "ann", &["a"]);
    let Next::Send(first) = world.scheduler.next(world.now) else {
        panic!("a write may go at once");
    };
    world.scheduler.apply_outcome(
        first,
        Err(Error::new(Status::Connect, "refused")),
        world.now,
    );
    world.now += Duration::from_secs(1);
    let Next::Send(second) = world.scheduler.next(world.now) else {
        panic!("it goes again");
    };
    world.now += Duration::from_secs(20);
    assert!(matches!(world.scheduler.next(world.now), Next::Wait(_)));
    world.collect();
    assert_eq!(statuses(world.reply(1)), [Status::Timeout]);
    world
        .scheduler
        .apply_outcome(second, Err(Error::new(Status::Network, "late")), world.now);
}
