//! Sliding window: at most N calls in any window of one second, for the client's rate and the server's limit.
//!
//! The sender of a call does not know when it arrives: at some time until it ends. Such a call counts from its start
//! until one second after its end, so the receiver never counts more than N.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(1);

/// A sliding window, not a bucket: no burst fits between two windows.
#[derive(Debug)]
pub struct SlidingWindow {
    limit: usize,
    taken: VecDeque<Instant>,
    under_way: usize,
}

impl SlidingWindow {
    /// Allows `limit` calls per second, at least one.
    pub fn new(limit: u32) -> Self {
        Self {
            limit: limit.max(1) as usize,
            taken: VecDeque::new(),
            under_way: 0,
        }
    }

    /// Allows another number of calls from now on, at least one; places that are taken stay taken.
    pub fn set_limit(&mut self, limit: u32) {
        self.limit = limit.max(1) as usize;
    }

    /// Takes a place at `now`.
    ///
    /// # Errors
    /// When the window is full: the moment at which a place may be free.
    pub fn take(&mut self, now: Instant) -> Result<(), Instant> {
        self.look(now)?;
        self.taken.push_back(now);
        Ok(())
    }

    /// A call goes, after a look that found a place.
    pub fn begin(&mut self) {
        self.under_way += 1;
    }

    /// A call that was begun has ended.
    pub fn end(&mut self, now: Instant) {
        self.under_way -= 1;
        self.taken.push_back(now);
    }

    /// Whether a place is free at `now`; it is not taken.
    ///
    /// # Errors
    /// As [`SlidingWindow::take`].
    pub fn look(&mut self, now: Instant) -> Result<(), Instant> {
        while self
            .taken
            .front()
            .is_some_and(|oldest| *oldest + WINDOW <= now)
        {
            self.taken.pop_front();
        }
        let used = self.taken.len() + self.under_way;
        if used < self.limit {
            return Ok(());
        }
        // After the limit was lowered more than one place must fall free first. Those of calls under way
        // do so no sooner than in a second.
        let last = self.taken.get(used - self.limit).unwrap_or(&now);
        Err(*last + WINDOW)
    }
}

/// A token bucket: a burst, and then so many a second. For what is only to be kept from flooding.
#[derive(Debug)]
pub struct Allowance {
    burst: f64,
    per_second: f64,
    left: f64,
    counted: Instant,
}

impl Allowance {
    /// Allows `burst` at once from `now` on, and `per_second` each second.
    pub fn new(burst: u32, per_second: u32, now: Instant) -> Self {
        Self {
            burst: f64::from(burst),
            per_second: f64::from(per_second),
            left: f64::from(burst),
            counted: now,
        }
    }

    /// Whether one more is allowed at `now`; it is taken then.
    pub fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.counted).as_secs_f64();
        self.counted = self.counted.max(now);
        self.left = (self.left + passed * self.per_second).min(self.burst);
        let is_allowed = self.left >= 1.0;
        if is_allowed {
            self.left -= 1.0;
        }
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_window_of_one_second_holds_more_than_the_limit() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut window = SlidingWindow::new(2);
        assert_eq!(window.take(at(0)), Ok(()));
        assert_eq!(window.take(at(900)), Ok(()));
        assert_eq!(window.take(at(950)), Err(at(1000)));
        assert_eq!(window.take(at(1000)), Ok(()));
        assert_eq!(window.take(at(1001)), Err(at(1900)));
    }
    #[test]
    fn a_call_keeps_its_place_until_a_second_after_its_end() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut window = SlidingWindow::new(2);
        window.begin();
        window.begin();
        assert_eq!(window.look(at(0)), Err(at(1000)));
        window.end(at(300));
        assert_eq!(window.look(at(1200)), Err(at(1300)));
        assert_eq!(window.look(at(1300)), Ok(()));
    }
}
