//! Recorded writes are not sent while the service refuses their caller: a wrong key, an address that is not allowed,
//! an app in arrears. Such a refusal says nothing about a write (choice C46), so no write ends with it.
//!
//! ```text
//!              a write is refused, and the caller is meant
//!   sending  ------------------------------------------->  held: one probe a minute, which is a write like any other
//!      ^                                                     |
//!      +-------- the service does a later write, or refuses -+
//!                it for a reason of its own
//! ```
//!
//! A refusal can look as if it concerned the caller and concern one write: a firewall that rejects a name. A write
//! that is refused while a later request succeeds is held back alone after that.

use std::time::Instant;

use super::batch::{Batch, Payment};
use super::{CallId, Scheduler};
use crate::api::{Answer, Retry, Verdict, codes};
use crate::client::call::Call;
use crate::client::reply::cause;
use crate::client::retry::REST;
use crate::client::stats;
use crate::error::{Error, Status};

/// Requests in the order in which they went out.
type Number = u64;

/// A refusal that concerns the caller, not the write.
pub(super) struct CallerRefusal {
    /// The code of the service; 0 for a page of a proxy or firewall.
    code: i32,
    /// HTTP status of the page; 200 for the service's own answer.
    http_status: u16,
    text: String,
}

impl CallerRefusal {
    /// What the refusal of a whole request says about the caller, when it does.
    pub(super) fn of_request(answer: &Answer) -> Option<Self> {
        codes::leaves_the_write(answer.code).then(|| Self::coded(answer.code, &answer.info))
    }

    /// The same when the items of an accepted request do, all of them.
    pub(super) fn of_items(answer: &Answer) -> Option<Self> {
        let means_caller = |code| codes::lookup(code).is_some() && codes::leaves_the_account(code);
        let mut items = answer.items.iter();
        let refuses = items
            .all(|item| item.verdict == Verdict::Failed(Retry::Never) && means_caller(item.code));
        let first = answer.items.first().filter(|_| refuses)?;
        Some(Self::coded(first.code, &first.info))
    }

    /// The same for a page that came instead of an answer.
    pub(super) fn of_page(error: &Error) -> Option<Self> {
        let status = error.http_status();
        let http_status = status.filter(|status| codes::page_concerns_caller(*status))?;
        Some(Self {
            code: 0,
            http_status,
            text: format!("HTTP status {http_status} instead of an answer; see \"base_url\""),
        })
    }

    fn coded(code: i32, info: &str) -> Self {
        Self {
            code,
            http_status: 200,
            text: cause(code, info),
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        (self.code, self.http_status) == (other.code, other.http_status)
    }
}

/// Whether recorded writes are sent, and why not.
#[derive(Default)]
pub(super) struct Hold {
    current: Option<Held>,
    /// The number of the next request.
    next: Number,
    /// The newest write that the service did, or refused for a reason of its own.
    passed: Option<Number>,
    /// Changes to be logged, a line each.
    news: Vec<String>,
}

struct Held {
    refusal: CallerRefusal,
    since: Instant,
    /// When the next probe may go.
    probe_at: Instant,
    /// The probe that is under way.
    probe: Option<Number>,
    /// The newest request that was refused.
    refused: Number,
}

impl Hold {
    /// Whether a recorded write, or what is read back for one, may go out.
    fn is_open(&self, now: Instant) -> bool {
        let current = self.current.as_ref();
        current.is_none_or(|held| held.probe.is_none() && held.probe_at <= now)
    }

    /// When a probe may go; None while nothing is held or one is under way.
    fn moment(&self) -> Option<Instant> {
        let current = self.current.as_ref().filter(|held| held.probe.is_none());
        current.map(|held| held.probe_at)
    }

    /// A request goes out; its number.
    pub(super) fn depart(&mut self, is_kept: bool, now: Instant) -> Number {
        let number = self.next;
        self.next += 1;
        if let Some(held) = self.current.as_mut().filter(|_| is_kept) {
            held.probe = Some(number);
            held.probe_at = now + REST;
        }
        number
    }

    /// A request came back.
    pub(super) fn arrive(&mut self, number: Number) {
        if let Some(held) = &mut self.current
            && held.probe == Some(number)
        {
            held.probe = None;
        }
    }

    /// The service refused the caller.
    pub(super) fn begin(&mut self, refusal: CallerRefusal, number: Number, now: Instant) {
        let probe_at = now + REST;
        let is_new = match &mut self.current {
            None => {
                self.current = Some(Held {
                    refusal,
                    since: now,
                    probe_at,
                    probe: None,
                    refused: number,
                });
                true
            }
            Some(held) => {
                held.refused = held.refused.max(number);
                let is_new = !held.refusal.is_like(&refusal);
                held.refusal = refusal;
                is_new
            }
        };
        if let Some(held) = self.current.as_ref().filter(|_| is_new) {
            self.news.push(format!(
                "outbox held: {}; nothing is lost, one request a minute asks whether it is mended",
                held.refusal.text
            ));
        }
    }

    /// Nothing goes out before that moment.
    pub(super) fn rest(&mut self, until: Instant) {
        if let Some(held) = &mut self.current {
            held.probe_at = held.probe_at.max(until);
        }
    }

    /// The service took a write: it does not refuse the caller.
    fn pass(&mut self, number: Number, now: Instant) {
        self.passed = self.passed.max(Some(number));
        if let Some(held) = self.current.take_if(|held| held.refused < number) {
            let seconds = now.saturating_duration_since(held.since).as_secs();
            self.news.push(format!(
                "outbox released after {seconds} s: writes are sent again"
            ));
        }
    }

    /// The service answered what was read back for a write: that write may be the next probe, at once.
    fn pass_read_back(&mut self, number: Number, now: Instant) {
        if let Some(held) = &mut self.current
            && held.refused < number
        {
            held.probe_at = now;
        }
    }

    /// Whether a later request passed than the one with that number.
    fn is_passed(&self, number: Number) -> bool {
        self.passed > Some(number)
    }
}

impl<T> Scheduler<T> {
    /// Lines about what changed since the last time, for the log.
    pub(in crate::client) fn take_news(&mut self) -> Vec<String> {
        std::mem::take(&mut self.hold.news)
    }

    /// Whether the batch is sent until it is answered, over the end of this client.
    pub(super) fn is_durable(&self, batch: &Batch) -> bool {
        self.rules.recorded && self.is_patient(batch)
    }

    /// Whether a write may go out at `now`, as far as the service is concerned.
    pub(super) fn sends_writes(&self, now: Instant) -> bool {
        !self.rules.recorded || self.hold.is_open(now)
    }

    /// When that changes, while a write waits for it.
    pub(super) fn moment_of_probe(&self) -> Option<Instant> {
        let is_waiting = self.ready.iter().any(|owners| !owners.is_empty());
        self.hold.moment().filter(|_| is_waiting)
    }

    /// Returns what is read back for a held write until the next probe; `batch` if it may be sent now.
    pub(super) fn or_until_probe(&mut self, batch: Batch, now: Instant) -> Option<Batch> {
        if !self.is_durable(&batch) || self.hold.is_open(now) {
            return Some(batch);
        }
        let held = self.hold.current.as_ref();
        let moment = held.map_or(now, |held| held.probe_at);
        self.repeat(batch, moment.max(now));
        None
    }

    /// The service took a request: it did it or refused it for a reason that is the request's own.
    pub(super) fn pass(&mut self, batch: &Batch, number: Number, now: Instant) {
        if batch.is_write() {
            self.hold.pass(number, now);
        } else if self.is_durable(batch) {
            self.hold.pass_read_back(number, now);
        }
    }

    /// The caller of `batch` was refused: the batch stays, and waiting callers get `QUEUED`.
    pub(super) fn hold_back(
        &mut self,
        mut batch: Batch,
        refusal: CallerRefusal,
        number: Number,
        now: Instant,
    ) {
        let is_again = batch.refused.is_some();
        let before = batch.refused.replace(number).unwrap_or(number);
        batch.is_refused_alone |= self.hold.is_passed(before);
        batch.payment = Payment::Paid;
        if batch.is_refused_alone {
            self.fail_alone(batch, REST, now);
            return;
        }
        self.hold.begin(refusal, number, now);
        let held = self.hold.current.as_ref();
        let moment = held.map_or(now, |held| held.probe_at).max(now);
        if is_again && batch.is_write() {
            // Another write of the owner is the next probe: this one may be the reason.
            self.make_way(batch, moment, now);
        } else {
            self.repeat(batch, moment);
        }
        self.report_hold(now);
    }

    /// No caller waits for a recorded write while sending is held, unless the next probe may be sent: its outcome
    /// decides.
    pub(super) fn report_hold(&mut self, now: Instant) {
        if !self.hold.is_open(now) {
            let waiting: Vec<_> = self.deadlines.iter().map(|(_, id)| *id).collect();
            self.release_callers(waiting);
        }
    }

    /// Detaches the recorded calls from their waiting callers.
    pub(super) fn release_callers(&mut self, calls: Vec<CallId>) {
        for id in calls {
            let is_waiting = |id| {
                self.calls
                    .get(id)
                    .is_some_and(|call| call.deadline.is_some())
            };
            if is_waiting(&id) {
                self.release_caller(id);
            }
        }
    }

    /// The reply to the caller of a recorded write, and the last code of the service.
    pub(super) fn still_queued(&self, call: &Call) -> (Error, i32) {
        let (code, error) = call.put_off();
        let (code, why) = match (&self.hold.current, error) {
            (Some(held), _) => (
                held.refusal.code,
                format!("sending is held: {}", held.refusal.text),
            ),
            (None, _) if code != 0 => (code, format!("last seen: {}", codes::explain(code))),
            (None, Some(error)) => (0, format!("last seen: {}", error.status().name())),
            (None, None) => (0, "not sent yet".to_owned()),
        };
        let text =
            "not answered; the write is recorded in the outbox and will be sent, do not repeat it";
        (Error::new(Status::Queued, format!("{text} ({why})")), code)
    }

    /// What is held, for a look inside.
    pub(super) fn held_stats(&self, now: Instant) -> Option<stats::HoldStats> {
        let held = self.hold.current.as_ref()?;
        Some(stats::HoldStats {
            code: held.refusal.code,
            http_status: held.refusal.http_status,
            since_s: now.saturating_duration_since(held.since).as_secs(),
            probe_ms: stats::whole_ms(held.probe_at.saturating_duration_since(now)),
            message: held.refusal.text.clone(),
        })
    }
}
