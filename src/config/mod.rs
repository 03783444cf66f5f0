//! Configuration: one JSON text, parsed once into checked values.

mod backend;
mod endpoint;
mod key;
mod queue;
mod raw;
mod webhook;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::value::RawValue;

use crate::api::Charset;
use crate::error::Error;
use crate::user_files::{NamedFile, Purpose, check_distinct};
use crate::usersig::{Key, MAX_EXPIRE_S};

pub use endpoint::{Endpoint, ProxyUrl, service_hosts};
pub use queue::QueueLimits;
pub use webhook::Webhook;

/// A checked configuration.
#[derive(Debug)]
pub struct Config {
    /// Who answers.
    pub backend: Backend,
    /// The app and its admin: needed by the remote backend and by `serve`.
    pub app: Option<App>,
    /// Calls per second and command.
    pub rate_per_second: u32,
    /// What may wait.
    pub queue: QueueLimits,
    /// Webhooks that come in, and where `serve` sends its own.
    pub webhook: Webhook,
    /// Where log lines go.
    pub log: Log,
    /// The files that are named, each for one purpose.
    pub files: Vec<NamedFile>,
    /// A key that is given and that only a client uses, which `serve` must not take in silence.
    pub client_only: Option<&'static str>,
    /// Whether the text itself contains a key or a token.
    pub contains_secret: bool,
    /// What is taken although it is not as it should be, for the log and for people: names keys and files.
    pub warnings: Vec<String>,
}

/// What executes the calls.
#[derive(Debug)]
pub enum Backend {
    /// The engine inside this process.
    Embedded(Embedded),
    /// The cloud service.
    Remote(Box<Remote>),
}

impl Backend {
    /// Which identifiers a client takes: the cloud service decides about its own.
    pub fn charset(&self) -> Charset {
        match self {
            Self::Embedded(embedded) => embedded.charset,
            Self::Remote(_) => Charset::Utf8,
        }
    }
}

/// Settings of the engine.
#[derive(Clone, Debug, Default)]
pub struct Embedded {
    /// The durable store, absolute; `None` keeps lists in memory.
    pub path: Option<PathBuf>,
    /// Whether only imported accounts exist; otherwise every valid identifier does.
    pub imported_only: bool,
    /// Which identifiers are valid.
    pub charset: Charset,
}

/// Settings of the remote backend.
#[derive(Debug)]
pub struct Remote {
    /// Where the service is.
    pub endpoint: Endpoint,
    /// PEM file with certificates trusted beside the usual roots.
    pub ca_file: Option<PathBuf>,
    /// The proxy on the way to it.
    pub proxy: Option<ProxyUrl>,
    /// Longest time for name, connection and TLS.
    pub connect: Duration,
    /// Longest time for one attempt.
    pub attempt: Duration,
    /// Longest time for a call with all its attempts.
    pub call: Duration,
    /// Connections, and calls in flight.
    pub connections: usize,
    /// When and how often to try again.
    pub retry: RetryPolicy,
    /// Where writes are kept until they are answered; `None` keeps them in memory.
    pub outbox: Option<Outbox>,
    /// Limits of the cache: memory and age.
    pub cache: Cache,
}

/// The cache of block lists.
#[derive(Clone, Copy, Debug)]
pub struct Cache {
    /// Bytes.
    pub max_bytes: u64,
    /// How often the list of a watched owner is read again.
    pub refresh: Duration,
    /// From which age on a list says nothing any more.
    pub max_age: Duration,
}

/// The durable queue of writes.
#[derive(Clone, Debug)]
pub struct Outbox {
    /// Its file, absolute.
    pub path: PathBuf,
    /// Longest time until an accepted write is on its way to the disk.
    pub commit: Duration,
    /// Bytes of writes that are not answered.
    pub max_bytes: u64,
}

/// When and how often to try again.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// Attempts in all.
    pub attempts: u32,
    /// Upper bound of the first delay; it doubles.
    pub base: Duration,
    /// Upper bound of every delay.
    pub max: Duration,
}

/// The app, its admin and the key that signs for it.
#[derive(Debug)]
pub struct App {
    /// `SDKAppID`.
    pub sdkappid: u32,
    /// An app admin.
    pub identifier: String,
    /// The app's secret key.
    pub key: Key,
    /// Life of a signature in seconds.
    pub expire_s: u32,
}

/// Where log lines go and which.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// The destination.
    pub to: LogTo,
    /// The least important level that is written.
    pub level: LogLevel,
    /// Bytes from which on a file is renamed and a new one begun; 0 for never.
    pub max_bytes: u64,
    /// Older files that are kept.
    pub files: u32,
}

/// Where log lines go.
#[derive(Clone, Debug, Default)]
pub enum LogTo {
    /// Nowhere.
    #[default]
    Off,
    /// The process's standard error.
    Stderr,
    /// Appended to this file, absolute.
    File(PathBuf),
}

/// How important a line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something was repeated or odd.
    #[default]
    Warn,
    /// One line per call.
    Info,
    /// One line per attempt.
    Debug,
}

const DAY_S: u64 = 86_400;
const HOUR_MS: u64 = 3_600_000;

impl Config {
    /// Reads and checks `json`. Relative paths are taken from the current directory now, once.
    ///
    /// # Errors
    /// [`crate::Status::Config`]: the message names the key or file and never a value that may be secret.
    pub fn parse(json: &str) -> Result<Self, Error> {
        let top: raw::Top = raw::section(None, json)?;
        let mut warnings = Vec::new();
        let app = parse_app(&top, &mut warnings)?;
        // Both backends are checked: a mistake shows now, and not when the backend is changed.
        let endpoint = endpoint::parse(top.region, top.base_url)?;
        let has_endpoint = endpoint.is_some();
        let remote = parse_remote(&top, endpoint.unwrap_or_default())?;
        let embedded = parse_embedded(&top)?;
        let queue = queue::parse(top.queue)?;
        let rate_per_second = or_default(top.rate_per_second, 200, |raw| {
            raw::number("rate_per_second", raw, 1, 1_000_000).map(narrow)
        })?;
        let webhook = webhook::parse(top.webhook)?;
        let log = parse_log(&top)?;
        let given = backend::Given {
            app: app.is_some(),
            endpoint: has_endpoint,
            outbox: remote.outbox.is_some(),
        };
        let is_remote = backend::choose(&top, given)?;
        let files = named_files(&top, (&remote, &embedded, &log))?;
        check_distinct(&files)?;
        Ok(Self {
            backend: if is_remote {
                Backend::Remote(Box::new(remote))
            } else {
                Backend::Embedded(embedded)
            },
            app,
            rate_per_second,
            queue,
            log,
            files,
            client_only: client_only(&top)?,
            contains_secret: top.secret_key.is_some() || webhook.token.is_some(),
            webhook,
            warnings,
        })
    }
}

/// The first key that only a client uses: it queues, repeats, caches, and verifies webhooks.
fn client_only(top: &raw::Top) -> Result<Option<&'static str>, Error> {
    let webhook: raw::Webhook = subsection("webhook", top.webhook)?;
    let keys = [
        ("retry", top.retry),
        ("queue", top.queue),
        ("outbox", top.outbox),
        ("cache", top.cache),
        ("webhook.max_age_s", webhook.max_age_s),
        ("webhook.unsigned", webhook.unsigned),
    ];
    let given = keys.into_iter().find(|(_, raw)| raw.is_some());
    Ok(given.map(|(key, _)| key))
}

/// Every file that the configuration names.
fn named_files(
    top: &raw::Top,
    (remote, embedded, log): (&Remote, &Embedded, &Log),
) -> Result<Vec<NamedFile>, Error> {
    let key = top
        .secret_key_file
        .map(|raw| raw::text("secret_key_file", raw))
        .transpose()?
        .map(|path| absolute("secret_key_file", &path))
        .transpose()?;
    let log_file = match &log.to {
        LogTo::File(path) => Some(path.clone()),
        LogTo::Off | LogTo::Stderr => None,
    };
    let older = if log.max_bytes == 0 { 0 } else { log.files };
    let outbox = remote.outbox.as_ref().map(|outbox| outbox.path.clone());
    let all = [
        ("secret_key_file", key, Purpose::Input),
        ("tls.ca_file", remote.ca_file.clone(), Purpose::Input),
        ("path", embedded.path.clone(), Purpose::Database),
        ("outbox.path", outbox, Purpose::Database),
        ("log.to", log_file, Purpose::Log(older)),
    ];
    let named = all
        .into_iter()
        .filter_map(|(key, path, purpose)| path.map(|path| NamedFile { key, path, purpose }));
    Ok(named.collect())
}

fn parse_app(top: &raw::Top, warnings: &mut Vec<String>) -> Result<Option<App>, Error> {
    let expire_s = or_default(top.usersig_expire_s, narrow(DAY_S), |raw| {
        raw::number("usersig_expire_s", raw, 60, u64::from(MAX_EXPIRE_S)).map(narrow)
    })?;
    let identifier = or_default(top.identifier, "administrator".to_owned(), |raw| {
        let identifier = raw::text("identifier", raw)?;
        match Charset::Utf8.fault(&identifier) {
            Some(fault) => Err(Error::config("identifier", fault)),
            None => Ok(identifier),
        }
    })?;
    let sdkappid = top
        .sdkappid
        .map(|raw| raw::number("sdkappid", raw, 1, u64::from(u32::MAX)).map(narrow))
        .transpose()?;
    match (sdkappid, key::parse(top, warnings)?) {
        (Some(sdkappid), Some(key)) => Ok(Some(App {
            sdkappid,
            identifier,
            key,
            expire_s,
        })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(Error::config(
            "sdkappid",
            "is given without a key; add \"secret_key\", \"secret_key_file\" or \"secret_key_env\"",
        )),
        (None, Some(_)) => Err(Error::config(
            "sdkappid",
            "is missing; a secret key is given without it",
        )),
    }
}

fn parse_embedded(top: &raw::Top) -> Result<Embedded, Error> {
    Ok(Embedded {
        path: top
            .path
            .map(|raw| raw::text("path", raw).and_then(|path| absolute("path", &path)))
            .transpose()?,
        imported_only: or_default(top.accounts, false, |raw| {
            raw::choice("accounts", raw, &[("any", false), ("imported", true)])
        })?,
        charset: or_default(top.account_charset, Charset::default(), |raw| {
            let choices = [
                ("strict", Charset::Strict),
                ("printable", Charset::Printable),
                ("utf8", Charset::Utf8),
            ];
            raw::choice("account_charset", raw, &choices)
        })?,
    })
}

fn parse_remote(top: &raw::Top, endpoint: Endpoint) -> Result<Remote, Error> {
    let tls: raw::Tls = subsection("tls", top.tls)?;
    let milliseconds = |key, raw, default| {
        or_default(raw, Duration::from_millis(default), |raw| {
            raw::number(key, raw, 1, HOUR_MS).map(Duration::from_millis)
        })
    };
    Ok(Remote {
        endpoint,
        ca_file: tls
            .ca_file
            .map(|raw| {
                raw::text("tls.ca_file", raw).and_then(|path| absolute("tls.ca_file", &path))
            })
            .transpose()?,
        proxy: top.proxy.map(endpoint::parse_proxy).transpose()?,
        connect: milliseconds("connect_ms", top.connect_ms, 3000)?,
        attempt: milliseconds("attempt_ms", top.attempt_ms, 3500)?,
        call: milliseconds("call_ms", top.call_ms, 12_000)?,
        connections: or_default(top.connections, 32, |raw| {
            raw::number("connections", raw, 1, 1024).map(|number| narrow(number) as usize)
        })?,
        retry: parse_retry(top.retry)?,
        outbox: parse_outbox(top.outbox)?,
        cache: parse_cache(top.cache)?,
    })
}

fn parse_cache(raw: Option<&RawValue>) -> Result<Cache, Error> {
    let cache: raw::Cache = subsection("cache", raw)?;
    let seconds = |key, raw, default| {
        or_default(raw, default, |raw| raw::number(key, raw, 1, DAY_S)).map(Duration::from_secs)
    };
    let read = Cache {
        max_bytes: or_default(cache.max_bytes, 256 << 20, |raw| {
            raw::number("cache.max_bytes", raw, 1 << 20, 1 << 40)
        })?,
        refresh: seconds("cache.refresh_s", cache.refresh_s, 300)?,
        max_age: seconds("cache.max_age_s", cache.max_age_s, 900)?,
    };
    if read.max_age < read.refresh {
        return Err(Error::config(
            "cache.max_age_s",
            "is less than \"cache.refresh_s\": lists would be unknown between two readings",
        ));
    }
    Ok(read)
}

fn parse_outbox(raw: Option<&RawValue>) -> Result<Option<Outbox>, Error> {
    let outbox: raw::Outbox = subsection("outbox", raw)?;
    let commit = or_default(outbox.commit_ms, 5, |raw| {
        raw::number("outbox.commit_ms", raw, 0, 60_000)
    })?;
    let max_bytes = or_default(outbox.max_bytes, 1 << 30, |raw| {
        raw::number("outbox.max_bytes", raw, 1 << 16, 1 << 40)
    })?;
    let path = outbox
        .path
        .map(|raw| raw::text("outbox.path", raw).and_then(|path| absolute("outbox.path", &path)));
    Ok(path.transpose()?.map(|path| Outbox {
        path,
        commit: Duration::from_millis(commit),
        max_bytes,
    }))
}

fn parse_retry(raw: Option<&RawValue>) -> Result<RetryPolicy, Error> {
    let retry: raw::Retry = subsection("retry", raw)?;
    let milliseconds = |key, raw, default| {
        or_default(raw, default, |raw| raw::number(key, raw, 1, HOUR_MS)).map(Duration::from_millis)
    };
    Ok(RetryPolicy {
        attempts: or_default(retry.attempts, 3, |raw| {
            raw::number("retry.attempts", raw, 1, 100).map(narrow)
        })?,
        base: milliseconds("retry.base_ms", retry.base_ms, 200)?,
        max: milliseconds("retry.max_ms", retry.max_ms, 5000)?,
    })
}

fn parse_log(top: &raw::Top) -> Result<Log, Error> {
    let log: raw::Log = subsection("log", top.log)?;
    let levels = [
        ("error", LogLevel::Error),
        ("warn", LogLevel::Warn),
        ("info", LogLevel::Info),
        ("debug", LogLevel::Debug),
    ];
    Ok(Log {
        to: or_default(log.to, LogTo::Off, |raw| {
            match raw::text("log.to", raw)?.as_str() {
                "off" => Ok(LogTo::Off),
                "stderr" => Ok(LogTo::Stderr),
                path => absolute("log.to", path).map(LogTo::File),
            }
        })?,
        level: or_default(log.level, LogLevel::default(), |raw| {
            raw::choice("log.level", raw, &levels)
        })?,
        max_bytes: or_default(log.max_bytes, 16 << 20, |raw| {
            raw::number_or_zero("log.max_bytes", raw, 1 << 16, 1 << 40)
        })?,
        files: or_default(log.files, 4, |raw| {
            raw::number("log.files", raw, 0, 100).map(narrow)
        })?,
    })
}

fn absolute(key: &str, path: &str) -> Result<PathBuf, Error> {
    std::path::absolute(Path::new(path))
        .map_err(|error| Error::config(key, format!("cannot be made absolute: {error}")))
}

fn subsection<'a, T: raw::Section<'a>>(name: &str, raw: Option<&'a RawValue>) -> Result<T, Error> {
    raw.map_or_else(
        || Ok(T::default()),
        |raw| raw::section(Some(name), raw.get()),
    )
}

fn or_default<'a, T>(
    raw: Option<&'a RawValue>,
    default: T,
    read: impl FnOnce(&'a RawValue) -> Result<T, Error>,
) -> Result<T, Error> {
    raw.map_or(Ok(default), read)
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).expect("range checked")
}
