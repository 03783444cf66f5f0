//! A file before SQLite opens it: its lock, its creation, and the refusal of foreign files and other formats.

use std::cmp::Ordering;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::names::{has_name, sync_directory, unusable};
use super::{Format, leftovers};
use crate::error::{Error, with_next_step};
use crate::platform::database::{Database, beside};
use crate::platform::fork::{self, ParentOnly};

const MAGIC: &[u8] = b"SQLite format 3\0";
/// What reads and what writes a file, and what that is for one with a log.
const VERSIONS: u64 = 18;
const WITH_LOG: u8 = 2;
const USER_VERSION: usize = 60;
pub(super) const APPLICATION: usize = 68;

/// How often the way from a name to a locked file is gone again, when the file changes on the way.
const ATTEMPTS: usize = 100;
/// How long a lock is waited for. A child that was forked has the locks of its parent until it comes to run, and every child
/// begins as a fork: so a client that has just ended may seem to have the file still.
const CHILD_BEGINS: Duration = Duration::from_millis(300);
/// The same for a forked child: after `daemon()` its parent is about to end.
const PARENT_ENDS: Duration = Duration::from_secs(2);
const STEP: Duration = Duration::from_millis(10);

/// A file that only this process has open.
pub(super) struct Claimed {
    pub(super) file: ParentOnly<File>,
    /// Where SQLite finds it too: no part of the path is a link.
    pub(super) path: PathBuf,
    /// Held for earlier libraries, which know no other lock.
    pub(super) old_lock: Option<ParentOnly<File>>,
    /// Where the log of an earlier file of this name is now.
    pub(super) set_aside: Option<PathBuf>,
}

/// A file, and where the log of an earlier one of its name is now.
type Created = (ParentOnly<File>, Option<PathBuf>);

/// Opens or creates the file at `path` for this client alone: a second process and a second client get an error.
pub(super) fn claim(path: &Path, format: &Format) -> Result<Claimed, Error> {
    let real = without_links(path)?;
    let old_lock = lock_as_before(path)?;
    for _ in 0..ATTEMPTS {
        let claimed = match open(path, &real)? {
            Some(file) => claim_open(path, &real, file)?.map(|file| (file, None)),
            None => create(path, &real, format)?,
        };
        if let Some((file, set_aside)) = claimed {
            return Ok(Claimed {
                file,
                path: real,
                old_lock,
                set_aside,
            });
        }
    }
    Err(Error::storage(
        path,
        "is replaced all the time; find out who does it",
    ))
}

/// A file that no client has open while this lives, whatever is in it.
pub(super) struct HeldFile {
    /// None where there is none, or an empty one.
    pub(super) file: Option<ParentOnly<File>>,
    _old_lock: Option<ParentOnly<File>>,
}

/// Keeps clients from the file at `path`; None when one has it open already.
pub(super) fn hold(path: &Path) -> Result<Option<HeldFile>, Error> {
    let real = without_links(path)?;
    let old_lock = lock_as_before(path)?;
    let file = open(path, &real)?;
    if let Some(file) = &file {
        let is_ours = lock(path, file)?;
        if !is_ours || !has_name(file, &real).map_err(|error| unusable(path, &error))? {
            return Ok(None);
        }
    }
    Ok(Some(HeldFile {
        file,
        _old_lock: old_lock,
    }))
}

/// Where SQLite finds `path` too: its directory without links.
fn without_links(path: &Path) -> Result<PathBuf, Error> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Error::storage(path, "is not the name of a file"));
    };
    let directory = fs::canonicalize(directory).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            Error::storage(path, "its directory does not exist; create it first")
        }
        _ => Error::storage(
            path,
            format!("its directory cannot be used: {}", with_next_step(&error)),
        ),
    })?;
    Ok(directory.join(name))
}

/// Earlier libraries lock a file beside. Where one left it, it is locked too; none is made.
fn lock_as_before(path: &Path) -> Result<Option<ParentOnly<File>>, Error> {
    let unusable = |error: io::Error| {
        Error::storage(
            path,
            format!("its lock file cannot be locked: {}", with_next_step(&error)),
        )
    };
    let opened = ParentOnly::open(|| private().custom_flags(FLAGS).open(beside(path, ".lock")));
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(error)),
    };
    if !file.metadata().map_err(unusable)?.is_file() {
        return Err(Error::storage(
            path,
            "its lock file is not a regular file; remove it",
        ));
    }
    let is_ours = try_for_a_while(|| match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    })?;
    if is_ours {
        Ok(Some(file))
    } else {
        Err(in_use(path))
    }
}

/// The file at `real`; None when there is none, or an empty one.
fn open(path: &Path, real: &Path) -> Result<Option<ParentOnly<File>>, Error> {
    let file = match ParentOnly::open(|| private().custom_flags(FLAGS).open(real)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => {
            return Err(Error::storage(
                path,
                "is a symbolic link; name the file itself",
            ));
        }
        Err(error) => {
            return Err(Error::storage(
                path,
                format!("cannot be opened: {}", with_next_step(&error)),
            ));
        }
    };
    let metadata = file.metadata().map_err(|error| {
        Error::storage(
            path,
            format!("cannot be opened: {}", with_next_step(&error)),
        )
    })?;
    if !metadata.is_file() {
        return Err(Error::storage(path, "is not a regular file"));
    }
    if metadata.nlink() > 1 {
        return Err(Error::storage(
            path,
            "has a second name (hard link); two clients could open it",
        ));
    }
    Ok((metadata.len() > 0).then_some(file))
}

/// Locks an open file; None if it has lost its name.
fn claim_open(
    path: &Path,
    real: &Path,
    file: ParentOnly<File>,
) -> Result<Option<ParentOnly<File>>, Error> {
    if !lock(path, &file)? {
        return Err(in_use(path));
    }
    let is_there = has_name(&file, real).map_err(|error| unusable(path, &error))?;
    Ok(is_there.then_some(file))
}

/// Makes the file beside its place and moves it there whole and locked, so that a file at `path` always has its marks. None
/// when it has to be tried again.
fn create(path: &Path, real: &Path, format: &Format) -> Result<Option<Created>, Error> {
    let failed = |error: io::Error| {
        Error::storage(
            path,
            format!("cannot be created: {}", with_next_step(&error)),
        )
    };
    let draft = beside(real, ".new");
    let opened = ParentOnly::open(|| private().custom_flags(FLAGS).create_new(true).open(&draft));
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            remove_draft(path, &draft)?;
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    if !lock(path, &file)? || !has_name(&file, &draft).map_err(failed)? {
        // Another client took it for the rest of a crash.
        return Ok(None);
    }
    if open(path, real)?.is_some() {
        fs::remove_file(&draft).map_err(failed)?;
        return Ok(None);
    }
    format
        .create_tables(&draft)
        .map_err(|error| super::storage(path, &error))?;
    file.write_all_at(&[WITH_LOG; 2], VERSIONS)
        .map_err(failed)?;
    file.sync_all().map_err(failed)?;
    let set_aside = leftovers::set_aside_of_a_missing_file(path, real)?;
    fs::rename(&draft, real).map_err(failed)?;
    sync_directory(real).map_err(failed)?;
    Ok(Some((file, set_aside)))
}

/// Removes what a crash left of a creation; one that is under way belongs to another client.
fn remove_draft(path: &Path, draft: &Path) -> Result<(), Error> {
    let failed = |error: io::Error| {
        let name = draft.display();
        Error::storage(
            path,
            format!("cannot be created: {name}: {}", with_next_step(&error)),
        )
    };
    let file = match ParentOnly::open(|| private().custom_flags(FLAGS).open(draft)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    if !lock(path, &file)? {
        return Err(in_use(path));
    }
    if has_name(&file, draft).map_err(failed)? {
        fs::remove_file(draft).map_err(failed)?;
    }
    Ok(())
}

fn lock(path: &Path, file: &File) -> Result<bool, Error> {
    try_for_a_while(|| {
        let unusable = |error| {
            Error::storage(
                path,
                format!("cannot be locked: {}", with_next_step(&error)),
            )
        };
        Database::claim(file).map_err(unusable)
    })
}

/// Tries for a while.
fn try_for_a_while(mut lock: impl FnMut() -> Result<bool, Error>) -> Result<bool, Error> {
    let mut left = match fork::generation() {
        0 => CHILD_BEGINS,
        _ => PARENT_ENDS,
    };
    while !lock()? {
        if left.is_zero() {
            return Ok(false);
        }
        std::thread::sleep(STEP);
        left = left.saturating_sub(STEP);
    }
    Ok(true)
}

/// Refuses what is not a file of this format and version, without changing it.
pub(super) fn check_header(path: &Path, file: &File, format: &Format) -> Result<(), Error> {
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
    file.read_exact_at(&mut header, 0).map_err(|_| foreign())?;
    let number = |at: usize| {
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    if !header.starts_with(MAGIC) || number(APPLICATION) != format.application_id {
        return Err(foreign());
    }
    check_version(path, format, number(USER_VERSION))
}

/// Refuses a file of another version.
pub(super) fn check_version(path: &Path, format: &Format, version: u32) -> Result<(), Error> {
    let ours = format.version;
    let what = match version.cmp(&ours) {
        Ordering::Equal => return Ok(()),
        Ordering::Less => format!(
            "was written by an earlier chatblock (format {version}, this one reads {ours}); \
             it was left untouched: name another file, and use this one with the library that wrote it"
        ),
        Ordering::Greater => format!(
            "was written by a newer chatblock (format {version}, this one reads up to {ours}); \
             it was left untouched, update the library"
        ),
    };
    Err(Error::storage(path, what))
}

pub(super) fn in_use(path: &Path) -> Error {
    Error::storage(
        path,
        "is in use by another client; close it there, or share one client between threads",
    )
}

/// Never through a link, and without waiting for the other end of a pipe.
const FLAGS: i32 = libc::O_NOFOLLOW | libc::O_NONBLOCK;

/// Readable and writable by the owner alone, whatever the umask; never inherited.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}
