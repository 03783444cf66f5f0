//! A copy that is made while a client works is whole, and a copy that is put back is what is there afterwards.

mod restore;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use chatblock::{Answer, Client, Status};
use serde_json::{Value, json};

use testkit::runs::{Files, run_with};
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
