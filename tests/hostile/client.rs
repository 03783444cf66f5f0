//! Clients that talk to the fault server, and processes of their own for what is counted per process.

#![allow(dead_code, reason = "each test program uses its own part")]

use std::process::{Command, Output};

use chatblock::Client;
use serde_json::{Value, json};

use crate::server::FaultServer;

/// The key of tests in which it plays no part.
const KEY: &str = "synthetic-key-for-tests-0001";

/// A configuration for `server`: one attempt and plenty of time, unless `more` says otherwise.
pub fn config(server: &FaultServer, more: &Value) -> Value {
    let mut config = json!({
        "sdkappid": 1_400_000_001,
        "secret_key": KEY,
        "base_url": server.base_url(),
        "attempt_ms": 8000,
        "call_ms": 9000,
        "retry": {"attempts": 1},
    });
    let more = more.as_object().expect("an object of keys");
    for (key, value) in more {
        config[key] = value.clone();
    }
    config
}

/// A client for `server`.
pub fn client(server: &FaultServer, more: &Value) -> Client {
    open(&config(server, more))
}

/// A client with this configuration.
pub fn open(config: &Value) -> Client {
    Client::open(&config.to_string()).expect("the configuration is sound")
}

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
