//! Calls without waiting, on the embedded engine: exactly one completion each, in order per owner.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chatblock::{CheckType, Client, Relation, Reply, Status};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

const SOON: Option<Duration> = Some(Duration::from_secs(20));
const NOW: Option<Duration> = Some(Duration::ZERO);

fn open(config: &str) -> Client {
    Client::open(config).expect("a sound configuration")
}

fn next(client: &Client) -> Reply {
    client.poll(SOON).expect("a completion")
}

#[test]
fn a_call_completes_once_with_its_tag() {
    let client = open("{}");
    client.add_async("ann", &["bob"], 7).expect("accepted");
    let reply = next(&client);
    assert_eq!((reply.tag(), reply.status()), (7, Status::Ok));
    assert_eq!(
        reply.command().map(chatblock::Command::name),
        Some("black_list_add")
    );
    assert_eq!(reply.owner(), "ann");
    assert!(client.poll(NOW).is_none());
}

#[test]
fn calls_of_one_owner_keep_their_order() {
    let client = open("{}");
    for round in 0..200 {
        client
            .add_async("ann", &["bob"], 2 * round)
            .expect("accepted");
        client
            .delete_async("ann", &["bob"], 2 * round + 1)
            .expect("accepted");
    }
    let tags: Vec<_> = (0..400)
        .map(|_| {
            let reply = next(&client);
            let status = reply.items()[0].status();
            assert_eq!(status, Status::Ok, "each finds what the one before left");
            reply.tag()
        })
        .collect();
    assert!(tags.is_sorted(), "{tags:?}");
}

/// The library's threads work for many owners at once; one must not hand out what another one's older
/// completion should precede.
#[test]
fn completions_of_one_owner_are_in_order_beside_others() {
    const OWNERS: u64 = 8;
    const CALLS: u64 = 4000;
    let client = open("{}");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for tag in 0..CALLS {
                let owner = format!("owner{}", tag % OWNERS);
                client.add_async(&owner, &["bob"], tag).expect("accepted");
            }
        });
        let mut last = BTreeMap::new();
        for _ in 0..CALLS {
            let tag = next(&client).tag();
            let before = last.insert(tag % OWNERS, tag);
            assert!(before.is_none_or(|before| before < tag), "{before:?} {tag}");
        }
    });
}

#[test]
fn who_has_the_completion_finds_its_place_free() {
    let client = open("{\"queue\":{\"max_calls\":1}}");
    for tag in 0..500 {
        client.add_async("ann", &["bob"], tag).expect("accepted");
        assert_eq!(next(&client).tag(), tag);
        assert_eq!(client.flush(NOW), Status::Ok);
    }
}

#[test]
fn a_read_sees_the_writes_accepted_before_it() {
    let client = open("{}");
    for round in 0..100 {
        let target = format!("u{round}");
        client.add_async("ann", &[&target], 0).expect("accepted");
        client
            .check_async("ann", &[&target], CheckType::Single, 1)
            .expect("accepted");
    }
    for _ in 0..200 {
        let reply = next(&client);
        if reply.tag() == 1 {
            assert_eq!(reply.items()[0].relation(), Relation::AWithB);
        }
    }
    client.add_async("ann", &["last"], 0).expect("accepted");
    let waited = client.check("ann", &["last"], CheckType::Single);
    assert_eq!(
        waited.items()[0].relation(),
        Relation::AWithB,
        "also for a caller that waits"
    );
}

#[test]
fn a_bad_call_is_refused_at_once_and_leaves_nothing() {
    let client = open("{}");
    let refused = |outcome: Result<(), chatblock::Error>| outcome.expect_err("refused").status();
    assert_eq!(
        refused(client.add_async("ann", &[] as &[&str], 1)),
        Status::Argument
    );
    assert_eq!(refused(client.add_async("", &["bob"], 1)), Status::Argument);
    assert_eq!(
        refused(client.add_async("ann", &vec!["bob"; 100_001], 1)),
        Status::Argument
    );
    assert_eq!(
        refused(client.submit("black_list_clear", "{}", 1)),
        Status::Argument
    );
    assert_eq!(
        refused(client.submit("black_list_add", "{", 1)),
        Status::Request
    );
    let many = format!(
        "{{\"From_Account\":\"a\",\"To_Account\":[\"b\"{}]}}",
        ",\"b\"".repeat(1000)
    );
    assert_eq!(
        refused(client.submit("black_list_add", &many, 1)),
        Status::Request
    );
    assert_eq!(client.flush(NOW), Status::Ok);
    assert!(client.poll(NOW).is_none());
}

#[test]
fn beyond_the_queue_a_call_is_busy_until_completions_are_taken() {
    let client = open("{\"queue\":{\"max_calls\":10}}");
    for tag in 0..10 {
        client.add_async("ann", &["bob"], tag).expect("accepted");
    }
    let busy = |client: &Client| {
        client
            .add_async("ann", &["bob"], 99)
            .err()
            .map(|error| error.status())
    };
    assert_eq!(busy(&client), Some(Status::Busy));
    assert_eq!(client.flush(SOON), Status::Ok);
    assert_eq!(
        busy(&client),
        Some(Status::Busy),
        "completions not yet taken count"
    );
    let _ = next(&client);
    assert_eq!(busy(&client), None);
}

#[test]
fn flush_waits_for_completions_that_nobody_polls() {
    let client = open("{}");
    for tag in 0..1000 {
        client
            .add_async(&format!("owner{}", tag % 7), &["bob"], tag)
            .expect("accepted");
    }
    assert_eq!(client.flush(SOON), Status::Ok);
    let mut taken = 0;
    while client.poll(NOW).is_some() {
        taken += 1;
    }
    assert_eq!(taken, 1000);
}

#[test]
fn a_wake_up_before_the_poll_is_not_lost() {
    let client = open("{}");
    client.wake();
    let before = Instant::now();
    assert!(client.poll(SOON).is_none());
    assert!(before.elapsed() < Duration::from_secs(10));
    assert!(client.poll(NOW).is_none(), "one token wakes one poll");
}

#[test]
fn a_poll_ends_at_its_timeout() {
    let client = open("{}");
    let before = Instant::now();
    assert!(client.poll(Some(Duration::from_millis(30))).is_none());
    assert!(before.elapsed() >= Duration::from_millis(30));
}

#[test]
fn the_descriptor_is_readable_exactly_while_something_waits() {
    let client = open("{}");
    let descriptor = client.event_fd().expect("Linux has one");
    #[allow(unsafe_code, reason = "only a number says which descriptor it is")]
    // SAFETY: the descriptor lives as long as the client, which is dropped after the last look.
    let event = unsafe { BorrowedFd::borrow_raw(descriptor) };
    let waiting = || {
        let mut waiting = [PollFd::new(event, PollFlags::POLLIN)];
        poll(&mut waiting, PollTimeout::ZERO) == Ok(1)
    };
    assert!(!waiting());
    client.wake();
    assert!(waiting());
    assert!(client.poll(NOW).is_none());
    assert!(!waiting());
    client.add_async("ann", &["bob"], 1).expect("accepted");
    client.add_async("ann", &["cat"], 2).expect("accepted");
    assert_eq!(client.flush(SOON), Status::Ok);
    assert!(waiting());
    let _ = next(&client);
    assert!(waiting());
    let _ = next(&client);
    assert!(!waiting());
    drop(client);
    let gone = std::fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}"));
    if let Err(error) = gone {
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}

#[test]
fn many_threads_submit_and_poll_and_every_tag_comes_back_once() {
    const SUBMITTERS: u64 = 8;
    const EACH: u64 = 500;
    let client = open("{}");
    let left = AtomicUsize::new(usize::try_from(SUBMITTERS * EACH).expect("a small number"));
    let mut seen = BTreeMap::new();
    std::thread::scope(|scope| {
        for thread in 0..SUBMITTERS {
            let client = &client;
            scope.spawn(move || {
                for number in 0..EACH {
                    let owner = format!("owner{}", number % 5);
                    let tag = thread * EACH + number;
                    client
                        .add_async(&owner, &[format!("t{tag}")], tag)
                        .expect("accepted");
                }
            });
        }
        let poll = || {
            let mut tags = Vec::new();
            while left.load(Ordering::SeqCst) > 0 {
                if let Some(reply) = client.poll(Some(Duration::from_millis(10))) {
                    left.fetch_sub(1, Ordering::SeqCst);
                    tags.push(reply.tag());
                }
            }
            tags
        };
        let pollers = [scope.spawn(poll), scope.spawn(poll)];
        for poller in pollers {
            for tag in poller.join().expect("a poller") {
                *seen.entry(tag).or_insert(0) += 1;
            }
        }
    });
    assert_eq!(seen.len() as u64, SUBMITTERS * EACH);
    assert!(seen.values().all(|count| *count == 1));
}

#[test]
fn sync_needs_a_disk() {
    let client = open("{}");
    assert_eq!(client.sync(NOW), Status::Unsupported);
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("store.db");
    let client = open(&format!("{{\"path\":\"{}\"}}", path.display()));
    for tag in 0..50 {
        client
            .add_async(&format!("owner{tag}"), &["bob"], tag)
            .expect("accepted");
    }
    assert_eq!(client.sync(SOON), Status::Ok);
    assert_eq!(client.close(NOW), Status::Ok);
    let client = open(&format!("{{\"path\":\"{}\"}}", path.display()));
    for owner in 0..50 {
        assert_eq!(client.get(&format!("owner{owner}"), 0, 10).items().len(), 1);
    }
}

#[test]
fn nothing_is_cancelled_that_has_no_such_tag() {
    let client = open("{}");
    client.add_async("ann", &["bob"], 1).expect("accepted");
    assert_eq!(client.cancel(2), 0);
    assert_eq!(client.flush(SOON), Status::Ok);
    assert_eq!(
        client.cancel(1),
        0,
        "a call that is done cannot be cancelled"
    );
}

/// With a look at every waiting call for each of them this takes minutes.
#[test]
fn each_of_many_waiting_calls_is_cancelled_by_its_tag() {
    const CALLS: u64 = 60_000;
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    let client = open(&format!(
        "{{\"sdkappid\":1,\"secret_key\":\"k\",\"connections\":8,\"attempt_ms\":300000,\"call_ms\":300000,\
         \"base_url\":\"http://{address}\"}}"
    ));
    for tag in 0..CALLS {
        let owner = format!("owner{tag}");
        client.add_async(&owner, &["bob"], tag).expect("accepted");
    }
    let cancelled: usize = (0..CALLS).map(|tag| client.cancel(tag)).sum();
    assert!(cancelled as u64 >= CALLS - 8, "only {cancelled}");
    for _ in 0..cancelled {
        assert_eq!(next(&client).status(), Status::Cancelled);
    }
    assert_eq!(client.cancel(CALLS - 1), 0, "it has its completion");
}
