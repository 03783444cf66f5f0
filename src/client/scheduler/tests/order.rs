//! When a request is sent, and which calls it contains.

use super::*;

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
    let items = world.reply(1).items().iter();
    let order: Targets = items.map(|item| item.account().into()).collect();
    assert_eq!(order, names(0..2500));
    assert_eq!(world.reply(1).json().matches("To_Account").count(), 2500);
}

#[test]
fn writes_of_one_owner_are_merged_while_one_is_in_flight() {
    let mut world = World::new();
    world.add(1, "ann", &["a"]);
    for tag in 2..6 {
        world.submit(
            tag,
            "ann",
            Operation::Add(vec![format!("u{tag}").into()].into()),
        );
    }
    world.scheduler.accept(
        Arc::new(Request {
            owner: "ann".into(),
            operation: Operation::Delete(owned(&["a"])),
        }),
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
fn no_window_of_a_second_holds_more_calls_than_the_limit() {
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
    // Four times a second, and the time of an answer before the second begins.
    assert_eq!(times.last(), Some(&Duration::from_millis(4040)));
}

#[test]
fn the_rate_is_fair_over_owners() {
    let mut world = World::with(|rules| rules.rate_per_second = Some(1));
    for tag in 0..10 {
        world.add(tag, "busy", &["same"]);
    }
    world.add(10, "quiet", &["x"]);
    world.run(|_, request| all_ok(request));
    let position = world
        .seen
        .iter()
        .position(|seen| seen.request.owner == "quiet");
    assert!(position <= Some(1), "{position:?}");
}

#[test]
fn what_was_not_sent_can_be_cancelled_and_completes_once() {
    let mut world = World::new();
    world.add(1, "ann", &["a"]);
    let Next::Send(flight) = world.scheduler.next(world.now) else {
        panic!("a write may go at once");
    };
    world.add(2, "ann", &["b"]);
    world.add(2, "ann", &["c"]);
    let error = Error::new(Status::Cancelled, "cancelled");
    assert_eq!(world.scheduler.cancel(&[0], &error, world.now), 0);
    assert_eq!(world.scheduler.cancel(&[1, 2], &error, world.now), 2);
    let outcome = all_ok(&flight.request);
    world.scheduler.apply_outcome(flight, outcome, world.now);
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
            Operation::Add(vec![format!("u{tag}").into()].into()),
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
    let scheduler = &world.scheduler;
    assert_eq!(
        (
            scheduler.calls.len(),
            scheduler.owners.len(),
            scheduler.in_flight
        ),
        (0, 0, 0)
    );
    assert!(scheduler.delayed.is_empty() && scheduler.deadlines.is_empty());
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
