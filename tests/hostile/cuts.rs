//! Connections that end at any byte of a request or of an answer, and answers that come too late.

use std::time::{Duration, Instant};

use chatblock::{CheckType, Client, Reply, ReplyItem, Status};
use serde_json::json;

use crate::case::Ask;
use crate::client::client;
use testkit::answers::{accepted, http, item, items, refusal, relation, relations, sends};
use testkit::fault_server::{Ending, FaultServer, Step};
use testkit::{Delays, depth, report};

/// Every byte in the full run; in the quick one a prime number of bytes between two cuts.
const QUICK_STRIDE: usize = 13;

/// The four commands, each with an answer that confirms everything.
fn commands() -> [(Ask, Vec<u8>); 4] {
    let done = || items(&[item("a", 0, ""), item("b", 0, "")]);
    let page = r#""BlackListItem":[{"To_Account":"a","AddBlackTimeStamp":1}],"StartIndex":0"#;
    let checked = [relation("a", "AWithB", 0), relation("b", "NO", 0)];
    [
        (Ask::Add(&["a", "b"]), http(done())),
        (Ask::Delete(&["a", "b"]), http(done())),
        (Ask::Get(0), http(accepted(page))),
        (
            Ask::Check(&["a", "b"], CheckType::Both),
            http(relations(&checked)),
        ),
    ]
}

/// A client for one attempt each, without a rate.
fn hasty(server: &FaultServer) -> Client {
    client(server, &json!({"rate_per_second": 1_000_000}))
}

/// How many cases there were, and the slowest.
#[derive(Default)]
struct Sum {
    cases: usize,
    slowest: Duration,
}

impl Sum {
    /// Makes the call, which must not be confirmed in any part. `none_arrived`: a connection that was
    /// reset at once may never have come to be for the client, which then knows that it sent nothing.
    fn unconfirmed(&mut self, ask: Ask, client: &Client, none_arrived: bool, case: &str) {
        let began = Instant::now();
        let reply = ask.of(client);
        self.slowest = self.slowest.max(began.elapsed());
        self.cases += 1;
        assert!(!confirms(&reply), "{case}: {reply:?}");
        assert!(
            reply.status() == Status::Network || none_arrived && reply.status() == Status::Connect,
            "{case}: {reply:?}"
        );
        assert!(reply.is_retryable(), "{case}: {reply:?}");
    }
}

fn confirms(reply: &Reply) -> bool {
    let mut items = reply.items().iter().map(ReplyItem::status);
    reply.status().is_done() || items.any(Status::is_done)
}

fn places(length: usize) -> impl Iterator<Item = usize> {
    (0..length).step_by(depth().pick(QUICK_STRIDE, 1, 1))
}

/// How many bytes the request to `ask` has on its way.
fn request_length(ask: Ask, answer: &[u8]) -> usize {
    let server = FaultServer::plain(vec![vec![Step::Send(answer.to_vec())]]);
    let reply = ask.of(&hasty(&server));
    assert_eq!(reply.status(), Status::Ok, "whole, it is confirmed");
    let received = server.received();
    received[0].head.len() + "\r\n\r\n".len() + received[0].body.len()
}

#[test]
fn a_request_or_an_answer_cut_at_any_byte_confirms_nothing() {
    let mut sum = Sum::default();
    for (ask, answer) in commands() {
        let length = request_length(ask, &answer);
        let server = FaultServer::plain(Vec::new());
        let client = hasty(&server);
        for ending in [Ending::Fin, Ending::Reset] {
            for bytes in places(length) {
                server.cut_request(bytes, ending);
                let case = format!("{ending:?} after {bytes} of {length} bytes of the request");
                sum.unconfirmed(ask, &client, bytes == 0, &case);
            }
        }
        assert_eq!(server.received().len(), 0, "no request arrived whole");
        for closing in [Step::Cut, Step::Reset] {
            for bytes in places(answer.len()) {
                server.push(vec![Step::Send(answer[..bytes].to_vec()), closing.clone()]);
                let case = format!("{closing:?} after {bytes} bytes of the answer");
                sum.unconfirmed(ask, &client, false, &case);
            }
        }
    }
    let Sum { cases, slowest } = sum;
    let slowest = slowest.as_millis();
    report(
        "hostile",
        &format!(
            "cuts: {cases} cases (request and answer, FIN and RST), false confirmations 0, slowest {slowest} ms"
        ),
    );
}

/// An answer that comes when the attempt is over; gives how late the call ended. On a busy machine the request may need
/// more time to arrive.
fn late_answer(ask: Ask, answer: &[u8], attempt: Duration) -> Duration {
    let server = FaultServer::plain(Vec::new());
    let more = json!({"attempt_ms": attempt.as_millis(), "call_ms": attempt.as_millis()});
    let client = client(&server, &more);
    server.push(vec![Step::Pause(2 * attempt), Step::Send(answer.into())]);
    let began = Instant::now();
    let reply = ask.of(&client);
    let late = began.elapsed().saturating_sub(attempt);
    assert!(!confirms(&reply), "{reply:?}");
    if server.received().is_empty() {
        return late.max(late_answer(ask, answer, 2 * attempt));
    }
    assert_eq!(reply.status(), Status::Timeout, "{reply:?}");
    std::thread::sleep(2 * attempt);
    server.push(sends(refusal(30003)));
    let reply = ask.of(&client);
    if matches!(reply.status(), Status::Timeout | Status::Connect) {
        return late.max(late_answer(ask, answer, 2 * attempt));
    }
    assert_eq!(reply.service_code(), 30003, "its own answer: {reply:?}");
    late
}

#[test]
fn an_answer_after_its_time_confirms_nothing_then_or_later() {
    let (delays, mut worst) = (Delays::begin(), Duration::ZERO);
    for (ask, answer) in commands() {
        worst = worst.max(late_answer(ask, &answer, Duration::from_millis(300)));
    }
    assert!(worst < delays.explain(), "a call was {worst:?} late");
    let worst = worst.as_millis();
    report(
        "hostile",
        &format!("late answers: 4 commands, false confirmations 0, worst overrun {worst} ms"),
    );
}
