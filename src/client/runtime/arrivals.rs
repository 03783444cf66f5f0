//! What threads of the host program leave in the inbox.

use std::collections::VecDeque;
use std::time::Instant;

use crate::api::{Account, Request};

/// So many share a block of memory.
const BLOCK: usize = 1024;

/// What was accepted and is not in the scheduler yet.
pub(super) struct Arrival {
    pub(super) what: What,
    pub(super) accepted: Instant,
}

/// What was left.
pub(super) enum What {
    /// A call, with its tag.
    Call(Request, u64),
    /// These owners are to be watched, or not any more: the list of watched owners says which.
    WatchListChanged(Vec<Account>),
}

/// In order. In blocks, so that no thread that submits a call copies those before it, and the memory of a burst is
/// released; one block is kept for the next burst.
#[derive(Default)]
pub(super) struct Arrivals {
    /// Only a block that is alone may be empty.
    blocks: VecDeque<VecDeque<Arrival>>,
}

impl Arrivals {
    pub(super) fn is_empty(&self) -> bool {
        self.front().is_none()
    }

    pub(super) fn front(&self) -> Option<&Arrival> {
        self.blocks.front()?.front()
    }

    pub(super) fn push(&mut self, arrival: Arrival) {
        match self.blocks.back_mut() {
            Some(block) if block.len() < BLOCK => block.push_back(arrival),
            last => {
                let places = if last.is_some() { BLOCK } else { 0 };
                let mut block = VecDeque::with_capacity(places);
                block.push_back(arrival);
                self.blocks.push_back(block);
            }
        }
    }

    pub(super) fn pop_front(&mut self) -> Option<Arrival> {
        let first = self.blocks.front_mut()?.pop_front();
        let is_empty = self.blocks.front().is_some_and(VecDeque::is_empty);
        if is_empty && self.blocks.len() > 1 {
            self.blocks.pop_front();
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrives_is_taken_in_order_and_one_block_is_kept() {
        let accepted = Instant::now();
        let mut arrivals = Arrivals::default();
        for round in 0..3 {
            for number in 0..BLOCK * 2 + 10 {
                let owners = vec![Account::from(number.to_string())];
                let what = What::WatchListChanged(owners);
                arrivals.push(Arrival { what, accepted });
            }
            for number in 0..BLOCK * 2 + 10 {
                let Some(What::WatchListChanged(owners)) = arrivals.pop_front().map(|it| it.what)
                else {
                    panic!("one is missing in round {round}");
                };
                assert_eq!(owners[0], number.to_string());
            }
            assert!(arrivals.is_empty() && arrivals.pop_front().is_none());
            assert_eq!(arrivals.blocks.len(), 1);
        }
    }
}
