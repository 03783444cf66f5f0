//! Outbox files with bytes or rows changed: opened or refused by an operator and by a client, and what is opened can be used.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;
use std::{fs, str};

use chatblock::outbox_file::{OutboxFile, Selection};
use chatblock::{Client, Error, Status};
use libfuzzer_sys::fuzz_target;
use rusqlite::Connection;

const NOW: i64 = 1_700_000_000;

/// No service listens on the discard port.
fn open(path: &Path) -> Result<Client, Error> {
    let config = serde_json::json!({
        "sdkappid": 1, "secret_key": "k", "base_url": "http://127.0.0.1:9", "outbox": {"path": path},
    });
    Client::open(&config.to_string())
}

/// An outbox with some writes, as its file.
static OUTBOX: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("outbox.db");
    let client = open(&path).expect("a new outbox");
    for owner in ["ann", "bob", "cem", "dan"] {
        client.add_async(owner, &["eve", "fay"], 1).expect("room");
        client.delete_async(owner, &["eve"], 2).expect("room");
    }
    assert_eq!(client.sync(None), Status::Ok);
    client.close(None);
    fs::read(&path).expect("the file")
});

/// Changes of three bytes each: where, and what is there then.
fn change_bytes(file: &mut [u8], changes: &[u8]) {
    for change in changes.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % file.len();
        file[at] = change[2];
    }
}

/// What a row may have in each column: of a type that is right or wrong, the table decides.
const SET: [&str; 6] = [
    "UPDATE writes SET command = ?1 WHERE id % 8 = ?2",
    "UPDATE writes SET owner = ?1 WHERE id % 8 = ?2",
    "UPDATE writes SET targets = ?1 WHERE id % 8 = ?2",
    "UPDATE writes SET accepted = length(?1) - 3 WHERE id % 8 = ?2",
    "UPDATE writes SET id = -length(?1) WHERE id % 8 = ?2",
    "INSERT INTO dead_letters VALUES (?2, ?2 + 1, length(?1), length(?1) - 3, ?1, ?1)",
];

/// Changes of rows: which statement, which row, how long a text, and the text.
fn change_rows(path: &Path, mut changes: &[u8]) {
    let connection = Connection::open(path).expect("the file");
    while let [statement, row, length, rest @ ..] = changes {
        let (text, left) = rest.split_at(usize::from(*length).min(rest.len()));
        changes = left;
        let Ok(text) = str::from_utf8(text) else {
            continue;
        };
        let statement = SET[usize::from(*statement) % SET.len()];
        // What the table refuses, a stranger cannot write either.
        let _ = connection.execute(statement, (text, row % 8));
    }
}

/// The rows that can be read, or nothing.
fn count(outbox: &OutboxFile) -> Option<usize> {
    let mut rows = 0;
    let read = outbox.each(|_| {
        rows += 1;
        Ok::<_, Error>(())
    });
    read.ok().map(|()| rows)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, changes)) = bytes.split_first() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("outbox.db");
    let mut file = OUTBOX.clone();
    if kind % 2 == 0 {
        change_bytes(&mut file, changes);
    }
    fs::write(&path, file).expect("a file");
    if kind % 2 == 1 {
        change_rows(&path, changes);
    }
    if let Ok(mut outbox) = OutboxFile::open(&path, NOW) {
        let before = count(&outbox);
        let retried = outbox.retry(&Selection::All, |_| {});
        // Rows are changed, none goes away, unless pages of the file are damaged.
        if kind % 2 == 1 {
            assert!(retried.is_ok(), "{retried:?}");
            assert_eq!(count(&outbox), before);
        }
    }
    let Ok(client) = open(&path) else {
        return;
    };
    let status = client.sync(Some(Duration::from_secs(1)));
    assert_ne!(status, Status::Panic);
    let status = client
        .add_async("ann", &["gil"], 3)
        .map_err(|error| error.status());
    assert_ne!(status, Err(Status::Panic));
    client.close(Some(Duration::ZERO));
});
