//! SipHash-1-3 with 128 bits for strings of a few whole words: the state stays in registers, and one state can be
//! continued with two different inputs. The crate that the tests compare it with can do neither.

/// What was hashed so far.
#[derive(Clone, Copy)]
pub(super) struct Sip13 {
    v0: u64,
    v1: u64,
    v2: u64,
    v3: u64,
}

impl Sip13 {
    pub(super) fn new(key: [u64; 2]) -> Self {
        Self {
            v0: key[0] ^ 0x736f_6d65_7073_6575,
            v1: key[1] ^ 0x646f_7261_6e64_6f6d ^ 0xee,
            v2: key[0] ^ 0x6c79_6765_6e65_7261,
            v3: key[1] ^ 0x7465_6462_7974_6573,
        }
    }

    /// Eight more bytes, the first of them lowest.
    #[inline(always)]
    pub(super) fn absorb(&mut self, word: u64) {
        self.v3 ^= word;
        self.round();
        self.v0 ^= word;
    }

    /// The two words of the result; the second takes time only if it is used. `last` has the bytes after the last
    /// whole word, and how many the whole text has (modulo 256) in its highest byte.
    #[inline(always)]
    pub(super) fn finish(mut self, last: u64) -> (u64, u64) {
        self.absorb(last);
        self.v2 ^= 0xee;
        let first = self.three_rounds();
        self.v1 ^= 0xdd;
        (first, self.three_rounds())
    }

    #[inline(always)]
    fn three_rounds(&mut self) -> u64 {
        self.round();
        self.round();
        self.round();
        self.v0 ^ self.v1 ^ self.v2 ^ self.v3
    }

    #[inline(always)]
    fn round(&mut self) {
        self.v0 = self.v0.wrapping_add(self.v1);
        self.v1 = self.v1.rotate_left(13) ^ self.v0;
        self.v0 = self.v0.rotate_left(32);
        self.v2 = self.v2.wrapping_add(self.v3);
        self.v3 = self.v3.rotate_left(16) ^ self.v2;
        self.v0 = self.v0.wrapping_add(self.v3);
        self.v3 = self.v3.rotate_left(21) ^ self.v0;
        self.v2 = self.v2.wrapping_add(self.v1);
        self.v1 = self.v1.rotate_left(17) ^ self.v2;
        self.v2 = self.v2.rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    use siphasher::sip128::{Hasher128 as _, SipHasher13};
    use std::hash::Hasher as _;

    use super::*;

    #[test]
    fn it_is_the_hash_of_the_crate() {
        let mut random = fastrand::Rng::with_seed(1);
        for number in 0..2000 {
            let key = [random.u64(..), random.u64(..)];
            let text: Vec<u8> = (0..number % 90).map(|_| random.u8(..)).collect();
            let mut theirs = SipHasher13::new_with_keys(key[0], key[1]);
            theirs.write(&text);
            let theirs = theirs.finish128();
            let (words, rest) = text.as_chunks::<8>();
            let mut ours = Sip13::new(key);
            for word in words {
                ours.absorb(u64::from_le_bytes(*word));
            }
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            last[7] = u8::try_from(text.len()).expect("below 256");
            let ours = ours.finish(u64::from_le_bytes(last));
            assert_eq!(ours, (theirs.h1, theirs.h2), "{text:?}");
        }
    }
}
