//! The cloud service: one signed HTTPS request per call, and a response that is untrusted input.

mod failover;
mod signer;
pub mod transport;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use memchr::memmem;
use parking_lot::Mutex;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use super::{Service, ServiceState};
use crate::api::{Answer, Command, Request};
use crate::clock::Clock;
use crate::config::{App, ProxyUrl, Remote};
use crate::error::{Error, Status};
use crate::wire;
use failover::Endpoints;
use signer::Signer;
use transport::http::{Http, Settings};
use transport::{Failure, Spawn, Transport};

/// Everything but the unreserved characters; a space becomes `%20` (choice C2).
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'*');

/// Calls the cloud service, or anything that speaks its protocol.
pub struct RemoteService {
    transport: Box<dyn Transport>,
    clock: Arc<dyn Clock>,
    signer: Signer,
    endpoints: Endpoints,
    identifier: String,
    attempt: Duration,
    random: Mutex<fastrand::Rng>,
}

impl RemoteService {
    /// A service reached over HTTP as `config` says; `spawn` starts the thread that resolves names.
    ///
    /// # Errors
    /// [`Status::Config`] when the file of certificates cannot be used.
    pub fn open(
        config: &Remote,
        app: &App,
        clock: Arc<dyn Clock>,
        spawn: Spawn,
    ) -> Result<Self, Error> {
        let settings = Settings {
            https_only: config.endpoint.base_url.starts_with("https:"),
            proxy: config.proxy.as_ref().map(ProxyUrl::as_str),
            ca_file: config.ca_file.as_deref(),
            connect: config.connect,
            attempt: config.attempt,
            connections: config.connections,
        };
        let transport = Box::new(Http::open(&settings, Arc::clone(&clock), spawn)?);
        Ok(Self::over(transport, config, app, clock))
    }

    /// The same over any transport.
    pub fn over(
        transport: Box<dyn Transport>,
        config: &Remote,
        app: &App,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            transport,
            signer: Signer::new(app, Arc::clone(&clock)),
            clock,
            endpoints: Endpoints::new(
                config.endpoint.base_url.clone(),
                config.endpoint.standby_url.clone(),
            ),
            identifier: app.identifier.clone(),
            attempt: config.attempt,
            random: Mutex::new(crate::random::generator()),
        }
    }

    /// The request line of docs/protocol.md 1.1. Wiped on drop: it contains the signature.
    fn url(&self, base_url: &str, command: Command, signature: &str) -> Zeroizing<String> {
        let mut url = Zeroizing::new(String::with_capacity(512));
        let random = self.random.lock().u32(..);
        write!(
            url,
            "{base_url}/v4/sns/{}?sdkappid={}&identifier={}&usersig={}&random={random}&contenttype=json",
            command.name(),
            self.signer.sdkappid(),
            utf8_percent_encode(&self.identifier, QUERY),
            signature,
        )
        .expect("a String takes everything");
        url
    }
}

impl Service for RemoteService {
    fn call(&self, request: &Request, deadline: Instant) -> Result<Answer, Error> {
        let now = self.clock.now();
        let endpoint = self.endpoints.choose(now);
        let signature = self.signer.signature();
        let url = self.url(endpoint.base_url, request.command(), &signature);
        let deadline = deadline.min(now + self.attempt);
        let command = request.command();
        let answer = self
            .transport
            .post(&url, wire::write_request(request), deadline);
        let answered = answer.as_ref().is_ok_and(|answer| answer.status < 500);
        self.endpoints.report(&endpoint, answered, self.clock.now());
        let mut answer = answer.map_err(|failure| explain(&failure, command))?;
        mask(&mut answer.body, signature.as_bytes());
        match answer.status {
            200 => {}
            status => return Err(page(status, command)),
        }
        wire::read_answer(request, answer.body)
            .map_err(|malformed| no_answer(&format!("the answer {}", malformed.0), command))
    }

    fn renew_signature(&self) {
        self.signer.renew();
    }

    fn state(&self, now: Instant) -> Option<ServiceState> {
        Some(ServiceState {
            on_standby: self.endpoints.on_standby(now),
            failovers: self.endpoints.failovers(),
            connections: self.transport.connections(),
            usersig_expires: self.signer.expires(),
        })
    }

    fn shut_down(&self) {
        self.transport.shut_down();
    }
}

/// How much of a signature is looked for: looking for all of it takes longer to prepare than to do, and would miss one
/// that was cut off.
const HEAD: usize = 16;

/// Gateways that complain about a request like to repeat its first line, and endpoints log answers.
fn mask(body: &mut [u8], signature: &[u8]) {
    let head = &signature[..signature.len().min(HEAD)];
    let mut start = 0;
    while let Some(found) = memmem::find(&body[start..], head) {
        start += found;
        let said = body[start..].iter_mut().zip(signature);
        for (byte, _) in said.take_while(|(byte, of_signature)| byte == of_signature) {
            *byte = b'x';
            start += 1;
        }
    }
}

fn no_answer(what: &str, command: Command) -> Error {
    Error::new(Status::Network, in_doubt(what, command))
}

/// A page instead of an answer.
fn page(http_status: u16, command: Command) -> Error {
    let what = match http_status {
        300..=399 => {
            format!("redirected (HTTP {http_status}), which is never followed; check \"base_url\"")
        }
        _ => format!("HTTP status {http_status} instead of an answer"),
    };
    Error::page(http_status, in_doubt(&what, command))
}

fn in_doubt(what: &str, command: Command) -> String {
    format!("{what}; {}", command.without_answer())
}

fn explain(failure: &Failure, command: Command) -> Error {
    match failure {
        Failure::Connect(what) => Error::new(
            Status::Connect,
            format!("cannot connect: {what}; nothing was sent"),
        ),
        Failure::Broken(what) => no_answer(what, command),
        Failure::Timeout => Error::new(
            Status::Timeout,
            in_doubt(
                "no answer in time (config keys \"attempt_ms\" and \"call_ms\")",
                command,
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_occurrence_is_masked_wherever_it_stands() {
        let masked = |body: &str, signature: &str| {
            let mut body = body.as_bytes().to_vec();
            mask(&mut body, signature.as_bytes());
            String::from_utf8(body).expect("only ASCII")
        };
        assert_eq!(masked("abab", "ab"), "xxxx");
        assert_eq!(masked("aab_aab", "aab"), "xxx_xxx");
        assert_eq!(masked("aaabaa", "aab"), "axxxaa");
        assert_eq!(masked("ab", "abc"), "ab");
        assert_eq!(masked("", "a"), "");
    }

    #[test]
    fn a_signature_that_was_cut_off_is_masked_as_well() {
        let signature = "eJwtzMEKgkAUheG9zyIfu";
        for (said, shown) in [(21, ""), (18, ""), (16, ""), (4, "eJwt")] {
            let mut body = format!("<{}> eJw", &signature[..said]).into_bytes();
            mask(&mut body, signature.as_bytes());
            let masked = if shown.is_empty() {
                "x".repeat(said)
            } else {
                shown.to_owned()
            };
            assert_eq!(String::from_utf8_lossy(&body), format!("<{masked}> eJw"));
        }
    }
}
