//! Pair cache: all pairs in memory, from which a client or a durable engine answers checks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::store::{ChangeEvent, Observer, Store};
use crate::cache::{Answer, BlockCache, Change, Full};
use crate::error::{Error, Status};
use crate::random;

/// Loads every list of `store` into `blocks`.
///
/// # Errors
/// [`Status::Storage`], also when there is no memory for them.
pub(crate) fn load(blocks: &BlockCache, store: &dyn Store) -> Result<(), Error> {
    store.read(&mut |lists| {
        let reserved = blocks.reserve(lists.count()?);
        reserved.map_err(|Full| no_memory())?;
        let mut full = false;
        lists.each(&mut |owner, accounts| {
            let pairs = accounts.map(|account| Change {
                owner: owner.as_bytes(),
                peer: account.as_bytes(),
                blocked: true,
            });
            full |= blocks.change_all(pairs).is_err();
        })?;
        if full { Err(no_memory()) } else { Ok(()) }
    })
}

/// Applies the changes of a transaction to `blocks`.
pub(crate) fn apply(
    blocks: &BlockCache,
    changes: &mut dyn Iterator<Item = ChangeEvent<'_>>,
) -> Result<(), Full> {
    blocks.change_all(changes.map(|change| Change {
        owner: change.owner.as_bytes(),
        peer: change.account.as_bytes(),
        blocked: change.blocked,
    }))
}

/// The answer of a complete cache.
pub(crate) fn is_blocked(blocks: &BlockCache, owner: &str, account: &str) -> bool {
    blocks.is_blocked(owner.as_bytes(), account.as_bytes(), || 0) == Answer::Yes
}

pub(crate) fn no_memory() -> Error {
    Error::new(
        Status::Storage,
        "there is no memory for the lists; make room, or move lists to another process",
    )
}

/// The pairs of a store whose engine has no other observer.
pub(super) struct PairCache {
    blocks: BlockCache,
    /// There was no memory for a pair: it answers no further checks.
    lacks_some: AtomicBool,
}

impl PairCache {
    pub(super) fn new() -> Result<Arc<Self>, Error> {
        let blocks = BlockCache::complete(random::key()).map_err(|Full| no_memory())?;
        Ok(Arc::new(Self {
            blocks,
            lacks_some: AtomicBool::new(false),
        }))
    }

    pub(super) fn load(&self, store: &dyn Store) -> Result<(), Error> {
        load(&self.blocks, store)
    }
}

impl Observer for PairCache {
    fn apply(&self, changes: &mut dyn Iterator<Item = ChangeEvent<'_>>) {
        if apply(&self.blocks, changes).is_err() {
            self.lacks_some.store(true, Ordering::Release);
        }
    }

    fn is_blocked(&self, owner: &str, account: &str) -> Option<bool> {
        let lacks_some = self.lacks_some.load(Ordering::Acquire);
        (!lacks_some).then(|| is_blocked(&self.blocks, owner, account))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::engine::store::Sqlite;

    /// What a check of `ann` and `bob` finds.
    fn is_blocked(store: &Sqlite) -> bool {
        let mut found = false;
        let checked = store.check(&mut |pairs| {
            found = pairs.contains("ann", "bob")?;
            Ok(())
        });
        checked.expect("an answer");
        found
    }

    fn block(store: &Sqlite) {
        let written = store.write(&mut |lists| {
            let mut list = lists.create("ann")?;
            lists.append(&list, "bob", 7)?;
            (list.entries, list.sequence) = (1, 1);
            lists.save(&list)
        });
        written.expect("room");
    }

    fn open(directory: &tempfile::TempDir) -> (Arc<PairCache>, Sqlite) {
        let cache = PairCache::new().expect("memory");
        let observer = Arc::clone(&cache) as Arc<dyn Observer>;
        let path = directory.path().join("store.db");
        let store = Sqlite::open(&path, Some(observer)).expect("a store");
        cache.load(&store).expect("its lists");
        (cache, store)
    }

    #[test]
    fn a_check_is_answered_from_memory_and_follows_every_change() {
        let directory = tempfile::tempdir().expect("a directory");
        let (cache, store) = open(&directory);
        assert!(!is_blocked(&store));
        block(&store);
        assert!(is_blocked(&store));
        drop((cache, store));
        let (cache, store) = open(&directory);
        assert!(is_blocked(&store), "what was there before");
        let asked = cache.blocks.stats(0).hits;
        assert_eq!(asked, 1, "the cache was asked");
        let cleared = store.write(&mut |lists| {
            let list = lists.find("ann")?.expect("a list");
            lists.clear(&list)
        });
        cleared.expect("room");
        assert!(!is_blocked(&store), "a list that was cleared");
    }

    #[test]
    fn a_cache_that_lacks_a_pair_answers_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        let (cache, store) = open(&directory);
        block(&store);
        cache.lacks_some.store(true, Ordering::Release);
        assert_eq!(cache.is_blocked("ann", "bob"), None);
        assert!(is_blocked(&store), "the store says it");
    }

    #[test]
    fn what_was_taken_back_is_not_learned() {
        let directory = tempfile::tempdir().expect("a directory");
        let (_cache, store) = open(&directory);
        let failed = store.write(&mut |lists| {
            let list = lists.create("ann")?;
            lists.append(&list, "bob", 7)?;
            Err(no_memory())
        });
        failed.expect_err("it is taken back");
        assert!(!is_blocked(&store));
    }
}
