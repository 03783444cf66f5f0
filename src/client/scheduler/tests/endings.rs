//! Effects of the end of a call on those behind it.

use super::*;

fn recorded() -> World {
    World::with(|rules| rules.recorded = true)
}

fn cancelled() -> Error {
    Error::new(Status::Cancelled, "cancelled before it was sent")
}

fn check(world: &mut World, tag: u64) {
    let operation = Operation::Check(owned(&["a"]), CheckType::Single);
    world.submit(tag, "ann", operation);
}

#[test]
fn a_read_behind_a_write_that_is_cancelled_before_its_commit_goes_out() {
    let mut world = recorded();
    world.add(1, "ann", &["a"]);
    check(&mut world, 2);
    assert!(matches!(world.scheduler.next(world.now), Next::Wait(_)));
    assert_eq!(world.scheduler.cancel(&[0], &cancelled(), world.now), 1);
    assert!(world.scheduler.outlook(world.now).0);
    world.run(|_, request| all_ok(request));
    assert_eq!(world.reply(2).status(), Status::Ok);
    assert!(world.scheduler.owners.is_empty());
}

#[test]
fn an_owner_whose_last_write_is_cancelled_before_its_commit_is_forgotten() {
    let mut world = recorded();
    for owner in ["ann", "bob", "cem"] {
        world.add(1, owner, &["a"]);
    }
    world.scheduler.cancel(&[0, 1, 2], &cancelled(), world.now);
    assert!(world.scheduler.owners.is_empty());
}

#[test]
fn a_write_behind_a_cancelled_one_goes_out_when_it_is_recorded() {
    let mut world = recorded();
    world.add(1, "ann", &["a"]);
    world.add(2, "ann", &["b"]);
    world.scheduler.record(1, world.now);
    world.scheduler.cancel(&[0], &cancelled(), world.now);
    assert_eq!(world.scheduler.stuck_owner(true), None);
    world.scheduler.record(2, world.now);
    world.run(|_, request| all_ok(request));
    assert_eq!(world.requests(), [(Command::Add, owned(&["b"]))]);
}

#[test]
fn a_read_behind_a_write_that_ran_out_of_time_goes_out() {
    let mut world = World::with(|rules| rules.requests = 1);
    world.add(1, "bob", &["a"]);
    let Next::Send(flight) = world.scheduler.next(world.now) else {
        panic!("a write may go at once");
    };
    let write = Request {
        owner: "ann".into(),
        operation: Operation::Add(owned(&["a"])),
    };
    let entered = Some(world.now);
    world
        .scheduler
        .accept(Arc::new(write), 2, entered, world.now);
    check(&mut world, 3);
    world.now += Duration::from_secs(13);
    assert!(matches!(world.scheduler.next(world.now), Next::Wait(_)));
    assert_eq!(world.scheduler.stuck_owner(false), None);
    let outcome = all_ok(&flight.request);
    world.scheduler.apply_outcome(flight, outcome, world.now);
    world.run(|_, request| all_ok(request));
    assert_eq!(world.reply(3).status(), Status::Ok);
    assert_eq!(world.seen.len(), 1, "the write was not sent");
}

#[test]
fn nothing_is_left_when_everything_was_ended() {
    let mut world = World::new();
    world.add(1, "ann", &["a"]);
    let Next::Send(flight) = world.scheduler.next(world.now) else {
        panic!("a write may go at once");
    };
    world.add(2, "ann", &["b"]);
    check(&mut world, 3);
    world.add(4, "bob", &["b"]);
    world.scheduler.end_all(&cancelled());
    assert_eq!(world.scheduler.owners.len(), 1, "a write is under way");
    let outcome = all_ok(&flight.request);
    world.scheduler.apply_outcome(flight, outcome, world.now);
    world.collect();
    assert_eq!(world.done.len(), 4);
    assert!(world.scheduler.owners.is_empty());
    assert_eq!(world.scheduler.outlook(world.now), (false, None));
}

#[test]
fn an_owner_who_adds_and_cancels_again_and_again_stands_in_the_queue_once() {
    let mut world = World::with(|rules| rules.rate_per_second = Some(1));
    world.add(1, "bob", &["a"]);
    assert!(matches!(world.scheduler.next(world.now), Next::Send(_)));
    for id in 1..100 {
        world.add(id, "ann", &["a"]);
        world.scheduler.cancel(&[id], &cancelled(), world.now);
        assert_eq!(world.scheduler.stuck_owner(false), None);
    }
    assert_eq!(
        world.scheduler.ready[Command::Add as usize]
            .owners()
            .count(),
        1
    );
}
