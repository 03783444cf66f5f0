//! The handle: checks a call, carries it to the service, and says what became of it.

mod assembly;
mod closing;
mod log;
mod perform;
mod reply;
mod retry;
mod threads;
mod workers;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, bounded};
use parking_lot::Mutex;

pub use reply::{Reply, ReplyItem};

use crate::api::codes::BAD_JSON;
use crate::api::{Charset, CheckType, Command, MAX_PER_CALL, Operation, Request};
use crate::clock::{Clock, SystemClock};
use crate::config::{Backend, Config, Embedded, Remote, RetryPolicy};
use crate::error::{Error, Status};
use crate::panics;
use crate::rate::Window;
use crate::service::Service;
use crate::service::engine::Engine;
use crate::service::remote::RemoteService;
use crate::wire;
use assembly::Assembly;
use closing::{Closing, closed};
use log::Log;
use perform::Performer;
use workers::Workers;

/// Most targets of one typed call; longer lists are a mistake more often than a wish.
pub const MAX_TARGETS: usize = 100_000;

/// A caller waits this much longer than its call, so that the call's own account of what happened
/// comes first.
const GRACE: Duration = Duration::from_millis(25);

/// Blocklists behind one handle, for any number of threads at once.
///
/// ```
/// let client = chatblock::Client::open("{}").unwrap();
/// let reply = client.add("ann", &["bob"]);
/// assert_eq!(reply.status(), chatblock::Status::Ok);
/// assert_eq!(client.check("ann", &["bob"], chatblock::CheckType::Single).items()[0].relation(),
///            chatblock::Relation::AWithB);
/// ```
pub struct Client {
    performer: Arc<Performer>,
    /// None on the embedded backend: there the caller's own thread does the work.
    workers: Option<Workers>,
    charset: Charset,
    call_time: Option<Duration>,
    poisoned: Arc<AtomicBool>,
}

impl Client {
    /// Opens a client with a configuration in JSON (README, "Configuration"); `{}` is the embedded
    /// engine in memory.
    ///
    /// # Errors
    /// [`Status::Config`] with the key or file and the next step; [`Status::Storage`] when the
    /// durable store cannot be opened. Nothing is left behind then.
    pub fn open(config_json: &str) -> Result<Self, Error> {
        Self::with_clock(&Config::parse(config_json)?, Arc::new(SystemClock))
    }

    fn with_clock(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let way = match &config.backend {
            Backend::Embedded(embedded) => Way::embedded(embedded, &clock)?,
            Backend::Remote(remote) => Way::remote(remote, config, &clock)?,
        };
        let log = Log::open(&config.log, Arc::clone(&clock))?;
        Ok(Self {
            performer: Arc::new(Performer {
                service: way.service,
                clock,
                log,
                closing: Closing::default(),
                retry: way.retry,
                pace: way.pace,
                random: Mutex::new(crate::random::generator()),
            }),
            workers: way.workers,
            charset: way.charset,
            call_time: way.call_time,
            poisoned: Arc::default(),
        })
    }

    /// Blocks 1 to 100,000 accounts for `from_account` (protocol.md 3.1).
    pub fn add<S: AsRef<str>>(&self, from_account: &str, to_accounts: &[S]) -> Reply {
        self.call_targets(Command::Add, from_account, to_accounts, Operation::Add)
    }

    /// Unblocks 1 to 100,000 accounts (protocol.md 3.2).
    pub fn delete<S: AsRef<str>>(&self, from_account: &str, to_accounts: &[S]) -> Reply {
        self.call_targets(
            Command::Delete,
            from_account,
            to_accounts,
            Operation::Delete,
        )
    }

    /// One page of the list, oldest first: `max_limited` entries (1 to 1000) from offset
    /// `start_index` (protocol.md 3.3).
    pub fn get(&self, from_account: &str, start_index: u32, max_limited: u32) -> Reply {
        if !(1..=MAX_PER_CALL).contains(&(max_limited as usize)) {
            let error = Error::argument("max_limited", "is outside 1 to 1000");
            return Reply::failed(Some(Command::Get), from_account, &error);
        }
        let operation = Operation::Get {
            start_index: u64::from(start_index),
            max_limited,
            last_sequence: 0,
        };
        self.call_checked(from_account, operation, "from_account", "to_accounts")
    }

    /// Who blocks whom, for 1 to 100,000 accounts (protocol.md 3.4).
    pub fn check<S: AsRef<str>>(
        &self,
        from_account: &str,
        to_accounts: &[S],
        check_type: CheckType,
    ) -> Reply {
        self.call_targets(Command::Check, from_account, to_accounts, |targets| {
            Operation::Check(targets, check_type)
        })
    }

    /// One call with the service's own request JSON; `command` is `black_list_add` and so on. At most
    /// 1000 targets, as the service would.
    pub fn call(&self, command: &str, request_json: &str) -> Reply {
        let Some(command) = Command::from_name(command) else {
            let names = Command::ALL.map(Command::name).join(", ");
            return Reply::failed(
                None,
                "",
                &Error::argument("command", format!("must be one of {names}")),
            );
        };
        match wire::parse_request(command, request_json.as_bytes(), self.charset) {
            Ok(request) => {
                if let Some(error) =
                    self.fault(&request, "From_Account", "To_Account", Status::Request)
                {
                    return Reply::failed(Some(command), &request.from, &error);
                }
                self.perform(request)
            }
            Err(refusal) => {
                let what = if refusal.code == BAD_JSON {
                    ""
                } else {
                    "request member "
                };
                let error = Error::new(
                    Status::Request,
                    format!("{what}{}; nothing was sent", refusal.message),
                );
                Reply::failed(Some(command), "", &error)
            }
        }
    }

    /// Ends the client: waits at most `timeout` (`None`: without limit) for calls under way, which
    /// return [`Status::Closed`]. [`Status::Ok`], or [`Status::Timeout`] when a call was still on the
    /// network; it ends by itself.
    pub fn close(self, timeout: Option<Duration>) -> Status {
        self.shut(timeout)
    }

    pub(crate) fn shut(&self, timeout: Option<Duration>) -> Status {
        let deadline = timeout.map(|timeout| self.performer.clock.now() + timeout);
        self.performer.closing.begin();
        self.performer.service.shut_down();
        let ended = self
            .workers
            .as_ref()
            .is_none_or(|workers| workers.close(deadline));
        self.performer.log.close(deadline);
        if ended { Status::Ok } else { Status::Timeout }
    }

    /// After a panic inside the library the client answers only [`Status::Panic`].
    pub(crate) fn poison(&self) {
        self.poisoned.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_poisoned(&self) -> bool {
        self.poisoned.load(Ordering::Relaxed)
    }

    fn call_targets<S: AsRef<str>>(
        &self,
        command: Command,
        from_account: &str,
        to_accounts: &[S],
        operation: impl FnOnce(Vec<String>) -> Operation,
    ) -> Reply {
        if !(1..=MAX_TARGETS).contains(&to_accounts.len()) {
            let error = Error::argument(
                "count",
                format!("is {}, outside 1 to {MAX_TARGETS}", to_accounts.len()),
            );
            return Reply::failed(Some(command), from_account, &error);
        }
        let targets = to_accounts
            .iter()
            .map(|account| account.as_ref().to_owned())
            .collect();
        self.call_checked(
            from_account,
            operation(targets),
            "from_account",
            "to_accounts",
        )
    }

    fn call_checked(
        &self,
        from: &str,
        operation: Operation,
        owner_name: &str,
        targets_name: &str,
    ) -> Reply {
        let request = Request {
            from: from.to_owned(),
            operation,
        };
        match self.fault(&request, owner_name, targets_name, Status::Argument) {
            Some(error) => Reply::failed(Some(request.command()), from, &error),
            None => self.perform(request),
        }
    }

    /// A call with an invalid identifier is refused whole: it is the caller's mistake.
    fn fault(
        &self,
        request: &Request,
        owner_name: &str,
        targets_name: &str,
        status: Status,
    ) -> Option<Error> {
        let error =
            |name: &str, fault| Error::new(status, format!("{name} {fault}; nothing was sent"));
        if let Some(fault) = self.charset.fault(&request.from) {
            return Some(error(owner_name, fault));
        }
        let mut targets = request.targets().iter().enumerate();
        targets.find_map(|(index, target)| {
            let fault = self.charset.fault(target)?;
            Some(error(&format!("{targets_name}[{index}]"), fault))
        })
    }

    /// The door that every call goes through.
    fn perform(&self, request: Request) -> Reply {
        if self.performer.closing.has_begun() {
            return Reply::failed(Some(request.command()), &request.from, &closed());
        }
        let call = match (&self.workers, self.call_time) {
            (Some(workers), Some(time)) => {
                self.perform_on(workers, request, self.performer.clock.now() + time)
            }
            _ => self.performer.perform(request, self.performer.clock.now()),
        };
        Reply::from_assembly(call)
    }

    fn perform_on(&self, workers: &Workers, request: Request, deadline: Instant) -> Assembly {
        let (answer, answered) = bounded(1);
        let performer = Arc::clone(&self.performer);
        let poisoned = Arc::clone(&self.poisoned);
        let asked = request.clone();
        let job = Box::new(move || {
            let work = || performer.perform(request.clone(), deadline);
            let call = panics::contain(work).unwrap_or_else(|_| {
                poisoned.store(true, Ordering::SeqCst);
                Assembly::failed(
                    request,
                    Error::new(Status::Panic, "a bug in the library; close the client"),
                )
            });
            // The caller may have given up by now.
            let _ = answer.send(call);
        });
        if let Err(error) = workers.submit(job) {
            return Assembly::failed(asked, error);
        }
        let error = match self.performer.closing.wait_for(&answered, deadline + GRACE) {
            Ok(call) => return call,
            Err(RecvTimeoutError::Timeout) => Error::new(
                Status::Timeout,
                "out of time (config key \"call_ms\"); a write may have happened, the same call may be repeated",
            ),
            Err(RecvTimeoutError::Disconnected) => closed(),
        };
        Assembly::failed(asked, error)
    }
}

/// How calls of one backend travel.
struct Way {
    service: Box<dyn Service>,
    workers: Option<Workers>,
    charset: Charset,
    call_time: Option<Duration>,
    retry: Option<RetryPolicy>,
    pace: Option<Mutex<[Window; 4]>>,
}

impl Way {
    /// On the caller's thread, answered once and for all.
    fn embedded(config: &Embedded, clock: &Arc<dyn Clock>) -> Result<Self, Error> {
        Ok(Self {
            service: Box::new(Engine::open(config, Arc::clone(clock))?),
            workers: None,
            charset: config.charset,
            call_time: None,
            retry: None,
            pace: None,
        })
    }

    /// On a thread of ours, with pace and retry.
    fn remote(config: &Remote, all: &Config, clock: &Arc<dyn Clock>) -> Result<Self, Error> {
        let app = all
            .app
            .as_ref()
            .ok_or_else(|| Error::config("sdkappid", "is missing"))?;
        Ok(Self {
            service: Box::new(RemoteService::open(config, app, Arc::clone(clock), spawn)?),
            workers: Some(Workers::new(config.connections, all.max_calls)),
            charset: Charset::Utf8,
            call_time: Some(config.call),
            retry: Some(config.retry),
            pace: Some(Mutex::new(
                [(); 4].map(|()| Window::new(all.rate_per_second)),
            )),
        })
    }
}

/// The thread that resolves names ends when the client is gone.
fn spawn(name: &str, work: Box<dyn FnOnce() + Send>) -> std::io::Result<()> {
    threads::spawn(name, work).map(drop)
}

impl Drop for Client {
    fn drop(&mut self) {
        self.shut(Some(Duration::ZERO));
    }
}
