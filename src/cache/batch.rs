//! Many questions at once: the lines of a batch are on the way before the first is read.

use super::lookup::Answer;
use super::{BATCH, BlockCache, NO_QUESTION};

/// Answers that were found together, a bit for each.
struct Questions {
    yes: u64,
    unknown: u64,
    len: usize,
    /// How many of them were taken.
    taken: usize,
}

const _: () = assert!(BATCH <= u64::BITS as usize);

impl Questions {
    const EMPTY: Self = Self {
        yes: 0,
        unknown: 0,
        len: 0,
        taken: 0,
    };

    /// Answers whether the next owners block their peers, as many as a batch has room for. Whether there are any.
    #[inline(always)]
    fn fill<O: AsRef<[u8]>, P: AsRef<[u8]>>(
        &mut self,
        cache: &BlockCache,
        asked: impl Iterator<Item = (O, P)>,
        now_ms: u64,
    ) -> bool {
        let mut questions = [NO_QUESTION; BATCH];
        let mut len = 0;
        for (slot, (owner, peer)) in questions.iter_mut().zip(asked) {
            *slot = cache.question(owner.as_ref(), peer.as_ref());
            len += 1;
        }
        let (mut yes, mut unknown) = (0, 0);
        for (index, question) in questions[..len].iter().enumerate() {
            let answer = cache.answer(*question, || now_ms);
            yes |= u64::from(answer == Answer::Yes) << index;
            unknown |= u64::from(answer == Answer::Unknown) << index;
        }
        let unknowns = u64::from(unknown.count_ones());
        cache.counters.add(len as u64 - unknowns, unknowns);
        *self = Self {
            yes,
            unknown,
            len,
            taken: 0,
        };
        len > 0
    }

    /// The next answer.
    #[inline]
    fn take(&mut self) -> Option<Answer> {
        if self.taken == self.len {
            return None;
        }
        let is_in = |bits: u64| bits >> self.taken & 1 == 1;
        let answer = match (is_in(self.unknown), is_in(self.yes)) {
            (true, _) => Answer::Unknown,
            (false, true) => Answer::Yes,
            (false, false) => Answer::No,
        };
        self.taken += 1;
        Some(answer)
    }

    /// Where the next yes is.
    #[inline]
    fn take_yes(&mut self) -> Option<usize> {
        if self.yes == 0 {
            return None;
        }
        let index = self.yes.trailing_zeros() as usize;
        self.yes &= self.yes - 1;
        Some(index)
    }
}

/// Which of `owners` block `peer`, in order.
struct Answers<'a, Owners, P> {
    cache: &'a BlockCache,
    owners: Owners,
    peer: P,
    now_ms: u64,
    questions: Questions,
}

impl<O, Owners, P> Iterator for Answers<'_, Owners, P>
where
    O: AsRef<[u8]>,
    Owners: Iterator<Item = O>,
    P: AsRef<[u8]>,
{
    type Item = Answer;

    #[inline]
    fn next(&mut self) -> Option<Answer> {
        if self.questions.taken == self.questions.len {
            let peer = self.peer.as_ref();
            let asked = self.owners.by_ref().map(|owner| (owner, peer));
            if !self.questions.fill(self.cache, asked, self.now_ms) {
                return None;
            }
        }
        self.questions.take()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let waiting = self.questions.len - self.questions.taken;
        let (least, most) = self.owners.size_hint();
        let most = most.and_then(|most| most.checked_add(waiting));
        (least.saturating_add(waiting), most)
    }
}

/// Which of some accounts block which: the indices of owner and blocked account of each such pair, in order of owners.
///
/// Nothing is sent, allocated or locked.
pub struct BlockedPairs<'a, S> {
    cache: &'a BlockCache,
    accounts: &'a [S],
    now_ms: u64,
    owner: usize,
    is_owner_unknown: bool,
    unknown: usize,
    /// The peer of the first answer in `questions`.
    first: usize,
    questions: Questions,
}

impl<S: AsRef<[u8]>> BlockedPairs<'_, S> {
    /// How many of the accounts are not cached as owners. Complete when the iterator is at its end.
    pub fn unknown(&self) -> usize {
        self.unknown
    }

    /// Whether there is another batch of answers.
    #[inline]
    fn advance(&mut self) -> bool {
        self.first += self.questions.len;
        while let Some(owner) = self.accounts.get(self.owner) {
            let (cache, owner) = (self.cache, owner.as_ref());
            if self.first == 0 {
                // Without a peer, an owner is cached or not.
                let of_nobody = cache.question(owner, &[]);
                self.is_owner_unknown = cache.answer(of_nobody, || self.now_ms) == Answer::Unknown;
            }
            let peers = self.accounts[self.first..].iter();
            let asked = peers.map(|peer| (owner, peer));
            if self.questions.fill(cache, asked, self.now_ms) {
                self.is_owner_unknown |= self.questions.unknown != 0;
                return true;
            }
            self.unknown += usize::from(self.is_owner_unknown);
            self.owner += 1;
            self.first = 0;
        }
        false
    }
}

impl<S: AsRef<[u8]>> Iterator for BlockedPairs<'_, S> {
    type Item = (usize, usize);

    #[inline]
    fn next(&mut self) -> Option<(usize, usize)> {
        loop {
            if let Some(index) = self.questions.take_yes() {
                return Some((self.owner, self.first + index));
            }
            if !self.advance() {
                return None;
            }
        }
    }
}

impl BlockCache {
    /// [`Self::is_blocked`] of these owners and one peer, in order; faster than one by one.
    #[inline]
    pub fn is_blocked_many<O: AsRef<[u8]>>(
        &self,
        owners: impl IntoIterator<Item = O>,
        peer: impl AsRef<[u8]>,
        now_ms: u64,
    ) -> impl Iterator<Item = Answer> {
        Answers {
            cache: self,
            owners: owners.into_iter(),
            peer,
            now_ms,
            questions: Questions::EMPTY,
        }
    }

    /// All ordered pairs of `accounts` whose first blocks the second.
    #[inline]
    pub fn blocked_pairs<'a, S: AsRef<[u8]>>(
        &'a self,
        accounts: &'a [S],
        now_ms: u64,
    ) -> BlockedPairs<'a, S> {
        BlockedPairs {
            cache: self,
            accounts,
            now_ms,
            owner: 0,
            is_owner_unknown: false,
            unknown: 0,
            first: 0,
            questions: Questions::EMPTY,
        }
    }
}
