//! The durable store against the one in memory, through any history of calls, ends and crashes.

use std::fs;
use std::path::{Path, PathBuf};

use chatblock::{Client, Reply, Status};
use serde_json::Value;

use super::open;

const OWNERS: usize = 8;
const ACCOUNTS: usize = 60;

struct Both {
    random: fastrand::Rng,
    memory: Client,
    disk: Client,
    path: PathBuf,
    crashes: usize,
}

fn owner(number: usize) -> String {
    format!("owner{number}")
}

fn account(number: usize) -> String {
    format!("account{number}")
}

/// What was answered, but for the time of day.
fn answer(reply: &Reply) -> (Status, Value) {
    let mut answer = serde_json::from_str(reply.json()).unwrap_or(Value::Null);
    if let Some(entries) = answer["BlackListItem"].as_array_mut() {
        for entry in entries {
            entry["AddBlackTimeStamp"] = Value::Null;
        }
    }
    (reply.status(), answer)
}

impl Both {
    fn new(folder: &Path) -> Self {
        let path = folder.join("store.db");
        Self {
            random: fastrand::Rng::with_seed(1),
            memory: Client::open("{}").expect("memory"),
            disk: open(&path).expect("a new store"),
            path,
            crashes: 0,
        }
    }

    fn ask(&self, call: impl Fn(&Client) -> Reply) {
        assert_eq!(answer(&call(&self.disk)), answer(&call(&self.memory)));
    }

    fn step(&mut self) {
        let owner = owner(self.random.usize(..OWNERS));
        // Now and then a whole list, so that some are empty.
        let count = [1, 1, 1, 2, 5, 20, ACCOUNTS][self.random.usize(..7)];
        let mut targets: Vec<_> = (0..ACCOUNTS).map(account).collect();
        self.random.shuffle(&mut targets);
        targets.truncate(count);
        match self.random.u8(..10) {
            0..5 => self.ask(|client| client.add(&owner, &targets)),
            5..8 => self.ask(|client| client.delete(&owner, &targets)),
            8 => self.ask(|client| client.get(&owner, 0, 1000)),
            _ => {
                targets.push(self::owner(0));
                self.ask(|client| client.check(&owner, &targets, chatblock::CheckType::Both));
            }
        }
    }

    /// The process ends without a word: what is in the files stays.
    fn crash(&mut self) {
        self.crashes += 1;
        let left = self.path.clone();
        self.path.set_file_name(format!("store{}.db", self.crashes));
        for suffix in ["", "-wal"] {
            let with_suffix = |path: &Path| format!("{}{suffix}", path.display());
            fs::copy(with_suffix(&left), with_suffix(&self.path)).expect("a file of the store");
        }
        self.disk = open(&self.path).expect("what a crash leaves");
    }

    fn end(&mut self) {
        let meanwhile = Client::open("{}").expect("memory");
        let disk = std::mem::replace(&mut self.disk, meanwhile);
        assert_eq!(disk.close(None), Status::Ok);
        self.disk = open(&self.path).expect("what was closed");
    }

    fn compare(&self) {
        for owner in (0..OWNERS).map(owner) {
            self.ask(|client| client.get(&owner, 0, 1000));
            for account in (0..ACCOUNTS).map(account) {
                let known = self.disk.is_blocked(&owner, &account);
                assert_eq!(known, self.memory.is_blocked(&owner, &account));
            }
        }
    }
}

#[test]
fn a_durable_store_answers_as_one_in_memory_through_ends_and_crashes() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut both = Both::new(directory.path());
    for round in 0..12 {
        // Now and then more than what the log holds.
        let steps = both.random.usize(..if round % 4 == 0 { 1200 } else { 100 });
        (0..steps).for_each(|_| both.step());
        both.compare();
        match round % 2 {
            0 => both.crash(),
            _ => both.end(),
        }
        both.compare();
    }
}
