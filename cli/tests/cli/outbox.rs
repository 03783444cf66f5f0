//! The outbox of a client that has ended, in the hands of an operator.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chatblock::{Client, Status};
use rusqlite::Connection;
use serde_json::{Value, json};

use testkit::runs::{Done, Files, run_with};

const SOON: Option<Duration> = Some(Duration::from_secs(20));

/// No service listens on the discard port.
fn open(file: &Path) -> Client {
    let config = json!({
        "sdkappid": 1, "secret_key": "k", "base_url": "http://127.0.0.1:9", "outbox": {"path": file},
    });
    Client::open(&config.to_string()).expect("a sound configuration")
}

/// An outbox with three queued writes (0, 1, 2), a refused one (3) and a row that is none (-7).
fn prepared(files: &Files) -> PathBuf {
    let file = files.path("outbox.db");
    let client = open(&file);
    client.add_async("ann", &["bob"], 1).expect("accepted");
    client
        .delete_async("ann", &["cat", "dan"], 2)
        .expect("accepted");
    client.add_async("eve", &["bob"], 3).expect("accepted");
    client.add_async("fay", &["bob"], 4).expect("accepted");
    assert_eq!(client.sync(SOON), Status::Ok);
    assert_eq!(client.close(SOON), Status::Ok);
    let changes = "INSERT INTO dead_letters (number, id, refused, code, codes, reason)
        VALUES (1, 3, 1700000000, 30003, '', 'no such' || char(27) || ' account');
        INSERT INTO writes (id, command, owner, targets, accepted)
        VALUES (-7, 'black_list_add', 'gus', 'bob', 0)";
    let connection = Connection::open(&file).expect("the file");
    connection.execute_batch(changes).expect("sound SQL");
    file
}

fn outbox(file: &Path, arguments: &[&str]) -> Done {
    let mut all = vec!["outbox", arguments[0], file.to_str().expect("UTF-8")];
    all.extend(&arguments[1..]);
    run_with(None, &all, "")
}

/// Number and state of every row.
fn states(file: &Path) -> Vec<(i64, String)> {
    let shown = outbox(file, &["show", "--json"]).expect(0).stdout;
    let lines = shown.lines().map(|line| {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let state = line["state"].as_str().expect("a state").to_owned();
        (line["id"].as_i64().expect("a number"), state)
    });
    lines.collect()
}

fn expected(rows: &[(i64, &str)]) -> Vec<(i64, String)> {
    let rows = rows.iter();
    rows.map(|(id, state)| (*id, (*state).to_owned())).collect()
}

#[test]
fn everything_in_an_outbox_is_shown() {
    let files = Files::new();
    let file = prepared(&files);
    let all = [
        (-7, "bad"),
        (0, "queued"),
        (1, "queued"),
        (2, "queued"),
        (3, "refused"),
    ];
    assert_eq!(states(&file), expected(&all));
    let shown = outbox(&file, &["show"]).expect(0).stdout;
    for text in [
        "1 queued: ann unblock cat dan, accepted at",
        "3 refused: fay block bob",
        "refused with 30003 no such\u{FFFD} account",
        "-7 bad",
        "has an id outside 0 to",
        "3 queued, 1 refused, 1 bad",
    ] {
        assert!(shown.contains(text), "{shown} lacks {text}");
    }
    let shown = outbox(&file, &["show", "--json"]).expect(0).stdout;
    let refused: Value = serde_json::from_str(shown.lines().last().expect("a line")).expect("JSON");
    assert_eq!(refused["command"], "black_list_add");
    assert_eq!(refused["From_Account"], "fay");
    assert_eq!(refused["To_Account"], json!(["bob"]));
    assert_eq!(refused["code"], 30003);
}

#[test]
fn refused_writes_and_rows_with_a_bad_key_are_queued_again() {
    let files = Files::new();
    let file = prepared(&files);
    let again = outbox(&file, &["retry", "--all"]).expect(0);
    assert!(
        again.stdout.contains("1 to be sent again"),
        "{}",
        again.stdout
    );
    outbox(&file, &["retry", "-7"]).expect(0);
    let all = [
        (0, "queued"),
        (1, "queued"),
        (2, "queued"),
        (3, "queued"),
        (4, "queued"),
    ];
    assert_eq!(states(&file), expected(&all));
    let client = open(&file);
    let outbox = client.stats().outbox.expect("an outbox");
    assert_eq!((outbox.writes, outbox.refused, outbox.bad_rows), (5, 0, 0));
}

#[test]
fn writes_are_dropped_one_by_one_or_all_of_a_kind() {
    let files = Files::new();
    let file = prepared(&files);
    let dropped = outbox(&file, &["drop", "1", "99"]).expect(1);
    assert!(dropped.stdout.contains("1 dropped"), "{}", dropped.stdout);
    assert!(
        dropped.stderr.contains("99: there is no such write"),
        "{}",
        dropped.stderr
    );
    outbox(&file, &["drop", "99"]).expect(2);
    outbox(&file, &["drop", "--refused"]).expect(0);
    outbox(&file, &["drop", "--bad"]).expect(0);
    assert_eq!(states(&file), expected(&[(0, "queued"), (2, "queued")]));
    outbox(&file, &["drop", "--all"]).expect(0);
    assert_eq!(states(&file), []);
    assert_eq!(
        outbox(&file, &["retry", "--all", "--json"])
            .expect(0)
            .json()["done"],
        0
    );
}

#[test]
fn an_outbox_that_a_client_has_open_or_that_is_none_is_left_alone() {
    let files = Files::new();
    let file = prepared(&files);
    let client = open(&file);
    for action in [&["show"][..], &["retry", "--all"], &["drop", "--all"]] {
        let refused = outbox(&file, action).expect(5).stderr;
        assert!(refused.contains("in use"), "{refused}");
    }
    assert_eq!(client.stats().outbox.map(|outbox| outbox.writes), Some(3));
    drop(client);
    let missing = files.path("missing.db");
    let refused = outbox(&missing, &["show"]).expect(5).stderr;
    assert!(refused.contains("does not exist"), "{refused}");
    assert!(!missing.exists());
    let other = files.write("other.db", "something else".repeat(1000));
    outbox(&other, &["drop", "--all"]).expect(5);
    outbox(&file, &["drop"]).expect(2);
    outbox(&file, &["drop", "--all", "3"]).expect(2);
}
