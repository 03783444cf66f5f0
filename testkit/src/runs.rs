//! Running the program with files of its own.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::serve::{self, KEY, NOW, SDKAPPID, Serving};

/// Files of one test.
pub struct Files(tempfile::TempDir);

impl Files {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory can be made"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), text).expect("a file can be written");
        self.path(name)
    }

    /// A file that only its owner may read.
    pub fn write_secret(&self, name: &str, text: &str) -> PathBuf {
        serve::write_secret(&self.path(name), text);
        self.path(name)
    }

    pub fn set_mode(&self, name: &str, mode: u32) {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(self.path(name), mode).expect("our file");
    }

    /// A configuration with a durable store of its own.
    pub fn durable(&self) -> PathBuf {
        let path = self.path("lists.db");
        self.write(
            "config.json",
            json!({"backend": "embedded", "path": path}).to_string(),
        )
    }

    /// A configuration with an app and its key.
    pub fn app(&self) -> PathBuf {
        let key = self.write_secret("key", KEY);
        let config = json!({
            "backend": "embedded", "sdkappid": SDKAPPID, "secret_key_file": key, "identifier": "admin",
        });
        self.write("app.json", config.to_string())
    }

    pub fn run(&self, arguments: &[&str]) -> Done {
        run_with(Some(&self.durable()), arguments, "")
    }
}

/// What a run left behind.
pub struct Done {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("{}", self.stdout))
    }
}

pub fn run_with(config: Option<&PathBuf>, arguments: &[&str], input: &str) -> Done {
    let mut command = serve::program();
    if let Some(config) = config {
        command.arg("--config").arg(config);
    }
    command.args(arguments);
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = piped.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    // The program may end without reading.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().expect("it ends");
    Done {
        code: status.code(),
        stdout: String::from_utf8(stdout).expect("output is text"),
        stderr: String::from_utf8(stderr).expect("output is text"),
    }
}

/// So many accounts, one per line.
pub fn names(count: usize) -> String {
    let names: Vec<String> = (0..count).map(|number| format!("u{number}\n")).collect();
    names.concat()
}

/// A service that knows some accounts, and a configuration that leads to it.
pub fn remote(files: &Files, setup: &Value) -> (Serving, PathBuf) {
    let mut state = json!({"sdkappid": SDKAPPID, "key": KEY, "admins": ["admin"], "now": NOW});
    let members = state.as_object_mut().expect("an object");
    members.extend(setup.as_object().expect("an object").clone());
    let server = Serving::with_state(&state.to_string());
    let config = json!({
        "sdkappid": SDKAPPID, "secret_key": KEY, "identifier": "admin", "base_url": server.url,
        "retry": {"attempts": 1},
    });
    let config = files.write_secret("remote.json", &config.to_string());
    (server, config)
}
