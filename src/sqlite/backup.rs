//! Backup: a copy of a file while the client writes to it.
//!
//! The copy is one state of the file: all pages are read in one transaction of a connection that only reads, which in
//! WAL mode neither waits for a writer nor blocks one. Pages that the writer adds during the copy stay in the log
//! until the copy is done. The pages are written to a draft beside the copy, which is renamed when all of it is on
//! disk.
//!
//! A sync of the log waits for all other writes to the disk, so the draft is synced in small parts: otherwise a
//! commit could wait for all of a large copy.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::names::sync_directory;
use super::{Lock, storage};
use crate::error::{Error, Status, with_next_step};
use crate::platform::descriptors::above_standard;

/// Where a file has its number: no other has it, so that its log is known by it (see [`super::leftovers`]). SQLite gives all
/// copies the same one.
const NUMBER: u64 = 40;

/// Bytes that are copied in one step, and synced together.
const STEP: usize = 4 << 20;

/// Where a copy can be made from: a file that a client has open.
#[derive(Clone)]
pub struct Source {
    path: PathBuf,
    /// Belongs to the client: a copy keeps the file locked, and nothing else here does.
    lock: Weak<Lock>,
}

impl Source {
    pub(crate) fn of(path: &Path, lock: &Arc<Lock>) -> Self {
        Self {
            path: path.to_owned(),
            lock: Arc::downgrade(lock),
        }
    }

    /// Writes a copy to `to`, which must be absolute, while `goes_on`.
    ///
    /// # Errors
    /// [`Status::Storage`] when there is something at `to` or the disk fails, [`Status::Closed`] if it is stopped; in
    /// both cases nothing is at `to`.
    pub(crate) fn copy(&self, to: &Path, goes_on: &dyn Fn() -> bool) -> Result<(), Error> {
        let Some(lock) = self.lock.upgrade() else {
            return Err(closed());
        };
        let source = lock.connect_reader()?;
        let copied = copy(&self.path, &source, to, goes_on).and_then(Draft::finish);
        // Before the lock.
        drop(source);
        drop(lock);
        copied
    }
}

fn closed() -> Error {
    Error::new(Status::Closed, "the client is closing; no copy was made")
}

/// Writes what `source` sees of the file at `path` to a draft of a new file at `to`.
pub(super) fn copy(
    path: &Path,
    source: &Connection,
    to: &Path,
    goes_on: &dyn Fn() -> bool,
) -> Result<Draft, Error> {
    refuse_existing(to)?;
    let draft = Draft::begin(to)?;
    copy_pages(path, source, &draft, goes_on)?;
    Ok(draft)
}

fn copy_pages(
    path: &Path,
    source: &Connection,
    draft: &Draft,
    goes_on: &dyn Fn() -> bool,
) -> Result<(), Error> {
    let of_source = |error| storage(path, &error);
    let of_draft = |error| storage(&draft.path, &error);
    // One transaction for all steps: what is committed in between does not show.
    let snapshot = source.unchecked_transaction().map_err(of_source)?;
    let page: usize = snapshot
        .pragma_query_value(None, "page_size", |row| row.get(0))
        .map_err(of_source)?;
    snapshot
        .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        .map_err(of_source)?;
    let mut copy = draft.connect().map_err(of_draft)?;
    let pages = i32::try_from(STEP / page.max(512)).unwrap_or(i32::MAX);
    {
        let backup = Backup::new(&snapshot, &mut copy).map_err(of_draft)?;
        loop {
            if !goes_on() {
                return Err(closed());
            }
            match backup.step(pages).map_err(of_draft)? {
                StepResult::Done => break,
                StepResult::More => draft
                    .file
                    .sync_data()
                    .map_err(|error| draft.failed(&error))?,
                // No other program has the draft, and a reader does not wait.
                _ => {
                    return Err(Error::storage(
                        path,
                        "is locked by another program; try again",
                    ));
                }
            }
        }
    }
    copy.close().map_err(|(_, error)| of_draft(error))
}

/// A file that gets its name when it is whole. Gone when it is not finished.
pub(super) struct Draft {
    pub(super) path: PathBuf,
    pub(super) file: File,
    target: PathBuf,
    is_finished: bool,
}

impl Draft {
    /// Begins a draft of the file that is to be at `target`, beside it.
    pub(super) fn begin(target: &Path) -> Result<Self, Error> {
        let mut path = target.as_os_str().to_owned();
        path.push(".part");
        let path = PathBuf::from(path);
        let failed = |error: io::Error| Error::storage(target, cannot_be_made(&error));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(&path)
            .and_then(above_standard)
            .map_err(failed)?;
        let under_way = || {
            let draft = path.display();
            Error::storage(
                target,
                format!("is being made by another call or program ({draft})"),
            )
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(under_way()),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let metadata = file.metadata().map_err(failed)?;
        // A draft left by a crash is reused; one that was finished or removed is not.
        let is_there = fs::symlink_metadata(&path)
            .is_ok_and(|there| (there.dev(), there.ino()) == (metadata.dev(), metadata.ino()));
        if !metadata.is_file() || metadata.nlink() != 1 || !is_there {
            return Err(under_way());
        }
        file.set_len(0).map_err(failed)?;
        file.set_permissions(fs::Permissions::from_mode(0o600))
            .map_err(failed)?;
        Ok(Self {
            path,
            file,
            target: target.to_owned(),
            is_finished: false,
        })
    }

    /// A connection that writes to the draft and nowhere else.
    fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        // A draft is whole or thrown away.
        connection.query_row("PRAGMA journal_mode = OFF", [], |_| Ok(()))?;
        connection.query_row("PRAGMA locking_mode = EXCLUSIVE", [], |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        Ok(connection)
    }

    /// Gives the draft its name, when all of it is on disk.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        let failed = |error: io::Error| self.failed(&error);
        self.file
            .write_all_at(&new_number().to_be_bytes(), NUMBER)
            .map_err(failed)?;
        self.file.sync_all().map_err(failed)?;
        rename_to_nothing(&self.path, &self.target).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => exists(&self.target),
            _ => failed(error),
        })?;
        sync_directory(&self.target).map_err(failed)?;
        self.is_finished = true;
        Ok(())
    }

    pub(super) fn failed(&self, error: &io::Error) -> Error {
        Error::storage(&self.target, cannot_be_made(error))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_finished {
            // What is left is taken by the next copy to this place.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn new_number() -> u32 {
    crate::random::generator().u32(..) & 0x7fff_ffff | 1 << 16
}

fn cannot_be_made(error: &io::Error) -> String {
    let why = match error.kind() {
        io::ErrorKind::NotFound => {
            format!("{error}: its directory does not exist; create it first")
        }
        _ => with_next_step(error),
    };
    format!("cannot be made: {why}")
}

fn refuse_existing(target: &Path) -> Result<(), Error> {
    match fs::symlink_metadata(target) {
        Ok(_) => Err(exists(target)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::storage(target, cannot_be_made(&error))),
    }
}

fn exists(target: &Path) -> Error {
    Error::storage(
        target,
        "exists already; a copy replaces nothing, name a new file",
    )
}

/// Renames `from` to `to`, where nothing may be.
pub(super) fn rename_to_nothing(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(target_env = "gnu")]
    {
        use nix::errno::Errno;
        use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
        match renameat2(AT_FDCWD, from, AT_FDCWD, to, RenameFlags::RENAME_NOREPLACE) {
            // A file system or kernel that does not know it.
            Err(Errno::EINVAL | Errno::ENOSYS) => {}
            outcome => return outcome.map_err(io::Error::from),
        }
    }
    fs::hard_link(from, to)?;
    fs::remove_file(from)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::sqlite::Format;

    const FORMAT: Format = Format {
        name: "list",
        application_id: 7,
        version: 1,
        tables: "CREATE TABLE numbers (number INTEGER, text TEXT) STRICT;",
        shrinks: false,
        checked_up_to: u64::MAX,
    };

    /// A file of some 12 MiB, so that a copy takes several steps.
    struct Scene {
        folder: tempfile::TempDir,
        path: PathBuf,
        writer: Connection,
        lock: Arc<Lock>,
    }

    fn scene() -> Scene {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("list.db");
        let (lock, writer) = FORMAT.open(&path).expect("a new file");
        writer
            .execute_batch(
                "WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 3000) \
                 INSERT INTO numbers SELECT n, hex(zeroblob(2000)) FROM up",
            )
            .expect("there is room");
        Scene {
            folder,
            path,
            writer,
            lock: Arc::new(lock),
        }
    }

    impl Scene {
        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(self.folder.path()).expect("a folder");
            let name = |entry: io::Result<fs::DirEntry>| {
                entry
                    .expect("an entry")
                    .file_name()
                    .into_string()
                    .expect("UTF-8")
            };
            let mut names: Vec<_> = entries.map(name).collect();
            names.retain(|name| !name.starts_with("list.db"));
            names
        }
    }

    fn count(path: &Path) -> i64 {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(path, flags).expect("a database");
        let query = "SELECT count(*) FROM numbers";
        connection
            .query_row(query, [], |row| row.get(0))
            .expect("a table")
    }

    #[test]
    fn writes_go_on_during_a_copy_and_are_not_in_it() {
        let scene = scene();
        let to = scene.folder.path().join("copy");
        let steps = Cell::new(0);
        let goes_on = || {
            steps.set(steps.get() + 1);
            let inserted = scene
                .writer
                .execute("INSERT INTO numbers VALUES (0, '')", []);
            inserted.expect("the copy does not hold it up");
            // Without one transaction for all steps the copy would restart with each write.
            steps.get() < 1000
        };
        Source::of(&scene.path, &scene.lock)
            .copy(&to, &goes_on)
            .expect("a copy");
        assert!(steps.get() > 2, "{} steps", steps.get());
        assert_eq!(
            scene.names(),
            ["copy"],
            "one file, without a log or a draft"
        );
        assert_eq!(fs::metadata(&to).expect("the copy").mode() & 0o7777, 0o600);
        assert_eq!(count(&to), 3000);
        assert_eq!(count(&scene.path), 3000 + steps.get());
        let (lock, connection) = FORMAT.open(&to).expect("a file like any other");
        drop(connection);
        drop(lock);
    }

    #[test]
    fn a_copy_that_is_broken_off_leaves_nothing() {
        let scene = scene();
        let to = scene.folder.path().join("copy");
        let steps = Cell::new(0);
        let goes_on = || steps.replace(steps.get() + 1) < 1;
        let source = Source::of(&scene.path, &scene.lock);
        let error = source.copy(&to, &goes_on).expect_err("it does not go on");
        assert_eq!(error.status(), Status::Closed);
        assert_eq!(scene.names(), [""; 0]);
        drop(scene.writer);
        drop(scene.lock);
        let error = source.copy(&to, &|| true).expect_err("the client is gone");
        assert_eq!(error.status(), Status::Closed);
    }

    #[test]
    fn what_is_there_is_never_replaced() {
        let scene = scene();
        let to = scene.folder.path().join("copy");
        let source = Source::of(&scene.path, &scene.lock);
        let refused = |word: &str| {
            let error = source.copy(&to, &|| true).expect_err("something is there");
            assert_eq!(error.status(), Status::Storage);
            assert!(error.message().contains(word), "{error}");
        };
        fs::write(&to, "mine").expect("a file");
        refused("exists already");
        assert_eq!(fs::read_to_string(&to).expect("the file"), "mine");
        fs::remove_file(&to).expect("ours");
        std::os::unix::fs::symlink("nothing", &to).expect("a link");
        refused("exists already");
        fs::remove_file(&to).expect("ours");
        // It appears while the copy is made.
        let appears = || fs::write(&to, "mine").is_ok();
        let error = source.copy(&to, &appears).expect_err("something is there");
        assert!(error.message().contains("exists already"), "{error}");
        assert_eq!(scene.names(), ["copy"]);
        assert_eq!(fs::read_to_string(&to).expect("the file"), "mine");
    }

    #[test]
    fn what_a_crash_has_left_of_a_copy_is_taken_and_one_under_way_is_not() {
        let scene = scene();
        let (to, part) = (
            scene.folder.path().join("copy"),
            scene.folder.path().join("copy.part"),
        );
        let source = Source::of(&scene.path, &scene.lock);
        fs::write(&part, vec![7; 20 << 20]).expect("half a copy");
        fs::set_permissions(&part, fs::Permissions::from_mode(0o644)).expect("ours");
        let twice = || {
            let error = source.copy(&to, &|| true).expect_err("under way");
            assert!(
                error.message().contains("another call or program"),
                "{error}"
            );
            true
        };
        source.copy(&to, &twice).expect("a copy");
        assert_eq!(scene.names(), ["copy"]);
        assert_eq!(fs::metadata(&to).expect("the copy").mode() & 0o7777, 0o600);
        assert_eq!(count(&to), 3000);
        fs::remove_file(&to).expect("ours");
        fs::write(scene.folder.path().join("victim"), "mine").expect("a file");
        std::os::unix::fs::symlink("victim", &part).expect("a link");
        source
            .copy(&to, &|| true)
            .expect_err("a link is not followed");
        let victim = fs::read_to_string(scene.folder.path().join("victim"));
        assert_eq!(victim.expect("the file"), "mine");
    }

    /// The log of a store that was opened from one copy must not be taken for that of another copy.
    #[test]
    fn every_copy_has_a_number_of_its_own() {
        let scene = scene();
        let source = Source::of(&scene.path, &scene.lock);
        let number = |name: &str| {
            let to = scene.folder.path().join(name);
            source.copy(&to, &|| true).expect("a copy");
            let mut number = [0; 4];
            let copy = File::open(to).expect("the copy");
            copy.read_exact_at(&mut number, NUMBER).expect("a header");
            u32::from_be_bytes(number)
        };
        let numbers = [number("one"), number("two"), number("three")];
        assert!(
            numbers.iter().all(|number| *number >= 1 << 16),
            "{numbers:?}"
        );
        assert!(
            numbers[0] != numbers[1] && numbers[1] != numbers[2],
            "{numbers:?}"
        );
    }
}
