//! When calls are sent, on a stopped clock.

use super::*;
use crate::api::{Item, Operation, Verdict};
use crate::client::scheduler::{Next, Rules};
use crate::clock::{StoppedClock, SystemClock};
use crate::config;
use crossbeam_channel::bounded;

/// Does everything, and remembers how much was asked at once.
struct Willing(Arc<Mutex<Vec<usize>>>);

impl Service for Willing {
    fn call(&self, request: &Request, _deadline: Instant) -> Result<Answer, Error> {
        self.0.lock().push(request.targets().len());
        let done =
            |target: &crate::api::Account| Item::answered(target.clone(), 0, "", Verdict::Done);
        Ok(Answer::accepted(
            request.targets().iter().map(done).collect(),
        ))
    }
}

/// Answers a request when there is another one.
struct Pairwise(std::sync::Barrier);

impl Service for Pairwise {
    fn call(&self, request: &Request, deadline: Instant) -> Result<Answer, Error> {
        self.0.wait();
        Willing(Arc::default()).call(request, deadline)
    }
}

/// Answers a request when it may.
struct Slow(crossbeam_channel::Receiver<()>);

impl Service for Slow {
    fn call(&self, request: &Request, deadline: Instant) -> Result<Answer, Error> {
        self.0.recv().expect("the test lives");
        Willing(Arc::default()).call(request, deadline)
    }
}

fn add(target: &str) -> Request {
    Request {
        owner: "ann".into(),
        operation: Operation::Add([target.into()].into()),
    }
}

struct Setup {
    clock: Arc<StoppedClock>,
    asked: Arc<Mutex<Vec<usize>>>,
    runtime: Arc<Runtime>,
}

impl Setup {
    fn new() -> Self {
        let asked = Arc::default();
        Self::with(Box::new(Willing(Arc::clone(&asked))), true, asked)
    }

    fn with(service: Box<dyn Service>, merge: bool, asked: Arc<Mutex<Vec<usize>>>) -> Self {
        Self::with_rules(service, asked, |rules| rules.merge = merge)
    }

    fn with_rules(
        service: Box<dyn Service>,
        asked: Arc<Mutex<Vec<usize>>>,
        change: impl FnOnce(&mut Rules),
    ) -> Self {
        let clock = StoppedClock::begin();
        let mut rules = Rules {
            merge: true,
            retry: None,
            rate_per_second: None,
            call_time: None,
            requests: 4,
            late: None,
            recorded: false,
        };
        change(&mut rules);
        let log = Log::open(&config::Log::default(), clock.clone()).expect("no log");
        let runtime = Arc::new(Runtime::new(
            service,
            clock.clone(),
            log,
            rules,
            QueueLimits::of_calls(100),
        ));
        Self {
            clock,
            asked,
            runtime,
        }
    }

    fn submit(&self, target: &str) {
        let accepted = self.runtime.submit(add(target), 7);
        accepted.expect("there is room");
    }

    /// Nothing was sent, and nothing is to be sent before this moment.
    fn is_gathering_until(&self, moment: Instant) -> bool {
        let mut state = self.runtime.state.lock();
        let is_waiting =
            matches!(self.runtime.next(&mut state), Next::Wait(Some(until)) if until == moment);
        is_waiting && state.scheduler.in_flight() == 0 && self.asked.lock().is_empty()
    }

    fn take(&self) {
        let deadline = SystemClock.now() + Duration::from_secs(20);
        let reply = self.runtime.completions.take(Some(deadline));
        assert_eq!(reply.expect("a reply").status(), Status::Ok);
    }
}

#[test]
fn calls_of_one_burst_share_a_request() {
    let setup = Setup::new();
    let moment = setup.clock.now() + BATCH_WINDOW;
    for target in ["bob", "cem", "dee"] {
        setup.submit(target);
        assert!(setup.is_gathering_until(moment));
    }
    setup.clock.pass(BATCH_WINDOW);
    (0..3).for_each(|_| setup.take());
    assert_eq!(*setup.asked.lock(), [3]);
}

#[test]
fn who_waits_for_an_answer_ends_the_gathering() {
    let setup = Setup::new();
    setup.submit("bob");
    assert!(setup.is_gathering_until(setup.clock.now() + BATCH_WINDOW));
    let (sender, receiver) = crate::oneshot::oneshot();
    let accepted = setup.runtime.accept(add("cem"), sender, setup.clock.now());
    accepted.expect("there is room");
    let reply = receiver.recv(None).expect("a reply");
    assert_eq!(reply.status(), Status::Ok);
    setup.take();
    assert_eq!(*setup.asked.lock(), [2]);
}

#[test]
fn a_call_is_accepted_while_others_hold_the_lock_of_the_scheduler() {
    let setup = Setup::new();
    setup.submit("bob");
    let state = setup.runtime.state.lock();
    let (accepted, is_accepted) = bounded(1);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            setup.submit("cem");
            accepted.send(()).expect("somebody waits");
        });
        let outcome = is_accepted.recv_timeout(Duration::from_secs(5));
        drop(state);
        outcome.expect("accepted under the lock");
    });
}

#[test]
fn a_call_that_has_just_arrived_is_ended_by_close() {
    let setup = Setup::new();
    setup.submit("bob");
    assert!(!setup.runtime.close(Some(setup.clock.now())));
    let reply = setup.runtime.completions.take(None).expect("a reply");
    assert_eq!((reply.tag(), reply.status()), (7, Status::Closed));
    let refused = setup.runtime.submit(add("cem"), 8).expect_err("closed");
    assert_eq!(refused.status(), Status::Closed);
}

#[test]
fn a_call_that_arrives_when_the_leader_has_left_is_taken_by_another_thread() {
    let service = Box::new(Pairwise(std::sync::Barrier::new(2)));
    let setup = Setup::with(service, false, Arc::default());
    let submit = |owner: &str| {
        let request = Request {
            owner: owner.into(),
            ..add("bob")
        };
        setup.runtime.submit(request, 7).expect("there is room");
    };
    let until = |is_so: &dyn Fn(&RuntimeState) -> bool| {
        while !is_so(&setup.runtime.state.lock()) {
            std::thread::yield_now();
        }
    };
    submit("ann");
    submit("cem");
    (0..2).for_each(|_| setup.take());
    until(&|state| setup.runtime.inbox.is_asleep(state.threads));
    submit("ann");
    until(&|state| state.scheduler.in_flight() == 1);
    submit("cem");
    (0..2).for_each(|_| setup.take());
}

#[test]
fn what_a_bug_has_left_is_ended_with_what_has_arrived() {
    let setup = Setup::new();
    setup.submit("bob");
    let left = add("cem");
    let weight = setup.runtime.inbox.weigh(&left);
    let admitted = setup
        .runtime
        .inbox
        .admit(|admission| admission.admit(weight));
    admitted.expect("nothing else waits");
    setup.runtime.state.lock().arriving.push(arrivals::Arrival {
        what: arrivals::What::Call(left, 8),
        accepted: setup.clock.now(),
    });
    setup.runtime.poison();
    let mut seen = Vec::new();
    while let Some(reply) = setup.runtime.completions.take(None) {
        seen.push((reply.tag(), reply.status()));
    }
    assert_eq!(seen, [(8, Status::Panic), (7, Status::Panic)]);
}

#[test]
fn a_flush_does_not_wait_for_replies_to_later_calls() {
    let setup = Setup::new();
    setup.submit("bob");
    setup.clock.pass(BATCH_WINDOW);
    setup.take();
    // A thread hands out the reply to a call that was accepted after the flush began.
    let later = setup.runtime.state.lock().scheduler.next_call();
    setup.runtime.completions.hold(Some(later));
    let now = Some(setup.clock.now());
    assert!(setup.runtime.flush(now));
    setup.runtime.completions.hold(Some(0));
    assert!(!setup.runtime.flush(now), "an earlier one is under way");
    setup.runtime.completions.hold(None);
}

#[test]
fn a_cancel_leaves_the_completions_to_the_threads_of_the_client() {
    let setup = Setup::new();
    setup.submit("bob");
    assert_eq!(setup.runtime.cancel(7), 1);
    let deadline = SystemClock.now() + Duration::from_secs(20);
    let reply = setup.runtime.completions.take(Some(deadline));
    let reply = reply.expect("a completion");
    assert_eq!((reply.tag(), reply.status()), (7, Status::Cancelled));
}

#[test]
fn a_caller_whose_reply_is_late_is_told_what_is_true_of_his_write() {
    let (go, wait) = bounded(0);
    let slow = Box::new(Slow(wait));
    let setup = Setup::with_rules(slow, Arc::default(), |rules| rules.recorded = true);
    let runtime = &setup.runtime;
    let (sender, receiver) = crate::oneshot::oneshot();
    let accepted = runtime.accept(add("bob"), sender, setup.clock.now());
    let id = accepted.expect("there is room");
    let seen = || runtime.stop_waiting(id, Duration::from_secs(20));
    assert!(seen().is_none(), "it is not on disk");
    let record = || {
        let mut state = runtime.state.lock();
        let next = state.scheduler.next_call();
        state.scheduler.record(next, setup.clock.now());
        runtime.rouse(&mut state, setup.clock.now());
    };
    record();
    for _ in 0..2 {
        let reply = seen().expect("it is on disk");
        assert_eq!(reply.status(), Status::Queued, "{}", reply.message());
        assert_eq!(runtime.completions.stats().calls, 0, "its place is free");
    }
    go.send(()).expect("the request is under way");
    assert!(runtime.flush(None));
    assert!(seen().is_none(), "it is answered");
    let closed = receiver.recv(None).expect_err("the sender is gone");
    assert_eq!(closed, crate::oneshot::RecvError::Closed);
}
