//! The age of lists on a machine that is suspended.

use super::*;
use crate::cache::Answer;
use crate::locks::Mutex;

const HOUR: Duration = Duration::from_hours(1);

struct Laptop {
    started: Instant,
    /// How long it was awake and how long suspended.
    times: Mutex<(Duration, Duration)>,
}

impl Laptop {
    fn wait(&self, awake: Duration) {
        self.times.lock().0 += awake;
    }

    fn suspend(&self, time: Duration) {
        self.times.lock().1 += time;
    }
}

impl Clock for Laptop {
    fn unix_seconds(&self) -> i64 {
        0
    }

    fn now(&self) -> Instant {
        self.started + self.times.lock().0
    }

    fn last_tick(&self) -> Duration {
        self.times.lock().0
    }

    fn suspended(&self) -> Duration {
        self.times.lock().1
    }
}

/// A cache whose lists are good for a quarter of an hour.
fn setting() -> (Arc<Laptop>, TimedCache) {
    let laptop = Arc::new(Laptop {
        started: Instant::now(),
        // Before the client was opened.
        times: Mutex::new((HOUR, HOUR)),
    });
    let settings = Settings {
        max_bytes: 1 << 20,
        refresh: Duration::from_mins(5),
        max_age: Duration::from_mins(15),
    };
    let clock: Arc<dyn Clock> = laptop.clone();
    let cache = TimedCache::partial(settings, clock).expect("memory");
    (laptop, cache)
}

/// Reads the list of ann, which takes as long as `reading` does.
fn read_list(cache: &TimedCache, reading: impl FnOnce()) {
    cache.blocks.set_loading(b"ann").expect("memory");
    let started_ms = cache.ms(cache.clock.now());
    reading();
    let peers = std::iter::once(b"bob".as_slice());
    let learned = cache.blocks.replace(b"ann", peers, started_ms);
    learned.expect("memory");
}

fn ask(cache: &TimedCache) -> Answer {
    cache.blocks.is_blocked(b"ann", b"bob", || cache.now_ms())
}

#[test]
fn a_list_grows_old_while_the_machine_is_suspended() {
    let (laptop, cache) = setting();
    read_list(&cache, || ());
    laptop.wait(Duration::from_secs(1));
    assert_eq!(ask(&cache), Answer::Yes);
    laptop.suspend(HOUR);
    laptop.wait(Duration::from_millis(LOOK_MS));
    assert_eq!(ask(&cache), Answer::Unknown);
    read_list(&cache, || ());
    assert_eq!(ask(&cache), Answer::Yes);
}

#[test]
fn a_list_that_was_asked_for_before_the_machine_was_suspended_is_old_when_it_arrives() {
    let (laptop, cache) = setting();
    read_list(&cache, || laptop.suspend(HOUR));
    laptop.wait(Duration::from_millis(LOOK_MS));
    assert_eq!(ask(&cache), Answer::Unknown);
}

#[test]
fn a_list_that_is_read_at_once_after_that_is_new() {
    let (laptop, cache) = setting();
    laptop.suspend(HOUR);
    read_list(&cache, || ());
    assert_eq!(ask(&cache), Answer::Yes);
    laptop.wait(Duration::from_millis(LOOK_MS));
    assert_eq!(ask(&cache), Answer::Yes);
}
