//! How fast lists are read in the background.

use std::time::{Duration, Instant};

use super::queue::Urgency;
use crate::sliding_window::SlidingWindow;

/// This part of the pace is kept free of lists that are read again, one in so many: a player who logs in finds a place.
const KEPT_FREE: u32 = 5;

/// Pages per second and at once, and what is left of them.
pub(super) struct Pace {
    all: SlidingWindow,
    again: SlidingWindow,
    again_per_second: u32,
    at_once: usize,
    /// Pages on their way.
    pages: usize,
}

impl Pace {
    pub(super) fn new(pages_per_second: u32, at_once: usize) -> Self {
        let again_per_second = (pages_per_second - pages_per_second / KEPT_FREE).max(1);
        Self {
            all: SlidingWindow::new(pages_per_second),
            again: SlidingWindow::new(again_per_second),
            again_per_second,
            at_once,
            pages: 0,
        }
    }

    /// How long it takes to read so many pages again.
    pub(super) fn time_for(&self, pages: u64) -> Duration {
        let second = u64::from(self.again_per_second);
        Duration::from_millis(pages.saturating_mul(1000) / second)
    }

    /// When a page may be asked for; None before one on its way has arrived.
    pub(super) fn free_from(&mut self, urgency: Urgency, now: Instant) -> Option<Instant> {
        let kept_free = usize::from(urgency == Urgency::Again && self.at_once > 1);
        if self.pages + kept_free >= self.at_once {
            return None;
        }
        let from = |window: &mut SlidingWindow| window.look(now).err().unwrap_or(now);
        let free = from(&mut self.all);
        Some(match urgency {
            Urgency::First | Urgency::Changed => free,
            Urgency::Again => free.max(from(&mut self.again)),
        })
    }

    /// A page is asked for, which was free.
    pub(super) fn begin(&mut self, urgency: Urgency, now: Instant) {
        self.pages += 1;
        let _ = self.all.take(now);
        if urgency == Urgency::Again {
            let _ = self.again.take(now);
        }
    }

    /// A page has arrived, or is lost.
    pub(super) fn end(&mut self) {
        self.pages -= 1;
    }
}
