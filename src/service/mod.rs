//! The service that executes blocklist calls: the cloud service, or the engine in this process.

pub mod engine;
pub mod remote;

use std::time::Instant;

use crate::api::{Answer, Command, Request};
use crate::error::Error;

/// How a service is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceState {
    /// Whether the next call goes to the standby host.
    pub on_standby: bool,
    /// How often the standby host took over.
    pub failovers: u64,
    /// Open connections.
    pub connections: usize,
    /// When the present signature expires, in Unix seconds.
    pub usersig_expires: Option<i64>,
}

/// One blocklist call, answered. Implementations are shared by any number of threads.
pub trait Service: Send + Sync {
    /// Answers `request`, which has at most 1000 targets, or gives up at `deadline`.
    ///
    /// A refusal by the rules of the service is an [`Answer`]; an error means that there is none.
    ///
    /// # Errors
    /// [`crate::Status::Connect`] when nothing was sent; [`crate::Status::Network`] and
    /// [`crate::Status::Timeout`] when a write may have happened; [`crate::Status::Storage`].
    fn call(&self, request: &Request, deadline: Instant) -> Result<Answer, Error>;

    /// Whether a call of `command` may wait for a disk or a network, so that it needs a thread of its own.
    fn waits(&self, _command: Command) -> bool {
        true
    }

    /// Makes the next call use a new signature. No effect where nothing is signed.
    fn renew_signature(&self) {}

    /// How the service is reached at `now`; None where nothing is reached over a network.
    fn state(&self, _now: Instant) -> Option<ServiceState> {
        None
    }

    /// Breaks off calls under way; later ones fail. Nothing to do where no call can hang.
    fn shut_down(&self) {}
}
