//! `pthread_cancel()`: a thread of the host program is not cancelled while it is inside the library.
//!
//! glibc ends a cancelled thread by unwinding its stack from the next cancellation point (a write, a wait, an opened file).
//! No frame of Rust can pass such an unwinding on, so the process would be aborted, and a lock or a transaction would be left in
//! the middle. A cancellation that arrives meanwhile stays pending and is acted on at the caller's next cancellation point.

#![allow(unsafe_code, reason = "pthread_setcancelstate has no safe form")]

use std::ffi::c_int;
use std::marker::PhantomData;

/// The value of glibc and musl; the crate `libc` does not have it for Linux.
const PTHREAD_CANCEL_DISABLE: c_int = 1;

unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
}

/// While it lives, the thread that made it is not cancelled. After that it is as cancellable as it was before.
pub(crate) struct Uncancelled {
    before: c_int,
    /// The state is one of the thread: the guard does not leave it.
    _stays_on_its_thread: PhantomData<*const ()>,
}

impl Uncancelled {
    #[inline]
    pub(crate) fn begin() -> Self {
        let mut before = PTHREAD_CANCEL_DISABLE;
        // SAFETY: `before` is writable. The call fails only for a state that does not exist.
        unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &raw mut before) };
        Self {
            before,
            _stays_on_its_thread: PhantomData,
        }
    }
}

impl Drop for Uncancelled {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the state that this thread had; NULL is allowed where the state before is not needed.
        unsafe { pthread_setcancelstate(self.before, std::ptr::null_mut()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> c_int {
        Uncancelled::begin().before
    }

    #[test]
    fn the_state_before_returns_also_from_inside_another_guard_and_after_a_panic() {
        let cancellable = state();
        assert_ne!(cancellable, PTHREAD_CANCEL_DISABLE);
        let outer = Uncancelled::begin();
        drop(Uncancelled::begin());
        assert_eq!(state(), PTHREAD_CANCEL_DISABLE);
        drop(outer);
        assert_eq!(state(), cancellable);
        let panicked = std::panic::catch_unwind(|| {
            let _guard = Uncancelled::begin();
            panic!("a bug");
        });
        assert!(panicked.is_err());
        assert_eq!(state(), cancellable);
    }
}
