//! The end of calls. Each kind of end schedules the owner again: calls behind the ended one may become ready, and an
//! owner without work is removed.

use std::time::Instant;

use super::{CallId, CallPurpose, Done, Scheduler};
use crate::api::Command;
use crate::error::{Error, Status};

/// How a call comes to its end.
pub(super) enum End {
    /// Nothing is left to be sent; with the reason for the targets that have no answer.
    Final(Option<Error>),
    /// What is recorded stays to be sent.
    BrokenOff(Error),
}

impl<T> Scheduler<T> {
    /// Ends those of the calls `ids` that were not dispatched; how many they were.
    pub(in crate::client) fn cancel(
        &mut self,
        ids: &[CallId],
        error: &Error,
        now: Instant,
    ) -> usize {
        self.tally.at(now);
        let mut count = 0;
        for id in ids {
            if self.calls.get(id).is_some_and(|entry| !entry.dispatched) {
                self.end_alone(*id, End::Final(Some(error.clone())), now);
                count += 1;
            }
        }
        count
    }

    /// Ends every call, sent or not. Requests in flight still get their outcome. Recorded writes are left to the next
    /// client, and their callers get `QUEUED`, except after a bug.
    pub(in crate::client) fn end_all(&mut self, error: &Error) {
        while let Some((id, _)) = self.calls.first_key_value() {
            self.end(*id, End::BrokenOff(error.clone()));
        }
        (self.ready, self.ready_reads) = Default::default();
        self.unpaid.clear();
        self.delayed.clear();
        self.owners.retain(|_, queue| queue.abandon());
    }

    /// Ends the calls whose time is over.
    pub(super) fn expire(&mut self, now: Instant) {
        while let Some((deadline, id)) = self.deadlines.first().copied()
            && deadline <= now
        {
            self.deadlines.pop_first();
            if !self.release_caller(id) {
                let error = match self.calls.get(&id) {
                    Some(entry) if self.is_kept(entry) => not_recorded(),
                    Some(entry) if entry.may_have_happened() => {
                        out_of_time(entry.call.request.command())
                    }
                    _ => not_sent(),
                };
                self.end_alone(id, End::Final(Some(error)), now);
            }
        }
    }

    /// The call is over, and no request is: its owner may have waited for this.
    pub(super) fn end_alone(&mut self, id: CallId, end: End, now: Instant) {
        let Some(entry) = self.calls.get(&id) else {
            return;
        };
        let owner = entry.call.request.owner.clone();
        self.end(id, end);
        self.queue(&owner, now);
    }

    /// The call has ended; the caller of this function schedules its owner again.
    pub(super) fn end(&mut self, id: CallId, end: End) {
        let Some(mut entry) = self.calls.remove(&id) else {
            return;
        };
        if let Some(deadline) = entry.deadline {
            self.deadlines.remove(&(deadline, id));
        }
        if entry.purpose == CallPurpose::ReadBack {
            self.take_read_back(&entry.call);
            return;
        }
        let mut is_final = matches!(end, End::Final(_));
        match end {
            End::BrokenOff(error)
                if error.status() == Status::Closed && self.is_safe(id, &entry) =>
            {
                let (why, code) = self.still_queued(&entry.call);
                entry.call.leave_queued(why, code);
            }
            End::Final(Some(error)) | End::BrokenOff(error) => entry.call.fail(error),
            End::Final(None) => {}
        }
        if entry.purpose == CallPurpose::Accepted {
            self.count_end(&entry);
        }
        is_final = is_final && !self.outlives_answer(id, &entry);
        let owner = entry.call.request.owner.clone();
        self.done.push_back(Done {
            id,
            call: entry.call,
            caller: entry.caller,
            is_final,
            is_listing: entry.purpose == CallPurpose::Listing,
            is_part: false,
        });
        self.free_records(&owner);
    }
}

pub(in crate::client) fn out_of_time(command: Command) -> Error {
    let doubt = command.without_answer();
    Error::new(
        Status::Timeout,
        format!("out of time (config key \"call_ms\"); {doubt}"),
    )
}

/// The status says that nothing was sent, as after a connection that failed.
fn not_sent() -> Error {
    Error::new(
        Status::Connect,
        "not sent: out of time before its turn came (config keys \"call_ms\", \"connections\" and \"rate_per_second\"); \
         nothing was sent, the same call may be repeated",
    )
}

/// Of a write that is to be recorded first. If the process ends at this moment, it may be on disk.
fn not_recorded() -> Error {
    Error::new(
        Status::Timeout,
        "out of time (config key \"call_ms\") before the write was on disk; it was not sent, the same call may be \
         repeated",
    )
}
