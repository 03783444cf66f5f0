//! A running `chatblock serve`, and just enough HTTP to talk to it byte by byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::{program_file, usersig};

/// Longer than any answer takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

pub const KEY: &str = "synthetic-key-for-tests-0001";
pub const SDKAPPID: u64 = 88_888_888;

/// The program under test.
pub fn program() -> Command {
    let mut command = Command::new(program_file());
    command.env_remove("CHATBLOCK_CONFIG");
    command
}

/// Writes a file that only its owner may read: others are warned of.
pub fn write_secret(path: &std::path::Path, text: &str) {
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .expect("a file can be made");
    file.write_all(text.as_bytes())
        .expect("a file can be written");
}

/// A server process; killed when dropped.
pub struct Serving {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// What it printed.
    pub url: String,
    _files: tempfile::TempDir,
}

impl Serving {
    /// Starts a server with this state file.
    pub fn with_state(state: &str) -> Self {
        Self::start("{\"backend\":\"embedded\"}", state)
    }

    /// Starts a server with this configuration and state file.
    pub fn start(config: &str, state: &str) -> Self {
        let files = tempfile::tempdir().expect("a directory can be made");
        let (config_file, state_file) = (files.path().join("c.json"), files.path().join("s.json"));
        write_secret(&config_file, config);
        write_secret(&state_file, state);
        let mut command = program();
        command.arg("serve");
        command.arg("--config").arg(&config_file);
        command.arg("--state").arg(&state_file);
        Self::spawn(command, files)
    }

    /// Starts `command`, which is a `serve`, and waits for its line.
    pub fn spawn(mut command: Command, files: tempfile::TempDir) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server can be started");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("the server says a line");
        let url = line
            .strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("the server said {line:?}"));
        Self {
            url: url.trim_end().to_owned(),
            child,
            stdout,
            _files: files,
        }
    }

    pub fn address(&self) -> &str {
        self.url.split_once("://").expect("it is a URL").1
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends the server with `signal` and gives its exit code and what else it printed.
    pub fn end_with(&mut self, signal: nix::sys::signal::Signal) -> (Option<i32>, String) {
        let id = i32::try_from(self.child.id()).expect("process ids fit");
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), signal).expect("it is running");
        let status = self.child.wait().expect("it ends");
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("it is text");
        (status.code(), rest)
    }

    /// Posts to `path` as an admin and gives the answer object.
    pub fn call(&self, path: &str, body: &str) -> serde_json::Value {
        let query = query("admin");
        let (status, body) = exchange(self.address(), &post(&format!("/{path}?{query}"), body));
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("the answer is JSON")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A good signature of `identifier`, made at `time` for a day.
pub fn sign(identifier: &str, time: i64) -> String {
    sign_with(KEY, SDKAPPID, identifier, time)
}

pub fn sign_with(key: &str, sdkappid: u64, identifier: &str, time: i64) -> String {
    usersig::sign(key, sdkappid, identifier, (time, 86_400))
}

/// The query of a good request at the time of the test states.
pub fn query(identifier: &str) -> String {
    let usersig = sign(identifier, NOW);
    format!(
        "sdkappid={SDKAPPID}&identifier={identifier}&usersig={usersig}&random=99999999&contenttype=json"
    )
}

/// Where the clock of the test states stands.
pub const NOW: i64 = 1_700_000_000;

/// The bytes of a POST that ends its connection.
pub fn post(target: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A connection that does not wait for ever.
pub fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server accepts");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("it is not zero");
    stream
}

/// Everything that comes back for `request` until the server ends the connection.
pub fn talk(address: &str, request: &[u8]) -> Vec<u8> {
    let mut stream = connect(address);
    // A server that refuses early may have closed already; what it said counts.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    }
    answer
}

/// Status and body of the one answer to `request`; status 0 when there was none.
pub fn exchange(address: &str, request: &[u8]) -> (u16, String) {
    let answer = String::from_utf8(talk(address, request)).expect("answers are text");
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        assert_eq!(answer, "", "half an answer");
        return (0, String::new());
    };
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (status.expect("the answer has a status"), body.to_owned())
}
