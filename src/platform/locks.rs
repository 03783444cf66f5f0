//! Locks that belong to an open file, not to the process.
//!
//! The usual locks of `fcntl` vanish when anything in the process closes any descriptor of the same file: another copy of
//! SQLite, or a host program that merely copies the file. These do not, and the usual ones conflict with them also within the
//! process.

use std::fs::File;
use std::io;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};

use super::fork::ParentOnly;

/// What a range is locked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Others may have it too.
    Shared,
    Exclusive,
    /// Not locked.
    Free,
}

/// Bytes of a file; they need not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: i64,
    pub(super) length: i64,
}

impl Range {
    pub(super) const fn byte(start: i64) -> Self {
        Self { start, length: 1 }
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "the constants are 0, 1 and 2"
    )]
    fn lock(self, kind: i32) -> libc::flock {
        libc::flock {
            l_type: kind as i16,
            l_whence: libc::SEEK_SET as i16,
            l_start: self.start,
            l_len: self.length,
            // Anything else is refused for locks of this kind.
            l_pid: 0,
        }
    }
}

/// Sets the lock of `file` on `range` to `mode`; false if another open file has it.
pub(super) fn set(file: &File, range: Range, mode: Mode) -> io::Result<bool> {
    let kind = match mode {
        Mode::Shared => libc::F_RDLCK,
        Mode::Exclusive => libc::F_WRLCK,
        Mode::Free => libc::F_UNLCK,
    };
    match fcntl(file, FcntlArg::F_OFD_SETLK(&range.lock(kind))) {
        Ok(_) => Ok(true),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Releases all locks of `file`, also where a child has it that was forked just now and has not closed it yet.
pub(super) fn release(file: &ParentOnly<File>) {
    let everything = Range {
        start: 0,
        length: 0,
    };
    if file.is_ours() {
        // When it fails, the locks end with the last descriptor.
        let _ = set(file, everything, Mode::Free);
    }
}

/// Whether no other open file has a lock on `range`.
pub(super) fn is_free(file: &File, range: Range) -> io::Result<bool> {
    let mut lock = range.lock(libc::F_WRLCK);
    fcntl(file, FcntlArg::F_OFD_GETLK(&mut lock))?;
    Ok(i32::from(lock.l_type) == libc::F_UNLCK)
}
