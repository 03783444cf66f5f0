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

#[cfg(test)]
mod tests {
    use super::super::table::{NoRoom, Pen, Table};
    use super::*;

    const KNOWN: Key = [0, 0];
    const SECRET: Key = [0x6368_6174_626c_6f63, 0x6b6c_6973_7473_2121];
    const OWNER: &[u8] = b"ann";

    /// Peers that a player would choose who knew the key: all begin their path in the same few buckets, which
    /// cannot hold them.
    fn chosen_for(key: Key, count: usize) -> Vec<String> {
        let hashing = Hashing::new(key);
        let is_close = |peer: &String| {
            let mark = hashing.pair(OWNER, peer.as_bytes()).expect("a pair");
            mark.word.leading_zeros() >= 8
        };
        let peers = (0_u32..).map(|number| format!("p{number}"));
        peers.filter(is_close).take(count).collect()
    }

    /// Peers with one and the same hash where a string's hash is the usual polynomial in 31: "Aa" is "BB" there.
    fn equal_by_31(count: u32) -> Vec<String> {
        let block = |is_other| if is_other { "BB" } else { "Aa" };
        let peer = |number: u32| (0..16).map(|bit| block(number >> bit & 1 == 1)).collect();
        (0..count).map(peer).collect()
    }

    /// Lines that the look-ups of all pairs read in a table of them, for each hundred look-ups; and most for one.
    fn lines(key: Key, peers: &[String]) -> Result<(u64, u64), NoRoom> {
        let (table, mut pen) = (Table::<7>::new().expect("memory"), Pen::default());
        let hashing = Hashing::new(key);
        let marks = peers
            .iter()
            .map(|peer| hashing.pair(OWNER, peer.as_bytes()).expect("a pair"));
        let marks: Vec<_> = marks.collect();
        for mark in &marks {
            table.insert(&mut pen, *mark, 0)?;
        }
        let lines = marks.iter().map(|mark| table.lines(*mark));
        let (sum, most) = lines.fold((0, 0), |(sum, most), lines| (sum + lines, most.max(lines)));
        Ok((sum * 100 / marks.len() as u64, most))
    }

    #[test]
    fn nobody_can_choose_identifiers_that_are_slow_to_find() {
        let chosen = chosen_for(KNOWN, 1500);
        assert_eq!(lines(KNOWN, &chosen), Err(NoRoom), "they are no hard ones");
        for peers in [chosen, equal_by_31(1500)] {
            let (average, most) = lines(SECRET, &peers).expect("memory");
            // As for any others: `table_tests::a_look_up_reads_few_lines_at_every_size`.
            assert!(average < 115 && most <= 16, "{average}, {most} at most");
        }
    }
}
