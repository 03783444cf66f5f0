//! Configuration: one JSON text, read once into values that cannot be wrong (design.md 3.7).

mod endpoint;
mod raw;
mod webhook;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::api::Charset;
use crate::error::Error;
use crate::usersig::{Key, MAX_EXPIRE_S};

pub use endpoint::{Endpoint, ProxyUrl};
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
    /// Calls accepted and not yet answered.
    pub max_calls: usize,
    /// Webhooks that come in, and where `serve` sends its own.
    pub webhook: Webhook,
    /// Where log lines go.
    pub log: Log,
}

/// Who answers the calls.
#[derive(Debug)]
pub enum Backend {
    /// The engine inside this process.
    Embedded(Embedded),
    /// The cloud service.
    Remote(Box<Remote>),
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
    /// How much is remembered of who blocks whom, and for how long.
    pub mirror: Mirror,
}

/// The memory of who blocks whom.
#[derive(Clone, Copy, Debug)]
pub struct Mirror {
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
        if crate::wire::is_too_deep(json.as_bytes()) {
            return Err(Error::new(
                crate::Status::Config,
                "configuration nests deeper than 32 levels",
            ));
        }
        let top: raw::Top = raw::section(None, json)?;
        let app = parse_app(&top)?;
        // Both backends are checked: a mistake shows now, and not when the backend is changed.
        let endpoint = endpoint::parse(top.region, top.base_url)?;
        let has_endpoint = endpoint.is_some();
        let remote = parse_remote(&top, endpoint.unwrap_or_default())?;
        let embedded = parse_embedded(&top)?;
        let backend = if parse_backend(&top)?.unwrap_or(app.is_some()) {
            check_remote(app.is_some(), has_endpoint, &embedded)?;
            Backend::Remote(Box::new(remote))
        } else {
            Backend::Embedded(embedded)
        };
        let queue: raw::Queue = subsection("queue", top.queue)?;
        Ok(Self {
            backend,
            app,
            rate_per_second: or_default(top.rate_per_second, 200, |raw| {
                raw::number("rate_per_second", raw, 1, 1_000_000).map(narrow)
            })?,
            max_calls: or_default(queue.max_calls, 65_536, |raw| {
                raw::number("queue.max_calls", raw, 1, 1 << 24)
                    .map(|number| narrow(number) as usize)
            })?,
            webhook: webhook::parse(top.webhook)?,
            log: parse_log(&top)?,
        })
    }
}

/// `Some(true)` for remote, `None` when the key is absent.
fn parse_backend(top: &raw::Top) -> Result<Option<bool>, Error> {
    top.backend
        .map(|raw| raw::choice("backend", raw, &[("embedded", false), ("remote", true)]))
        .transpose()
}

fn parse_app(top: &raw::Top) -> Result<Option<App>, Error> {
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
    match (sdkappid, parse_key(top)?) {
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

fn parse_key(top: &raw::Top) -> Result<Option<Key>, Error> {
    let given = [top.secret_key, top.secret_key_file, top.secret_key_env];
    if given.iter().flatten().count() > 1 {
        return Err(Error::config(
            "secret_key",
            "is given more than once; keep one of \"secret_key\", \"secret_key_file\", \"secret_key_env\"",
        ));
    }
    let (name, key) = if let Some(raw) = top.secret_key {
        ("secret_key", raw::secret("secret_key", raw)?)
    } else if let Some(raw) = top.secret_key_file {
        (
            "secret_key_file",
            key_from_file(&raw::text("secret_key_file", raw)?)?,
        )
    } else if let Some(raw) = top.secret_key_env {
        (
            "secret_key_env",
            key_from_environment(&raw::text("secret_key_env", raw)?)?,
        )
    } else {
        return Ok(None);
    };
    if key.is_empty() {
        return Err(Error::config(name, "leads to an empty key"));
    }
    Ok(Some(Key::new(&key)))
}

fn key_from_file(path: &str) -> Result<Zeroizing<String>, Error> {
    const MOST: u64 = 4096;
    // A key that was pasted here by mistake must not be repeated.
    let shown = if path.contains(['/', '.']) {
        path
    } else {
        "a file (name not shown)"
    };
    let bad =
        |what: String| Error::config("secret_key_file", format!("names {shown}, which {what}"));
    let unreadable = |error: std::io::Error| bad(format!("cannot be read: {error}"));
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() || metadata.len() > MOST {
        return Err(bad(format!("is not a file of at most {MOST} bytes")));
    }
    let bytes = Zeroizing::new(std::fs::read(path).map_err(unreadable)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| bad("is not UTF-8".to_owned()))?;
    Ok(Zeroizing::new(
        text.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}

fn key_from_environment(name: &str) -> Result<Zeroizing<String>, Error> {
    let key = "secret_key_env";
    // The name is not repeated: a key pasted here by mistake would be.
    if !name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return Err(Error::config(
            key,
            "must be the name of an environment variable",
        ));
    }
    std::env::var(name).map(Zeroizing::new).map_err(|_| {
        Error::config(
            key,
            "names an environment variable that is not set or not UTF-8",
        )
    })
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

/// What the remote backend cannot do without, and what does not go with it.
fn check_remote(has_app: bool, has_endpoint: bool, embedded: &Embedded) -> Result<(), Error> {
    if !has_app {
        return Err(Error::config(
            "sdkappid",
            "and a secret key are needed by backend \"remote\"; add \"sdkappid\" and \"secret_key_file\"",
        ));
    }
    if embedded.path.is_some() {
        return Err(Error::config(
            "path",
            "belongs to backend \"embedded\"; set \"backend\" or remove it",
        ));
    }
    if !has_endpoint {
        return Err(Error::config(
            "region",
            "is missing; name the data centre of the app, or set \"base_url\"",
        ));
    }
    Ok(())
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
        mirror: parse_mirror(top.mirror)?,
    })
}

fn parse_mirror(raw: Option<&RawValue>) -> Result<Mirror, Error> {
    let mirror: raw::Mirror = subsection("mirror", raw)?;
    let seconds = |key, raw, default| {
        or_default(raw, default, |raw| raw::number(key, raw, 1, DAY_S)).map(Duration::from_secs)
    };
    let read = Mirror {
        max_bytes: or_default(mirror.max_bytes, 256 << 20, |raw| {
            raw::number("mirror.max_bytes", raw, 1 << 20, 1 << 40)
        })?,
        refresh: seconds("mirror.refresh_s", mirror.refresh_s, 300)?,
        max_age: seconds("mirror.max_age_s", mirror.max_age_s, 900)?,
    };
    if read.max_age < read.refresh {
        return Err(Error::config(
            "mirror.max_age_s",
            "is less than \"mirror.refresh_s\": lists would be unknown between two readings",
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
