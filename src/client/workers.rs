//! Threads that carry calls over the network, so that the caller's own stack and time are left alone.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use parking_lot::Mutex;

use super::closing::closed;
use super::threads;
use crate::error::{Error, Status};

type Job = Box<dyn FnOnce() + Send>;

/// A bounded queue of calls and the threads that take from it; threads start when they are needed.
pub(super) struct Workers {
    max_threads: usize,
    max_calls: usize,
    /// Taken when closing begins.
    open: Mutex<Option<Open>>,
    /// Disconnected when the last thread has ended.
    ended: Receiver<Infallible>,
    load: Arc<Load>,
}

struct Open {
    jobs: Sender<Job>,
    queue: Receiver<Job>,
    alive: Sender<Infallible>,
    threads: usize,
}

#[derive(Default)]
struct Load {
    /// Calls accepted and not yet done.
    calls: AtomicUsize,
    /// Threads that wait for a call.
    idle: AtomicUsize,
}

impl Workers {
    pub(super) fn new(max_threads: usize, max_calls: usize) -> Self {
        let (jobs, queue) = unbounded();
        let (alive, ended) = bounded(0);
        Self {
            max_threads,
            max_calls,
            open: Mutex::new(Some(Open {
                jobs,
                queue,
                alive,
                threads: 0,
            })),
            ended,
            load: Arc::default(),
        }
    }

    /// Hands `job` to a thread.
    ///
    /// # Errors
    /// [`Status::Busy`] when the queue is full or no thread can start; [`Status::Closed`].
    pub(super) fn submit(&self, job: Job) -> Result<(), Error> {
        let mut open = self.open.lock();
        let Some(open) = open.as_mut() else {
            return Err(closed());
        };
        let waiting = open.jobs.len();
        if self.load.calls.load(Ordering::Relaxed) >= self.max_calls {
            return Err(busy("the queue is full (config key \"queue.max_calls\")"));
        }
        if self.load.idle.load(Ordering::Relaxed) <= waiting && open.threads < self.max_threads {
            match self.start_thread(open) {
                Ok(()) => open.threads += 1,
                Err(error) if open.threads == 0 => {
                    return Err(busy(&format!("no thread can start for the call: {error}")));
                }
                // Those that run already will get to it.
                Err(_) => {}
            }
        }
        self.load.calls.fetch_add(1, Ordering::Relaxed);
        open.jobs.send(job).map_err(|_| closed())
    }

    fn start_thread(&self, open: &Open) -> std::io::Result<()> {
        let (queue, alive, load) = (
            open.queue.clone(),
            open.alive.clone(),
            Arc::clone(&self.load),
        );
        // Not joined: the end of the thread is seen on `ended`, which can be waited for with a deadline.
        threads::spawn("chatblock-call", move || {
            work(&queue, &load);
            drop(alive);
        })
        .map(drop)
    }

    /// Drops what is queued and lets the threads end; true when all have ended by `deadline`. The
    /// rest end by themselves when their attempt times out.
    pub(super) fn close(&self, deadline: Option<Instant>) -> bool {
        if let Some(open) = self.open.lock().take() {
            while open.queue.try_recv().is_ok() {}
        }
        let outcome = match deadline {
            Some(deadline) => self.ended.recv_deadline(deadline),
            None => self
                .ended
                .recv()
                .map_err(|_| RecvTimeoutError::Disconnected),
        };
        outcome == Err(RecvTimeoutError::Disconnected)
    }
}

fn busy(what: &str) -> Error {
    Error::new(Status::Busy, format!("{what}; try again later"))
}

fn work(queue: &Receiver<Job>, load: &Load) {
    loop {
        load.idle.fetch_add(1, Ordering::Relaxed);
        let job = queue.recv();
        load.idle.fetch_sub(1, Ordering::Relaxed);
        let Ok(job) = job else { return };
        job();
        load.calls.fetch_sub(1, Ordering::Relaxed);
    }
}
