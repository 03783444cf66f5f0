//! A value that one thread owes another.

use std::sync::Arc;
use std::time::Instant;

use crate::locks::{Condvar, Mutex};

/// Whoever has it owes somebody a value.
pub(crate) struct Promise<T>(Arc<Place<T>>);

/// The other end.
pub(crate) struct Waiting<T>(Arc<Place<T>>);

struct Place<T> {
    outcome: Mutex<Outcome<T>>,
    changed: Condvar,
}

enum Outcome<T> {
    Open,
    Kept(T),
    /// Nobody can keep it any more, or it was kept and taken.
    Over,
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unkept {
    OutOfTime,
    /// The promise was dropped.
    Broken,
}

/// A promise, and how to wait for it.
pub(crate) fn promise<T>() -> (Promise<T>, Waiting<T>) {
    let place = Arc::new(Place {
        outcome: Mutex::new(Outcome::Open),
        changed: Condvar::new(),
    });
    (Promise(Arc::clone(&place)), Waiting(place))
}

impl<T> Promise<T> {
    /// Hands the value over; whoever waited may have given up by now.
    pub(crate) fn keep(self, value: T) {
        *self.0.outcome.lock() = Outcome::Kept(value);
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        let mut outcome = self.0.outcome.lock();
        if matches!(*outcome, Outcome::Open) {
            *outcome = Outcome::Over;
        }
        drop(outcome);
        self.0.changed.notify_one();
    }
}

impl<T> Waiting<T> {
    /// Waits for the value until `until` (`None`: without limit).
    pub(crate) fn wait(self, until: Option<Instant>) -> Result<T, Unkept> {
        let mut outcome = self.0.outcome.lock();
        while matches!(*outcome, Outcome::Open) {
            match until {
                None => self.0.changed.wait(&mut outcome),
                Some(until) => {
                    if self.0.changed.wait_until(&mut outcome, until).timed_out() {
                        break;
                    }
                }
            }
        }
        match std::mem::replace(&mut *outcome, Outcome::Over) {
            Outcome::Kept(value) => Ok(value),
            Outcome::Open => Err(Unkept::OutOfTime),
            Outcome::Over => Err(Unkept::Broken),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_value_is_there_before_and_after_somebody_waits() {
        let (promise, waiting) = promise();
        promise.keep(7);
        assert_eq!(waiting.wait(None), Ok(7));
        let (promise, waiting) = self::promise();
        let waiter = std::thread::spawn(move || waiting.wait(None));
        promise.keep(8);
        assert_eq!(waiter.join().expect("no panic"), Ok(8));
    }

    #[test]
    fn a_promise_that_is_dropped_keeps_nobody_waiting() {
        let (promise, waiting) = promise::<()>();
        drop(promise);
        assert_eq!(waiting.wait(None), Err(Unkept::Broken));
    }

    #[test]
    fn who_gives_up_does_not_hinder_the_other() {
        let (promise, waiting) = promise();
        let until = Instant::now() + Duration::from_millis(1);
        assert_eq!(waiting.wait(Some(until)), Err(Unkept::OutOfTime));
        promise.keep(());
    }
}
