//! The interface between the remote service and the network.

mod coalesce;
mod connector;
pub mod http;
mod race;
mod resolver;
mod tcp;

use std::fmt;
use std::io;
use std::time::Instant;

/// Starts a named thread.
pub type Spawn = fn(&str, Box<dyn FnOnce() + Send>) -> io::Result<()>;

/// An HTTP answer, whatever its status.
#[derive(Debug)]
pub struct HttpAnswer {
    /// The status of the response line.
    pub status: u16,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Why there is no HTTP response. The texts are written here: those of a library could contain the request line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Name, connection or TLS failed: nothing was sent.
    Connect(String),
    /// The deadline passed; the request may have arrived.
    Timeout,
    /// The connection broke or the answer is not HTTP; the request may have arrived.
    Broken(&'static str),
}

/// Sends one request and gives its answer.
pub trait Transport: Send + Sync {
    /// Posts `body` as JSON to `url`, which contains a signature and is neither kept nor shown.
    ///
    /// # Errors
    /// A [`Failure`], at the latest at `deadline`.
    fn post(&self, url: &str, body: Vec<u8>, deadline: Instant) -> Result<HttpAnswer, Failure>;

    /// How many connections are open.
    fn connections(&self) -> usize {
        0
    }

    /// Breaks off what is under way and refuses what comes.
    fn shut_down(&self) {}
}

/// Connecting failed, in our words: those of the libraries may contain the request line.
#[derive(Debug)]
struct NotConnected(String);

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotConnected {}
