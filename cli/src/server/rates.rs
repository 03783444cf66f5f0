//! At most so many calls of each command in any window of one second.

use std::sync::Arc;

use parking_lot::Mutex;

use chatblock::clock::Clock;
use chatblock::sliding_window::SlidingWindow;

/// One window per command.
pub(super) struct Rates {
    windows: Arc<[Mutex<SlidingWindow>; Self::COMMANDS]>,
    clock: Arc<dyn Clock>,
    /// The calls go on to a service that counts them when they arrive there.
    is_gateway: bool,
}

/// The place of a call in its window. That of a gateway is taken until one second after the call has ended: when in
/// between it arrives at the service is not known.
pub(super) struct Place {
    _under_way: Option<UnderWay>,
}

struct UnderWay {
    windows: Arc<[Mutex<SlidingWindow>; Rates::COMMANDS]>,
    command: usize,
    clock: Arc<dyn Clock>,
}

impl Rates {
    pub(super) const COMMANDS: usize = 8;

    pub(super) fn new(per_second: u32, is_gateway: bool, clock: Arc<dyn Clock>) -> Self {
        let window = || Mutex::new(SlidingWindow::new(per_second));
        Self {
            windows: Arc::new(std::array::from_fn(|_| window())),
            clock,
            is_gateway,
        }
    }

    /// A place for a call of `command`, if one is free.
    pub(super) fn take(&self, command: usize) -> Option<Place> {
        let now = self.clock.now();
        let mut window = self.windows[command].lock();
        if !self.is_gateway {
            window.take(now).ok()?;
            return Some(Place { _under_way: None });
        }
        window.look(now).ok()?;
        window.begin();
        Some(Place {
            _under_way: Some(UnderWay {
                windows: Arc::clone(&self.windows),
                command,
                clock: Arc::clone(&self.clock),
            }),
        })
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let now = self.clock.now();
        self.windows[self.command].lock().end(now);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use chatblock::clock::StoppedClock;

    fn rates(is_gateway: bool) -> (Rates, Arc<StoppedClock>) {
        let clock = StoppedClock::begin();
        (
            Rates::new(3, is_gateway, Arc::clone(&clock) as Arc<dyn Clock>),
            clock,
        )
    }

    /// The calls that find a place so many milliseconds later.
    fn free(rates: &Rates, clock: &StoppedClock, milliseconds: u64) -> Vec<Place> {
        clock.pass(Duration::from_millis(milliseconds));
        std::iter::from_fn(|| rates.take(1)).collect()
    }

    #[test]
    fn a_call_of_a_gateway_takes_its_place_until_a_second_after_its_end() {
        let (rates, clock) = rates(true);
        let mut places = free(&rates, &clock, 0);
        assert_eq!(places.len(), 3);
        assert_eq!(free(&rates, &clock, 5000).len(), 0, "none has ended");
        drop(places.pop());
        assert_eq!(
            free(&rates, &clock, 999).len(),
            0,
            "it may have arrived at its end"
        );
        let later = free(&rates, &clock, 1);
        assert_eq!(later.len(), 1);
        drop(places);
        assert_eq!(free(&rates, &clock, 999).len(), 0);
        assert_eq!(free(&rates, &clock, 1).len(), 2);
        assert!(rates.take(2).is_some(), "each command has its own window");
    }

    #[test]
    fn a_call_that_is_answered_here_counts_when_it_comes() {
        let (rates, clock) = rates(false);
        let places = free(&rates, &clock, 0);
        assert_eq!(places.len(), 3);
        assert_eq!(free(&rates, &clock, 999).len(), 0);
        assert_eq!(free(&rates, &clock, 1).len(), 3);
    }
}
