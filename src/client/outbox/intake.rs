//! The interface between scheduler and outbox: which calls are passed in which direction. The threads and the
//! simulator run the same code.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{BadRow, CommitOutcome, Loaded, Outbox, Record};
use crate::api::Request;
use crate::client::scheduler::{CallId, Returned, Scheduler, unread};
use crate::error::{Error, Status};

/// A caller of whom a number is all that has to be remembered.
pub(in crate::client) trait Tagged: Sized {
    /// The number; None of a caller that waits on its thread.
    fn tag(&self) -> Option<u64>;

    /// The caller with that number.
    fn of_tag(tag: u64) -> Self;
}

/// A call on its way in.
pub(in crate::client) struct IncomingCall<T> {
    pub(in crate::client) request: Arc<Request>,
    pub(in crate::client) caller: T,
    /// Since when its caller waits.
    pub(in crate::client) entered: Option<Instant>,
}

/// Now, on the clock that runs and on the one of the wall.
pub(in crate::client) type Moment = (Instant, i64);

/// Outcome of the intake of a call.
pub(in crate::client) struct Accepted {
    pub(in crate::client) id: CallId,
    /// The scheduler have it; otherwise the outbox alone.
    pub(in crate::client) is_scheduled: bool,
    /// The writer has to look again.
    pub(in crate::client) wakes_writer: bool,
}

/// Takes a call: into the scheduler, and a write into the outbox, when there is one; there alone when earlier writes of its
/// owner are on disk only or there is no room for it in memory. A read of such an owner waits for those.
pub(in crate::client) fn accept<T: Tagged>(
    scheduler: &mut Scheduler<T>,
    outbox: Option<&mut Outbox>,
    call: IncomingCall<T>,
    (now, unix_seconds): Moment,
) -> Accepted {
    let IncomingCall {
        request,
        caller,
        entered,
    } = call;
    let Some(outbox) = outbox else {
        let id = scheduler.accept(request, caller, entered, now);
        return Accepted::into_scheduler(id, false);
    };
    if !request.command().is_write() {
        let id = if outbox.has_beyond(&request.owner) {
            scheduler.park_read(request, caller, entered, now)
        } else {
            scheduler.accept(request, caller, entered, now)
        };
        return Accepted::into_scheduler(id, false);
    }
    let record = |id| Record::new(id, Arc::clone(&request), unix_seconds);
    let is_beyond = outbox.is_beyond(&request.owner);
    let (id, added, caller) = if is_beyond {
        // The scheduler keeps the waiting callers.
        let tag = caller.tag().filter(|_| entered.is_none());
        let (id, caller) = scheduler.park_write(Arc::clone(&request), caller, entered, now);
        (id, outbox.add_beyond(record(id), tag, now), caller)
    } else {
        let id = scheduler.accept(Arc::clone(&request), caller, entered, now);
        (id, outbox.add(record(id), now), None)
    };
    let is_scheduled = !is_beyond;
    match added {
        Ok(is_sooner) => Accepted {
            id,
            is_scheduled,
            wakes_writer: is_sooner | (entered.is_some() && outbox.hurry(now)),
        },
        Err(error) => {
            if is_beyond {
                scheduler.end_parked(id, (request, caller), &error, (now, true));
            } else {
                scheduler.fail_unrecorded([id], &error, now);
            }
            Accepted {
                id,
                is_scheduled,
                wakes_writer: false,
            }
        }
    }
}

impl Accepted {
    fn into_scheduler(id: CallId, wakes_writer: bool) -> Self {
        Self {
            id,
            is_scheduled: true,
            wakes_writer,
        }
    }
}

/// What came back from disk.
#[derive(Default)]
pub(in crate::client) struct Back {
    /// Tags of calls that are in the scheduler now.
    pub(in crate::client) tags: Vec<(u64, CallId)>,
    /// Rows that turned out to be no writes.
    pub(in crate::client) bad: Vec<BadRow>,
    /// Writes whose rows another program has removed.
    pub(in crate::client) gone: Vec<CallId>,
}

/// Takes writes that were read into the scheduler, in order.
pub(in crate::client) fn arrive<T: Tagged>(
    scheduler: &mut Scheduler<T>,
    outbox: &mut Outbox,
    page: Vec<(CallId, Loaded)>,
    moment: Moment,
) -> Back {
    let (now, unix_seconds) = moment;
    let mut back = Back::default();
    for (id, loaded) in page {
        let Some(arrived) = outbox.arrive(id) else {
            continue;
        };
        let caller = arrived.tag.map(T::of_tag);
        let fail = |request, error: &Error| {
            scheduler.end_parked(id, (request, caller), error, (now, true));
        };
        match loaded {
            Loaded::Write(record) if arrived.is_cancelled => {
                fail(record.into_request(), &cancelled());
            }
            Loaded::Write(record) => {
                back.tags.extend(arrived.tag.map(|tag| (tag, id)));
                let age = unix_seconds.saturating_sub(arrived.accepted);
                let age = Duration::from_secs(u64::try_from(age).unwrap_or(0));
                let caller = arrived.tag.map(T::of_tag);
                let write = Returned {
                    id,
                    request: record.into_request(),
                    caller,
                    age,
                };
                scheduler.unpark(write, now);
            }
            Loaded::Bad(reason) => {
                fail(unread(arrived.command), &unsendable(&reason));
                back.bad.push(BadRow::new(id, reason.clone()));
                outbox.set_aside_arrived(id, reason, moment);
            }
            Loaded::Unreadable(error) | Loaded::Locked(error) => {
                let reason = format!("cannot be read: {error}");
                fail(unread(arrived.command), &error);
                back.bad.push(BadRow::new(id, reason.clone()));
                outbox.set_aside_arrived(id, reason, moment);
            }
            Loaded::Gone => {
                fail(unread(arrived.command), &removed());
                outbox.erase(id, now);
                back.gone.push(id);
            }
        }
    }
    release_reads(scheduler, outbox, now);
    back
}

/// Releases reads that no longer wait for a write on disk.
fn release_reads<T>(scheduler: &mut Scheduler<T>, outbox: &Outbox, now: Instant) {
    for owner in scheduler.parked_owners() {
        if !outbox.has_beyond(&owner) {
            scheduler.release_reads(&owner, CallId::MAX, now);
        }
    }
}

/// Cancels the writes with `tag` that only the outbox has, and returns their number. The writer has to look again if
/// there is any.
pub(in crate::client) fn cancel<T: Tagged>(
    scheduler: &mut Scheduler<T>,
    outbox: &mut Outbox,
    tag: u64,
    now: Instant,
) -> usize {
    let (count, over) = outbox.cancel_beyond(tag);
    for record in over {
        let caller = Some(T::of_tag(tag));
        scheduler.end_parked(
            record.id,
            (record.into_request(), caller),
            &cancelled(),
            (now, true),
        );
    }
    count
}

/// Ends the calls of callers that only the outbox has, because the client ends.
pub(in crate::client) fn end_all<T: Tagged>(
    scheduler: &mut Scheduler<T>,
    outbox: &mut Outbox,
    error: &Error,
    now: Instant,
) {
    for unread_write in outbox.take_callers() {
        let known = (
            unread(unread_write.command),
            unread_write.tag.map(T::of_tag),
        );
        scheduler.end_parked(unread_write.id, known, error, (now, false));
    }
}

/// Passes the outcome of a commit to the scheduler; returns what is to be logged, and whether it is an error.
pub(in crate::client) fn take_outcome<T: Tagged>(
    scheduler: &mut Scheduler<T>,
    outbox: &Outbox,
    outcome: CommitOutcome,
    now: Instant,
) -> Option<(bool, String)> {
    match outcome {
        CommitOutcome::Recorded(up_to) => {
            scheduler.record(up_to, now);
            None
        }
        CommitOutcome::Lost {
            records,
            up_to,
            error,
        } => {
            for lost in records {
                let id = lost.record.id;
                if let Some(tag) = lost.tag {
                    let known = (lost.record.into_request(), Some(T::of_tag(tag)));
                    scheduler.end_parked(id, known, &error, (now, true));
                } else {
                    scheduler.fail_unrecorded([id], &error, now);
                }
            }
            scheduler.record(up_to, now);
            release_reads(scheduler, outbox, now);
            Some((true, error.message().to_owned()))
        }
        CommitOutcome::Postponed(error) => Some((
            false,
            format!("{error}; nothing was written, it is tried again"),
        )),
    }
}

fn cancelled() -> Error {
    Error::new(Status::Cancelled, "cancelled before it was sent")
}

fn unsendable(reason: &str) -> Error {
    Error::new(
        Status::Storage,
        format!(
            "the row of the write in the outbox {reason}; it is not sent, see `chatblock outbox show`"
        ),
    )
}

fn removed() -> Error {
    Error::new(
        Status::Storage,
        "somebody has removed the write from the outbox; it is not sent",
    )
}
