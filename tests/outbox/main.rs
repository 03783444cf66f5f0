//! The outbox: what is recorded is sent, in order, whatever becomes of the process; what is not ours is
//! left alone.

mod backlog;
mod dead_letters;
mod refusals;
mod rows;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chatblock::{Client, Error, Reply, Status};
use serde_json::{Value, json};
use testkit::answers::{OK, http, item, items, refusal, relation, relations, sends};
use testkit::fault_server::{Answer, FaultServer, Step};

const SOON: Option<Duration> = Some(Duration::from_secs(20));
const NOW: Option<Duration> = Some(Duration::ZERO);
const KEY: &str = "synthetic-key-for-tests-0001";
/// No service listens on the discard port.
const NOWHERE: &str = "http://127.0.0.1:9";

/// A folder with an outbox, and the ways to open it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        Self { folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("outbox.db")
    }

    fn config(&self, base_url: &str) -> Value {
        json!({
            "sdkappid": 1_400_000_001,
            "secret_key": KEY,
            "base_url": base_url,
            "attempt_ms": 2000,
            "retry": {"base_ms": 1, "max_ms": 20},
            "outbox": {"path": self.file()},
        })
    }

    fn open(&self, base_url: &str) -> Client {
        open(&self.config(base_url)).expect("a sound configuration")
    }
}

fn open(config: &Value) -> Result<Client, Error> {
    Client::open(&config.to_string())
}

/// Accepts and records writes that cannot be sent.
fn leave(place: &Place, write: impl FnOnce(&Client)) {
    let client = place.open(NOWHERE);
    write(&client);
    assert_eq!(client.sync(SOON), Status::Ok);
    assert_eq!(client.close(Some(Duration::from_secs(5))), Status::Ok);
}

/// What reached the server: command, owner, targets.
fn arrived(server: &FaultServer) -> Vec<(String, String, String)> {
    let received = server.received().into_iter();
    let parts = received.map(|request| {
        let json = request.json();
        let path = request
            .head
            .split(['/', '?'])
            .nth(3)
            .expect("a path")
            .to_owned();
        let owner = json["From_Account"].as_str().expect("an owner").to_owned();
        (path, owner, json["To_Account"].to_string())
    });
    parts.collect()
}

fn done(targets: &[&str]) -> Answer {
    let all: Vec<_> = targets.iter().map(|target| item(target, 0, "")).collect();
    sends(items(&all))
}

fn next(client: &Client) -> Reply {
    client.poll(SOON).expect("a completion")
}

fn write(command: &str, owner: &str, targets: &str) -> (String, String, String) {
    (command.into(), owner.into(), targets.into())
}

#[test]
fn what_is_recorded_is_sent_by_the_next_client() {
    let place = Place::new();
    leave(&place, |client| {
        client.add_async("ann", &["bob"], 7).expect("accepted");
    });
    let server = FaultServer::plain(vec![done(&["bob"])]);
    let client = place.open(&server.base_url());
    assert_eq!(client.flush(SOON), Status::Ok);
    let expected = [write("black_list_add", "ann", r#"["bob"]"#)];
    assert_eq!(arrived(&server), expected);
    assert!(client.poll(NOW).is_none(), "nobody waits for it any more");
}

#[test]
fn what_is_left_goes_out_in_order() {
    let place = Place::new();
    leave(&place, |client| {
        client.add_async("ann", &["bob"], 1).expect("accepted");
        client.add_async("ann", &["cat"], 2).expect("accepted");
        client
            .delete_async("ann", &["bob", "dan"], 3)
            .expect("accepted");
    });
    let check = relations(&[relation("bob", "AWithB", 0)]);
    let script = vec![done(&["bob", "cat"]), sends(check), done(&["bob", "dan"])];
    let server = FaultServer::plain(script);
    let mut config = place.config(&server.base_url());
    config["attempt_ms"] = json!(100);
    let client = open(&config).expect("a sound configuration");
    assert_eq!(client.flush(SOON), Status::Ok);
    let expected = [
        write("black_list_add", "ann", r#"["bob","cat"]"#),
        write("black_list_check", "ann", r#"["bob"]"#),
        write("black_list_delete", "ann", r#"["bob","dan"]"#),
    ];
    assert_eq!(arrived(&server), expected);
}

#[test]
fn what_was_confirmed_is_not_sent_again() {
    let place = Place::new();
    let server = FaultServer::plain(vec![done(&["bob"])]);
    let client = place.open(&server.base_url());
    assert_eq!(client.add("ann", &["bob"]).status(), Status::Ok);
    assert_eq!(client.close(SOON), Status::Ok);
    let client = place.open(&server.base_url());
    assert_eq!(client.flush(SOON), Status::Ok);
    assert_eq!(client.stats().outbox.map(|outbox| outbox.writes), Some(0));
    assert_eq!(arrived(&server).len(), 1);
}

#[test]
fn what_was_cancelled_is_not_sent() {
    let place = Place::new();
    leave(&place, |client| {
        // The first is on its way to nobody, so the second waits.
        client.add_async("ann", &["bob"], 1).expect("accepted");
        client.delete_async("ann", &["bob"], 2).expect("accepted");
        assert_eq!(client.sync(SOON), Status::Ok);
        assert_eq!(client.cancel(2), 1);
        assert_eq!((next(client).tag(), client.sync(SOON)), (2, Status::Ok));
    });
    let server = FaultServer::plain(vec![done(&["bob"])]);
    let client = place.open(&server.base_url());
    assert_eq!(client.flush(SOON), Status::Ok);
    assert_eq!(
        arrived(&server),
        [write("black_list_add", "ann", r#"["bob"]"#)]
    );
}

#[test]
fn a_caller_that_waits_is_told_that_the_write_is_still_queued() {
    let place = Place::new();
    let mut config = place.config(NOWHERE);
    config["call_ms"] = json!(200);
    let client = open(&config).expect("a sound configuration");
    let reply = client.add("ann", &["bob"]);
    assert_eq!(reply.status(), Status::Queued);
    assert_eq!(reply.items()[0].status(), Status::Queued);
    assert!(!reply.is_retryable());
    let message = reply.message();
    assert!(
        message.contains("recorded in the outbox and will be sent"),
        "{message}"
    );
    assert!(message.contains("CHATBLOCK_ERR_CONNECT"), "{message}");
    drop(client);
    let server = FaultServer::plain(vec![done(&["bob"])]);
    let client = place.open(&server.base_url());
    assert_eq!(client.flush(SOON), Status::Ok);
    assert_eq!(arrived(&server).len(), 1);
}

#[test]
fn a_write_of_an_earlier_client_shows_itself_when_it_is_refused() {
    let place = Place::new();
    leave(&place, |client| {
        client.add_async("ann", &["bob"], 7).expect("accepted");
    });
    let server = FaultServer::plain(vec![sends(refusal(30013))]);
    let client = place.open(&server.base_url());
    let reply = next(&client);
    assert_eq!(
        (reply.tag(), reply.status(), reply.service_code()),
        (0, Status::Service, 30013)
    );
    assert_eq!((reply.owner(), reply.items()[0].account()), ("ann", "bob"));
    assert_eq!(
        reply.command().map(chatblock::Command::name),
        Some("black_list_add")
    );
}

#[test]
fn more_failures_than_a_call_may_have_do_not_end_a_recorded_write() {
    let place = Place::new();
    let mut script = vec![sends("<html>"); 8];
    script.push(done(&["bob"]));
    let server = FaultServer::plain(script);
    let client = place.open(&server.base_url());
    assert_eq!(client.add("ann", &["bob"]).status(), Status::Ok);
    assert_eq!(arrived(&server).len(), 9);
}

#[test]
fn after_a_lost_answer_a_contradicting_write_reads_back_first() {
    let place = Place::new();
    let check = relations(&[relation("bob", "AWithB", 0)]);
    let already = items(&[item("bob", 30001, "Err_SNS_BlackListAdd_Already_Exist")]);
    let script = vec![
        vec![Step::Cut],
        sends(already),
        sends(check),
        done(&["bob"]),
    ];
    let server = FaultServer::plain(script);
    let mut config = place.config(&server.base_url());
    config["attempt_ms"] = json!(300);
    let client = open(&config).expect("a sound configuration");
    assert_eq!(
        client.add("ann", &["bob"]).items()[0].status(),
        Status::Unchanged
    );
    assert_eq!(client.delete("ann", &["bob"]).status(), Status::Ok);
    let commands: Vec<_> = arrived(&server)
        .into_iter()
        .map(|(command, ..)| command)
        .collect();
    let expected = [
        "black_list_add",
        "black_list_add",
        "black_list_check",
        "black_list_delete",
    ];
    assert_eq!(commands, expected);
    let received = server.received();
    let waited = received[2].at - received[0].at;
    assert!(
        waited >= Duration::from_millis(300),
        "{waited:?}: it may still have arrived"
    );
}

#[test]
fn a_full_outbox_is_busy() {
    let place = Place::new();
    let mut config = place.config(NOWHERE);
    config["outbox"]["max_bytes"] = json!(1 << 16);
    let client = open(&config).expect("a sound configuration");
    let targets: Vec<_> = (0..1000).map(|number| format!("{number:032}")).collect();
    let mut accepted = 0;
    let refused = loop {
        match client.add_async("ann", &targets, 1) {
            Ok(()) => accepted += 1,
            Err(error) => break error,
        }
        assert!(accepted < 100);
    };
    assert_eq!((refused.status(), accepted), (Status::Busy, 2), "{refused}");
    assert!(refused.message().contains("outbox.max_bytes"), "{refused}");
    let outbox = client.stats().outbox.expect("an outbox");
    assert_eq!((outbox.writes, outbox.busy), (2, 1));
}

#[test]
fn a_hundred_thousand_targets_are_one_record() {
    let place = Place::new();
    let targets: Vec<_> = (0..100_000).map(|number| format!("t{number}")).collect();
    leave(&place, |client| {
        client.add_async("ann", &targets, 1).expect("accepted");
    });
    let client = place.open(NOWHERE);
    let outbox = client.stats().outbox.expect("an outbox");
    assert_eq!((outbox.writes, outbox.unrecorded), (1, 0));
    assert!(outbox.bytes > 500_000, "{outbox:?}");
}

#[test]
fn the_file_is_private_and_names_no_secret() {
    let place = Place::new();
    leave(&place, |client| {
        client.add_async("ann", &["bob"], 1).expect("accepted");
    });
    for entry in fs::read_dir(place.folder.path()).expect("the folder") {
        let path = entry.expect("an entry").path();
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        let bytes = fs::read(&path).expect("a file");
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            !text.contains(KEY) && !text.contains("usersig"),
            "{}",
            path.display()
        );
    }
}

/// Opens the outbox, which must be refused, and gives the reason.
fn refused(config: &Value, file: &Path) -> String {
    let error = open(config).err().expect("the outbox must be refused");
    assert_eq!(error.status(), Status::Storage, "{error}");
    let name = file.to_str().expect("a path of ours is UTF-8");
    assert!(
        error.message().contains(name),
        "{error} does not name the file"
    );
    error.message().to_owned()
}

#[test]
fn a_second_client_and_another_app_are_refused() {
    let place = Place::new();
    let client = place.open(NOWHERE);
    let config = place.config(NOWHERE);
    assert!(refused(&config, &place.file()).contains("in use"));
    assert_eq!(client.close(SOON), Status::Ok);
    let mut other = config;
    other["sdkappid"] = json!(1_400_000_002);
    let before = fs::read(place.file()).expect("the file");
    assert!(refused(&other, &place.file()).contains("sdkappid 1400000001"));
    assert_eq!(fs::read(place.file()).expect("the file"), before);
}

#[test]
fn a_foreign_a_newer_and_a_damaged_file_are_refused_and_untouched() {
    let place = Place::new();
    let targets: Vec<_> = (0..2000).map(|number| format!("t{number}")).collect();
    leave(&place, |client| {
        client.add_async("ann", &targets, 1).expect("accepted");
    });
    let good = fs::read(place.file()).expect("the file");
    let mut newer = good.clone();
    newer[60..64].copy_from_slice(&9u32.to_be_bytes());
    let mut foreign = good.clone();
    foreign[68..72].copy_from_slice(b"cblk");
    let mut damaged = good.clone();
    let page = good.len() - 4096;
    damaged[page..].fill(0xff);
    let cases = [
        (newer, "newer chatblock"),
        (foreign, "not a chatblock outbox"),
        (damaged, "damaged"),
        (
            b"something else entirely".repeat(100),
            "not a chatblock outbox",
        ),
    ];
    for (bytes, reason) in cases {
        fs::write(place.file(), &bytes).expect("a file");
        let message = refused(&place.config(NOWHERE), &place.file());
        assert!(message.contains(reason), "{message} does not say {reason}");
        assert_eq!(fs::read(place.file()).expect("the file"), bytes);
    }
}

#[test]
fn closing_records_what_was_accepted() {
    let place = Place::new();
    let mut config = place.config(NOWHERE);
    config["outbox"]["commit_ms"] = json!(60_000);
    let client = open(&config).expect("a sound configuration");
    client.add_async("ann", &["bob"], 1).expect("accepted");
    assert_eq!(
        client.stats().outbox.map(|outbox| outbox.unrecorded),
        Some(1)
    );
    assert_eq!(client.close(SOON), Status::Ok);
    let server = FaultServer::plain(vec![done(&["bob"])]);
    let client = place.open(&server.base_url());
    assert_eq!(client.flush(SOON), Status::Ok);
    assert_eq!(arrived(&server).len(), 1);
}

#[test]
fn a_foreign_lock_of_some_seconds_delays_writes_and_loses_none() {
    let place = Place::new();
    let server = FaultServer::plain(vec![done(&["bob"]), done(&["cat"]), done(&["dan"])]);
    let client = place.open(&server.base_url());
    assert_eq!(client.add("ann", &["bob"]).status(), Status::Ok);
    let foreign = rusqlite::Connection::open(place.file()).expect("the file");
    let locked = foreign.execute_batch("BEGIN IMMEDIATE");
    locked.expect("the lock is free");
    client.add_async("ann", &["cat"], 7).expect("accepted");
    assert_eq!(
        client.sync(NOW),
        Status::Timeout,
        "neither recorded nor refused"
    );
    let outbox = || client.stats().outbox.expect("an outbox");
    let begin = Instant::now();
    while outbox().failures < 2 && begin.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(outbox().failures >= 2, "{:?}", outbox());
    drop(foreign);
    assert_eq!(client.sync(SOON), Status::Ok);
    let reply = next(&client);
    assert_eq!((reply.tag(), reply.status()), (7, Status::Ok));
    assert_eq!(client.add("ann", &["dan"]).status(), Status::Ok);
    assert!(!outbox().failed);
    assert_eq!(client.close(SOON), Status::Ok);
}

#[test]
fn reads_pass_the_outbox_by() {
    let place = Place::new();
    let listing = format!("{{\"BlackListItem\":[],\"StartIndex\":0,\"CurruentSequence\":0,{OK}}}");
    let server = FaultServer::plain(vec![vec![Step::Send(http(listing))]]);
    let client = place.open(&server.base_url());
    assert_eq!(client.get("ann", 0, 10).status(), Status::Ok);
    assert_eq!(client.stats().outbox.map(|outbox| outbox.bytes), Some(0));
}
