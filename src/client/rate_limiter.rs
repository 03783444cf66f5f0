//! Rate limiter: at most the configured number of calls in any window of one second, fewer after the service reported
//! too many (docs/protocol.md 9, choice C33).

use std::time::{Duration, Instant};

use super::stats::{CommandRate, whole_ms};
use crate::sliding_window::SlidingWindow;

/// The rate is cut by half and grows back by a tenth of the full rate per second.
const RECOVERY: Duration = Duration::from_secs(1);
const STEPS: u32 = 10;

/// The rate of one command.
pub(super) struct RateLimiter {
    full: u32,
    now: u32,
    window: SlidingWindow,
    changed: Option<Instant>,
    waits: u64,
    waited: Duration,
    /// Until when waiting is counted already.
    waits_until: Option<Instant>,
}

impl RateLimiter {
    pub(super) fn new(calls_per_second: u32) -> Self {
        Self {
            full: calls_per_second,
            now: calls_per_second,
            window: SlidingWindow::new(calls_per_second),
            changed: None,
            waits: 0,
            waited: Duration::ZERO,
            waits_until: None,
        }
    }

    /// Whether a call may go now; otherwise the moment at which one may.
    pub(super) fn look(&mut self, now: Instant) -> Result<(), Instant> {
        self.recover(now);
        let free = self.window.look(now);
        if let Err(until) = free {
            self.count_wait(now, until);
        }
        free
    }

    /// What is ready waits until `until`; several that wait together are one wait.
    fn count_wait(&mut self, now: Instant, until: Instant) {
        let counted = self.waits_until.filter(|counted| now < *counted);
        self.waits += u64::from(counted.is_none());
        self.waited += until.saturating_duration_since(counted.unwrap_or(now));
        self.waits_until = counted.max(Some(until));
    }

    /// Calls per second unless the service reports too many.
    pub(super) fn full(&self) -> u32 {
        self.full
    }

    pub(super) fn stats(&mut self, now: Instant) -> CommandRate {
        self.recover(now);
        CommandRate {
            per_second: self.now,
            waits: self.waits,
            waited_ms: whole_ms(self.waited),
        }
    }

    /// A call goes now.
    pub(super) fn begin(&mut self) {
        self.window.begin();
    }

    /// A call has its outcome.
    pub(super) fn end(&mut self, now: Instant) {
        self.window.end(now);
    }

    /// The service said that calls come too fast.
    pub(super) fn slow_down(&mut self, now: Instant) {
        self.set((self.now / 2).max(1), now);
    }

    fn recover(&mut self, now: Instant) {
        let Some(changed) = self.changed else { return };
        let steps = now.saturating_duration_since(changed).as_secs() / RECOVERY.as_secs();
        if steps > 0 {
            let step = (self.full / STEPS).max(1);
            let gained = step.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX));
            self.set(self.now.saturating_add(gained).min(self.full), now);
        }
    }

    fn set(&mut self, calls_per_second: u32, now: Instant) {
        self.now = calls_per_second;
        self.window.set_limit(calls_per_second);
        self.changed = (self.now < self.full).then_some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken_at(rate_limiter: &mut RateLimiter, now: Instant) -> usize {
        let mut taken = 0;
        while rate_limiter.look(now).is_ok() {
            rate_limiter.begin();
            rate_limiter.end(now);
            taken += 1;
        }
        taken
    }

    #[test]
    fn throttling_halves_the_rate_and_time_gives_it_back() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut rate_limiter = RateLimiter::new(100);
        assert_eq!(taken_at(&mut rate_limiter, start), 100);
        rate_limiter.slow_down(after(1));
        assert_eq!(taken_at(&mut rate_limiter, after(1)), 50);
        assert_eq!(taken_at(&mut rate_limiter, after(2)), 60);
        assert_eq!(taken_at(&mut rate_limiter, after(10)), 100);
        assert_eq!(taken_at(&mut rate_limiter, after(11)), 100);
    }

    #[test]
    fn the_rate_never_stops() {
        let start = Instant::now();
        let mut rate_limiter = RateLimiter::new(1);
        rate_limiter.slow_down(start);
        assert_eq!(taken_at(&mut rate_limiter, start), 1);
    }
}
