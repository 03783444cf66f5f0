//! The one signal that a client is closing, and waiting that it ends.

use std::convert::Infallible;
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, at, bounded, never, select_biased};
use parking_lot::Mutex;

use crate::error::{Error, Status};

/// Nothing is ever sent: the channel is disconnected when closing begins.
pub(super) struct Closing {
    open: Mutex<Option<Sender<Infallible>>>,
    begun: Receiver<Infallible>,
}

impl Default for Closing {
    fn default() -> Self {
        let (open, begun) = bounded(0);
        Self {
            open: Mutex::new(Some(open)),
            begun,
        }
    }
}

impl Closing {
    /// Wakes everybody who waits here, now and later.
    pub(super) fn begin(&self) {
        self.open.lock().take();
    }

    pub(super) fn has_begun(&self) -> bool {
        self.open.lock().is_none()
    }

    /// Waits for a message until `until` (`None`: without limit); `Disconnected` when the client began
    /// to close meanwhile.
    pub(super) fn wait_for<T>(
        &self,
        messages: &Receiver<T>,
        until: Option<Instant>,
    ) -> Result<T, RecvTimeoutError> {
        select_biased! {
            recv(messages) -> message => message.map_err(|_| RecvTimeoutError::Disconnected),
            recv(self.begun) -> _ => Err(RecvTimeoutError::Disconnected),
            recv(until.map_or_else(never, at)) -> _ => Err(RecvTimeoutError::Timeout),
        }
    }
}

pub(super) fn closed() -> Error {
    Error::new(Status::Closed, "the client is closing")
}
