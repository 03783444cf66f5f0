//! Limit of the retries that are added to the load, so that an outage does not cause a retry storm.

use std::time::{Duration, Instant};

/// Every first attempt earns a tenth of a repetition; a quiet client may always repeat a few times.
const EARNED: f64 = 0.1;
const MOST: f64 = 32.0;
/// How often something that may not be given up is tried again with an empty purse.
const PROBE: Duration = Duration::from_secs(1);

/// A purse of repetitions.
#[derive(Debug)]
pub(super) struct Budget {
    left: f64,
    denied: u64,
    probe_at: Option<Instant>,
}

impl Budget {
    pub(super) fn full() -> Self {
        Self {
            left: MOST,
            denied: 0,
            probe_at: None,
        }
    }

    /// How many repetitions may follow at once.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 32"
    )]
    pub(super) fn left(&self) -> u32 {
        self.left as u32
    }

    /// How many repetitions there was no budget for.
    pub(super) fn denied(&self) -> u64 {
        self.denied
    }

    /// A first attempt was made.
    pub(super) fn earn(&mut self) {
        self.left = (self.left + EARNED).min(MOST);
    }

    /// A repetition was worth it: the service answered.
    pub(super) fn refund(&mut self) {
        self.left = (self.left + 1.0).min(MOST);
    }

    /// Takes one repetition; false when there is none left.
    pub(super) fn spend(&mut self) -> bool {
        let enough = self.left >= 1.0;
        if enough {
            self.left -= 1.0;
        } else {
            self.denied += 1;
        }
        enough
    }

    /// A repetition that may not be given up waits until there is one.
    pub(super) fn deny(&mut self) {
        self.denied += u64::from(self.left < 1.0);
    }

    /// Takes one repetition, or the one a second that is allowed with an empty purse.
    pub(super) fn spend_or_probe(&mut self, now: Instant) -> bool {
        if self.left >= 1.0 {
            self.left -= 1.0;
            return true;
        }
        let due = self.probe_at.is_none_or(|moment| moment <= now);
        if due {
            self.probe_at = Some(now + PROBE);
        }
        due
    }

    /// When there is one for what may not be given up, unless an earlier answer earns it.
    pub(super) fn pays_at(&self, now: Instant) -> Instant {
        match self.probe_at {
            Some(moment) if self.left < 1.0 => moment,
            _ => now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_the_long_run_one_repetition_comes_to_ten_first_attempts() {
        let mut budget = Budget::full();
        while budget.spend() {}
        let mut repeated = 0;
        for _ in 0..1000 {
            budget.earn();
            repeated += usize::from(budget.spend());
        }
        assert!((99..=100).contains(&repeated), "{repeated}");
    }
}
