//! Faults that the simulator of the cache found, one history each.

use super::*;
use crate::api::{Answer, Item, Listing as Place, Operation};
use crate::cache::Answer as Told;
use crate::client::call::Positions;
use crate::client::scheduler::{self, Scheduler};
use crate::clock::{Clock, SystemClock};
use crate::config::Cache as Settings;
use crate::error::Status;

mod logins;
mod overload;
mod watch_list;

struct Setting {
    cache: Arc<TimedCache>,
    refresher: Refresher,
    scheduler: Scheduler<()>,
    start: Instant,
}

fn setting(pages_per_second: u32) -> Setting {
    setting_in(1 << 20, pages_per_second)
}

fn setting_in(max_bytes: u64, pages_per_second: u32) -> Setting {
    let settings = Settings {
        max_bytes,
        refresh: Duration::from_mins(5),
        max_age: Duration::from_mins(15),
    };
    let (refresh, max_age) = (settings.refresh, settings.max_age);
    let cache = TimedCache::partial(settings, Arc::new(SystemClock)).map(Arc::new);
    let cache = cache.expect("a cache can be made");
    let random = || fastrand::Rng::with_seed(1);
    let rules = RefreshRules {
        refresh,
        max_age,
        pages_per_second,
        pages: 8,
        late: Duration::from_secs(3),
        max_bytes,
        contests: 3,
    };
    let scheduler_rules = scheduler::Rules {
        merge: true,
        retry: None,
        rate_per_second: None,
        call_time: None,
        requests: 8,
        late: None,
        recorded: false,
    };
    Setting {
        refresher: Refresher::new(Arc::clone(&cache), rules, random()),
        cache,
        scheduler: Scheduler::new(scheduler_rules, random()),
        start: SystemClock.now(),
    }
}

impl Setting {
    fn at(&self, milliseconds: u64) -> Instant {
        self.start + Duration::from_millis(milliseconds)
    }

    fn next(&mut self, milliseconds: u64) -> Option<Request> {
        self.refresher.next(self.at(milliseconds))
    }

    fn note(&mut self, added: bool, milliseconds: u64) -> u64 {
        let pairs = [("ann".into(), "bob".into())];
        let now = self.at(milliseconds);
        self.refresher
            .apply_event(added, &pairs, &self.scheduler, now)
    }

    /// A caller asks for the list of ann.
    fn ask_list(&mut self, id: CallId, milliseconds: u64) -> Call {
        let request = ListRead::new((self.start, 0), None, Urgency::First).page("ann");
        let now = self.at(milliseconds);
        self.refresher.begin_asked(id, &request, now);
        Call::new(Arc::new(request))
    }

    /// The list of ann is known from a caller's call.
    fn know(&mut self, peers: &[&str]) {
        let list = self.ask_list(0, 0);
        let now = self.at(10);
        self.refresher.apply(0, &answered(list, peers, 0), now);
    }

    fn take_page(&mut self, page: &Call, milliseconds: u64) {
        let now = self.at(milliseconds);
        self.refresher.take_page(page, now);
    }

    fn bob(&self) -> Told {
        self.cache.blocks.is_blocked(b"ann", b"bob", || 0)
    }
}

/// The page that answers `call`, of a list that continues at `next_index`.
fn answered(mut call: Call, peers: &[&str], next_index: u32) -> Call {
    let mut page = Answer::accepted(peers.iter().map(|peer| Item::entry(*peer, 0)).collect());
    page.listing = Place {
        next_index,
        sequence: 7,
    };
    call.take_page(page, None);
    call
}

fn lost(mut call: Call) -> Call {
    call.lose(
        &Positions::Run(0..0),
        &crate::Error::new(Status::Timeout, "lost"),
    );
    call
}

fn call(request: Option<Request>) -> Call {
    Call::new(Arc::new(request.expect("a page is asked for")))
}

#[test]
fn an_add_event_counts_while_the_first_list_is_on_its_way() {
    let mut own = setting(100);
    let list = own.ask_list(0, 0);
    assert_eq!(own.note(true, 10), 0);
    own.refresher.apply(0, &answered(list, &[], 0), own.at(20));
    assert_eq!(own.bob(), Told::Yes);
}

#[test]
fn of_two_lists_asked_for_at_once_one_is_learned() {
    let mut own = setting(100);
    let first = own.ask_list(0, 0);
    let second = own.ask_list(1, 10);
    let now = own.at(20);
    own.refresher.apply(0, &answered(first, &[], 0), now);
    own.cache.apply_change("ann", "bob", true);
    let _third = own.ask_list(2, 30);
    let now = own.at(40);
    own.refresher.apply(1, &answered(second, &[], 0), now);
    assert_eq!(own.bob(), Told::Yes);
}

#[test]
fn a_delete_that_may_be_older_than_an_add_event_changes_nothing_before_the_list_is_read() {
    let mut own = setting(100);
    own.know(&["bob"]);
    let request = Arc::new(Request {
        owner: "ann".into(),
        operation: Operation::Delete(vec!["bob".into()].into()),
    });
    let now = own.at(20);
    let id = own.scheduler.accept(Arc::clone(&request), (), None, now);
    own.note(true, 30);
    let mut delete = Call::new(request);
    delete.take_done(&Positions::Run(0..1), None);
    let now = own.at(40);
    own.refresher.apply(id, &delete, now);
    assert_eq!(own.bob(), Told::Yes);
    let list = call(own.next(2000));
    own.take_page(&answered(list, &[], 0), 2010);
    assert_eq!(own.bob(), Told::No);
}

#[test]
fn events_of_an_owner_with_writes_under_way_take_bounded_memory() {
    let mut own = setting(100);
    own.know(&["bob"]);
    let operation = Operation::Delete(["bob".into()].into());
    let owner = "ann".into();
    let request = Arc::new(Request { owner, operation });
    let now = own.at(20);
    let id = own.scheduler.accept(Arc::clone(&request), (), None, now);
    for number in 0..1000 {
        let pairs = [("ann".into(), number.to_string().into())];
        own.refresher.apply_event(true, &pairs, &own.scheduler, now);
    }
    assert_eq!(own.refresher.contested["ann"].pairs.len(), 3);
    assert_eq!(own.bob(), Told::Yes);
    let mut call = Call::new(request);
    call.take_done(&Positions::Run(0..1), None);
    own.refresher.apply(id, &call, now);
    assert_eq!(
        own.bob(),
        Told::Unknown,
        "an add event may have been about it"
    );
    assert_eq!(own.next(2000).map(|page| page.owner), Some("ann".into()));
}

#[test]
fn a_write_that_may_be_older_than_an_event_is_followed_by_a_reading() {
    let mut own = setting(100);
    own.know(&[]);
    let request = Arc::new(Request {
        owner: "ann".into(),
        operation: Operation::Add(vec!["bob".into()].into()),
    });
    let now = own.at(20);
    let id = own.scheduler.accept(Arc::clone(&request), (), None, now);
    own.note(false, 30);
    let page = call(own.next(30));
    own.take_page(&answered(page, &[], 0), 40);
    let mut add = Call::new(request);
    add.take_done(&Positions::Run(0..1), None);
    let now = own.at(50);
    own.refresher.apply(id, &add, now);
    assert_eq!(own.bob(), Told::Yes);
    let page = call(own.next(1030));
    own.take_page(&answered(page, &[], 0), 1040);
    assert_eq!(own.bob(), Told::No);
}

#[test]
fn a_write_of_which_an_attempt_was_lost_is_read_again() {
    let mut own = setting(100);
    own.know(&[]);
    let request = Arc::new(Request {
        owner: "ann".into(),
        operation: Operation::Add(vec!["bob".into()].into()),
    });
    let mut add = Call::new(request);
    add.lose(
        &Positions::Run(0..1),
        &crate::Error::new(Status::Timeout, "lost"),
    );
    add.refuse(&Positions::Run(0..1), &Answer::refused(30006, "busy"));
    let now = own.at(20);
    own.refresher.apply(1, &add, now);
    assert!(own.next(3019).is_none());
    assert!(own.next(3020).is_some());
}

#[test]
fn a_write_that_may_be_done_twice_has_a_first_reading_repeated() {
    let mut own = setting(100);
    own.refresher.watch("ann", own.start);
    let request = Arc::new(Request {
        owner: "ann".into(),
        operation: Operation::Add(vec!["bob".into()].into()),
    });
    let mut add = Call::new(request);
    let lost = crate::Error::new(Status::Timeout, "lost");
    add.lose(&Positions::Run(0..1), &lost);
    add.take_done(&Positions::Run(0..1), None);
    let now = own.at(20);
    own.refresher.apply(1, &add, now);
    let page = call(own.next(30));
    own.take_page(&answered(page, &["bob"], 0), 40);
    assert!(own.next(3019).is_none());
    assert!(own.next(3020).is_some(), "the lost one may have come since");
}

#[test]
fn a_reading_that_is_overdue_is_not_delayed_by_a_write_in_doubt() {
    let mut own = setting(100);
    own.refresher.watch("ann", own.start);
    let page = call(own.next(0));
    own.take_page(&answered(page, &["bob"], 0), 10);
    // The write may arrive for three seconds more.
    own.refresher.reread("ann", own.at(303_000));
    let page = call(own.next(300_000));
    own.take_page(&answered(page, &["bob"], 0), 300_010);
    assert!(own.next(302_999).is_none());
    assert!(own.next(303_000).is_some(), "once more after the write");
}

#[test]
fn a_reading_for_an_event_is_repeated_when_it_fails() {
    let mut own = setting(100);
    own.know(&["bob"]);
    own.note(false, 20);
    let page = call(own.next(20));
    own.take_page(&lost(page), 30);
    assert!(own.next(40).is_none());
    assert!(own.next(1030).is_some());
}

#[test]
fn a_list_is_read_after_the_last_moment_at_which_something_may_arrive() {
    let mut own = setting(100);
    own.refresher.watch("ann", own.start);
    let page = call(own.next(0));
    own.refresher.reread("ann", own.at(3000));
    own.take_page(&answered(page, &[], 0), 10);
    assert!(own.next(2999).is_none());
    assert!(own.next(3000).is_some());
}

#[test]
fn what_was_heard_of_an_owner_is_read_when_nobody_watches_it_any_more() {
    let mut own = setting(100);
    own.refresher.watch("ann", own.start);
    let page = call(own.next(0));
    own.take_page(&answered(page, &["bob"], 0), 10);
    own.note(false, 20);
    own.refresher.unwatch("ann", own.at(20));
    assert!(own.next(1000).is_some());
}

#[test]
fn an_owner_is_read_once_a_second_however_many_events_there_are() {
    let mut own = setting(100);
    own.know(&[]);
    own.note(false, 20);
    let page = call(own.next(20));
    own.take_page(&answered(page, &[], 0), 30);
    own.note(false, 40);
    assert!(own.next(1019).is_none());
    assert!(own.next(1020).is_some());
}

#[test]
fn every_page_waits_for_its_place() {
    let mut own = setting(1);
    own.refresher.watch("ann", own.start);
    let page = call(own.next(0));
    own.take_page(&answered(page, &["bob"], 1), 10);
    assert!(own.next(999).is_none());
    assert_eq!(own.refresher.moment(own.at(999)), Some(own.at(1000)));
    assert!(own.next(1000).is_some());
}

#[test]
fn an_owner_that_is_watched_again_is_read_no_sooner() {
    let mut own = setting(100);
    own.refresher.watch("ann", own.start);
    let page = call(own.next(0));
    own.take_page(&answered(page, &["bob"], 0), 10);
    let now = own.at(2000);
    assert!(!own.refresher.watch("ann", now));
    assert!(own.next(2000).is_none());
}
