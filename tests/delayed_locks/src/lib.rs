//! The locks of `parking_lot` with a random, bounded delay around every operation: before a lock is asked
//! for, while it is held, after it was given back, before and after a wait, before and after a wake-up. What a
//! scheduler does once in a million, it does now in every second call.
//!
//! It has what the library uses. What is missing is an error of the compiler, not a lock without delays.

use std::cell::Cell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub use real::WaitTimeoutResult;

/// Of 256 operations so many give their core away, sleep a little, and sleep long.
const YIELDS: u64 = 24;
const NAPS: u64 = 12;
const SLEEPS: u64 = 1;
/// The longest of each.
const NAP_US: u64 = 200;
const SLEEP_US: u64 = 4000;

/// Counts threads, so that each has a generator of its own.
static THREADS: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static GENERATOR: Cell<u64> = Cell::new(
        // An odd multiplier: never 0, which the generator would not leave.
        THREADS.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
    );
}

/// A xorshift generator. A thread that ends has none left: no delay then.
fn random() -> u64 {
    let next = |state: &Cell<u64>| {
        let mut value = state.get();
        value ^= value << 13;
        value ^= value >> 7;
        value ^= value << 17;
        state.set(value);
        value >> 16
    };
    GENERATOR.try_with(next).unwrap_or(u64::MAX)
}

fn delay() {
    const NAPS_FROM: u64 = YIELDS;
    const SLEEPS_FROM: u64 = NAPS_FROM + NAPS;
    const REST_FROM: u64 = SLEEPS_FROM + SLEEPS;
    match random() % 256 {
        0..NAPS_FROM => std::thread::yield_now(),
        NAPS_FROM..SLEEPS_FROM => sleep(NAP_US),
        SLEEPS_FROM..REST_FROM => sleep(SLEEP_US),
        _ => {}
    }
}

fn sleep(longest_us: u64) {
    std::thread::sleep(Duration::from_micros(random() % longest_us));
}

/// Delays when it is dropped: the last field of a guard, so that the lock is free by then.
struct Afterwards;

impl Drop for Afterwards {
    fn drop(&mut self) {
        delay();
    }
}

/// A guard of `$real` that delays after the lock was given back.
macro_rules! guard {
    ($name:ident, $real:ty) => {
        #[doc = concat!("A `", stringify!($name), "` with a delay at its end.")]
        #[must_use = "the lock is given back when it is dropped"]
        pub struct $name<'a, T: ?Sized> {
            real: $real,
            _afterwards: Afterwards,
        }

        impl<'a, T: ?Sized> $name<'a, T> {
            fn new(real: $real) -> Self {
                delay();
                Self {
                    real,
                    _afterwards: Afterwards,
                }
            }
        }

        impl<T: ?Sized> Deref for $name<'_, T> {
            type Target = T;

            fn deref(&self) -> &T {
                &self.real
            }
        }
    };
}

guard!(MutexGuard, real::MutexGuard<'a, T>);
guard!(RwLockReadGuard, real::RwLockReadGuard<'a, T>);
guard!(RwLockWriteGuard, real::RwLockWriteGuard<'a, T>);

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.real
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.real
    }
}

impl<T: ?Sized> MutexGuard<'_, T> {
    /// As `parking_lot::MutexGuard::unlocked`.
    pub fn unlocked<U>(guard: &mut Self, work: impl FnOnce() -> U) -> U {
        delay();
        let result = real::MutexGuard::unlocked(&mut guard.real, || {
            delay();
            let result = work();
            delay();
            result
        });
        delay();
        result
    }
}

/// A mutex with delays.
#[derive(Default)]
pub struct Mutex<T: ?Sized>(real::Mutex<T>);

impl<T> Mutex<T> {
    /// As `parking_lot::Mutex::new`.
    pub const fn new(value: T) -> Self {
        Self(real::Mutex::new(value))
    }

    /// As `parking_lot::Mutex::into_inner`.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// As `parking_lot::Mutex::lock`.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        delay();
        MutexGuard::new(self.0.lock())
    }

    /// As `parking_lot::Mutex::try_lock`.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        delay();
        self.0.try_lock().map(MutexGuard::new)
    }

    /// As `parking_lot::Mutex::try_lock_for`.
    pub fn try_lock_for(&self, time: Duration) -> Option<MutexGuard<'_, T>> {
        delay();
        self.0.try_lock_for(time).map(MutexGuard::new)
    }

    /// As `parking_lot::Mutex::try_lock_until`.
    pub fn try_lock_until(&self, deadline: Instant) -> Option<MutexGuard<'_, T>> {
        delay();
        self.0.try_lock_until(deadline).map(MutexGuard::new)
    }

    /// As `parking_lot::Mutex::get_mut`.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A lock for many readers or one writer, with delays.
#[derive(Default)]
pub struct RwLock<T: ?Sized>(real::RwLock<T>);

impl<T> RwLock<T> {
    /// As `parking_lot::RwLock::new`.
    pub const fn new(value: T) -> Self {
        Self(real::RwLock::new(value))
    }
}

impl<T: ?Sized> RwLock<T> {
    /// As `parking_lot::RwLock::read`.
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        delay();
        RwLockReadGuard::new(self.0.read())
    }

    /// As `parking_lot::RwLock::write`.
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        delay();
        RwLockWriteGuard::new(self.0.write())
    }
}

/// A condition variable with delays.
#[derive(Default, Debug)]
pub struct Condvar(real::Condvar);

impl Condvar {
    /// As `parking_lot::Condvar::new`.
    pub const fn new() -> Self {
        Self(real::Condvar::new())
    }

    /// As `parking_lot::Condvar::wait`.
    pub fn wait<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>) {
        delay();
        self.0.wait(&mut guard.real);
        delay();
    }

    /// As `parking_lot::Condvar::wait_for`.
    pub fn wait_for<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        time: Duration,
    ) -> WaitTimeoutResult {
        delay();
        let result = self.0.wait_for(&mut guard.real, time);
        delay();
        result
    }

    /// As `parking_lot::Condvar::wait_until`.
    pub fn wait_until<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        deadline: Instant,
    ) -> WaitTimeoutResult {
        delay();
        let result = self.0.wait_until(&mut guard.real, deadline);
        delay();
        result
    }

    /// As `parking_lot::Condvar::notify_one`.
    pub fn notify_one(&self) -> bool {
        delay();
        let result = self.0.notify_one();
        delay();
        result
    }

    /// As `parking_lot::Condvar::notify_all`.
    pub fn notify_all(&self) -> usize {
        delay();
        let result = self.0.notify_all();
        delay();
        result
    }
}
