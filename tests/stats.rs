//! The look inside: every accepted call is counted in exactly one class, at every moment.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chatblock::{CheckType, Client, Stats, Status};

const SOON: Option<Duration> = Some(Duration::from_secs(20));
const OWNERS: [&str; 3] = ["ann", "ben", "cat"];

fn open(config: &str) -> Client {
    Client::open(config).expect("a sound configuration")
}

/// A client of a service at a port where nobody listens, which tries so often.
fn remote_without_service(attempts: u32, more: &str) -> Client {
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port();
    open(&format!(
        "{{\"sdkappid\":1,\"secret_key\":\"k\",\"base_url\":\"http://127.0.0.1:{port}\",\
         \"retry\":{{\"attempts\":{attempts},\"base_ms\":1,\"max_ms\":1}}{more}}}"
    ))
}

fn check_law(stats: &Stats) {
    let calls = &stats.calls;
    let each = calls.by_command;
    for one in [each.add, each.delete, each.get, each.check, calls.total] {
        let ended = one.confirmed + one.refused + one.in_doubt + one.not_sent + one.cancelled;
        assert_eq!(one.accepted, ended + one.pending, "{stats:?}");
    }
    let accepted = each.add.accepted + each.delete.accepted + each.get.accepted;
    assert_eq!(calls.total.accepted, accepted + each.check.accepted);
}

#[test]
fn the_classes_add_up_at_every_moment_while_many_threads_call() {
    const EACH: u64 = 300;
    let client = open("{}");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut looks = 0;
            while !done.load(Ordering::Relaxed) {
                check_law(&client.stats());
                looks += 1;
            }
            looks
        });
        let callers = OWNERS.map(|owner| {
            let client = &client;
            scope.spawn(move || {
                for tag in 0..EACH {
                    client.add_async(owner, &["bob"], tag).expect("accepted");
                    client.cancel(tag);
                    let _ = client.delete(owner, &["bob"]);
                    let _ = client.check(owner, &["bob"], CheckType::Both);
                    let _ = client.get(owner, 0, 10);
                }
            })
        });
        let outcomes = callers.map(std::thread::ScopedJoinHandle::join);
        let flushed = client.flush(SOON);
        done.store(true, Ordering::Relaxed);
        assert!(outcomes.iter().all(Result::is_ok));
        assert_eq!(flushed, Status::Ok);
        assert!(watcher.join().expect("the watcher") > 0);
    });
    let stats = client.stats();
    check_law(&stats);
    let calls = stats.calls;
    assert_eq!((calls.total.accepted, calls.total.pending), (3600, 0));
    assert_eq!(calls.total.confirmed + calls.total.cancelled, 3600);
    assert_eq!(calls.by_command.get.confirmed, 900);
    assert_eq!((stats.queue.calls, stats.queue.completions), (0, 900));
}

#[test]
fn the_engine_counts_what_it_confirms_and_refuses() {
    let client = open("{\"accounts\":\"imported\"}");
    assert_eq!(client.add("ann", &["bob"]).status(), Status::Service);
    assert_eq!(client.get("ann", 0, 10).status(), Status::Service);
    let stats = client.stats();
    assert_eq!((stats.backend, stats.calls.total.refused), ("embedded", 2));
    assert_eq!(
        (stats.requests.add.sent, stats.requests.add.accounts),
        (1, 1)
    );
    assert!(stats.retries.is_none() && stats.rate_limit.is_none() && stats.service.is_none());
}

#[test]
fn the_engine_gets_a_long_call_in_parts_and_none_after_one_that_failed_whole() {
    let many: Vec<String> = (0..2500).map(|number| format!("u{number}")).collect();
    let sent = |client: &Client| {
        let add = client.stats().requests.add;
        (add.sent, add.accounts)
    };
    let all = open("{}");
    assert_eq!(all.add("ann", &many).status(), Status::Partial);
    assert_eq!(
        sent(&all),
        (3, 2500),
        "a list is full, each account has its answer"
    );
    let imported = open("{\"accounts\":\"imported\"}");
    assert_eq!(imported.add("ann", &many).status(), Status::Service);
    assert_eq!(sent(&imported), (1, 1000), "the owner is not imported");
}

#[test]
fn what_is_refused_at_once_is_not_accepted() {
    let client = open("{\"queue\":{\"max_calls\":1}}");
    assert_eq!(client.add("", &["bob"]).status(), Status::Argument);
    assert_eq!(client.call("black_list_add", "{").status(), Status::Request);
    client.add_async("ann", &["bob"], 1).expect("accepted");
    client.add_async("ann", &["bob"], 2).expect_err("busy");
    let stats = client.stats();
    assert_eq!((stats.calls.total.accepted, stats.queue.busy), (1, 1));
    assert_eq!(stats.queue.max_calls, 1);
}

#[test]
fn a_call_that_could_not_connect_was_never_sent() {
    let client = remote_without_service(2, "");
    assert_eq!(client.add("ann", &["bob"]).status(), Status::Connect);
    let stats = client.stats();
    check_law(&stats);
    assert_eq!(stats.calls.by_command.add.not_sent, 1);
    let retries = stats.retries.expect("calls are repeated");
    assert_eq!((retries.connect, stats.requests.add.sent), (1, 2));
    let service = stats.service.expect("there is one");
    assert_eq!((service.host, service.connections), ("primary", 0));
    assert!(service.usersig_expires.is_some());
}

#[test]
fn what_waits_for_the_pace_is_pending() {
    let client = remote_without_service(1, ",\"rate_per_second\":1");
    for tag in 0..8 {
        let owner = format!("owner{tag}");
        client.add_async(&owner, &["bob"], tag).expect("accepted");
    }
    assert_eq!(client.cancel(7), 1);
    let mut statuses = [(); 2].map(|()| client.poll(SOON).expect("a completion").status());
    statuses.sort_unstable_by_key(|status| status.code());
    assert_eq!(statuses, [Status::Connect, Status::Cancelled]);
    let stats = client.stats();
    check_law(&stats);
    assert!(
        stats.calls.total.pending > 0 && stats.queue.owners > 0,
        "{stats:?}"
    );
    let rate_limit = stats.rate_limit.expect("a rate_limit");
    assert_eq!(
        (
            rate_limit.full_per_second,
            rate_limit.by_command.add.per_second
        ),
        (1, 1)
    );
    assert!(rate_limit.by_command.add.waits > 0 && rate_limit.by_command.add.waited_ms > 0);
}
