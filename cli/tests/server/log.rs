//! The log of a server, and what becomes of it when a tool moves it.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::raw::BODY;
use crate::running::state;
use testkit::serve::{self, Serving};

/// Far more than a line needs.
const SOON: Duration = Duration::from_secs(20);

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[track_caller]
fn wait_for(path: &Path, word: &str) -> String {
    let started = Instant::now();
    loop {
        let text = read(path);
        if text.contains(word) {
            return text;
        }
        assert!(started.elapsed() < SOON, "no {word:?} in {text:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn serving(path: &Path, level: &str, more: &str) -> Serving {
    let config = json!({"backend": "embedded", "log": {"to": path, "level": level}});
    Serving::start(&config.to_string(), &state(more))
}

/// A call that is answered, one of a player, one with a bad signature, one of another command, and a bad request.
fn call_all(server: &Serving) {
    server.call("v4/sns/black_list_get", BODY);
    let of_player = format!("/v4/sns/black_list_add?{}", serve::query("bob"));
    let bad = format!("/v4/sns/black_list_check?{}", serve::query("admin"))
        .replace("usersig=", "usersig=AAAA");
    for (target, body) in [
        (of_player.as_str(), "{}"),
        (bad.as_str(), "{}"),
        ("/v4/sns/friend_add", "{}"),
    ] {
        serve::exchange(server.address(), &serve::post(target, body));
    }
    let request = serve::post("/", "{}");
    let request = String::from_utf8(request).expect("text");
    let request = request.replace("Host: localhost", "Host: example.invalid");
    serve::exchange(server.address(), request.as_bytes());
}

#[test]
fn every_refusal_is_a_warning_and_every_request_a_line_at_debug() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    for (level, answered) in [("error", None), ("warn", Some(0)), ("debug", Some(1))] {
        let path = path.with_extension(level);
        let mut server = serving(&path, level, "");
        call_all(&server);
        let (code, _) = server.end_with(Signal::SIGTERM);
        assert_eq!(code, Some(0));
        let text = read(&path);
        let count = |word: &str| text.lines().filter(|line| line.contains(word)).count();
        let Some(answered) = answered else {
            assert_eq!(text, "");
            continue;
        };
        for words in [
            "warn chatblock: black_list_add of 127.0.0.1 refused with 30004",
            "warn chatblock: /v4/sns/black_list_check of 127.0.0.1 refused with 70003",
            "warn chatblock: /v4/sns/friend_add of 127.0.0.1 refused with 60009",
            "(status 400) of 127.0.0.1 refused with 60002: Host",
        ] {
            assert_eq!(count(words), 1, "{words}: {text}");
        }
        assert_eq!(
            count("debug chatblock: black_list_get of 127.0.0.1"),
            answered,
            "{text}"
        );
        assert_eq!(text.lines().count(), 4 + answered, "{text}");
        assert!(
            !text.contains("usersig=") && !text.contains(serve::KEY),
            "{text}"
        );
    }
}

#[test]
fn a_signal_opens_the_log_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, moved) = (folder.path().join("log"), folder.path().join("moved"));
    let mut server = serving(&path, "debug", "");
    server.call("v4/sns/black_list_get", BODY);
    wait_for(&path, "black_list_get");
    std::fs::rename(&path, &moved).expect("ours");
    let id = Pid::from_raw(i32::try_from(server.id()).expect("process ids fit"));
    kill(id, Signal::SIGHUP).expect("it is running");
    let started = Instant::now();
    while !path.exists() {
        assert!(started.elapsed() < SOON, "the log is not opened again");
        std::thread::sleep(Duration::from_millis(5));
    }
    server.call(
        "v4/sns/black_list_add",
        r#"{"From_Account":"id","To_Account":["a"]}"#,
    );
    wait_for(&path, "black_list_add");
    assert!(!read(&moved).contains("black_list_add"));
    // Without a log the signal ends nothing either.
    let quiet = Serving::with_state(&state(""));
    let id = Pid::from_raw(i32::try_from(quiet.id()).expect("process ids fit"));
    kill(id, Signal::SIGHUP).expect("it is running");
    quiet.call("v4/sns/black_list_get", BODY);
    assert_eq!(server.end_with(Signal::SIGTERM).0, Some(0));
}

/// Choice C53.
#[test]
fn accounts_of_a_state_that_win_over_the_configuration_are_a_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let _server = serving(&path, "warn", r#""accounts":["id"]"#);
    wait_for(&path, "the state file lists accounts");
}
