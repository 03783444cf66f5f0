//! A database is three files: what is left of one never meets another.

use std::fs;

use chatblock::Status;

use crate::place::{KINDS, Kind, Place, back_up, foreign};

/// A file whose client was killed when it had recorded `targets`.
fn killed(kind: Kind, targets: &[&str]) -> Place {
    let place = Place::new(kind);
    let client = place.open();
    place.keep(&client, targets);
    place.kill(client);
    assert!(place.beside("-wal").exists());
    place
}

/// Logs that were set aside.
fn set_aside(place: &Place) -> usize {
    let names = place.names();
    names
        .iter()
        .filter(|name| name.contains("-wal.old-"))
        .count()
}

#[test]
fn a_new_file_never_meets_the_log_of_the_old_one() {
    for kind in KINDS {
        for is_emptied in [false, true] {
            let place = killed(kind, &["a1", "a2"]);
            if is_emptied {
                fs::write(place.file(), "").expect("an empty file");
            } else {
                fs::remove_file(place.file()).expect("removed");
            }
            place.assert_found(&[]);
            assert_eq!(set_aside(&place), 1, "what was acknowledged is still there");
            let place_of_it = place.beside("-wal.old-1").display().to_string();
            assert!(place.log().contains(&place_of_it), "{}", place.log());
            let client = place.open();
            place.keep(&client, &["b1"]);
            place.kill(client);
            place.assert_found(&["b1"]);
        }
    }
}

#[test]
fn the_log_that_was_set_aside_brings_the_old_file_back() {
    let place = killed(Kind::Store, &["a1", "a2"]);
    fs::rename(place.file(), place.elsewhere("old")).expect("moved");
    place.assert_found(&[]);
    fs::rename(place.elsewhere("old"), place.file()).expect("back");
    fs::rename(place.beside("-wal.old-1"), place.beside("-wal")).expect("back");
    place.assert_found(&["a1", "a2"]);
}

#[test]
fn a_log_is_applied_to_its_own_file() {
    for kind in KINDS {
        let place = killed(kind, &["a1"]);
        let client = place.open();
        place.keep(&client, &["a2"]);
        place.kill(client);
        // The index holds nothing that is not in the log.
        fs::remove_file(place.beside("-shm")).expect("removed");
        place.assert_found(&["a1", "a2"]);
        assert_eq!(set_aside(&place), 0);
    }
}

#[test]
fn a_copy_that_is_restored_over_a_crash_is_what_was_copied() {
    for kind in KINDS {
        let place = Place::new(kind);
        let client = place.open();
        place.keep(&client, &["a1", "a2"]);
        drop(client);
        let copy = place.elsewhere("copy");
        fs::copy(place.file(), &copy).expect("a copy");
        let client = place.open();
        place.keep(&client, &["a3"]);
        place.kill(client);
        fs::copy(&copy, place.file()).expect("restored");
        place.assert_found(&["a1", "a2"]);
        assert_eq!(set_aside(&place), 1, "{kind:?}");
    }
}

#[test]
fn a_backup_by_sqlite_that_is_restored_over_a_crash_is_what_was_copied() {
    for kind in KINDS {
        let place = Place::new(kind);
        let client = place.open();
        place.keep(&client, &["a1", "a2"]);
        let copy = place.elsewhere("copy");
        let from = foreign(&place.file());
        back_up(&from, &copy);
        let into = place.elsewhere("into");
        from.execute("VACUUM INTO ?1", [into.to_str().expect("UTF-8")])
            .expect("another backup");
        drop(from);
        place.keep(&client, &["a3"]);
        place.kill(client);
        for backup in [copy, into] {
            let place = place.killed_now();
            fs::copy(&backup, place.file()).expect("restored");
            place.assert_found(&["a1", "a2"]);
        }
    }
}

#[test]
fn a_copy_of_an_earlier_log_meets_no_later_one() {
    let place = Place::new(Kind::Store);
    let client = place.open();
    place.keep(&client, &["a1"]);
    let names: Vec<_> = (0..16).map(|number| format!("t{number}")).collect();
    let copy = place.elsewhere("copy");
    let mut sizes = Vec::new();
    // Each write goes to an owner of its own, so that logs fill soon and the file grows with each.
    for number in 0..1500 {
        if sizes.len() == 2 {
            break;
        }
        let before = fs::read(place.file()).expect("the file");
        let status = client.add(&format!("owner{number}"), &names).status();
        assert_eq!(status, Status::Ok);
        if fs::read(place.file()).expect("the file") != before {
            if sizes.is_empty() {
                fs::copy(place.file(), &copy).expect("a copy");
            }
            sizes.push(number);
        }
    }
    assert_eq!(sizes.len(), 2, "two logs came to their ends");
    place.kill(client);
    fs::copy(&copy, place.file()).expect("restored");
    // It is the file of a moment at which everything was in it.
    let client = place.open();
    let found = |number: usize| client.get(&format!("owner{number}"), 0, 100).items().len();
    assert_eq!(found(sizes[0]), 16);
    assert_eq!(found(sizes[1]), 0);
    assert_eq!(set_aside(&place), 1);
}

#[test]
fn damage_names_all_files_that_have_to_go() {
    let place = killed(Kind::Store, &["a1"]);
    fs::remove_file(place.beside("-wal")).expect("removed");
    let mut bytes = fs::read(place.file()).expect("the file");
    let page = bytes.len() - 4096;
    bytes[page..].fill(0xa5);
    fs::write(place.file(), bytes).expect("damaged");
    let message = place.refusal();
    for part in ["damaged", "\"file.db-wal\"", "\"file.db-shm\""] {
        assert!(message.contains(part), "{message}");
    }
}
