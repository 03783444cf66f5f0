//! Lists in memory, as a transaction needs them. A writer keeps them from one to the next: nobody else changes the file.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::super::List;
use super::lines::Lines;
use super::numbers::Spread;

/// Bytes of lists from which on a writer begins anew.
const MAX_BYTES: usize = 4 << 20;

/// What a line takes beside its account: in the text, and in what finds it.
const LINE_BYTES: usize = 32;

/// Lists by the store's own name for their owner.
#[derive(Default)]
pub(super) struct AtHand {
    lists: HashMap<i64, Kept, BuildHasherDefault<Spread>>,
    ids: HashMap<Box<str>, i64>,
    /// Of all lists.
    bytes: usize,
    /// Rows that were added to the table `changes`.
    pub(super) changes: usize,
}

/// One list, as it stands inside the transaction.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) list: List,
    /// None until something of them was asked.
    pub(super) lines: Option<Lines>,
    /// What was appended and removed since the list was saved.
    pub(super) unsaved: Unsaved,
}

/// Changes as the table `changes` has them.
#[derive(Default)]
pub(super) struct Unsaved {
    pub(super) lines: String,
    pub(super) count: usize,
}

impl AtHand {
    pub(super) fn find(&self, owner: &str) -> Option<List> {
        let id = self.ids.get(owner)?;
        self.lists.get(id).map(|kept| kept.list)
    }

    pub(super) fn put(&mut self, owner: &str, list: List) {
        self.ids.insert(owner.into(), list.id);
        self.lists.entry(list.id).or_default().list = list;
        self.bytes += size_of::<Kept>() + owner.len();
    }

    /// The list `id`, which is at hand from now on.
    pub(super) fn get_mut(&mut self, id: i64) -> &mut Kept {
        self.lists.entry(id).or_default()
    }

    pub(super) fn set_lines(&mut self, id: i64, lines: Lines) {
        self.bytes += lines.bytes();
        self.get_mut(id).lines = Some(lines);
    }

    /// The lines of the list `id`, if they were read.
    pub(super) fn lines_mut(&mut self, id: i64) -> Option<&mut Lines> {
        self.lists.get_mut(&id)?.lines.as_mut()
    }

    pub(super) fn has_lines(&self, id: i64) -> bool {
        let kept = self.lists.get(&id);
        kept.is_some_and(|kept| kept.lines.is_some())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// ChangeSet that a line was appended to the list `id`.
    pub(super) fn appended(&mut self, id: i64, account: &str, time: i64) {
        self.bytes += account.len() + LINE_BYTES;
        self.get_mut(id).unsaved.append(account, time);
    }

    pub(super) fn forget(&mut self, id: i64) {
        self.lists.remove(&id);
        self.ids.retain(|_, other| *other != id);
    }

    pub(super) fn is_large(&self) -> bool {
        self.bytes > MAX_BYTES
    }
}
