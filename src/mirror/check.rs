//! Two tables, one answer.

use super::table::{Mark, Table};

/// What the mirror knows of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The owner blocks the peer.
    Yes,
    /// The owner does not block the peer.
    No,
    /// The owner's list is not known, or too old.
    Unknown,
}

/// What is known of `pair` while another thread may teach `owners` and `pairs`, or make them forget. `owners` has a
/// value for each known owner, and no value twice.
#[inline]
pub(super) fn check<const OWNERS: usize, const PAIRS: usize>(
    owners: &Table<OWNERS>,
    owner: Mark,
    is_fresh: impl Fn(u64) -> bool,
    pairs: &Table<PAIRS>,
    pair: Option<Mark>,
) -> Answer {
    loop {
        let Some(value) = owners.find(owner).filter(|value| is_fresh(*value)) else {
            return Answer::Unknown;
        };
        if pair.is_some_and(|pair| pairs.find(pair).is_some()) {
            return Answer::Yes;
        }
        // The pair may be missing because its owner was forgotten after the first look.
        if owners.find(owner) == Some(value) {
            return Answer::No;
        }
    }
}
