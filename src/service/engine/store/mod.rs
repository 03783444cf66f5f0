//! Storage of the lists. The engine has the rules, a store keeps the result.

mod memory;
mod sqlite;

pub use memory::Memory;
pub(crate) use sqlite::FORMAT;
pub use sqlite::Sqlite;

use std::sync::Arc;

use crate::error::Error;
use crate::sqlite::Source;

/// The list of one owner inside a transaction.
#[derive(Clone, Copy, Debug)]
pub struct List<'a> {
    /// Whose list it is.
    pub owner: &'a str,
    /// How many entries it holds.
    pub entries: usize,
    /// Its sequence (docs/protocol.md 4.4).
    pub sequence: u64,
}

/// One entry of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The blocked account.
    pub account: String,
    /// When it was blocked, Unix seconds.
    pub time: i64,
}

/// A part of a list.
#[derive(Debug, Default)]
pub struct Page {
    /// Entries, oldest first.
    pub entries: Vec<Entry>,
    /// How many the whole list has.
    pub total: usize,
    /// The sequence of the list.
    pub sequence: u64,
}

/// What a check looks at.
pub trait Pairs {
    /// Whether the list of `owner` contains `account`.
    fn contains(&self, owner: &str, account: &str) -> Result<bool, Error>;
    /// Whether `account` was imported.
    fn is_imported(&self, account: &str) -> Result<bool, Error>;
}

/// What a transaction may look at.
pub trait Reader: Pairs {
    /// The list of `owner`; `None` when it has no entries and its sequence is 0.
    fn find<'o>(&self, owner: &'o str) -> Result<Option<List<'o>>, Error>;
    /// Entries of the list of `owner` from offset `start`; no entries and 0 when there is none.
    fn page(&self, owner: &str, start: usize, limit: usize) -> Result<Page, Error>;
    /// How many entries there are.
    fn count(&self) -> Result<u64, Error>;
    /// Every entry: owners, each with some of its accounts at a time.
    fn each(&self, visit: &mut Visit) -> Result<(), Error>;
}

/// Receives changes of the lists in the order of commits: after the commit and before the caller returns.
pub trait Observer: Send + Sync {
    /// What a transaction changed, in order.
    fn apply(&self, changes: &mut dyn Iterator<Item = ChangeEvent<'_>>);

    /// Whether `owner` blocks `account`, according to the changes; `None` if the store has to be read.
    fn is_blocked(&self, owner: &str, account: &str) -> Option<bool>;
}

/// `owner` blocks `account` from now on, or does not any more.
pub struct ChangeEvent<'a> {
    /// Whose list it is.
    pub owner: &'a str,
    /// The target.
    pub account: &'a str,
    /// True if it is blocked now.
    pub blocked: bool,
}

/// Changes of a transaction that an observer gets after the commit.
#[derive(Default)]
pub(super) struct ChangeSet {
    observer: Option<Arc<dyn Observer>>,
    /// Owner and account of each change, one after the other: many changes without many allocations.
    names: String,
    changes: Vec<Change>,
}

struct Change {
    /// Where the owner ends in the names.
    owner: usize,
    /// Where the account ends, which begins at the end of the owner.
    account: usize,
    blocked: bool,
}

impl ChangeSet {
    pub(super) fn of(observer: Option<Arc<dyn Observer>>) -> Self {
        Self {
            observer,
            ..Self::default()
        }
    }

    fn push(&mut self, owner: &str, account: &str, blocked: bool) {
        if self.observer.is_none() {
            return;
        }
        self.names.push_str(owner);
        let owner = self.names.len();
        self.names.push_str(account);
        self.changes.push(Change {
            owner,
            account: self.names.len(),
            blocked,
        });
    }

    /// The changes are kept.
    fn report(&mut self) {
        let Some(observer) = &self.observer else {
            return;
        };
        let mut start = 0;
        let mut changes = self.changes.drain(..).map(|change| {
            let from = std::mem::replace(&mut start, change.account);
            ChangeEvent {
                owner: &self.names[from..change.owner],
                account: &self.names[change.owner..change.account],
                blocked: change.blocked,
            }
        });
        observer.apply(&mut changes);
        drop(changes);
        self.names.clear();
    }

    fn forget(&mut self) {
        self.names.clear();
        self.changes.clear();
    }
}

/// What a transaction may change.
pub trait Writer: Reader {
    /// A new, empty list for `owner`, which has none.
    fn create<'o>(&mut self, owner: &'o str) -> Result<List<'o>, Error>;
    /// Appends an entry unless it is in `list`; whether it was not. The caller counts, and saves at the end.
    fn append(&mut self, list: &List, account: &str, time: i64) -> Result<bool, Error>;
    /// Removes an entry; whether it was there. The caller counts, and saves at the end.
    fn remove(&mut self, list: &List, account: &str) -> Result<bool, Error>;
    /// Keeps the counters of `list`.
    fn save(&mut self, list: &List) -> Result<(), Error>;
    /// Removes every entry of `list`, and the list with its counters.
    fn clear(&mut self, list: &List) -> Result<(), Error>;
    /// Imports `account`.
    fn import(&mut self, account: &str) -> Result<(), Error>;
    /// Forgets that `account` was imported; whether it was.
    fn forget(&mut self, account: &str) -> Result<bool, Error>;
}

/// Receives an owner and accounts that it blocks.
pub type Visit<'a> = dyn FnMut(&str, &mut dyn Iterator<Item = &str>) + 'a;
/// Work inside a transaction that changes something.
pub type Write<'a> = dyn FnMut(&mut dyn Writer) -> Result<(), Error> + 'a;
/// Work inside a transaction that only looks.
pub type Read<'a> = dyn FnMut(&dyn Reader) -> Result<(), Error> + 'a;
/// Work that only looks whether there are pairs.
pub type Check<'a> = dyn FnMut(&dyn Pairs) -> Result<(), Error> + 'a;

/// Keeps lists. Shared by any number of threads.
pub trait Store: Send + Sync {
    /// The file, to copy it; None in memory.
    fn file(&self) -> Option<Source> {
        None
    }

    /// Runs `work` as one transaction: seen by others whole or not at all, and kept when this returns
    /// `Ok` (on disk, for a durable store).
    ///
    /// # Errors
    /// What `work` returned, or [`crate::Status::Storage`]; nothing is changed then.
    fn write(&self, work: &mut Write) -> Result<(), Error>;

    /// Runs `work` on one consistent state that is already kept.
    ///
    /// # Errors
    /// What `work` returned, or [`crate::Status::Storage`].
    fn read(&self, work: &mut Read) -> Result<(), Error>;

    /// Runs `work` on one state of all pairs that is already kept, from memory where the store has them there. Which
    /// accounts are imported may be newer.
    ///
    /// # Errors
    /// What `work` returned, or [`crate::Status::Storage`].
    fn check(&self, work: &mut Check) -> Result<(), Error>;

    /// What an operator should know about the opening.
    fn notice(&self) -> Option<String> {
        None
    }
}
