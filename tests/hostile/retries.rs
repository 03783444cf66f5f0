//! What is repeated, how often, how soon, and what is not.

use std::time::Duration;

use chatblock::{Reply, Status};
use serde_json::{Value, json};

use crate::client::client;
use testkit::answers::{http_with, item, items, refusal, sends};
use testkit::fault_server::{Answer, FaultServer, Received, Step};

/// Adds "a" and "b" with three attempts against this script.
fn call(script: Vec<Answer>, more: &Value) -> (Reply, Vec<Received>) {
    let mut all = json!({"retry": {"attempts": 3, "base_ms": 1, "max_ms": 2}});
    for (key, value) in more.as_object().expect("an object of keys") {
        all[key] = value.clone();
    }
    let server = FaultServer::plain(script);
    let reply = client(&server, &all).add("owner", &["a", "b"]);
    (reply, server.received())
}

fn success() -> Answer {
    sends(items(&[item("a", 0, ""), item("b", 0, "")]))
}

#[test]
fn a_write_conflict_is_repeated_until_it_is_gone() {
    let conflict = || sends(refusal(30008));
    let (reply, requests) = call(vec![conflict(), conflict(), success()], &json!({}));
    assert_eq!(reply.status(), Status::Ok, "{reply:?}");
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|request| request.connection == 0));
}

#[test]
fn attempts_are_counted() {
    for attempts in [1, 2, 4] {
        let script = vec![sends(refusal(30008)); 9];
        let more = json!({"retry": {"attempts": attempts, "base_ms": 1}});
        let (reply, requests) = call(script, &more);
        assert_eq!(reply.service_code(), 30008);
        assert!(reply.is_retryable());
        assert_eq!(requests.len(), attempts);
    }
}

#[test]
fn only_the_accounts_that_failed_are_repeated() {
    let half = sends(items(&[item("a", 0, ""), item("b", 30006, "")]));
    let rest = sends(items(&[item("b", 0, "")]));
    let (reply, requests) = call(vec![half, rest], &json!({}));
    assert_eq!(reply.status(), Status::Ok, "{reply:?}");
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].json()["To_Account"], json!(["a", "b"]));
    assert_eq!(requests[1].json()["To_Account"], json!(["b"]));
}

#[test]
fn an_account_without_an_answer_is_asked_for_again() {
    let half = sends(items(&[item("a", 0, "")]));
    let rest = sends(items(&[item(
        "b",
        30001,
        "Err_SNS_BlackListAdd_Already_Exist",
    )]));
    let (reply, requests) = call(vec![half, rest], &json!({}));
    assert_eq!(reply.status(), Status::Ok, "{reply:?}");
    assert_eq!(reply.items()[1].status(), Status::Unchanged);
    assert_eq!(requests[1].json()["To_Account"], json!(["b"]));
}

#[test]
fn an_answer_that_was_lost_is_asked_for_again() {
    let lost = [
        vec![Step::Reset],
        vec![Step::Send(b"HTTP/1.1 200 OK\r\n".to_vec()), Step::Cut],
        sends("<html>"),
        vec![Step::Send(testkit::answers::http_with(
            "502 Bad Gateway",
            "",
            "x",
        ))],
    ];
    for lost in lost {
        let (reply, requests) = call(vec![lost, success()], &json!({}));
        assert_eq!(reply.status(), Status::Ok, "{reply:?}");
        assert_eq!(requests.len(), 2);
    }
}

#[test]
fn an_answer_stays_an_answer_when_a_later_attempt_is_lost() {
    let half = sends(items(&[item("a", 0, ""), item("b", 30006, "")]));
    let (reply, requests) = call(vec![half, vec![Step::Reset], vec![Step::Reset]], &json!({}));
    assert_eq!(reply.status(), Status::Partial, "{reply:?}");
    assert_eq!(reply.items()[0].status(), Status::Ok);
    assert_eq!(reply.items()[1].code(), 30006);
    assert_eq!(requests.len(), 3);
}

#[test]
fn a_refusal_for_good_is_not_repeated() {
    for code in [
        30001, 30002, 30003, 30004, 30013, 60003, 60010, 70003, 70009, 99999,
    ] {
        let (reply, requests) = call(vec![sends(refusal(code)); 3], &json!({}));
        assert_eq!(i64::from(reply.service_code()), code);
        assert!(!reply.is_retryable());
        assert_eq!(requests.len(), 1, "{code}");
    }
}

#[test]
fn some_codes_are_repeated_once() {
    for code in [60004, 60005, 60013] {
        let (reply, requests) = call(vec![sends(refusal(code)); 3], &json!({}));
        assert_eq!(i64::from(reply.service_code()), code);
        assert_eq!(requests.len(), 2, "{code}");
    }
}

#[test]
fn an_expired_signature_is_renewed_once() {
    // A signature names its second: the clock must move for the new one to differ.
    let expired = vec![
        Step::Pause(Duration::from_millis(1100)),
        Step::Send(testkit::answers::http(refusal(70001))),
    ];
    let (reply, requests) = call(vec![expired, success()], &json!({}));
    assert_eq!(reply.status(), Status::Ok, "{reply:?}");
    assert_ne!(requests[0].usersig(), requests[1].usersig());

    let (reply, requests) = call(vec![sends(refusal(70001)); 3], &json!({}));
    assert_eq!(reply.service_code(), 70001);
    assert!(reply.message().contains("clock"), "{}", reply.message());
    assert_eq!(requests.len(), 2);
}

#[test]
fn a_signature_that_was_refused_too_often_rests() {
    let (reply, requests) = call(vec![sends(refusal(70050)); 3], &json!({}));
    assert_eq!(reply.service_code(), 70050);
    assert!(reply.is_retryable());
    assert_eq!(requests.len(), 1);
}

#[test]
fn throttled_calls_wait_a_second() {
    let (reply, requests) = call(vec![sends(refusal(60007)), success()], &json!({}));
    assert_eq!(reply.status(), Status::Ok, "{reply:?}");
    assert_eq!(requests.len(), 2);
    assert!(requests[1].at - requests[0].at >= Duration::from_secs(1));
}

#[test]
fn a_wait_that_would_pass_the_deadline_is_not_begun() {
    let (reply, requests) = call(vec![sends(refusal(60007)); 3], &json!({"call_ms": 900}));
    assert_eq!(reply.service_code(), 60007);
    assert_eq!(requests.len(), 1);
}

#[test]
fn every_request_has_a_label_of_its_own() {
    let (_, requests) = call(vec![sends(refusal(30008)); 3], &json!({}));
    let label = |request: &Received| {
        let (_, rest) = request
            .head
            .split_once("random=")
            .expect("every request has one");
        rest.split('&')
            .next()
            .expect("it has a value")
            .parse::<u32>()
            .expect("32 bits")
    };
    let mut labels: Vec<_> = requests.iter().map(label).collect();
    labels.dedup();
    assert_eq!(labels.len(), 3);
}

#[test]
fn the_stats_show_what_was_repeated_and_how_the_service_is_reached() {
    let gateway = vec![Step::Send(http_with("502 Bad Gateway", "", "<html>"))];
    let script = vec![gateway, sends(refusal(30008)), success()];
    let server = FaultServer::plain(script);
    let more = json!({"retry": {"attempts": 3, "base_ms": 1, "max_ms": 2}});
    let client = client(&server, &more);
    assert_eq!(
        client
            .stats()
            .service
            .map(|service| service.usersig_expires),
        Some(None)
    );
    assert_eq!(client.add("owner", &["a", "b"]).status(), Status::Ok);
    let stats = client.stats();
    assert_eq!(
        (stats.requests.add.sent, stats.requests.add.accounts),
        (3, 6)
    );
    let retries = stats.retries.expect("calls are repeated");
    assert_eq!(
        (retries.network, retries.busy, retries.budget_left),
        (1, 1, 30)
    );
    assert_eq!(
        (stats.calls.total.confirmed, stats.latency.add.count),
        (1, 1)
    );
    let service = stats.service.expect("there is one");
    assert_eq!((service.connections, service.host), (1, "primary"));
    assert!(service.usersig_expires.is_some());
}
