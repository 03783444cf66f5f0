//! What the service holds, by its answers to the process that changes lists, and what the other process has to say
//! therefore. Shares no code with the library.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

/// What is known of a pair.
#[derive(Clone, Copy, Default)]
struct Pair {
    is_blocked: bool,
    /// A change was asked for and is not answered.
    is_changing: bool,
    /// Deletes that were asked for.
    deletes: u32,
    /// The webhook of an add was accepted while the pair was on the list: whatever list is asked for since then has
    /// it, so it is a yes until its delete is asked for.
    is_sure: bool,
}

impl Pair {
    /// Whether it is on the list now, if its webhook has come. Until its first delete is asked for, the webhook
    /// alone says so.
    fn is_listed(self) -> bool {
        self.deletes == 0 || (self.is_blocked && !self.is_changing)
    }
}

/// For some pairs, how many deletes there were when something was true of them.
pub struct Moment(Vec<Option<u32>>);

/// All pairs that there may be; one that was never named is not blocked.
#[derive(Default)]
pub struct Oracle {
    pairs: Mutex<HashMap<(String, String), Pair>>,
}

/// A pair as it is named.
fn key(owner: &str, peer: &str) -> (String, String) {
    (owner.to_owned(), peer.to_owned())
}

impl Oracle {
    fn lock(&self) -> MutexGuard<'_, HashMap<(String, String), Pair>> {
        self.pairs.lock().expect("nobody panics with it")
    }

    /// Before a change is asked for.
    pub fn begin(&self, is_add: bool, owner: &str, peers: &[&str]) {
        let mut pairs = self.lock();
        for peer in peers {
            let pair = pairs.entry(key(owner, peer)).or_default();
            pair.is_changing = true;
            if !is_add {
                pair.deletes += 1;
                pair.is_sure = false;
            }
        }
    }

    /// After the service did it.
    pub fn end(&self, is_add: bool, owner: &str, peers: &[&str]) {
        let mut pairs = self.lock();
        for peer in peers {
            let pair = pairs.entry(key(owner, peer)).or_default();
            pair.is_blocked = is_add;
            pair.is_changing = false;
        }
    }

    fn moment(&self, owner: &str, peers: &[&str], is_true: impl Fn(Pair) -> bool) -> Moment {
        let pairs = self.lock();
        let deletes = |peer: &&str| {
            let pair = pairs.get(&key(owner, peer)).copied()?;
            is_true(pair).then_some(pair.deletes)
        };
        Moment(peers.iter().map(deletes).collect())
    }

    /// Before the webhook of an add is handed over.
    pub fn before_webhook(&self, owner: &str, peers: &[&str]) -> Moment {
        self.moment(owner, peers, Pair::is_listed)
    }

    /// The webhook was accepted.
    pub fn accept(&self, owner: &str, peers: &[&str], before: &Moment) {
        let mut pairs = self.lock();
        for (peer, deletes) in peers.iter().zip(&before.0) {
            let pair = pairs.entry(key(owner, peer)).or_default();
            pair.is_sure |= *deletes == Some(pair.deletes);
        }
    }

    /// Before a question is asked.
    pub fn before_question(&self, owner: &str, peers: &[&str]) -> Moment {
        self.moment(owner, peers, |pair| pair.is_sure)
    }

    /// Compares answers with what had to be said all the while: how many had to be a yes.
    ///
    /// # Panics
    /// When one of them is not.
    pub fn check(&self, owner: &str, peers: &[&str], before: &Moment, answers: &[i32]) -> u64 {
        let now = self.before_question(owner, peers);
        let moments = before.0.iter().zip(&now.0);
        let mut sure = 0;
        for ((peer, answer), (before, now)) in peers.iter().zip(answers).zip(moments) {
            if before.is_some() && before == now {
                assert_eq!(*answer, 1, "{owner} {peer}: the add was accepted");
                sure += 1;
            }
        }
        sure
    }

    /// How many answers about `owner` are not as its list, once nothing changes any more.
    pub fn wrong(&self, owner: &str, peers: &[&str], answers: &[i32]) -> usize {
        let listed = self.moment(owner, peers, |pair| pair.is_blocked);
        let listed = listed.0.iter().map(|found| i32::from(found.is_some()));
        listed.zip(answers).filter(|(is, said)| is != *said).count()
    }
}
