//! Random numbers for jitter and labels, and the key of hashes.

use std::hash::{BuildHasher, RandomState};

/// A generator with a seed of its own. `fastrand::Rng::new` would take it from the thread's identity,
/// for which the standard library keeps 48 bytes in each of the host's threads until that thread ends.
pub(crate) fn generator() -> fastrand::Rng {
    fastrand::Rng::with_seed(RandomState::new().hash_one(()))
}

/// A key for hashes of what players choose: from the system, as the standard library's own.
pub(crate) fn key() -> [u64; 2] {
    [(); 2].map(|()| RandomState::new().hash_one(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_generators_differ() {
        assert_ne!(generator().u64(..), generator().u64(..));
    }
}
