//! What the server tells the backend of an app, which delays no call.

use std::time::{Duration, Instant};

use chatblock::webhook::{Change, Token, Verifier, read_event};
use serde_json::{Value, json};

use crate::KEY;
use crate::running::{Running, short, state};
use testkit::receiver::{Manner, Receiver, Webhook};
use testkit::serve::{self, NOW, Serving};

/// A server that tells `receiver`; `more` are further members of `webhook`.
fn start(receiver: &Receiver, more: &Value) -> Running {
    start_at(&receiver.url(), more)
}

fn start_at(url: &str, more: &Value) -> Running {
    let mut webhook = more.clone();
    webhook["url"] = json!(url);
    let config = json!({"backend": "embedded", "rate_per_second": 1_000_000, "webhook": webhook});
    Running::start(&config.to_string(), &state(""), short())
}

fn call(server: &Running, command: &str, owner: &str, to: &[&str]) -> Value {
    let target = format!("/v4/sns/black_list_{command}?{}", serve::query("admin"));
    let body = json!({"From_Account": owner, "To_Account": to}).to_string();
    let (status, answer) = serve::exchange(&server.address, &serve::post(&target, &body));
    assert_eq!(status, 200, "{answer}");
    serde_json::from_str(&answer).expect("the answer is JSON")
}

/// The published webhook of that name: parameters in order, and the body.
fn published(name: &str) -> (String, String) {
    let text = include_str!("../../../tests/vectors/conformance.json");
    let vectors: Vec<Value> = serde_json::from_str(text).expect("the vectors are sound");
    let vector = vectors.iter().find(|vector| vector["name"] == name);
    let request = &vector.expect("the vector is there")["request"];
    let query = request["query"].as_object().expect("a query");
    let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
    let pairs = query
        .iter()
        .map(|(name, value)| format!("{name}={}", text(value)));
    let mut pairs: Vec<String> = pairs.collect();
    pairs.sort();
    (pairs.join("&"), request["body"].to_string())
}

/// The parameters of `webhook`, sorted as those of [`published`].
fn parameters(webhook: &Webhook) -> String {
    let (path, query) = webhook.target.split_once('?').expect("a query");
    assert_eq!(path, "/hook");
    let mut pairs: Vec<&str> = query.split('&').collect();
    pairs.sort_unstable();
    pairs.join("&")
}

const THREE: [&str; 3] = ["id1", "id2", "id3"];

#[test]
fn what_is_sent_is_what_the_documentation_shows() {
    let receiver = Receiver::start(Manner::Take);
    let server = start(&receiver, &json!({}));
    for (command, name) in [("add", "webhook-add"), ("delete", "webhook-delete")] {
        call(&server, command, "id", &THREE);
        let webhook = receiver.next();
        let (query, body) = published(name);
        assert_eq!(parameters(&webhook), query);
        assert_eq!(webhook.body, body);
        assert!(webhook.head.contains("content-type: application/json\r\n"));
    }
}

#[test]
fn with_a_token_it_is_signed_and_verifies() {
    let receiver = Receiver::start(Manner::Take);
    let token = "synthetic-webhook-token";
    let server = start(&receiver, &json!({"token": token}));
    call(&server, "add", "id", &THREE);
    let webhook = receiver.next();
    assert_eq!(parameters(&webhook), published("webhook-add-signed").0);
    let sdkappid = serve::SDKAPPID.try_into().expect("it fits");
    let verifier = Verifier::new(
        sdkappid,
        Some(Token::new(token)),
        false,
        Duration::from_mins(1),
    );
    let (_, query) = webhook.target.split_once('?').expect("a query");
    assert_eq!(verifier.verify(query, NOW), Ok(Change::Add));
    let event = read_event(Change::Add, webhook.body.as_bytes()).expect("a sound body");
    assert_eq!(event.pairs.len(), 3);
}

#[test]
fn only_what_was_changed_is_told_and_nothing_when_nothing_was() {
    let receiver = Receiver::start(Manner::Take);
    let mut server = start(&receiver, &json!({}));
    call(&server, "add", "ann", &["bob"]);
    for unchanged in [
        call(&server, "add", "ann", &["bob"]),
        call(&server, "add", "ann", &["ann"]),
        call(&server, "delete", "ann", &["eve"]),
        call(&server, "delete", "", &["eve"]),
        call(&server, "check", "ann", &["bob"]),
    ] {
        assert!(unchanged["ActionStatus"].is_string(), "{unchanged}");
    }
    call(&server, "add", "ann", &["dan", "bob", "ann", "cat"]);
    server.stop();
    let pair = |to| json!({"From_Account": "ann", "To_Account": to});
    let body =
        |pairs: Value| json!({"CallbackCommand": "Sns.CallbackBlackListAdd", "PairList": pairs});
    let expected = [json!([pair("bob")]), json!([pair("dan"), pair("cat")])];
    let mut bodies = receiver.bodies();
    bodies.sort();
    assert_eq!(bodies, expected.map(|pairs| body(pairs).to_string()));
}

#[test]
fn one_connection_carries_many_webhooks() {
    let receiver = Receiver::start(Manner::Take);
    let server = start(&receiver, &json!({}));
    let mut connections = std::collections::HashSet::new();
    for number in 0..50 {
        call(&server, "add", "ann", &[&format!("p{number}")]);
        connections.insert(receiver.next().connection);
    }
    assert!(connections.len() < 10, "{connections:?}");
}

#[test]
fn silence_is_repeated_after_a_second_and_holds_up_no_caller() {
    let receiver = Receiver::start(Manner::Ignore(1));
    let server = start(&receiver, &json!({}));
    let begin = Instant::now();
    call(&server, "add", "ann", &["bob"]);
    assert!(
        begin.elapsed() < Duration::from_secs(2),
        "the caller waited"
    );
    let first = receiver.next();
    // Others do not wait behind it.
    call(&server, "add", "ann", &["cat"]);
    assert!(receiver.next().body.contains("cat"));
    let again = receiver.next();
    assert_eq!((&again.target, &again.body), (&first.target, &first.body));
    let apart = again.when - first.when;
    assert!(apart > Duration::from_millis(2900), "{apart:?}");
}

#[test]
fn a_refusal_is_not_repeated() {
    let manners = [
        ("500 Internal Server Error", ""),
        ("302 Found\r\nLocation: /hook", ""),
        ("200 OK", "thanks"),
        (
            "200 OK",
            r#"{"ActionStatus":"FAIL","ErrorCode":1,"ErrorInfo":"no"}"#,
        ),
    ];
    let all = manners.map(|(status, body)| {
        let receiver = Receiver::start(Manner::Answer(status, body));
        let server = start(&receiver, &json!({}));
        call(&server, "add", "ann", &["bob"]);
        receiver.next();
        (server, receiver)
    });
    // A repetition would come after a second.
    std::thread::sleep(Duration::from_millis(1300));
    for (_server, receiver) in all {
        assert_eq!(receiver.bodies(), [""; 0]);
    }
}

#[test]
fn a_receiver_that_is_not_there_harms_nobody() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("http://{}/", free.local_addr().expect("it is bound"));
    drop(free);
    let mut server = start_at(&url, &json!({}));
    for number in 0..20 {
        let answer = call(&server, "add", "ann", &[&format!("p{number}")]);
        assert_eq!(answer["ResultItem"][0]["ResultCode"], 0);
    }
    server.stop();
}

#[test]
fn a_server_that_hangs_on_its_receiver_still_ends() {
    let receiver = Receiver::start(Manner::Ignore(usize::MAX));
    let mut server = start(&receiver, &json!({}));
    for number in 0..20 {
        call(&server, "add", "ann", &[&format!("p{number}")]);
    }
    receiver.next();
    let begin = Instant::now();
    server.stop();
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "{:?}",
        begin.elapsed()
    );
}

#[test]
fn what_the_operator_reads_shows_no_token() {
    let receiver = Receiver::start(Manner::Answer("403 Forbidden", ""));
    let token = "CANARY-c0ffee";
    let config = json!({"backend": "embedded", "webhook": {"url": receiver.url(), "token": token}});
    let files = tempfile::tempdir().expect("a directory can be made");
    let (config_file, state_file) = (files.path().join("c"), files.path().join("s"));
    serve::write_secret(&config_file, &config.to_string());
    serve::write_secret(&state_file, &state(""));
    let stderr_file = files.path().join("stderr");
    let mut command = serve::program();
    command.arg("serve").arg("--config").arg(config_file);
    command.arg("--state").arg(state_file);
    command.stderr(std::fs::File::create(&stderr_file).expect("a file can be made"));
    let kept = std::fs::File::open(&stderr_file).expect("a file can be read");
    let mut server = Serving::spawn(command, files);
    for to in ["bob", "cat"] {
        let body = json!({"From_Account": "ann", "To_Account": [to]}).to_string();
        server.call("v4/sns/black_list_add", &body);
        receiver.next();
    }
    server.end_with(nix::sys::signal::Signal::SIGTERM);
    let said = std::io::read_to_string(kept).expect("it is text");
    assert_eq!(
        said,
        "chatblock serve: a webhook was not taken: HTTP status 403; further ones are only counted until one is \
         taken\nchatblock serve: the last 2 webhooks did not arrive\n"
    );
    assert!(!said.contains(token) && !said.contains(KEY), "{said}");
}
