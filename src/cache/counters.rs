//! Counters of cached checks. Each reader thread has a cache line of its own, up to their number.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Answer;

/// Lines; a power of two, more than threads that ask at once on a usual machine.
const CELLS: usize = 32;

#[repr(align(64))]
#[derive(Default)]
struct Cell {
    hits: AtomicU64,
    unknowns: AtomicU64,
}

/// On the heap: the thread that opens a client may have a small stack.
#[derive(Default)]
pub(super) struct CheckCounters(Box<[Cell; CELLS]>);

impl CheckCounters {
    #[inline(always)]
    pub(super) fn count(&self, answer: Answer) {
        match answer {
            Answer::Yes | Answer::No => self.add(1, 0),
            Answer::Unknown => self.add(0, 1),
        }
    }

    #[inline(always)]
    pub(super) fn add(&self, hits: u64, unknowns: u64) {
        // Stacks are far apart, so the address of a local variable distinguishes threads without a thread-local.
        let local = 0_u8;
        let place = ((&raw const local).addr() >> 16) as u64;
        // The upper 5 bits of a product with 2^64 over the golden ratio spread what differs anywhere.
        let cell = &self.0[(place.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 59) as usize % CELLS];
        for (counter, more) in [(&cell.hits, hits), (&cell.unknowns, unknowns)] {
            if more > 0 {
                counter.fetch_add(more, Ordering::Relaxed);
            }
        }
    }

    /// Hits and unknowns of all threads.
    pub(super) fn sums(&self) -> (u64, u64) {
        self.0.iter().fold((0, 0), |(hits, unknowns), cell| {
            (
                hits + cell.hits.load(Ordering::Relaxed),
                unknowns + cell.unknowns.load(Ordering::Relaxed),
            )
        })
    }
}
