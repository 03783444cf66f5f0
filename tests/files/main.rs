//! The files of a store and of an outbox, while others have their hands on them: another copy of `SQLite` in the same process,
//! programs that copy, remove or replace files, and files that somebody else has made.

mod forked;
mod leftovers;
mod place;
mod strangers;

use std::fs;
use std::os::unix::fs::symlink;
use std::thread::sleep;
use std::time::Duration;

use chatblock::{Client, Status};
use place::{KINDS, Kind, Place, back_up, foreign, look};

#[test]
fn another_sqlite_in_the_process_takes_nothing_away() {
    for kind in KINDS {
        let place = Place::new(kind);
        let client = place.open();
        place.keep(&client, &["a1"]);
        let other = foreign(&place.file());
        look(&other);
        let copy = place.elsewhere("copy.db");
        back_up(&other, &copy);
        other.close().expect("closed");
        place.keep(&client, &["a2"]);
        place.killed_now().assert_found(&["a1", "a2"]);
        drop(client);
        place.assert_found(&["a1", "a2"]);
    }
}

#[test]
fn another_sqlite_that_stays_open_delays_no_close_and_loses_nothing() {
    for kind in KINDS {
        let place = Place::new(kind);
        let client = place.open();
        place.keep(&client, &["a1"]);
        let other = foreign(&place.file());
        let held = other.unchecked_transaction().expect("a transaction");
        look(&other);
        place.keep(&client, &["a2"]);
        drop(client);
        let client = place.open();
        place.keep(&client, &["a3"]);
        drop(held);
        drop(other);
        place.keep(&client, &["a4"]);
        place.killed_now().assert_found(&["a1", "a2", "a3", "a4"]);
    }
}

#[test]
fn another_sqlite_meets_our_locks_in_the_same_process() {
    for kind in KINDS {
        let place = Place::new(kind);
        let client = place.open();
        place.keep(&client, &["a1"]);
        let other = foreign(&place.file());
        look(&other);
        // Closing any descriptor of the files ends the usual locks of a process.
        for suffix in ["", "-wal", "-shm"] {
            drop(fs::File::open(place.beside(suffix)).expect("the file"));
        }
        other
            .busy_timeout(std::time::Duration::ZERO)
            .expect("no waiting");
        let mode = other.query_row("PRAGMA journal_mode = DELETE", [], |row| {
            row.get::<_, String>(0)
        });
        assert!(mode.is_err(), "it has the file for itself: {mode:?}");
        drop(other);
        place.keep(&client, &["a2"]);
        place.killed_now().assert_found(&["a1", "a2"]);
    }
}

#[test]
fn writes_of_another_sqlite_and_ours_wait_for_each_other() {
    for kind in KINDS {
        let place = Place::new(kind);
        let client = place.open();
        place.keep(&client, &["a1"]);
        let other = foreign(&place.file());
        for number in 0..20 {
            other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
            let count = match kind {
                Kind::Store => format!("INSERT INTO imported VALUES ('i{number}')"),
                Kind::Outbox => "UPDATE app SET sdkappid = sdkappid".to_owned(),
            };
            other.execute_batch(&count).expect("a change");
            other.execute_batch("COMMIT").expect("a commit");
            place.keep(&client, &[&format!("b{number}")]);
        }
        let sound = other.query_row("PRAGMA integrity_check", [], |row| row.get(0));
        assert_eq!(sound, Ok("ok".to_owned()));
        drop(other);
        let left = place.killed_now();
        assert_eq!(left.found().len(), 21, "{kind:?}");
    }
}

#[test]
fn the_lock_is_on_the_file_and_on_nothing_that_can_be_removed() {
    for kind in KINDS {
        let place = Place::new(kind);
        let client = place.open();
        place.keep(&client, &["a1"]);
        for name in place.names() {
            assert!(!name.contains("lock"), "{name}");
        }
        drop(foreign(&place.file()));
        drop(fs::read(place.file()).expect("the file"));
        assert!(place.refusal().contains("in use by another client"));
        drop(client);
        place.assert_found(&["a1"]);
    }
}

#[test]
fn the_lock_file_of_an_older_library_counts() {
    for kind in KINDS {
        let place = Place::new(kind);
        let lock = fs::File::create(place.beside(".lock")).expect("a file");
        lock.lock().expect("a lock");
        assert!(place.refusal().contains("in use by another client"));
        lock.unlock().expect("no lock");
        let client = place.open();
        assert!(lock.try_lock().is_err(), "an older library has to wait");
        drop(client);
        // A child that another test has just started may hold a copy of the descriptor until it runs its program.
        let is_free = |_| {
            sleep(Duration::from_millis(5));
            lock.try_lock().is_ok()
        };
        assert!((0..4000).any(is_free), "the client is closed");
    }
}

/// What somebody does to the files of an open client.
type Deed = fn(&Place);

const DEEDS: [(&str, Deed); 9] = [
    ("the file has a second name", |place| {
        fs::hard_link(place.file(), place.beside("-linked")).expect("linked");
    }),
    ("the file is removed", |place| {
        fs::remove_file(place.file()).expect("removed");
    }),
    ("all files are removed", |place| {
        for suffix in ["", "-wal", "-shm"] {
            fs::remove_file(place.beside(suffix)).expect("removed");
        }
    }),
    ("the file is replaced by a copy", |place| {
        let copy = place.elsewhere("copy");
        fs::copy(place.file(), &copy).expect("a copy");
        fs::rename(copy, place.file()).expect("replaced");
    }),
    ("the file is replaced by a link to it", |place| {
        let moved = place.elsewhere("moved");
        fs::rename(place.file(), &moved).expect("moved");
        symlink(moved, place.file()).expect("a link");
    }),
    ("the directory is renamed", |place| {
        fs::rename(place.directory(), place.elsewhere("renamed")).expect("renamed");
    }),
    ("the directory is replaced by a copy", |place| {
        fs::rename(place.directory(), place.elsewhere("renamed")).expect("renamed");
        fs::create_dir(place.directory()).expect("a directory");
        for suffix in ["", "-wal"] {
            let from = place.elsewhere(&format!("renamed/file.db{suffix}"));
            fs::copy(from, place.beside(suffix)).expect("a copy");
        }
    }),
    ("the log is removed", |place| {
        fs::remove_file(place.beside("-wal")).expect("removed");
    }),
    ("the log is replaced by a copy", |place| {
        let copy = place.elsewhere("copy");
        fs::copy(place.beside("-wal"), &copy).expect("a copy");
        fs::rename(copy, place.beside("-wal")).expect("replaced");
    }),
];

#[test]
fn what_is_written_to_a_file_that_is_no_longer_there_is_never_acknowledged() {
    for kind in KINDS {
        for (what, deed) in DEEDS {
            let place = Place::new(kind);
            let client = place.open();
            place.keep(&client, &["a1"]);
            deed(&place);
            for target in ["a2", "a3"] {
                let status = place.write(&client, target);
                assert_eq!(status, Status::Storage, "{kind:?}: {what}: {target}");
            }
            assert_says_why(&place, &client, what);
        }
    }
}

fn assert_says_why(place: &Place, client: &Client, what: &str) {
    let message = match place.kind {
        Kind::Store => client.add("ann", &["bob"]).message().to_owned(),
        Kind::Outbox => {
            let refused = client.add_async("ann", &["bob"], 1);
            refused.expect_err("it failed").message().to_owned()
        }
    };
    for part in ["file.db", "-wal", "-shm", "removed, renamed or replaced"] {
        assert!(message.contains(part), "{what}: {message}");
    }
}

#[test]
fn what_was_in_a_log_that_somebody_removed_is_brought_into_the_file() {
    for kind in KINDS {
        let place = Place::new(kind);
        let client = place.open();
        place.keep(&client, &["a1", "a2"]);
        fs::remove_file(place.beside("-wal")).expect("removed");
        assert_eq!(place.write(&client, "a3"), Status::Storage);
        let found = place.killed_now().found();
        assert!(found.contains("a1") && found.contains("a2"), "{found:?}");
    }
}

#[test]
fn a_client_removes_no_log_that_is_not_its_own() {
    let place = Place::new(Kind::Store);
    let client = place.open();
    place.keep(&client, &["a1"]);
    fs::remove_file(place.beside("-wal")).expect("removed");
    fs::write(place.beside("-wal"), "of somebody else").expect("a file");
    drop(client);
    let left = fs::read(place.beside("-wal")).expect("it is still there");
    assert_eq!(left, b"of somebody else");
}
