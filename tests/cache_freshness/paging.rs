//! Lists of several pages, from a service that answers by script (choice C14).

use chatblock::cache::Answer::{No, Unknown, Yes};
use serde_json::json;

use crate::{PATIENCE, becomes, client};
use testkit::answers::{accepted, sends};
use testkit::fault_server::{Answer, FaultServer};

/// A page; without a sequence if that is 0.
fn page(accounts: &[&str], next: u32, sequence: u32) -> Answer {
    let entries: Vec<_> = accounts
        .iter()
        .map(|account| json!({"To_Account": account, "AddBlackTimeStamp": 1_430_000_001}))
        .collect();
    let entries = serde_json::Value::from(entries);
    let sequence = match sequence {
        0 => String::new(),
        _ => format!(r#","CurruentSequence":{sequence}"#),
    };
    sends(accepted(&format!(
        r#""BlackListItem":{entries},"StartIndex":{next}{sequence}"#
    )))
}

/// `StartIndex` of each request that arrived.
fn asked(server: &FaultServer) -> Vec<u64> {
    let received = server.received();
    let index = |request: &testkit::fault_server::Received| request.json()["StartIndex"].as_u64();
    received
        .iter()
        .map(|request| index(request).expect("it asks for a page"))
        .collect()
}

#[test]
fn all_pages_make_an_owner_known() {
    let server = FaultServer::plain(vec![page(&["bob"], 1, 7), page(&["cid"], 0, 7)]);
    let client = client(&server.base_url(), &json!({}));
    client.watch(&["ann"]).expect("it is watched");
    becomes(&client, "ann", "cid", Yes);
    assert_eq!(client.is_blocked("ann", "bob"), Yes);
    assert_eq!(client.is_blocked("ann", "dan"), No);
    assert_eq!(asked(&server), [0, 1]);
}

#[test]
fn a_list_that_changes_between_two_pages_is_read_from_its_beginning() {
    let server = FaultServer::plain(vec![
        page(&["gone", "bob"], 2, 7),
        page(&["dan"], 0, 8),
        page(&["bob", "cid"], 2, 8),
        page(&["dan"], 0, 8),
    ]);
    let client = client(&server.base_url(), &json!({}));
    client.watch(&["ann"]).expect("it is watched");
    becomes(&client, "ann", "cid", Yes);
    for (peer, answer) in [("bob", Yes), ("dan", Yes), ("gone", No)] {
        assert_eq!(client.is_blocked("ann", peer), answer, "{peer}");
    }
    assert_eq!(asked(&server), [0, 2, 0, 2]);
}

#[test]
fn a_list_that_changes_all_the_time_stays_unknown_and_is_tried_later() {
    // Three times it is begun anew; the fourth change ends the reading.
    let pages = (0..8).map(|sequence| page(&["bob"], 1, sequence));
    let server = FaultServer::plain(pages.collect());
    let client = client(&server.base_url(), &json!({}));
    client.watch(&["ann"]).expect("it is watched");
    stays_unknown_until(&client, &server, 8);
    server.push(page(&["bob"], 0, 9));
    becomes(&client, "ann", "bob", Yes);
}

#[test]
fn without_a_sequence_a_list_counts_when_two_readings_agree() {
    let first = [page(&["gone", "bob"], 2, 0), page(&["dan"], 0, 0)];
    let later = || [page(&["bob", "cid"], 2, 0), page(&["dan"], 0, 0)];
    let pages = first.into_iter().chain(later()).chain(later());
    let server = FaultServer::plain(pages.collect());
    let client = client(&server.base_url(), &json!({}));
    client.watch(&["ann"]).expect("it is watched");
    let begin = std::time::Instant::now();
    while client.is_blocked("ann", "bob") == Unknown {
        assert!(begin.elapsed() < PATIENCE, "{:?}", asked(&server));
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    for (peer, answer) in [("bob", Yes), ("cid", Yes), ("dan", Yes), ("gone", No)] {
        assert_eq!(client.is_blocked("ann", peer), answer, "{peer}");
    }
    assert_eq!(asked(&server), [0, 2, 0, 2, 0, 2]);
}

#[test]
fn a_list_that_goes_nowhere_stays_unknown_and_is_tried_later() {
    let server = FaultServer::plain(vec![page(&["bob"], 5, 7), page(&["cid"], 5, 7)]);
    let client = client(&server.base_url(), &json!({}));
    client.watch(&["ann"]).expect("it is watched");
    stays_unknown_until(&client, &server, 2);
    server.push(page(&["bob"], 0, 9));
    becomes(&client, "ann", "bob", Yes);
    assert_eq!(client.is_blocked("ann", "cid"), No);
}

fn stays_unknown_until(client: &chatblock::Client, server: &FaultServer, requests: usize) {
    let begin = std::time::Instant::now();
    while server.received().len() < requests {
        assert!(begin.elapsed() < PATIENCE, "{:?}", asked(server));
        assert_eq!(client.is_blocked("ann", "bob"), Unknown);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(client.is_blocked("ann", "bob"), Unknown);
}
