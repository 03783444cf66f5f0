//! More writes than there is memory for: they wait on disk.

use rusqlite::Connection;

use super::*;
use testkit::fake_service::{Manner, Service};

/// Leaves `count` writes, each of an owner of its own or all of one.
fn fill(place: &Place, count: u64, owner: &str) {
    leave(place, |_| ());
    let connection = Connection::open(place.file()).expect("the file");
    let rows = format!(
        "INSERT INTO writes (id, command, owner, targets, accepted)
         WITH RECURSIVE n(id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM n WHERE id + 1 < {count})
         SELECT id, 'black_list_add', {owner}, 'bob' || id, 1700000000 FROM n"
    );
    connection.execute_batch(&rows).expect("sound SQL");
}

fn outbox(client: &Client) -> chatblock::stats::OutboxStats {
    client.stats().outbox.expect("an outbox")
}

#[test]
fn recorded_writes_take_no_place_in_the_queue() {
    let place = Place::new();
    let mut config = place.config(NOWHERE);
    config["queue"] = json!({"max_calls": 10});
    config["call_ms"] = json!(300);
    let client = open(&config).expect("a sound configuration");
    for tag in 0..1000 {
        let owner = format!("owner{}", tag % 10);
        client.add_async(&owner, &["bob"], tag).expect("accepted");
    }
    assert_eq!(client.add("ann", &["bob"]).status(), Status::Queued);
    assert_eq!(client.sync(SOON), Status::Ok);
    assert_eq!(outbox(&client).writes, 1001);
    // The reply to a read is in memory.
    for tag in 0..10 {
        client
            .check_async("cat", &["bob"], chatblock::CheckType::Single, tag)
            .expect("accepted");
    }
    let refused = client.check_async("cat", &["bob"], chatblock::CheckType::Single, 11);
    assert_eq!(refused.expect_err("no place").status(), Status::Busy);
}

#[test]
fn a_live_write_is_answered_while_those_of_another_owner_wait_on_disk() {
    let place = Place::new();
    fill(&place, 50_000, "'hot'");
    let service = Service::start(Manner::Sound);
    let mut config = place.config(&service.base_url());
    config["rate_per_second"] = json!(5);
    let client = open(&config).expect("a sound configuration");
    assert_eq!(client.add("ann", &["bob"]).status(), Status::Ok);
    let left = outbox(&client).on_disk;
    assert!(left > 30_000, "{left} wait on disk");
}

#[test]
fn writes_that_waited_on_disk_are_sent_in_order_and_complete_once() {
    // More than fit into memory.
    const COUNT: u64 = 18_000;
    let place = Place::new();
    let service = Service::start(Manner::Sound);
    let mut config = place.config(NOWHERE);
    config["queue"] = json!({"max_calls": 1 << 20});
    {
        let client = open(&config).expect("a sound configuration");
        for tag in 0..COUNT {
            let target = format!("t{tag}");
            client.add_async("ann", &[&target], tag).expect("accepted");
        }
        assert_eq!(client.sync(SOON), Status::Ok);
        let stats = outbox(&client);
        assert_eq!((stats.writes as u64, stats.unrecorded), (COUNT, 0));
        assert!(stats.on_disk > 1000, "{stats:?}");
        // One in memory, one on disk only.
        assert_eq!((client.cancel(COUNT - 1), client.cancel(COUNT - 2)), (1, 1));
        let mut told = [next(&client).tag(), next(&client).tag()];
        told.sort_unstable();
        assert_eq!(told, [COUNT - 2, COUNT - 1]);
        assert_eq!(client.sync(SOON), Status::Ok);
        assert_eq!(client.close(SOON), Status::Ok);
    }
    config["base_url"] = json!(service.base_url());
    config["rate_per_second"] = json!(10_000);
    config["call_ms"] = json!(120_000);
    let client = open(&config).expect("a sound configuration");
    client.delete_async("ann", &["t7"], 1).expect("accepted");
    client
        .check_async("ann", &["t7"], chatblock::CheckType::Single, 2)
        .expect("accepted");
    assert_eq!(client.cancel(1), 1, "it is behind all others");
    let (cancelled, checked) = (next(&client), next(&client));
    assert_eq!(
        (cancelled.tag(), cancelled.status()),
        (1, Status::Cancelled)
    );
    assert_eq!((checked.tag(), checked.status()), (2, Status::Ok));
    assert_eq!(checked.items()[0].relation(), chatblock::Relation::AWithB);
    assert_eq!(client.flush(SOON), Status::Ok);
    assert_eq!(outbox(&client).writes, 0);
    let books = service.books();
    let sent = books.arrivals.iter();
    let sent: Vec<_> = sent.flat_map(|arrival| arrival.targets.clone()).collect();
    let expected: Vec<_> = (0..COUNT - 2).map(|tag| format!("t{tag}")).collect();
    assert!(sent == expected, "{} targets were sent", sent.len());
}
