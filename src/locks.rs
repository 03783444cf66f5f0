//! The locks of a client, in one place: the model of its threads (`client/runtime/model.rs`) is built with
//! the feature `model` and gets those of shuttle, which tries the orders in which threads can meet.

#[cfg(not(all(test, feature = "model")))]
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};

#[cfg(all(test, feature = "model"))]
pub(crate) use model::{Condvar, Mutex, MutexGuard};

/// What a client uses of `parking_lot`, over shuttle. Time is stopped in a model: a wait with a deadline lasts until
/// it is notified, so that no timer hides a notification that got lost.
#[cfg(all(test, feature = "model"))]
mod model {
    use std::ops::{Deref, DerefMut};
    use std::time::{Duration, Instant};

    use shuttle::sync;

    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(sync::Mutex<T>);

    /// `inner` is None only while the lock is given up for a moment.
    pub(crate) struct MutexGuard<'a, T> {
        mutex: &'a Mutex<T>,
        inner: Option<sync::MutexGuard<'a, T>>,
    }

    #[derive(Debug, Default)]
    pub(crate) struct Condvar(sync::Condvar);

    pub(crate) struct WaitTimeoutResult;

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            MutexGuard {
                mutex: self,
                inner: Some(self.locked()),
            }
        }

        #[allow(clippy::unnecessary_wraps, reason = "as in parking_lot")]
        pub(crate) fn try_lock_for(&self, _: Duration) -> Option<MutexGuard<'_, T>> {
            Some(self.lock())
        }

        /// As parking_lot, a panic does not poison.
        fn locked(&self) -> sync::MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(sync::PoisonError::into_inner)
        }
    }

    impl<T> MutexGuard<'_, T> {
        pub(crate) fn unlocked<R>(guard: &mut Self, work: impl FnOnce() -> R) -> R {
            guard.inner = None;
            let result = work();
            guard.inner = Some(guard.mutex.locked());
            result
        }
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.inner.as_ref().expect("locked")
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.inner.as_mut().expect("locked")
        }
    }

    impl Condvar {
        pub(crate) fn new() -> Self {
            Self::default()
        }

        pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
            let inner = guard.inner.take().expect("locked");
            let inner = self.0.wait(inner);
            guard.inner = Some(inner.unwrap_or_else(sync::PoisonError::into_inner));
        }

        pub(crate) fn wait_until<T>(
            &self,
            guard: &mut MutexGuard<'_, T>,
            _: Instant,
        ) -> WaitTimeoutResult {
            self.wait(guard);
            WaitTimeoutResult
        }

        pub(crate) fn wait_for<T>(
            &self,
            guard: &mut MutexGuard<'_, T>,
            _: Duration,
        ) -> WaitTimeoutResult {
            self.wait(guard);
            WaitTimeoutResult
        }

        pub(crate) fn notify_one(&self) {
            self.0.notify_one();
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }
    }

    impl WaitTimeoutResult {
        #[allow(clippy::unused_self, reason = "as in parking_lot")]
        pub(crate) fn timed_out(&self) -> bool {
            false
        }
    }
}
