//! How much may wait: what one player does must not fill the queue for the others, and long calls must not fill the memory.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;

use super::busy;
use crate::api::{Account, Request};
use crate::config::QueueLimits;
use crate::error::Error;

/// Counters in each row for each owner who could be at his bound while the queue is full. Two rows with hashes of their own:
/// owners that share a counter in one do not in the other, so an owner is held responsible for others only if two of them
/// have filled theirs at the same time. The hash is keyed and never shown, so this cannot be aimed at.
const SPREAD: usize = 8;
/// Few, because a tick thread finds each of them cold: after its pause they have left the cache.
const MIN_COUNTERS: usize = 256;
const MAX_COUNTERS: usize = 1 << 18;
/// What a call takes of `queue.max_bytes` beside its accounts, and each account beside its text.
const CALL_BYTES: usize = 512;
const ACCOUNT_BYTES: usize = 64;

/// What a call counts for while it waits.
#[derive(Clone, Copy)]
pub(super) struct Weight {
    /// Of its owner.
    hash: u64,
    bytes: u32,
}

/// Weighs calls. Not under the lock of the inbox, as [`Admission`] is.
#[derive(Default)]
pub(super) struct Scale(RandomState);

impl Scale {
    pub(super) fn weigh(&self, request: &Request) -> Weight {
        let texts: usize = request.targets().iter().map(Account::len).sum();
        let bytes = CALL_BYTES + request.targets().len() * ACCOUNT_BYTES + texts;
        Weight {
            hash: self.0.hash_one(request.owner.as_str()),
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
        }
    }
}

/// Calls that wait, by their owners, and their bytes. Under the lock of the inbox, which a thread that submits has to take
/// anyway: counters of their own would be as many atomic operations more.
pub(super) struct Admission {
    limits: QueueLimits,
    /// Two rows of counters; the length of a row is a power of two.
    owners: [Box<[u32]>; 2],
    bytes: u64,
}

impl Admission {
    pub(super) fn new(limits: QueueLimits) -> Self {
        let at_their_bound = limits.max_calls / limits.max_calls_per_owner.max(1) as usize;
        let counters = at_their_bound
            .saturating_mul(SPREAD)
            .clamp(MIN_COUNTERS, MAX_COUNTERS);
        let row = || vec![0; counters.next_power_of_two()].into_boxed_slice();
        Self {
            limits,
            owners: [row(), row()],
            bytes: 0,
        }
    }

    /// Counts a call from now on, until [`Self::release`].
    ///
    /// # Errors
    /// [`crate::Status::Busy`] when too many calls of its owner wait, or too many bytes; it is not counted then.
    pub(super) fn admit(&mut self, call: Weight) -> Result<(), Error> {
        let [first, second] = self.counters(call);
        if *first.min(second) >= self.limits.max_calls_per_owner {
            return Err(busy(
                "too many calls of this owner wait (config key \"queue.max_calls_per_owner\")",
            ));
        }
        // A call that is longer than the limit passes when nothing else waits.
        let bytes = self.bytes + u64::from(call.bytes);
        if self.bytes > 0 && bytes > self.limits.max_bytes {
            return Err(busy(
                "the calls that wait take too much memory (config key \"queue.max_bytes\")",
            ));
        }
        self.bytes = bytes;
        for counter in self.counters(call) {
            *counter += 1;
        }
        Ok(())
    }

    /// These calls do not wait any more.
    pub(super) fn release(&mut self, calls: &[Weight]) {
        for call in calls {
            self.bytes -= u64::from(call.bytes);
            for counter in self.counters(*call) {
                *counter -= 1;
            }
        }
    }

    /// Those of the owner of a call. The smaller one is the number of his calls that wait, or more if he shares both.
    #[allow(clippy::cast_possible_truncation, reason = "parts of a hash")]
    fn counters(&mut self, call: Weight) -> [&mut u32; 2] {
        let [first, second] = &mut self.owners;
        let last = first.len() - 1;
        [
            &mut first[call.hash as usize & last],
            &mut second[(call.hash >> 32) as usize & last],
        ]
    }
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
        let (scale, mut admission) = (Scale::default(), Admission::new(limits()));
        let flood = scale.weigh(&add("flood", 1));
        for _ in 0..3 {
            admission.admit(flood).expect("admitted");
        }
        for _ in 0..10 {
            let error = admission.admit(flood).expect_err("one too many");
            assert_eq!(error.status(), Status::Busy);
            assert!(error.message().contains("queue.max_calls_per_owner"));
        }
        for number in 0..100 {
            let quiet = scale.weigh(&add(&format!("quiet{number}"), 1));
            admission.admit(quiet).expect("another owner");
        }
        admission.release(&[flood]);
        admission.admit(flood).expect("a call has ended");
        admission.admit(flood).expect_err("one too many");
    }

    #[test]
    fn long_calls_are_bounded_by_their_bytes() {
        let (scale, mut admission) = (Scale::default(), Admission::new(limits()));
        let long = scale.weigh(&add("a", 100_000));
        let short = |number: usize| scale.weigh(&add(&number.to_string(), 1));
        admission.admit(long).expect("nothing else waits");
        let error = admission.admit(short(0)).expect_err("a long one waits");
        assert_eq!(error.status(), Status::Busy);
        assert!(error.message().contains("queue.max_bytes"));
        admission.release(&[long]);
        for number in 0..100 {
            admission.admit(short(number)).expect("short ones fit");
        }
        admission.admit(long).expect_err("others wait");
    }
}
