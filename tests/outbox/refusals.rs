//! Refusals about the caller: the outbox is held, nothing is erased, and who waits is told so at once.

use std::time::{Duration, Instant};

use chatblock::api::Retry;
use chatblock::api::codes::{Concern, SERVICE_CODES};
use chatblock::{Client, Stats, Status};
use serde_json::json;

use super::{NOW, Place, SOON, arrived, done, leave, next, open, write};
use testkit::answers::{http_with, refusal, sends};
use testkit::fault_server::{Answer, FaultServer, Step};
use testkit::{Depth, depth};

/// At most so many requests are under way when the first of them is refused.
const CONNECTIONS: usize = 32;
const OWNERS: usize = 10;

fn page(status: &str) -> Answer {
    vec![Step::Send(http_with(status, "", "<html>no</html>"))]
}

fn until_held(client: &Client) -> Stats {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let stats = client.stats();
        if stats.outbox.as_ref().is_some_and(|it| it.held.is_some()) {
            return stats;
        }
        assert!(Instant::now() < end, "{stats:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Opens the outbox with so many writes at a service that answers everything so: it is held, and nothing is erased.
fn outlasts(place: &Place, answer: &Answer, writes: usize, what: &str) -> Stats {
    let server = FaultServer::plain(vec![answer.clone(); 2 * CONNECTIONS]);
    let client = place.open(&server.base_url());
    let stats = until_held(&client);
    let outbox = stats.outbox.clone().expect("an outbox");
    assert_eq!((outbox.writes, outbox.unrecorded), (writes, 0), "{what}");
    assert_eq!(stats.calls.total.pending, writes as u64, "{what}");
    let service = stats.service.expect("a service");
    assert!(service.breaker_ms > 0, "{what}");
    assert!(client.poll(NOW).is_none(), "{what}: nothing has ended");
    assert_eq!(client.close(SOON), Status::Ok, "{what}");
    let count = arrived(&server).len();
    assert!(count <= CONNECTIONS, "{what}: {count} requests");
    stats
}

#[test]
fn a_thousand_writes_outlast_a_wrong_key_and_go_out_in_order() {
    let place = Place::new();
    leave(&place, |client| {
        for number in 0..1000 {
            let (owner, target) = (format!("owner{}", number % OWNERS), format!("t{number}"));
            client.add_async(&owner, &[&target], 1).expect("accepted");
        }
    });
    for code in [70009, 60020, 60021, 60026, 70020, 70050, 99999] {
        let stats = outlasts(&place, &sends(refusal(code)), 1000, &code.to_string());
        let held = stats.outbox.and_then(|outbox| outbox.held);
        let held = held.expect("it is held");
        assert_eq!((i64::from(held.code), held.http_status), (code, 200));
        assert!(held.message.contains("refused by script"), "{held:?}");
    }
    let stats = outlasts(&place, &page("403 Forbidden"), 1000, "403");
    let held = stats.outbox.and_then(|outbox| outbox.held);
    assert_eq!(held.map(|held| held.http_status), Some(403));

    let targets = |owner: usize| {
        let numbers = (0..1000).skip(owner).step_by(OWNERS);
        numbers
            .map(|number| format!("t{number}"))
            .collect::<Vec<_>>()
    };
    let script = (0..OWNERS).map(|owner| {
        let targets = targets(owner);
        done(&targets.iter().map(String::as_str).collect::<Vec<_>>())
    });
    let server = FaultServer::plain(script.collect());
    let mut config = place.config(&server.base_url());
    config["connections"] = json!(1);
    let client = open(&config).expect("a sound configuration");
    assert_eq!(client.flush(SOON), Status::Ok);
    assert_eq!(client.stats().outbox.map(|outbox| outbox.writes), Some(0));
    let sent = (0..OWNERS).map(|owner| {
        let targets = json!(targets(owner)).to_string();
        write("black_list_add", &format!("owner{owner}"), &targets)
    });
    assert_eq!(arrived(&server), sent.collect::<Vec<_>>());
}

#[test]
fn a_write_outlasts_every_refusal_of_the_table_that_is_not_about_it() {
    let place = Place::new();
    leave(&place, |client| {
        client.add_async("ann", &["bob"], 1).expect("accepted");
    });
    let rows = SERVICE_CODES.iter();
    let rows = rows.filter(|row| row.retry == Retry::Never && row.concern != Concern::Write);
    let mut count = 0;
    for row in rows {
        let code = i64::from(row.code);
        outlasts(&place, &sends(refusal(code)), 1, &code.to_string());
        count += 1;
    }
    assert!(count >= 22, "{count}");
    for status in [
        "401 Unauthorized",
        "404 Not Found",
        "302 Found",
        "407 Proxy",
    ] {
        outlasts(&place, &page(status), 1, status);
    }
    let server = FaultServer::plain(vec![done(&["bob"])]);
    let client = place.open(&server.base_url());
    assert_eq!(client.flush(SOON), Status::Ok);
    assert_eq!(arrived(&server).len(), 1);
}

#[test]
fn a_refusal_about_the_write_ends_it() {
    for code in [30001, 30003, 30013] {
        let place = Place::new();
        leave(&place, |client| {
            client.add_async("ann", &["bob"], 1).expect("accepted");
        });
        let server = FaultServer::plain(vec![sends(refusal(code))]);
        let client = place.open(&server.base_url());
        let reply = next(&client);
        let told = (reply.status(), i64::from(reply.service_code()));
        assert_eq!(told, (Status::Service, code));
        assert_eq!(client.close(SOON), Status::Ok);
        let client = place.open(super::NOWHERE);
        assert_eq!(client.stats().outbox.map(|outbox| outbox.writes), Some(0));
    }
}

#[test]
fn who_waits_is_told_at_once_that_sending_is_held() {
    let place = Place::new();
    let server = FaultServer::plain(vec![sends(refusal(70009))]);
    let mut config = place.config(&server.base_url());
    let log = place.folder.path().join("log");
    config["call_ms"] = json!(600_000);
    config["log"] = json!({"to": log});
    let client = open(&config).expect("a sound configuration");
    let begun = Instant::now();
    for (owner, command) in [("ann", "the first"), ("cat", "one while it is held")] {
        let reply = client.add(owner, &["bob"]);
        let told = (reply.status(), reply.service_code(), reply.is_retryable());
        assert_eq!(told, (Status::Queued, 70009, false), "{command}");
        assert_eq!(reply.items()[0].status(), Status::Queued);
        assert!(
            reply.message().contains("do not repeat it"),
            "{}",
            reply.message()
        );
        assert!(reply.message().contains("70009"), "{}", reply.message());
        assert_eq!(reply.json(), "");
    }
    assert!(begun.elapsed() < Duration::from_mins(1));
    let calls = client.stats().calls.total;
    assert_eq!((calls.accepted, calls.pending), (2, 2));
    assert_eq!(client.close(SOON), Status::Ok);
    assert_eq!(
        arrived(&server).len(),
        1,
        "nothing more is sent for a minute"
    );
    let lines = std::fs::read_to_string(log).expect("a log");
    let held = lines.lines().filter(|line| line.contains("outbox held"));
    assert_eq!(held.count(), 1, "{lines}");

    let server = FaultServer::plain(vec![done(&["bob"]), done(&["bob"])]);
    let client = place.open(&server.base_url());
    assert_eq!(client.flush(SOON), Status::Ok);
    assert_eq!(arrived(&server).len(), 2);
}

/// A minute passes, so in the full run only; the unit tests of the hold do the same on virtual time.
#[test]
fn a_held_outbox_goes_on_by_itself_when_the_cause_is_mended() {
    if depth() < Depth::Full {
        return;
    }
    let place = Place::new();
    let script = vec![sends(refusal(70009)), done(&["bob"]), done(&["cat"])];
    let server = FaultServer::plain(script);
    let client = place.open(&server.base_url());
    assert_eq!(client.add("ann", &["bob"]).status(), Status::Queued);
    client.add_async("ann", &["cat"], 7).expect("accepted");
    assert_eq!(client.flush(Some(Duration::from_secs(30))), Status::Timeout);
    assert_eq!(arrived(&server).len(), 1, "nothing is sent meanwhile");
    let reply = client.poll(Some(Duration::from_secs(90)));
    let reply = reply.expect("the write that waits is done");
    assert_eq!((reply.tag(), reply.status()), (7, Status::Ok));
    let received = server.received();
    assert_eq!(received.len(), 3);
    let waited = received[1].at - received[0].at;
    assert!(waited >= Duration::from_secs(59), "{waited:?}");
    let held = client.stats().outbox.and_then(|outbox| outbox.held);
    assert!(held.is_none(), "{held:?}");
}
