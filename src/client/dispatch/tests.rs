//! When calls go out, on a clock that stands still.

use super::*;
use crate::api::{Item, Operation, Verdict};
use crate::client::lanes::Rules;
use crate::clock::SystemClock;
use crate::config;

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

struct Still(Mutex<Instant>);

impl Clock for Still {
    fn unix_seconds(&self) -> i64 {
        0
    }

    fn now(&self) -> Instant {
        *self.0.lock()
    }

    fn last_tick(&self) -> Duration {
        Duration::ZERO
    }
}

struct Setup {
    clock: Arc<Still>,
    asked: Arc<Mutex<Vec<usize>>>,
    dispatch: Arc<Dispatch>,
}

impl Setup {
    fn new() -> Self {
        let (asked, clock) = (
            Arc::default(),
            Arc::new(Still(Mutex::new(SystemClock.now()))),
        );
        let rules = Rules {
            merge: true,
            retry: None,
            rate_per_second: None,
            call_time: None,
            requests: 4,
            late: None,
            recorded: false,
        };
        let log = Log::open(&config::Log::default(), clock.clone()).expect("no log");
        let service = Box::new(Willing(Arc::clone(&asked)));
        let dispatch = Arc::new(Dispatch::new(service, clock.clone(), log, rules, 100));
        Self {
            clock,
            asked,
            dispatch,
        }
    }

    fn add(&self, target: &str, caller: Caller) {
        let request = Request {
            from: "ann".into(),
            operation: Operation::Add([target.into()].into()),
        };
        let accepted = self.dispatch.accept(request, caller, None);
        accepted.expect("there is room");
    }

    /// Nothing was sent, and nothing is to be sent before this moment.
    fn is_gathering_until(&self, moment: Instant) -> bool {
        let mut state = self.dispatch.state.lock();
        let is_waiting =
            matches!(self.dispatch.next(&mut state), Next::Wait(Some(until)) if until == moment);
        is_waiting && state.lanes.in_flight() == 0 && self.asked.lock().is_empty()
    }

    fn take(&self) {
        let reply = self.dispatch.completions.take(None).expect("a reply");
        assert_eq!(reply.status(), Status::Ok);
    }
}

#[test]
fn calls_of_one_burst_share_a_request() {
    let setup = Setup::new();
    let moment = setup.clock.now() + GATHERING;
    for target in ["bob", "cem", "dee"] {
        setup.add(target, Caller::Polls(7));
        assert!(setup.is_gathering_until(moment));
    }
    *setup.clock.0.lock() += GATHERING;
    (0..3).for_each(|_| setup.take());
    assert_eq!(*setup.asked.lock(), [3]);
}

#[test]
fn who_waits_for_an_answer_ends_the_gathering() {
    let setup = Setup::new();
    setup.add("bob", Caller::Polls(7));
    assert!(setup.is_gathering_until(setup.clock.now() + GATHERING));
    let (promise, waiting) = crate::client::waiting::promise();
    setup.add("cem", Caller::Waits(promise));
    let reply = waiting.wait(None).expect("a reply");
    assert_eq!(reply.status(), Status::Ok);
    setup.take();
    assert_eq!(*setup.asked.lock(), [2]);
}
