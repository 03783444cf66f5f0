//! Which lists are read in the background, when, and how the responses of a remote client change the cache.
//!
//! A state machine: it returns the page to request next, and processes the response. Invariants, checked by the
//! simulator of the cache:
//!
//! 1. An owner answers yes or no only after its list was read from its first page to its last, and nothing that stood in
//!    it all the while can be missing (`api/list_pages.rs`).
//! 2. A confirmed write is in the cache before its caller gets the reply, unless an event about its pair arrived
//!    while it was in flight: after an add event the pair is blocked, and the list is read again. If so
//!    many pairs had events that not each is noted, a confirmed delete makes the owner unknown.
//! 3. After an add event the pair is blocked, until a list that was requested after it, or a delete of this client
//!    that was accepted after it, says otherwise.
//! 4. At most one list per owner is read at a time: changes are noted from its request on.
//! 5. After the last reported change, the list of its owner is read once more, however often that fails.
//! 6. The list of an owner is started at most once per second, and every page counts in the rate limit.
//! 7. Lists of owners of whom nothing is known are read before those that something was reported about, and these before
//!    those that are only read again; these leave a part of the pace to the others.

mod changes;
mod listing;
mod pace;
mod queue;
#[cfg(test)]
mod tests;
mod watch_list;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::TimedCache;
use crate::api::list_pages::Progress;
use crate::api::{Account, Request};
use crate::cache::Effect;
use crate::client::call::Call;
use crate::client::scheduler::CallId;
use crate::client::stats;
use changes::Contests;
use listing::ListRead;
use pace::Pace;
use queue::{Due, ReadQueue, Urgency};
use watch_list::ListChanges;
pub(in crate::client) use watch_list::WatchList;

/// Part of the memory of the cache that is for names.
pub(in crate::client) const NAMES: u64 = 4;
/// For each watched owner of which the cache has so many bytes. An owner takes about 224 of the part for names: its name in
/// two tables, its place in the queue.
const BYTES_PER_WATCHED: u64 = 1024;
/// One in so many owners may be one that is not watched and is read once more.
const UNWATCHED: u64 = 8;
/// An owner's list is read again at most this often.
const REREAD: Duration = Duration::from_secs(1);
/// After a failed reading: the first wait, which doubles, and the longest.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_AT_MOST: Duration = Duration::from_mins(1);
/// Part of an interval by which the intervals differ at random.
const JITTER: f64 = 0.1;
/// For [`RefreshRules::contests`]: more than players block in the time of a request, and a few kilobytes.
pub(in crate::client) const CONTESTS: usize = 64;

/// When what is read.
pub(in crate::client) struct RefreshRules {
    pub(in crate::client) refresh: Duration,
    /// Age from which a list says nothing any more.
    pub(in crate::client) max_age: Duration,
    /// Pages per second in the background: half of what the commands of others may use.
    pub(in crate::client) pages_per_second: u32,
    /// Pages at once.
    pub(in crate::client) pages: usize,
    /// How long a request without an answer may still arrive.
    pub(in crate::client) late: Duration,
    /// Memory for owners and pairs together.
    pub(in crate::client) max_bytes: u64,
    /// Pairs of one owner whose events are noted while writes of that owner are under way.
    pub(in crate::client) contests: usize,
}

struct Owner {
    /// Its place in the queue, while its list is not being read.
    due: Option<Due>,
    listing: Option<Box<ListRead>>,
    started: Option<Instant>,
    /// Something happened: a list that is asked for at this moment or later is wanted.
    changed_at: Option<Instant>,
    watched: bool,
    /// Pages that it took to read its list; one is expected before.
    pages: u32,
    was_read: bool,
    failures: u8,
}

impl Owner {
    fn is_wanted(&self) -> bool {
        self.watched || self.changed_at.is_some()
    }

    fn urgency(&self) -> Urgency {
        match self.changed_at {
            _ if self.watched && !self.was_read => Urgency::First,
            Some(_) => Urgency::Changed,
            None => Urgency::Again,
        }
    }

    fn note_change(&mut self, moment: Option<Instant>) {
        self.changed_at = self.changed_at.max(moment);
    }
}

/// Owners, and when their lists are read.
pub(in crate::client) struct Refresher {
    cache: Arc<TimedCache>,
    rules: RefreshRules,
    /// A tree, because a hash table of so many names grows for 100 ms under the lock.
    owners: BTreeMap<Arc<str>, Owner>,
    watch_list: Arc<WatchList>,
    /// Owners to be watched or not any more.
    changed: ListChanges,
    queue: ReadQueue,
    pace: Pace,
    /// Pages of all lists together.
    list_pages: u64,
    /// Listings of callers that can be applied to the cache, and when they began, in its time: one per owner, as changes are
    /// noted since its beginning.
    asked: HashMap<Account, (CallId, u64)>,
    /// Owners with events while writes of theirs are under way.
    contested: HashMap<Account, Contests>,
    watched: u64,
    /// It was reported that lists are read again too late.
    is_reported: bool,
    random: fastrand::Rng,
    refreshes: u64,
    dropped: u64,
}

impl Refresher {
    pub(in crate::client) fn new(
        cache: Arc<TimedCache>,
        rules: RefreshRules,
        random: fastrand::Rng,
    ) -> Self {
        Self {
            cache,
            pace: Pace::new(rules.pages_per_second.max(1), rules.pages),
            watch_list: Arc::new(WatchList::new(places(rules.max_bytes))),
            rules,
            owners: BTreeMap::new(),
            changed: ListChanges::default(),
            queue: ReadQueue::default(),
            list_pages: 0,
            asked: HashMap::new(),
            contested: HashMap::new(),
            watched: 0,
            is_reported: false,
            random,
            refreshes: 0,
            dropped: 0,
        }
    }

    pub(in crate::client) fn watch_list(&self) -> Arc<WatchList> {
        Arc::clone(&self.watch_list)
    }

    /// The list of watched owners has changed in these.
    pub(in crate::client) fn watch_list_changed(&mut self, owners: Vec<Account>, moment: Instant) {
        self.changed.push(owners, moment);
    }

    /// Begins or ends to watch some of the owners that changed in the list: few, as the lock of the scheduler is held.
    pub(in crate::client) fn follow_watch_list(&mut self) {
        for (owner, is_watched, moment) in self.changed.take(&self.watch_list) {
            if is_watched {
                self.watch(&owner, moment);
            } else {
                self.unwatch(&owner, moment);
            }
        }
    }

    /// Reads the list of `owner` from now on. True when it is new here.
    fn watch(&mut self, owner: &str, now: Instant) -> bool {
        self.cache.blocks.set_watched(owner.as_bytes(), true);
        if let Some(own) = self.owners.get_mut(owner) {
            self.watched += u64::from(!own.watched);
            own.watched = true;
            // At its moment as before: another `watch` of it reads nothing sooner.
            if let Some(due) = own.due.filter(|due| own.urgency() < due.urgency) {
                self.schedule(owner, due.moment);
            }
            return false;
        }
        self.insert(owner, true, now);
        true
    }

    /// Stops reading the list of `owner`, except after reported changes.
    fn unwatch(&mut self, owner: &str, now: Instant) {
        self.cache.blocks.set_watched(owner.as_bytes(), false);
        let Some(own) = self.owners.get_mut(owner) else {
            return;
        };
        self.watched -= u64::from(own.watched);
        own.watched = false;
        if own.listing.is_some() || own.is_wanted() {
            return;
        }
        // An owner that is watched again at once is not read again at once.
        match own.started.map(|started| started + REREAD) {
            Some(moment) if now < moment => self.schedule(owner, moment),
            _ => self.forget(owner),
        }
    }

    fn insert(&mut self, owner: &str, watched: bool, due: Instant) {
        let own = Owner {
            due: None,
            listing: None,
            started: None,
            changed_at: None,
            watched,
            pages: 1,
            was_read: false,
            failures: 0,
        };
        self.watched += u64::from(watched);
        self.list_pages += 1;
        self.owners.insert(owner.into(), own);
        self.schedule(owner, due);
    }

    /// Whether one more owner may be here that is not watched.
    fn has_place(&self) -> bool {
        let unwatched = self.owners.len() as u64 - self.watched;
        unwatched < self.rules.max_bytes / BYTES_PER_WATCHED / UNWATCHED
    }

    fn forget(&mut self, owner: &str) {
        if let Some(own) = self.owners.remove(owner) {
            self.watched -= u64::from(own.watched);
            self.list_pages -= u64::from(own.pages);
            if let Some(due) = own.due {
                self.queue.remove(due);
            }
        }
    }

    fn schedule(&mut self, owner: &str, moment: Instant) {
        let Some((name, _)) = self.owners.get_key_value(owner) else {
            return;
        };
        let name = Arc::clone(name);
        if let Some(own) = self.owners.get_mut(owner) {
            if let Some(before) = own.due.take() {
                self.queue.remove(before);
            }
            own.due = Some(self.queue.insert(name, own.urgency(), moment));
        }
    }

    /// Its list became more urgent while it waits to be read: it is read at `moment`, or when it is due if that is sooner.
    fn hurry(&mut self, owner: &str, moment: Instant) {
        let Some(own) = self.owners.get(owner) else {
            return;
        };
        let earliest = (own.started).map_or(moment, |started| moment.max(started + REREAD));
        let Some(due) = own.due else {
            return;
        };
        if earliest < due.moment || own.urgency() < due.urgency {
            self.schedule(owner, earliest.min(due.moment));
        }
    }

    /// Reads the list of `owner` again soon, but not before `from`, if anything is known of it.
    pub(in crate::client) fn reread(&mut self, owner: &str, from: Instant) {
        if !self.owners.contains_key(owner) {
            if !self.cache.is_cached(owner) {
                return;
            }
            if !self.has_place() {
                // Its list is not what it was, and cannot be read again.
                self.cache.blocks.evict(owner.as_bytes());
                self.asked.remove(owner);
                self.dropped += 1;
                return;
            }
            self.insert(owner, false, from);
        }
        let Some(own) = self.owners.get_mut(owner) else {
            return;
        };
        own.note_change(Some(from));
        self.hurry(owner, from);
    }

    /// How long a list is good, so that all of them are read within the pace.
    pub(in crate::client) fn refresh(&self) -> Duration {
        self.rules.refresh.max(self.pace.time_for(self.list_pages))
    }

    /// The next page to ask for, if it is time.
    pub(in crate::client) fn next(&mut self, now: Instant) -> Option<Request> {
        Urgency::ALL
            .into_iter()
            .find_map(|urgency| self.next_of(urgency, now))
    }

    fn next_of(&mut self, urgency: Urgency, now: Instant) -> Option<Request> {
        while self.pace.free_from(urgency, now)? <= now {
            let owner = match self.queue.pop_onward(urgency) {
                Some(owner) => owner,
                None => self.begin_listing(urgency, now)?,
            };
            let own = self.owners.get(&owner);
            if let Some(listing) = own.and_then(|own| own.listing.as_ref()) {
                self.pace.begin(urgency, now);
                return Some(listing.page(&owner));
            }
        }
        None
    }

    /// Begins to read the list of the owner that waits longest; without a listing when there is no memory.
    fn begin_listing(&mut self, urgency: Urgency, now: Instant) -> Option<Arc<str>> {
        loop {
            let owner = self.queue.take(urgency, now)?;
            let Some(own) = self.owners.get_mut(&owner) else {
                continue;
            };
            own.due = None;
            if !own.is_wanted() {
                self.forget(&owner);
                continue;
            }
            own.started = Some(now);
            let changed_at = own.changed_at.take_if(|moment| *moment <= now);
            if self.asked.remove(&*owner).is_some() {
                // What was noted for that list is older than this one.
                self.cache.blocks.stop_loading(owner.as_bytes());
            }
            if self.cache.blocks.set_loading(owner.as_bytes()).is_err() {
                self.fail(&owner, changed_at, now);
                continue;
            }
            own.listing = Some(Box::new(ListRead::new(
                (now, self.cache.ms(now)),
                changed_at,
                urgency,
            )));
            return Some(owner);
        }
    }

    /// When to look again; None while nothing is to be read.
    pub(in crate::client) fn moment(&mut self, now: Instant) -> Option<Instant> {
        if !self.changed.is_empty() {
            return Some(now);
        }
        let moment = |urgency| {
            let due = self.queue.moment(urgency, now)?;
            Some(due.max(self.pace.free_from(urgency, now)?))
        };
        Urgency::ALL.into_iter().filter_map(moment).min()
    }

    /// Takes a page that was asked for.
    pub(in crate::client) fn take_page(&mut self, call: &Call, now: Instant) {
        self.pace.end();
        let owner = call.request.owner.as_str();
        let Some((name, _)) = self.owners.get_key_value(owner) else {
            return;
        };
        let name = Arc::clone(name);
        let Some(own) = self.owners.get_mut(owner) else {
            return;
        };
        let Some(mut listing) = own.listing.take() else {
            return;
        };
        match listing.take_page(call) {
            Some(Progress::Onward) => {
                self.queue.push_onward(name, listing.urgency);
                own.listing = Some(listing);
            }
            Some(Progress::Whole) => self.complete(owner, &listing, now),
            // What was known of the owner stays, and grows old.
            Some(Progress::Changed | Progress::Endless) | None => {
                self.cache.blocks.stop_loading(owner.as_bytes());
                self.fail(owner, listing.changed_at, now);
            }
        }
    }

    fn complete(&mut self, owner: &str, listing: &ListRead, now: Instant) {
        let peers = listing.list.accounts().map(|peer| peer.as_bytes());
        match self
            .cache
            .blocks
            .replace(owner.as_bytes(), peers, listing.started_ms)
        {
            // The owner was evicted.
            Ok(Effect::Ignored) | Err(_) => return self.fail(owner, listing.changed_at, now),
            Ok(_) => self.refreshes += 1,
        }
        let refreshed = listing.started + self.cycle();
        let Some(own) = self.owners.get_mut(owner) else {
            return;
        };
        own.failures = 0;
        let pages = listing.list.all_pages();
        self.list_pages += u64::from(pages);
        self.list_pages -= u64::from(own.pages);
        own.pages = pages;
        own.was_read = true;
        if own.watched {
            self.cache.blocks.set_watched(owner.as_bytes(), true);
        }
        let soon = now.max(listing.started + REREAD);
        let next = match own.changed_at {
            Some(moment) => soon.max(moment),
            None if own.watched => soon.max(refreshed),
            None => soon,
        };
        self.schedule(owner, next);
    }

    /// From the beginning of a reading to that of the next: early enough that it ends in time, or as the pace allows.
    fn cycle(&mut self) -> Duration {
        let jitter = JITTER * self.random.f64();
        self.refresh().mul_f64(self.part() + jitter)
    }

    fn part(&self) -> f64 {
        if self.refresh() > self.rules.refresh {
            1.0
        } else {
            0.8
        }
    }

    /// Whether a list may be read again only when it says nothing any more.
    fn exceeds_max_age(&self) -> bool {
        self.longest_cycle() > self.rules.max_age
    }

    fn longest_cycle(&self) -> Duration {
        self.refresh().mul_f64(self.part() + JITTER)
    }

    /// A warning for the log when the cycle has become longer than lists are good: once, until it is a tenth shorter.
    pub(in crate::client) fn take_news(&mut self) -> Option<String> {
        if self.is_reported {
            self.is_reported = self.longest_cycle() > self.rules.max_age.mul_f64(0.9);
            return None;
        }
        // Once it is known how many there are.
        self.is_reported = self.changed.is_empty() && self.exceeds_max_age();
        self.is_reported.then(|| {
            format!(
                "the lists of {} watched owners are read again after up to {} s, later than \"cache.max_age_s\" ({} s): \
                 their checks are UNKNOWN for the rest of the time; raise \"cache.max_age_s\", or \"rate_per_second\" with \
                 the limit of the service",
                self.watched,
                self.longest_cycle().as_secs(),
                self.rules.max_age.as_secs()
            )
        })
    }

    /// The list could not be read: later.
    fn fail(&mut self, owner: &str, changed_at: Option<Instant>, now: Instant) {
        let Some(own) = self.owners.get_mut(owner) else {
            return;
        };
        own.note_change(changed_at);
        own.failures = own.failures.saturating_add(1);
        let wait = AGAIN * (1 << u32::from(own.failures - 1).min(6));
        self.schedule(owner, now + wait.min(AGAIN_AT_MOST));
    }

    pub(in crate::client) fn fill(&self, stats: &mut stats::CacheStats) {
        stats.watched = self.watch_list.len() as u64;
        stats.refreshes = self.refreshes;
        stats.refresh_ms = stats::whole_ms(self.refresh());
        stats.exceeds_max_age = self.exceeds_max_age();
        stats.evictions += self.dropped;
    }
}

/// For how many watched owners there is memory.
fn places(max_bytes: u64) -> usize {
    usize::try_from(max_bytes / BYTES_PER_WATCHED).unwrap_or(usize::MAX)
}
