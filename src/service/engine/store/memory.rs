//! Lists in memory.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use indexmap::IndexMap;
use parking_lot::RwLock;

use super::{
    ChangeSet, Check, Entry, List, Observer, Page, Pairs, Read, Reader, Store, Visit, Write, Writer,
};
use crate::error::Error;

/// Lists that live as long as the process.
#[derive(Default)]
pub struct Memory(RwLock<State>);

#[derive(Default)]
struct State {
    lists: HashMap<Box<str>, Kept>,
    imported: HashSet<Box<str>>,
    changes: ChangeSet,
}

/// Entries in insertion order, found by account.
#[derive(Default)]
struct Kept {
    entries: IndexMap<Box<str>, i64>,
    sequence: u64,
}

impl Memory {
    /// Empty lists; `observer` gets every change.
    pub fn new(observer: Option<Arc<dyn Observer>>) -> Self {
        Self(RwLock::new(State {
            changes: ChangeSet::of(observer),
            ..State::default()
        }))
    }
}

impl Store for Memory {
    fn write(&self, work: &mut Write) -> Result<(), Error> {
        let mut state = self.0.write();
        // Work on memory cannot fail half-way: the rules decide before they change.
        let outcome = work(&mut *state);
        state.changes.report();
        outcome
    }

    fn read(&self, work: &mut Read) -> Result<(), Error> {
        work(&*self.0.read())
    }

    fn check(&self, work: &mut Check) -> Result<(), Error> {
        work(&*self.0.read())
    }
}

impl State {
    fn kept_mut(&mut self, list: &List) -> &mut Kept {
        self.lists
            .get_mut(list.owner)
            .expect("it was found or created")
    }
}

impl Pairs for State {
    fn contains(&self, owner: &str, account: &str) -> Result<bool, Error> {
        let list = self.lists.get(owner);
        Ok(list.is_some_and(|list| list.entries.contains_key(account)))
    }

    fn is_imported(&self, account: &str) -> Result<bool, Error> {
        Ok(self.imported.contains(account))
    }
}

impl Reader for State {
    fn find<'o>(&self, owner: &'o str) -> Result<Option<List<'o>>, Error> {
        Ok(self.lists.get(owner).map(|list| List {
            owner,
            entries: list.entries.len(),
            sequence: list.sequence,
        }))
    }

    fn page(&self, owner: &str, start: usize, limit: usize) -> Result<Page, Error> {
        let Some(list) = self.lists.get(owner) else {
            return Ok(Page::default());
        };
        let mut page = Page {
            entries: Vec::new(),
            total: list.entries.len(),
            sequence: list.sequence,
        };
        for (account, time) in list.entries.iter().skip(start).take(limit) {
            page.entries.push(Entry {
                account: account.to_string(),
                time: *time,
            });
        }
        Ok(page)
    }

    fn count(&self) -> Result<u64, Error> {
        let entries = self.lists.values().map(|list| list.entries.len() as u64);
        Ok(entries.sum())
    }

    fn each(&self, visit: &mut Visit) -> Result<(), Error> {
        for (owner, list) in &self.lists {
            visit(owner, &mut list.entries.keys().map(|account| &**account));
        }
        Ok(())
    }
}

impl Writer for State {
    fn create<'o>(&mut self, owner: &'o str) -> Result<List<'o>, Error> {
        self.lists.insert(owner.into(), Kept::default());
        Ok(List {
            owner,
            entries: 0,
            sequence: 0,
        })
    }

    fn append(&mut self, list: &List, account: &str, time: i64) -> Result<bool, Error> {
        let entries = &mut self.kept_mut(list).entries;
        if entries.contains_key(account) {
            return Ok(false);
        }
        entries.insert(account.into(), time);
        self.changes.push(list.owner, account, true);
        Ok(true)
    }

    fn remove(&mut self, list: &List, account: &str) -> Result<bool, Error> {
        let removed = self.kept_mut(list).entries.shift_remove(account);
        if removed.is_some() {
            self.changes.push(list.owner, account, false);
        }
        Ok(removed.is_some())
    }

    fn save(&mut self, list: &List) -> Result<(), Error> {
        self.kept_mut(list).sequence = list.sequence;
        Ok(())
    }

    fn clear(&mut self, list: &List) -> Result<(), Error> {
        let cleared = self.lists.remove(list.owner).unwrap_or_default();
        for account in cleared.entries.keys() {
            self.changes.push(list.owner, account, false);
        }
        Ok(())
    }

    fn import(&mut self, account: &str) -> Result<(), Error> {
        self.imported.insert(account.into());
        Ok(())
    }

    fn forget(&mut self, account: &str) -> Result<bool, Error> {
        Ok(self.imported.remove(account))
    }
}
