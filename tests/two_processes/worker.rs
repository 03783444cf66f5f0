//! The built `worker.c`, its processes, and what is asked of them.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use serde_json::Value;

use testkit::c_program::{CProgram, libraries_of_depth};

/// Longer than any command takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// The worker.
pub struct Workshop(CProgram);

impl Workshop {
    pub fn build() -> Self {
        let source = "tests/two_processes/worker.c";
        Self(CProgram::build(
            source,
            &libraries_of_depth(),
            &["-pthread"],
        ))
    }

    /// A process with a client of this configuration, and so many connections to it.
    pub fn start<const N: usize>(&self, config: &Value) -> (Process, [Connection; N]) {
        let mut command = self.0.command(None);
        let mut child = command
            .args([config.to_string(), N.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the worker starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("the worker says a line");
        let port = line.trim().strip_prefix("listening ");
        let port = port.and_then(|port| port.parse().ok());
        let port = port.unwrap_or_else(|| panic!("the worker said {line:?}"));
        let process = Process {
            child,
            _stdout: stdout,
        };
        (process, [(); N].map(|()| Connection::open(port)))
    }
}

/// Killed when dropped.
pub struct Process {
    child: Child,
    _stdout: BufReader<ChildStdout>,
}

impl Process {
    /// Waits for its end, which comes after that of its connections; the client must have closed in time.
    pub fn end(mut self) {
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "a worker ended with {status}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection to a worker; each is served by a thread of its own.
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the worker listens");
        stream.set_nodelay(true).expect("it is open");
        stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
        Self(BufReader::new(stream))
    }

    fn command(&mut self, command: &str) -> String {
        let stream = self.0.get_mut();
        let sent = stream.write_all(format!("{command}\n").as_bytes());
        sent.expect("the worker reads");
        let mut line = String::new();
        let length = self.0.read_line(&mut line).expect("the worker answers");
        assert!(length > 0, "the worker ended at: {command}");
        line.trim_end().to_owned()
    }

    fn status(&mut self, command: &str) -> i32 {
        self.command(command).parse().expect("a status")
    }

    /// Watches owners, and waits until the list of each was read.
    pub fn watch(&mut self, owners: &[String]) {
        assert_eq!(self.status(&format!("watch {}", owners.join(" "))), 0);
        let is_unknown = |own: &mut Self, owner: &String| own.ask(owner, &["nobody"]) != [0];
        for owner in owners {
            while is_unknown(self, owner) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }

    /// Adds or deletes; the service did it.
    pub fn change(&mut self, is_add: bool, owner: &str, peers: &[&str]) {
        let command = if is_add { "add" } else { "delete" };
        let peers = peers.join(" ");
        assert_eq!(self.status(&format!("{command} {owner} {peers}")), 0);
    }

    /// 1, 0 or a negative status for each peer.
    pub fn ask(&mut self, owner: &str, peers: &[&str]) -> Vec<i32> {
        let answers = self.command(&format!("ask {owner} {}", peers.join(" ")));
        let answers = answers.split(' ').map(str::parse);
        answers.collect::<Result<_, _>>().expect("numbers")
    }

    /// The status of a webhook.
    pub fn apply(&mut self, query: &str, body: &str) -> i32 {
        self.status(&format!("apply {query} {body}"))
    }

    pub fn stats(&mut self) -> Value {
        serde_json::from_str(&self.command("stats")).expect("stats are JSON")
    }
}
