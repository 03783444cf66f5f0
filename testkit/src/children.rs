//! Tests that run in a process of their own, for what is counted per process.

use std::process::{Command, Output};

/// Set in a process that [`again`] started.
const CHILD: &str = "CHATBLOCK_TEST_CHILD";

/// Whether this process was started by [`again`].
pub fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// A command that runs the test `name` of this program alone, in a process of its own.
pub fn again(name: &str) -> Command {
    let program = std::env::current_exe().expect("a test program has a file");
    let mut command = Command::new(program);
    command
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, "1");
    command
}

/// The output of a child that must succeed.
pub fn succeed(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{}\n{stdout}\n{stderr}",
        output.status
    );
    stdout
}
