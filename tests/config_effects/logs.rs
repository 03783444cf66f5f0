//! What the keys of `log` do.

use std::fs;
use std::path::Path;
use std::time::Duration;

use chatblock::Status;
use serde_json::{Value, json};
use testkit::fake_service::{Manner, Service};

use crate::{APP, KEY, open, with};

const LATEST: Option<Duration> = Some(Duration::from_mins(2));
/// The least limit of a file.
const MAX_BYTES: u64 = 1 << 16;

/// Makes calls with a log, ends the client, and gives what is in the file and the file before it.
fn log_of(config: &Value, log: &Value, calls: usize) -> (String, Option<u64>) {
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("log");
    let log = with(log.clone(), &json!({"to": file}));
    let client = open(&with(config.clone(), &json!({"log": log})));
    for number in 0..calls {
        let owner = format!("owner{number}");
        assert_eq!(client.add(&owner, &["bob"]).status(), Status::Ok);
    }
    assert_eq!(client.close(LATEST), Status::Ok);
    let older: &Path = &folder.path().join("log.1");
    let older = fs::metadata(older).ok().map(|metadata| metadata.len());
    (fs::read_to_string(&file).expect("a log"), older)
}

fn levels(config: &Value) {
    let lines = |level| log_of(config, &json!({"level": level}), 1).0;
    assert!(lines("debug").contains("black_list_add answered"));
    assert!(!lines("info").contains("black_list_add answered"));
}

/// Twice as many lines as fit.
fn rotation(config: &Value) {
    let log = |files| {
        let log = json!({"level": "debug", "max_bytes": MAX_BYTES, "files": files});
        log_of(config, &log, 1500)
    };
    for (files, is_kept) in [(1, true), (0, false)] {
        let (text, older) = log(files);
        assert!(text.len() as u64 <= MAX_BYTES, "{}", text.len());
        assert_eq!(older.is_some(), is_kept, "{files}");
        assert!(older.is_none_or(|bytes| bytes <= MAX_BYTES), "{older:?}");
    }
}

fn of_service(service: &Service) -> Value {
    json!({"sdkappid": APP, "secret_key": KEY, "base_url": service.base_url(), "rate_per_second": 1_000_000})
}

pub fn levels_embedded() {
    levels(&json!({}));
}

pub fn levels_remote() {
    levels(&of_service(&Service::start(Manner::Sound)));
}

pub fn rotation_embedded() {
    rotation(&json!({}));
}

pub fn rotation_remote() {
    rotation(&of_service(&Service::start(Manner::Sound)));
}
