//! How much may wait: what one player does must not fill the queue for the others, and long calls must not fill the memory.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::busy;
use crate::api::{Account, Request};
use crate::config::QueueLimits;
use crate::error::Error;

/// Counters in each row. Two rows with hashes of their own: owners that share a counter in one do not in the other, so an
/// owner is held responsible for others only if two of them have filled theirs at the same time. The hash is keyed, so
/// that this cannot be provoked.
const COUNTERS: usize = 4096;
/// What a call takes of `queue.max_bytes` beside its accounts, and each account beside its text.
const CALL_BYTES: usize = 512;
const ACCOUNT_BYTES: usize = 64;

/// Calls that wait, by their owners, and their bytes. Without a lock: a tick thread passes here with each call.
pub(super) struct Admission {
    limits: QueueLimits,
    hasher: RandomState,
    owners: [Box<[AtomicU32]>; 2],
    bytes: AtomicU64,
}

impl Admission {
    pub(super) fn new(limits: QueueLimits) -> Self {
        let row = || (0..COUNTERS).map(|_| AtomicU32::new(0)).collect();
        Self {
            limits,
            hasher: RandomState::new(),
            owners: [row(), row()],
            bytes: AtomicU64::new(0),
        }
    }

    /// Counts a call from now on, until [`Self::release`].
    ///
    /// # Errors
    /// [`crate::Status::Busy`] when too many calls of its owner wait, or too many bytes; it is not counted then.
    pub(super) fn admit(&self, request: &Request) -> Result<(), Error> {
        let counters = self.counters(&request.owner);
        let before = counters.map(|counter| counter.fetch_add(1, Ordering::Relaxed));
        let waiting = before.into_iter().min().unwrap_or_default();
        if waiting >= self.limits.max_calls_per_owner {
            self.uncount(&request.owner);
            return Err(busy(
                "too many calls of this owner wait (config key \"queue.max_calls_per_owner\")",
            ));
        }
        // A call that is longer than the limit passes when nothing else waits.
        let bytes = bytes_of(request);
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if before > 0 && before.saturating_add(bytes) > self.limits.max_bytes {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.uncount(&request.owner);
            return Err(busy(
                "the calls that wait take too much memory (config key \"queue.max_bytes\")",
            ));
        }
        Ok(())
    }

    /// The call does not wait any more.
    pub(super) fn release(&self, request: &Request) {
        self.uncount(&request.owner);
        self.bytes.fetch_sub(bytes_of(request), Ordering::Relaxed);
    }

    fn uncount(&self, owner: &Account) {
        for counter in self.counters(owner) {
            counter.fetch_sub(1, Ordering::Relaxed);
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "the two ends of the hash")]
    fn counters(&self, owner: &Account) -> [&AtomicU32; 2] {
        let hash = self.hasher.hash_one(owner.as_str());
        let places = [hash as usize % COUNTERS, (hash >> 32) as usize % COUNTERS];
        [&self.owners[0][places[0]], &self.owners[1][places[1]]]
    }
}

fn bytes_of(request: &Request) -> u64 {
    let texts: usize = request.targets().iter().map(Account::len).sum();
    (CALL_BYTES + request.targets().len() * ACCOUNT_BYTES + texts) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Operation;
    use crate::error::Status;

    fn add(owner: &str, targets: usize) -> Request {
        let targets = (0..targets).map(|number| Account::from(number.to_string()));
        Request {
            owner: owner.into(),
            operation: Operation::Add(targets.collect()),
        }
    }

    fn limits() -> QueueLimits {
        QueueLimits {
            max_calls: 100,
            max_calls_per_owner: 3,
            max_bytes: 1 << 20,
        }
    }

    #[test]
    fn an_owner_with_too_many_calls_is_refused_alone() {
        let admission = Admission::new(limits());
        for _ in 0..3 {
            admission.admit(&add("flood", 1)).expect("admitted");
        }
        for _ in 0..10 {
            let error = admission.admit(&add("flood", 1)).expect_err("one too many");
            assert_eq!(error.status(), Status::Busy);
            assert!(error.message().contains("queue.max_calls_per_owner"));
        }
        for number in 0..100 {
            let owner = format!("quiet{number}");
            admission.admit(&add(&owner, 1)).expect("another owner");
        }
        admission.release(&add("flood", 1));
        admission.admit(&add("flood", 1)).expect("a call has ended");
        admission.admit(&add("flood", 1)).expect_err("one too many");
    }

    #[test]
    fn long_calls_are_bounded_by_their_bytes() {
        let admission = Admission::new(limits());
        let long = add("a", 100_000);
        admission.admit(&long).expect("nothing else waits");
        let error = admission.admit(&add("b", 1)).expect_err("a long one waits");
        assert_eq!(error.status(), Status::Busy);
        assert!(error.message().contains("queue.max_bytes"));
        admission.release(&long);
        for number in 0..100 {
            let owner = number.to_string();
            admission.admit(&add(&owner, 1)).expect("short ones fit");
        }
        admission.admit(&long).expect_err("others wait");
        assert_eq!(
            admission.bytes.load(Ordering::Relaxed),
            100 * bytes_of(&add("0", 1))
        );
    }
}
