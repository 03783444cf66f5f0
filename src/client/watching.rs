//! Whose lists are read in the background, when, and what a remote client learns from its own calls.
//!
//! A plain state machine: it says which page is to be asked for next, and takes what came back. Invariants,
//! held by the simulator of the lanes: an owner answers yes or no only after its list was read from its first
//! page to its last without a change in between; what this client was told is in the mirror when its
//! caller hears of it; an add event is a yes from its acceptance until a list read after it says otherwise.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::assembly::{Assembly, Slot};
use super::known::Known;
use super::lanes::CallId;
use super::stats;
use crate::api::{Command, MAX_PER_CALL, Operation, Request, Verdict};
use crate::error::Status;
use crate::mirror::Effect;
use crate::rate::Window;

/// What an owner takes here, about: its name twice, its place in the queue.
const OWNER_BYTES: u64 = 192;
/// Part of the memory of the mirror that is for names.
pub(super) const NAMES: u64 = 4;
/// An owner's list is read again at most this often.
const REREAD: Duration = Duration::from_secs(1);
/// After a failed reading: the first wait, which doubles, and the longest.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_AT_MOST: Duration = Duration::from_secs(60);
/// Readings that begin anew because the list changed between two pages (choice C14).
const RESTARTS: u8 = 3;
/// No list is longer: the service's limit is 1000 entries.
const MAX_PEERS: usize = 100_000;

/// When what is read.
pub(super) struct Rules {
    pub(super) refresh: Duration,
    /// Pages per second in the background: half of what the commands of others may use.
    pub(super) pages_per_second: u32,
    /// Pages at once.
    pub(super) pages: usize,
    /// How long a request without an answer may still arrive.
    pub(super) late: Duration,
    /// Memory for owners and pairs together.
    pub(super) max_bytes: u64,
}

/// A list that is being read.
struct Listing {
    started: Instant,
    peers: Vec<String>,
    next_index: u32,
    sequence: Option<u64>,
    restarts: u8,
}

struct Owner {
    /// Its place in the queue, while its list is not being read.
    due: Option<(Instant, u64)>,
    listing: Option<Box<Listing>>,
    started: Option<Instant>,
    /// Something happened since the reading began: read again.
    stale: bool,
    watched: bool,
    failures: u8,
}

/// Owners, and when their lists are read.
pub(super) struct Watching {
    known: Arc<Known>,
    rules: Rules,
    owners: HashMap<Arc<str>, Owner>,
    queue: BTreeMap<(Instant, u64), Arc<str>>,
    /// Listings that a caller asked for, from which something can be learned.
    asked: HashMap<CallId, Instant>,
    pages: usize,
    window: Window,
    number: u64,
    random: fastrand::Rng,
    refreshes: u64,
    dropped: u64,
}

impl Watching {
    pub(super) fn new(known: Arc<Known>, rules: Rules, random: fastrand::Rng) -> Self {
        Self {
            known,
            window: Window::new(rules.pages_per_second.max(1)),
            rules,
            owners: HashMap::new(),
            queue: BTreeMap::new(),
            asked: HashMap::new(),
            pages: 0,
            number: 0,
            random,
            refreshes: 0,
            dropped: 0,
        }
    }

    /// Reads the list of `owner` from now on. True when it is new here.
    pub(super) fn watch(&mut self, owner: &str, now: Instant) -> bool {
        self.known.mirror.set_watched(owner.as_bytes(), true);
        if let Some(own) = self.owners.get_mut(owner) {
            own.watched = true;
            return false;
        }
        self.insert(owner, true, now);
        true
    }

    /// Reads the list of `owner` no more.
    pub(super) fn unwatch(&mut self, owner: &str) {
        self.known.mirror.set_watched(owner.as_bytes(), false);
        if let Some(own) = self.owners.get_mut(owner) {
            own.watched = false;
            own.stale = false;
            if own.listing.is_none() {
                self.forget(owner);
            }
        }
    }

    fn insert(&mut self, owner: &str, watched: bool, due: Instant) {
        self.make_room();
        let own = Owner {
            due: None,
            listing: None,
            started: None,
            stale: false,
            watched,
            failures: 0,
        };
        self.owners.insert(owner.into(), own);
        self.schedule(owner, due);
    }

    /// The owner that waits longest is forgotten when there are more than memory is for.
    fn make_room(&mut self) {
        let most = self.rules.max_bytes / NAMES / OWNER_BYTES;
        while self.owners.len() as u64 >= most
            && let Some(oldest) = self.queue.values().next().cloned()
        {
            self.known.mirror.evict(oldest.as_bytes());
            self.forget(&oldest);
            self.dropped += 1;
        }
    }

    fn forget(&mut self, owner: &str) {
        if let Some(own) = self.owners.remove(owner)
            && let Some(due) = own.due
        {
            self.queue.remove(&due);
        }
    }

    fn schedule(&mut self, owner: &str, moment: Instant) {
        let Some((name, _)) = self.owners.get_key_value(owner) else {
            return;
        };
        let name = Arc::clone(name);
        self.number += 1;
        let due = (moment, self.number);
        if let Some(own) = self.owners.get_mut(owner)
            && let Some(before) = own.due.replace(due)
        {
            self.queue.remove(&before);
        }
        self.queue.insert(due, name);
    }

    /// Reads the list of `owner` again soon, if anything is known of it.
    pub(super) fn reread(&mut self, owner: &str, from: Instant) {
        let Some(own) = self.owners.get_mut(owner) else {
            if self.known.is_known(owner) {
                self.insert(owner, false, from);
            }
            return;
        };
        if own.listing.is_some() {
            own.stale = true;
            return;
        }
        let earliest = own
            .started
            .map_or(from, |started| from.max(started + REREAD));
        if own.due.is_none_or(|(moment, _)| earliest < moment) {
            self.schedule(owner, earliest);
        }
    }

    /// How long a list is good, so that all of them are read within the pace.
    pub(super) fn refresh(&self) -> Duration {
        let owners = u32::try_from(self.owners.len()).unwrap_or(u32::MAX);
        let all = Duration::from_secs(1) * owners / self.rules.pages_per_second.max(1);
        self.rules.refresh.max(all)
    }

    /// The next page to ask for, if it is time.
    pub(super) fn next(&mut self, now: Instant) -> Option<Request> {
        while self.pages < self.rules.pages && self.window.look(now).is_ok() {
            let first = self
                .queue
                .first_entry()
                .filter(|first| first.key().0 <= now)?;
            let owner = first.remove();
            let Some(own) = self.owners.get_mut(&owner) else {
                continue;
            };
            own.due = None;
            own.stale = false;
            own.started = Some(now);
            if self.known.mirror.set_loading(owner.as_bytes()).is_err() {
                // No memory even for the attempt.
                self.fail(&owner, now);
                continue;
            }
            own.listing = Some(Box::new(Listing {
                started: now,
                peers: Vec::new(),
                next_index: 0,
                sequence: None,
                restarts: 0,
            }));
            self.take_place(now);
            return Some(page(&owner, 0));
        }
        None
    }

    /// When to look again; None while nothing is to be read.
    pub(super) fn moment(&mut self, now: Instant) -> Option<Instant> {
        if self.pages >= self.rules.pages {
            return None;
        }
        let due = self.queue.keys().next()?.0;
        match self.window.look(now) {
            Ok(()) => Some(due),
            Err(free) => Some(due.max(free)),
        }
    }

    /// Takes a page that was asked for; gives the next one.
    pub(super) fn take_page(&mut self, call: &Assembly, now: Instant) -> Option<Request> {
        self.pages -= 1;
        let owner = call.request.from.as_str();
        let own = self.owners.get_mut(owner)?;
        let mut listing = own.listing.take()?;
        if call.status() != Status::Ok {
            self.known.mirror.stop_loading(owner.as_bytes());
            self.fail(owner, now);
            return None;
        }
        let next = call.listing.next_index;
        let is_same =
            *listing.sequence.get_or_insert(call.listing.sequence) == call.listing.sequence;
        let grows = next > listing.next_index;
        let peers = call.entries.iter().map(|item| item.account.clone());
        listing.peers.extend(peers);
        if is_same && next == 0 {
            self.complete(owner, &listing, now);
            return None;
        }
        if !is_same && listing.restarts < RESTARTS {
            listing.restarts += 1;
            listing.peers.clear();
            listing.sequence = None;
            listing.next_index = 0;
        } else if is_same && grows && listing.peers.len() <= MAX_PEERS {
            listing.next_index = next;
        } else {
            self.known.mirror.stop_loading(owner.as_bytes());
            self.fail(owner, now);
            return None;
        }
        let request = page(owner, listing.next_index);
        own.listing = Some(listing);
        self.take_place(now);
        Some(request)
    }

    /// A page goes out. The next one of a list that is being read does not wait for a place.
    fn take_place(&mut self, now: Instant) {
        self.pages += 1;
        let _ = self.window.take(now);
    }

    fn complete(&mut self, owner: &str, listing: &Listing, now: Instant) {
        let peers = listing.peers.iter().map(String::as_bytes);
        let started = self.known.ms(listing.started);
        match self.known.mirror.replace(owner.as_bytes(), peers, started) {
            // Another listing came first and may be older than what made us read.
            Ok(Effect::Ignored) | Err(_) => return self.fail(owner, now),
            Ok(_) => self.refreshes += 1,
        }
        let refresh = self.refresh();
        let Some(own) = self.owners.get_mut(owner) else {
            return;
        };
        own.failures = 0;
        if own.stale {
            let again = listing.started + REREAD;
            self.schedule(owner, again.max(now));
        } else if own.watched {
            self.known.mirror.set_watched(owner.as_bytes(), true);
            let jitter = 0.9 + 0.1 * self.random.f64();
            self.schedule(owner, now + refresh.mul_f64(jitter));
        } else {
            self.forget(owner);
        }
    }

    /// The list could not be read: later.
    fn fail(&mut self, owner: &str, now: Instant) {
        let Some(own) = self.owners.get_mut(owner) else {
            return;
        };
        own.failures = own.failures.saturating_add(1);
        let wait = AGAIN * (1 << u32::from(own.failures - 1).min(6));
        if own.watched || own.stale {
            self.schedule(owner, now + wait.min(AGAIN_AT_MOST));
        } else {
            self.forget(owner);
        }
    }

    /// A caller asks for a list from its beginning: the answer may be all of it.
    pub(super) fn begin_asked(&mut self, id: CallId, request: &Request, now: Instant) {
        let is_first = matches!(request.operation, Operation::Get { start_index: 0, .. });
        let is_own = |own: &Owner| own.listing.is_some();
        if is_first
            && !self.owners.get(request.from.as_str()).is_some_and(is_own)
            && self
                .known
                .mirror
                .set_loading(request.from.as_bytes())
                .is_ok()
        {
            self.asked.insert(id, now);
        }
    }

    /// What a caller's own call says about its owner.
    pub(super) fn learn(&mut self, id: CallId, call: &Assembly, now: Instant) {
        match call.request.command() {
            Command::Add => self.learn_write(call, true, now),
            Command::Delete => self.learn_write(call, false, now),
            Command::Get => self.learn_list(id, call),
            Command::Check => {}
        }
    }

    fn learn_write(&mut self, call: &Assembly, blocks: bool, now: Instant) {
        let owner = call.request.from.as_str();
        let mut in_doubt = false;
        for (slot, target) in call.slots.iter().zip(call.request.targets()) {
            match slot {
                Slot::Answered(item)
                    if matches!(item.verdict, Verdict::Done | Verdict::Unchanged) =>
                {
                    self.known.learn_change(owner, target, blocks);
                }
                Slot::Answered(_) | Slot::Refused(_) => {}
                Slot::Failed(_) | Slot::Open => in_doubt = true,
            }
        }
        if in_doubt {
            self.reread(owner, now + self.rules.late);
        }
    }

    fn learn_list(&mut self, id: CallId, call: &Assembly) {
        let Some(started) = self.asked.remove(&id) else {
            return;
        };
        let owner = call.request.from.as_bytes();
        if call.status() == Status::Ok && call.listing.next_index == 0 {
            let peers = call.entries.iter().map(|item| item.account.as_bytes());
            // Without memory the owner stays unknown.
            let _ = self
                .known
                .mirror
                .replace(owner, peers, self.known.ms(started));
        } else {
            self.known.mirror.stop_loading(owner);
        }
    }

    /// Pairs that others changed: an add is a yes at once, and both are read again. Gives how many pairs
    /// are about owners of whom nothing is known.
    pub(super) fn learn_event(
        &mut self,
        added: bool,
        pairs: &[(String, String)],
        now: Instant,
    ) -> u64 {
        let mut ignored = 0;
        for (owner, account) in pairs {
            let is_read = self.owners.contains_key(owner.as_str());
            if !is_read && !self.known.is_known(owner) {
                ignored += 1;
                continue;
            }
            if added {
                self.known.learn_change(owner, account, true);
            }
            self.reread(owner, now);
        }
        ignored
    }

    pub(super) fn fill(&self, stats: &mut stats::Mirror) {
        stats.watched = self.owners.len() as u64;
        stats.refreshes = self.refreshes;
        stats.refresh_ms = stats::whole_ms(self.refresh());
        stats.evictions += self.dropped;
    }
}

fn page(owner: &str, start_index: u32) -> Request {
    Request {
        from: owner.to_owned(),
        operation: Operation::Get {
            start_index: u64::from(start_index),
            max_limited: u32::try_from(MAX_PER_CALL).unwrap_or(u32::MAX),
            last_sequence: 0,
        },
    }
}
