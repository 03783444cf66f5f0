//! A server inside the test, with limits short enough to wait for.

use std::thread::JoinHandle;
use std::time::Duration;

use chatblock::config::Config;
use chatblock_cli::server::{Fixture, Gateway, Limits, Options, Server};
use tokio::sync::oneshot;

use testkit::serve::{KEY, NOW, SDKAPPID};

/// Stopped when dropped.
pub struct Running {
    pub address: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What every state of these tests starts with; `rest` is further members.
pub fn state(rest: &str) -> String {
    let comma = if rest.is_empty() { "" } else { "," };
    format!(
        r#"{{"sdkappid":{SDKAPPID},"key":"{KEY}","admins":["admin"],"now":{NOW}{comma}{rest}}}"#
    )
}

/// Limits that a test can wait for.
pub fn short() -> Limits {
    Limits {
        head: Duration::from_millis(400),
        body: Duration::from_millis(400),
        idle: Duration::from_secs(20),
        ..Limits::default()
    }
}

/// A free port of loopback.
pub fn options(limits: Limits) -> Options {
    Options {
        listen: "127.0.0.1:0".parse().expect("an address"),
        tls: None,
        limits,
        allowed_hosts: Vec::new(),
        allow_plain_http: false,
    }
}

impl Running {
    pub fn start(config: &str, state: &str, limits: Limits) -> Self {
        Self::with(config, state, &options(limits))
    }

    pub fn with(config: &str, state: &str, options: &Options) -> Self {
        let config = Config::parse(config).expect("the configuration is sound");
        let state = Fixture::parse(state).expect("the state is sound");
        let gateway = Gateway::open(&config, &state).expect("the gateway opens");
        let server = Server::bind(gateway, options).expect("a port is free");
        let address = server.url()["http://".len()..].to_owned();
        let (stop, stopped) = oneshot::channel();
        let until = async move {
            let _ = stopped.await;
        };
        let run = move || server.run(|_| Ok(until)).expect("the server runs");
        Self {
            address,
            stop: Some(stop),
            thread: Some(std::thread::spawn(run)),
        }
    }

    /// Asks the server to stop and waits for it.
    pub fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server ends without a panic");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}
