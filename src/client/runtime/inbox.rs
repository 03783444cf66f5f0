//! Calls that nobody waits for, on their way to the lanes. The lock of the lanes is held while an answer is given out to
//! many calls; a tick thread leaves its call here without it. The watch of the workers waits here and takes in what
//! came, a moment later: the calls of one tick share requests, and nobody wants the core of the tick thread
//! while it hands them over.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::api::Request;
use crate::clock::Clock;
use crate::error::Error;

/// So many looks after a call is the watch on its feet: some 50 ms, for loops of 20 ticks a second and more.
const LOOKS: u32 = 50;
/// Room for so many calls is kept for the next burst.
const KEPT: usize = 1024;

/// An accepted call.
pub(super) struct Arrival {
    pub(super) request: Request,
    pub(super) tag: u64,
    pub(super) accepted: Instant,
}

/// Where calls arrive.
pub(super) struct Inbox {
    queue: Mutex<Queue>,
    bell: Condvar,
    /// A call waits so long for others.
    gathering: Duration,
}

struct Queue {
    calls: VecDeque<Arrival>,
    /// Why nothing more is accepted.
    refusal: Option<Error>,
    attendant: Attendant,
    /// So many times the watch looks by itself: after a tick comes another, and the first call of a tick should not
    /// have to wake a thread.
    looks_left: u32,
    /// The watch has something to do elsewhere.
    is_wanted: bool,
}

/// Who takes in what arrives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attendant {
    /// Whoever leaves a call rouses somebody.
    Nobody,
    /// The watch, which sleeps.
    Asleep,
    /// The watch, which will look by itself.
    Awake,
}

impl Inbox {
    pub(super) fn new(gathering: Duration) -> Self {
        Self {
            queue: Mutex::new(Queue {
                calls: VecDeque::new(),
                refusal: None,
                // The first thread looks before it sleeps.
                attendant: Attendant::Awake,
                looks_left: 0,
                is_wanted: false,
            }),
            bell: Condvar::new(),
            gathering,
        }
    }

    /// Leaves a call that `admit` has a place for. False when somebody has to be roused for it.
    ///
    /// # Errors
    /// Those of [`Self::refuse`] and of `admit`.
    pub(super) fn leave(
        &self,
        arrival: Arrival,
        admit: impl FnOnce(&Request) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        let mut queue = self.queue.lock();
        if let Some(refusal) = &queue.refusal {
            return Err(refusal.clone());
        }
        admit(&arrival.request)?;
        queue.calls.push_back(arrival);
        queue.looks_left = LOOKS;
        let attendant = queue.attendant;
        if attendant == Attendant::Asleep {
            queue.attendant = Attendant::Awake;
            drop(queue);
            self.bell.notify_one();
        }
        Ok(attendant != Attendant::Nobody)
    }

    /// Why nothing more is accepted, when that is so.
    pub(super) fn refusal(&self) -> Option<Error> {
        self.queue.lock().refusal.clone()
    }

    /// Accepts nothing more.
    pub(super) fn refuse(&self, error: Error) {
        self.queue.lock().refusal = Some(error);
    }

    /// Moves everything that arrived to `calls`, which is empty.
    pub(super) fn take(&self, calls: &mut VecDeque<Arrival>) {
        if calls.capacity() > KEPT {
            *calls = VecDeque::new();
        }
        std::mem::swap(&mut self.queue.lock().calls, calls);
    }

    /// When what arrived is to be taken in.
    pub(super) fn due(&self) -> Option<Instant> {
        self.queue.lock().due(self.gathering)
    }

    /// Waits until something is to be taken in, until `until`, or until somebody wants the watch. It is the
    /// watch's part from then on to come back or to say that it does not.
    pub(super) fn attend(&self, until: Option<Instant>, clock: &dyn Clock) {
        let mut queue = self.queue.lock();
        while !queue.is_wanted {
            let moment = earlier(until, queue.due(self.gathering));
            let left = moment.map(|moment| moment.saturating_duration_since(clock.now()));
            if left.is_some_and(|left| left.is_zero()) {
                break;
            }
            let look = queue.next_look(self.gathering);
            match earlier(left, look) {
                None => self.bell.wait(&mut queue),
                Some(time) => drop(self.bell.wait_for(&mut queue, time)),
            }
        }
        queue.is_wanted = false;
        queue.attendant = Attendant::Awake;
    }

    /// The watch is gone and nobody takes its place.
    pub(super) fn abandon(&self) {
        self.queue.lock().attendant = Attendant::Nobody;
    }

    /// The watch has something to do elsewhere.
    pub(super) fn call_watch(&self) {
        self.queue.lock().is_wanted = true;
        self.bell.notify_one();
    }
}

impl Queue {
    fn due(&self, gathering: Duration) -> Option<Instant> {
        self.calls.front().map(|first| first.accepted + gathering)
    }

    /// When the watch looks whether something has arrived; None when it sleeps until it is told.
    fn next_look(&mut self, gathering: Duration) -> Option<Duration> {
        let is_lively = !gathering.is_zero() && self.looks_left > 0;
        self.looks_left = self.looks_left.saturating_sub(1);
        self.attendant = if is_lively || !self.calls.is_empty() {
            Attendant::Awake
        } else {
            Attendant::Asleep
        };
        is_lively.then_some(gathering)
    }
}

fn earlier<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    [one, other].into_iter().flatten().min()
}
