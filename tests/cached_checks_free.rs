//! What a question costs beside its answer: no allocation, and bounded memory for what is
//! known. A program of its own, because it counts what the whole process allocates.

#![allow(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

use chatblock::cache::Answer;
use chatblock::{Client, Status};
use testkit::serve::Serving;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS.with(|count| count.set(count.get() + 1));
}

// SAFETY: everything is left to the system's allocator; the count is a plain cell of the thread.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations and releases of this thread during `act`.
fn allocations(act: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    act();
    ALLOCATIONS.get() - before
}

#[test]
fn asking_allocates_nothing() {
    let remote = r#"{"sdkappid": 1, "secret_key": "k", "base_url": "https://example.invalid"}"#;
    for config in ["{}", remote] {
        let client = Client::open(config).expect("a sound configuration");
        if config == "{}" {
            let _ = client.add("ann", &["bob"]);
        }
        let names: Vec<String> = (0..300).map(|number| format!("player{number}")).collect();
        let mut answers = [Answer::Unknown; 300];
        let mut pairs = 0;
        let used = allocations(|| {
            for owner in &names {
                client.is_blocked("ann", owner);
                client.is_blocked(owner, "bob");
            }
            for (slot, answer) in answers
                .iter_mut()
                .zip(client.is_blocked_many(&names, "bob"))
            {
                *slot = answer;
            }
            pairs += client.blocked_pairs(&names).count();
        });
        assert_eq!(used, 0, "{config}");
    }
    assert!(allocations(|| drop(Box::new(1))) > 0, "the count counts");
}

/// Bytes of this process in memory.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = text
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.expect("a number of pages") * 4096
}

/// Connections, threads, one call's names, and what the allocator keeps.
const BASE: u64 = 24 << 20;
const MAX_BYTES: u64 = 64 << 20;

#[test]
fn a_million_watched_owners_stay_within_the_budget() {
    let config = serde_json::json!({"backend": "embedded", "sdkappid": 1_400_000_001,
        "secret_key": "synthetic-key-for-tests-0001", "rate_per_second": 100_000});
    let service = Serving::start(&config.to_string(), "{}");
    let config = serde_json::json!({"sdkappid": 1_400_000_001, "rate_per_second": 100_000,
        "secret_key": "synthetic-key-for-tests-0001", "base_url": service.url,
        "cache": {"max_bytes": MAX_BYTES}});
    let client = Client::open(&config.to_string()).expect("a sound configuration");
    let before = resident();
    let mut most = 0;
    let (mut taken, mut refused) = (0, 0);
    for part in 0..100 {
        let names: Vec<String> = (0..10_000)
            .map(|number| format!("player-{part}-{number}"))
            .collect();
        match client.watch(&names) {
            Ok(()) => taken += names.len() as u64,
            Err(error) => {
                assert_eq!(error.status(), Status::Busy);
                refused += names.len() as u64;
            }
        }
        most = most.max(resident());
    }
    let begin = Instant::now();
    while client.stats().cache.refreshes < 1000 {
        assert!(begin.elapsed() < Duration::from_mins(1), "lists are read");
        std::thread::sleep(Duration::from_millis(10));
        most = most.max(resident());
    }
    let stats = client.stats().cache;
    let grown = most.saturating_sub(before);
    testkit::report(
        "hot_path",
        &format!(
            "budget: {} owners watched in {} MiB, {refused} refused, +{} MiB, {} evicted",
            stats.watched,
            MAX_BYTES >> 20,
            grown >> 20,
            stats.evictions
        ),
    );
    assert!(grown <= MAX_BYTES / 10 * 11 + BASE, "{grown}");
    assert_eq!(stats.watched, taken);
    assert!(taken <= MAX_BYTES / 1024 && refused == 1_000_000 - taken);
    assert_eq!(client.is_blocked("player-99-0", "bob"), Answer::Unknown);
}
