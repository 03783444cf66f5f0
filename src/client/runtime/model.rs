//! The threads of a client under shuttle: the production code with shuttle's locks and threads, so that every lock,
//! wait and notification is a point at which another thread may run. There are no deadlines and every wait lasts
//! until it is notified, so a lost notification is a deadlock, which shuttle reports with the schedule that led to
//! it.
//!
//! Built by `tests/runtime_model.rs` with the feature `model`.

use std::sync::atomic::{AtomicUsize, Ordering};

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler as Explorer};
use shuttle::thread;

use super::*;
use crate::api::{CheckType, Item, Operation, Verdict};
use crate::client::outbox::{Changes, CommitFailure, Journal, Limit, Loaded, Refused};
use crate::clock::StoppedClock;
use crate::config;
use crate::oneshot::oneshot;

/// Answers, after others had their turn.
struct Willing;

impl Service for Willing {
    fn call(&self, request: &Request, _: Instant) -> Result<Answer, Error> {
        thread::yield_now();
        let done =
            |target: &crate::api::Account| Item::answered(target.clone(), 0, "", Verdict::Done);
        Ok(Answer::accepted(
            request.targets().iter().map(done).collect(),
        ))
    }
}

/// Answers a request when there is another one.
struct Pairwise(shuttle::sync::Barrier);

impl Service for Pairwise {
    fn call(&self, request: &Request, deadline: Instant) -> Result<Answer, Error> {
        self.0.wait();
        Willing.call(request, deadline)
    }
}

/// Writes, after others had their turn.
struct Paper;

impl Journal for Paper {
    fn commit(&mut self, _: &Changes) -> Result<(), CommitFailure> {
        thread::yield_now();
        Ok(())
    }

    fn read(&mut self, ids: &[CallId]) -> Vec<(CallId, Loaded)> {
        ids.iter().map(|id| (*id, Loaded::Gone)).collect()
    }

    fn refused(&mut self, _: i64, _: usize) -> Result<(Vec<Refused>, Option<i64>), Error> {
        Ok((Vec::new(), None))
    }
}

/// A client with so many requests at once, with or without an outbox.
fn open(requests: usize, has_outbox: bool) -> Arc<Runtime> {
    open_with(Box::new(Willing), requests, has_outbox)
}

fn open_with(service: Box<dyn Service>, requests: usize, has_outbox: bool) -> Arc<Runtime> {
    let clock = StoppedClock::begin();
    let rules = Rules {
        merge: true,
        retry: None,
        rate_per_second: None,
        call_time: None,
        requests,
        late: None,
        recorded: has_outbox,
    };
    let log = Log::open(&config::Log::default(), clock.clone()).expect("no log");
    let scheduler = Box::new(Scheduler::new(rules, fastrand::Rng::with_seed(7)));
    let parts = (scheduler, Duration::ZERO);
    let runtime = Runtime::batching(service, clock, log, parts, QueueLimits::of_calls(100));
    let runtime = Arc::new(runtime);
    if has_outbox {
        let outbox = Outbox::new(1 << 20, Duration::ZERO, Limit::DEFAULT);
        let _ = runtime.room.set(outbox.room());
        let mut state = runtime.state.lock();
        state.outbox = Some(outbox);
        let started = runtime.start_recorder(&mut state, Box::new(Paper));
        started.expect("a thread");
        runtime.keep_one_spare(&mut state).expect("a thread");
    }
    runtime
}

fn add(owner: &str, target: usize) -> Request {
    Request {
        owner: owner.into(),
        operation: Operation::Add([target.to_string().as_str().into()].into()),
    }
}

fn check(owner: &str) -> Request {
    Request {
        owner: owner.into(),
        operation: Operation::Check(["0".into()].into(), CheckType::Single),
    }
}

/// Takes `count` completions, waiting for each.
fn poll(runtime: &Runtime, count: usize) -> Vec<(u64, Status)> {
    let reply = |_| {
        let reply = runtime.completions.take(None).expect("a completion");
        (reply.tag(), reply.status())
    };
    (0..count).map(reply).collect()
}

fn close(runtime: &Arc<Runtime>) {
    assert!(runtime.close(None), "threads end and nothing is dropped");
}

fn spawn(
    runtime: &Arc<Runtime>,
    work: impl FnOnce(&Arc<Runtime>) + Send + 'static,
) -> thread::JoinHandle<()> {
    let runtime = Arc::clone(runtime);
    thread::spawn(move || work(&runtime))
}

fn join(threads: impl IntoIterator<Item = thread::JoinHandle<()>>) {
    for thread in threads {
        thread.join().expect("no panic");
    }
}

/// Tries schedules of `scene`: random ones, and those that a few preemptions make.
fn explore(name: &str, scene: fn()) {
    let asked = std::env::var("CHATBLOCK_SCHEDULES").ok();
    let schedules = asked.and_then(|text| text.parse().ok()).unwrap_or(200);
    let run = |scheduler: Box<dyn Explorer + Send>| {
        let mut limits = shuttle::Config::new();
        limits.stack_size = 256 * 1024;
        limits.max_steps = shuttle::MaxSteps::FailAfter(200_000);
        shuttle::Runner::new(scheduler, limits).run(scene)
    };
    let random = run(Box::new(RandomScheduler::new(schedules)));
    let preempted = run(Box::new(PctScheduler::new(3, schedules)));
    println!("schedules of {name}: {}", random + preempted);
}

#[test]
fn asynchronous_calls_complete_once_each() {
    explore("asynchronous calls", || {
        let runtime = open(2, false);
        let submit = |owner: &'static str| {
            spawn(&runtime, move |runtime| {
                for target in 0..2 {
                    let accepted = runtime.submit(add(owner, target), 7);
                    accepted.expect("there is room");
                }
            })
        };
        let threads = [submit("ann"), submit("bob")];
        assert_eq!(poll(&runtime, 4), [(7, Status::Ok); 4]);
        join(threads);
        assert!(runtime.flush(None));
        close(&runtime);
    });
}

#[test]
fn blocking_and_asynchronous_calls_share_the_threads() {
    explore("blocking calls", || {
        let runtime = open(1, false);
        let waiting = |owner: &'static str| {
            spawn(&runtime, move |runtime| {
                let (sender, receiver) = oneshot();
                let accepted = runtime.accept(add(owner, 0), sender, runtime.clock.now());
                accepted.expect("there is room");
                let reply = receiver.recv(None).expect("a reply");
                assert_eq!(reply.status(), Status::Ok);
            })
        };
        let threads = [waiting("ann"), waiting("bob")];
        runtime.submit(add("ann", 1), 7).expect("there is room");
        assert_eq!(poll(&runtime, 1), [(7, Status::Ok)]);
        join(threads);
        close(&runtime);
    });
}

#[test]
fn writes_are_recorded_sent_and_cancelled_in_any_order() {
    explore("recorded writes and cancels", || {
        let runtime = open(2, true);
        let canceller = spawn(&runtime, |runtime| {
            runtime.submit(add("ann", 0), 1).expect("there is room");
            runtime.cancel(1);
            runtime.submit(add("ann", 1), 2).expect("there is room");
        });
        let other = spawn(&runtime, |runtime| {
            runtime.submit(add("bob", 0), 3).expect("there is room");
            assert_eq!(runtime.sync(None).ok(), Some(true));
        });
        let mut seen = poll(&runtime, 3);
        join([canceller, other]);
        assert_eq!(runtime.sync(None).ok(), Some(true));
        seen.sort_unstable_by_key(|(tag, _)| *tag);
        let tags: Vec<_> = seen.iter().map(|(tag, _)| *tag).collect();
        assert_eq!(tags, [1, 2, 3]);
        assert!(matches!(seen[0].1, Status::Ok | Status::Cancelled));
        assert_eq!([seen[1].1, seen[2].1], [Status::Ok; 2]);
        close(&runtime);
    });
}

#[test]
fn a_read_behind_a_cancelled_write_goes_out() {
    explore("reads behind cancelled writes", || {
        let runtime = open(1, true);
        let reader = spawn(&runtime, |runtime| {
            runtime.submit(add("ann", 0), 1).expect("there is room");
            runtime.submit(check("ann"), 2).expect("there is room");
            runtime.cancel(1);
        });
        poll(&runtime, 2);
        join([reader]);
        assert!(runtime.flush(None));
        close(&runtime);
    });
}

#[test]
fn a_call_does_not_wait_for_a_request_under_way() {
    explore("calls beside requests under way", || {
        let service = Pairwise(shuttle::sync::Barrier::new(2));
        let runtime = open_with(Box::new(service), 2, false);
        let submit = |owner: &'static str| {
            spawn(&runtime, move |runtime| {
                runtime.submit(add(owner, 0), 7).expect("there is room");
            })
        };
        // The second time there are threads that sleep, and none has to be started.
        for _ in 0..2 {
            let threads = [submit("ann"), submit("bob")];
            poll(&runtime, 2);
            join(threads);
        }
        close(&runtime);
    });
}

#[test]
fn a_flush_waits_for_earlier_calls_only() {
    explore("flush beside later calls", || {
        let runtime = open(1, false);
        runtime.submit(add("ann", 0), 1).expect("there is room");
        let later = spawn(&runtime, |runtime| {
            for target in 1..3 {
                let accepted = runtime.submit(add("ann", target), 2);
                accepted.expect("there is room");
            }
        });
        let flusher = spawn(&runtime, |runtime| assert!(runtime.flush(None)));
        join([flusher, later]);
        poll(&runtime, 3);
        close(&runtime);
    });
}

#[test]
fn close_ends_what_is_accepted_meanwhile() {
    explore("close beside submitters", || {
        let runtime = open(2, true);
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        let submitter = spawn(&runtime, move |runtime| {
            for target in 0..3 {
                count.fetch_add(
                    usize::from(runtime.submit(add("ann", target), 7).is_ok()),
                    Ordering::SeqCst,
                );
            }
        });
        thread::yield_now();
        runtime.close(None);
        join([submitter]);
        let mut completed = 0;
        while runtime.completions.take(None).is_some() {
            completed += 1;
        }
        assert_eq!(completed, accepted.load(Ordering::SeqCst));
    });
}
