//! `serve` in front of a service that counts calls by its own clock. What is checked holds at any speed of the machine:
//! pauses here only give a wrong gateway the time to show it.

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::fake_service::read_request;
use testkit::listener::Listener;
use testkit::report;
use testkit::serve::{self, SDKAPPID, Serving};

use crate::{KEY, state};

const LIMIT: usize = 5;
const SECOND: Duration = Duration::from_secs(1);
const TOO_FREQUENT: i64 = 60007;
/// A test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Calls, each from the moment at which it had arrived until its answer was written.
#[derive(Default)]
struct Occupancy {
    calls: Mutex<Calls>,
    released: Condvar,
}

#[derive(Default)]
struct Calls {
    spans: Vec<(Instant, Option<Instant>)>,
    /// No call is answered.
    is_held: bool,
}

impl Occupancy {
    fn serve(&self, peer: TcpStream) {
        let mut writer = peer.try_clone().expect("a second handle");
        let mut reader = BufReader::new(peer);
        while let Some((_, body)) = read_request(&mut reader) {
            let mut calls = self.calls.lock().expect("no thread panics");
            let number = calls.spans.len();
            calls.spans.push((Instant::now(), None));
            let is_held = |calls: &mut Calls| calls.is_held;
            calls = (self.released.wait_while(calls, is_held)).expect("no thread panics");
            calls.spans[number].1 = Some(Instant::now());
            drop(calls);
            let item =
                json!({"To_Account": body["To_Account"][0], "ResultCode": 0, "ResultInfo": ""});
            let answer = json!({"ResultItem": [item], "ActionStatus": "OK", "ErrorCode": 0,
                "ErrorInfo": "", "ErrorDisplay": ""});
            let answer = answer.to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                answer.len()
            );
            if writer.write_all((head + &answer).as_bytes()).is_err() {
                return;
            }
        }
    }

    fn hold(&self, is_held: bool) {
        self.calls.lock().expect("no thread panics").is_held = is_held;
        self.released.notify_all();
    }

    /// How many calls arrived.
    fn count(&self) -> usize {
        self.calls.lock().expect("no thread panics").spans.len()
    }

    /// The most calls of which each was here at some time in one window of a second, and how many there were in all.
    fn most(&self) -> (usize, usize) {
        let calls = self.calls.lock().expect("no thread panics");
        let within = |end: Instant| {
            let mut count = 0;
            for (begin, over) in &calls.spans {
                // An answer that was never written counts until now.
                let is_over = over.is_some_and(|over| over + SECOND <= end);
                count += usize::from(*begin <= end && !is_over);
            }
            count
        };
        let most = calls.spans.iter().map(|(begin, _)| within(*begin)).max();
        (most.unwrap_or(0), calls.spans.len())
    }
}

/// The code of the answer to an add for `owner`.
fn add(address: &str, owner: usize) -> i64 {
    let target = format!("/v4/sns/black_list_add?{}", serve::query("admin"));
    let body = json!({"From_Account": format!("owner{owner}"), "To_Account": ["bob"]});
    let (status, answer) = serve::exchange(address, &serve::post(&target, &body.to_string()));
    assert_eq!(status, 200, "{answer}");
    let answer: Value = serde_json::from_str(&answer).expect("the answer is JSON");
    answer["ErrorCode"].as_i64().expect("a code")
}

#[test]
fn the_service_behind_a_gateway_has_no_more_calls_in_a_second_than_the_limit() {
    let occupancy = Arc::new(Occupancy::default());
    let own = Arc::clone(&occupancy);
    let behind = Listener::start(move |peer| own.serve(peer));
    let config = json!({"sdkappid": SDKAPPID, "secret_key": KEY, "identifier": "admin",
        "base_url": behind.base_url(), "rate_per_second": LIMIT, "attempt_ms": 60_000, "call_ms": 60_000});
    let front = Serving::start(&config.to_string(), &state(""));
    let address = front.address();
    occupancy.hold(true);
    let refused = AtomicUsize::new(0);
    thread::scope(|scope| {
        let call = |count: usize| {
            for owner in 0..count {
                let refused = &refused;
                scope.spawn(move || match add(address, owner) {
                    TOO_FREQUENT => drop(refused.fetch_add(1, Ordering::SeqCst)),
                    code => assert_eq!(code, 0),
                });
            }
        };
        let wait_for = |count: usize| {
            let started = Instant::now();
            while refused.load(Ordering::SeqCst) + occupancy.count() < count {
                assert!(started.elapsed() < PATIENCE, "not all calls have come");
                thread::sleep(SECOND / 100);
            }
        };
        call(LIMIT * 2);
        wait_for(LIMIT * 2);
        // The service has had them for a second, and has not answered: they count.
        thread::sleep(SECOND + SECOND / 10);
        call(LIMIT);
        wait_for(LIMIT * 3);
        occupancy.hold(false);
    });
    assert_eq!(refused.load(Ordering::SeqCst), LIMIT * 2);
    let started = Instant::now();
    let mut answered = 0;
    while answered < LIMIT * 2 {
        answered += usize::from(add(address, answered) == 0);
        assert!(started.elapsed() < PATIENCE, "calls are never let through");
    }
    let (most, all) = occupancy.most();
    report(
        "server-gateway",
        &format!("server gateway: {all} calls, at most {most} of {LIMIT} in a second"),
    );
    assert!(most <= LIMIT, "{most} calls in a second");
    assert_eq!(all, LIMIT * 3);
}
