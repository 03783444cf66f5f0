//! Backup of the store or the outbox while the client is in use.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::outbox::FORMAT as OUTBOX;
use crate::error::{Error, Status};
use crate::panics;
use crate::service::engine::store::FORMAT as STORE;
use crate::sqlite::{self, Restored, Source};
use crate::threads;

/// What a client can be copied from.
pub(super) struct Backups {
    /// None where nothing is on disk.
    file: Option<Source>,
    /// The configuration key that would change that.
    key: &'static str,
    is_closing: Arc<AtomicBool>,
}

impl Backups {
    pub(super) fn new(file: Option<Source>, key: &'static str) -> Self {
        Self {
            file,
            key,
            is_closing: Arc::default(),
        }
    }

    /// Copies the file to `path`, on a thread of its own: what a full disk sends to the thread that writes must not reach
    /// one of the host program, nor need its stack.
    pub(super) fn make(&self, path: &Path) -> Result<(), Error> {
        let to = absolute(path)?;
        let Some(file) = self.file.clone() else {
            let what = format!(
                "nothing of this client is on disk, so there is nothing to copy; configure \"{}\"",
                self.key
            );
            return Err(Error::new(Status::Unsupported, what));
        };
        let is_closing = Arc::clone(&self.is_closing);
        let work = move || {
            let goes_on = || !is_closing.load(Ordering::Relaxed);
            panics::contain(|| file.copy(&to, &goes_on))
        };
        let outcome = threads::spawn("chatblock-backup", work).map_err(|error| {
            Error::new(
                Status::Busy,
                format!("no thread can start: {error}; try again later"),
            )
        })?;
        match outcome.join() {
            Ok(Ok(copied)) => copied,
            // The caller's own border deals with it.
            Ok(Err(bug)) => std::panic::resume_unwind(Box::new(bug)),
            Err(bug) => std::panic::resume_unwind(bug),
        }
    }

    /// Copies under way end soon, without a result.
    pub(super) fn close(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
    }
}

/// Copies the store or outbox at `path` to a new file at `to`, for a program that has not opened it, and checks the
/// copy. A client of another process that has it open is not affected.
///
/// # Errors
/// [`Status::Storage`] when `path` is foreign, newer or damaged, something is at `to`, or the disk fails; there is no
/// copy then.
pub fn backup_file(path: &Path, to: &Path) -> Result<(), Error> {
    sqlite::back_up(&absolute(path)?, &[&STORE, &OUTBOX], &absolute(to)?)
}

/// Puts the copy `from` of a store or outbox to `path`. What is there is moved away, and the result says where to.
///
/// # Errors
/// [`Status::Storage`] when a client has `path` open, `from` is foreign, newer, damaged or not a copy alone, or the disk fails;
/// [`Status::Argument`] when both are the same file. Nothing is changed then, or the message says what.
pub fn restore_file(from: &Path, path: &Path) -> Result<Restored, Error> {
    sqlite::put_back(&absolute(from)?, &absolute(path)?, &[&STORE, &OUTBOX])
}

/// Relative paths are taken from the current directory now, once.
fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path)
        .map_err(|error| Error::argument("path", format!("cannot be made absolute: {error}")))
}
