//! Every owner makes progress while others have more work than capacity, and no owner is visited without need.

use super::*;

fn get() -> Operation {
    Operation::Get {
        start_index: 0,
        limit: 100,
        last_sequence: 0,
    }
}

/// The operations of the four commands.
fn operation(command: Command) -> Operation {
    match command {
        Command::Add => Operation::Add(owned(&["a"])),
        Command::Delete => Operation::Delete(owned(&["a"])),
        Command::Get => get(),
        Command::Check => Operation::Check(owned(&["a"]), CheckType::Single),
    }
}

#[test]
fn each_command_moves_while_another_one_saturates_the_client() {
    for hungry in Command::ALL {
        let mut world = World::with(|rules| rules.requests = 4);
        world.latency = Duration::from_millis(300);
        for tag in 0..300 {
            world.submit(tag, &format!("owner{tag}"), operation(hungry));
        }
        for command in Command::ALL.into_iter().filter(|other| *other != hungry) {
            for tag in 0..10 {
                let owner = format!("{command:?}{tag}");
                world.submit(1000 + tag, &owner, operation(command));
            }
        }
        world.run(|_, request| all_ok(request));
        for command in Command::ALL.into_iter().filter(|other| *other != hungry) {
            let own = |seen: &Seen| seen.request.command() == command;
            let last = world.seen.iter().rposition(own);
            assert!(last <= Some(44), "{command:?} beside {hungry:?}: {last:?}");
        }
    }
}

#[test]
fn a_call_that_was_never_sent_says_so_when_its_time_is_over() {
    for command in Command::ALL {
        let mut world = World::with(|rules| rules.requests = 1);
        world.add(1, "bob", &["a"]);
        assert!(matches!(world.scheduler.next(world.now), Next::Send(_)));
        let waits = Request {
            owner: "ann".into(),
            operation: operation(command),
        };
        let entered = Some(world.now);
        world
            .scheduler
            .accept(Arc::new(waits), 2, entered, world.now);
        world.now += Duration::from_secs(12);
        assert!(matches!(world.scheduler.next(world.now), Next::Wait(_)));
        world.collect();
        let reply = world.reply(2);
        assert_eq!(reply.status(), Status::Connect);
        assert!(reply.is_retryable());
        assert!(reply.message().contains("not sent"), "{}", reply.message());
        assert!(!reply.message().contains("may have happened"));
        for item in reply.items() {
            assert_eq!(item.status(), Status::Connect);
        }
    }
}

#[test]
fn a_call_that_could_only_try_to_connect_was_not_sent_either() {
    let mut world = World::new();
    world.add(1, "ann", &["a"]);
    let Next::Send(flight) = world.scheduler.next(world.now) else {
        panic!("a write may go at once");
    };
    world.now += Duration::from_millis(11_900);
    let refused = Err(Error::new(Status::Connect, "cannot connect: refused"));
    world.scheduler.apply_outcome(flight, refused, world.now);
    world.now += Duration::from_millis(100);
    let _ = world.scheduler.next(world.now);
    world.collect();
    assert_eq!(statuses(world.reply(1)), [Status::Connect]);
    assert!(world.reply(1).message().contains("cannot connect"));
}

#[test]
fn a_read_behind_recorded_writes_ends_in_time_while_the_service_is_away() {
    let mut world = World::with(|rules| rules.recorded = true);
    world.add(1, "ann", &["a"]);
    world.scheduler.record(1, world.now);
    world.submit(2, "ann", operation(Command::Check));
    world.submit(3, "ann", get());
    let accepted = world.now;
    let mut seen = Vec::new();
    loop {
        let next = world.scheduler.next(world.now);
        seen.extend(world.scheduler.take_done(usize::MAX));
        if seen.len() == 2 {
            break;
        }
        assert!(
            world.now < accepted + Duration::from_mins(1),
            "{} ended",
            seen.len()
        );
        match next {
            Next::Send(flight) => {
                assert_eq!(flight.request.command(), Command::Add);
                let refused = Err(Error::new(Status::Connect, "away"));
                world.scheduler.apply_outcome(flight, refused, world.now);
            }
            Next::Wait(until) => world.now = world.now.max(until.expect("a deadline")),
        }
    }
    assert_eq!(world.now - accepted, Duration::from_secs(12));
    for done in seen {
        let reply = Reply::from_call(done.call);
        assert_eq!(reply.status(), Status::Connect);
        assert!(reply.message().contains("not sent"));
    }
}

#[test]
fn repetitions_without_a_budget_are_not_looked_at_before_there_is_one() {
    let mut world = World::with(|rules| rules.recorded = true);
    world.latency = Duration::from_millis(1);
    for tag in 0..20_000 {
        world.add(tag, &format!("owner{tag}"), &["a"]);
    }
    world.scheduler.record(20_000, world.now);
    let (mut looks, mut sent) = (0, 0);
    let end = world.start + Duration::from_mins(1);
    while world.now < end {
        if world.now >= world.start + Duration::from_secs(30) {
            looks += 1;
        }
        match world.scheduler.next(world.now) {
            Next::Send(flight) => {
                sent += usize::from(world.now >= world.start + Duration::from_secs(30));
                let away = Err(Error::new(Status::Connect, "away"));
                world.scheduler.apply_outcome(flight, away, world.now);
            }
            Next::Wait(until) => world.now = world.now.max(until.expect("a probe is due")),
        }
        assert!(looks < 1000, "at {:?}", world.now - world.start);
    }
    assert!((29..=31).contains(&sent), "one probe a second: {sent}");
    assert!(looks <= 4 * sent, "{looks} looks for {sent} requests");
}
