//! serve.

use std::future::{Future, poll_fn};
use std::task::Poll;

use chatblock::Error;
use chatblock::config::Config;
use chatblock::error::Status;
use chatblock::log::Log;
use chatblock_cli::server::{Fixture, Gateway, Limits, Options, Server, TlsFiles};
use tokio::signal::unix::{SignalKind, signal};

use crate::args::Serve;
use crate::exit::Failure;
use crate::output;

/// Answers the REST API until SIGINT or SIGTERM.
pub fn run(config: &Config, wanted: Serve) -> Result<(), Failure> {
    let state = match &wanted.state {
        Some(path) => Fixture::read(path)?,
        None => Fixture::default(),
    };
    if state.mentions_friends() {
        output::complain("the state file mentions friends, which this server does not know");
    }
    let tls = wanted.tls_cert.zip(wanted.tls_key);
    let options = Options {
        listen: wanted.listen,
        tls: tls.map(|(certificate, key)| TlsFiles { certificate, key }),
        limits: Limits {
            connections: wanted.max_connections,
            connections_per_address: wanted.max_connections_per_address,
            body_bytes: wanted.max_body_bytes,
            ..Limits::default()
        },
        allowed_hosts: wanted.allow_host,
        allow_plain_http: wanted.allow_plain_http,
    };
    let server = Server::bind(Gateway::open(config, &state)?, &options)?;
    for warning in state
        .warning
        .iter()
        .map(String::as_str)
        .chain(server.warning())
    {
        output::complain(warning);
    }
    let log = server.log();
    server.run(|url| {
        let stop = asked_to_stop(log)?;
        output::line(&format!("listening on {url}"))
            .map_err(|error| Error::new(Status::Storage, format!("standard output: {error}")))?;
        Ok(stop)
    })?;
    Ok(())
}

/// Ready when the process is asked to stop. SIGHUP opens the log again, as tools that move it expect.
fn asked_to_stop(log: Log) -> Result<impl Future<Output = ()>, Error> {
    let handler = |kind| {
        signal(kind)
            .map_err(|error| Error::new(Status::Connect, format!("signal handlers: {error}")))
    };
    let mut interrupt = handler(SignalKind::interrupt())?;
    let mut terminate = handler(SignalKind::terminate())?;
    let mut hangup = handler(SignalKind::hangup())?;
    Ok(poll_fn(move |cx| {
        while hangup.poll_recv(cx).is_ready() {
            log.reopen();
        }
        if interrupt.poll_recv(cx).is_ready() || terminate.poll_recv(cx).is_ready() {
            return Poll::Ready(());
        }
        Poll::Pending
    }))
}
