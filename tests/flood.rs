//! A player who means harm chooses ids and how often he blocks: others go on, and the memory is bounded.

use std::io;
use std::time::Duration;

use chatblock::{Client, Status};
use serde_json::json;
use testkit::fake_service::{Manner, Service};
use testkit::listener::Listener;

/// Ends the wait of a test that would fail; nothing is measured with it.
const LONG: Option<Duration> = Some(Duration::from_mins(1));
/// As many calls as the queue holds, and some more.
const FLOOD: usize = 70_000;
const OTHERS: usize = 200;
/// `queue.max_calls_per_owner` by default.
const PER_OWNER: usize = 8192;

/// Takes requests and answers none.
fn silence() -> Listener {
    Listener::start(|mut peer| {
        // Until the client ends the connection.
        let _ = io::copy(&mut peer, &mut io::sink());
    })
}

/// A client whose calls wait for as long as a test takes.
fn open(service: &Listener) -> Client {
    let config = json!({"sdkappid": 1, "secret_key": "k", "base_url": service.base_url(),
        "attempt_ms": 600_000, "call_ms": 600_000});
    Client::open(&config.to_string()).expect("a sound configuration")
}

/// How many calls of the flood were accepted; every other one must be BUSY.
fn flood(client: &Client, call: impl Fn(&Client, usize) -> Result<(), chatblock::Error>) -> usize {
    let mut accepted = 0;
    for number in 0..FLOOD {
        match call(client, number) {
            Ok(()) => accepted += 1,
            Err(error) => {
                assert_eq!(error.status(), Status::Busy, "{error}");
                assert!(
                    error.message().contains("queue.max_calls_per_owner"),
                    "{error}"
                );
            }
        }
    }
    accepted
}

fn others_go_on(call: impl Fn(&Client, usize) -> Result<(), chatblock::Error>) {
    let service = silence();
    let client = open(&service);
    let accepted = flood(&client, call);
    assert_eq!(accepted, PER_OWNER);
    for number in 0..OTHERS {
        let owner = format!("player{number}");
        for target in 0..5 {
            let added = client.add_async(&owner, &[format!("t{target}")], 1);
            added.unwrap_or_else(|error| panic!("call {target} of {owner}: {error}"));
        }
    }
    let stats = client.stats();
    assert_eq!(stats.queue.busy, (FLOOD - accepted) as u64);
    client.close(LONG);
}

#[test]
fn a_player_who_repeats_one_block_keeps_nobody_else_out() {
    others_go_on(|client, _| client.add_async("flood", &["bob"], 2));
}

#[test]
fn a_player_who_blocks_and_unblocks_keeps_nobody_else_out() {
    others_go_on(|client, number| match number % 2 {
        0 => client.add_async("flood", &["bob"], 2),
        _ => client.delete_async("flood", &["bob"], 2),
    });
}

#[test]
fn a_player_who_blocks_ever_new_accounts_keeps_nobody_else_out() {
    others_go_on(|client, number| client.add_async("flood", &[number.to_string()], 2));
}

#[test]
fn an_owner_whose_calls_have_ended_may_call_again() {
    let service = Service::start(Manner::Sound);
    let config = json!({"sdkappid": 1, "secret_key": "k", "base_url": service.base_url(),
        "queue": {"max_calls_per_owner": 2}, "rate_per_second": 1_000_000});
    let client = Client::open(&config.to_string()).expect("a sound configuration");
    for round in 0..20 {
        for part in 0..2 {
            let target = format!("t{round}-{part}");
            client
                .add_async("ann", &[target], 3)
                .expect("two calls fit");
        }
        assert_eq!(client.flush(LONG), Status::Ok);
        assert_eq!(
            client.add("ann", &["bob"]).status(),
            Status::Ok,
            "a call that waits counts too"
        );
        for _ in 0..2 {
            assert_eq!(
                client.poll(LONG).map(|reply| reply.status()),
                Some(Status::Ok)
            );
        }
    }
}

#[test]
fn long_calls_are_refused_before_they_fill_the_memory() {
    let service = silence();
    let client = open(&service);
    let targets: Vec<String> = (0..100_000)
        .map(|number| format!("target-{number:07}"))
        .collect();
    let mut accepted = 0;
    for number in 0..200 {
        match client.add_async(&format!("owner{number}"), &targets, 4) {
            Ok(()) => accepted += 1,
            Err(error) => {
                assert_eq!(error.status(), Status::Busy);
                assert!(error.message().contains("queue.max_bytes"), "{error}");
            }
        }
    }
    assert_eq!(accepted, 8, "64 MiB of 100,000 times 78 bytes");
    client.close(LONG);
}
