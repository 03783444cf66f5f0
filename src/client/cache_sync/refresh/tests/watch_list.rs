//! Many owners at once, and more than there is memory for.

use super::*;

fn names(count: usize) -> Vec<Account> {
    (0..count)
        .map(|number| format!("owner{number}").into())
        .collect()
}

impl Setting {
    /// As a call of the host program does.
    fn watch_all(&mut self, owners: &[Account]) {
        let added = self.refresher.watch_list().add(owners);
        let now = self.at(0);
        let added = added.expect("there is memory");
        self.refresher.watch_list_changed(added, now);
    }

    fn unwatch_all(&mut self, owners: &[Account]) {
        let removed = self.refresher.watch_list().remove(owners);
        let now = self.at(0);
        self.refresher.watch_list_changed(removed, now);
    }

    /// Until all that changed is followed; how many owners were taken at once, at most.
    fn follow(&mut self) -> usize {
        let (mut most, mut before) = (0, self.refresher.owners.len());
        while self.refresher.moment(self.start) == Some(self.start)
            && !self.refresher.changed.is_empty()
        {
            self.refresher.follow_watch_list();
            let after = self.refresher.owners.len();
            most = most.max(after.abs_diff(before));
            before = after;
        }
        most
    }
}

#[test]
fn few_owners_are_taken_while_the_lock_is_held() {
    let mut own = setting_in(256 << 20, 100);
    let owners = names(100_000);
    own.watch_all(&owners);
    assert_eq!(own.refresher.owners.len(), 0, "the caller takes none");
    assert_eq!(own.follow(), 64);
    assert_eq!(own.refresher.owners.len(), owners.len());
    assert_eq!(own.refresher.watched, 100_000);
    own.unwatch_all(&owners);
    assert_eq!(own.follow(), 64);
    assert_eq!(own.refresher.owners.len(), 0);
}

#[test]
fn owners_are_watched_as_the_list_says_in_the_end() {
    let mut own = setting(100);
    let owners = names(3);
    let list = own.refresher.watch_list();
    // The threads that changed the list come in the other order.
    let added = list.add(&owners).expect("there is memory");
    let removed = list.remove(&owners[..1]);
    let now = own.at(0);
    own.refresher.watch_list_changed(removed, now);
    own.refresher.watch_list_changed(added, now);
    own.follow();
    let is_watched =
        |owner: &Account| (own.refresher.owners.get(&**owner)).is_some_and(|own| own.watched);
    assert_eq!(
        owners.iter().map(is_watched).collect::<Vec<_>>(),
        [false, true, true]
    );
}

#[test]
fn owners_without_memory_are_refused_all_together() {
    let mut own = setting_in(1 << 20, 100);
    let owners = names(1025);
    let list = own.refresher.watch_list();
    let error = list.add(&owners).expect_err("there is no memory");
    assert_eq!(error.status(), Status::Busy);
    assert_eq!(list.len(), 0);
    // One of them twice, or watched already, takes one place.
    own.watch_all(&[&owners[..1024], &owners[..10]].concat());
    own.watch_all(&owners[..1024]);
    assert!(list.add(&owners[1024..]).is_err());
    own.unwatch_all(&owners[..1]);
    own.watch_all(&owners[1024..]);
    own.follow();
    assert_eq!(own.refresher.watched, 1024);
}

#[test]
fn lists_that_cannot_be_read_again_are_unknown_after_an_event() {
    let mut own = setting_in(1 << 20, 100);
    let places = own.refresher.rules.max_bytes / BYTES_PER_WATCHED / UNWATCHED;
    let owners = names(200);
    for owner in &owners {
        own.cache
            .blocks
            .set_loading(owner.as_bytes())
            .expect("memory");
        let learned = own.cache.blocks.replace(owner.as_bytes(), [], 0);
        learned.expect("memory");
    }
    for owner in &owners {
        let pairs = [(owner.clone(), "bob".into())];
        let now = own.at(10);
        own.refresher
            .apply_event(false, &pairs, &own.scheduler, now);
    }
    assert_eq!(own.refresher.owners.len() as u64, places);
    let is_unknown = |owner: &&Account| {
        own.cache.blocks.is_blocked(owner.as_bytes(), b"bob", || 0) == Told::Unknown
    };
    let unknown = owners.iter().filter(is_unknown).count() as u64;
    assert_eq!(unknown, 200 - places);
    assert_eq!(own.refresher.dropped, unknown);
}
