//! What several test programs share: how deep to go, which tools there are, and the lines that
//! `make test` prints at its end.

#![allow(dead_code, reason = "each test program uses its own part")]

pub mod sanitizer;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether this is the full run (`CHATBLOCK_TEST=full`), in which nothing is skipped.
pub fn full() -> bool {
    std::env::var("CHATBLOCK_TEST").as_deref() == Ok("full")
}

/// The top of the project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Prints `line` and keeps it for the end of `make test`. Lines of one `program` stay together.
pub fn report(program: &str, line: &str) {
    println!("{line}");
    let directory = target().join("report");
    fs::create_dir_all(&directory).expect("the report directory can be made");
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(directory.join(program))
        .expect("the report can be written");
    writeln!(file, "{line}").expect("the report can be written");
}

/// Whether the program `name` is installed. In the full run a missing one fails the test; otherwise
/// it is reported as skipped.
pub fn has_tool(program: &str, name: &str) -> bool {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|directory| directory.join(name).is_file());
    if !found {
        assert!(!full(), "{name} is not installed; the full run needs it");
        report(program, &format!("skipped: {name} is not installed"));
    }
    found
}

/// Runs a command that must succeed and gives its standard output.
pub fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} cannot start: {error}"));
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{stdout}\n{stderr}",
        output.status
    );
    stdout
}

/// The folder of the library and the program as they ship; built when they are not there yet.
pub fn release_libraries() -> PathBuf {
    run(Command::new(env!("CARGO"))
        .args(["build", "--locked", "--features", "cli", "--release"])
        .current_dir(root())
        .env("CARGO_TARGET_DIR", target()));
    target().join("release")
}

/// The folder in which cargo put the shared and the static library for the running test program.
pub fn libraries() -> PathBuf {
    let program = std::env::current_exe().expect("a test program has a path");
    let folder = program
        .parent()
        .expect("a program is in a folder")
        .to_owned();
    for library in ["libchatblock.a", "libchatblock.so"] {
        assert!(
            folder.join(library).is_file(),
            "{library} is missing in {}",
            folder.display()
        );
    }
    folder
}
