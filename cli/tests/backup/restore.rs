//! What is put back, and what it takes the place of.

use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};

use testkit::runs::{Done, Files, run_with};

use super::{SOON, list, open, others, outbox, store};

fn restore(files: &Files, copy: &str, to: &str) -> Done {
    let path = |name| {
        files
            .path(name)
            .into_os_string()
            .into_string()
            .expect("UTF-8")
    };
    run_with(None, &["restore", &path(copy), &path(to)], "")
}

/// A store with one block and a copy of it, and the same store after a crash with a second one that is in its log alone.
fn crashed() -> Files {
    let files = Files::new();
    let client = open(&store(&files.path("work.db")));
    client.add("ann", &["bob"]).into_result().expect("added");
    client.backup(files.path("copy.db")).expect("a copy");
    client.add("ann", &["late"]).into_result().expect("added");
    // What a killed process leaves behind.
    for part in ["", "-wal", "-shm"] {
        let (from, to) = (format!("work.db{part}"), format!("lists.db{part}"));
        fs::copy(files.path(&from), files.path(&to)).expect("a file");
    }
    assert!(
        fs::metadata(files.path("lists.db-wal"))
            .expect("a log")
            .len()
            > 0
    );
    client.close(SOON);
    files
}

#[test]
fn a_restored_file_is_the_copy_and_what_was_there_has_another_name() {
    let files = crashed();
    let done = restore(&files, "copy.db", "lists.db").expect(0);
    let lines: Vec<_> = done.stdout.lines().collect();
    for (line, part) in lines.iter().zip(["", "-wal", "-shm"]) {
        let (old, new) = (
            format!("lists.db{part} to "),
            format!("lists.db.replaced-1{part}"),
        );
        assert!(
            line.starts_with("moved ") && line.contains(&old) && line.ends_with(&new),
            "{line}"
        );
    }
    assert!(
        lines[lines.len() - 1].starts_with("restored the store "),
        "{lines:?}"
    );
    assert_eq!(
        fs::metadata(files.path("lists.db"))
            .expect("the file")
            .mode()
            & 0o7777,
        0o600
    );
    assert_eq!(list(&open(&store(&files.path("lists.db"))), "ann"), ["bob"]);
    // The old three are one file still.
    assert_eq!(
        list(&open(&store(&files.path("lists.db.replaced-1"))), "ann"),
        ["bob", "late"]
    );
    restore(&files, "copy.db", "lists.db").expect(0);
    assert!(files.path("lists.db.replaced-2").exists());
    assert_eq!(
        list(&open(&store(&files.path("copy.db"))), "ann"),
        ["bob"],
        "the copy stays"
    );
}

#[test]
fn a_damaged_or_missing_file_is_replaced_and_its_log_never_comes_back() {
    for damage in ["removed", "cut", "garbage"] {
        let files = crashed();
        let path = files.path("lists.db");
        match damage {
            "removed" => fs::remove_file(&path).expect("ours"),
            "cut" => fs::write(&path, &fs::read(&path).expect("a file")[..5000]).expect("ours"),
            _ => fs::write(&path, vec![7; 20_000]).expect("ours"),
        }
        restore(&files, "copy.db", "lists.db").expect(0);
        assert!(files.path("lists.db.replaced-1-wal").exists(), "{damage}");
        assert_eq!(list(&open(&store(&path)), "ann"), ["bob"], "{damage}");
    }
}

#[test]
fn a_file_in_use_is_not_replaced() {
    let files = crashed();
    let client = open(&store(&files.path("work.db")));
    let done = restore(&files, "copy.db", "work.db").expect(5);
    assert!(done.stderr.contains("in use"), "{}", done.stderr);
    let beside = others(&files.path(""), &[]);
    assert!(
        beside
            .iter()
            .all(|name| !name.contains("replaced") && !name.contains("part")),
        "{beside:?}"
    );
    client
        .add("ann", &["more"])
        .into_result()
        .expect("it goes on");
    client.close(SOON);
    restore(&files, "copy.db", "work.db").expect(0);
}

/// A file, how its bytes are changed, and what is said of it.
type Damage = (&'static str, fn(&Path), &'static str);

#[test]
fn what_is_no_sound_copy_is_not_put_back() {
    let newer: fn(&Path) = |path| {
        let file = fs::File::options().write(true).open(path).expect("a file");
        file.write_all_at(&99_u32.to_be_bytes(), 60).expect("room");
    };
    let page: fn(&Path) = |path| {
        let file = fs::File::options().write(true).open(path).expect("a file");
        file.write_all_at(&[0xff; 4096], 4096).expect("room");
    };
    let cut: fn(&Path) = |path| {
        let file = fs::File::options().write(true).open(path).expect("a file");
        file.set_len(8192).expect("ours");
    };
    let table: [Damage; 6] = [
        ("newer", newer, "newer"),
        ("a damaged page", page, "damaged"),
        ("cut off", cut, "damaged"),
        (
            "something else",
            |path| fs::write(path, "lists").expect("ours"),
            "is no store",
        ),
        (
            "empty",
            |path| fs::write(path, "").expect("ours"),
            "is no store",
        ),
        (
            "with a log",
            |path| fs::write(format!("{}-wal", path.display()), "log").expect("a file"),
            "chatblock backup",
        ),
    ];
    for (what, damage, word) in table {
        let files = crashed();
        damage(&files.path("copy.db"));
        let before = others(&files.path(""), &[]);
        let done = restore(&files, "copy.db", "lists.db").expect(5);
        assert!(
            done.stderr.contains(word) && done.stderr.contains("copy.db"),
            "{what}: {}",
            done.stderr
        );
        let after = others(&files.path(""), &["lists.db.lock"]);
        assert_eq!(after, before, "{what}");
        assert_eq!(
            list(&open(&store(&files.path("lists.db"))), "ann"),
            ["bob", "late"],
            "{what}"
        );
    }
}

#[test]
fn a_copy_goes_to_no_other_kind_of_place() {
    let files = crashed();
    drop(open(&outbox(&files.path("outbox.db"))));
    let done = restore(&files, "copy.db", "outbox.db").expect(5);
    assert!(done.stderr.contains("outbox"), "{}", done.stderr);
    restore(&files, "outbox.db", "lists.db").expect(5);
    fs::create_dir(files.path("folder")).expect("a folder");
    restore(&files, "copy.db", "folder").expect(5);
    restore(&files, "copy.db", "no/lists.db").expect(5);
    restore(&files, "missing.db", "lists.db").expect(5);
    fs::hard_link(files.path("copy.db"), files.path("same.db")).expect("a link");
    restore(&files, "copy.db", "same.db").expect(2);
    symlink("lists.db", files.path("link.db")).expect("a link");
    let done = restore(&files, "copy.db", "link.db").expect(5);
    assert!(
        done.stderr.contains("not a regular file"),
        "{}",
        done.stderr
    );
    assert_eq!(
        list(&open(&store(&files.path("lists.db"))), "ann"),
        ["bob", "late"]
    );
    // A place where nothing is yet.
    restore(&files, "copy.db", "new.db").expect(0);
    assert_eq!(list(&open(&store(&files.path("new.db"))), "ann"), ["bob"]);
}

#[test]
fn a_name_with_anything_in_it_is_a_name() {
    let files = Files::new();
    let name = "a b?mode=memory&x=%41#\u{e9}.db";
    let client = open(&store(&files.path(name)));
    client.add("ann", &["bob"]).into_result().expect("added");
    let copy = files.path("?immutable=1%.db");
    client.backup(&copy).expect("a copy");
    client.close(SOON);
    restore(&files, "?immutable=1%.db", name).expect(0);
    assert_eq!(list(&open(&store(&files.path(name))), "ann"), ["bob"]);
    let paths: Vec<PathBuf> = vec![files.path(name), copy];
    assert!(paths.iter().all(|path| path.exists()));
}
