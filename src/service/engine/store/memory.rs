//! Lists in memory.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use indexmap::IndexMap;
use parking_lot::RwLock;

use super::{ChangeSet, Entry, List, Observer, Read, Reader, Store, Visit, Write, Writer};
use crate::error::Error;

/// Lists that live as long as the process.
#[derive(Default)]
pub struct Memory(RwLock<State>);

#[derive(Default)]
struct State {
    owners: HashMap<Box<str>, usize>,
    lists: Vec<Kept>,
    imported: HashSet<Box<str>>,
    notes: ChangeSet,
}

/// Entries in insertion order, found by account.
#[derive(Default)]
struct Kept {
    entries: IndexMap<Box<str>, i64>,
    sequence: u64,
}

impl Memory {
    /// Empty lists; `observer` learns every change.
    pub fn new(observer: Option<Arc<dyn Observer>>) -> Self {
        Self(RwLock::new(State {
            notes: ChangeSet::of(observer),
            ..State::default()
        }))
    }
}

impl Store for Memory {
    fn write(&self, work: &mut Write) -> Result<(), Error> {
        let mut state = self.0.write();
        // Work on memory cannot fail half-way: the rules decide before they change.
        let outcome = work(&mut *state);
        state.notes.tell();
        outcome
    }

    fn read(&self, work: &mut Read) -> Result<(), Error> {
        work(&*self.0.read())
    }
}

impl State {
    fn kept(&self, list: &List) -> &Kept {
        &self.lists[index(list)]
    }

    fn kept_mut(&mut self, list: &List) -> &mut Kept {
        &mut self.lists[index(list)]
    }
}

fn index(list: &List) -> usize {
    usize::try_from(list.id).expect("ids are indices")
}

impl Reader for State {
    fn find(&self, owner: &str) -> Result<Option<List>, Error> {
        Ok(self.owners.get(owner).map(|&index| List {
            id: i64::try_from(index).expect("an index fits"),
            entries: self.lists[index].entries.len(),
            sequence: self.lists[index].sequence,
        }))
    }

    fn contains(&self, list: &List, account: &str) -> Result<bool, Error> {
        Ok(self.kept(list).entries.contains_key(account))
    }

    fn page(&self, list: &List, start: usize, limit: usize) -> Result<Vec<Entry>, Error> {
        let mut page = Vec::new();
        for (account, time) in self.kept(list).entries.iter().skip(start).take(limit) {
            page.push(Entry {
                account: account.to_string(),
                time: *time,
            });
        }
        Ok(page)
    }

    fn is_imported(&self, account: &str) -> Result<bool, Error> {
        Ok(self.imported.contains(account))
    }

    fn count(&self) -> Result<u64, Error> {
        let entries = self.lists.iter().map(|list| list.entries.len() as u64);
        Ok(entries.sum())
    }

    fn each(&self, visit: &mut Visit) -> Result<(), Error> {
        for (owner, index) in &self.owners {
            let accounts = self.lists[*index].entries.keys();
            visit(owner, &mut accounts.map(|account| &**account));
        }
        Ok(())
    }
}

impl Writer for State {
    fn note(&mut self, owner: &str, account: &str, blocked: bool) {
        self.notes.push(owner, account, blocked);
    }

    fn create(&mut self, owner: &str) -> Result<List, Error> {
        let index = self.lists.len();
        self.lists.push(Kept::default());
        self.owners.insert(owner.into(), index);
        Ok(List {
            id: i64::try_from(index).expect("an index fits"),
            ..List::default()
        })
    }

    fn append(&mut self, list: &List, account: &str, time: i64) -> Result<(), Error> {
        self.kept_mut(list).entries.insert(account.into(), time);
        Ok(())
    }

    fn remove(&mut self, list: &List, account: &str) -> Result<bool, Error> {
        Ok(self.kept_mut(list).entries.shift_remove(account).is_some())
    }

    fn save(&mut self, list: &List) -> Result<(), Error> {
        self.kept_mut(list).sequence = list.sequence;
        Ok(())
    }

    fn clear(&mut self, list: &List) -> Result<(), Error> {
        *self.kept_mut(list) = Kept::default();
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
