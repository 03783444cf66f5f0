//! A caller that waits, and the reply that it waits for.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use super::reply::Reply;

/// Whoever has it owes somebody a reply.
pub(super) struct Promise(Arc<Place>);

/// The other end.
pub(super) struct Waiting(Arc<Place>);

struct Place {
    outcome: Mutex<Outcome>,
    changed: Condvar,
}

enum Outcome {
    Open,
    Kept(Box<Reply>),
    /// Nobody can keep it any more, or it was kept and taken.
    Over,
}

/// Why there is no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoReply {
    OutOfTime,
    /// The promise was dropped.
    Broken,
}

/// A promise, and how to wait for it.
pub(super) fn promise() -> (Promise, Waiting) {
    let place = Arc::new(Place {
        outcome: Mutex::new(Outcome::Open),
        changed: Condvar::new(),
    });
    (Promise(Arc::clone(&place)), Waiting(place))
}

impl Promise {
    /// Hands the reply over; the caller may have given up by now.
    pub(super) fn keep(self, reply: Reply) {
        *self.0.outcome.lock() = Outcome::Kept(Box::new(reply));
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        let mut outcome = self.0.outcome.lock();
        if matches!(*outcome, Outcome::Open) {
            *outcome = Outcome::Over;
        }
        drop(outcome);
        self.0.changed.notify_one();
    }
}

impl Waiting {
    /// Waits for the reply until `until` (`None`: without limit).
    pub(super) fn wait(self, until: Option<Instant>) -> Result<Reply, NoReply> {
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
            Outcome::Kept(reply) => Ok(*reply),
            Outcome::Open => Err(NoReply::OutOfTime),
            Outcome::Over => Err(NoReply::Broken),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::{Error, Status};

    fn reply() -> Reply {
        Reply::failed(None, "ann", &Error::new(Status::Busy, "later"))
    }

    #[test]
    fn a_reply_is_there_before_and_after_somebody_waits() {
        let (promise, waiting) = promise();
        promise.keep(reply());
        assert_eq!(
            waiting.wait(None).map(|reply| reply.status()),
            Ok(Status::Busy)
        );
        let (promise, waiting) = self::promise();
        let waiter = std::thread::spawn(move || waiting.wait(None).map(|reply| reply.status()));
        promise.keep(reply());
        assert_eq!(waiter.join().expect("no panic"), Ok(Status::Busy));
    }

    #[test]
    fn a_promise_that_is_dropped_keeps_nobody_waiting() {
        let (promise, waiting) = promise();
        drop(promise);
        assert_eq!(waiting.wait(None).err(), Some(NoReply::Broken));
    }

    #[test]
    fn who_gives_up_does_not_hinder_the_reply() {
        let (promise, waiting) = promise();
        let until = Instant::now() + Duration::from_millis(1);
        assert_eq!(waiting.wait(Some(until)).err(), Some(NoReply::OutOfTime));
        promise.keep(reply());
    }
}
