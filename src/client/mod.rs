//! The client handle: validates a call, passes it to the scheduler, and returns its outcome.

mod backend;
mod backup;
mod cache_sync;
mod cached_checks;
mod call;
mod completions;
mod event;
mod outbox;
mod rate_limiter;
mod reply;
mod retry;
mod runtime;
mod scheduler;
pub mod stats;
mod validate;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use backup::{backup_file, restore_file};
pub use outbox::file as outbox_file;
pub use reply::{Reply, ReplyItem};
pub use validate::MAX_TARGETS;

use crate::api::{CheckType, Operation, Request, Targets};
use crate::clock::{Clock, SystemClock};
use crate::config::{Backend, Config, LogLevel};
use crate::error::{Error, Status};
use crate::log::Log;
use crate::oneshot::{RecvError, oneshot};
use backend::{BackendProfile, OpenBackend};
use backup::Backups;
use cache_sync::TimedCache;
use cache_sync::refresh::Refresher;
use cache_sync::webhooks::Webhooks;
use runtime::Runtime;
use stats::Stats;

/// A caller waits this much longer than the deadline of its call, so that the outcome of the call comes first.
const REPLY_GRACE: Duration = Duration::from_millis(25);

/// A handle to block lists, for any number of threads at once.
///
/// ```
/// use chatblock::{Answer, Client};
///
/// let client = Client::open("{}")?;
/// client.add("ann", &["bob", "cem"]).into_result()?;
/// assert_eq!(client.is_blocked("ann", "bob"), Answer::Yes);
/// # Ok::<(), chatblock::Error>(())
/// ```
pub struct Client {
    runtime: Arc<Runtime>,
    cache: Arc<TimedCache>,
    /// None on the embedded engine, which has every owner in memory.
    webhooks: Option<Webhooks>,
    profile: BackendProfile,
    backups: Backups,
}

impl Client {
    /// Opens a client with a configuration in JSON (docs/configuration.md); `{}` is the embedded
    /// engine in memory.
    ///
    /// # Errors
    /// [`Status::Config`] with the key or file and the next step; [`Status::Storage`] when the
    /// durable store cannot be opened. No file or thread remains.
    ///
    /// ```
    /// use chatblock::{Client, Status};
    ///
    /// let error = Client::open(r#"{"colour": "red"}"#).err().unwrap();
    /// assert_eq!(error.status(), Status::Config);
    /// assert!(error.message().contains("colour"));
    /// ```
    pub fn open(config_json: &str) -> Result<Self, Error> {
        Self::open_with(&Config::parse(config_json)?, true)
    }

    /// [`Client::open`] for a few calls: they read from a durable store what they need, and not all of its pairs into the
    /// cache first. [`Client::is_blocked`] is [`crate::Answer::Unknown`] on the embedded engine.
    ///
    /// # Errors
    /// As [`Client::open`].
    #[doc(hidden)]
    pub fn open_without_cache(config_json: &str) -> Result<Self, Error> {
        Self::open_with(&Config::parse(config_json)?, false)
    }

    fn open_with(config: &Config, has_cache: bool) -> Result<Self, Error> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let backed = match &config.backend {
            Backend::Embedded(embedded) => BackendProfile::embedded(embedded, &clock, has_cache)?,
            Backend::Remote(remote) => BackendProfile::remote(remote, config, &clock)?,
        };
        let log = Log::open(&config.log, Arc::clone(&clock))?;
        if let Some(notice) = &backed.profile.notice {
            log.line(LogLevel::Warn, || notice.clone());
        }
        for warning in &config.warnings {
            log.line(LogLevel::Warn, || warning.clone());
        }
        let OpenBackend {
            service,
            cache,
            profile,
            backups,
        } = backed;
        let mut client = Self {
            runtime: Arc::new(Runtime::new(
                service,
                clock,
                log,
                profile.rules(),
                config.queue,
            )),
            cache,
            webhooks: match (&config.backend, &config.app) {
                (Backend::Remote(_), Some(app)) => Some(Webhooks::new(app, &config.webhook)),
                _ => None,
            },
            profile,
            backups,
        };
        client.keep_cache_fresh(config);
        client.open_outbox(config)?;
        Ok(client)
    }

    fn keep_cache_fresh(&self, config: &Config) {
        let Backend::Remote(remote) = &config.backend else {
            return;
        };
        let rules = cache_sync::refresh::RefreshRules {
            refresh: remote.cache.refresh,
            max_age: remote.cache.max_age,
            pages_per_second: config.rate_per_second / 2,
            pages: (remote.connections / 2).max(1),
            late: remote.attempt,
            max_bytes: remote.cache.max_bytes,
            contests: cache_sync::refresh::CONTESTS,
        };
        let cache = Arc::clone(&self.cache);
        let refresher = Refresher::new(cache, rules, crate::random::generator());
        self.runtime.refresh_with(refresher);
    }

    fn open_outbox(&mut self, config: &Config) -> Result<(), Error> {
        let (Backend::Remote(remote), Some(app)) = (&config.backend, &config.app) else {
            return Ok(());
        };
        match &remote.outbox {
            Some(settings) => self.record_in(settings, app.sdkappid, config.queue.max_calls),
            None => Ok(()),
        }
    }

    /// Out of line, because what is opened is large: a thread with a small stack may open a client without an outbox.
    #[inline(never)]
    fn record_in(
        &mut self,
        settings: &crate::config::Outbox,
        sdkappid: u32,
        max_calls: usize,
    ) -> Result<(), Error> {
        let clock = &self.runtime.clock;
        let now = (clock.now(), clock.unix_seconds());
        let limit = outbox::Limit::for_calls(max_calls);
        let opened = outbox::open(settings, sdkappid, limit, &self.runtime.log, now)?;
        self.backups = Backups::new(Some(opened.file.clone()), "outbox.path");
        self.runtime.record_in(opened).map_err(|error| {
            let what = format!("needs a thread, which cannot start: {error}");
            Error::config("outbox.path", what)
        })
    }

    /// Puts 1 to 100,000 targets on the block list of `owner` (docs/protocol.md 3.1). A target that is blocked already counts as
    /// done.
    ///
    /// ```
    /// use chatblock::{Client, Status};
    ///
    /// let client = Client::open("{}")?;
    /// let reply = client.add("ann", &["bob", "ann"]);
    /// assert_eq!(reply.status(), Status::Partial);
    /// let failed = &reply.items()[1];
    /// assert_eq!((failed.account(), failed.status(), failed.code()), ("ann", Status::Service, 30001));
    /// # Ok::<(), chatblock::Error>(())
    /// ```
    #[must_use = "the reply says whether the call was done; see `Reply::into_result`"]
    pub fn add<S: AsRef<str>>(&self, owner: &str, targets: &[S]) -> Reply {
        self.call_typed(owner, Operation::Add(owned(targets)))
    }

    /// Takes 1 to 100,000 targets off the block list of `owner` (docs/protocol.md 3.2). A target that is not blocked counts as done.
    ///
    /// ```
    /// use chatblock::{Client, Status};
    ///
    /// let client = Client::open("{}")?;
    /// let reply = client.delete("ann", &["bob"]).into_result()?;
    /// assert_eq!(reply.items()[0].status(), Status::Unchanged);
    /// # Ok::<(), chatblock::Error>(())
    /// ```
    #[must_use = "the reply says whether the call was done; see `Reply::into_result`"]
    pub fn delete<S: AsRef<str>>(&self, owner: &str, targets: &[S]) -> Reply {
        self.call_typed(owner, Operation::Delete(owned(targets)))
    }

    /// One page of the block list, oldest block first: `limit` items (1 to 1000) from offset
    /// `start_index` (docs/protocol.md 3.3).
    ///
    /// ```
    /// let client = chatblock::Client::open("{}")?;
    /// client.add("ann", &["bob", "cem", "dee"]).into_result()?;
    /// let (mut blocked, mut start) = (Vec::new(), 0);
    /// loop {
    ///     let page = client.get("ann", start, 2).into_result()?;
    ///     blocked.extend(page.items().iter().map(|item| item.account().to_owned()));
    ///     start = page.next_index();
    ///     if start == 0 {
    ///         break;
    ///     }
    /// }
    /// assert_eq!(blocked, ["bob", "cem", "dee"]);
    /// # Ok::<(), chatblock::Error>(())
    /// ```
    #[must_use = "the reply says whether the call was done; see `Reply::into_result`"]
    pub fn get(&self, owner: &str, start_index: u32, limit: u32) -> Reply {
        self.call_typed(owner, page(start_index, limit))
    }

    /// Who blocks whom, for 1 to 100,000 accounts (docs/protocol.md 3.4).
    ///
    /// ```
    /// use chatblock::{CheckType, Client, Relation};
    ///
    /// let client = Client::open("{}")?;
    /// client.add("bob", &["ann"]).into_result()?;
    /// let reply = client.check("ann", &["bob"], CheckType::Both).into_result()?;
    /// assert_eq!(reply.items()[0].relation(), Relation::BWithA);
    /// # Ok::<(), chatblock::Error>(())
    /// ```
    #[must_use = "the reply says whether the call was done; see `Reply::into_result`"]
    pub fn check<S: AsRef<str>>(&self, owner: &str, targets: &[S], check_type: CheckType) -> Reply {
        self.call_typed(owner, Operation::Check(owned(targets), check_type))
    }

    /// One call with the request JSON of the service; `command` is `black_list_add` and so on. At most
    /// 1000 targets, as the service would.
    ///
    /// ```
    /// let client = chatblock::Client::open("{}")?;
    /// let reply = client.call("black_list_add", r#"{"From_Account": "ann", "To_Account": ["bob"]}"#);
    /// assert!(reply.json().contains(r#""ActionStatus":"OK""#));
    /// # Ok::<(), chatblock::Error>(())
    /// ```
    #[must_use = "the reply says whether the call was done; see `Reply::into_result`"]
    pub fn call(&self, command: &str, request_json: &str) -> Reply {
        match validate::json(self.profile.charset, command, request_json) {
            Ok(request) => self.perform(request),
            Err(refused) => refused.into(),
        }
    }

    /// The same as [`Client::add`], without waiting: one completion with `tag`, taken by
    /// [`Client::poll`].
    ///
    /// # Errors
    /// As [`Client::submit`].
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let client = chatblock::Client::open("{}")?;
    /// client.add_async("ann", &["bob"], 7)?;
    /// let done = client.poll(Some(Duration::from_secs(5))).expect("a completion");
    /// assert_eq!((done.tag(), done.owner()), (7, "ann"));
    /// # Ok::<(), chatblock::Error>(())
    /// ```
    pub fn add_async<S: AsRef<str>>(
        &self,
        owner: &str,
        targets: &[S],
        tag: u64,
    ) -> Result<(), Error> {
        self.submit_typed(owner, Operation::Add(owned(targets)), tag)
    }

    /// The same as [`Client::delete`], without waiting.
    ///
    /// # Errors
    /// As [`Client::submit`].
    pub fn delete_async<S: AsRef<str>>(
        &self,
        owner: &str,
        targets: &[S],
        tag: u64,
    ) -> Result<(), Error> {
        self.submit_typed(owner, Operation::Delete(owned(targets)), tag)
    }

    /// The same as [`Client::check`], without waiting.
    ///
    /// # Errors
    /// As [`Client::submit`].
    pub fn check_async<S: AsRef<str>>(
        &self,
        owner: &str,
        targets: &[S],
        check_type: CheckType,
        tag: u64,
    ) -> Result<(), Error> {
        self.submit_typed(owner, Operation::Check(owned(targets), check_type), tag)
    }

    /// [`Self::get`] without waiting.
    ///
    /// # Errors
    /// As [`Self::add_async`].
    pub fn get_async(
        &self,
        owner: &str,
        start_index: u32,
        limit: u32,
        tag: u64,
    ) -> Result<(), Error> {
        self.submit_typed(owner, page(start_index, limit), tag)
    }

    /// The same as [`Client::call`], without waiting.
    ///
    /// # Errors
    /// [`Status::Argument`] and [`Status::Request`] for a bad call, [`Status::Busy`] when the queue is
    /// full, [`Status::Closed`], [`Status::Panic`]; nothing was accepted.
    pub fn submit(&self, command: &str, request_json: &str, tag: u64) -> Result<(), Error> {
        let request = validate::json(self.profile.charset, command, request_json)
            .map_err(|refused| refused.error)?;
        self.runtime.submit(request, tag)
    }

    /// The next completion. Waits up to `timeout` (`None`: no limit). Returns `None` on timeout and after a wake-up.
    pub fn poll(&self, timeout: Option<Duration>) -> Option<Reply> {
        let reply = self.runtime.completions.take(self.deadline(timeout))?;
        if let Some(id) = reply.letter {
            self.runtime.take_letter(id);
        }
        Some(reply)
    }

    /// A file descriptor that is readable while a completion or a wake-up is waiting; owned by the client.
    pub fn event_fd(&self) -> Option<std::os::fd::RawFd> {
        self.runtime.completions.descriptor()
    }

    /// Wakes one [`Client::poll`], the current one or the next.
    pub fn wake(&self) {
        self.runtime.completions.wake();
    }

    /// Cancels the calls with `tag` that are not sent yet: each still completes, with [`Status::Cancelled`]. Returns
    /// their number.
    pub fn cancel(&self, tag: u64) -> usize {
        self.runtime.cancel(tag)
    }

    /// Waits until everything accepted before is on disk: [`Status::Ok`], [`Status::Timeout`],
    /// [`Status::Storage`] when the outbox failed for good or a write since the last sync found no room, or
    /// [`Status::Unsupported`] where nothing is kept on disk.
    pub fn sync(&self, timeout: Option<Duration>) -> Status {
        if self.profile.is_durable {
            return self.flush(timeout);
        }
        match self.runtime.sync(self.deadline(timeout)) {
            Ok(true) => Status::Ok,
            Ok(false) => Status::Timeout,
            Err(error) => error.status(),
        }
    }

    /// Waits until everything accepted before has its completion queued: [`Status::Ok`] or
    /// [`Status::Timeout`].
    pub fn flush(&self, timeout: Option<Duration>) -> Status {
        if self.runtime.flush(self.deadline(timeout)) {
            Status::Ok
        } else {
            Status::Timeout
        }
    }

    /// Copies the durable store (embedded with `path`), or the outbox (remote with `outbox.path`), to a new file at
    /// `path` while the client is in use: the copy has everything that was on disk when this was called, and nothing
    /// of a call in half. It has mode 0600, needs no other file beside it, and never replaces one. A relative path is
    /// taken from the current directory. Put it back with `chatblock restore`.
    ///
    /// Waits until the copy is on disk; other calls proceed.
    ///
    /// # Errors
    /// [`Status::Unsupported`] where nothing is on disk, [`Status::Storage`] when something is at `path` already or the
    /// disk fails, [`Status::Closed`], [`Status::Argument`], [`Status::Busy`] when no thread can start; no copy
    /// was made.
    ///
    /// ```
    /// use chatblock::{Client, Status};
    ///
    /// let client = Client::open("{}")?;
    /// let error = client.backup("copy.db").expect_err("nothing is on disk");
    /// assert_eq!(error.status(), Status::Unsupported);
    /// # Ok::<(), chatblock::Error>(())
    /// ```
    pub fn backup(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.backups.make(path.as_ref())
    }

    /// Counters and gauges: outcomes of calls, queues, the state of the service. Available after a bug too, for the
    /// report.
    pub fn stats(&self) -> Stats {
        Stats {
            version: env!("CARGO_PKG_VERSION"),
            backend: if self.profile.is_local {
                "embedded"
            } else {
                "remote"
            },
            webhooks: self.webhooks.as_ref().map(Webhooks::stats),
            ..self.runtime.stats(self.cache.stats())
        }
    }

    /// Ends the client: calls under way return [`Status::Closed`], what was accepted and is not done
    /// is dropped. [`Status::Ok`], or [`Status::Timeout`] when something was dropped or a thread was
    /// still on the network after `timeout` (`None`: without limit); it ends by itself.
    ///
    /// A client that is dropped is closed without waiting. A closed one cannot be used:
    ///
    /// ```compile_fail,E0382
    /// let client = chatblock::Client::open("{}").unwrap();
    /// client.close(None);
    /// client.add("ann", &["bob"]);
    /// ```
    pub fn close(self, timeout: Option<Duration>) -> Status {
        self.shut(timeout)
    }

    pub(crate) fn shut(&self, timeout: Option<Duration>) -> Status {
        self.backups.close();
        let deadline = self.deadline(timeout);
        let clean = self.runtime.close(deadline);
        self.runtime.log.close(deadline);
        if clean { Status::Ok } else { Status::Timeout }
    }

    /// After a panic inside the library the client answers only [`Status::Panic`].
    pub(crate) fn poison(&self) {
        self.runtime.poison();
    }

    pub(crate) fn is_poisoned(&self) -> bool {
        self.runtime.is_poisoned()
    }

    fn deadline(&self, timeout: Option<Duration>) -> Option<Instant> {
        timeout.map(|timeout| self.runtime.clock.now() + timeout)
    }

    fn call_typed(&self, owner: &str, operation: Operation) -> Reply {
        match validate::typed(self.profile.charset, owner, operation) {
            Ok(request) => self.perform(request),
            Err(refused) => refused.into(),
        }
    }

    fn submit_typed(&self, owner: &str, operation: Operation, tag: u64) -> Result<(), Error> {
        let request = validate::typed(self.profile.charset, owner, operation)
            .map_err(|refused| refused.error)?;
        self.runtime.submit(request, tag)
    }

    /// A blocking call.
    fn perform(&self, mut request: Request) -> Reply {
        let (command, owner) = (request.command(), request.owner.clone());
        let failed = |error: &Error| Reply::failed(Some(command), &owner, error);
        // The engine answers at once: the caller's own thread can do it.
        if self.profile.is_local {
            request = match self.runtime.perform_here(request) {
                Ok(reply) => return reply,
                Err(request) => request,
            };
        }
        let entered = self.runtime.clock.now();
        let (sender, receiver) = oneshot();
        let id = match self.runtime.accept(request, sender, entered) {
            Ok(id) => id,
            Err(error) => return failed(&error),
        };
        let until = self
            .profile
            .call_time
            .map(|time| entered + time + REPLY_GRACE);
        receiver.recv(until).unwrap_or_else(|missed| {
            let goes_on = self.runtime.stop_waiting(id, REPLY_GRACE);
            goes_on.unwrap_or_else(|| match missed {
                RecvError::TimedOut => failed(&scheduler::out_of_time(command)),
                RecvError::Closed => failed(&runtime::closed()),
            })
        })
    }
}

fn page(start_index: u32, limit: u32) -> Operation {
    Operation::Get {
        start_index: u64::from(start_index),
        limit,
        last_sequence: 0,
    }
}

fn owned<S: AsRef<str>>(accounts: &[S]) -> Targets {
    let accounts = accounts.iter();
    accounts.map(|account| account.as_ref().into()).collect()
}

impl Drop for Client {
    fn drop(&mut self) {
        self.shut(Some(Duration::ZERO));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Answer, Charset};
    use crate::panics;
    use crate::service::Service;

    /// Meets a bug at the account "bug".
    struct Buggy;

    impl Service for Buggy {
        fn call(&self, request: &Request, _deadline: Instant) -> Result<Answer, Error> {
            assert!(request.owner != "bug", "planted");
            Err(Error::new(Status::Network, "no answer"))
        }
    }

    fn client() -> Client {
        let profile = BackendProfile {
            is_local: false,
            is_durable: false,
            requests: 4,
            charset: Charset::Utf8,
            call_time: Some(Duration::from_secs(20)),
            retry: None,
            rate_per_second: None,
            late: None,
            is_recorded: false,
            notice: None,
        };
        let clock = Arc::new(SystemClock);
        let log = Log::open(&crate::config::Log::default(), clock.clone()).expect("no log");
        Client {
            runtime: Arc::new(Runtime::new(
                Box::new(Buggy),
                clock,
                log,
                profile.rules(),
                crate::config::QueueLimits::of_calls(100),
            )),
            cache: Arc::new(TimedCache::complete(Arc::new(SystemClock)).expect("memory")),
            webhooks: None,
            profile,
            backups: Backups::new(None, "path"),
        }
    }

    #[test]
    fn after_a_bug_every_call_ends_with_panic_and_nobody_waits() {
        let client = client();
        assert_eq!(client.add("ann", &["bob"]).status(), Status::Network);
        client.add_async("bug", &["bob"], 7).expect("accepted");
        let reply = client
            .poll(Some(Duration::from_secs(20)))
            .expect("a completion");
        assert_eq!((reply.tag(), reply.status()), (7, Status::Panic));
        assert!(client.is_poisoned());
        assert_eq!(client.add("ann", &["bob"]).status(), Status::Panic);
        let refused = client.add_async("ann", &["bob"], 8).expect_err("refused");
        assert_eq!(refused.status(), Status::Panic);
        assert!(client.poll(None).is_none(), "nothing will come any more");
        let calls = client.stats().calls.total;
        assert_eq!((calls.accepted, calls.in_doubt, calls.pending), (2, 2, 0));
        assert_eq!(client.close(Some(Duration::from_secs(5))), Status::Ok);
    }

    #[test]
    fn a_caller_that_waits_is_told_of_the_bug() {
        let client = client();
        let reply = client.add("bug", &["bob"]);
        assert_eq!(
            (reply.status(), reply.items()[0].status()),
            (Status::Panic, Status::Panic)
        );
    }

    #[test]
    fn a_bug_on_the_thread_of_a_caller_is_counted() {
        let mut client = client();
        client.profile.is_local = true;
        assert_eq!(client.add("ann", &["bob"]).status(), Status::Network);
        panics::contain(|| client.add("bug", &["bob"])).expect_err("a bug");
        let calls = client.stats().calls.by_command.add;
        assert_eq!((calls.accepted, calls.in_doubt, calls.pending), (2, 2, 0));
    }
}
