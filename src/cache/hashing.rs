//! From identifiers to fingerprints, under a key that players cannot know.

use super::bucket::Fingerprint;
use super::sip::Sip13;

/// Longest identifier of the service, in bytes.
const LONGEST: usize = 32;

/// Bytes of both lengths.
const LENGTHS: u64 = 2;

/// The random key of a process.
pub type HashKey = [u64; 2];

/// What is hashed of a pair: owner and peer, each filled up with zeros to whole words, then both lengths. So no two
/// pairs are the same text; an owner alone is the pair with an empty peer, and the hash of a pair continues that of
/// its owner.
pub(super) struct Hashing(Sip13);

impl Hashing {
    pub(super) fn new(key: HashKey) -> Self {
        Self(Sip13::new(key))
    }

    /// `None` for what cannot be an identifier.
    pub(super) fn owner(&self, owner: &[u8]) -> Option<Fingerprint> {
        self.question(owner, &[], true).0
    }

    /// `None` for what cannot be a pair: a text that is no identifier, or an account and itself.
    pub(super) fn pair(&self, owner: &[u8], peer: &[u8]) -> Option<Fingerprint> {
        let (_, pair) = self.question(owner, peer, false);
        pair.filter(|_| !is_same(owner, peer))
    }

    /// The fingerprint of `owner`, if it is asked for, and that of the pair of both, whether they are the same or not. In
    /// less than the time of both: the owner is hashed once, and what is left of either does not wait for the other.
    #[inline(always)]
    pub(super) fn question(
        &self,
        owner: &[u8],
        peer: &[u8],
        asks_owner: bool,
    ) -> (Option<Fingerprint>, Option<Fingerprint>) {
        if !is_possible(owner) {
            return (None, None);
        }
        let mut state = self.0;
        absorb(&mut state, owner);
        let pair = if is_possible(peer) {
            Some(pair_fingerprint(state, owner, peer))
        } else {
            None
        };
        let owner = if asks_owner {
            Some(owner_fingerprint(state, owner))
        } else {
            None
        };
        (owner, pair)
    }
}

/// Of a state that has the owner.
#[inline(always)]
fn pair_fingerprint(mut state: Sip13, owner: &[u8], peer: &[u8]) -> Fingerprint {
    absorb(&mut state, peer);
    let (word, more) = state.finish(end(owner, peer));
    #[expect(clippy::cast_possible_truncation, reason = "8 more bits of the hash")]
    let tag = more as u8;
    Fingerprint::new(word, tag)
}

/// Of a state that has the owner. There are few owners: 64 bits are enough, and are had in half the time.
#[inline(always)]
fn owner_fingerprint(state: Sip13, owner: &[u8]) -> Fingerprint {
    let (word, _) = state.finish(end(owner, &[]));
    Fingerprint::new(word, 0)
}

#[inline(always)]
fn absorb(state: &mut Sip13, account: &[u8]) {
    let (words, rest) = account.as_chunks::<8>();
    for word in words {
        state.absorb(u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        state.absorb(end_of(account, rest));
    }
}

/// What is hashed last.
#[inline(always)]
fn end(owner: &[u8], peer: &[u8]) -> u64 {
    let (owner, peer) = (owner.len() as u64, peer.len() as u64);
    let text = owner.next_multiple_of(8) + peer.next_multiple_of(8) + LENGTHS;
    text << 56 | peer << 8 | owner
}

/// `rest`, the last 1 to 7 bytes of `account`, as a word. Without a copy of a length that varies, which is a call.
#[inline(always)]
fn end_of(account: &[u8], rest: &[u8]) -> u64 {
    if let Some(end) = account.last_chunk::<8>() {
        return u64::from_le_bytes(*end) >> (64 - 8 * rest.len());
    }
    let four = |bytes: &[u8; 4]| u64::from(u32::from_le_bytes(*bytes));
    match (rest.first_chunk(), rest.last_chunk()) {
        (Some(first), Some(end)) => four(first) | four(end) << (8 * (rest.len() - 4)),
        _ => rest
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// Accounts differ most often at their ends, and comparing eight bytes takes no call.
#[inline(always)]
pub(super) fn is_same(owner: &[u8], peer: &[u8]) -> bool {
    owner.last_chunk::<8>() == peer.last_chunk::<8>() && owner == peer
}

#[inline(always)]
fn is_possible(account: &[u8]) -> bool {
    (1..=LONGEST).contains(&account.len())
}

#[cfg(test)]
mod tests {
    use siphasher::sip128::SipHasher13;

    use super::super::SOME_PAIRS;
    use super::super::memory::NoRoom;
    use super::super::table::{Table, WriterState};
    use super::*;

    #[test]
    fn what_is_hashed_are_the_padded_accounts_and_their_lengths() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut account = || -> Vec<u8> {
            let len = random.usize(1..=LONGEST);
            (0..len).map(|_| random.u8(..)).collect()
        };
        for _ in 0..2000 {
            let (owner, peer) = (account(), account());
            let mut text = Vec::new();
            for account in [&owner, &peer] {
                text.extend(account);
                text.resize(text.len().next_multiple_of(8), 0);
            }
            let [owner_len, peer_len] =
                [owner.len(), peer.len()].map(|len| u8::try_from(len).expect("short"));
            text.extend([owner_len, peer_len]);
            let hash = SipHasher13::new_with_keys(SECRET[0], SECRET[1]).hash(&text);
            #[expect(clippy::cast_possible_truncation, reason = "a tag is 8 bits")]
            let expected = Some(Fingerprint::new(hash.h1, hash.h2 as u8));
            let hashing = Hashing::new(SECRET);
            assert_eq!(hashing.pair(&owner, &peer), expected);
            let alone = [&text[..owner.len().next_multiple_of(8)], &[owner_len, 0]].concat();
            let hash = SipHasher13::new_with_keys(SECRET[0], SECRET[1]).hash(&alone);
            assert_eq!(hashing.owner(&owner), Some(Fingerprint::new(hash.h1, 0)));
            for owner_fingerprint in [None, hashing.owner(&owner)] {
                let question = hashing.question(&owner, &peer, owner_fingerprint.is_some());
                assert_eq!(question, (owner_fingerprint, expected));
            }
        }
    }

    const KNOWN: HashKey = [0, 0];
    const SECRET: HashKey = [0x6368_6174_626c_6f63, 0x6b6c_6973_7473_2121];
    const OWNER: &[u8] = b"ann";

    /// Peers that a player with knowledge of the key would choose: all begin their path in the same few buckets,
    /// which cannot hold them.
    fn chosen_for(key: HashKey, count: usize) -> Vec<String> {
        let hashing = Hashing::new(key);
        let is_close = |peer: &String| {
            let fingerprint = hashing.pair(OWNER, peer.as_bytes()).expect("a pair");
            fingerprint.word.leading_zeros() >= 8
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
    fn lines(key: HashKey, peers: &[String]) -> Result<(u64, u64), NoRoom> {
        let (table, mut writer) = (
            Table::<7>::new(SOME_PAIRS).expect("memory"),
            WriterState::default(),
        );
        let hashing = Hashing::new(key);
        let fingerprints = peers
            .iter()
            .map(|peer| hashing.pair(OWNER, peer.as_bytes()).expect("a pair"));
        let fingerprints: Vec<_> = fingerprints.collect();
        for fingerprint in &fingerprints {
            table.insert(&mut writer, *fingerprint, 0)?;
        }
        let lines = fingerprints
            .iter()
            .map(|fingerprint| table.lines(*fingerprint));
        let (sum, most) = lines.fold((0, 0), |(sum, most), lines| (sum + lines, most.max(lines)));
        Ok((sum * 100 / fingerprints.len() as u64, most))
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
