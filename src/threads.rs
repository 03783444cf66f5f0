//! The only place that starts a thread.

use std::io;
use std::thread::{Builder, JoinHandle};

use nix::sys::signal::{SigSet, SigmaskHow};

/// Enough for one HTTPS call with a wide margin; set explicitly because hosts lower the default.
const STACK_BYTES: usize = 512 * 1024;

/// Starts a thread that receives none of the host's signals: its handlers run on its own threads, and
/// a closed pipe or a full disk is an error here, not a signal.
pub(crate) fn spawn(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
    let started = Builder::new()
        .name(name.to_owned())
        .stack_size(STACK_BYTES)
        .spawn(work);
    before.thread_set_mask()?;
    started
}
