//! The blocklist part of the service's REST API over HTTP/1.1 (docs/protocol.md 1, 3 and 10), in
//! front of any backend: what existing SDKs talk to when there is no cloud account.
//!
//! The threads of this module are those of its tokio runtime, and those that send webhooks; they end with
//! [`Server::run`].

mod account_json;
mod accounts;
mod bodies;
mod faults;
pub mod fixture;
mod framing;
mod gateway;
mod hosts;
mod http;
mod listener;
mod query;
mod rates;
mod seats;
mod signature_cache;
mod timeouts;
mod tls;
mod webhooks;

use std::future::Future;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::TlsAcceptor;

pub use fixture::Fixture;
pub use gateway::{Gateway, open_engine, with_faults};
pub use tls::TlsFiles;

use hosts::{Hosts, is_loopback};

use chatblock::error::{Error, Status};
use chatblock::log::Log;

/// A line for the operator. A closed standard error must not stop the server.
fn report(line: &str) {
    let _ = writeln!(std::io::stderr(), "chatblock serve: {line}");
}

/// Bounds that keep a hostile client from taking the server for itself.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest time for a whole head, from its first byte; also for the first byte and for TLS.
    pub head: Duration,
    /// Longest time for a whole body, and for taking an answer.
    pub body: Duration,
    /// Longest time between two requests on a connection.
    pub idle: Duration,
    /// Longest time for calls under way when the server is asked to stop.
    pub stop: Duration,
    /// Most connections.
    pub connections: usize,
    /// Most connections from one address; of IPv6 from one network of 64 bits.
    pub connections_per_address: usize,
    /// Bytes of bodies in memory, of all connections together.
    pub body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            body: Duration::from_secs(20),
            idle: Duration::from_secs(75),
            stop: Duration::from_secs(10),
            connections: 2048,
            connections_per_address: 1024,
            body_bytes: 64 << 20,
        }
    }
}

/// Where to listen and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Certificate and key; plain HTTP without.
    pub tls: Option<TlsFiles>,
    /// Bounds.
    pub limits: Limits,
    /// Names that are answered on loopback beside its own and those of the service.
    pub allowed_hosts: Vec<String>,
    /// Serves plain HTTP on an address that is not loopback.
    pub allow_plain_http: bool,
}

/// A server that is bound and not yet running: connections wait for [`Server::run`].
pub struct Server {
    gateway: Arc<Gateway>,
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    warning: Option<String>,
    limits: Limits,
    hosts: Hosts,
}

/// More workers than this share one engine without getting faster.
const MOST_WORKERS: usize = 4;

impl Server {
    /// Binds a server for `gateway`.
    ///
    /// # Errors
    /// [`Status::Config`] when certificate or key cannot be used, an allowed host is none, or plain HTTP would go
    /// over a network unasked; [`Status::Connect`] when the address cannot be bound.
    pub fn bind(gateway: Gateway, options: &Options) -> Result<Self, Error> {
        let hosts = Hosts::new(&options.listen, &options.allowed_hosts)?;
        check_plain_http(options)?;
        let (tls, warning) = match &options.tls {
            Some(files) => {
                let (acceptor, warning) = tls::acceptor(files)?;
                (Some(acceptor), warning)
            }
            None => (None, None),
        };
        let unusable = |error: std::io::Error| {
            let what = format!("cannot listen on {}: {error}", options.listen);
            Error::new(Status::Connect, what)
        };
        let listener = TcpListener::bind(options.listen).map_err(unusable)?;
        listener.set_nonblocking(true).map_err(unusable)?;
        Ok(Self {
            gateway: Arc::new(gateway),
            address: listener.local_addr().map_err(unusable)?,
            listener,
            tls,
            warning,
            limits: options.limits,
            hosts,
        })
    }

    /// Its log, to be opened again on a signal.
    pub fn log(&self) -> Log {
        self.gateway.log().clone()
    }

    /// What is to be said of the file of the private key: other users have access to it.
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    /// The address that clients use as base URL.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Serves until `stop` is ready, then finishes what is under way within `limits.stop`.
    ///
    /// `start` is called inside the runtime with the base URL, when connections are accepted, and returns `stop`:
    /// signal handlers are installed before the server is reported as running.
    ///
    /// # Errors
    /// [`Status::Connect`] when no runtime can be made; what `start` returned.
    pub fn run<F: Future<Output = ()>>(
        self,
        start: impl FnOnce(&str) -> Result<F, Error>,
    ) -> Result<(), Error> {
        let unusable = |error: std::io::Error| {
            Error::new(Status::Connect, format!("cannot start the server: {error}"))
        };
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(workers.min(MOST_WORKERS))
            .max_blocking_threads(self.gateway.most_waiting())
            .thread_name("chatblock-serve")
            .enable_all()
            .build()
            .map_err(unusable)?;
        let url = self.url();
        let (gateway, grace) = (Arc::clone(&self.gateway), self.limits.stop);
        let outcome = runtime.block_on(async {
            let socket = tokio::net::TcpListener::from_std(self.listener).map_err(unusable)?;
            let stop = start(&url)?;
            let all = listener::Listener {
                gateway: self.gateway,
                socket,
                tls: self.tls,
                limits: self.limits,
                hosts: self.hosts,
                bodies: bodies::Bodies::new(self.limits.body_bytes),
            };
            all.serve(stop).await;
            Ok(())
        });
        gateway.shut_down();
        drop(gateway);
        // A call that still waits for the network ends by itself; its answer is dropped.
        runtime.shutdown_timeout(grace);
        outcome
    }
}

/// Signatures of the app in plain HTTP let everybody on the way act as its admin.
fn check_plain_http(options: &Options) -> Result<(), Error> {
    if options.tls.is_some() || options.allow_plain_http || is_loopback(options.listen.ip()) {
        return Ok(());
    }
    let what = format!(
        "{} is not a loopback address, where plain HTTP shows the signatures of admins to others; give --tls-cert \
         and --tls-key, or --allow-plain-http if only trusted programs can see the traffic",
        options.listen.ip()
    );
    Err(Error::new(Status::Config, what))
}
