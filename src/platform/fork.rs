//! Detects `fork()`, and closes descriptors of the parent in the child.
//!
//! A child inherits every descriptor. It cannot use a client of its parent, but a lock, a connection and an event would
//! live as long as the child has them open: a server that was killed could not start again while a program that it
//! started is alive. So the handler that runs in a child closes what is registered here. Locks of an open file description
//! stay with the parent, which has it open too.

#![allow(
    unsafe_code,
    reason = "pthread_atfork and close in a child have no safe form"
)]

use std::io;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use once_cell::sync::OnceCell;

use super::descriptors::above_standard;

/// Descriptors that are closed in a child; what is opened beyond is inherited.
const SLOTS: usize = 4096;
/// A slot without a descriptor: no descriptor has this number.
const FREE: u64 = u64::MAX;
/// How often a fork yields to a thread that is about to register a descriptor. It does not wait without limit: a
/// signal handler may fork on the same thread.
const PATIENCE: usize = 10_000;

static GENERATION: AtomicU32 = AtomicU32::new(0);
static REGISTERED: OnceCell<()> = OnceCell::new();
/// Generation and number of each descriptor. Without a lock: in a child no thread could release it.
static TABLE: [AtomicU64; SLOTS] = [const { AtomicU64::new(FREE) }; SLOTS];
/// Threads between the opening of a descriptor and its registration.
static OPENING: AtomicUsize = AtomicUsize::new(0);
/// Threads that are in `fork()`.
static FORKING: AtomicUsize = AtomicUsize::new(0);

extern "C" fn before_fork() {
    FORKING.fetch_add(1, Ordering::SeqCst);
    for _ in 0..PATIENCE {
        if OPENING.load(Ordering::SeqCst) == 0 {
            return;
        }
        std::thread::yield_now();
    }
}

extern "C" fn in_parent() {
    FORKING.fetch_sub(1, Ordering::SeqCst);
}

extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    for slot in &TABLE {
        let entry = slot.swap(FREE, Ordering::Relaxed);
        if entry != FREE {
            // SAFETY: the parent has the descriptor, so this copy of it is open, and nothing in the child uses it: its
            // owner finds that the slot is free.
            let _ = unsafe { libc::close(descriptor(entry)) };
        }
    }
    // The threads that were counted here do not exist in the child.
    OPENING.store(0, Ordering::SeqCst);
    FORKING.store(0, Ordering::SeqCst);
}

/// The number in the low half of an entry.
fn descriptor(entry: u64) -> RawFd {
    let [.., a, b, c, d] = entry.to_be_bytes();
    RawFd::from_be_bytes([a, b, c, d])
}

/// Which process this is, counted in forks since the first client was opened.
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Makes sure that forks are counted from now on.
pub(crate) fn watch() {
    REGISTERED.get_or_init(|| {
        // SAFETY: the handlers only touch atomics and close descriptors; the library is linked with -z nodelete, so they
        // stay mapped. Failure (no memory for the registration) leaves forks unnoticed, nothing else.
        let _ = unsafe { libc::pthread_atfork(Some(before_fork), Some(in_parent), Some(in_child)) };
    });
}

/// Keeps forks out between the opening of a descriptor and its registration.
struct Opening;

impl Opening {
    fn begin() -> Self {
        loop {
            OPENING.fetch_add(1, Ordering::SeqCst);
            if FORKING.load(Ordering::SeqCst) == 0 {
                return Self;
            }
            OPENING.fetch_sub(1, Ordering::SeqCst);
            std::thread::yield_now();
        }
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        OPENING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Owns a descriptor that a forked child closes at once. In the child it owns nothing: its number may be that of another
/// file by then.
#[derive(Debug)]
pub(crate) struct ParentOnly<T> {
    inner: ManuallyDrop<T>,
    /// None when the table was full.
    entry: Option<(usize, u64)>,
}

impl<T: AsRawFd + From<OwnedFd> + Into<OwnedFd>> ParentOnly<T> {
    /// Runs `open` and registers what it opens, without a fork in between.
    pub(crate) fn open(open: impl FnOnce() -> io::Result<T>) -> io::Result<Self> {
        watch();
        let _opening = Opening::begin();
        let inner = above_standard(open()?)?;
        let number = inner.as_raw_fd();
        Ok(Self::with(inner, number))
    }
}

impl<T> ParentOnly<T> {
    fn with(inner: T, number: RawFd) -> Self {
        let number = u64::from(number.cast_unsigned());
        let entry = u64::from(generation()) << 32 | number;
        let take = |slot: &AtomicU64| {
            let taken = slot.compare_exchange(FREE, entry, Ordering::Relaxed, Ordering::Relaxed);
            taken.is_ok()
        };
        Self {
            inner: ManuallyDrop::new(inner),
            entry: TABLE.iter().position(take).map(|slot| (slot, entry)),
        }
    }

    /// Whether this process has it open: not in a child of the one that opened it.
    pub(crate) fn is_ours(&self) -> bool {
        self.entry
            .is_none_or(|(slot, entry)| TABLE[slot].load(Ordering::Relaxed) == entry)
    }

    /// Releases the slot, if this process has it open.
    fn release(&self) -> bool {
        self.entry.is_none_or(|(slot, entry)| {
            TABLE[slot]
                .compare_exchange(entry, FREE, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        })
    }
}

impl<T> Deref for ParentOnly<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> Drop for ParentOnly<T> {
    fn drop(&mut self) {
        if self.release() {
            // SAFETY: it is dropped here only, and nothing uses it afterwards.
            unsafe { ManuallyDrop::drop(&mut self.inner) };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::IntoRawFd;

    use super::*;

    fn null() -> ParentOnly<File> {
        ParentOnly::open(|| File::open("/dev/null")).expect("/dev/null")
    }

    fn is_open(number: RawFd) -> bool {
        std::path::Path::new(&format!("/proc/self/fd/{number}")).exists()
    }

    /// Runs `body` in a forked child; whether it returned true.
    fn in_a_child(body: impl FnOnce() -> bool) -> bool {
        // SAFETY: the child only looks at descriptors and ends.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let status = i32::from(!body());
            // SAFETY: the child ends here, without the handlers of the test program.
            unsafe { libc::_exit(status) };
        }
        let mut status = 0;
        // SAFETY: `status` is writable.
        let ended = unsafe { libc::waitpid(child, &raw mut status, 0) };
        assert_eq!(ended, child);
        status == 0
    }

    #[test]
    fn a_forked_child_has_none_of_the_registered_descriptors() {
        let (first, second) = (null(), null());
        let numbers = [first.as_raw_fd(), second.as_raw_fd()];
        assert!(in_a_child(|| numbers
            .iter()
            .all(|number| !is_open(*number))));
        assert!(numbers.iter().all(|number| is_open(*number)));
    }

    #[test]
    fn a_child_that_drops_what_was_closed_closes_nothing_else() {
        let inherited = null();
        let number = inherited.as_raw_fd();
        assert!(in_a_child(|| {
            // Takes the numbers that are free, the closed one among them.
            let own: Vec<_> = (0..16)
                .map_while(|_| File::open("/dev/null").ok().map(IntoRawFd::into_raw_fd))
                .collect();
            drop(inherited);
            own.contains(&number) && own.iter().all(|number| is_open(*number))
        }));
    }

    #[test]
    fn a_registered_descriptor_is_closed_with_its_owner() {
        let file = null();
        let slot = file.entry.expect("there is room").0;
        let number = u64::from(file.as_raw_fd().cast_unsigned());
        drop(file);
        let entry = TABLE[slot].load(Ordering::Relaxed);
        assert!(entry == FREE || entry != number);
    }
}
