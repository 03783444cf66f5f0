//! Webhooks that tell an app's backend what changed (docs/protocol.md 8): one for each request that changed
//! something, sent after the response to its caller.

mod schedule;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::report;
use chatblock::api::{Answer, Operation, Request, Verdict};
use chatblock::clock::Clock;
use chatblock::config;
use chatblock::error::{Error, Status};
use chatblock::service::remote::transport::http::{Http, Settings};
use chatblock::service::remote::transport::{Failure, HttpAnswer, Transport};
use chatblock::threads::{self, JoinHandle};
use chatblock::webhook::{self, Change, Event, Token};
use schedule::{Next, Notice, Schedule};

/// How long the service waits for an answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Webhooks in flight at once: one without a response must not delay all others.
const SENDERS: usize = 4;

/// Reports changes. Dropping it waits a moment for queued webhooks, as [`Self::close`] does.
pub(super) struct Webhooks {
    shared: Arc<Shared>,
    senders: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared {
    url: String,
    sdkappid: u64,
    token: Option<Token>,
    clock: Arc<dyn Clock>,
    transport: Http,
    schedule: Mutex<Schedule>,
    /// The schedule has a new webhook.
    changed: Condvar,
    /// Webhooks that did not arrive, since one did.
    lost: Mutex<usize>,
}

impl Webhooks {
    /// Starts to send for the app `sdkappid`; nothing where no URL is configured.
    ///
    /// # Errors
    /// [`Status::Config`] when there can be no threads.
    pub(super) fn open(
        config: &config::Webhook,
        sdkappid: u64,
        clock: &Arc<dyn Clock>,
    ) -> Result<Option<Self>, Error> {
        let Some(url) = config.url.clone() else {
            return Ok(None);
        };
        let settings = Settings {
            https_only: url.starts_with("https:"),
            proxy: None,
            ca_file: None,
            connect: PATIENCE,
            attempt: PATIENCE,
            connections: SENDERS,
        };
        let spawn =
            |name: &str, work: Box<dyn FnOnce() + Send>| threads::spawn(name, work).map(drop);
        let webhooks = Self {
            shared: Arc::new(Shared {
                url,
                sdkappid,
                token: config.token.clone(),
                clock: Arc::clone(clock),
                transport: Http::open(&settings, Arc::clone(clock), spawn)?,
                schedule: Mutex::default(),
                changed: Condvar::new(),
                lost: Mutex::default(),
            }),
            senders: Mutex::default(),
        };
        for _ in 0..SENDERS {
            let shared = Arc::clone(&webhooks.shared);
            let started = threads::spawn("chatblock-webhook", move || shared.send_all());
            let sender = started.map_err(|error| {
                Error::new(Status::Config, format!("no thread can start: {error}"))
            })?;
            webhooks.senders.lock().push(sender);
        }
        Ok(Some(webhooks))
    }

    /// Notes what `answer` says was changed by the request of `client`. Does not wait.
    pub(super) fn report(&self, request: &Request, answer: &Answer, client: IpAddr) {
        let change = match request.operation {
            Operation::Add(_) => Change::Add,
            Operation::Delete(_) => Change::Delete,
            Operation::Get { .. } | Operation::Check(..) => return,
        };
        let changed = answer
            .items
            .iter()
            .filter(|item| item.verdict == Verdict::Done);
        let pairs: Vec<_> = changed
            .map(|item| (request.owner.clone(), item.account.clone()))
            .collect();
        if pairs.is_empty() {
            return;
        }
        let body = webhook::write_event(&Event { change, pairs });
        let notice = Notice::new(change, client, body);
        let now = self.shared.clock.now();
        if self.shared.schedule.lock().push(now, notice) {
            self.shared.changed.notify_one();
        } else {
            self.shared.lose("too many wait already");
        }
    }

    /// Takes nothing more and waits until the senders have ended: they try once what has not been tried
    /// yet, for at most four seconds.
    pub(super) fn close(&self) {
        let senders = std::mem::take(&mut *self.senders.lock());
        if senders.is_empty() {
            return;
        }
        let given_up = self.shared.schedule.lock().close(self.shared.clock.now());
        self.shared.changed.notify_all();
        for sender in senders {
            // A sender that panicked has nothing left to report.
            let _ = sender.join();
        }
        let left = self.shared.schedule.lock().len() + given_up;
        let lost = *self.shared.lost.lock() + left;
        if lost > 0 {
            report(&format!("the last {lost} webhooks did not arrive"));
        }
    }
}

impl Drop for Webhooks {
    fn drop(&mut self) {
        self.close();
    }
}

/// What became of one attempt.
enum Outcome {
    Taken,
    /// No response in time.
    Late,
    Refused(String),
}

impl Shared {
    fn send_all(&self) {
        while let Some(notice) = self.take() {
            match self.send(&notice) {
                Outcome::Taken => self.arrive(),
                Outcome::Refused(why) => self.lose(&why),
                Outcome::Late => {
                    let now = self.clock.now();
                    if self.schedule.lock().timed_out(now, notice) {
                        self.changed.notify_one();
                    } else {
                        self.lose("no answer within 2 s");
                    }
                }
            }
        }
    }

    /// Waits until one is due; `None` when there will be no more.
    fn take(&self) -> Option<Notice> {
        let mut schedule = self.schedule.lock();
        loop {
            match schedule.next(self.clock.now()) {
                Next::Send(notice) => {
                    // Another sender now waits for what is due after it.
                    self.changed.notify_one();
                    return Some(notice);
                }
                Next::End => return None,
                Next::Wait(None) => self.changed.wait(&mut schedule),
                Next::Wait(Some(due)) => {
                    self.changed.wait_until(&mut schedule, due);
                }
            }
        }
    }

    fn send(&self, notice: &Notice) -> Outcome {
        // Signed for each attempt: a signature ages.
        let token = self.token.as_ref();
        let signed = token.map(|token| (token, self.clock.unix_seconds()));
        let query = webhook::signed_query(self.sdkappid, notice.change, notice.client, signed);
        let url = format!("{}?{query}", self.url);
        let deadline = self.clock.now() + PATIENCE;
        let answer = self
            .transport
            .post(&url, notice.body.clone().into_bytes(), deadline);
        judge(answer, || self.clock.now() >= deadline)
    }

    /// Said once, not for every webhook.
    fn lose(&self, why: &str) {
        let lost = {
            let mut lost = self.lost.lock();
            *lost += 1;
            *lost
        };
        if lost == 1 {
            report(&format!(
                "a webhook was not taken: {why}; further ones are only counted until one is taken"
            ));
        }
    }

    fn arrive(&self) {
        let lost = std::mem::take(&mut *self.lost.lock());
        if lost > 0 {
            report(&format!("webhooks are taken again; {lost} were not"));
        }
    }
}

/// Only silence is repeated; a connection that hangs is silence too.
fn judge(answer: Result<HttpAnswer, Failure>, is_late: impl FnOnce() -> bool) -> Outcome {
    match answer {
        Ok(HttpAnswer { status: 200, body }) => match webhook::check_answer(&body) {
            Ok(()) => Outcome::Taken,
            Err(what) => Outcome::Refused(format!("the answer {}", what.0)),
        },
        Ok(HttpAnswer { status, .. }) => Outcome::Refused(format!("HTTP status {status}")),
        Err(Failure::Timeout) => Outcome::Late,
        Err(_) if is_late() => Outcome::Late,
        Err(Failure::Connect(why)) => Outcome::Refused(why),
        Err(Failure::Broken(why)) => Outcome::Refused(why.to_owned()),
    }
}
