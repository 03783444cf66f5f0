//! The answers that a cache may give, from the state of the service and the responses that the client received.
//! Independent of how lists are read.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use crate::api::Account;
use crate::cache::Answer as CheckAnswer;
use crate::client::scheduler::CallId;

pub(super) type Pair = (Account, Account);

/// An add event that was accepted: a yes until a list that was asked for later says otherwise.
pub(super) struct Fence {
    /// Writes accepted before this call may have been done before the event.
    pub(super) call: CallId,
    /// A list was asked for after the event.
    pub(super) read: bool,
    /// Since then the pair was not blocked at some moment.
    pub(super) free: bool,
}

/// What may be answered.
#[derive(Default)]
pub(super) struct Oracle {
    pub(super) fences: HashMap<Pair, Fence>,
    /// Confirmed own writes after which nothing happened to the pair.
    pub(super) confirmed: HashMap<Pair, bool>,
    /// The first call after the last event about a pair.
    pub(super) last_event: HashMap<Pair, CallId>,
    /// When the last first page that came back had been asked for.
    pub(super) read: HashMap<Account, Instant>,
    /// Owners of whom a last page came back.
    pub(super) listed: HashSet<Account>,
    /// Pairs that another client changed without a webhook: only watched owners are read again.
    pub(super) unreported: HashSet<Pair>,
    pub(super) watched: HashSet<Account>,
    /// Blocked pairs, and since when they are.
    pub(super) standing_since: HashMap<Pair, Instant>,
    /// When a caller was told that a delete is done, which may be older than what the list says.
    deleted: HashMap<Pair, Instant>,
    pub(super) checks: u64,
}

impl Oracle {
    pub(super) fn ask_list(&mut self, owner: &str, blocked: &HashSet<Pair>) {
        let own = |(pair, _): &(&Pair, &mut Fence)| pair.0 == owner;
        for (pair, fence) in self.fences.iter_mut().filter(own) {
            fence.read = true;
            fence.free |= !blocked.contains(pair);
        }
    }

    /// The service holds something else about `pair` now.
    pub(super) fn change(&mut self, pair: &Pair, blocked: bool, now: Instant) {
        self.confirmed.remove(pair);
        if blocked {
            self.standing_since.insert(pair.clone(), now);
        } else {
            self.standing_since.remove(pair);
        }
        if let Some(fence) = self.fences.get_mut(pair) {
            fence.free |= fence.read && !blocked;
        }
    }

    pub(super) fn note_event(&mut self, pair: &Pair, added: bool, call: CallId) {
        self.unreported.remove(pair);
        self.confirmed.remove(pair);
        self.last_event.insert(pair.clone(), call);
        if added {
            let (read, free) = (false, false);
            self.fences.insert(pair.clone(), Fence { call, read, free });
        }
    }

    /// A caller gets the reply to the write `id`; `is_so` if it still is the state of the service.
    pub(super) fn confirm(
        &mut self,
        id: CallId,
        pair: Pair,
        blocks: bool,
        is_so: bool,
        now: Instant,
    ) {
        if !blocks {
            self.deleted.insert(pair.clone(), now);
        }
        let fence = self.fences.get(&pair);
        if !blocks && fence.is_some_and(|fence| fence.call <= id) {
            self.fences.remove(&pair);
        }
        let may_be_older = self.last_event.get(&pair).is_some_and(|call| id < *call);
        if !may_be_older && is_so {
            self.confirmed.insert(pair, blocks);
        }
    }

    /// What is wrong with an answer about `pair` at `now`.
    pub(super) fn fault(
        &mut self,
        pair: &Pair,
        answer: CheckAnswer,
        now: Instant,
        max_age: Duration,
    ) -> Option<&'static str> {
        self.checks += 1;
        if answer == CheckAnswer::Unknown {
            return None;
        }
        let is_read = self
            .read
            .get(&pair.0)
            .is_some_and(|at| now <= *at + max_age);
        if !is_read || !self.listed.contains(&pair.0) {
            return Some("answers without a list that is read and young");
        }
        let confirmed = self.confirmed.get(pair);
        if confirmed.is_some_and(|blocked| *blocked != (answer == CheckAnswer::Yes)) {
            return Some("is not what this client wrote");
        }
        let fence = self.fences.get(pair);
        if answer == CheckAnswer::No && fence.is_some_and(|fence| !fence.free) {
            return Some("answers no after an add event");
        }
        None
    }

    /// Whether a list as of this moment lacks a pair that stood in it before and does still.
    pub(super) fn missed(
        &self,
        pair: &Pair,
        answer: CheckAnswer,
        as_of: Option<Instant>,
    ) -> Option<&'static str> {
        let since = self.standing_since.get(pair)?;
        let since = self.deleted.get(pair).max(Some(since));
        let is_missed = answer == CheckAnswer::No && since < as_of.as_ref();
        is_missed.then_some("is no although it was blocked when the list was begun")
    }
}
