//! Failover: the primary endpoint, and the standby of its region while the primary does not respond.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How often a primary endpoint that does not answer is tried again, by one call.
const PROBE: Duration = Duration::from_secs(30);

/// Which endpoint the next attempt uses.
pub(super) struct Endpoints {
    primary: String,
    standby: Option<String>,
    /// When the primary is tried again; `None` while it answers.
    probe_at: Mutex<Option<Instant>>,
    failovers: AtomicU64,
}

/// A endpoint that was chosen for one attempt.
pub(super) struct ChosenEndpoint<'a> {
    pub(super) base_url: &'a str,
    is_primary: bool,
}

impl Endpoints {
    pub(super) fn new(primary: String, standby: Option<String>) -> Self {
        Self {
            primary,
            standby,
            probe_at: Mutex::default(),
            failovers: AtomicU64::new(0),
        }
    }

    /// The endpoint for an attempt at `now`.
    pub(super) fn choose(&self, now: Instant) -> ChosenEndpoint<'_> {
        let mut probe_at = self.probe_at.lock();
        match (&self.standby, *probe_at) {
            (Some(standby), Some(at)) if now < at => ChosenEndpoint {
                base_url: standby,
                is_primary: false,
            },
            (_, at) => {
                // One call asks the primary; until it answers the others stay with the standby.
                *probe_at = at.map(|_| now + PROBE);
                ChosenEndpoint {
                    base_url: &self.primary,
                    is_primary: true,
                }
            }
        }
    }

    /// Whether an attempt at `now` would use the standby.
    pub(super) fn on_standby(&self, now: Instant) -> bool {
        self.standby.is_some() && self.probe_at.lock().is_some_and(|at| now < at)
    }

    /// How often the standby took over.
    pub(super) fn failovers(&self) -> u64 {
        self.failovers.load(Ordering::Relaxed)
    }

    /// Whether that endpoint gave an HTTP answer that is not a gateway's failure.
    pub(super) fn report(&self, endpoint: &ChosenEndpoint, answered: bool, now: Instant) {
        let mut probe_at = self.probe_at.lock();
        if endpoint.is_primary && !answered && probe_at.is_none() && self.standby.is_some() {
            self.failovers.fetch_add(1, Ordering::Relaxed);
        }
        *probe_at = match (endpoint.is_primary, answered) {
            (true, true) => None,
            (true, false) => Some(now + PROBE),
            (false, true) => *probe_at,
            // Neither answers: the primary is as good as the standby.
            (false, false) => probe_at.map(|_| now),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints() -> (Endpoints, Instant) {
        (
            Endpoints::new("primary".into(), Some("standby".into())),
            Instant::now(),
        )
    }

    #[test]
    fn the_standby_serves_until_the_primary_answers_again() {
        let (endpoints, start) = endpoints();
        let primary = endpoints.choose(start);
        assert_eq!(primary.base_url, "primary");
        endpoints.report(&primary, false, start);
        assert_eq!(endpoints.choose(start).base_url, "standby");
        assert!(endpoints.on_standby(start));
        let later = start + PROBE;
        let probe = endpoints.choose(later);
        assert_eq!(probe.base_url, "primary");
        assert_eq!(
            endpoints.choose(later).base_url,
            "standby",
            "only one call probes"
        );
        endpoints.report(&probe, true, later);
        assert_eq!(endpoints.choose(later).base_url, "primary");
        assert!(!endpoints.on_standby(later));
        assert_eq!(endpoints.failovers(), 1, "a probe that fails is none");
    }

    #[test]
    fn when_neither_answers_they_take_turns() {
        let (endpoints, start) = endpoints();
        let primary = endpoints.choose(start);
        endpoints.report(&primary, false, start);
        let standby = endpoints.choose(start);
        endpoints.report(&standby, false, start);
        assert_eq!(endpoints.choose(start).base_url, "primary");
    }

    #[test]
    fn without_a_standby_the_primary_is_always_asked() {
        let endpoints = Endpoints::new("primary".into(), None);
        let now = Instant::now();
        let endpoint = endpoints.choose(now);
        endpoints.report(&endpoint, false, now);
        assert_eq!(endpoints.choose(now).base_url, "primary");
        assert_eq!(
            (endpoints.on_standby(now), endpoints.failovers()),
            (false, 0)
        );
    }
}
