//! What the callers of recorded writes are told while those are not answered.

use super::held::{MINUTE, durable};
use super::*;

#[test]
fn who_waits_is_told_at_once_when_sending_is_held_and_while_it_is() {
    let mut world = durable();
    world.wait(1, "ann", &["bob"]);
    world.wait(2, "cat", &["dan"]);
    world.add(3, "eve", &["fay"]);
    world.record();
    world.run_for(Duration::from_secs(1), |_, request| match &*request.owner {
        "ann" => Ok(Answer::refused(70009, "planned")),
        _ => Err(Error::new(Status::Timeout, "late")),
    });
    for tag in [1, 2] {
        let reply = world.reply(tag);
        assert_eq!(
            (reply.status(), reply.service_code()),
            (Status::Queued, 70009)
        );
        assert!(!reply.is_retryable());
        assert_eq!(reply.json(), "");
        assert!(
            reply.message().contains("do not repeat it"),
            "{}",
            reply.message()
        );
        assert!(reply.message().contains("70009"), "{}", reply.message());
    }
    world.wait(4, "gil", &["hal"]);
    assert_eq!(world.done.len(), 2, "what is not on disk is not queued");
    world.record();
    assert_eq!(world.reply(4).status(), Status::Queued);
    assert_eq!(
        world.done.len(),
        3,
        "who does not wait goes on waiting for an answer"
    );
    let adds = world.look().calls.by_command.add;
    assert_eq!(
        (adds.accepted, adds.pending),
        (4, 4),
        "none of them has ended"
    );
}

#[test]
fn out_of_time_a_write_is_queued_when_it_is_on_disk_and_withdrawn_when_not() {
    let mut world = durable();
    world.wait(1, "ann", &["bob"]);
    world.record();
    world.wait(2, "ann", &["cat"]);
    world.run_for(Duration::from_secs(13), |_, request| {
        match request.command() {
            Command::Add => Ok(Answer::refused(30006, "busy")),
            _ => all_ok(request),
        }
    });
    let queued = world.reply(1);
    assert_eq!(
        (queued.status(), queued.service_code()),
        (Status::Queued, 30006)
    );
    let late = world.reply(2);
    assert_eq!(late.status(), Status::Timeout);
    assert!(late.message().contains("not sent"), "{}", late.message());
    world.submit(
        3,
        "ann",
        Operation::Check(owned(&["bob"]), CheckType::Single),
    );
    world.run_for(MINUTE, |_, request| all_ok(request));
    let sent = world.requests();
    let is_cat = |(_, targets): &(Command, Targets)| targets.contains(&"cat".into());
    assert!(!sent.iter().any(is_cat), "{sent:?}");
    assert_eq!(world.reply(3).status(), Status::Ok, "and holds up nobody");
}

#[test]
fn what_a_caller_is_told_names_the_last_code_and_no_other_status() {
    let outcomes: [(fn() -> Outcome, i32); 6] = [
        (|| Ok(Answer::refused(60007, "slow")), 60007),
        (|| Ok(Answer::refused(30008, "busy")), 30008),
        (|| Ok(Answer::accepted(vec![item("bob", 30006, "")])), 30006),
        (|| Ok(Answer::accepted(vec![Item::unanswered("bob")])), 0),
        (|| Err(Error::new(Status::Network, "lost")), 0),
        (|| Err(Error::new(Status::Connect, "refused")), 0),
    ];
    for (outcome, code) in outcomes {
        let mut world = durable();
        world.wait(1, "ann", &["bob"]);
        world.record();
        world.run_for(Duration::from_secs(13), |_, _| outcome());
        let reply = world.reply(1);
        let seen = (reply.status(), reply.service_code(), reply.is_retryable());
        assert_eq!(seen, (Status::Queued, code, false), "{}", reply.message());
        assert_eq!(statuses(reply), [Status::Queued]);
    }
}

#[test]
fn what_is_done_is_told_beside_what_is_queued() {
    let mut world = durable();
    world.wait(1, "ann", &["bob", "cat", "dan"]);
    world.record();
    world.run_for(Duration::from_secs(13), |_, request| {
        let items = request.targets().iter().map(|target| match &**target {
            "bob" => item(target, 0, ""),
            "cat" => item(target, 30003, ""),
            _ => item(target, 30006, ""),
        });
        Ok(Answer::accepted(items.collect()))
    });
    let reply = world.reply(1);
    assert_eq!(reply.status(), Status::Partial);
    assert_eq!(
        statuses(reply),
        [Status::Ok, Status::Service, Status::Queued]
    );
    assert_eq!(reply.items()[2].code(), 30006);
    assert!(!reply.is_retryable());
    assert!(reply.json().contains("Fail_Account"), "{}", reply.json());
}

#[test]
fn at_close_the_caller_of_a_recorded_write_is_told_that_it_stays() {
    let mut world = durable();
    world.wait(1, "ann", &["bob"]);
    world.add(2, "ann", &["cat"]);
    world.record();
    world.wait(3, "ann", &["dan"]);
    world.submit(
        4,
        "ann",
        Operation::Check(owned(&["bob"]), CheckType::Single),
    );
    let count = world.scheduler.losable();
    world
        .scheduler
        .end_all(&Error::new(Status::Closed, "closing"));
    world.collect();
    let seen = [1, 2, 3, 4].map(|tag| world.reply(tag).status());
    let expected = [
        Status::Queued,
        Status::Queued,
        Status::Closed,
        Status::Closed,
    ];
    assert_eq!((seen, count), (expected, 2));
}
