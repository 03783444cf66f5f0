//! A request line and a body become the text of a response, in the order of docs/protocol.md 10. Independent of
//! sockets.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::accounts::{self, AccountCall};
use super::faults::Faults;
use super::fixture::Fixture;
use super::query;
use super::rates::{Place, Rates};
use super::report;
use super::signature_cache::Signatures;
use super::webhooks::Webhooks;
use chatblock::api::codes::{
    self, BAD_HTTP, NO_SUCH_COMMAND, NOT_ADMIN, TOO_FREQUENT, UNKNOWN_APP,
};
use chatblock::api::{Charset, Command};
use chatblock::clock::{Clock, FixedClock, SystemClock};
use chatblock::config::{Backend, Config, Embedded, LogLevel};
use chatblock::error::{Error, Status};
use chatblock::log::Log;
use chatblock::service::Service;
use chatblock::service::engine::Engine;
use chatblock::service::remote::RemoteService;
use chatblock::sliding_window::Allowance;
use chatblock::usersig::{self, Key};
use chatblock::wire::{self, Refusal};

/// What is said of another command of the service.
static NOT_ANSWERED: LazyLock<String> = LazyLock::new(|| {
    let blocklist = Command::ALL.map(|command| format!("v4/sns/{}", command.name()));
    let accounts = AccountCall::ALL.map(|call| format!("v4/im_open_login_svc/{}", call.name()));
    let all = [blocklist, accounts].concat().join(", ");
    format!("not part of chatblock serve: it answers {all}")
});
/// The service and the store failed; the caller may try again.
const INTERNAL_ERROR: i32 = 30006;
/// The service below gave no answer in time.
const TIMED_OUT: i32 = 30007;
/// For the engine, which waits for its disk only.
const ENGINE_TIME: Duration = Duration::from_secs(12);

/// Enough to share a commit, which is what calls wait for.
const MOST_ON_DISK: usize = 64;
/// Each waits for the way to the cloud: at 200 calls a second of each command, 0.3 s.
const MOST_ON_NETWORK: usize = 256;

/// Answers the calls of one app with any service.
pub struct Gateway {
    signatures: Signatures,
    admins: HashSet<String>,
    service: Arc<dyn Service>,
    /// Longest time for a call; the engine needs no limit.
    call_time: Duration,
    /// Answers the account calls; absent on the remote backend.
    engine: Option<Arc<Engine>>,
    charset: Charset,
    /// Absent if no webhooks are sent.
    webhooks: Option<Webhooks>,
    clock: Arc<dyn Clock>,
    log: Log,
    rates: Rates,
    rate_is_exhausted: bool,
    causes: Mutex<Causes>,
}

/// Messages to the operator about requests without an answer: each of them, limited so that they do not fill a disk.
struct Causes {
    allowance: Allowance,
    /// Suppressed since the last message.
    unreported: u64,
}

/// Causes at once, and each second from then on.
const CAUSES: u32 = 100;
const CAUSES_PER_SECOND: u32 = 10;

/// A call whose request line is in order: what is left to look at is its body.
pub(super) struct Admitted {
    call: Route,
    /// Of an admin's call only: what others send must not take the rate of the game.
    place: Option<Place>,
}

impl Admitted {
    /// Whether an admin calls.
    pub(super) fn is_admin(&self) -> bool {
        self.place.is_some()
    }
}

#[derive(Clone, Copy, Debug)]
enum Route {
    Blocklist(Command),
    Account(AccountCall),
}

impl Route {
    /// Row 2: the path, exactly.
    fn from_path(path: &str) -> Option<Self> {
        if let Some(name) = path.strip_prefix("/v4/sns/") {
            return Command::from_name(name).map(Self::Blocklist);
        }
        let name = path.strip_prefix("/v4/im_open_login_svc/")?;
        AccountCall::from_name(name).map(Self::Account)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Blocklist(command) => command.name(),
            Self::Account(call) => call.name(),
        }
    }

    fn window(self) -> usize {
        match self {
            Self::Blocklist(command) => command as usize,
            Self::Account(call) => 4 + call as usize,
        }
    }
}

impl Causes {
    /// The message about `error`, if one is due.
    fn line(&mut self, error: &Error, now: Instant) -> Option<String> {
        if !self.allowance.take(now) {
            self.unreported += 1;
            return None;
        }
        Some(match std::mem::take(&mut self.unreported) {
            0 => error.to_string(),
            unreported => format!("{error} ({unreported} failed requests before it are not shown)"),
        })
    }
}

impl Gateway {
    /// A gateway to the backend of `config`, prepared as `state` says. App and admins come from the
    /// state when it gives them, else from the configuration.
    ///
    /// # Errors
    /// [`Status::Config`] when no app is known or the state does not fit; [`Status::Storage`].
    pub fn open(config: &Config, state: &Fixture) -> Result<Self, Error> {
        if let Some(key) = config.client_only {
            return Err(Error::config(
                key,
                "is for clients and would do nothing in `serve`; remove it from the configuration of `serve`",
            ));
        }
        let clock: Arc<dyn Clock> = match state.now {
            Some(now) => Arc::new(FixedClock::at(now)),
            None => Arc::new(SystemClock),
        };
        let (sdkappid, key, admins) = identity(config, state)?;
        let below = Below::open(config, state, &clock)?;
        if let Some(engine) = &below.engine {
            engine.store().write(&mut |writer| {
                let mut admins = admins.iter();
                admins.try_for_each(|admin| writer.import(admin))
            })?;
        }
        let log = open_log(config, state)?;
        let is_gateway = below.engine.is_none();
        let rates = Rates::new(config.rate_per_second, is_gateway, Arc::clone(&clock));
        Ok(Self {
            signatures: Signatures::new(sdkappid, key),
            admins,
            service: with_faults(below.service, state)?,
            call_time: match &config.backend {
                Backend::Remote(remote) => remote.call,
                Backend::Embedded(_) => ENGINE_TIME,
            },
            engine: below.engine,
            charset: below.charset,
            webhooks: Webhooks::open(&config.webhook, sdkappid, &clock)?,
            causes: Mutex::new(Causes {
                allowance: Allowance::new(CAUSES, CAUSES_PER_SECOND, clock.now()),
                unreported: 0,
            }),
            clock,
            log,
            rates,
            rate_is_exhausted: state.config.rate_limit_exhausted,
        })
    }

    /// How many calls wait for a disk or a network at the same time, each on a thread; others are queued.
    pub(super) fn most_waiting(&self) -> usize {
        match self.engine {
            Some(_) => MOST_ON_DISK,
            None => MOST_ON_NETWORK,
        }
    }

    /// Whether the answer to an admitted call may wait for a disk or a network, so that it needs a thread of its own.
    pub(super) fn waits(&self, admitted: &Admitted) -> bool {
        // Account calls write where an add does.
        self.service.waits(match admitted.call {
            Route::Blocklist(command) => command,
            Route::Account(_) => Command::Add,
        })
    }

    /// Rows 1 to 7: everything that the request line says.
    ///
    /// # Errors
    /// The refusal to answer with.
    pub(super) fn admit(
        &self,
        is_post: bool,
        path: &str,
        query: Option<&str>,
    ) -> Result<Admitted, Refusal> {
        if !is_post {
            return Err(refusal(BAD_HTTP, "HTTP parse Error: use POST"));
        }
        let call = Route::from_path(path).ok_or_else(|| refusal(NO_SUCH_COMMAND, &NOT_ANSWERED))?;
        let query = query::parse(query.unwrap_or_default())?;
        if query.sdkappid != Some(self.signatures.sdkappid()) {
            return Err(refusal(
                UNKNOWN_APP,
                "sdkappid is not the app of this server",
            ));
        }
        let now = self.clock.unix_seconds();
        self.signatures
            .verify(&query.identifier, &query.usersig, now)
            .map_err(|code| refusal(code, &usersig::explain(code, &query.usersig, now)))?;
        let too_frequent = || refusal(TOO_FREQUENT, "calls of this command come too fast");
        if self.rate_is_exhausted {
            return Err(too_frequent());
        }
        let place = if self.admins.contains(&*query.identifier) {
            let place = self.rates.take(call.window());
            Some(place.ok_or_else(too_frequent)?)
        } else {
            None
        };
        Ok(Admitted { call, place })
    }

    /// Rows 8 to 17, for the caller at `client`. When this returns, what it says is kept.
    pub(super) fn answer(&self, admitted: &Admitted, body: &[u8], client: IpAddr) -> String {
        let outcome = if admitted.is_admin() {
            match admitted.call {
                Route::Blocklist(command) => self.answer_blocklist(command, body, client),
                Route::Account(call) => accounts::answer(self.engine.as_deref(), call, body)
                    .and_then(|outcome| outcome.map_err(|error| self.explain(&error))),
            }
        } else {
            // Row 8 goes before row 9.
            let command = match admitted.call {
                Route::Blocklist(command) => Some(command),
                Route::Account(_) => None,
            };
            wire::check_object(command, body)
                .and_then(|()| Err(refusal(NOT_ADMIN, "identifier is not an app admin")))
        };
        let name = admitted.call.name();
        match outcome {
            Ok(text) => {
                self.log
                    .line(LogLevel::Debug, || format!("{name} of {client}: answered"));
                text
            }
            Err(refusal) => self.refuse(name, client, &refusal),
        }
    }

    /// The text of a refusal, which is a line of the log.
    pub(super) fn refuse(&self, name: &str, client: IpAddr, refusal: &Refusal) -> String {
        self.log_refusal(name, client, refusal.code, &refusal.message);
        write_refusal(refusal)
    }

    fn log_refusal(&self, name: &str, client: IpAddr, code: i32, what: &str) {
        self.log.line(LogLevel::Warn, || {
            printable(&format!("{name} of {client} refused with {code}: {what}"))
        });
    }

    /// Lines about all that is done here.
    pub fn log(&self) -> &Log {
        &self.log
    }

    fn answer_blocklist(
        &self,
        command: Command,
        body: &[u8],
        client: IpAddr,
    ) -> Result<String, Refusal> {
        let request = wire::parse_request(command, body, self.charset)?;
        let answer = self
            .service
            .call(&request, self.clock.now() + self.call_time)
            .map_err(|error| self.explain(&error))?;
        if answer.code != 0 {
            self.log_refusal(command.name(), client, answer.code, &answer.info);
        }
        if let Some(webhooks) = &self.webhooks {
            webhooks.report(&request, &answer, client);
        }
        Ok(match answer.text {
            Some(text) => text,
            None => wire::write_answer(command, &answer),
        })
    }

    /// The operator gets the cause; the caller only gets the fact, because the cause may name files.
    fn explain(&self, error: &Error) -> Refusal {
        if let Some(line) = self.causes.lock().line(error, self.clock.now()) {
            report(&line);
            self.log.line(LogLevel::Error, || line);
        }
        match error.status() {
            Status::Timeout | Status::Network => refusal(TIMED_OUT, meaning(TIMED_OUT)),
            _ => refusal(INTERNAL_ERROR, meaning(INTERNAL_ERROR)),
        }
    }

    /// Ends connections to a remote service and sends what webhooks wait; nothing is answered after it.
    pub(super) fn shut_down(&self) {
        self.service.shut_down();
        if let Some(webhooks) = &self.webhooks {
            webhooks.close();
        }
        self.log.close(None);
    }
}

/// The log of `config`, which begins with what was noticed about the configuration.
fn open_log(config: &Config, state: &Fixture) -> Result<Log, Error> {
    let log = Log::open(&config.log, Arc::new(SystemClock))?;
    for warning in &config.warnings {
        log.line(LogLevel::Warn, || warning.clone());
    }
    if let Backend::Embedded(embedded) = &config.backend
        && !embedded.imported_only
        && state.accounts.is_some()
    {
        log.line(LogLevel::Warn, || {
            "the state file lists accounts: no others exist, although \"accounts\" is \"any\""
                .to_owned()
        });
    }
    Ok(log)
}

/// A text of a caller on one line.
fn printable(text: &str) -> String {
    let fit = |c: char| if c.is_control() { '\u{FFFD}' } else { c };
    text.chars().map(fit).collect()
}

pub(super) fn refusal(code: i32, what: &str) -> Refusal {
    Refusal {
        code,
        message: what.to_owned(),
    }
}

pub(super) fn write_refusal(refusal: &Refusal) -> String {
    wire::write_envelope(refusal.code, &refusal.message)
}

fn meaning(code: i32) -> &'static str {
    codes::lookup(code).map_or("refused", |row| row.meaning)
}

fn identity(config: &Config, state: &Fixture) -> Result<(u64, Key, HashSet<String>), Error> {
    let app = config.app.as_ref();
    let (sdkappid, key) = match (state.sdkappid, &state.key, app) {
        (Some(sdkappid), Some(key), _) => (sdkappid, key.clone()),
        (_, _, Some(app)) => (u64::from(app.sdkappid), app.key.clone()),
        _ => {
            return Err(Error::config(
                "sdkappid",
                "and a secret key are needed by `serve`; add \"sdkappid\" and \"secret_key_file\" with \
                 \"backend\": \"embedded\", or give a state file with \"sdkappid\" and \"key\"",
            ));
        }
    };
    let mut admins: HashSet<String> = state.admins.iter().cloned().collect();
    if let (true, Some(app)) = (admins.is_empty(), app) {
        admins.insert(app.identifier.clone());
    }
    Ok((sdkappid, key, admins))
}

/// The service behind the gateway.
struct Below {
    service: Arc<dyn Service>,
    engine: Option<Arc<Engine>>,
    charset: Charset,
}

impl Below {
    fn open(config: &Config, state: &Fixture, clock: &Arc<dyn Clock>) -> Result<Self, Error> {
        match &config.backend {
            Backend::Embedded(embedded) => {
                let engine = Arc::new(open_engine(embedded, state, Arc::clone(clock))?);
                Ok(Self {
                    service: Arc::clone(&engine) as Arc<dyn Service>,
                    charset: config.backend.charset(),
                    engine: Some(engine),
                })
            }
            Backend::Remote(remote) => {
                let app = config
                    .app
                    .as_ref()
                    .ok_or_else(|| Error::config("sdkappid", "is missing"))?;
                if state.prepares_lists() {
                    return Err(Error::config(
                        "backend",
                        "must be \"embedded\" when the state file gives accounts or lists",
                    ));
                }
                let service = RemoteService::open(remote, app, Arc::clone(clock), spawn)?;
                Ok(Self {
                    service: Arc::new(service),
                    engine: None,
                    charset: config.backend.charset(),
                })
            }
        }
    }
}

/// The thread that resolves names: one of the runtime, which is there whenever a call is carried out.
fn spawn(_: &str, work: Box<dyn FnOnce() + Send>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Handle::try_current().map_err(std::io::Error::other)?;
    drop(runtime.spawn_blocking(work));
    Ok(())
}

/// An engine whose store holds what `state` says. Listed accounts are the only ones then.
///
/// # Errors
/// [`Status::Config`] when a list of the state is unsound; [`Status::Storage`].
pub fn open_engine(
    config: &Embedded,
    state: &Fixture,
    clock: Arc<dyn Clock>,
) -> Result<Engine, Error> {
    let config = Embedded {
        imported_only: config.imported_only || state.accounts.is_some(),
        ..config.clone()
    };
    let engine = Engine::open(&config, clock)?;
    state.load(engine.store())?;
    Ok(engine)
}

/// `service` with the forced results of `state` put in.
///
/// # Errors
/// [`Status::Config`] when the state names a command that does not exist.
pub fn with_faults(service: Arc<dyn Service>, state: &Fixture) -> Result<Arc<dyn Service>, Error> {
    let forced = state.forced()?;
    if forced.is_empty() {
        return Ok(service);
    }
    Ok(Arc::new(Faults {
        inner: service,
        forced,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_failures_is_counted_and_not_shown_line_by_line() {
        let start = Instant::now();
        let mut causes = Causes {
            allowance: Allowance::new(CAUSES, CAUSES_PER_SECOND, start),
            unreported: 0,
        };
        let error = Error::new(Status::Storage, "the disk is gone");
        let shown = (0..5000)
            .filter(|_| causes.line(&error, start).is_some())
            .count();
        assert_eq!(shown, CAUSES as usize);
        let later = causes.line(&error, start + Duration::from_secs(1));
        assert!(later.is_some_and(|line| line.contains("(4900 failed requests")));
    }
}
