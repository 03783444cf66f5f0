//! The program `chatblock`, as it is built for the tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The program. Cargo builds it before the tests of its own package and says where it is. For the tests of the library it is
/// built here, by a command that builds such a test: it then shares every dependency with the test that runs.
pub fn program_file() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        std::env::var_os("CARGO_BIN_EXE_chatblock").map_or_else(build, PathBuf::from)
    })
}

fn build() -> PathBuf {
    let test = std::env::current_exe().expect("a test program has a path");
    let folder = test
        .ancestors()
        .nth(2)
        .expect("it is in the `deps` of a profile");
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "test",
        Some(other) => other,
    };
    let output = cargo()
        .args(["test", "--locked", "--no-run", "--test", "cli"])
        .args(["--profile", profile])
        .current_dir(crate::root())
        .env(
            "CARGO_TARGET_DIR",
            folder.parent().expect("it is in a target directory"),
        )
        .output()
        .expect("cargo starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "the program cannot be built:\n{said}"
    );
    folder.join("chatblock")
}

/// `cargo` as a shell would start it.
pub fn cargo() -> Command {
    without_package(env!("CARGO"))
}

/// `program` as a shell would start it. Cargo tells a test program about its package; a build script that asks for the same
/// variables, as that of ring does, would take that for a change and have everything above it compiled again.
pub fn without_package(program: &str) -> Command {
    let mut command = Command::new(program);
    let told = |name: &str| {
        ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "OUT_DIR"]
            .iter()
            .any(|start| name.starts_with(start))
    };
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(told) {
            command.env_remove(name);
        }
    }
    command
}
