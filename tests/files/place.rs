//! A folder with a store or an outbox, and what would be found there after a kill.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chatblock::{Client, Error, Status};
use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use tempfile::TempDir;

/// No service listens on the discard port: writes stay in the outbox.
const NOWHERE: &str = "http://127.0.0.1:9";
const SOON: Option<Duration> = Some(Duration::from_secs(20));

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Store,
    Outbox,
}

pub const KINDS: [Kind; 2] = [Kind::Store, Kind::Outbox];

pub struct Place {
    pub kind: Kind,
    folder: TempDir,
}

impl Place {
    pub fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        fs::create_dir(folder.path().join("data")).expect("a directory");
        Self { kind, folder }
    }

    pub fn directory(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn file(&self) -> PathBuf {
        self.directory().join("file.db")
    }

    pub fn beside(&self, suffix: &str) -> PathBuf {
        self.directory().join(format!("file.db{suffix}"))
    }

    /// A path in the same file system, outside of the directory.
    pub fn elsewhere(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// For a client whose service is at `base_url`.
    pub fn config(&self, base_url: &str) -> String {
        let config = match self.kind {
            Kind::Store => json!({"path": self.file()}),
            Kind::Outbox => json!({
                "sdkappid": 1_400_000_001,
                "secret_key": "synthetic-key-for-tests-0001",
                "base_url": base_url,
                "outbox": {"path": self.file(), "commit_ms": 1},
            }),
        };
        config.to_string()
    }

    pub fn try_open(&self) -> Result<Client, Error> {
        let config = self.config(NOWHERE);
        let log = json!({"to": self.elsewhere("log"), "level": "warn"});
        let end = config.len() - 1;
        Client::open(&format!("{},\"log\":{log}}}", &config[..end]))
    }

    /// What the clients that are closed said to the log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.elsewhere("log")).unwrap_or_default()
    }

    pub fn open(&self) -> Client {
        self.try_open().expect("a sound file")
    }

    /// Why the file is refused.
    pub fn refusal(&self) -> String {
        let error = self.try_open().err().expect("the file must be refused");
        assert_eq!(error.status(), Status::Storage, "{error}");
        error.message().to_owned()
    }

    /// What the library says of a write once it should be on disk.
    pub fn write(&self, client: &Client, target: &str) -> Status {
        match self.kind {
            Kind::Store => client.add("ann", &[target]).status(),
            Kind::Outbox => match client.add_async("ann", &[target], 1) {
                Ok(()) => client.sync(SOON),
                Err(error) => error.status(),
            },
        }
    }

    pub fn keep(&self, client: &Client, targets: &[&str]) {
        for target in targets {
            assert_eq!(self.write(client, target), Status::Ok, "{:?}", self.kind);
        }
    }

    /// The files as they are now: what a kill at this moment leaves behind.
    pub fn killed_now(&self) -> Self {
        let left = Self::new(self.kind);
        for suffix in ["", "-wal", "-shm"] {
            if self.beside(suffix).exists() {
                fs::copy(self.beside(suffix), left.beside(suffix)).expect("a copy");
            }
        }
        left
    }

    /// Removes the client without a word to the disk, as a kill would: the files are put back as they were.
    pub fn kill(&self, client: Client) {
        let left = self.killed_now();
        drop(client);
        for suffix in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(self.beside(suffix));
            if left.beside(suffix).exists() {
                fs::copy(left.beside(suffix), self.beside(suffix)).expect("a copy");
            }
        }
    }

    /// What the library finds in the file when it opens it.
    pub fn found(&self) -> BTreeSet<String> {
        let client = self.open();
        let found = match self.kind {
            Kind::Store => {
                let reply = client.get("ann", 0, 1000);
                assert_eq!(reply.status(), Status::Ok, "{}", reply.message());
                let items = reply.items().iter();
                items.map(|item| item.account().to_owned()).collect()
            }
            Kind::Outbox => {
                let select = "SELECT targets FROM writes";
                let file = foreign(&self.file());
                let mut writes = file.prepare(select).expect("its tables");
                let rows = writes.query_map([], |row| row.get(0)).expect("rows");
                rows.map(|row| row.expect("a row")).collect()
            }
        };
        assert_eq!(client.close(SOON), Status::Ok);
        found
    }

    pub fn assert_found(&self, targets: &[&str]) {
        let expected: BTreeSet<_> = targets.iter().map(|target| (*target).to_owned()).collect();
        assert_eq!(self.found(), expected, "{:?}", self.kind);
    }

    /// Names in the directory.
    pub fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.directory()).expect("the directory");
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        entries
            .map(|entry| name(entry.expect("an entry")))
            .collect()
    }
}

/// The file as another copy of `SQLite` in this process has it: it knows nothing of what ours has open, and its locks are those
/// of the process.
pub fn foreign(path: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).expect("a database")
}

/// How many objects another program sees.
pub fn look(file: &Connection) -> i64 {
    let count = "SELECT count(*) FROM sqlite_schema";
    file.query_row(count, [], |row| row.get(0))
        .expect("a count")
}

/// Copies the database page by page, as the backup of `SQLite` does, into a new file.
#[allow(
    unsafe_code,
    reason = "rusqlite has it only with a feature that the library does not need"
)]
pub fn back_up(from: &Connection, to: &Path) {
    use rusqlite::ffi;
    let to = Connection::open(to).expect("a new file");
    let main = c"main".as_ptr();
    // SAFETY: the connection is open until the end.
    let source = unsafe { from.handle() };
    // SAFETY: as above.
    let target = unsafe { to.handle() };
    // SAFETY: both are open, and "main" is their database.
    let backup = unsafe { ffi::sqlite3_backup_init(target, main, source, main) };
    // SAFETY: it was begun.
    let done = unsafe { ffi::sqlite3_backup_step(backup, -1) };
    // SAFETY: it was begun, and is not used any more.
    unsafe { ffi::sqlite3_backup_finish(backup) };
    assert_eq!(done, ffi::SQLITE_DONE);
}
