//! Accepted writes that are not on disk yet, in batches of one commit each: memory is released with every commit, and
//! no commit takes long, however fast writes come in.

use std::collections::VecDeque;

use super::{CallId, Record};

/// Writes in order of their ids. No batch is empty.
pub(super) struct Unwritten {
    batches: VecDeque<Vec<Record>>,
    /// Most writes of a batch.
    most: usize,
}

impl Unwritten {
    pub(super) fn new(most: usize) -> Self {
        Self {
            batches: VecDeque::new(),
            most,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// The oldest write.
    pub(super) fn first(&self) -> Option<&Record> {
        self.batches.front()?.first()
    }

    /// Takes a write that is accepted after all others here.
    pub(super) fn push(&mut self, record: Record) {
        match self.batches.back_mut() {
            Some(batch) if batch.len() < self.most => batch.push(record),
            _ => self.batches.push_back(vec![record]),
        }
    }

    /// Takes out what the next commit writes.
    pub(super) fn take(&mut self) -> Vec<Record> {
        self.batches.pop_front().unwrap_or_default()
    }

    /// Takes out everything.
    pub(super) fn take_all(&mut self) -> Vec<Record> {
        self.batches.drain(..).flatten().collect()
    }

    /// Puts writes back that are older than all others here.
    pub(super) fn put_back(&mut self, mut batch: Vec<Record>) {
        if batch.is_empty() {
            return;
        }
        let most = self.most;
        let fits = |next: &mut Vec<Record>| batch.len() + next.len() <= most;
        if let Some(next) = self.batches.pop_front_if(fits) {
            batch.extend(next);
        }
        self.batches.push_front(batch);
    }

    /// The write `id`, if it is here.
    pub(super) fn get(&self, id: CallId) -> Option<&Record> {
        let (batch, position) = self.find(id)?;
        self.batches.get(batch)?.get(position)
    }

    /// Takes the write `id` out.
    pub(super) fn remove(&mut self, id: CallId) -> Option<Record> {
        let (batch, position) = self.find(id)?;
        let records = self.batches.get_mut(batch)?;
        let record = records.remove(position);
        if records.is_empty() {
            self.batches.remove(batch);
        }
        Some(record)
    }

    /// In which batch the write `id` is, and where in it.
    fn find(&self, id: CallId) -> Option<(usize, usize)> {
        let is_before = |batch: &Vec<Record>| batch.last().is_some_and(|last| last.id < id);
        let batch = self.batches.partition_point(is_before);
        let records = self.batches.get(batch)?;
        let position = records.binary_search_by_key(&id, |record| record.id).ok()?;
        Some((batch, position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::outbox::tests::record;

    fn ids(records: &[Record]) -> Vec<CallId> {
        records.iter().map(|record| record.id).collect()
    }

    #[test]
    fn writes_are_taken_in_order_one_batch_at_a_time() {
        let mut unwritten = Unwritten::new(3);
        (0..8).map(record).for_each(|it| unwritten.push(it));
        assert_eq!(unwritten.remove(4).map(|record| record.id), Some(4));
        assert!(unwritten.get(4).is_none() && unwritten.get(7).is_some());
        let first = unwritten.take();
        assert_eq!(ids(&first), [0, 1, 2]);
        assert_eq!(unwritten.first().map(|record| record.id), Some(3));
        unwritten.put_back(first);
        assert_eq!(ids(&unwritten.take()), [0, 1, 2]);
        unwritten.put_back(vec![record(2)]);
        assert_eq!(ids(&unwritten.take()), [2, 3, 5], "there is room for it");
        unwritten.put_back(Vec::new());
        assert_eq!(ids(&unwritten.take_all()), [6, 7]);
        assert!(unwritten.is_empty() && unwritten.take().is_empty());
    }

    #[test]
    fn a_batch_that_is_removed_write_by_write_is_gone() {
        let mut unwritten = Unwritten::new(2);
        (0..4).map(record).for_each(|it| unwritten.push(it));
        unwritten.remove(0);
        unwritten.remove(1);
        assert_eq!(ids(&unwritten.take()), [2, 3]);
        assert!(unwritten.is_empty());
    }
}
