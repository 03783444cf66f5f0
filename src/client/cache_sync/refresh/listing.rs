//! One list that is read page by page.

use std::time::Instant;

use super::queue::Urgency;
use crate::api::list_pages::Progress;
use crate::api::{ListPages, MAX_PER_CALL, Operation, Request};
use crate::client::call::Call;
use crate::error::Status;

/// A list that is being read.
pub(super) struct ListRead {
    pub(super) started: Instant,
    /// The same in the time of the cache.
    pub(super) started_ms: u64,
    pub(super) list: ListPages,
    pub(super) urgency: Urgency,
    /// Changes reported before it began, for another reading if this one fails.
    pub(super) changed_at: Option<Instant>,
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
            list: ListPages::default(),
            urgency,
            changed_at,
        }
    }

    /// The request for the next page of the list of `owner`.
    pub(super) fn page(&self, owner: &str) -> Request {
        Request {
            owner: owner.into(),
            operation: Operation::Get {
                start_index: u64::from(self.list.next_index()),
                limit: u32::try_from(MAX_PER_CALL).unwrap_or(u32::MAX),
                last_sequence: 0,
            },
        }
    }

    /// Takes a page that was asked for; None if it did not come.
    pub(super) fn take_page(&mut self, call: &Call) -> Option<Progress> {
        if call.status() != Status::Ok {
            return None;
        }
        let entries = call.entries.iter();
        let entries = entries.map(|item| (item.account.clone(), item.time));
        Some(self.list.take(entries, call.listing))
    }
}
