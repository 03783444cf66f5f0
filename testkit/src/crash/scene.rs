//! The system calls at which a worker is hit: by what it finds when it starts, and by the files concerned.

use std::thread;

use super::place::{Injection, Kind, Place, Workshop};
use crate::depth;
use crate::fake_service::Manner;

/// Every call that changes files here.
pub const CALLS: [&str; 6] = [
    "pwrite64",
    "fsync",
    "fdatasync",
    "ftruncate",
    "unlink",
    "rename",
];
/// How the log is synced: it depends on the build of `SQLite`.
const SYNC: &str = "fsync,fdatasync";
/// Writes of one worker: enough for several commits and for writes that contradict earlier ones.
pub const WRITES: u64 = 20;

/// A situation. strace counts the calls of every thread by itself and hits whoever comes first to a
/// number, so the files are chosen such that one thread makes all calls that matter.
#[derive(Clone, Copy)]
pub struct Scene {
    pub name: &'static str,
    start: Start,
    pub files: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum Start {
    Nothing,
    Clean,
    Killed,
}

pub const SCENES: [Scene; 4] = [
    Scene {
        name: "creation",
        start: Start::Nothing,
        files: &[
            "",
            "data.db",
            "data.db-journal",
            "data.db-shm",
            "data.db.new",
            "data.db.new-journal",
        ],
    },
    Scene {
        name: "work",
        start: Start::Clean,
        files: &["data.db", "data.db-wal"],
    },
    Scene {
        name: "work after a kill",
        start: Start::Killed,
        files: &["data.db", "data.db-wal"],
    },
    Scene {
        name: "recovery",
        start: Start::Killed,
        files: &["data.db-shm"],
    },
];

/// What the scenes start from; every case gets a copy.
pub struct Starts<'a> {
    nothing: Place<'a>,
    clean: Place<'a>,
    killed: Place<'a>,
}

impl<'a> Starts<'a> {
    pub fn prepare(workshop: &'a Workshop, kind: Kind) -> Self {
        let nothing = workshop.place(kind, Manner::Sound);
        let mut clean = workshop.place(kind, Manner::Deaf);
        clean.run(0);
        let killed = (3..10)
            .map(|sync| killed_at(workshop, kind, sync))
            .find(|place| !place.recorded.is_empty())
            .expect("a worker that had recorded something");
        Self {
            nothing,
            clean,
            killed,
        }
    }

    pub fn place(&self, scene: Scene) -> Place<'a> {
        match scene.start {
            Start::Nothing => self.nothing.copy(),
            Start::Clean => self.clean.copy(),
            Start::Killed => self.killed.copy(),
        }
    }
}

/// A place whose worker was killed at its `sync`th sync, with nothing sent.
fn killed_at(workshop: &Workshop, kind: Kind, sync: usize) -> Place<'_> {
    let mut place = workshop.place(kind, Manner::Deaf);
    let injection = Injection {
        call: SYNC,
        what: &format!("signal=KILL:when={sync}"),
        files: &["data.db-wal"],
    };
    let (status, said) = place.run_injected(WRITES, &injection);
    assert!(!status.success(), "{}", said.text);
    place
}

/// Calls `hit` with the numbers 1, 2, 3, ... until it says that there was no such call; the quick run
/// leaves some out. How many hit.
pub fn every_call(mut hit: impl FnMut(usize) -> bool) -> usize {
    let mut count = 0;
    let mut number = 1;
    while hit(number) {
        count += 1;
        number += depth().pick(fastrand::usize(1..16), 1, 1);
    }
    count
}

/// Does all jobs, some at a time: most of the time a worker waits for the disk or for strace.
pub fn side_by_side<J: Send + Sync, T: Send>(jobs: &[J], work: impl Fn(&J) -> T + Sync) -> Vec<T> {
    const THREADS: usize = 4;
    let queue = |first: usize| jobs.iter().skip(first).step_by(THREADS).map(&work);
    thread::scope(|scope| {
        let queue = &queue;
        let threads: Vec<_> = (0..THREADS)
            .map(|first| scope.spawn(move || queue(first).collect::<Vec<_>>()))
            .collect();
        let results = threads.into_iter().map(thread::ScopedJoinHandle::join);
        results
            .flat_map(|result| result.expect("the queue passed"))
            .collect()
    })
}
