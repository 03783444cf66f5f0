//! HTTP/1.1 over TLS with ureq. Every unsuitable default of ureq is overridden here.

use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::RwLock;
use ureq::Agent;
use ureq::config::AutoHeaderValue;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::transport::Connector;

use super::connector::{Connecting, usual};
use super::resolver::CachingResolver;
use super::{Failure, HttpAnswer, NotConnected, Spawn, Transport};
use crate::clock::Clock;
use crate::error::Error;
use crate::user_files;

/// Ten times an answer of 1000 items.
const MAX_BODY: u64 = 4 * 1024 * 1024;
const MAX_HEAD: usize = 64 * 1024;
/// Below the keep-alive of usual servers, so that a pooled connection is rarely stale.
const IDLE: Duration = Duration::from_secs(30);
const USER_AGENT: &str = concat!("chatblock/", env!("CARGO_PKG_VERSION"));

/// How a pool of connections behaves.
pub struct Settings<'a> {
    /// Whether plain http is an error.
    pub https_only: bool,
    /// The proxy on the way.
    pub proxy: Option<&'a str>,
    /// PEM file with certificates trusted beside the usual roots.
    pub ca_file: Option<&'a Path>,
    /// Longest time for name, connection and TLS.
    pub connect: Duration,
    /// Longest time for one request and its answer.
    pub attempt: Duration,
    /// Most idle connections.
    pub connections: usize,
}

/// A pool of connections to the service.
pub struct Http {
    /// `None` after shut-down.
    agent: RwLock<Option<Agent>>,
    /// Held by the connector and by every open connection.
    open: Weak<()>,
    attempt: Duration,
    clock: Arc<dyn Clock>,
}

impl Http {
    /// A pool as `settings` say.
    ///
    /// # Errors
    /// [`crate::Status::Config`] when the proxy or the file of certificates cannot be used.
    pub fn open(settings: &Settings, clock: Arc<dyn Clock>, spawn: Spawn) -> Result<Self, Error> {
        let proxy = settings.proxy.map(ureq::Proxy::new).transpose();
        let proxy = proxy.map_err(|_| Error::config("proxy", "cannot be used"))?;
        let agent_config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .https_only(settings.https_only)
            .proxy(proxy)
            .no_delay(true)
            .user_agent(USER_AGENT)
            .accept("application/json")
            .accept_encoding(AutoHeaderValue::None)
            .max_response_header_size(MAX_HEAD)
            .max_idle_connections(settings.connections)
            .max_idle_connections_per_host(settings.connections)
            .max_idle_age(IDLE)
            .timeout_global(Some(settings.attempt))
            .timeout_connect(Some(settings.connect))
            .tls_config(
                TlsConfig::builder()
                    .root_certs(roots(settings.ca_file)?)
                    .build(),
            )
            .build();
        let resolver = CachingResolver::new(Arc::clone(&clock), spawn);
        let mark = Arc::new(());
        let open = Arc::downgrade(&mark);
        let connecting = Connecting::new(usual(resolver.clone()), resolver.clone(), mark);
        let connector = ().chain(connecting);
        Ok(Self {
            agent: RwLock::new(Some(Agent::with_parts(agent_config, connector, resolver))),
            open,
            attempt: settings.attempt,
            clock,
        })
    }

    fn send(
        &self,
        agent: &Agent,
        url: &str,
        body: Vec<u8>,
        deadline: Instant,
    ) -> Result<HttpAnswer, Failure> {
        let left = deadline.saturating_duration_since(self.clock.now());
        if left.is_zero() {
            return Err(Failure::Timeout);
        }
        let mut request = agent.post(url).header("Content-Type", "application/json");
        // Settings of a single request make ureq rebuild its TLS settings, so they are used only if needed.
        if left < self.attempt {
            request = request.config().timeout_global(Some(left)).build();
        }
        let response = request.send(body).map_err(|error| failure(&error))?;
        let mut codings = response.headers().get_all("content-encoding").iter();
        if !codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(Failure::Broken(
                "the answer is compressed, which was not asked for",
            ));
        }
        let status = response.status().as_u16();
        let announced = response.body().content_length().unwrap_or(0);
        // One more byte, so that the end is seen without growing; never more than is believed.
        let room = announced.min(MAX_BODY) + 1;
        let mut body = Vec::with_capacity(usize::try_from(room).unwrap_or(0));
        // Our own bound: ureq counts before decoding.
        let mut reader = response.into_body().into_reader().take(MAX_BODY + 1);
        reader
            .read_to_end(&mut body)
            .map_err(|error| broken_body(&error))?;
        if body.len() as u64 > MAX_BODY {
            return Err(Failure::Broken("the answer is larger than 4 MiB"));
        }
        Ok(HttpAnswer { status, body })
    }
}

impl Transport for Http {
    fn post(&self, url: &str, body: Vec<u8>, deadline: Instant) -> Result<HttpAnswer, Failure> {
        let agent = self.agent.read().clone();
        match agent {
            Some(agent) => self.send(&agent, url, body, deadline),
            None => Err(Failure::Connect("the client is closing".to_owned())),
        }
    }

    fn connections(&self) -> usize {
        self.open.strong_count().saturating_sub(1)
    }

    fn shut_down(&self) {
        if let Some(agent) = self.agent.write().take() {
            agent.shutdown();
        }
    }
}

/// The usual roots, and those of `ca_file` beside them. There is no way to trust less.
fn roots(ca_file: Option<&Path>) -> Result<RootCerts, Error> {
    let Some(path) = ca_file else {
        return Ok(RootCerts::WebPki);
    };
    let unusable = |what: String| {
        Error::config(
            "tls.ca_file",
            format!("names {}, which {what}", path.display()),
        )
    };
    let pem = user_files::read(path, user_files::MAX_PEM).map_err(unusable)?;
    let mut certificates: Vec<Certificate<'static>> = webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .map(|root| Certificate::from_der(root))
        .collect();
    let usual = certificates.len();
    for item in parse_pem(&pem.bytes) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(_) => return Err(unusable("is not PEM".to_owned())),
        }
    }
    if certificates.len() == usual {
        return Err(unusable(
            "contains no certificate in PEM (-----BEGIN CERTIFICATE-----)".to_owned(),
        ));
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}

fn failure(error: &ureq::Error) -> Failure {
    match error {
        ureq::Error::Other(other) => match other.downcast_ref::<NotConnected>() {
            Some(NotConnected(why)) => Failure::Connect(why.clone()),
            None => Failure::Broken("the connection failed"),
        },
        ureq::Error::HostNotFound => {
            Failure::Connect("the host name cannot be resolved".to_owned())
        }
        ureq::Error::Timeout(_) => Failure::Timeout,
        ureq::Error::Io(error) => broken(error),
        ureq::Error::LargeResponseHeader(..) => {
            Failure::Broken("the head of the answer is larger than 64 KiB")
        }
        ureq::Error::Protocol(_) => Failure::Broken("the answer is not HTTP/1.1"),
        _ => Failure::Broken("the request failed"),
    }
}

/// Errors while reading a body arrive wrapped.
fn broken_body(error: &io::Error) -> Failure {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<ureq::Error>())
    {
        Some(inner) => failure(inner),
        None => broken(error),
    }
}

fn broken(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Failure::Timeout,
        io::ErrorKind::UnexpectedEof => {
            Failure::Broken("the connection was closed in the middle of an answer")
        }
        _ => Failure::Broken("the connection broke"),
    }
}
