//! From identifiers to marks, under a key that players cannot know.

use std::hash::Hasher as _;

use siphasher::sip128::{Hasher128, SipHasher13};

use super::table::Mark;

/// Longest identifier of the service, in bytes.
const LONGEST: usize = 32;

/// The random key of a process.
pub type Key = [u64; 2];

pub(super) struct Hashing(Key);

impl Hashing {
    pub(super) fn new(key: Key) -> Self {
        Self(key)
    }

    /// `None` for what cannot be an identifier.
    pub(super) fn owner(&self, owner: &[u8]) -> Option<Mark> {
        is_possible(owner).then(|| self.mark(owner, &[]))
    }

    /// `None` for what cannot be a pair: a text that is no identifier, or an account and itself.
    #[inline]
    pub(super) fn pair(&self, owner: &[u8], peer: &[u8]) -> Option<Mark> {
        let possible = is_possible(owner) && is_possible(peer) && owner != peer;
        possible.then(|| self.mark(owner, peer))
    }

    /// The owner's length goes first, so that no two pairs are the same bytes; an owner alone is the pair with
    /// an empty peer.
    #[inline]
    fn mark(&self, owner: &[u8], peer: &[u8]) -> Mark {
        let mut text = [0; 1 + 2 * LONGEST];
        let (end, len) = (1 + owner.len(), 1 + owner.len() + peer.len());
        #[expect(clippy::cast_possible_truncation, reason = "at most LONGEST")]
        let owner_len = owner.len() as u8;
        text[0] = owner_len;
        text[1..end].copy_from_slice(owner);
        text[end..len].copy_from_slice(peer);
        let mut hasher = SipHasher13::new_with_keys(self.0[0], self.0[1]);
        hasher.write(&text[..len]);
        let hash = hasher.finish128();
        #[expect(clippy::cast_possible_truncation, reason = "8 more bits of the hash")]
        let tag = hash.h2 as u8;
        Mark::new(hash.h1, tag)
    }
}

fn is_possible(account: &[u8]) -> bool {
    (1..=LONGEST).contains(&account.len())
}
