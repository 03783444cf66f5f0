//! The numbers 0 to 2 belong to the host program, also while they are closed: what it prints would go into a file of the
//! library.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

const STANDARD_ERROR: i32 = 2;

/// What was `opened`, under a number above those of standard input, output and error.
pub(crate) fn above_standard<T: From<OwnedFd> + Into<OwnedFd>>(opened: T) -> io::Result<T> {
    let descriptor = opened.into();
    if descriptor.as_raw_fd() > STANDARD_ERROR {
        return Ok(T::from(descriptor));
    }
    // A copy never has one of the three numbers.
    descriptor.try_clone().map(T::from)
}
