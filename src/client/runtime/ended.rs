//! Waits for the end of the threads of a client.

use std::sync::Arc;
use std::time::Instant;

use crate::locks::{Condvar, Mutex};

/// Every thread has one until it ends.
pub(super) struct Alive(Arc<Shared>);

/// Signals the end of the last [`Alive`].
pub(super) struct Ended(Arc<Shared>);

struct Shared {
    alive: Mutex<usize>,
    over: Condvar,
}

/// The first one, and how to wait for the last.
pub(super) fn channel() -> (Alive, Ended) {
    let shared = Arc::new(Shared {
        alive: Mutex::new(1),
        over: Condvar::new(),
    });
    (Alive(Arc::clone(&shared)), Ended(shared))
}

impl Clone for Alive {
    fn clone(&self) -> Self {
        *self.0.alive.lock() += 1;
        Self(Arc::clone(&self.0))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        let mut alive = self.0.alive.lock();
        *alive -= 1;
        let is_last = *alive == 0;
        drop(alive);
        if is_last {
            self.0.over.notify_all();
        }
    }
}

impl Ended {
    /// Waits until every thread has ended; false at `deadline` (None: without limit).
    pub(super) fn wait(&self, deadline: Option<Instant>) -> bool {
        let mut alive = self.0.alive.lock();
        while *alive > 0 {
            match deadline {
                None => self.0.over.wait(&mut alive),
                Some(deadline) => {
                    if self.0.over.wait_until(&mut alive, deadline).timed_out() {
                        return *alive == 0;
                    }
                }
            }
        }
        true
    }
}
