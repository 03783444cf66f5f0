//! One failing account does not block its owner.

use super::*;

const MINUTE: Duration = Duration::from_mins(1);

/// How a service fails requests about the account "bad".
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// The whole request is refused.
    Refusal,
    /// Its item is.
    Item,
    /// A firewall answers with a page.
    Page,
    Silence,
}

const KINDS: [Kind; 4] = [Kind::Refusal, Kind::Item, Kind::Page, Kind::Silence];

fn is_bad(target: &str) -> bool {
    target.starts_with("bad")
}

fn answer(kind: Kind, request: &Request) -> Outcome {
    if !request.targets().iter().any(|target| is_bad(target)) {
        return all_ok(request);
    }
    match kind {
        Kind::Refusal => Ok(Answer::refused(30006, "internal error")),
        Kind::Page => Err(Error::new(Status::Network, "HTTP status 403")),
        Kind::Silence => Err(Error::new(Status::Timeout, "no answer")),
        Kind::Item => {
            let code = |target: &str| if is_bad(target) { 30006 } else { 0 };
            let items = request.targets().iter();
            let items = items.map(|target| item(target, code(target), ""));
            Ok(Answer::accepted(items.collect()))
        }
    }
}

fn recorded() -> World {
    World::with(|rules| rules.recorded = true)
}

impl World {
    fn commit(&mut self) {
        let next = self.scheduler.next_call();
        self.scheduler.record(next, self.now);
    }

    /// Runs for `time`; each request ends at once as `service` says.
    fn run_with(&mut self, time: Duration, mut service: impl FnMut(&Request) -> Outcome) {
        let end = self.now + time;
        while self.now < end {
            assert_eq!(self.scheduler.stuck_owner(false), None);
            match self.scheduler.next(self.now) {
                Next::Send(flight) => {
                    self.seen.push(Seen {
                        at: self.now - self.start,
                        request: flight.request.clone(),
                    });
                    let outcome = service(&flight.request);
                    self.scheduler.apply_outcome(flight, outcome, self.now);
                }
                Next::Wait(until) => {
                    let next = until.unwrap_or(end).min(end);
                    self.now = self.now.max(next);
                }
            }
            self.collect();
        }
    }

    /// When requests about "bad" went out.
    fn tries(&self) -> Vec<Duration> {
        let bad = |seen: &&Seen| seen.request.targets().contains(&"bad".into());
        self.seen.iter().filter(bad).map(|seen| seen.at).collect()
    }
}

#[test]
fn writes_behind_an_account_that_always_fails_go_on() {
    for kind in KINDS {
        let mut world = recorded();
        world.add(1, "ann", &["bad"]);
        world.add(2, "ann", &["x"]);
        world.submit(3, "ann", Operation::Delete(owned(&["y"])));
        world.commit();
        world.run_with(MINUTE, |request| answer(kind, request));
        assert_eq!(world.reply(2).status(), Status::Ok, "{kind:?}");
        assert_eq!(world.reply(3).status(), Status::Ok, "{kind:?}");
        assert_eq!(world.done.len(), 2, "{kind:?}");
        world.run_with(MINUTE * 20, all_ok);
        assert_eq!(world.reply(1).status(), Status::Ok, "{kind:?}");
        assert!(world.scheduler.owners.is_empty());
    }
}

#[test]
fn two_bad_accounts_in_a_row_stop_nobody_either() {
    for kind in KINDS {
        let mut world = recorded();
        for (tag, target) in ["bad", "bad2", "bad3"].into_iter().enumerate() {
            world.add(tag as u64, "ann", &[target]);
        }
        world.submit(9, "ann", Operation::Delete(owned(&["x"])));
        world.commit();
        world.run_with(MINUTE * 3, |request| answer(kind, request));
        assert_eq!(world.reply(9).status(), Status::Ok, "{kind:?}");
    }
}

#[test]
fn of_a_request_that_fails_as_a_whole_only_the_culprit_waits() {
    for kind in KINDS {
        let mut world = recorded();
        let mut targets = names(0..1000);
        targets[617] = "bad".into();
        for (tag, target) in targets.iter().enumerate() {
            let operation = Operation::Add([target.clone()].into());
            world.submit(tag as u64, "ann", operation);
        }
        world.commit();
        world.run_with(MINUTE * 3, |request| answer(kind, request));
        assert_eq!(world.done.len(), 999, "{kind:?}");
        let is_fine = |(_, reply): &(u64, Reply)| reply.status() == Status::Ok;
        assert!(world.done.iter().all(is_fine), "{kind:?}");
        assert!(world.seen.len() < 50, "{kind:?}: {}", world.seen.len());
    }
}

#[test]
fn of_one_call_that_fails_as_a_whole_only_the_culprit_waits() {
    for kind in KINDS {
        let mut world = recorded();
        let mut targets = names(0..1000);
        targets[618] = "bad".into();
        world.submit(1, "ann", Operation::Add(targets));
        world.add(2, "ann", &["u17"]);
        world.commit();
        world.run_with(MINUTE * 3, |request| answer(kind, request));
        assert_eq!(world.reply(2).status(), Status::Ok, "{kind:?}");
        assert_eq!(world.done.len(), 1, "{kind:?}");
        world.run_with(MINUTE * 20, |request| {
            assert_eq!(request.targets(), ["bad"]);
            Ok(Answer::accepted(vec![item("bad", 30003, "")]))
        });
        let reply = world.reply(1);
        assert_eq!(reply.status(), Status::Partial, "{kind:?}");
        assert_eq!(reply.service_code(), 30003);
        let fine = reply.items().iter().filter(|item| item.status().is_done());
        assert_eq!(fine.count(), 999, "{kind:?}");
    }
}

#[test]
fn what_is_set_aside_is_tried_ever_more_slowly_and_for_ever() {
    for kind in KINDS {
        let mut world = recorded();
        world.add(1, "ann", &["bad"]);
        world.add(2, "ann", &["x"]);
        world.commit();
        world.run_with(MINUTE * 240, |request| answer(kind, request));
        let tries = world.tries();
        let last = tries[tries.len() - 1].saturating_sub(tries[tries.len() - 2]);
        assert!(
            last >= MINUTE * 5 && last <= MINUTE * 10,
            "{kind:?}: {last:?}"
        );
        assert!(
            (24..100).contains(&tries.len()),
            "{kind:?}: {}",
            tries.len()
        );
    }
}

#[test]
fn while_nothing_succeeds_what_fails_is_tried_once_a_minute_at_least() {
    let mut world = recorded();
    for number in 0..20 {
        world.add(
            number,
            &format!("owner{}", number % 4),
            &[&format!("t{number}")],
        );
    }
    world.commit();
    world.run_with(MINUTE * 60, |_| {
        Ok(Answer::refused(30006, "internal error"))
    });
    assert!(world.done.is_empty());
    world.run_with(MINUTE + Duration::from_secs(20), all_ok);
    assert_eq!(world.done.len(), 20, "the outage is over");
}

#[test]
fn later_writes_about_what_is_set_aside_keep_their_order_behind_it() {
    for kind in KINDS {
        let mut world = recorded();
        world.add(1, "ann", &["bad"]);
        world.commit();
        world.run_with(MINUTE, |request| answer(kind, request));
        world.submit(2, "ann", Operation::Delete(owned(&["x", "bad", "y"])));
        world.add(3, "ann", &["bad"]);
        world.add(4, "ann", &["z"]);
        world.commit();
        world.run_with(MINUTE * 30, |request| answer(kind, request));
        assert_eq!(world.reply(4).status(), Status::Ok);
        let bad = |seen: &Seen| (seen.request.command(), seen.request.targets().len());
        let about_bad = |world: &World| {
            let all = world.seen.iter();
            let own = all.filter(|seen| seen.request.targets().contains(&"bad".into()));
            own.map(bad).collect::<Vec<_>>()
        };
        assert!(
            about_bad(&world)
                .iter()
                .all(|one| *one == (Command::Add, 1)),
            "{kind:?}"
        );
        let before = about_bad(&world).len();
        world.run_with(MINUTE * 30, all_ok);
        let order = about_bad(&world).split_off(before);
        let expected = [Command::Add, Command::Delete, Command::Add].map(|command| (command, 1));
        assert_eq!(order, expected, "{kind:?}");
        for tag in 1..4 {
            assert_eq!(world.reply(tag).status(), Status::Ok);
        }
    }
}

#[test]
fn reads_do_not_wait_for_what_is_set_aside_and_say_so() {
    let mut world = recorded();
    world.add(1, "ann", &["bad"]);
    world.commit();
    world.submit(
        2,
        "ann",
        Operation::Check(owned(&["bad"]), CheckType::Single),
    );
    world.submit(3, "ann", Operation::Check(owned(&["x"]), CheckType::Single));
    let get = Operation::Get {
        start_index: 0,
        limit: 100,
        last_sequence: 0,
    };
    world.submit(4, "ann", get);
    world.run_with(MINUTE, |request| match request.command() {
        Command::Add => answer(Kind::Refusal, request),
        _ => all_ok(request),
    });
    for (tag, says_so) in [(2, true), (3, false), (4, true)] {
        let reply = world.reply(tag);
        assert_eq!(reply.status(), Status::Ok);
        let message = reply.message();
        assert_eq!(message.contains("set aside"), says_so, "{tag}: {message}");
    }
    let mut stats = crate::client::stats::Stats::default();
    world.scheduler.fill(&mut stats, world.now);
    assert_eq!(stats.queue.set_aside, 1);
}

#[test]
fn who_waits_for_a_write_that_is_set_aside_is_told_in_time_that_it_is_queued() {
    let mut world = recorded();
    let write = Request {
        owner: "ann".into(),
        operation: Operation::Add(owned(&["bad"])),
    };
    let entered = Some(world.now);
    world
        .scheduler
        .accept(Arc::new(write), 1, entered, world.now);
    world.commit();
    world.run_with(Duration::from_secs(13), |request| {
        answer(Kind::Refusal, request)
    });
    assert_eq!(world.reply(1).status(), Status::Queued);
}

#[test]
fn a_read_back_that_always_fails_holds_its_owner_for_a_while_only() {
    for kind in [Kind::Refusal, Kind::Page, Kind::Silence] {
        let mut world = World::with(|rules| {
            rules.recorded = true;
            rules.late = Some(Duration::from_millis(3500));
        });
        world.add(1, "ann", &["bad"]);
        world.commit();
        let Next::Send(flight) = world.scheduler.next(world.now) else {
            panic!("a write may go at once");
        };
        let lost = Err(Error::new(Status::Timeout, "lost"));
        world.scheduler.apply_outcome(flight, lost, world.now);
        world.run_with(Duration::from_secs(1), all_ok);
        world.submit(2, "ann", Operation::Delete(owned(&["bad"])));
        world.submit(3, "ann", Operation::Delete(owned(&["x"])));
        world.commit();
        world.run_with(MINUTE * 3, |request| answer(kind, request));
        assert_eq!(world.reply(3).status(), Status::Ok, "{kind:?}");
    }
}

#[test]
fn what_is_set_aside_leaves_most_of_the_time_to_others() {
    let mut world = recorded();
    world.latency = Duration::from_millis(3500);
    for number in 0..100 {
        world.add(number, "ann", &[&format!("bad{number}")]);
    }
    world.commit();
    world.run_with(MINUTE * 5, |request| answer(Kind::Silence, request));
    let end = world.now + MINUTE * 10;
    let (mut busy, mut tag) = (Duration::ZERO, 1000);
    while world.now < end {
        let begin = world.now;
        tag += 1;
        world.add(tag, "ann", &["x"]);
        world.commit();
        while world.done.last().is_none_or(|(last, _)| *last != tag) {
            match world.scheduler.next(world.now) {
                Next::Send(flight) => {
                    let is_bad = flight.request.targets().iter().any(|target| is_bad(target));
                    world.now += Duration::from_millis(if is_bad { 3500 } else { 10 });
                    let outcome = answer(Kind::Silence, &flight.request);
                    world.scheduler.apply_outcome(flight, outcome, world.now);
                }
                Next::Wait(until) => world.now = until.expect("something is left"),
            }
            world.collect();
        }
        busy += (world.now - begin).saturating_sub(Duration::from_millis(10));
        world.now += Duration::from_millis(100);
    }
    assert!(
        busy <= MINUTE * 2 + Duration::from_secs(4),
        "{busy:?} of ten minutes"
    );
}

#[test]
fn what_is_done_of_a_call_is_told_before_later_writes_about_it_go_out() {
    let mut world = recorded();
    world.add(1, "ann", &["x", "bad"]);
    world.commit();
    let (mut seen, mut is_deleted) = (Vec::new(), false);
    let end = world.now + MINUTE * 30;
    while world.now < end {
        let half = world.start + MINUTE * 10;
        if world.now >= half && !is_deleted {
            is_deleted = true;
            world.submit(2, "ann", Operation::Delete(owned(&["x"])));
            world.commit();
        }
        match world.scheduler.next(world.now) {
            Next::Send(flight) => {
                let is_cured = world.now >= world.start + MINUTE * 15;
                let outcome = if is_cured {
                    all_ok(&flight.request)
                } else {
                    answer(Kind::Item, &flight.request)
                };
                world.scheduler.apply_outcome(flight, outcome, world.now);
            }
            Next::Wait(until) => {
                let next = until.unwrap_or(end).min(end);
                world.now = if is_deleted { next } else { next.min(half) };
            }
        }
        for done in world.scheduler.take_done(usize::MAX) {
            let targets = done.call.request.targets().iter().enumerate();
            let news = targets.filter(|(position, _)| !done.call.was_reported(*position));
            let news: Vec<_> = news.map(|(_, target)| target.to_string()).collect();
            seen.push((done.id == 0, done.is_final, done.is_part, news));
        }
    }
    let news = |target: &str| vec![target.to_owned()];
    // After a restart the first call is sent again as a whole: the record of the later write stays as long.
    let expected = [
        (true, false, true, news("x")),
        (false, false, false, news("x")),
        (true, true, false, news("bad")),
        (false, true, true, Vec::new()),
    ];
    assert_eq!(seen, expected);
    assert!(world.scheduler.owners.is_empty());
}
