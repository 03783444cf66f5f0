//! The log file. It is rotated when it is full, and opened again when another program has moved it.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Sink;
use crate::clock::Clock;
use crate::user_files::open_log;

/// How often the path is checked: after a rotation by another program lines go to the old file for at most this long.
const LOOK: Duration = Duration::from_secs(1);

/// How large a file gets, and how many full ones are kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rotation {
    /// Bytes; 0 for no limit.
    pub(super) max_bytes: u64,
    /// Full files beside the current one: `FILE.1` is the newest.
    pub(super) older: u32,
}

/// A log file.
pub(super) struct LogFile {
    path: PathBuf,
    limits: Rotation,
    clock: Arc<dyn Clock>,
    file: File,
    looked: Instant,
    /// Of the file as far as it is known: by its length at the last look and what was written since.
    bytes: u64,
    /// The last line is not whole, because the disk was full.
    is_torn: bool,
}

impl LogFile {
    /// Opens the file at `path`, or creates it.
    ///
    /// # Errors
    /// Why not, to follow the name of the file.
    pub(super) fn open(
        path: &Path,
        limits: Rotation,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let file = open_log(path)?;
        let metadata = file.metadata();
        Ok(Self {
            path: path.to_owned(),
            limits,
            looked: clock.now(),
            clock,
            bytes: metadata.map_or(0, |metadata| metadata.len()),
            file,
            is_torn: false,
        })
    }

    /// Opens the path again if it is not this file any more; takes the new length if another program truncated the
    /// file.
    fn look(&mut self) -> io::Result<()> {
        self.looked = self.clock.now();
        let own = self.file.metadata()?;
        self.bytes = own.len();
        let is_moved = match std::fs::symlink_metadata(&self.path) {
            Ok(there) => (there.dev(), there.ino()) != (own.dev(), own.ino()),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if !is_moved {
            return Ok(());
        }
        match open_log(&self.path) {
            Ok(file) => {
                self.bytes = file.metadata()?.len();
                self.file = file;
                self.is_torn = false;
                Ok(())
            }
            // A file that has its name elsewhere keeps the lines; one without a name loses them.
            Err(_) if own.nlink() > 0 => Ok(()),
            Err(what) => Err(io::Error::other(what)),
        }
    }

    /// Renames the full file and begins a new one with room for `length` bytes.
    fn rotate(&mut self, length: u64) -> io::Result<()> {
        // Several clients may write to one file: the lock is on the file itself, so one of them renames it and
        // the others see by the look that it has moved. A file system without locks has to do without.
        if matches!(self.file.try_lock(), Err(TryLockError::WouldBlock)) {
            return Ok(());
        }
        let outcome = self.look().and_then(|()| {
            if self.has_room_for(length) {
                return Ok(false);
            }
            self.rename_full().map(|()| true)
        });
        // It ends with the file at the latest.
        let _ = self.file.unlock();
        if outcome? {
            self.file = open_log(&self.path).map_err(io::Error::other)?;
            self.bytes = self.file.metadata()?.len();
        }
        Ok(())
    }

    /// `FILE` becomes `FILE.1`, that one `FILE.2`, and the last of them goes.
    fn rename_full(&self) -> io::Result<()> {
        let numbered = |number: u32| {
            let mut name = self.path.as_os_str().to_owned();
            name.push(format!(".{number}"));
            PathBuf::from(name)
        };
        for number in (1..self.limits.older).rev() {
            match std::fs::rename(numbered(number), numbered(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        if self.limits.older == 0 {
            return std::fs::remove_file(&self.path);
        }
        std::fs::rename(&self.path, numbered(1))
    }

    /// An empty file has room for any line.
    fn has_room_for(&self, bytes: u64) -> bool {
        self.limits.max_bytes == 0 || self.bytes == 0 || self.bytes + bytes <= self.limits.max_bytes
    }
}

impl Sink for LogFile {
    fn reopen(&mut self) -> io::Result<()> {
        self.look()
    }

    fn write_line(&mut self, line: &str) -> io::Result<()> {
        if self.clock.now().saturating_duration_since(self.looked) >= LOOK {
            self.look()?;
        }
        // One more for the end of a line that was torn.
        let length = line.len() as u64 + 1;
        if !self.has_room_for(length) {
            self.rotate(length)?;
            // A file that cannot be rotated must not grow without limit.
            if !self.has_room_for(length) {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
        }
        if self.is_torn {
            self.file.write_all(b"\n")?;
            self.bytes += 1;
            self.is_torn = false;
        }
        let (written, outcome) = write_counted(&mut self.file, line.as_bytes());
        self.bytes += written as u64;
        self.is_torn = outcome.is_err() && written > 0;
        outcome
    }
}

/// How much of `bytes` was written, and whether it was all.
fn write_counted(file: &mut File, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}
