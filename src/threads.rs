//! The only code that starts threads.

use std::io;

#[cfg(all(test, feature = "model"))]
use model as threads;
#[cfg(not(all(test, feature = "model")))]
use real as threads;

pub(crate) use threads::yield_now;
pub use threads::{JoinHandle, spawn};

#[cfg(not(all(test, feature = "model")))]
mod real {
    use std::thread::Builder;

    use nix::sys::signal::{SigSet, SigmaskHow};

    use crate::platform::fork;

    use super::io;

    pub use std::thread::JoinHandle;
    pub(crate) use std::thread::yield_now;

    /// Enough for one HTTPS call with a wide margin; set explicitly because hosts lower the default.
    const STACK_BYTES: usize = 512 * 1024;

    /// In a forked child more than in its parent: the C library would give a new thread the stack of one that ended with the
    /// fork, and what a waiting thread left on its stack is still in the list of waiting threads (`parking_lot`).
    fn stack_bytes() -> usize {
        (fork::generation() as usize + 1).saturating_mul(STACK_BYTES)
    }

    /// Starts a thread that receives none of the host program's signals: its handlers run on its own threads, and
    /// a closed pipe or a full disk is an error here, not a signal.
    pub fn spawn<T: Send + 'static>(
        name: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<JoinHandle<T>> {
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
        let started = Builder::new()
            .name(name.to_owned())
            .stack_size(stack_bytes())
            .spawn(work);
        before.thread_set_mask()?;
        started
    }
}

/// Threads whose turns shuttle decides.
#[cfg(all(test, feature = "model"))]
mod model {

    use super::io;

    pub use shuttle::thread::JoinHandle;
    pub(crate) use shuttle::thread::yield_now;

    #[allow(clippy::unnecessary_wraps, reason = "as the real one")]
    pub fn spawn<T: Send + 'static>(
        _: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<JoinHandle<T>> {
        Ok(shuttle::thread::spawn(work))
    }
}
