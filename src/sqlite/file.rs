//! A file of ours before SQLite sees it: lock, creation, foreign and newer formats.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::Format;
use crate::error::Error;

const MAGIC: &[u8] = b"SQLite format 3\0";
const USER_VERSION: std::ops::Range<usize> = 60..64;
const APPLICATION: std::ops::Range<usize> = 68..72;

/// Held while the file is open; gives the lock back also where a forked child still has the file.
pub(crate) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Nothing can be done about a failure here; the lock ends with the process at the latest.
        let _ = self.0.unlock();
    }
}

/// Locks the file at `path` for this handle alone: a second process and a second handle get an error.
pub(super) fn lock(path: &Path) -> Result<Lock, Error> {
    let unusable =
        |error: std::io::Error| Error::storage(path, format!("cannot be locked: {error}"));
    if !path.parent().is_some_and(Path::is_dir) {
        return Err(Error::storage(
            path,
            "its directory does not exist; create it first",
        ));
    }
    let file = private()
        .create(true)
        .open(beside(path, ".lock"))
        .map_err(unusable)?;
    if !file.metadata().map_err(unusable)?.is_file() {
        return Err(Error::storage(
            path,
            "its lock file is not a regular file; remove it",
        ));
    }
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(Error::storage(
            path,
            "is in use by another client; close it there, or share one client between threads",
        )),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

/// Creates the file beside its place and moves it there whole, so that a file at `path` always has
/// its marks.
pub(super) fn create_if_missing(path: &Path, format: &Format) -> Result<(), Error> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() && metadata.len() == 0 => {}
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(Error::storage(
                path,
                format!("cannot be looked at: {error}"),
            ));
        }
    }
    let draft = beside(path, ".new");
    let unusable =
        |error: std::io::Error| Error::storage(path, format!("cannot be created: {error}"));
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unusable(error)),
        _ => {}
    }
    private().create_new(true).open(&draft).map_err(unusable)?;
    format
        .create_tables(&draft)
        .map_err(|error| super::storage(path, &error))?;
    File::open(&draft)
        .and_then(|file| file.sync_all())
        .map_err(unusable)?;
    std::fs::rename(&draft, path).map_err(unusable)?;
    let directory = path.parent().unwrap_or(Path::new("/"));
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(unusable)
}

/// Refuses what is not a file of this format, or one of a newer version, without changing it.
pub(super) fn check_header(path: &Path, format: &Format) -> Result<(), Error> {
    let unusable = |error: std::io::Error| match error.raw_os_error() {
        Some(libc::ELOOP) => Error::storage(path, "is a symbolic link; name the file itself"),
        _ => Error::storage(path, format!("cannot be opened: {error}")),
    };
    let mut file = private()
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
        .map_err(unusable)?;
    let metadata = file.metadata().map_err(unusable)?;
    if !metadata.is_file() {
        return Err(Error::storage(path, "is not a regular file"));
    }
    if metadata.nlink() != 1 {
        return Err(Error::storage(
            path,
            "has a second name (hard link); two clients could open it",
        ));
    }
    let mut header = [0; 100];
    let foreign = || {
        Error::storage(
            path,
            format!(
                "is not a chatblock {}; it was left untouched, name another file",
                format.name
            ),
        )
    };
    file.read_exact(&mut header).map_err(|_| foreign())?;
    let number = |range: std::ops::Range<usize>| {
        u32::from_be_bytes(header[range].try_into().expect("four bytes"))
    };
    if !header.starts_with(MAGIC) || number(APPLICATION) != format.application_id {
        return Err(foreign());
    }
    let version = number(USER_VERSION);
    if version > format.version {
        return Err(newer(path, format, version));
    }
    Ok(())
}

/// The refusal of a file of a newer `version`.
pub(super) fn newer(path: &Path, format: &Format, version: u32) -> Error {
    Error::storage(
        path,
        format!(
            "was written by a newer chatblock (format {version}, this one reads up to {}); \
             it was left untouched, update the library",
            format.version
        ),
    )
}

/// Readable and writable by the owner alone, whatever the umask; never inherited, never through a link.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW);
    options
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
