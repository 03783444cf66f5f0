//! Asynchronous calls and watched owners on their way to the scheduler, and where the threads of a client sleep. The
//! lock of the scheduler is held while an outcome is processed; a tick thread stores its call here without that lock.
//! The leader moves the stored calls to the scheduler up to 1 ms later: the calls of one tick share requests, and no
//! thread competes with the tick thread while it submits.

use std::time::{Duration, Instant};

use super::admission::{Admission, Scale, Weight};
use super::arrivals::{Arrival, Arrivals, What};
use super::wakeup::{Sleep, Wake, Wakeup, Work, earlier};
use crate::api::Request;
use crate::clock::Clock;
use crate::config::QueueLimits;
use crate::error::Error;
use crate::locks::{Condvar, Mutex, MutexGuard};

/// So many times the leader looks by itself after a call: some 50 ms, for loops of 20 ticks a second and more.
const POLLS: u32 = 50;

/// Where calls arrive and threads sleep.
pub(super) struct Inbox {
    queue: Mutex<InboxQueue>,
    scale: Scale,
    leader: Condvar,
    followers: Condvar,
    /// A call waits so long for others.
    batch_window: Duration,
}

struct InboxQueue {
    calls: Arrivals,
    admission: Admission,
    /// Why nothing more is accepted.
    refusal: Option<Error>,
    wakeup: Wakeup,
    /// A thread was started that processes the inbox.
    has_drainer: bool,
    /// So many times the leader looks by itself: after a tick comes another, and the first call of a tick should not
    /// have to wake a thread.
    polls_left: u32,
    /// The leader looks by itself within the batch window.
    is_polling: bool,
}

impl Inbox {
    pub(super) fn new(batch_window: Duration, limits: QueueLimits) -> Self {
        Self {
            queue: Mutex::new(InboxQueue {
                calls: Arrivals::default(),
                admission: Admission::new(limits),
                refusal: None,
                wakeup: Wakeup::default(),
                has_drainer: false,
                polls_left: 0,
                is_polling: false,
            }),
            scale: Scale::default(),
            leader: Condvar::new(),
            followers: Condvar::new(),
            batch_window,
        }
    }

    /// Leaves what `admit` has a place for. Returns it when a thread has to be started first.
    ///
    /// # Errors
    /// Those of [`Self::refuse`] and of `admit`.
    pub(super) fn push(
        &self,
        what: What,
        clock: &dyn Clock,
        admit: impl FnOnce(&mut Admission, &What) -> Result<(), Error>,
    ) -> Result<Option<What>, Error> {
        let mut queue = self.queue.lock();
        if let Some(refusal) = &queue.refusal {
            return Err(refusal.clone());
        }
        if !queue.has_drainer {
            return Ok(Some(what));
        }
        admit(&mut queue.admission, &what)?;
        // Reading the clock takes a tick thread as long as a tenth of the rest: calls that wait together share a moment.
        let first = queue.calls.front().map(|first| first.accepted);
        let arrival = Arrival {
            what,
            accepted: first.unwrap_or_else(|| clock.now()),
        };
        let work = self.work(&arrival);
        queue.calls.push(arrival);
        queue.polls_left = POLLS;
        let wake = queue.wakeup.post(work);
        let is_noticed = queue.is_polling && wake == Wake::Leader && !work.is_ready;
        drop(queue);
        if !is_noticed {
            self.notify(wake);
        }
        Ok(None)
    }

    fn work(&self, first: &Arrival) -> Work {
        Work {
            is_ready: self.batch_window.is_zero(),
            moment: Some(first.accepted + self.batch_window),
        }
    }

    /// Asks for a call that comes another way.
    ///
    /// # Errors
    /// Those of `admit`.
    pub(super) fn admit(
        &self,
        admit: impl FnOnce(&mut Admission) -> Result<(), Error>,
    ) -> Result<(), Error> {
        admit(&mut self.queue.lock().admission)
    }

    /// What a call counts for.
    pub(super) fn weigh(&self, request: &Request) -> Weight {
        self.scale.weigh(request)
    }

    /// These admitted calls do not wait any more.
    pub(super) fn release(&self, calls: &[Weight]) {
        if !calls.is_empty() {
            self.queue.lock().admission.release(calls);
        }
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
    pub(super) fn take(&self, calls: &mut Arrivals) {
        self.queue.lock().take(calls);
    }

    /// A thread that has the lock of the scheduler looks: moves what is due to `calls`, which is empty, and says when the
    /// rest is.
    pub(super) fn look(&self, calls: &mut Arrivals, now: Instant) -> Option<Instant> {
        let mut queue = self.queue.lock();
        queue.wakeup.look();
        let due = queue.due(self.batch_window)?;
        if due > now {
            return Some(due);
        }
        queue.take(calls);
        None
    }

    /// There is work for the threads, which can be seen.
    pub(super) fn post(&self, work: Work) {
        let wake = self.queue.lock().wakeup.post(work);
        self.notify(wake);
    }

    /// A thread starts to send and leaves `work` and the stored calls to others: in one critical section, so that a
    /// call stored at the same time is seen by one of them.
    pub(super) fn leave(&self, work: Work) {
        let mut queue = self.queue.lock();
        let arrived = queue.calls.front().map(|first| self.work(first));
        let wake = queue.wakeup.leave(work.and(arrived.unwrap_or_default()));
        drop(queue);
        self.notify(wake);
    }

    /// A thread is back from the network.
    pub(super) fn come_back(&self) {
        self.queue.lock().wakeup.come_back();
    }

    /// Whether a thread processes the inbox.
    pub(super) fn has_drainer(&self) -> bool {
        self.queue.lock().has_drainer
    }

    /// A thread is about to start.
    pub(super) fn start(&self) {
        let mut queue = self.queue.lock();
        queue.has_drainer = true;
        queue.wakeup.start();
    }

    /// It could not; `is_first`: there is none.
    pub(super) fn start_failed(&self, is_first: bool) {
        let mut queue = self.queue.lock();
        queue.has_drainer = !is_first;
        queue.wakeup.start_failed();
    }

    /// Whether a thread may let others run before it sleeps.
    pub(super) fn may_linger(&self) -> bool {
        self.queue.lock().wakeup.may_linger()
    }

    /// Sleeps until a look at the scheduler is due: at `until`, or when something is posted.
    pub(super) fn sleep(&self, until: Option<Instant>, clock: &dyn Clock) {
        let mut queue = self.queue.lock();
        let until = earlier(until, queue.due(self.batch_window));
        match queue.wakeup.sleep(until) {
            Sleep::LookAgain => {}
            Sleep::Leader(number) => self.lead(queue, number, clock),
            Sleep::Follower(wake) => {
                self.notify(wake);
                while !queue.wakeup.take_call() {
                    self.followers.wait(&mut queue);
                }
            }
        }
    }

    /// Keeps the timer until it is due, or until the leader is called.
    fn lead(&self, mut queue: MutexGuard<'_, InboxQueue>, number: u64, clock: &dyn Clock) {
        while queue.wakeup.leads(number) {
            let until = queue.wakeup.moment();
            let left = until.map(|until| until.saturating_duration_since(clock.now()));
            if left.is_some_and(|left| left.is_zero()) {
                queue.wakeup.timer_is_due();
                break;
            }
            match earlier(left, queue.next_poll(self.batch_window)) {
                None => self.leader.wait(&mut queue),
                Some(time) => drop(self.leader.wait_for(&mut queue, time)),
            }
        }
        queue.is_polling = false;
    }

    /// Every thread looks, and none sleeps any more.
    pub(super) fn end(&self) {
        self.queue.lock().wakeup.end();
        self.leader.notify_all();
        self.followers.notify_all();
    }

    fn notify(&self, wake: Wake) {
        match wake {
            Wake::Nobody => {}
            // One leader may be on its way while the next sleeps already.
            Wake::Leader => {
                self.leader.notify_all();
            }
            Wake::Follower => {
                self.followers.notify_one();
            }
        }
    }
}

impl InboxQueue {
    fn take(&mut self, calls: &mut Arrivals) {
        std::mem::swap(&mut self.calls, calls);
    }

    fn due(&self, batch_window: Duration) -> Option<Instant> {
        self.calls
            .front()
            .map(|first| first.accepted + batch_window)
    }

    /// When the leader looks whether something has arrived; None when it sleeps until it is notified.
    fn next_poll(&mut self, batch_window: Duration) -> Option<Duration> {
        self.is_polling = !batch_window.is_zero() && self.polls_left > 0;
        self.polls_left = self.polls_left.saturating_sub(1);
        self.is_polling.then_some(batch_window)
    }
}

#[cfg(test)]
impl Inbox {
    /// Whether all of `threads` sleep.
    pub(super) fn is_asleep(&self, threads: usize) -> bool {
        self.queue.lock().wakeup.is_asleep(threads)
    }
}
