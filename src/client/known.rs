//! What a client knows of who blocks whom: the mirror, asked without locks and allocations.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::stats;
use super::watching::NAMES;
use crate::clock::{Clock, TICK};
use crate::config::Mirror as Settings;
use crate::mirror::{Change, Full, Knowledge, Limits, Mirror};
use crate::random;
use crate::service::engine::store::{Learned, Observer, Store};
use crate::{Error, Status};

/// The mirror and its time.
pub(super) struct Known {
    pub(super) mirror: Mirror,
    clock: Arc<dyn Clock>,
    opened: Instant,
    /// The tick before `opened`.
    opened_tick: Duration,
    /// Every owner is known, and nothing grows old.
    is_complete: bool,
}

impl Known {
    /// For a backend whose owners are all known.
    pub(super) fn complete(clock: Arc<dyn Clock>) -> Result<Self, Error> {
        Self::new(Mirror::complete(random::key()), clock, true)
    }

    /// For a backend of whose owners some are known.
    pub(super) fn partial(config: Settings, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let limits = Limits {
            max_bytes: config.max_bytes - config.max_bytes / NAMES,
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
            opened_tick: clock.last_tick(),
            opened: clock.now(),
            clock,
            is_complete,
        })
    }

    /// Learns every list of a store.
    pub(super) fn load(&self, store: &dyn Store) -> Result<(), Error> {
        store.read(&mut |lists| {
            let reserved = self.mirror.reserve(lists.count()?);
            reserved.map_err(|Full| no_memory())?;
            let mut full = false;
            lists.each(&mut |owner, accounts| {
                let blocks = accounts.map(|account| Change {
                    owner: owner.as_bytes(),
                    peer: account.as_bytes(),
                    blocked: true,
                });
                full |= self.mirror.change_all(blocks).is_err();
            })?;
            if full { Err(no_memory()) } else { Ok(()) }
        })
    }

    /// Milliseconds since the client was opened, or up to two ticks more: a list is never taken for younger than it is.
    #[inline]
    pub(super) fn now_ms(&self) -> u64 {
        // Where nothing grows old the time is not needed, and a look at the clock is a good part of a check.
        if self.is_complete {
            return 0;
        }
        let since = self.clock.last_tick().saturating_sub(self.opened_tick);
        stats::whole_ms(since.saturating_add(TICK))
    }

    pub(super) fn ms(&self, moment: Instant) -> u64 {
        stats::whole_ms(moment.saturating_duration_since(self.opened))
    }

    /// Whether the list of `owner` is known, whatever its age, or asked for.
    pub(super) fn is_heard_of(&self, owner: &str) -> bool {
        let knowledge = self.mirror.knowledge(owner.as_bytes());
        !matches!(knowledge, None | Some(Knowledge::Unknown))
    }

    pub(super) fn learn_change(&self, owner: &str, account: &str, blocked: bool) {
        let (owner, account) = (owner.as_bytes(), account.as_bytes());
        let learned = if blocked {
            self.mirror.block(owner, account)
        } else {
            self.mirror.unblock(owner, account)
        };
        self.must_be_kept(learned.is_ok());
    }

    /// Where some owners are known, one without room for its pairs is unknown now. Where all are, a mirror that
    /// lacks a pair would let a blocked player through.
    fn must_be_kept(&self, is_kept: bool) {
        assert!(
            is_kept || !self.is_complete,
            "there is no memory for another pair"
        );
    }

    pub(super) fn stats(&self) -> stats::Mirror {
        let inside = self.mirror.stats();
        stats::Mirror {
            pairs: inside.pairs,
            owners: inside.owners_known,
            bytes: inside.bytes,
            answered: inside.hits,
            unknown: inside.unknowns,
            evictions: inside.evictions,
            watched: 0,
            refreshes: 0,
            refresh_ms: 0,
            oldest_ms: inside
                .oldest_ms
                .map(|oldest| self.now_ms().saturating_sub(oldest)),
        }
    }
}

/// The store tells what it keeps.
impl Observer for Known {
    fn learn(&self, changes: &mut dyn Iterator<Item = Learned<'_>>) {
        let learned = self.mirror.change_all(changes.map(|change| Change {
            owner: change.owner.as_bytes(),
            peer: change.account.as_bytes(),
            blocked: change.blocked,
        }));
        self.must_be_kept(learned.is_ok());
    }
}

fn no_memory() -> Error {
    Error::new(
        Status::Storage,
        "there is no memory for the lists; make room, or move lists to another process",
    )
}
