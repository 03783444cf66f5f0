//! Who blocks whom, asked without a call: on the embedded engine everybody is known, on the remote backend
//! those whose lists were read, and webhooks say what others changed.

use std::time::{Duration, Instant};

use chatblock::cache::Answer::{self, No, Unknown, Yes};
use chatblock::{Client, Status};
use serde_json::{Value, json};
use testkit::receiver::{Manner, Receiver, TAKEN};
use testkit::serve::{KEY, SDKAPPID, Serving};

const SOON: Option<Duration> = Some(Duration::from_secs(20));
const TOKEN: &str = "synthetic-webhook-token";

fn embedded() -> Client {
    Client::open("{}").expect("a sound configuration")
}

/// A client of `server` whose lists are read again every second.
fn remote(server: &Serving, more: &Value) -> Client {
    let mut config = json!({
        "sdkappid": SDKAPPID,
        "secret_key": KEY,
        "identifier": "admin",
        "base_url": server.url,
        "cache": {"refresh_s": 1, "max_age_s": 60},
        "webhook": {"token": TOKEN},
    });
    for (key, value) in more.as_object().expect("an object of keys") {
        config[key] = value.clone();
    }
    Client::open(&config.to_string()).expect("a sound configuration")
}

fn serving(more: &Value) -> Serving {
    let mut config = json!({"backend": "embedded", "sdkappid": SDKAPPID, "secret_key": KEY,
        "identifier": "admin", "rate_per_second": 100_000});
    for (key, value) in more.as_object().expect("an object of keys") {
        config[key] = value.clone();
    }
    let state = json!({"sdkappid": SDKAPPID, "key": KEY, "admins": ["admin"], "blocklists": {}});
    Serving::start(&config.to_string(), &state.to_string())
}

/// Waits until `owner` answers `wanted` about `peer`.
fn until(client: &Client, owner: &str, peer: &str, wanted: Answer) {
    let late = Instant::now() + Duration::from_mins(2);
    while client.is_blocked(owner, peer) != wanted {
        assert!(
            Instant::now() < late,
            "{owner} and {peer} never became {wanted:?}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_pair_shows_when_its_call_has_returned() {
    let client = embedded();
    assert_eq!(client.is_blocked("ann", "bob"), No);
    let _ = client.add("ann", &["bob", "cat"]);
    assert_eq!(client.is_blocked("ann", "bob"), Yes);
    assert_eq!(client.is_blocked("bob", "ann"), No);
    let _ = client.delete("ann", &["bob"]);
    assert_eq!(client.is_blocked("ann", "bob"), No);
    assert_eq!(client.is_blocked("ann", "cat"), Yes);
}

#[test]
fn a_pair_shows_when_its_completion_is_there() {
    let client = embedded();
    for number in 0..500 {
        client
            .add_async("ann", &[format!("t{number}")], number)
            .expect("accepted");
    }
    for _ in 0..500 {
        let reply = client.poll(SOON).expect("a completion");
        assert_eq!(client.is_blocked("ann", reply.items()[0].account()), Yes);
    }
}

#[test]
fn only_what_was_done_shows() {
    let client = embedded();
    let _ = client.add("ann", &["bob", "ann", "not valid\u{7f}"]);
    assert_eq!(
        client.is_blocked("ann", "bob"),
        No,
        "a call with an invalid id does nothing"
    );
    let _ = client.add("ann", &["bob", "ann"]);
    assert_eq!(client.is_blocked("ann", "bob"), Yes);
    assert_eq!(client.is_blocked("ann", "ann"), No);
}

#[test]
fn of_a_call_that_succeeds_in_part_only_that_part_shows() {
    let client = embedded();
    let names: Vec<_> = (0..1002).map(|number| format!("t{number}")).collect();
    assert_eq!(client.add("ann", &names).status(), Status::Partial);
    let blocked = |name: &&String| client.is_blocked("ann", name) == Yes;
    assert_eq!(
        names.iter().filter(blocked).count(),
        1000,
        "a list holds 1000"
    );
    assert_eq!(client.is_blocked("ann", &names[1000]), No);
}

#[test]
fn a_durable_store_is_known_when_it_is_open() {
    let folder = tempfile::tempdir().expect("a directory");
    let config = json!({"path": folder.path().join("store.db")}).to_string();
    let client = Client::open(&config).expect("a new store");
    let _ = client.add("ann", &["bob", "cat"]);
    let _ = client.delete("ann", &["cat"]);
    assert_eq!(client.close(SOON), Status::Ok);
    let client = Client::open(&config).expect("the same store");
    assert_eq!(client.is_blocked("ann", "bob"), Yes);
    assert_eq!(client.is_blocked("ann", "cat"), No);
    assert_eq!(client.stats().cache.pairs, 1);
}

#[test]
fn writers_of_one_pair_leave_what_the_store_says() {
    let client = embedded();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let client = &client;
            scope.spawn(move || {
                for round in 0..300 {
                    if (thread + round) % 2 == 0 {
                        let _ = client.add("ann", &["bob"]);
                    } else {
                        let _ = client.delete("ann", &["bob"]);
                    }
                }
            });
        }
    });
    let listed = client.get("ann", 0, 10).items().len();
    let known = usize::from(client.is_blocked("ann", "bob") == Yes);
    assert_eq!(known, listed);
}

#[test]
fn many_and_pairs_agree_with_one_by_one() {
    let client = embedded();
    let names: Vec<_> = (0..150).map(|number| format!("p{number}")).collect();
    for (number, name) in names.iter().enumerate().step_by(3) {
        let _ = client.add(
            name,
            &[&names[(number * 7 + 1) % 150], &names[(number + 2) % 150]],
        );
    }
    for peer in &names {
        let many: Vec<_> = client.is_blocked_many(&names, peer).collect();
        let one_by_one: Vec<_> = names
            .iter()
            .map(|name| client.is_blocked(name, peer))
            .collect();
        assert_eq!(many, one_by_one);
    }
    let mut pairs = client.blocked_pairs(&names);
    let found: Vec<_> = pairs.by_ref().collect();
    let unknown = pairs.unknown();
    let mut expected = Vec::new();
    for (owner, name) in names.iter().enumerate() {
        for (peer, other) in names.iter().enumerate() {
            if client.is_blocked(name, other) == Yes {
                expected.push((owner, peer));
            }
        }
    }
    assert_eq!((unknown, found), (0, expected));
}

#[test]
fn an_owner_is_unknown_until_its_list_was_read() {
    let server = serving(&json!({}));
    let client = remote(&server, &json!({}));
    let _ = client.add("ann", &["bob"]);
    assert_eq!(
        client.is_blocked("ann", "bob"),
        Unknown,
        "one write is not the list"
    );
    client.watch(&["ann"]).expect("watched");
    until(&client, "ann", "bob", Yes);
    assert_eq!(client.is_blocked("ann", "cat"), No);
    assert_eq!(client.is_blocked("zoe", "bob"), Unknown);
    let _ = client.add("ann", &["cat"]);
    assert_eq!(
        client.is_blocked("ann", "cat"),
        Yes,
        "its own write, confirmed"
    );
    let _ = client.delete("ann", &["bob"]);
    assert_eq!(client.is_blocked("ann", "bob"), No);
}

#[test]
fn a_complete_listing_makes_its_owner_known() {
    let server = serving(&json!({}));
    let client = remote(&server, &json!({}));
    let _ = client.add("ann", &["bob", "cat"]);
    let _ = client.get("ann", 0, 1);
    assert_eq!(client.is_blocked("ann", "bob"), Unknown, "one page of two");
    let _ = client.get("ann", 0, 10);
    assert_eq!(client.is_blocked("ann", "bob"), Yes);
    assert_eq!(client.is_blocked("ann", "dan"), No);
}

#[test]
fn what_others_changed_shows_after_the_refresh() {
    let server = serving(&json!({}));
    let (one, other) = (remote(&server, &json!({})), remote(&server, &json!({})));
    one.watch(&["ann"]).expect("watched");
    until(&one, "ann", "bob", No);
    let _ = other.add("ann", &["bob"]);
    until(&one, "ann", "bob", Yes);
    let _ = other.delete("ann", &["bob"]);
    until(&one, "ann", "bob", No);
    assert!(one.stats().cache.refreshes >= 3);
}

#[test]
fn a_list_that_grows_old_is_unknown() {
    let mut server = serving(&json!({}));
    let more =
        json!({"cache": {"refresh_s": 1, "max_age_s": 1}, "attempt_ms": 200, "call_ms": 400});
    let client = remote(&server, &more);
    client.watch(&["ann"]).expect("watched");
    until(&client, "ann", "bob", No);
    server.end_with(nix::sys::signal::Signal::SIGKILL);
    until(&client, "ann", "bob", Unknown);
}

#[test]
fn webhooks_carry_what_others_changed() {
    let receiver = Receiver::start(Manner::Take);
    let webhook = json!({"webhook": {"url": receiver.url(), "token": TOKEN}});
    let server = serving(&webhook);
    let long = json!({"cache": {"refresh_s": 600, "max_age_s": 900}});
    let (one, other) = (remote(&server, &long), remote(&server, &long));
    one.watch(&["ann"]).expect("watched");
    until(&one, "ann", "bob", No);
    let _ = other.add("ann", &["bob"]);
    let event = receiver.next();
    let query = event.target.split_once('?').expect("a query").1;
    let reply = one.apply_webhook(query, event.body.as_bytes());
    assert_eq!((reply.status(), reply.json()), (Status::Ok, TAKEN));
    assert_eq!(one.is_blocked("ann", "bob"), Yes, "an add is a yes at once");
    let _ = other.delete("ann", &["bob"]);
    let event = receiver.next();
    let query = event.target.split_once('?').expect("a query").1;
    assert_eq!(
        one.apply_webhook(query, event.body.as_bytes()).status(),
        Status::Ok
    );
    until(&one, "ann", "bob", No);
    let counts = one.stats().webhooks.expect("a remote client");
    assert_eq!((counts.accepted, counts.ignored_pairs), (2, 0));
}

#[test]
fn a_false_webhook_changes_nothing_and_says_why() {
    let server = serving(&json!({}));
    let client = remote(&server, &json!({}));
    client.watch(&["ann"]).expect("watched");
    until(&client, "ann", "bob", No);
    let body = r#"{"CallbackCommand":"Sns.CallbackBlackListAdd","PairList":[{"From_Account":"ann","To_Account":"bob"}]}"#;
    let query = |app: u64, rest: &str| {
        format!("SdkAppid={app}&CallbackCommand=Sns.CallbackBlackListAdd&contenttype=json{rest}")
    };
    let zeros = "0".repeat(64);
    let old = "&RequestTime=1700000000&Sign=e718b75656741d6f631bea4fedf11a2d673fb53383c6b6f958dfbaf7965138d8";
    let cases = [
        (query(SDKAPPID, ""), Status::Signature),
        (
            query(SDKAPPID, &format!("&RequestTime=1700000000&Sign={zeros}")),
            Status::Signature,
        ),
        (query(SDKAPPID, old), Status::Signature),
        (query(7, old), Status::Signature),
        ("nonsense".to_owned(), Status::Request),
    ];
    for (query, status) in cases {
        let reply = client.apply_webhook(&query, body.as_bytes());
        assert_eq!(reply.status(), status, "{query}: {}", reply.message());
        let answer: Value = serde_json::from_str(reply.json()).expect("JSON");
        assert_eq!(
            (&answer["ActionStatus"], &answer["ErrorCode"]),
            (&json!("FAIL"), &json!(1))
        );
        assert!(!reply.message().contains(TOKEN) && !reply.json().contains(TOKEN));
    }
    assert_eq!(client.is_blocked("ann", "bob"), No);
    let counts = client.stats().webhooks.expect("a remote client");
    assert_eq!((counts.accepted, counts.forged, counts.stale), (0, 2, 1));
    assert_eq!(
        embedded().apply_webhook("", b"").status(),
        Status::Unsupported
    );
}

#[test]
fn who_is_let_go_is_read_no_more() {
    let server = serving(&json!({}));
    let client = remote(&server, &json!({}));
    client.watch(&["ann", "zoe"]).expect("watched");
    until(&client, "ann", "bob", No);
    until(&client, "zoe", "bob", No);
    client.unwatch(&["ann"]).expect("let go");
    assert_eq!(client.stats().cache.watched, 1);
    assert_eq!(
        client.is_blocked("ann", "bob"),
        No,
        "what is known stays for a while"
    );
}

#[test]
fn more_owners_than_there_is_memory_for_are_refused_together() {
    let server = serving(&json!({}));
    let more = json!({"rate_per_second": 10_000,
        "cache": {"max_bytes": 1 << 20, "refresh_s": 600, "max_age_s": 900}});
    let client = remote(&server, &more);
    let names: Vec<_> = (0..100_000)
        .map(|number| format!("owner{number}"))
        .collect();
    let refused = client
        .watch(&names)
        .expect_err("there is no memory for them");
    assert_eq!(refused.status(), Status::Busy);
    assert!(refused.message().contains("cache.max_bytes"), "{refused}");
    assert_eq!(client.stats().cache.watched, 0);

    let fitting = &names[..1024];
    client.watch(fitting).expect("there is memory for them");
    client.watch(fitting).expect("they are watched already");
    let one_more = &names[1024..1025];
    let refused = client
        .watch(one_more)
        .expect_err("there is no memory for it");
    assert_eq!(refused.status(), Status::Busy);
    for owner in fitting {
        until(&client, owner, "bob", No);
    }
    let cache = client.stats().cache;
    assert_eq!((cache.watched, cache.owners), (1024, 1024), "{cache:?}");
    assert_eq!(cache.evictions, 0, "{cache:?}");
    assert!(cache.bytes <= 1 << 20, "{cache:?}");
    client.unwatch(&names[..1]).expect("it is watched");
    client.watch(one_more).expect("there is memory again");
    until(&client, &one_more[0], "bob", No);
}

#[test]
fn an_invalid_owner_is_not_watched() {
    let server = serving(&json!({}));
    let client = remote(&server, &json!({}));
    let error = client.watch(&["ann", ""]).expect_err("refused");
    assert_eq!(error.status(), Status::Argument);
    assert!(error.message().starts_with("owners[1]"), "{error}");
    assert_eq!(client.stats().cache.watched, 0);
}
