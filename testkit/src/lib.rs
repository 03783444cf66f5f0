//! What several test programs share: how deep to go, which tools there are, and the lines that
//! `make test` prints at its end.

#![allow(
    missing_docs,
    reason = "only the tests of this workspace use it, and most names say all"
)]
#![allow(clippy::missing_errors_doc, clippy::missing_panics_doc)]
#![allow(clippy::must_use_candidate, clippy::module_name_repetitions)]
#![allow(clippy::new_without_default, clippy::return_self_not_must_use)]

pub mod answers;
pub mod c_program;
pub mod certificates;
pub mod children;
pub mod crash;
mod delays;
mod depth;
pub mod fake_service;
pub mod fault_server;
pub mod keys;
pub mod listener;
mod program;
pub mod project;
pub mod receiver;
pub mod runs;
pub mod sanitizer;
pub mod serve;
pub mod usersig;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

pub use delays::Delays;
pub use depth::{Depth, depth};
pub use program::{cargo, program_file, without_package};

/// The top of the project.
pub fn root() -> &'static Path {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut workspaces = packages.filter(|folder| folder.join("Cargo.lock").is_file());
    workspaces.next().expect("a folder with Cargo.lock")
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
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

/// Where `make test` finds what was skipped, to say it once: one line for each missing program and test
/// program.
const SKIPPED: &str = "skipped";

/// Whether the program `name` is installed. From the full run on a missing one fails the test; otherwise
/// what needs it is reported as skipped.
pub fn has_tool(program: &str, name: &str) -> bool {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|directory| directory.join(name).is_file());
    if !found {
        skip(program, name);
    }
    found
}

/// Whether the loader finds the shared library `name`; as [`has_tool`].
pub fn has_library(program: &str, name: &str) -> bool {
    let known = run(Command::new("/sbin/ldconfig").arg("-p"));
    let found = known
        .lines()
        .any(|line| line.trim_start().starts_with(name));
    if !found {
        skip(program, name);
    }
    found
}

/// What is not installed is skipped in the quick run only.
pub fn skip(program: &str, name: &str) {
    assert!(
        depth() == Depth::Quick,
        "{name} is not installed; the full run needs it"
    );
    report(SKIPPED, &format!("{name} ({program})"));
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
    run(without_package("make")
        .args(["--silent", "cli"])
        .arg(format!("CARGO={}", env!("CARGO")))
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
