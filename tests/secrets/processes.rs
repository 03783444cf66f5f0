//! What a whole process shows: its standard streams, files it was told to write, its memory.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use chatblock::Status;
use serde_json::json;
use tempfile::TempDir;

use crate::open;
use crate::sinks::{MARK, Secrets, Sinks, canary};
use testkit::answers::{item, items, sends};
use testkit::children::{again, is_child};
use testkit::fault_server::FaultServer;
use testkit::{Depth, depth, has_tool, report, target};

const URL: &str = "CHATBLOCK_TEST_URL";
const KEY_FILE: &str = "CHATBLOCK_TEST_KEY_FILE";
const LOG: &str = "CHATBLOCK_TEST_LOG";

fn variable(name: &str) -> String {
    std::env::var(name).expect("the parent sets it")
}

/// In the child: a client of the parent's server, with the key from a file.
fn call_and(between: impl FnOnce()) {
    let config = json!({
        "sdkappid": 1, "secret_key_file": variable(KEY_FILE), "base_url": variable(URL),
        "log": {"to": variable(LOG), "level": "debug"},
    });
    let client = open(&config);
    assert_eq!(client.add("owner", &["a"]).status(), Status::Ok);
    between();
    assert_eq!(client.close(None), Status::Ok);
}

/// In the parent: a child that runs `test` against a server that answers one call.
fn child(test: &str, directory: &Path, key: &str) -> (Command, FaultServer) {
    let server = FaultServer::plain(vec![sends(items(&[item("a", 0, "")]))]);
    let file = directory.join("key");
    std::fs::write(&file, key).expect("the key can be written");
    let mut child = again(test);
    child
        .env(URL, server.base_url())
        .env(KEY_FILE, file)
        .env(LOG, "stderr");
    (child, server)
}

#[test]
fn a_process_that_is_asked_to_tell_everything_shows_no_secret() {
    if is_child() {
        return call_and(|| ());
    }
    let (key, directory) = (canary(), TempDir::new().expect("there is room"));
    let name = "processes::a_process_that_is_asked_to_tell_everything_shows_no_secret";
    let (mut child, server) = child(name, directory.path(), &key);
    let keys = directory.path().join("tls-keys");
    child
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
        .env("SSLKEYLOGFILE", &keys);
    let output = child.output().expect("the child starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("answered"),
        "the log is verbose"
    );
    assert!(!keys.exists());
    let mut sinks = Sinks::default();
    sinks.add("standard output", output.stdout);
    sinks.add("standard error", output.stderr);
    let mut secrets = Secrets::of(&key);
    secrets.add_usersig(server.received()[0].usersig());
    sinks.search("standard streams", &secrets);
}

/// Waits for a line that ends with `word`, and gives the child another to go on.
struct Conversation {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Conversation {
    fn wait_for(&mut self, word: &str) {
        let found = self
            .lines
            .by_ref()
            .any(|line| line.expect("text").ends_with(word));
        assert!(found, "the child ended before it was {word}");
    }

    fn go_on(&mut self) {
        let input = self.child.stdin.as_mut().expect("it is piped");
        input.write_all(b"\n").expect("the child reads");
    }

    /// A memory image of the child, `None` where the system forbids it.
    fn image(&self, directory: &Path) -> Option<String> {
        let id = self.child.id().to_string();
        let output = Command::new("gcore")
            .arg("-o")
            .arg(directory.join("core"))
            .arg(&id)
            .output();
        output.expect("gcore starts");
        let file = directory.join(format!("core.{id}"));
        let image = std::fs::read(&file).ok()?;
        let _ = std::fs::remove_file(file);
        // What is not UTF-8 is no part of a secret.
        Some(String::from_utf8_lossy(&image).into_owned())
    }
}

fn say_and_wait(word: &str) {
    println!("{word}");
    std::io::stdin()
        .read_line(&mut String::new())
        .expect("the parent writes");
}

/// How often the random part of `secret` is in `image`; the mark is in the program.
fn hits(image: &str, secret: &str) -> usize {
    image.matches(&secret[MARK.len()..]).count()
}

/// The key, and what HMAC makes of it first.
fn key_hits(image: &str, key: &str) -> usize {
    let padded = |pad: u8| {
        key.bytes()
            .map(|byte| char::from(byte ^ pad))
            .collect::<String>()
    };
    hits(image, key) + hits(image, &padded(0x36)) + hits(image, &padded(0x5c))
}

#[test]
fn the_key_is_not_in_memory_after_close() {
    if is_child() {
        call_and(|| say_and_wait("open"));
        return say_and_wait("closed");
    }
    if !has_tool("secrets", "gcore") {
        return;
    }
    let (key, directory) = (canary(), TempDir::new().expect("there is room"));
    let (mut command, server) = child(
        "processes::the_key_is_not_in_memory_after_close",
        directory.path(),
        &key,
    );
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().expect("the child starts");
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut talk = Conversation { child, lines };
    talk.wait_for("open");
    let before = talk.image(directory.path());
    talk.go_on();
    talk.wait_for("closed");
    let after = talk.image(directory.path());
    talk.go_on();
    assert!(talk.child.wait().expect("it is our child").success());
    let (Some(before), Some(after)) = (before, after) else {
        assert!(
            depth() == Depth::Quick,
            "gcore gives no image; the full run needs one"
        );
        return report("secrets", "skipped: gcore gives no image");
    };
    assert!(
        key_hits(&before, &key) > 0,
        "the key is in use before close"
    );
    assert_eq!(
        key_hits(&after, &key),
        0,
        "of {} before",
        key_hits(&before, &key)
    );
    let copies = hits(&after, server.received()[0].usersig());
    report(
        "secrets",
        &format!("secrets: memory after close: key 0 hits, UserSig {copies} hits (best effort)"),
    );
}

#[test]
fn nothing_that_a_test_leaves_behind_holds_a_canary() {
    let mut sinks = Sinks::default();
    for directory in ["report", "test-logs"].map(|name| target().join(name)) {
        if directory.is_dir() {
            sinks.add_directory(&directory);
        }
    }
    for (name, content) in &sinks.0 {
        let mark = content
            .windows(MARK.len())
            .any(|window| window == MARK.as_bytes());
        assert!(!mark, "a canary is in {name}");
    }
}
