//! Lines on their way to the thread that writes them. With locks that need no thread-local storage: a program may close a
//! client from the destructor of a thread, where there is none any more.

use std::collections::VecDeque;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

/// Lines that wait; beyond them new ones find no room.
const MAX_LINES: usize = 1024;

/// A bounded queue with one reader.
#[derive(Default)]
pub(super) struct Lines {
    state: Mutex<LineQueue>,
    changed: Condvar,
}

#[derive(Default)]
struct LineQueue {
    waiting: VecDeque<String>,
    /// No line comes after those that wait.
    is_closed: bool,
    /// The reader has ended.
    is_written: bool,
}

impl Lines {
    /// Queues a line; false when there is no room for it, or after [`Self::end`].
    pub(super) fn push(&self, line: String) -> bool {
        let mut state = self.state.lock();
        let has_room = state.waiting.len() < MAX_LINES && !state.is_closed;
        if has_room {
            state.waiting.push_back(line);
            self.changed.notify_all();
        }
        has_room
    }

    /// The next line, waiting for it; None after the last one.
    pub(super) fn next(&self) -> Option<String> {
        let mut state = self.state.lock();
        loop {
            if let Some(line) = state.waiting.pop_front() {
                return Some(line);
            }
            if state.is_closed {
                return None;
            }
            self.changed.wait(&mut state);
        }
    }

    /// The reader ends.
    pub(super) fn all_written(&self) {
        self.state.lock().is_written = true;
        self.changed.notify_all();
    }

    /// Takes no more lines.
    pub(super) fn end(&self) {
        self.state.lock().is_closed = true;
        self.changed.notify_all();
    }

    /// Takes no more lines, and waits until those that wait are written. At `deadline` they are dropped.
    pub(super) fn close(&self, deadline: Instant) {
        self.end();
        let mut state = self.state.lock();
        while !state.is_written {
            if self.changed.wait_until(&mut state, deadline).timed_out() {
                state.waiting.clear();
                return;
            }
        }
    }
}
