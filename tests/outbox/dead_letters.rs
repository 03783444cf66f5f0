//! Writes that the service refused: kept until their refusal is polled.

use super::*;

/// Leaves as many writes as there are `owners`, which the service refuses when they are sent.
fn leave_for(place: &Place, owners: &[String]) {
    leave(place, |client| {
        for owner in owners {
            client.add_async(owner, &["bob"], 7).expect("accepted");
        }
    });
}

fn owners(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("owner{number}")).collect()
}

fn refused_writes(client: &Client) -> u64 {
    client.stats().outbox.expect("an outbox").refused
}

/// Waits until nothing is to be written.
fn until_idle(client: &Client) {
    assert_eq!(client.flush(SOON), Status::Ok);
    assert_eq!(client.sync(SOON), Status::Ok);
}

#[test]
fn refusals_are_kept_over_restarts_until_they_are_polled() {
    let place = Place::new();
    let owners = owners(3);
    leave_for(&place, &owners);
    let server = FaultServer::plain(vec![sends(refusal(30013)); 3]);
    let client = place.open(&server.base_url());
    until_idle(&client);
    assert_eq!(refused_writes(&client), 3);
    assert_eq!(client.close(SOON), Status::Ok);
    for left in [3, 2, 1] {
        let client = place.open(NOWHERE);
        assert_eq!(refused_writes(&client), left);
        let reply = next(&client);
        assert_eq!(
            (reply.tag(), reply.status(), reply.service_code()),
            (0, Status::Service, 30013)
        );
        let item = &reply.items()[0];
        assert_eq!((item.account(), item.status()), ("bob", Status::Service));
        assert!(owners.iter().any(|owner| owner == reply.owner()));
        assert_eq!(client.sync(SOON), Status::Ok);
        assert_eq!(refused_writes(&client), left - 1);
        assert_eq!(client.close(SOON), Status::Ok);
    }
    let client = place.open(NOWHERE);
    assert_eq!(refused_writes(&client), 0);
    assert!(client.poll(NOW).is_none());
    assert_eq!(arrived(&server).len(), 3, "none was sent again");
}

#[test]
fn a_client_that_finds_only_refusals_records_and_sends_writes() {
    let place = Place::new();
    leave_for(&place, &owners(3));
    let mut script = vec![sends(refusal(30013)); 3];
    script.push(done(&["cat"]));
    let server = FaultServer::plain(script);
    let client = place.open(&server.base_url());
    until_idle(&client);
    assert_eq!(client.close(SOON), Status::Ok);
    let client = place.open(&server.base_url());
    assert_eq!(client.add("ann", &["cat"]).status(), Status::Ok);
    assert_eq!(refused_writes(&client), 3);
}

#[test]
fn a_refused_write_of_a_caller_with_a_tag_is_kept_until_it_is_polled() {
    let place = Place::new();
    let answer = items(&[item("bob", 0, ""), item("cat", 30003, "no such account")]);
    let server = FaultServer::plain(vec![sends(answer)]);
    let client = place.open(&server.base_url());
    client
        .add_async("ann", &["bob", "cat"], 7)
        .expect("accepted");
    until_idle(&client);
    assert_eq!(client.close(SOON), Status::Ok);
    let client = place.open(NOWHERE);
    let reply = next(&client);
    assert_eq!((reply.tag(), reply.status()), (0, Status::Partial));
    let codes: Vec<_> = reply
        .items()
        .iter()
        .map(chatblock::ReplyItem::code)
        .collect();
    assert_eq!((codes, reply.service_code()), (vec![0, 30003], 30003));
    assert_eq!(client.sync(SOON), Status::Ok);
    assert_eq!(refused_writes(&client), 0);
}

#[test]
fn refusals_that_are_never_polled_leave_room_for_others() {
    let place = Place::new();
    let count = 400;
    leave_for(&place, &owners(count));
    let mut script = vec![sends(refusal(30013)); count];
    script.push(done(&["bob"]));
    let server = FaultServer::plain(script);
    let mut config = place.config(&server.base_url());
    config["queue"] = json!({"max_calls": 10});
    config["rate_per_second"] = json!(10_000);
    let client = open(&config).expect("a sound configuration");
    until_idle(&client);
    assert_eq!(client.add("ann", &["bob"]).status(), Status::Ok);
    assert_eq!(refused_writes(&client), 400);
    let outbox = client.stats().outbox.expect("an outbox");
    assert_eq!((outbox.writes, outbox.bytes), (0, 0));
    let mut seen = std::collections::HashSet::new();
    for _ in 0..count {
        let reply = next(&client);
        assert_eq!(reply.service_code(), 30013);
        assert!(seen.insert(reply.owner().to_owned()), "polled twice");
    }
    assert_eq!(client.sync(SOON), Status::Ok);
    assert!(client.poll(NOW).is_none());
    assert_eq!(refused_writes(&client), 0);
}
