//! Which owners are to be watched, and whether there is memory for them. Threads of the host program change the list
//! without the lock of the scheduler; owners that changed are looked up later, a few at a time.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::time::Instant;

use crate::api::Account;
use crate::error::{Error, Status};
use crate::locks::Mutex;

/// So many owners are taken while a lock is held once.
pub(super) const AT_ONCE: usize = 64;

/// The owners that are to be watched.
pub(in crate::client) struct WatchList {
    state: Mutex<Watched>,
    most: usize,
}

#[derive(Default)]
struct Watched {
    /// A tree, because a hash table of so many names grows for long under the lock.
    owners: BTreeSet<Account>,
    /// Places of owners that are being added.
    reserved: usize,
}

impl WatchList {
    pub(super) fn new(most: usize) -> Self {
        Self {
            state: Mutex::new(Watched::default()),
            most,
        }
    }

    /// Adds `owners`, all or none. Returns those that are new.
    ///
    /// # Errors
    /// [`Status::Busy`] when there is no memory for them.
    pub(in crate::client) fn add(&self, owners: &[Account]) -> Result<Vec<Account>, Error> {
        let (mut new, mut seen) = (Vec::new(), HashSet::new());
        for some in owners.chunks(AT_ONCE) {
            let list = self.state.lock();
            let some = some.iter();
            let some = some.filter(|owner| !list.owners.contains(*owner) && seen.insert(*owner));
            new.extend(some.cloned());
        }
        self.reserve(new.len())?;
        for some in new.chunks(AT_ONCE) {
            let mut list = self.state.lock();
            list.owners.extend(some.iter().cloned());
            list.reserved -= some.len();
        }
        Ok(new)
    }

    fn reserve(&self, count: usize) -> Result<(), Error> {
        let mut list = self.state.lock();
        let watched = list.owners.len() + list.reserved;
        if watched + count > self.most {
            let what = format!(
                "there is memory for {} watched owners, {watched} are and {count} more were to be: unwatch some, or raise \
                 \"cache.max_bytes\" (1024 bytes for each)",
                self.most
            );
            return Err(Error::new(Status::Busy, what));
        }
        list.reserved += count;
        Ok(())
    }

    /// Removes `owners`. Returns those that were in the list.
    pub(in crate::client) fn remove(&self, owners: &[Account]) -> Vec<Account> {
        let mut removed = Vec::new();
        for some in owners.chunks(AT_ONCE) {
            let mut list = self.state.lock();
            removed.extend(
                some.iter()
                    .filter(|owner| list.owners.remove(*owner))
                    .cloned(),
            );
        }
        removed
    }

    pub(super) fn len(&self) -> usize {
        self.state.lock().owners.len()
    }
}

/// Owners of whom the list says something else than before.
#[derive(Default)]
pub(super) struct ListChanges(VecDeque<(std::vec::IntoIter<Account>, Instant)>);

impl ListChanges {
    pub(super) fn push(&mut self, owners: Vec<Account>, moment: Instant) {
        self.0.push_back((owners.into_iter(), moment));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next ones, whether `list` has them now, and the moment of the change. Looked up now, so that they may
    /// arrive in any order.
    pub(super) fn take(&mut self, list: &WatchList) -> Vec<(Account, bool, Instant)> {
        let mut taken = Vec::new();
        if self.is_empty() {
            return taken;
        }
        let list = list.state.lock();
        while taken.len() < AT_ONCE
            && let Some((owners, moment)) = self.0.front_mut()
        {
            let some = owners.by_ref().take(AT_ONCE - taken.len());
            taken.extend(some.map(|owner| {
                let is_watched = list.owners.contains(&owner);
                (owner, is_watched, *moment)
            }));
            if owners.as_slice().is_empty() {
                self.0.pop_front();
            }
        }
        taken
    }
}
