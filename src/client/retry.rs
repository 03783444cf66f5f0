//! When to retry, by the classes of docs/protocol.md 6.

use std::time::Duration;

use crate::api::Retry;
use crate::config::RetryPolicy;

/// The least delay of class backoff.
const BACKOFF: Duration = Duration::from_secs(1);
/// A signature that was refused too often rests for this long.
pub(super) const REST: Duration = Duration::from_mins(1);

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextAttempt {
    /// Report.
    Stop,
    /// Try again after this delay, with a fresh signature if `renew`.
    Again {
        /// How long to wait first.
        delay: Duration,
        /// Whether a new signature is made.
        renew: bool,
    },
}

/// Decides after each failed attempt of one request.
#[derive(Debug)]
pub(super) struct Attempts {
    policy: RetryPolicy,
    made: u32,
    renewed: bool,
    repeated_once: bool,
    /// Repeated until it is answered: no number of attempts is enough.
    patient: bool,
}

impl Attempts {
    /// Nothing tried yet.
    pub(super) fn new(policy: RetryPolicy) -> Self {
        Self {
            policy,
            made: 0,
            renewed: false,
            repeated_once: false,
            patient: false,
        }
    }

    /// The same for a request that is repeated until the service does it or refuses it for good.
    pub(super) fn patient(policy: RetryPolicy) -> Self {
        Self {
            patient: true,
            ..Self::new(policy)
        }
    }

    /// After a failure of class `class`; `random` is in 0..1 (full jitter).
    pub(super) fn after(&mut self, class: Retry, random: f64) -> NextAttempt {
        self.made += 1;
        if self.made >= self.policy.attempts && !self.patient {
            return NextAttempt::Stop;
        }
        let again = |delay| NextAttempt::Again {
            delay,
            renew: false,
        };
        match class {
            Retry::Soon => again(self.ceiling().mul_f64(random)),
            Retry::Once if !self.repeated_once => {
                self.repeated_once = true;
                again(self.ceiling().mul_f64(random))
            }
            Retry::Backoff => {
                let least = BACKOFF.saturating_mul(self.doubled()).min(REST);
                again(least + self.policy.base.mul_f64(random))
            }
            Retry::Wait60s => again(REST),
            Retry::Renew if !self.renewed => {
                self.renewed = true;
                NextAttempt::Again {
                    delay: Duration::ZERO,
                    renew: true,
                }
            }
            // Waiting alone can help: the clocks may agree again.
            Retry::Renew if self.patient => NextAttempt::Again {
                delay: REST,
                renew: true,
            },
            Retry::Once | Retry::Renew | Retry::Never => NextAttempt::Stop,
        }
    }

    fn doubled(&self) -> u32 {
        1 << (self.made - 1).min(20)
    }

    fn ceiling(&self) -> Duration {
        self.policy
            .base
            .saturating_mul(self.doubled())
            .min(self.policy.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempts(attempts: u32) -> Attempts {
        Attempts::new(RetryPolicy {
            attempts,
            base: Duration::from_millis(200),
            max: Duration::from_millis(500),
        })
    }

    fn delay(next: NextAttempt) -> u128 {
        match next {
            NextAttempt::Again {
                delay,
                renew: false,
            } => delay.as_millis(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn delays_double_up_to_the_maximum_and_jitter_is_full() {
        let mut all = attempts(10);
        assert_eq!(delay(all.after(Retry::Soon, 1.0)), 200);
        assert_eq!(delay(all.after(Retry::Soon, 0.5)), 200);
        assert_eq!(delay(all.after(Retry::Soon, 1.0)), 500);
        assert_eq!(delay(all.after(Retry::Soon, 0.0)), 0);
    }

    #[test]
    fn backoff_waits_at_least_a_second_and_doubles() {
        let mut all = attempts(10);
        assert_eq!(delay(all.after(Retry::Backoff, 0.0)), 1000);
        assert_eq!(delay(all.after(Retry::Backoff, 0.0)), 2000);
    }

    #[test]
    fn once_and_renew_happen_once() {
        let mut all = attempts(10);
        assert_ne!(all.after(Retry::Once, 0.0), NextAttempt::Stop);
        assert_eq!(all.after(Retry::Once, 0.0), NextAttempt::Stop);
        let renewed = NextAttempt::Again {
            delay: Duration::ZERO,
            renew: true,
        };
        assert_eq!(all.after(Retry::Renew, 0.0), renewed);
        assert_eq!(all.after(Retry::Renew, 0.0), NextAttempt::Stop);
    }

    #[test]
    fn patience_outlasts_every_number_of_attempts_and_ends_at_a_refusal() {
        let mut patient = Attempts::patient(attempts(1).policy);
        for _ in 0..100 {
            assert!(delay(patient.after(Retry::Soon, 1.0)) <= 500);
        }
        assert_eq!(delay(patient.after(Retry::Backoff, 0.0)), REST.as_millis());
        for _ in 0..2 {
            let next = patient.after(Retry::Renew, 0.0);
            assert!(matches!(next, NextAttempt::Again { renew: true, .. }));
        }
        assert_eq!(patient.after(Retry::Never, 0.0), NextAttempt::Stop);
    }

    #[test]
    fn attempts_are_counted_over_all_classes_and_fatal_stops_at_once() {
        let mut two = attempts(2);
        assert_ne!(two.after(Retry::Soon, 0.0), NextAttempt::Stop);
        assert_eq!(two.after(Retry::Soon, 0.0), NextAttempt::Stop);
        assert_eq!(attempts(9).after(Retry::Never, 0.0), NextAttempt::Stop);
        assert_eq!(attempts(1).after(Retry::Soon, 0.0), NextAttempt::Stop);
    }
}
