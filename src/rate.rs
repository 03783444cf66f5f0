//! At most so many calls in any window of one second: the client's pace and the server's limit.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(1);

/// A sliding window, not a bucket: no burst fits between two windows.
#[derive(Debug)]
pub struct Window {
    limit: usize,
    taken: VecDeque<Instant>,
}

impl Window {
    /// Allows `limit` calls per second, at least one.
    pub fn new(limit: u32) -> Self {
        Self {
            limit: limit.max(1) as usize,
            taken: VecDeque::new(),
        }
    }

    /// Takes a place at `now`.
    ///
    /// # Errors
    /// When the window is full: the moment at which a place is free.
    pub fn take(&mut self, now: Instant) -> Result<(), Instant> {
        while self
            .taken
            .front()
            .is_some_and(|oldest| *oldest + WINDOW <= now)
        {
            self.taken.pop_front();
        }
        if self.taken.len() >= self.limit {
            return Err(self.taken[0] + WINDOW);
        }
        self.taken.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_window_of_one_second_holds_more_than_the_limit() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut window = Window::new(2);
        assert_eq!(window.take(at(0)), Ok(()));
        assert_eq!(window.take(at(900)), Ok(()));
        assert_eq!(window.take(at(950)), Err(at(1000)));
        assert_eq!(window.take(at(1000)), Ok(()));
        assert_eq!(window.take(at(1001)), Err(at(1900)));
    }
}
