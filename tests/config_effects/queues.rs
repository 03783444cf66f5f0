//! What the keys of `queue` and `outbox` do: a call more than fits is refused with the name of the key.

use std::time::Duration;

use chatblock::{Client, Status};
use serde_json::{Value, json};
use testkit::fault_server::{FaultServer, Step};

use crate::calls::patient;
use crate::{open, with};

/// Calls of `owner` until one is refused. On the embedded engine calls end by themselves: two have to meet.
fn fills_up(client: &Client, key: &str, targets: usize, owner: impl Fn(u64) -> String) {
    let targets: Vec<_> = (0..targets).map(|number| format!("{number:032}")).collect();
    for tag in 0..100_000 {
        match client.add_async(&owner(tag), &targets, tag) {
            Ok(()) => drop(client.poll(Some(Duration::ZERO))),
            Err(error) => {
                assert_eq!(error.status(), Status::Busy, "{error}");
                assert!(error.message().contains(&format!("\"{key}\"")), "{error}");
                return;
            }
        }
    }
    panic!("{key} limits nothing");
}

fn on_embedded(queue: &Value, test: impl FnOnce(&Client)) {
    test(&open(&json!({"queue": queue})));
}

fn on_remote(queue: &Value, test: impl FnOnce(&Client)) {
    let server = FaultServer::plain(vec![vec![Step::Stall]; 64]);
    test(&open(&with(patient(&server), &json!({"queue": queue}))));
}

fn max_calls(client: &Client) {
    fills_up(client, "queue.max_calls", 1, |tag| format!("owner{tag}"));
}

fn max_calls_per_owner(client: &Client) {
    fills_up(client, "queue.max_calls_per_owner", 1, |_| "ann".to_owned());
}

fn max_bytes(client: &Client) {
    fills_up(client, "queue.max_bytes", 1000, |tag| format!("owner{tag}"));
}

pub fn max_calls_embedded() {
    on_embedded(&json!({"max_calls": 1}), max_calls);
}

pub fn max_calls_remote() {
    on_remote(&json!({"max_calls": 1}), max_calls);
}

pub fn max_calls_per_owner_embedded() {
    on_embedded(&json!({"max_calls_per_owner": 1}), max_calls_per_owner);
}

pub fn max_calls_per_owner_remote() {
    on_remote(&json!({"max_calls_per_owner": 1}), max_calls_per_owner);
}

pub fn max_bytes_embedded() {
    on_embedded(&json!({"max_bytes": 1 << 16}), max_bytes);
}

pub fn max_bytes_remote() {
    on_remote(&json!({"max_bytes": 1 << 16}), max_bytes);
}

/// A write waits for others that may share its commit, and is not sent before it is recorded.
pub fn commit_ms() {
    let folder = tempfile::tempdir().expect("a directory");
    let server = FaultServer::plain(vec![vec![Step::Stall]; 8]);
    let outbox = json!({"path": folder.path().join("outbox.db"), "commit_ms": 60_000});
    let client = open(&with(patient(&server), &json!({"outbox": outbox})));
    client.add_async("ann", &["bob"], 1).expect("accepted");
    std::thread::sleep(Duration::from_millis(300));
    let outbox = client.stats().outbox.expect("an outbox");
    assert_eq!((outbox.writes, outbox.unrecorded), (1, 1));
    assert!(server.received().is_empty());
}
