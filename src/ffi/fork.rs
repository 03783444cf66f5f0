//! Noticing `fork()`: a handler in the child counts, and every call compares one number.

use std::sync::atomic::{AtomicU32, Ordering};

use once_cell::sync::OnceCell;

static GENERATION: AtomicU32 = AtomicU32::new(0);
static REGISTERED: OnceCell<()> = OnceCell::new();

extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// Which process this is, counted in forks since the first client was opened.
pub(super) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Makes sure that forks are counted from now on.
pub(super) fn watch() {
    REGISTERED.get_or_init(|| {
        // SAFETY: the handler only touches an atomic; the library is linked with -z nodelete, so it
        // stays mapped. Failure (no memory for the registration) leaves forks unnoticed, nothing else.
        let _ = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
}
