//! A check reads two tables, owners and pairs, and returns one answer.

use std::hint::select_unpredictable;

use super::bucket::Probe;
use super::table::{Start, Table};

/// The answer of the cache about a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The owner does not block the peer.
    No,
    /// The owner blocks the peer.
    Yes,
    /// The owner's list is not known, or too old.
    Unknown,
}

impl Answer {
    /// Of an owner whose list is known.
    #[inline(always)]
    pub(super) fn of_known(is_in: bool) -> Self {
        // It cannot be guessed.
        select_unpredictable(is_in, Self::Yes, Self::No)
    }
}

/// What is known of `pair` while another thread may teach `owners` and `pairs`, or make them forget. `owners` has a
/// value for each known owner, and no value twice.
#[inline(always)]
pub(super) fn check<const OWNERS: usize, const PAIRS: usize>(
    owners: &Table<OWNERS>,
    owner: Start,
    is_fresh: impl Fn(u64) -> bool,
    pairs: &Table<PAIRS>,
    pair: Option<Start>,
) -> Answer {
    loop {
        let Some(place) = owners.seek(owner).filter(Probe::is_here) else {
            return Answer::Unknown;
        };
        let value = place.value();
        if !is_fresh(value) {
            return Answer::Unknown;
        }
        let is_in = pair.is_some_and(|pair| pairs.contains(pair));
        // The pair may be missing because its owner was forgotten after the first look; or the owner was moved.
        // Asked first, because this can be predicted.
        if place.still_has(owner.fingerprint.word, value) {
            return Answer::of_known(is_in);
        }
        if is_in {
            return Answer::Yes;
        }
    }
}
