//! Time as an argument: nothing else in the crate reads the system clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

/// The slowest tick of a system.
pub const TICK: Duration = Duration::from_millis(10);

/// Where time comes from: the wall clock for signatures and entries, the monotonic one for waiting.
pub trait Clock: Send + Sync {
    /// Whole Unix seconds; negative before 1970.
    fn unix_seconds(&self) -> i64;

    /// The monotonic clock.
    fn now(&self) -> Instant;

    /// The monotonic clock at its last tick, at most [`TICK`] ago, since an origin of its own. For frequent readers:
    /// reading the exact clock costs three times as much.
    fn last_tick(&self) -> Duration;

    /// How long the machine was suspended since it started: the monotonic clock stands still meanwhile.
    fn suspended(&self) -> Duration {
        Duration::ZERO
    }
}

/// The clocks of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn unix_seconds(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
        }
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn last_tick(&self) -> Duration {
        // Every Linux has it; the exact one goes through the same moments.
        let tick = clock_gettime(ClockId::CLOCK_MONOTONIC_COARSE);
        let tick = tick.or_else(|_| clock_gettime(ClockId::CLOCK_MONOTONIC));
        tick.map_or(Duration::MAX, Duration::from)
    }

    fn suspended(&self) -> Duration {
        let clock = |id| clock_gettime(id).map_or(Duration::ZERO, Duration::from);
        // In this order the result is never too small.
        let awake = clock(ClockId::CLOCK_MONOTONIC);
        clock(ClockId::CLOCK_BOOTTIME).saturating_sub(awake)
    }
}

/// A wall clock that is stopped until it is set; its monotonic side is the machine's.
#[derive(Debug)]
pub struct FixedClock(AtomicI64);

impl FixedClock {
    /// A clock that shows `unix_seconds`.
    pub fn at(unix_seconds: i64) -> Self {
        Self(AtomicI64::new(unix_seconds))
    }

    /// Shows `unix_seconds` from now on.
    pub fn set(&self, unix_seconds: i64) {
        self.0.store(unix_seconds, Ordering::Relaxed);
    }
}

impl Clock for FixedClock {
    fn unix_seconds(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn last_tick(&self) -> Duration {
        SystemClock.last_tick()
    }

    fn suspended(&self) -> Duration {
        SystemClock.suspended()
    }
}

/// A clock that is stopped until it is moved, for tests: its wall clock shows 0.
#[derive(Debug)]
pub struct StoppedClock {
    start: Instant,
    nanoseconds: AtomicU64,
}

impl StoppedClock {
    /// A clock that is stopped now.
    pub fn begin() -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            nanoseconds: AtomicU64::new(0),
        })
    }

    /// Moves it by `time`.
    pub fn pass(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).expect("less than 500 years");
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}

impl Clock for StoppedClock {
    fn unix_seconds(&self) -> i64 {
        0
    }

    fn now(&self) -> Instant {
        self.start + self.last_tick()
    }

    fn last_tick(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed))
    }
}
