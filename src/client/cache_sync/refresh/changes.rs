//! What the calls of this client and events say about lists that are cached.

use std::collections::HashMap;
use std::time::Instant;

use super::{Owner, Refresher};
use crate::api::{Account, Command, Operation, Request};
use crate::client::call::{Call, Slot};
use crate::client::scheduler::{CallId, Scheduler};
use crate::error::Status;

/// The last events about a pair, in calls: the order of earlier ones is unknown.
#[derive(Clone, Copy, Default)]
pub(super) struct Contest {
    event: CallId,
    added: Option<CallId>,
}

/// Pairs of one owner with an event while writes of that owner were under way, which may have been done before it or
/// after it.
#[derive(Default)]
pub(super) struct Contests {
    pub(super) pairs: HashMap<Account, Contest>,
    /// The events about all other pairs, when there are too many to note each.
    rest: Contest,
}

impl Contests {
    /// An event before the call `event`; `most` pairs are noted each.
    fn note(&mut self, account: &Account, event: CallId, (added, most): (bool, usize)) {
        let has_place = self.pairs.len() < most || self.pairs.contains_key(account);
        let contest = if has_place {
            self.pairs.entry(account.clone()).or_default()
        } else {
            &mut self.rest
        };
        contest.event = event;
        if added {
            contest.added = Some(event);
        }
    }

    /// The events about a pair, and whether they are certain to be about it.
    fn about(&self, account: &Account) -> (Contest, bool) {
        let own = self.pairs.get(account);
        own.map_or((self.rest, false), |contest| (*contest, true))
    }
}

impl Refresher {
    /// A caller asks for a list from its beginning: the answer may be all of it.
    pub(in crate::client) fn begin_asked(&mut self, id: CallId, request: &Request, now: Instant) {
        let is_first = matches!(request.operation, Operation::Get { start_index: 0, .. });
        let owner = request.owner.as_str();
        let is_read = |own: &Owner| own.listing.is_some();
        if is_first
            && !self.asked.contains_key(owner)
            && !self.owners.get(owner).is_some_and(is_read)
            && self.cache.blocks.set_loading(owner.as_bytes()).is_ok()
        {
            self.asked.insert(owner.into(), (id, self.cache.ms(now)));
        }
    }

    /// What a caller's own call says about its owner.
    pub(in crate::client) fn apply(&mut self, id: CallId, call: &Call, now: Instant) {
        match call.request.command() {
            Command::Add => self.apply_write(id, call, true, now),
            Command::Delete => self.apply_write(id, call, false, now),
            Command::Get => self.apply_list(id, call),
            Command::Check => {}
        }
    }

    /// All that `scheduler` returned was applied.
    pub(in crate::client) fn end_contests<T>(&mut self, scheduler: &Scheduler<T>) {
        self.contested
            .retain(|owner, _| scheduler.is_unanswered(owner));
    }

    fn apply_write(&mut self, id: CallId, call: &Call, blocks: bool, now: Instant) {
        let owner = call.request.owner.as_str();
        let contested = self.contested.get(owner);
        let contest = |target| contested.map(|contests| contests.about(target));
        let (mut in_doubt, mut is_contested, mut is_unknown) = (call.was_lost(), false, false);
        // A list that is not being read has nothing to apply.
        let is_cached = self.cache.is_cached(owner);
        if call.is_all_done() && contested.is_none() && !is_cached && !in_doubt {
            return;
        }
        let targets = call.slots().zip(call.request.targets()).enumerate();
        for (_, (slot, target)) in targets.filter(|(position, _)| !call.was_reported(*position)) {
            match slot {
                _ if slot.status().is_done() => {
                    let (contest, is_exact) = contest(target).unwrap_or_default();
                    is_contested |= id < contest.event;
                    if is_cached && (blocks || contest.added.is_none_or(|call| call <= id)) {
                        self.cache.apply_change(owner, target, blocks);
                    } else {
                        // Whether the add came later is unknown: the pair is blocked until the list is read. If it is
                        // one of too many pairs, whether there was an add is unknown too.
                        is_unknown |= is_cached && !is_exact;
                    }
                }
                Slot::Done | Slot::Answered(_) | Slot::Refused(_) => {}
                Slot::Failed(_) | Slot::Open | Slot::Queued(_) => in_doubt = true,
            }
        }
        if is_contested {
            self.reread(owner, now);
        }
        if in_doubt {
            self.reread(owner, now + self.rules.late);
        }
        if is_unknown {
            self.cache.blocks.evict(owner.as_bytes());
        }
    }

    fn apply_list(&mut self, id: CallId, call: &Call) {
        let owner = call.request.owner.as_str();
        let Some((_, started_ms)) = self.asked.get(owner).copied().filter(|(own, _)| *own == id)
        else {
            return;
        };
        self.asked.remove(owner);
        let owner = owner.as_bytes();
        if call.status() == Status::Ok && call.listing.next_index == 0 {
            let peers = call.entries.iter().map(|item| item.account.as_bytes());
            // Without memory the owner stays unknown.
            let _ = self.cache.blocks.replace(owner, peers, started_ms);
        } else {
            self.cache.blocks.stop_loading(owner);
        }
    }

    /// Pairs that others changed: after an add the pair is blocked at once, and after both kinds the list is read
    /// again. Returns how many pairs are about owners that are not cached.
    pub(in crate::client) fn apply_event<T>(
        &mut self,
        added: bool,
        pairs: &[(Account, Account)],
        scheduler: &Scheduler<T>,
        now: Instant,
    ) -> u64 {
        let mut ignored = 0;
        for (owner, account) in pairs {
            if scheduler.is_unanswered(owner) {
                let contests = self.contested.entry(owner.clone()).or_default();
                let how = (added, self.rules.contests);
                contests.note(account, scheduler.next_call(), how);
            }
            let is_read = self.owners.contains_key(&**owner);
            if !is_read && !self.cache.is_cached(owner) {
                ignored += 1;
                continue;
            }
            if added {
                self.cache.apply_change(owner, account, true);
            }
            self.reread(owner, now);
        }
        ignored
    }
}
