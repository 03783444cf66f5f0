//! serve.

use chatblock::Error;
use chatblock::config::Config;
use chatblock::error::Status;
use chatblock::server::{Gateway, Limits, Options, Server, State, TlsFiles};
use tokio::signal::unix::{SignalKind, signal};

use crate::args::Serve;
use crate::exit::Failure;
use crate::output;

/// Answers the REST API until SIGINT or SIGTERM.
pub fn run(config: Config, wanted: Serve) -> Result<(), Failure> {
    let state = match &wanted.state {
        Some(path) => State::read(path)?,
        None => State::default(),
    };
    if state.mentions_friends() {
        output::complain("the state file mentions friends, which this server does not know");
    }
    let tls = wanted.tls_cert.zip(wanted.tls_key);
    let options = Options {
        listen: wanted.listen,
        tls: tls.map(|(certificate, key)| TlsFiles { certificate, key }),
        limits: Limits::default(),
    };
    let server = Server::bind(Gateway::open(config, &state)?, &options)?;
    server.run(asked_to_stop(), |url| {
        output::line(&format!("listening on {url}"))
            .map_err(|error| Error::new(Status::Storage, format!("standard output: {error}")))
    })?;
    Ok(())
}

/// Ready when the process is asked to stop. Without handlers the signals end it at once.
async fn asked_to_stop() {
    let handlers = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    );
    let (Ok(mut interrupt), Ok(mut terminate)) = handlers else {
        return std::future::pending().await;
    };
    std::future::poll_fn(|cx| {
        if interrupt.poll_recv(cx).is_ready() {
            return std::task::Poll::Ready(());
        }
        terminate.poll_recv(cx).map(drop)
    })
    .await;
}
