//! Stress of the threads: a C program that uses one client in every way at once, with the library as it is and
//! with the library over locks that delay at random (`tests/delayed_locks`). Bounded by counts of calls, and
//! by a clock for how many rounds there are.

mod service;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use service::Service;
use testkit::c_program::CProgram;
use testkit::project::Project;
use testkit::{Depth, depth, has_tool, libraries, report, root, run};

/// Building the library anew takes a minute or two.
const BUILD_SECONDS: u32 = 900;
/// A run takes seconds; one in which nothing moves ends itself long before.
const PATIENCE: &str = "300";
/// No call may take longer. Nothing in these runs explains it but a lost wake-up.
const CALL_MS: u64 = 20_000;
/// Where the service is silent, and the time of a call is what is tried.
const SHORT_CALL_MS: u64 = 1500;

/// How the client under stress is opened.
#[derive(Clone, Copy, Debug)]
enum Way {
    Memory,
    Durable,
    Remote,
    Outbox,
}

/// One kind of run of the program: see its head.
#[derive(Clone, Copy, Debug)]
struct Scene {
    scenario: &'static str,
    way: Way,
    calls: usize,
    call_ms: u64,
}

const fn scene(scenario: &'static str, way: Way, calls: usize) -> Scene {
    Scene {
        scenario,
        way,
        calls,
        call_ms: CALL_MS,
    }
}

const CANCELS: Scene = scene("cancel", Way::Outbox, 2500);

const SCENES: [Scene; 15] = [
    scene("crowd", Way::Memory, 3000),
    scene("crowd", Way::Durable, 1500),
    scene("crowd", Way::Remote, 1500),
    scene("crowd", Way::Outbox, 1500),
    scene("edge", Way::Memory, 2000),
    scene("edge", Way::Remote, 1000),
    scene("edge", Way::Outbox, 1000),
    scene("flush", Way::Remote, 8000),
    scene("pairs", Way::Durable, 400),
    scene("pairs", Way::Remote, 400),
    scene("pairs", Way::Outbox, 400),
    scene("cancel", Way::Outbox, 500),
    scene("quiet", Way::Outbox, 500),
    scene("quiet", Way::Remote, 500),
    Scene {
        scenario: "deadlines",
        way: Way::Remote,
        calls: 200,
        call_ms: SHORT_CALL_MS,
    },
];

/// The built program, and the service behind it.
struct Workshop {
    program: CProgram,
    service: Service,
}

impl Workshop {
    fn build(library: &Path) -> Self {
        let flags = ["-O1", "-g", "-pthread"];
        Self {
            program: CProgram::build("tests/stress/program.c", library, &flags),
            service: Service::start(),
        }
    }

    fn config(&self, scene: Scene, files: &Path) -> Value {
        let mut config = match scene.way {
            Way::Memory => return json!({}),
            Way::Durable => return json!({"path": files.join("store.db")}),
            Way::Remote | Way::Outbox => json!({
                "sdkappid": 1_400_000_001,
                "secret_key": "synthetic-key-for-tests-0001",
                "base_url": self.service.base_url(),
                "rate_per_second": 100_000,
                "attempt_ms": scene.call_ms,
                "call_ms": scene.call_ms,
            }),
        };
        if matches!(scene.way, Way::Outbox) {
            config["outbox"] = json!({"path": files.join("outbox.db")});
        }
        config
    }

    /// One run, with a seed of its own; what it said, when all was well.
    fn run(&self, scene: Scene) -> Result<String, String> {
        let files = tempfile::tempdir().expect("a directory");
        let seed = fastrand::u32(1..1_000_000);
        let mut command = self.program.command(Some("timeout"));
        let output = command
            .arg(PATIENCE)
            .arg(self.program.file())
            .arg(scene.scenario)
            .arg(self.config(scene, files.path()).to_string())
            .args([
                scene.calls.to_string(),
                seed.to_string(),
                scene.call_ms.to_string(),
            ])
            .output()
            .expect("the program starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let forgotten = self.service.take_forgotten();
        if output.status.success() && forgotten == 0 {
            return Ok(said);
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(format!(
            "{scene:?}, seed {seed}: {}, {forgotten} calls held up behind one that was under way\n{said}{stderr}",
            output.status
        ))
    }

    fn passes(&self, scene: Scene) -> String {
        self.run(scene)
            .unwrap_or_else(|failure| panic!("{failure}"))
    }
}

/// The number behind `name` in what a run said.
fn number(said: &str, name: &str) -> u64 {
    let found = said.split_once(name).map_or("", |(_, rest)| rest);
    let digits = found
        .trim_start()
        .split(|c: char| !c.is_ascii_digit())
        .next();
    digits
        .and_then(|digits| digits.parse().ok())
        .unwrap_or_else(|| panic!("no {name} in {said}"))
}

#[test]
fn writes_that_are_cancelled_before_their_commit_hold_up_no_other() {
    if !has_tool("stress", "gcc") {
        return;
    }
    let workshop = Workshop::build(&libraries());
    let (began, runs) = (Instant::now(), depth().pick(3, 10, 100));
    let (mut accepted, mut cancelled) = (0, 0);
    for _ in 0..runs {
        let said = workshop.passes(CANCELS);
        accepted += number(&said, "accepted");
        cancelled += number(&said, "cancelled");
    }
    assert!(
        cancelled > accepted / 20,
        "{cancelled} of {accepted} are too few"
    );
    let seconds = began.elapsed().as_secs();
    let line = format!(
        "stress, cancels: {runs} runs with an outbox, accepted {accepted} = completed, cancelled {cancelled} ({seconds} s)"
    );
    report("stress", &line);
}

#[test]
fn threads_that_do_everything_at_once_lose_no_call() {
    if !has_tool("stress", "gcc") {
        return;
    }
    let workshop = Workshop::build(&libraries());
    let (began, rounds) = (Instant::now(), depth().pick(1, 3, 50));
    let mut accepted = 0;
    for _ in 0..rounds {
        for scene in SCENES {
            accepted += number(&workshop.passes(scene), "accepted");
        }
    }
    let (scenes, seconds) = (SCENES.len(), began.elapsed().as_secs());
    let line =
        format!("stress: {rounds} x {scenes} runs, accepted {accepted} = completed ({seconds} s)");
    report("stress", &line);
}

/// What Cargo.lock says about the version of `package`.
fn locked_version(package: &str) -> String {
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock");
    let start = format!("name = \"{package}\"\nversion = \"");
    let found = lock
        .split_once(&start)
        .and_then(|(_, rest)| rest.split_once('"'));
    found
        .unwrap_or_else(|| panic!("no {package} in Cargo.lock"))
        .0
        .to_owned()
}

/// The folder of the library over `tests/delayed_locks`: a copy of the project that names those locks is built.
fn delayed_libraries() -> PathBuf {
    const LOCKS: &str = "\nparking_lot = \"0.12\"\n";
    let (copy, manifest) = (Project::named("delayed"), Path::new("Cargo.toml"));
    copy.copy();
    let text = fs::read_to_string(copy.folder.join(manifest)).expect("the manifest");
    assert!(text.contains(LOCKS), "Cargo.toml has no line {LOCKS}");
    let delayed = "\nparking_lot = { path = \"tests/delayed_locks\" }\n";
    copy.write(manifest, text.replace(LOCKS, delayed).as_bytes());
    // The lock file has to learn of the other locks, and of nothing else: not `--locked`, but `--offline`.
    let cargo = |arguments: &[&str]| {
        let arguments = ["-q", "--offline"].iter().chain(arguments);
        run(copy.cargo(BUILD_SECONDS).args(arguments))
    };
    let real = format!("parking_lot@{}", locked_version("parking_lot"));
    let users = cargo(&["tree", "-e", "normal", "--depth", "1", "-i", &real]);
    let users: Vec<_> = users.lines().collect();
    assert_eq!(users.len(), 2, "locks without delays are used: {users:?}");
    cargo(&["build", "--package", "chatblock", "--lib"]);
    copy.libraries()
}

#[test]
fn threads_whose_locks_delay_at_random_lose_no_call() {
    if depth() < Depth::Full {
        report(
            "stress",
            "stress, delayed locks: only in the full run (CHATBLOCK_TEST=full make test)",
        );
        return;
    }
    assert!(has_tool("stress", "gcc"));
    let workshop = Workshop::build(&delayed_libraries());
    let began = Instant::now();
    let time = Duration::from_secs(depth().pick(0, 120, 3600));
    let (mut runs, mut accepted) = (0, 0);
    // Each scene once, however slow the machine.
    while runs < SCENES.len() || began.elapsed() < time {
        let said = workshop.passes(SCENES[runs % SCENES.len()]);
        accepted += number(&said, "accepted");
        runs += 1;
    }
    let seconds = began.elapsed().as_secs();
    let line = format!(
        "stress, delayed locks: {runs} runs, accepted {accepted} = completed, none late ({seconds} s)"
    );
    report("stress", &line);
}
