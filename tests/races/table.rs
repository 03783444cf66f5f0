//! The table of the cache for ThreadSanitizer: two threads look up while one writes and the table grows. A program
//! of its own, compiled by `tests/races.rs` from the sources alone.

#![feature(rustc_private)]
#![allow(dead_code, reason = "the cache needs more of them")]

extern crate libc;

#[path = "../../src/cache/bucket.rs"]
mod bucket;
#[path = "../../src/cache/lookup.rs"]
mod lookup;
#[path = "../../src/cache/memory.rs"]
mod memory;
#[path = "../../src/cache/sync.rs"]
mod sync;
#[path = "../../src/cache/table.rs"]
mod table;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bucket::Fingerprint;
use lookup::Answer;
use table::{Growth, WriterState, Table};

/// The number of the owner of all pairs.
const OWNER: u64 = u64::MAX;
/// Pairs that are in the table before the threads begin, and stay.
const KEPT: u64 = 500;
/// Pairs that come, and go again when so many others have come after them: the table grows from 120 buckets to 1800.
const COMING: u64 = 10_000;
const STAYING: u64 = 7_000;

/// A fingerprint as a hash would make it: the finalizer of splitmix64.
fn fingerprint(number: u64) -> Fingerprint {
    let mut word = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^= word >> 31;
    Fingerprint::new(word, word.to_le_bytes()[0])
}

fn main() {
    let (pairs, mut writer) = (Table::<7>::new(Growth { load: 60, step: 1 }).expect("memory"), WriterState::default());
    let (owners, mut owner_writer) = (Table::<3>::new(Growth { load: 60, step: 1 }).expect("memory"), WriterState::default());
    owners
        .insert(&mut owner_writer, fingerprint(OWNER), 1)
        .expect("memory");
    for number in 0..KEPT {
        pairs.insert(&mut writer, fingerprint(number), 0).expect("memory");
    }
    let is_over = AtomicBool::new(false);
    let ask = |number| {
        let pair = pairs.fetch(fingerprint(number));
        lookup::check(&owners, owners.fetch(fingerprint(OWNER)), |_| true, &pairs, Some(pair))
    };
    let look_up = || {
        let mut number = 0;
        // Relaxed: no order between the threads but what the table makes.
        while !is_over.load(Ordering::Relaxed) {
            number = (number + 1) % (KEPT + COMING);
            assert_eq!(ask(number % KEPT), Answer::Yes);
            ask(number);
        }
    };
    thread::scope(|scope| {
        let readers = [(); 2].map(|()| scope.spawn(look_up));
        for number in KEPT..KEPT + COMING {
            pairs.insert(&mut writer, fingerprint(number), 0).expect("memory");
            // A list that was read again has another value.
            owners
                .insert(&mut owner_writer, fingerprint(OWNER), number)
                .expect("memory");
            if let Some(gone) = number.checked_sub(STAYING).filter(|gone| *gone >= KEPT) {
                assert!(pairs.remove(&mut writer, fingerprint(gone)));
            }
        }
        is_over.store(true, Ordering::Relaxed);
        // The sanitizer knows a join as an order between threads, and not the end of a scope.
        for reader in readers {
            reader.join().expect("a reader");
        }
    });
}
