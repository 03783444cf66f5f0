//! A folder with an outbox or a store, the service behind it, and workers that come and go.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use super::oracle::{Said, Verdict, judge_outbox, judge_store};
use crate::c_program::{CProgram, libraries_of_depth};
use crate::fake_service::{ATTEMPT, Manner, Service};

/// Beside the files of the library.
const STRACE: &str = "strace";
/// On the list of one owner of a store, as the worker does it.
const WRITES_PER_OWNER: u64 = 400;
/// Longer than any worker takes.
const PATIENCE: Duration = Duration::from_mins(1);
pub const SIGKILL: i32 = 9;

/// The built worker.
pub struct Workshop(CProgram);

impl Workshop {
    pub fn build() -> Self {
        Self(CProgram::build(
            "tests/crash/worker.c",
            &libraries_of_depth(),
            &[],
        ))
    }

    pub fn place(&self, kind: Kind, manner: Manner) -> Place<'_> {
        Place {
            workshop: self,
            kind,
            folder: tempfile::tempdir().expect("a directory"),
            service: Service::start(manner),
            recorded: BTreeSet::new(),
            next: 0,
            trouble: Trouble::None,
        }
    }
}

/// What a worker keeps its writes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Of the remote backend.
    Outbox,
    /// Of the embedded engine; no service is asked.
    Store,
}

impl Kind {
    /// As people and the worker call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Outbox => "outbox",
            Self::Store => "store",
        }
    }
}

/// What else goes on in the process of a worker: see the head of `trouble.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    None,
    OtherSqlite,
    Children,
    Cancels,
    MemoryRemoved,
    LogRemoved,
}

impl Trouble {
    /// As the worker calls it.
    fn word(self) -> &'static str {
        match self {
            Self::None => "",
            Self::OtherSqlite => "sqlite",
            Self::Children => "children",
            Self::Cancels => "cancels",
            Self::MemoryRemoved => "-shm",
            Self::LogRemoved => "-wal",
        }
    }

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "alone",
            Self::OtherSqlite => "beside another SQLite",
            Self::Children => "with children alive",
            Self::Cancels => "with cancels",
            Self::MemoryRemoved => "without its -shm",
            Self::LogRemoved => "without its -wal",
        }
    }
}

/// One outbox or store, and what was promised about it.
pub struct Place<'a> {
    workshop: &'a Workshop,
    kind: Kind,
    folder: TempDir,
    service: Service,
    pub recorded: BTreeSet<u64>,
    next: u64,
    trouble: Trouble,
}

/// Tells strace what to do to the calls of a worker.
pub struct Injection<'a> {
    /// One system call.
    pub call: &'a str,
    /// As in `inject=CALL:...`.
    pub what: &'a str,
    /// Only calls that concern these files of the place.
    pub files: &'a [&'a str],
}

impl Place<'_> {
    /// With that going on around every write.
    pub fn troubled(self, trouble: Trouble) -> Self {
        Self { trouble, ..self }
    }

    fn file(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self) -> String {
        let file = self.file("data.db");
        let config = match self.kind {
            Kind::Store => json!({"path": file}),
            Kind::Outbox => json!({
            "sdkappid": 1_400_000_001,
            "secret_key": "synthetic-key-for-tests-0001",
            "base_url": self.service.base_url(),
            "attempt_ms": ATTEMPT.as_millis(),
            "connections": 4,
            "rate_per_second": 10_000,
            "retry": {"base_ms": 1, "max_ms": 10},
            "outbox": {"path": file, "commit_ms": 1},
            }),
        };
        config.to_string()
    }

    /// A worker that makes `count` writes.
    fn worker(&self, first: u64, count: u64) -> Command {
        let mut command = self.workshop.0.command(None);
        self.arguments(&mut command, first, count);
        command
    }

    fn arguments(&self, command: &mut Command, first: u64, count: u64) {
        command
            .args([self.kind.name(), &self.config()])
            .args([first, count].map(|number| number.to_string()));
        if self.trouble != Trouble::None {
            command
                .env("TROUBLE", self.trouble.word())
                .env("TROUBLE_FILE", self.file("data.db"));
        }
    }

    /// The number of the next write.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Numbers for one worker; no two share any.
    fn numbers(&mut self, count: u64) -> u64 {
        let first = self.next;
        self.next += count;
        first
    }

    /// A worker that is killed after `delay`, or ends before; without a delay it is left alone. One whose log is removed is killed by itself, because
    /// what was in the log is safe from the moment on at which the library finds it gone.
    pub fn run_and_kill(&mut self, count: u64, delay: Option<Duration>) -> Said {
        let first = self.numbers(count);
        let mut child = start(self.worker(first, count));
        if let Some(delay) = delay.filter(|_| self.trouble != Trouble::LogRemoved) {
            thread::sleep(delay);
            child.kill().expect("the worker is ours");
        }
        let (status, said) = self.take(first, child);
        let is_sound = status.success() || status.signal() == Some(SIGKILL);
        assert!(is_sound, "{:?}: {status}: {}", self.trouble, said.text);
        // However the one before ended, and whoever of it is left.
        let is_open = said.opened.is_none_or(|opened| opened == 0);
        assert!(
            is_open,
            "{:?}: {}{}",
            self.trouble, said.text, said.complaint
        );
        said
    }

    /// A worker that is left alone.
    pub fn run(&mut self, count: u64) -> Said {
        let first = self.numbers(count);
        let child = start(self.worker(first, count));
        let (status, said) = self.take(first, child);
        assert!(status.success(), "{status}: {}", said.text);
        said
    }

    /// A worker with an injection; its end and what it said.
    pub fn run_injected(&mut self, count: u64, injection: &Injection) -> (ExitStatus, Said) {
        let first = self.numbers(count);
        let mut command = self.workshop.0.command(Some("strace"));
        command
            .args(["-f", "-qq", "-o"])
            .arg(self.file(STRACE))
            .args(["-e", &format!("trace={}", injection.call), "-e"])
            .arg(format!("inject={}:{}", injection.call, injection.what));
        for file in injection.files {
            command.arg("-P").arg(self.file(file));
        }
        command.arg(self.workshop.0.file());
        self.arguments(&mut command, first, count);
        let child = start(command);
        self.take(first, child)
    }

    /// Whether the worker came to the call that was to be hit.
    pub fn was_injected(&self) -> bool {
        let log = fs::read_to_string(self.file(STRACE)).expect("strace's log");
        log.contains("(INJECTED)")
    }

    /// A worker whose files cannot grow beyond `bytes`, so that writes end early, until it has
    /// complained `patience` times.
    pub fn run_limited(&mut self, count: u64, bytes: u64, patience: u64) -> (ExitStatus, Said) {
        let first = self.numbers(count);
        let mut command = self.worker(first, count);
        command.args([bytes, patience].map(|number| number.to_string()));
        let child = start(command);
        self.take(first, child)
    }

    fn take(&mut self, first: u64, child: Child) -> (ExitStatus, Said) {
        let (status, text, complaint) = end(child);
        let mut said = Said::read(first, self.kind == Kind::Store, text);
        said.complaint = complaint;
        self.recorded.extend(&said.recorded);
        (status, said)
    }

    /// Compares with what was promised: what arrived once everything is sent, or what the store lists.
    pub fn judge(&mut self) -> Verdict {
        if self.kind == Kind::Store {
            return judge_store(&self.recorded, &self.list());
        }
        let said = self.run(0);
        let ends = (said.opened, said.flushed);
        assert_eq!(ends, (Some(0), Some(0)), "{}", said.text);
        judge_outbox(&self.recorded, &self.service.books())
    }

    /// What the store has on all its lists.
    fn list(&self) -> BTreeSet<(String, String)> {
        let mut command = self.workshop.0.command(None);
        command
            .args(["list", &self.config()])
            .args((0..=self.next / WRITES_PER_OWNER).map(|owner| format!("o{owner}")));
        let (status, text, complaint) = end(start(command));
        assert!(status.success(), "{status}: {text}{complaint}");
        let said = Said::read(0, true, text);
        assert_eq!(said.opened, Some(0), "{}", said.text);
        said.listed
    }

    /// Recorded writes that have not arrived by now.
    pub fn missing(&self) -> Vec<u64> {
        judge_outbox(&self.recorded, &self.service.books()).lost
    }

    /// A place of its own with the same files and promises; its service has seen nothing yet.
    pub fn copy(&self) -> Self {
        let mut copy = self.workshop.place(self.kind, Manner::Sound);
        for entry in fs::read_dir(self.folder.path()).expect("the folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name");
            fs::copy(&path, copy.file(name)).expect("a copy");
        }
        copy.recorded.clone_from(&self.recorded);
        copy.next = self.next;
        copy
    }
}

fn start(mut command: Command) -> Child {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a worker starts")
}

/// Waits for the end of a worker; what it said on standard output and on standard error. One that hangs is a failure.
fn end(mut child: Child) -> (ExitStatus, String, String) {
    let late = Instant::now() + PATIENCE;
    while child.try_wait().expect("our child").is_none() {
        if Instant::now() > late {
            child.kill().expect("the worker is ours");
            let output = child.wait_with_output().expect("its output");
            panic!(
                "a worker hangs: {}",
                String::from_utf8_lossy(&output.stdout)
            );
        }
        thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().expect("its output");
    (
        output.status,
        String::from_utf8(output.stdout).expect("text"),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}
