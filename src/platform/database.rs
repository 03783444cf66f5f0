//! A database file of one client: the open file that has its locks, and the files beside it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::fork::ParentOnly;
use super::identity::{Identity, is_only_name};
use super::levels::{self, Level, Levels, LockRefusal};
use super::locks::{self, Mode, Range};
use super::wal_index::{IndexLocks, WalIndex};

/// Has the lock of the client. SQLite locks the 512 bytes before it, whether or not the file is so long.
const CLIENT: Range = Range::byte(0x4000_0000 + 512);

/// One database file, its log and its index, for all connections of one client.
pub(crate) struct Database {
    path: PathBuf,
    log_path: PathBuf,
    index_path: PathBuf,
    /// Has all locks of the client on the file.
    file: ParentOnly<File>,
    identity: Identity,
    /// Kept open so that no other file can get its number.
    log: Mutex<Option<(ParentOnly<File>, Identity)>>,
    index: Mutex<Option<WalIndex>>,
    levels: Mutex<Levels>,
    /// Another program uses the database: the log must outlive the client.
    keeps_log: AtomicBool,
    /// Where the last write to the log ended, since the log was restarted.
    log_end: AtomicU64,
    /// Files that SQLite has open.
    pub(super) open_files: AtomicUsize,
}

impl Database {
    /// For the open `file` at `path`, which must be absolute.
    ///
    /// # Errors
    /// When the system does not say which file it is.
    pub(crate) fn new(path: &Path, file: ParentOnly<File>) -> io::Result<Self> {
        let identity = Identity::of(&file)?;
        Ok(Self {
            path: path.to_owned(),
            log_path: beside(path, "-wal"),
            index_path: beside(path, "-shm"),
            file,
            identity,
            log: Mutex::default(),
            index: Mutex::default(),
            levels: Mutex::default(),
            keeps_log: AtomicBool::new(false),
            log_end: AtomicU64::new(0),
            open_files: AtomicUsize::new(0),
        })
    }

    /// Takes the file for one client; false when another one has it.
    pub(crate) fn claim(file: &File) -> io::Result<bool> {
        locks::set(file, CLIENT, Mode::Exclusive)
    }

    /// Which of the files is no longer the one at its path, if one is not: what is written to it would be gone with the
    /// process.
    ///
    /// # Errors
    /// When the system does not say.
    pub(crate) fn missing(&self) -> io::Result<Option<&Path>> {
        if !is_only_name(self.identity, &self.path)? {
            return Ok(Some(&self.path));
        }
        match &*self.log.lock() {
            Some((_, log)) if !is_only_name(*log, &self.log_path)? => Ok(Some(&self.log_path)),
            _ => Ok(None),
        }
    }

    /// How many bytes of the log are in use, as far as this client wrote them.
    pub(crate) fn log_bytes(&self) -> u64 {
        self.log_end.load(Ordering::Relaxed)
    }

    /// To be called before the first connection is closed: when another program has the database open, the log stays. Later
    /// this could not be seen, because the locks of another copy of SQLite in this process end when a connection is closed.
    pub(crate) fn look_for_others(&self) {
        let is_alone = locks::is_free(&self.file, levels::SHARED).unwrap_or(false);
        self.keeps_log.store(!is_alone, Ordering::Relaxed);
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn log_path(&self) -> &Path {
        &self.log_path
    }

    /// Whether SQLite has just opened the right database file.
    pub(super) fn is_in_place(&self) -> bool {
        is_only_name(self.identity, &self.path).unwrap_or(false)
    }

    /// Whether SQLite may open the log: no link leads elsewhere, and it is the one that other connections have.
    pub(super) fn may_open_log(&self) -> bool {
        match fs::symlink_metadata(&self.log_path) {
            Ok(found) => found.is_file() && found.nlink() == 1,
            Err(error) => error.kind() == io::ErrorKind::NotFound && self.log.lock().is_none(),
        }
    }

    /// Notes which log SQLite has opened; false when it is another one than before.
    pub(super) fn note_log(&self) -> bool {
        let mut log = self.log.lock();
        if let Some((_, log)) = &*log {
            return is_only_name(*log, &self.log_path).unwrap_or(false);
        }
        let open = || {
            let mut options = File::options();
            options
                .read(true)
                .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
            options.open(&self.log_path)
        };
        *log = ParentOnly::open(open).ok().and_then(|file| {
            let identity = Identity::of(&file).ok()?;
            Some((file, identity))
        });
        log.is_some()
    }

    /// Notes a write to the log.
    pub(super) fn wrote_log(&self, start: u64, length: u64) {
        let end = start + length;
        if start == 0 {
            self.log_end.store(end, Ordering::Relaxed);
        } else {
            self.log_end.fetch_max(end, Ordering::Relaxed);
        }
    }

    /// Whether `path` is the log of this database and no other file has its name by now.
    pub(super) fn may_delete_log(&self) -> bool {
        let log = self.log.lock().take();
        log.is_some_and(|(_, log)| is_only_name(log, &self.log_path).unwrap_or(false))
    }

    pub(super) fn raise(&self, own: &mut Level, wanted: Level) -> Result<(), LockRefusal> {
        if wanted == Level::Exclusive && self.keeps_log.load(Ordering::Relaxed) {
            return Err(LockRefusal::Busy);
        }
        self.levels.lock().raise(&self.file, own, wanted)
    }

    pub(super) fn lower(&self, own: &mut Level, wanted: Level) -> Result<(), LockRefusal> {
        self.levels.lock().lower(&self.file, own, wanted)
    }

    pub(super) fn is_reserved(&self) -> Result<bool, LockRefusal> {
        self.levels.lock().is_reserved(&self.file)
    }

    /// Runs `work` with the index; it is opened for a connection that does not use it yet.
    pub(super) fn with_index<T>(
        &self,
        is_user: &mut bool,
        work: impl FnOnce(&mut WalIndex) -> Result<T, LockRefusal>,
    ) -> Result<T, LockRefusal> {
        let mut index = self.index.lock();
        if index.is_none() {
            *index = Some(WalIndex::open(&self.index_path)?);
        }
        let Some(index) = &mut *index else {
            return Err(LockRefusal::Failed);
        };
        if !*is_user {
            *is_user = true;
            index.users += 1;
        }
        work(index)
    }

    /// A connection uses the index no longer. The last one may delete it.
    pub(super) fn leave_index(&self, held: &mut IndexLocks, deletes: bool) {
        let mut index = self.index.lock();
        let Some(used) = &mut *index else {
            return;
        };
        used.release_all(held);
        used.users -= 1;
        if used.users > 0 {
            return;
        }
        let is_ours = || {
            let identity = Identity::of(used.file())?;
            is_only_name(identity, &self.index_path)
        };
        if deletes && is_ours().unwrap_or(false) {
            // The rest is emptied by the next process that opens it.
            let _ = fs::remove_file(&self.index_path);
        }
        *index = None;
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        locks::release(&self.file);
    }
}

/// `path` with `suffix` at its end.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
