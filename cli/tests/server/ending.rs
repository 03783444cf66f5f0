//! Stopping and being killed under load: what was answered is stored.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::report;
use crate::running::{Running, short, state};
use testkit::serve::{self, Serving};

const THREADS: usize = 6;
/// Calls to wait for before the server is told to go.
const ENOUGH: usize = 120;

struct Durable {
    directory: tempfile::TempDir,
}

impl Durable {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        Self { directory }
    }

    fn serve(&self) -> Serving {
        let path = self.directory.path().join("lists.db");
        let config = json!({"backend": "embedded", "path": path, "rate_per_second": 1_000_000});
        Serving::start(&config.to_string(), &state(""))
    }
}

/// Blocks one account after another, each thread for an owner of its own, until the server does not answer.
/// `at_load` runs once `ENOUGH` were answered. Gives the answered pairs.
fn load(server: &mut Serving, at_load: impl FnOnce(&mut Serving)) -> BTreeSet<(String, String)> {
    let answered = Mutex::new(BTreeSet::new());
    let address = server.address().to_owned();
    let target = format!("/v4/sns/black_list_add?{}", serve::query("admin"));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (answered, address, target) = (&answered, &address, &target);
            scope.spawn(move || {
                let owner = format!("owner{thread}");
                for number in 0..1000 {
                    let account = format!("u{number}");
                    let body = json!({"From_Account": owner, "To_Account": [account]});
                    if !is_added(address, &serve::post(target, &body.to_string())) {
                        return;
                    }
                    answered
                        .lock()
                        .expect("no thread panics")
                        .insert((owner.clone(), account));
                }
            });
        }
        let started = Instant::now();
        while answered.lock().expect("no thread panics").len() < ENOUGH {
            assert!(
                started.elapsed() < Duration::from_mins(1),
                "too few answers"
            );
            std::thread::yield_now();
        }
        at_load(server);
    });
    answered.into_inner().expect("no thread panics")
}

/// Whether the whole answer came and says so.
fn is_added(address: &str, request: &[u8]) -> bool {
    let Ok(mut stream) = std::net::TcpStream::connect(address) else {
        return false;
    };
    let mut answer = Vec::new();
    let heard = stream.write_all(request).is_ok()
        && std::io::Read::read_to_end(&mut stream, &mut answer).is_ok();
    let text = String::from_utf8_lossy(&answer);
    heard && text.contains("\"ResultCode\":0,") && text.ends_with('}')
}

fn stored(server: &Serving) -> BTreeSet<(String, String)> {
    let list = |thread: usize| {
        let owner = format!("owner{thread}");
        let body =
            json!({"From_Account": owner, "StartIndex": 0, "MaxLimited": 1000, "LastSequence": 0});
        let answer = server.call("v4/sns/black_list_get", &body.to_string());
        let entries = answer["BlackListItem"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let name = |entry: &Value| entry["To_Account"].as_str().expect("a name").to_owned();
        let pairs: Vec<_> = entries
            .iter()
            .map(|entry| (owner.clone(), name(entry)))
            .collect();
        pairs
    };
    (0..THREADS).flat_map(list).collect()
}

#[test]
fn what_was_answered_before_a_kill_is_stored() {
    let durable = Durable::new();
    let mut server = durable.serve();
    let answered = load(&mut server, |server| {
        server.end_with(Signal::SIGKILL);
    });
    let stored = stored(&durable.serve());
    let lost: Vec<_> = answered.difference(&stored).collect();
    let line = format!(
        "server killed under load: answered {}, lost {}",
        answered.len(),
        lost.len()
    );
    report("server", &line);
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn a_stop_under_load_answers_everything_that_it_stores() {
    let durable = Durable::new();
    let mut server = durable.serve();
    let mut end = (None, String::new());
    let answered = load(&mut server, |server| end = server.end_with(Signal::SIGTERM));
    assert_eq!(end, (Some(0), String::new()));
    let stored = stored(&durable.serve());
    let line = format!(
        "server stopped under load: answered {}, stored {}",
        answered.len(),
        stored.len()
    );
    report("server", &line);
    assert_eq!(answered, stored);
}

#[test]
fn an_idle_connection_does_not_hold_up_the_end() {
    let mut server = Running::start(crate::EMBEDDED, &state(""), short());
    let (fresh, mut used) = (
        serve::connect(&server.address),
        serve::connect(&server.address),
    );
    used.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .expect("it is open");
    let mut answer = [0; 4096];
    assert!(std::io::Read::read(&mut used, &mut answer).expect("an answer") > 0);
    let started = Instant::now();
    server.stop();
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    drop(fresh);
}

#[test]
fn both_signals_end_the_server_with_success() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut server = Serving::with_state(&state(""));
        assert_eq!(
            server.end_with(signal),
            (Some(0), String::new()),
            "{signal}"
        );
    }
}
