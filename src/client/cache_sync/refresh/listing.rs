//! One list that is read page by page.

use std::time::Instant;

use super::queue::Urgency;
use crate::api::{Account, MAX_PER_CALL, Operation, Request};
use crate::client::call::Call;
use crate::error::Status;

/// Readings that restart because the list changed between two pages (choice C14).
const RESTARTS: u8 = 3;
/// No list is longer: the service's limit is 1000 entries.
const MAX_PEERS: usize = 100_000;

/// A list that is being read.
pub(super) struct ListRead {
    pub(super) started: Instant,
    /// The same in the time of the cache.
    pub(super) started_ms: u64,
    pub(super) peers: Vec<Account>,
    next_index: u32,
    sequence: Option<u64>,
    restarts: u8,
    /// Pages that arrived.
    pub(super) pages: u32,
    pub(super) urgency: Urgency,
    /// Changes reported before it began, for another reading if this one fails.
    pub(super) changed_at: Option<Instant>,
}

/// The state of a listing after a page.
pub(super) enum Progress {
    Onward,
    Complete,
    Failed,
}

impl ListRead {
    pub(super) fn new(
        (started, started_ms): (Instant, u64),
        changed_at: Option<Instant>,
        urgency: Urgency,
    ) -> Self {
        Self {
            started,
            started_ms,
            peers: Vec::new(),
            next_index: 0,
            sequence: None,
            restarts: 0,
            pages: 0,
            urgency,
            changed_at,
        }
    }

    /// The request for the next page of the list of `owner`.
    pub(super) fn page(&self, owner: &str) -> Request {
        Request {
            owner: owner.into(),
            operation: Operation::Get {
                start_index: u64::from(self.next_index),
                limit: u32::try_from(MAX_PER_CALL).unwrap_or(u32::MAX),
                last_sequence: 0,
            },
        }
    }

    /// Takes a page that was asked for.
    pub(super) fn take_page(&mut self, call: &Call) -> Progress {
        if call.status() != Status::Ok {
            return Progress::Failed;
        }
        self.pages += 1;
        let next = call.listing.next_index;
        let is_same = *self.sequence.get_or_insert(call.listing.sequence) == call.listing.sequence;
        let grows = next > self.next_index;
        let peers = call.entries.iter().map(|item| item.account.clone());
        self.peers.extend(peers);
        if is_same && next == 0 {
            return Progress::Complete;
        }
        if !is_same && self.restarts < RESTARTS {
            self.restarts += 1;
            self.peers.clear();
            self.sequence = None;
            self.next_index = 0;
        } else if is_same && grows && self.peers.len() <= MAX_PEERS {
            self.next_index = next;
        } else {
            return Progress::Failed;
        }
        Progress::Onward
    }
}
