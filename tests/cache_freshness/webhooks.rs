//! What webhooks change, and which are refused.

use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chatblock::cache::Answer::{No, Unknown, Yes};
use chatblock::webhook::{Change, Event, Token, answer, signed_query, write_event};
use chatblock::{Client, Status};
use serde_json::json;

use crate::{APP, TOKEN, becomes, client, service};

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.expect("after 1970").as_secs();
    i64::try_from(seconds).expect("far off")
}

fn query(app: u32, change: Change, token: &str, time: i64) -> String {
    let token = Token::new(token);
    signed_query(
        app.into(),
        change,
        Ipv4Addr::LOCALHOST.into(),
        Some((&token, time)),
    )
}

fn body(change: Change, pairs: &[(&str, &str)]) -> Vec<u8> {
    let pairs = pairs
        .iter()
        .map(|(owner, peer)| ((*owner).into(), (*peer).into()));
    let event = Event {
        change,
        pairs: pairs.collect(),
    };
    write_event(&event).into_bytes()
}

/// Takes a genuine webhook.
fn take(client: &Client, change: Change, pairs: &[(&str, &str)]) {
    let reply = client.apply_webhook(&query(APP, change, TOKEN, now()), &body(change, pairs));
    assert_eq!(reply.status(), Status::Ok, "{}", reply.message());
    assert_eq!(
        reply.json(),
        r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#
    );
}

#[test]
fn an_add_is_a_yes_at_once_and_for_as_long_as_the_list_has_it() {
    let service = service();
    let (ours, other) = (
        client(&service.url, &json!({})),
        client(&service.url, &json!({})),
    );
    ours.watch(&["ann"]).expect("it is watched");
    becomes(&ours, "ann", "bob", No);
    assert_eq!(other.add("ann", &["bob"]).status(), Status::Ok);
    let before = ours.stats().cache.refreshes;
    take(&ours, Change::Add, &[("ann", "bob")]);
    assert_eq!(ours.is_blocked("ann", "bob"), Yes);
    while ours.stats().cache.refreshes == before {
        assert_eq!(ours.is_blocked("ann", "bob"), Yes);
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(ours.is_blocked("ann", "bob"), Yes);
}

#[test]
fn an_add_that_the_list_does_not_have_is_gone_after_the_next_reading() {
    let service = service();
    let client = client(&service.url, &json!({}));
    client.watch(&["ann"]).expect("it is watched");
    becomes(&client, "ann", "bob", No);
    take(&client, Change::Add, &[("ann", "bob")]);
    assert_eq!(client.is_blocked("ann", "bob"), Yes);
    becomes(&client, "ann", "bob", No);
}

#[test]
fn a_delete_shows_after_the_next_reading_only() {
    let service = service();
    let client = client(&service.url, &json!({}));
    assert_eq!(client.add("ann", &["bob"]).status(), Status::Ok);
    client.watch(&["ann"]).expect("it is watched");
    becomes(&client, "ann", "bob", Yes);
    // The list still has it: a delete that was replayed changes nothing.
    let before = client.stats().cache.refreshes;
    take(&client, Change::Delete, &[("ann", "bob")]);
    while client.stats().cache.refreshes == before {
        assert_eq!(client.is_blocked("ann", "bob"), Yes);
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(client.is_blocked("ann", "bob"), Yes);
    let other = crate::client(&service.url, &json!({}));
    assert_eq!(other.delete("ann", &["bob"]).status(), Status::Ok);
    take(&client, Change::Delete, &[("ann", "bob")]);
    becomes(&client, "ann", "bob", No);
}

#[test]
fn owners_of_whom_nothing_is_known_are_counted_and_ignored() {
    let client = client("https://example.invalid", &json!({}));
    take(&client, Change::Add, &[("ann", "bob"), ("cid", "bob")]);
    take(&client, Change::Delete, &[("ann", "bob")]);
    assert_eq!(client.is_blocked("ann", "bob"), Unknown);
    let stats = client.stats();
    let counts = stats.webhooks.expect("a remote client");
    assert_eq!((counts.accepted, counts.ignored_pairs), (2, 3));
    assert_eq!((stats.cache.pairs, stats.cache.watched), (0, 0));
}

#[test]
fn every_refusal_has_its_status_and_body_and_changes_nothing() {
    let service = service();
    let client = client(&service.url, &json!({}));
    client.watch(&["ann"]).expect("it is watched");
    becomes(&client, "ann", "bob", No);
    let add = Change::Add;
    let good = || body(add, &[("ann", "bob")]);
    let genuine = query(APP, add, TOKEN, now());
    let table = [
        (
            query(APP, add, "another token", now()),
            good(),
            Status::Signature,
        ),
        (
            genuine.split("&Sign").next().expect("it is signed").into(),
            good(),
            Status::Signature,
        ),
        (
            query(APP, add, TOKEN, now() - 1000),
            good(),
            Status::Signature,
        ),
        (
            query(APP, add, TOKEN, now() + 1000),
            good(),
            Status::Signature,
        ),
        (query(APP + 1, add, TOKEN, now()), good(), Status::Signature),
        (String::new(), good(), Status::Request),
        (
            genuine.replace("BlackListAdd", "FriendAdd"),
            good(),
            Status::Request,
        ),
        (genuine.clone(), b"{}".to_vec(), Status::Request),
        (genuine.clone(), b"\xff".to_vec(), Status::Request),
        (genuine.clone(), Vec::new(), Status::Request),
        (
            genuine.clone(),
            body(Change::Delete, &[("ann", "bob")]),
            Status::Request,
        ),
        (
            genuine,
            body(add, &[("ann", "bob"), ("ann", "")]),
            Status::Request,
        ),
    ];
    for (query, body, wanted) in table {
        let reply = client.apply_webhook(&query, &body);
        assert_eq!(reply.status(), wanted, "{query}: {}", reply.message());
        assert!(!reply.message().is_empty());
        assert_eq!(reply.json(), answer(false, reply.message()));
        assert_eq!(client.is_blocked("ann", "bob"), No, "{query}");
    }
    let counts = client.stats().webhooks.expect("a remote client");
    assert_eq!((counts.forged, counts.stale, counts.foreign), (2, 2, 1));
    assert_eq!(
        (counts.malformed, counts.others, counts.accepted),
        (6, 1, 0)
    );
}
