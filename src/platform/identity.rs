//! The identity of a file: whether a name and an open file mean the same.
//!
//! The times of the files are not read: since Linux 6.13 a file whose times were read gets a new one with its next
//! write, and the sync after it has to bring that to disk. Reading them after each commit made commits 1.5 times as
//! slow.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Which file it is, whatever its name. No other file gets these numbers while it is open or has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    number: u64,
}

impl Identity {
    /// Of an open file.
    pub(super) fn of(file: &File) -> io::Result<Self> {
        file.metadata().map(|found| Self::from(&found))
    }
}

impl From<&Metadata> for Identity {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            number: metadata.ino(),
        }
    }
}

/// Whether `path` is the only name of the file `identity`, which must be open.
///
/// # Errors
/// When the system does not say.
pub(super) fn is_only_name(identity: Identity, path: &Path) -> io::Result<bool> {
    match find(path) {
        Ok((found, names)) => Ok(found == identity && names == 1),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(false),
            _ => Err(error),
        },
    }
}

/// The file at `path`, links not followed, and how many names it has.
fn find(path: &Path) -> io::Result<(Identity, u64)> {
    #[cfg(target_os = "linux")]
    match linux::find(path) {
        // A kernel before 4.11, or a filter of system calls that knows no better.
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => {}
        found => return found,
    }
    let found = fs::symlink_metadata(path)?;
    Ok((Identity::from(&found), found.nlink()))
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::CString;
    use std::io;
    use std::mem::MaybeUninit;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

    use super::Identity;

    #[allow(unsafe_code)]
    pub(super) fn find(path: &Path) -> io::Result<(Identity, u64)> {
        let name = CString::new(path.as_os_str().as_bytes())?;
        let mut found = MaybeUninit::<libc::statx>::zeroed();
        let flags = libc::AT_SYMLINK_NOFOLLOW;
        let wanted = libc::STATX_INO | libc::STATX_NLINK;
        // By number: the function is not in glibc before 2.28.
        // SAFETY: `name` ends in NUL, `found` has room for the structure, and both live through the call.
        let failed = unsafe {
            libc::syscall(
                libc::SYS_statx,
                libc::AT_FDCWD,
                name.as_ptr(),
                flags,
                wanted,
                found.as_mut_ptr(),
            ) != 0
        };
        if failed {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: all bytes were zero, which is a value of this structure of numbers, and the kernel wrote others.
        let found = unsafe { found.assume_init() };
        let identity = Identity {
            device: libc::makedev(found.stx_dev_major, found.stx_dev_minor),
            number: found.stx_ino,
        };
        Ok((identity, found.stx_nlink.into()))
    }
}
