//! A copy that is made while a client works is whole, and a copy that is put back is what is there afterwards.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use chatblock::{Answer, Client, Status};
use serde_json::{Value, json};

use testkit::runs::{Done, Files, run_with};
use testkit::serve::{self, KEY, SDKAPPID, Serving};

const SOON: Option<Duration> = Some(Duration::from_secs(20));
/// No service listens on the discard port.
const NOWHERE: &str = "http://127.0.0.1:9";

fn open(config: &Value) -> Client {
    Client::open(&config.to_string()).expect("a sound configuration")
}

fn store(path: &Path) -> Value {
    json!({"backend": "embedded", "path": path})
}

fn outbox(path: &Path) -> Value {
    json!({
        "sdkappid": SDKAPPID, "secret_key": KEY, "base_url": NOWHERE, "call_ms": 100, "retry": {"attempts": 1},
        "outbox": {"path": path},
    })
}

/// Whom `owner` blocks.
fn list(client: &Client, owner: &str) -> Vec<String> {
    let reply = client.get(owner, 0, 1000).into_result().expect("a list");
    reply
        .items()
        .iter()
        .map(|item| item.account().to_owned())
        .collect()
}

/// What lies in a folder beside `known`.
fn others(folder: &Path, known: &[&str]) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .filter(|name| !known.contains(&name.as_str()))
        .collect()
}

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

#[test]
fn a_copy_has_every_call_that_returned_before_and_none_in_half() {
    let files = Files::new();
    let client = open(&store(&files.path("lists.db")));
    let (is_over, done) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let (client, is_over, done) = (&client, &is_over, &done);
            scope.spawn(move || {
                for number in 0..900 {
                    if is_over.load(Ordering::SeqCst) {
                        break;
                    }
                    // Both or neither.
                    let pair = [format!("a{number}"), format!("b{number}")];
                    client
                        .add(&format!("owner{writer}-{}", number / 400), &pair)
                        .into_result()
                        .expect("added");
                    done.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for number in 0..3 {
            let wanted = done.load(Ordering::SeqCst) + 100;
            while done.load(Ordering::SeqCst) < wanted {
                std::thread::yield_now();
            }
            client
                .add("mark", &[format!("m{number}")])
                .into_result()
                .expect("added");
            let returned = done.load(Ordering::SeqCst);
            let name = format!("copy{number}.db");
            let copy = files.path(&name);
            client.backup(&copy).expect("a copy");
            let beside = others(
                &files.path(""),
                &["lists.db", "lists.db-wal", "lists.db-shm", "lists.db.lock"],
            );
            assert!(
                beside.iter().all(|other| other.starts_with("copy")
                    && !other.contains(".db-")
                    && !other.contains("part")),
                "{beside:?}"
            );
            assert_eq!(
                fs::metadata(&copy).expect("a copy").permissions().mode() & 0o7777,
                0o600
            );
            // A look at a copy of the copy, so that nothing comes to lie beside it.
            let look = files.path("look");
            fs::create_dir(&look).expect("a folder");
            fs::copy(&copy, look.join("lists.db")).expect("a copy");
            let copied = open(&store(&look.join("lists.db")));
            assert_eq!(list(&copied, "mark").len(), number + 1);
            let mut calls = 0;
            for owner in
                (0..4).flat_map(|writer| (0..3).map(move |part| format!("owner{writer}-{part}")))
            {
                let listed = list(&copied, &owner);
                let halves = |letter: char| {
                    let names = listed.iter().filter(move |name| name.starts_with(letter));
                    names
                        .map(|name| name[1..].to_owned())
                        .collect::<BTreeSet<_>>()
                };
                assert_eq!(halves('a'), halves('b'), "{owner}: no call in half");
                calls += halves('a').len();
            }
            assert!(
                calls >= returned,
                "{calls} of {returned} calls are in the copy"
            );
            drop(copied);
            fs::remove_dir_all(&look).expect("ours");
        }
        is_over.store(true, Ordering::SeqCst);
    });
    // The client goes on as if nothing had been.
    client.add("after", &["x"]).into_result().expect("added");
    assert_eq!(client.is_blocked("after", "x"), Answer::Yes);
}

#[test]
fn a_copy_of_an_outbox_has_what_is_recorded() {
    let files = Files::new();
    let client = open(&outbox(&files.path("outbox.db")));
    for number in 0..50 {
        client
            .add_async("ann", &[format!("b{number}")], number)
            .expect("accepted");
    }
    assert_eq!(client.sync(SOON), Status::Ok);
    client.backup(files.path("copy.db")).expect("a copy");
    drop(client);
    let writes = open(&outbox(&files.path("copy.db")))
        .stats()
        .outbox
        .expect("an outbox")
        .writes;
    assert_eq!(writes, 50);
}

#[test]
fn what_cannot_be_copied_is_refused_and_leaves_nothing() {
    let files = Files::new();
    for config in [
        json!({}),
        json!({"sdkappid": 1, "secret_key": "k", "base_url": NOWHERE}),
    ] {
        let client = open(&config);
        let error = client
            .backup(files.path("copy.db"))
            .expect_err("nothing is on disk");
        assert_eq!(error.status(), Status::Unsupported);
        assert!(error.message().contains("path\""), "{error}");
        let error = client.backup("").expect_err("no name");
        assert_eq!(error.status(), Status::Argument);
    }
    let client = open(&store(&files.path("lists.db")));
    for (to, word) in [
        ("lists.db", "exists already"),
        ("", "exists already"),
        ("no/copy.db", "does not exist"),
    ] {
        let error = client
            .backup(files.path(to))
            .expect_err("no place for a copy");
        assert_eq!(error.status(), Status::Storage);
        assert!(error.message().contains(word), "{to}: {error}");
    }
    client.close(SOON);
    assert_eq!(
        others(&files.path(""), &["lists.db", "lists.db.lock"]),
        BTreeSet::new()
    );
}

#[test]
fn the_command_copies_what_nobody_uses_and_what_a_server_uses() {
    let files = Files::new();
    let config = files.durable();
    files.run(&["add", "ann", "bob"]).expect(0);
    let copy = |name: &str| {
        let path = files.path(name);
        let arguments = ["backup", path.to_str().expect("UTF-8")];
        run_with(Some(&config), &arguments, "").expect(0);
        path
    };
    copy("idle.db");
    let before = others(&files.path(""), &["idle.db"]);
    assert!(!before.contains("lists.db-wal"), "{before:?}");
    let app = json!({"backend": "embedded", "path": files.path("lists.db"), "sdkappid": SDKAPPID,
        "secret_key": KEY, "identifier": "admin"});
    let app = files.write_secret("serve.json", &app.to_string());
    let mut command = serve::program();
    command.arg("serve").arg("--config").arg(app);
    let mut server = Serving::spawn(command, tempfile::tempdir().expect("a folder"));
    let usersig = serve::sign("admin", 4_000_000_000);
    let add = |account: &str| {
        let query =
            format!("sdkappid={SDKAPPID}&identifier=admin&usersig={usersig}&contenttype=json");
        let body = json!({"From_Account": "ann", "To_Account": [account]}).to_string();
        let target = format!("/v4/sns/black_list_add?{query}");
        let (status, answer) = serve::exchange(server.address(), &serve::post(&target, &body));
        assert!(
            status == 200 && answer.contains("\"ActionStatus\":\"OK\""),
            "{answer}"
        );
    };
    add("cat");
    copy("served.db");
    add("dan");
    copy("killed-after.db");
    server.end_with(nix::sys::signal::Signal::SIGKILL);
    copy("killed.db");
    let blocked = |name: &str| list(&open(&store(&files.path(name))), "ann");
    assert_eq!(blocked("idle.db"), ["bob"]);
    assert_eq!(blocked("served.db"), ["bob", "cat"]);
    assert_eq!(blocked("killed-after.db"), ["bob", "cat", "dan"]);
    assert_eq!(blocked("killed.db"), ["bob", "cat", "dan"]);
    assert_eq!(
        blocked("lists.db"),
        ["bob", "cat", "dan"],
        "nothing was taken from it"
    );
}

#[test]
fn a_backup_needs_a_file_and_a_new_name() {
    let files = Files::new();
    let copy = files.path("copy.db");
    let arguments = ["backup", copy.to_str().expect("UTF-8")];
    let done = run_with(None, &arguments, "").expect(2);
    assert!(done.stderr.contains("outbox.path"), "{}", done.stderr);
    let done = files.run(&arguments).expect(5);
    assert!(
        done.stderr.contains("lists.db"),
        "there is no store yet: {}",
        done.stderr
    );
    files.run(&["add", "ann", "bob"]).expect(0);
    fs::write(&copy, "mine").expect("a file");
    let done = files.run(&arguments).expect(5);
    assert!(done.stderr.contains("exists already"), "{}", done.stderr);
    assert_eq!(fs::read_to_string(&copy).expect("the file"), "mine");
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
