//! Received webhooks: which are accepted, and the HTTP response.

use parking_lot::Mutex;

use crate::client::stats;
use crate::config::{App, Webhook};
use crate::error::{Error, Status};
use crate::webhook::{self, Event, Rejection, Verifier};

/// Verifies webhooks, and counts both outcomes.
pub(in crate::client) struct Webhooks {
    verifier: Verifier,
    counts: Mutex<stats::WebhookStats>,
}

impl Webhooks {
    pub(in crate::client) fn new(app: &App, config: &Webhook) -> Self {
        let token = config.token.clone();
        Self {
            verifier: Verifier::new(app.sdkappid, token, config.unsigned, config.max_age),
            counts: Mutex::default(),
        }
    }

    /// The event of a webhook that is genuine and fresh.
    ///
    /// # Errors
    /// [`Status::Signature`] when it is forged, stale, or for another app; [`Status::Request`] when it is
    /// not a webhook of a blocklist.
    pub(in crate::client) fn open(
        &self,
        query: &str,
        body: &[u8],
        now_unix: i64,
    ) -> Result<Event, Error> {
        let change = self.verifier.verify(query, now_unix);
        change
            .map_err(|rejection| self.reject(&rejection))
            .and_then(|change| {
                webhook::read_event(change, body).map_err(|malformed| {
                    self.counts.lock().malformed += 1;
                    Error::new(Status::Request, format!("the body {}", malformed.0))
                })
            })
    }

    fn reject(&self, rejection: &Rejection) -> Error {
        let mut counts = self.counts.lock();
        let (count, status) = match rejection {
            Rejection::Forged(_) => (&mut counts.forged, Status::Signature),
            Rejection::Stale { .. } => (&mut counts.stale, Status::Signature),
            Rejection::ForeignApp => (&mut counts.foreign, Status::Signature),
            Rejection::Malformed(_) => (&mut counts.malformed, Status::Request),
            Rejection::UnknownCommand => (&mut counts.others, Status::Request),
        };
        *count += 1;
        Error::new(status, rejection.to_string())
    }

    /// An event was applied; `ignored` of its pairs are about owners of whom nothing is known.
    pub(in crate::client) fn count(&self, ignored: u64) {
        let mut counts = self.counts.lock();
        counts.accepted += 1;
        counts.ignored_pairs += ignored;
    }

    pub(in crate::client) fn stats(&self) -> stats::WebhookStats {
        *self.counts.lock()
    }
}
