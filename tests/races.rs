//! Data races, by `ThreadSanitizer`: two programs of tests/c with the library, on the embedded engine and
//! against a server in another process; and the table of the cache alone, in every run.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use testkit::sanitizer::{Sanitizer, undefined_symbols};
use testkit::serve::Serving;
use testkit::{Depth, depth, has_tool, report, root, run};

/// Runs each way in the full run; after `TIME` no further one is begun, but there are `LEAST`. The deep run takes
/// so many times as long.
const RUNS: usize = 20;
const LEAST: usize = 5;
const TIME: Duration = Duration::from_secs(100);
const DEEPER: u32 = 10;

/// The app of tests/c/host.h, without a limit that would slow the stress down.
const SERVER: &str = r#"{"backend":"embedded","sdkappid":1400000001,"rate_per_second":100000,
    "secret_key":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}"#;

const THREAD: Sanitizer = Sanitizer {
    name: "thread",
    rust_flags: "-Cunsafe-allow-abi-mismatch=sanitizer",
    cc: "clang-22",
    c_flags: "",
};

/// The mangled name of the function of std that takes a lock after waiting: see `tests/c/tsan_std.c`.
fn lock_contended(library: &Path) -> String {
    let symbols = undefined_symbols(library);
    let found = symbols
        .into_iter()
        .find(|name| name.contains("5mutex5futex") && name.ends_with("14lock_contended"));
    found.expect("std takes a lock that is held in a function of its own")
}

/// A program of tests/c; `flags` are further ones for the compiler.
fn build(name: &str, library: &Path, flags: &[&str]) -> PathBuf {
    let program = library.with_file_name(format!("{name}{}", flags.concat()));
    let lock = lock_contended(library);
    run(Command::new(THREAD.cc)
        .args(["-g", "-std=c99", "-Wall", "-Wextra", "-Werror"])
        .arg("-fsanitize=thread")
        .args(flags)
        .arg(format!("-DLOCK_CONTENDED={lock}"))
        .arg(format!("-Wl,--wrap={lock}"))
        .args(["-Iinclude", "-Itests/c"])
        .arg(format!("tests/c/{name}.c"))
        .arg("tests/c/tsan_std.c")
        .arg(library)
        .args(["-lgcc_s", "-lpthread", "-lm", "-ldl", "-o"])
        .arg(&program)
        .current_dir(root()));
    program
}

/// Tells the names of functions, which the suppressions are about. Left alone the sanitizer takes that of its own
/// version only, and without one it reports everything.
fn symbolizer() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let found = ["llvm-symbolizer-22", "llvm-symbolizer"]
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|program| program.is_file());
    found.expect("llvm-symbolizer is installed")
}

/// One run with the arguments of the program.
fn stress(program: &Path, arguments: &[&str]) -> Output {
    let suppressions = root().join("tests/c/tsan_std.supp");
    let mut command = Command::new(program);
    command.args(arguments).env(
        "TSAN_OPTIONS",
        format!(
            "suppressions={}:external_symbolizer_path={}",
            suppressions.display(),
            symbolizer().display()
        ),
    );
    command.output().expect("the program starts")
}

/// Runs until there were enough or the time is over; how many were clean, which is all.
fn all_clean(program: &Path, arguments: &[&str]) -> usize {
    let began = Instant::now();
    let factor = depth().pick(1, 1, DEEPER);
    let most = RUNS * factor as usize;
    let mut runs = 0;
    while runs < most && (runs < LEAST || began.elapsed() < TIME * factor / 3) {
        let output = stress(program, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        let checked = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "run {runs}: {said}\n{checked}");
        assert!(!said.contains("ThreadSanitizer"), "run {runs}: {said}");
        runs += 1;
    }
    runs
}

/// The sanitizer sees our code: a race whose two sides are in the library is found in both.
fn finds_a_planted_race(library: &Path) {
    let program = build("stress", library, &["-DPLANT_RACE"]);
    let output = stress(&program, &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "the planted race went unnoticed");
    for part in [
        "WARNING: ThreadSanitizer: data race",
        "chatblock_result_tag",
        "chatblock_client_poll",
    ] {
        assert!(said.contains(part), "no {part}: {said}");
    }
}

#[test]
fn the_thread_sanitizer_finds_no_race() {
    if depth() < Depth::Full {
        report(
            "races",
            "tsan: only in the full run (CHATBLOCK_TEST=full make test)",
        );
        return;
    }
    assert!(has_tool("races", THREAD.cc));
    let library = THREAD.build();
    let program = build("stress", &library, &[]);
    let embedded = all_clean(&program, &[]);
    let server = Serving::start(SERVER, "{}");
    let remote = all_clean(&program, &[&server.url]);
    let folder = tempfile::tempdir().expect("a directory");
    let outbox = folder.path().join("outbox");
    let outbox = outbox.to_str().expect("its name is text");
    let recorded = all_clean(&program, &[&server.url, outbox]);
    finds_a_planted_race(&library);
    report(
        "races",
        &format!(
            "tsan: {} runs clean ({embedded} embedded, {remote} remote, {recorded} with an outbox; \
             8 submitters, 2 pollers, close), planted race found",
            embedded + remote + recorded
        ),
    );
}

#[test]
fn the_thread_sanitizer_finds_no_race_on_the_hot_path() {
    if depth() < Depth::Full {
        return;
    }
    assert!(has_tool("races", THREAD.cc));
    let library = THREAD.build();
    let program = build("hot_path_stress", &library, &[]);
    let embedded = all_clean(&program, &[]);
    let server = Serving::start(SERVER, "{}");
    let remote = all_clean(&program, &[&server.url]);
    report(
        "races",
        &format!(
            "tsan, hot path: {} runs clean ({embedded} embedded, {remote} remote with webhooks; 2 askers, 2 writers)",
            embedded + remote
        ),
    );
}

/// The table alone, compiled in seconds by the toolchain at hand: its sanitizer needs no other compiler.
fn build_table(folder: &Path) -> PathBuf {
    let program = folder.join("table");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    run(Command::new(rustc)
        .args(["--edition", "2024", "-g", "-Copt-level=1"])
        .args(["-Zsanitizer=thread", THREAD.rust_flags])
        .arg("tests/races/table.rs")
        .arg("-o")
        .arg(&program)
        .env("RUSTC_BOOTSTRAP", "1")
        .current_dir(root()));
    program
}

#[test]
fn the_thread_sanitizer_finds_no_race_in_the_table_of_the_cache() {
    let folder = tempfile::tempdir().expect("a directory");
    let program = build_table(folder.path());
    let runs = depth().pick(LEAST, RUNS, RUNS * DEEPER as usize);
    for number in 0..runs {
        let mut command = Command::new(&program);
        // One race is enough, and to tell where takes long.
        command.env("TSAN_OPTIONS", "halt_on_error=1");
        let output = command.output().expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "run {number}: {said}");
    }
    report(
        "races",
        &format!("tsan, table of the cache: {runs} runs clean (2 readers, 1 writer, growth)"),
    );
}
