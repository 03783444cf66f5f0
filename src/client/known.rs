//! What a client knows of who blocks whom: the mirror, asked without locks and allocations.

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::stats;
use crate::clock::Clock;
use crate::config::Mirror as Settings;
use crate::mirror::{Answer, Full, Limits, Mirror};
use crate::random;
use crate::service::engine::store::{Observer, Store};
use crate::{Error, Status};

/// Threads count in places of their own, so that they do not wait for each other's cache line.
const PLACES: usize = 64;

/// The mirror, its time, and how often it was asked.
pub(super) struct Known {
    pub(super) mirror: Mirror,
    clock: Arc<dyn Clock>,
    opened: Instant,
    /// Every owner is known, and nothing grows old.
    is_complete: bool,
    asked: Box<[Place; PLACES]>,
}

/// Counts of the threads that come here: about, because two of them may count at once.
#[derive(Default)]
#[repr(align(64))]
struct Place {
    answered: AtomicU64,
    unknown: AtomicU64,
}

impl Known {
    /// For a backend whose owners are all known.
    pub(super) fn complete(clock: Arc<dyn Clock>) -> Result<Self, Error> {
        Self::new(Mirror::complete(random::key()), clock, true)
    }

    /// For a backend of whose owners some are known.
    pub(super) fn partial(config: Settings, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let limits = Limits {
            max_bytes: config.max_bytes,
            max_age_ms: stats::whole_ms(config.max_age),
        };
        Self::new(Mirror::partial(random::key(), limits), clock, false)
    }

    fn new(
        mirror: Result<Mirror, Full>,
        clock: Arc<dyn Clock>,
        is_complete: bool,
    ) -> Result<Self, Error> {
        Ok(Self {
            mirror: mirror.map_err(|Full| no_memory())?,
            opened: clock.now(),
            clock,
            is_complete,
            asked: Box::new([(); PLACES].map(|()| Place::default())),
        })
    }

    /// Learns every list of a store.
    pub(super) fn load(&self, store: &dyn Store) -> Result<(), Error> {
        store.read(&mut |lists| {
            let reserved = self.mirror.reserve(lists.count()?);
            reserved.map_err(|Full| no_memory())?;
            let mut full = false;
            lists.each(&mut |owner, account| {
                full |= self
                    .mirror
                    .block(owner.as_bytes(), account.as_bytes())
                    .is_err();
            })?;
            if full { Err(no_memory()) } else { Ok(()) }
        })
    }

    /// Milliseconds since the client was opened.
    pub(super) fn now_ms(&self) -> u64 {
        // Where nothing grows old the time is not needed, and a look at the clock costs as much as a check.
        if self.is_complete {
            return 0;
        }
        self.ms(self.clock.now())
    }

    pub(super) fn ms(&self, moment: Instant) -> u64 {
        stats::whole_ms(moment.saturating_duration_since(self.opened))
    }

    pub(super) fn is_blocked(&self, owner: &[u8], peer: &[u8]) -> Answer {
        let answer = self.mirror.is_blocked(owner, peer, self.now_ms());
        match answer {
            Answer::Unknown => self.count(0, 1),
            Answer::Yes | Answer::No => self.count(1, 0),
        }
        answer
    }

    pub(super) fn is_blocked_many<'a>(
        &self,
        count: usize,
        owner: impl Fn(usize) -> &'a [u8],
        peer: &[u8],
        mut answer: impl FnMut(usize, Answer),
    ) {
        let mut unknown = 0;
        let counting = |index, one| {
            unknown += u64::from(one == Answer::Unknown);
            answer(index, one);
        };
        self.mirror
            .is_blocked_many(count, owner, peer, self.now_ms(), counting);
        self.count(count as u64 - unknown, unknown);
    }

    /// Calls `blocked` for every ordered pair that is; gives how many of the accounts are not known.
    pub(super) fn pairs<'a>(
        &self,
        count: usize,
        account: impl Fn(usize) -> &'a [u8],
        blocked: impl FnMut(usize, usize),
    ) -> usize {
        let unknown = self
            .mirror
            .pairs(count, account, self.now_ms(), blocked);
        let asked = |owners: usize| (owners * count.saturating_sub(1)) as u64;
        self.count(asked(count - unknown), asked(unknown));
        unknown
    }

    fn count(&self, answered: u64, unknown: u64) {
        // Stacks of threads lie far apart; the address says which thread this is, nearly always.
        let here = 0u8;
        let thread = (ptr::from_ref(&here).addr() >> 16).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let place = &self.asked[thread >> (usize::BITS - PLACES.trailing_zeros())];
        let add = |counter: &AtomicU64, more| {
            if more > 0 {
                let before = counter.load(Ordering::Relaxed);
                counter.store(before.wrapping_add(more), Ordering::Relaxed);
            }
        };
        add(&place.answered, answered);
        add(&place.unknown, unknown);
    }

    pub(super) fn stats(&self) -> stats::Mirror {
        let inside = self.mirror.stats();
        let sum = |of: fn(&Place) -> &AtomicU64| {
            let counts = self.asked.iter().map(|place| of(place).load(Ordering::Relaxed));
            counts.fold(0, u64::wrapping_add)
        };
        stats::Mirror {
            pairs: inside.pairs,
            owners: inside.owners_known,
            bytes: inside.bytes,
            answered: sum(|place| &place.answered),
            unknown: sum(|place| &place.unknown),
            evictions: inside.evictions,
            oldest_ms: inside
                .oldest_ms
                .map(|oldest| self.now_ms().saturating_sub(oldest)),
        }
    }
}

/// The store tells what it keeps.
impl Observer for Known {
    fn learn(&self, owner: &str, account: &str, blocked: bool) {
        let (owner, account) = (owner.as_bytes(), account.as_bytes());
        let learned = if blocked {
            self.mirror.block(owner, account)
        } else {
            self.mirror.unblock(owner, account)
        };
        // A mirror that lacks a pair would let a blocked player through.
        learned.expect("there is memory for another pair");
    }
}

fn no_memory() -> Error {
    Error::new(
        Status::Storage,
        "there is no memory for the lists; make room, or move lists to another process",
    )
}
