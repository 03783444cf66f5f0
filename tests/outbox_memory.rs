//! What an outbox takes of memory: a bounded part of it is loaded, of the rest at most 64 bytes for each write. Alone in
//! this program, and one after the other, because the peak is that of the process.
//!
//! Two peaks are bounded. Allocated is what Rust code asked of the allocator and has not returned, where a block that
//! grows counts twice while it is copied: that is what the library decides. Resident is what the system counts: it
//! also has what `SQLite` takes, what the allocator keeps for later, and the gaps between blocks.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use chatblock::{Client, Status};
use peak_alloc::PeakAlloc;
use rusqlite::Connection;
use serde_json::json;
use testkit::fake_service::{Manner, Service};
use testkit::{depth, report};

const SOON: Option<Duration> = Some(Duration::from_secs(20));
/// No service listens on the discard port.
const NOWHERE: &str = "http://127.0.0.1:9";
/// What is in memory of any outbox, threads and connections included.
const BOUNDED: usize = 40 << 20;
/// What a write takes beyond that.
const EACH: usize = 64;

/// The same while writes come in faster than they are recorded, as here: 16,384 of them in memory as a whole, about
/// 16 MiB, and 32 MiB of records on their way to disk, which take little more than that.
const LIVE_ALLOCATED: usize = 64 << 20;
/// The allocator returns little of what writes on their way to disk took: each thread has its own part of the heap, and
/// what stays lies between what went. At the most both the thread that submits and the one that takes the writes in
/// keep as much as was on its way.
const LIVE_RESIDENT: usize = 112 << 20;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

static ALONE: Mutex<()> = Mutex::new(());

/// A folder with an outbox, and no other test beside it.
struct Place {
    folder: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Place {
    /// With the rows that this statement inserts.
    fn with(insert: &str) -> Self {
        let place = Self {
            folder: tempfile::tempdir().expect("a directory"),
            _alone: ALONE.lock().expect("the other test has ended well"),
        };
        drop(open(&place.file(), NOWHERE));
        let connection = Connection::open(place.file()).expect("the file");
        connection.execute_batch(insert).expect("sound SQL");
        place
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("outbox.db")
    }
}

fn open(file: &Path, base_url: &str) -> Client {
    let config = json!({
        "sdkappid": 1, "secret_key": "k", "base_url": base_url, "outbox": {"path": file},
    });
    Client::open(&config.to_string()).expect("a sound configuration")
}

/// Forgets the most memory that this process had; gives what it has now.
fn forget_peak() -> usize {
    fs::write("/proc/self/clear_refs", "5").expect("the peak can be forgotten");
    peak()
}

/// The most memory that this process had, in bytes.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("the state of this process");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.expect("the peak").trim().trim_end_matches(" kB");
    peak.parse::<usize>().expect("a number") * 1024
}

#[test]
fn a_long_outbox_opens_in_bounded_memory_and_sends_at_once() {
    let count: usize = depth().pick(100_000, 1_000_000, 1_000_000);
    let place = Place::with(&format!(
        "INSERT INTO writes (id, command, owner, targets, accepted)
         WITH RECURSIVE n(id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM n WHERE id + 1 < {count})
         SELECT id, 'black_list_add', 'owner-of-writes-' || id, printf('%.*c', 32, 'x') || char(10)
            || printf('%.*c', 32, 'y'), 1700000000 FROM n"
    ));
    let service = Service::start(Manner::Sound);
    let before = forget_peak();
    let begin = Instant::now();
    let client = open(&place.file(), &service.base_url());
    while service.books().arrivals.is_empty() {
        assert!(begin.elapsed() < Duration::from_mins(1), "nothing is sent");
        std::thread::sleep(Duration::from_millis(1));
    }
    let took = begin.elapsed();
    let outbox = client.stats().outbox.expect("an outbox");
    assert!(outbox.on_disk > count / 2, "{outbox:?}");
    assert!(outbox.oldest_s > 1000, "{outbox:?}");
    assert_eq!(client.stats().calls.total.accepted, count as u64);
    let taken = peak().saturating_sub(before);
    assert!(taken < BOUNDED + EACH * count, "{taken} bytes");
    let line =
        format!("outbox: {count} writes opened, {taken} bytes, first request after {took:?}");
    report("outbox-memory", &line);
}

#[test]
fn writes_that_come_in_while_the_service_is_away_take_bounded_memory_until_the_end() {
    let count: usize = depth().pick(60_000, 300_000, 1_000_000);
    let place = Place::with("");
    let client = open(&place.file(), NOWHERE);
    let before = forget_peak();
    ALLOCATOR.reset_peak_usage();
    let allocated = ALLOCATOR.current_usage();
    for number in 0..count {
        let owner = format!("owner-of-writes-{number}");
        while let Err(error) = client.add_async(&owner, &["x".repeat(32)], 1) {
            assert_eq!(error.status(), Status::Busy, "{error}");
            assert_eq!(client.sync(SOON), Status::Ok);
        }
    }
    assert_eq!(client.sync(SOON), Status::Ok);
    let outbox = client.stats().outbox.expect("an outbox");
    assert_eq!((outbox.writes, outbox.unrecorded), (count, 0));
    assert!(outbox.on_disk >= count - 40_000, "{outbox:?}");
    assert_eq!(client.close(SOON), Status::Ok);
    let allocated = ALLOCATOR.peak_usage().saturating_sub(allocated);
    let resident = peak().saturating_sub(before);
    let line = format!(
        "outbox: {count} writes came in and the client closed, {allocated} bytes allocated, {resident} resident, at the peak"
    );
    report("outbox-memory-live", &line);
    assert!(allocated < LIVE_ALLOCATED + EACH * count, "{line}");
    assert!(resident < LIVE_RESIDENT + EACH * count, "{line}");
}

#[test]
fn a_row_of_millions_of_accounts_is_never_loaded() {
    let place = Place::with(
        "INSERT INTO writes (id, command, owner, targets, accepted)
         SELECT 1, 'black_list_add', 'ann', printf('%.*c', 99000000, 'x'), 0",
    );
    let before = forget_peak();
    let client = open(&place.file(), NOWHERE);
    assert_eq!(client.sync(SOON), Status::Ok);
    assert_eq!(client.stats().outbox.map(|outbox| outbox.bad_rows), Some(1));
    drop(client);
    let taken = peak().saturating_sub(before);
    assert!(taken < BOUNDED, "{taken} bytes");
}
