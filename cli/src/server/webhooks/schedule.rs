//! Which webhook is sent next, and when it is retried (docs/protocol.md 8.4, choice C38). Time is an argument.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use chatblock::webhook::Change;

/// After the first, second and third timeout; after the fourth nothing is tried any more.
const PAUSES: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];
/// Most bytes of bodies that wait; the longest body has about 150,000.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// What a webhook takes beside its body.
const OVERHEAD: usize = 128;
/// How long webhooks may still go out after the server was asked to stop.
const CLOSE_GRACE: Duration = Duration::from_secs(2);

/// A webhook on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) change: Change,
    /// Who caused it.
    pub(super) client: IpAddr,
    pub(super) body: String,
    /// Attempts without a response in time.
    timeouts: usize,
}

impl Notice {
    pub(super) fn new(change: Change, client: IpAddr, body: String) -> Self {
        Self {
            change,
            client,
            body,
            timeouts: 0,
        }
    }

    fn size(&self) -> usize {
        self.body.len() + OVERHEAD
    }
}

/// What a sender does now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Send(Notice),
    /// Nothing is due before this, or at all.
    Wait(Option<Instant>),
    /// Nothing will be due again.
    End,
}

/// Webhooks that wait, by the time when they are due.
#[derive(Default)]
pub(super) struct Schedule {
    waiting: BTreeMap<(Instant, u64), Notice>,
    turns: u64,
    bytes: usize,
    /// Set when the server stops: until when the waiting ones may go out.
    end: Option<Instant>,
}

impl Schedule {
    /// Takes a webhook that is due at once; false when too much waits or the server has stopped.
    pub(super) fn push(&mut self, now: Instant, notice: Notice) -> bool {
        let has_room = self.bytes + notice.size() <= MAX_BYTES && self.end.is_none();
        if has_room {
            self.insert(now, notice);
        }
        has_room
    }

    pub(super) fn next(&mut self, now: Instant) -> Next {
        let is_over = self.end.is_some_and(|end| now >= end);
        match self.waiting.first_entry() {
            _ if is_over => Next::End,
            None if self.end.is_some() => Next::End,
            None => Next::Wait(None),
            Some(first) if first.key().0 > now => Next::Wait(Some(first.key().0)),
            Some(first) => {
                let notice = first.remove();
                self.bytes -= notice.size();
                Next::Send(notice)
            }
        }
    }

    /// There was no response in time; false if it is not retried.
    pub(super) fn timed_out(&mut self, now: Instant, mut notice: Notice) -> bool {
        let pause = PAUSES.get(notice.timeouts).filter(|_| self.end.is_none());
        notice.timeouts += 1;
        if let Some(pause) = pause {
            self.insert(now + *pause, notice);
        }
        pause.is_some()
    }

    /// From now on nothing is accepted and nothing is retried. Returns how many will not be retried.
    pub(super) fn close(&mut self, now: Instant) -> usize {
        let before = self.waiting.len();
        self.waiting.retain(|_, notice| notice.timeouts == 0);
        self.end.get_or_insert(now + CLOSE_GRACE);
        before - self.waiting.len()
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    fn insert(&mut self, due: Instant, notice: Notice) {
        self.turns += 1;
        self.bytes += notice.size();
        self.waiting.insert((due, self.turns), notice);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use chatblock::clock::{Clock, SystemClock};

    fn notice(body: &str) -> Notice {
        Notice::new(Change::Add, Ipv4Addr::LOCALHOST.into(), body.to_owned())
    }

    fn take(schedule: &mut Schedule, now: Instant) -> Option<Notice> {
        match schedule.next(now) {
            Next::Send(notice) => Some(notice),
            _ => None,
        }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn webhooks_go_out_in_the_order_in_which_they_came() {
        let (mut schedule, now) = (Schedule::default(), SystemClock.now());
        for body in ["a", "b", "c"] {
            assert!(schedule.push(now, notice(body)));
        }
        let sent: Vec<_> = std::iter::from_fn(|| take(&mut schedule, now)).collect();
        assert_eq!(sent, ["a", "b", "c"].map(notice));
        assert_eq!(schedule.next(now), Next::Wait(None));
    }

    #[test]
    fn repetitions_come_1_2_and_4_seconds_after_a_timeout_and_then_no_more() {
        let (mut schedule, start) = (Schedule::default(), SystemClock.now());
        assert!(schedule.push(start, notice("a")));
        let mut now = start;
        for pause in [1, 2, 4] {
            let sent = take(&mut schedule, now).expect("it is due");
            now += seconds(2);
            assert!(schedule.timed_out(now, sent));
            let due = now + seconds(pause);
            let before = now + seconds(pause).saturating_sub(Duration::from_millis(1));
            assert_eq!(schedule.next(before), Next::Wait(Some(due)));
            now = due;
        }
        let last = take(&mut schedule, now).expect("it is due");
        assert!(!schedule.timed_out(now + seconds(2), last));
        assert_eq!(schedule.next(now + seconds(1000)), Next::Wait(None));
    }

    #[test]
    fn a_repetition_that_is_due_goes_before_what_came_later() {
        let (mut schedule, now) = (Schedule::default(), SystemClock.now());
        schedule.push(now, notice("old"));
        let old = take(&mut schedule, now).expect("it is due");
        schedule.timed_out(now, old);
        schedule.push(now + seconds(3), notice("new"));
        let sent = take(&mut schedule, now + seconds(3)).expect("it is due");
        assert_eq!(sent.body, "old");
    }

    #[test]
    fn what_waits_is_bounded_and_room_comes_back() {
        let (mut schedule, now) = (Schedule::default(), SystemClock.now());
        let large = notice(&"x".repeat(MAX_BYTES / 4 - OVERHEAD));
        for _ in 0..4 {
            assert!(schedule.push(now, large.clone()));
        }
        assert!(!schedule.push(now, notice("")));
        take(&mut schedule, now).expect("it is due");
        assert!(schedule.push(now, large));
    }

    #[test]
    fn after_the_close_first_attempts_still_go_out_for_a_while() {
        let (mut schedule, now) = (Schedule::default(), SystemClock.now());
        for body in ["late", "a", "b"] {
            schedule.push(now, notice(body));
        }
        let late = take(&mut schedule, now).expect("it is due");
        schedule.timed_out(now, late);
        assert_eq!(schedule.close(now), 1);
        assert!(!schedule.push(now, notice("c")));
        let a = take(&mut schedule, now).expect("it is due");
        assert!(!schedule.timed_out(now, a));
        assert_eq!(schedule.close(now + CLOSE_GRACE), 0);
        assert_eq!(schedule.next(now + CLOSE_GRACE), Next::End);
        assert_eq!(schedule.len(), 1);
        assert!(take(&mut schedule, now).is_some());
        assert_eq!(schedule.next(now), Next::End);
    }
}
