//! The durable store: restart, sharing of commits, locks, foreign and damaged files.

mod history;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Barrier;
use std::time::Duration;

use chatblock::{Answer, CheckType, Client, Relation, ReplyItem, Status};

fn open(path: &Path) -> Result<Client, chatblock::Error> {
    let path = path.to_str().expect("a path of ours is UTF-8");
    Client::open(&format!("{{\"path\":\"{path}\"}}"))
}

fn refusal(path: &Path) -> String {
    let error = open(path).err().expect("the store must be refused");
    assert_eq!(error.status(), Status::Storage, "{error}");
    let name = path.to_str().expect("a path of ours is UTF-8");
    assert!(
        error.message().contains(name),
        "{error} does not name the file"
    );
    error.message().to_owned()
}

fn entries(client: &Client, owner: &str) -> Vec<String> {
    let reply = client.get(owner, 0, 1000);
    assert_eq!(reply.status(), Status::Ok, "{}", reply.message());
    reply
        .items()
        .iter()
        .map(|item| item.account().to_owned())
        .collect()
}

#[test]
fn lists_survive_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("store.db");
    let client = open(&path).expect("a new store");
    let _ = client.add("ann", &["bob", "cat"]);
    let _ = client.delete("ann", &["bob"]);
    assert_eq!(client.close(None), Status::Ok);
    let client = open(&path).expect("the same store");
    assert_eq!(entries(&client, "ann"), ["cat"]);
}

#[test]
fn a_client_without_cache_answers_from_the_store() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("store.db");
    let client = open(&path).expect("a new store");
    let _ = client.add("ann", &["bob", "cat"]);
    let pairs = client.stats().cache.pairs;
    assert_eq!((client.close(None), pairs), (Status::Ok, 2));
    let config = format!("{{\"path\":\"{}\"}}", path.display());
    for config in [config.as_str(), "{}"] {
        let client = Client::open_without_cache(config).expect("the same store");
        assert_eq!(client.delete("ann", &["cat"]).status(), Status::Ok);
        assert_eq!(client.add("ann", &["bob", "eve"]).status(), Status::Ok);
        assert_eq!(entries(&client, "ann"), ["bob", "eve"]);
        let checked = client.check("ann", &["bob", "cat", "eve"], CheckType::Single);
        let relations: Vec<_> = checked.items().iter().map(ReplyItem::relation).collect();
        assert_eq!(
            relations,
            [Relation::AWithB, Relation::No, Relation::AWithB]
        );
        assert_eq!(client.is_blocked("ann", "bob"), Answer::Unknown);
        assert_eq!(client.stats().cache.pairs, 0, "nothing was loaded");
    }
}

#[test]
fn many_callers_lose_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("store.db");
    let client = open(&path).expect("a new store");
    let start = Barrier::new(16);
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let (client, start) = (&client, &start);
            scope.spawn(move || {
                start.wait();
                for number in 0..25 {
                    let reply = client.add("ann", &[format!("t{thread}n{number}")]);
                    assert_eq!(reply.status(), Status::Ok, "{}", reply.message());
                    assert_eq!(
                        client
                            .add(&format!("owner{thread}"), &[format!("p{number}")])
                            .status(),
                        Status::Ok
                    );
                }
            });
        }
    });
    drop(client);
    let client = open(&path).expect("the same store");
    let mut found = entries(&client, "ann");
    found.sort();
    let mut expected: Vec<_> = (0..16)
        .flat_map(|thread| (0..25).map(move |number| format!("t{thread}n{number}")))
        .collect();
    expected.sort();
    assert_eq!(found, expected);
    for thread in 0..16 {
        let expected: Vec<_> = (0..25).map(|number| format!("p{number}")).collect();
        assert_eq!(entries(&client, &format!("owner{thread}")), expected);
    }
}

#[test]
fn a_second_handle_is_refused_until_the_first_is_closed() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("store.db");
    let first = open(&path).expect("a new store");
    assert!(refusal(&path).contains("in use"));
    assert_eq!(first.add("ann", &["bob"]).status(), Status::Ok);
    first.close(None);
    open(&path).expect("the lock is free");
}

#[test]
fn files_are_private_whatever_the_umask() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("store.db");
    let client = open(&path).expect("a new store");
    let _ = client.add("ann", &["bob"]);
    for entry in fs::read_dir(directory.path()).expect("the directory") {
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("its mode").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} is open to others", entry.path());
    }
}

#[test]
fn a_foreign_file_is_refused_and_untouched() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = directory.path().join("notes.txt");
    fs::write(
        &text,
        "not a database, but longer than one hundred bytes: ".repeat(4),
    )
    .expect("a file");
    let short = directory.path().join("short");
    fs::write(&short, "x").expect("a file");
    let other = directory.path().join("other.db");
    let database = rusqlite::Connection::open(&other).expect("another database");
    database
        .execute_batch("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1);")
        .expect("a table");
    database.close().expect("closed");
    for path in [text, short, other] {
        let before = fs::read(&path).expect("the file");
        assert!(refusal(&path).contains("not a chatblock store"));
        assert_eq!(fs::read(&path).expect("the file"), before);
    }
}

#[test]
fn a_newer_format_is_refused_and_untouched() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("store.db");
    open(&path).expect("a new store").close(None);
    let database = rusqlite::Connection::open(&path).expect("the database");
    database
        .pragma_update(None, "user_version", 5)
        .expect("a newer version");
    database
        .pragma_update(None, "journal_mode", "DELETE")
        .expect("one file");
    database.close().expect("closed");
    let before = fs::read(&path).expect("the file");
    assert!(refusal(&path).contains("newer"));
    assert_eq!(fs::read(&path).expect("the file"), before);
}

/// Tables of earlier formats, which were never released.
const EARLIER: [&str; 3] = [
    "CREATE TABLE owners (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
     CREATE TABLE entries (owner INTEGER NOT NULL, account TEXT NOT NULL) STRICT;",
    "CREATE TABLE owners (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
     CREATE TABLE lists (owner INTEGER NOT NULL, lines TEXT NOT NULL) STRICT;",
    "CREATE TABLE owners (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
     CREATE TABLE lists (owner INTEGER NOT NULL, lines TEXT NOT NULL) STRICT;
     CREATE TABLE changes (id INTEGER PRIMARY KEY, lines TEXT NOT NULL) STRICT;",
];

#[test]
fn an_older_format_is_refused_and_untouched() {
    for (version, tables) in (1..).zip(EARLIER) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("store.db");
        let database = rusqlite::Connection::open(&path).expect("a database");
        let marks = format!("PRAGMA application_id = 0x63626c6b; PRAGMA user_version = {version};");
        database.execute_batch(&marks).expect("our marks");
        database.execute_batch(tables).expect("tables");
        database.close().expect("closed");
        let before = fs::read(&path).expect("the file");
        let message = refusal(&path);
        for part in [
            "written by an earlier chatblock",
            &format!("format {version}, this one reads 4"),
            "left untouched",
            "name another file",
        ] {
            assert!(message.contains(part), "{part:?} is not in: {message}");
        }
        assert_eq!(fs::read(&path).expect("the file"), before);
        let left = fs::read_dir(directory.path()).expect("the directory");
        assert_eq!(left.count(), 1, "no file comes to lie beside it");
    }
}

#[test]
fn a_format_that_stands_in_the_log_only_counts() {
    for (version, word) in [(3, "an earlier chatblock"), (5, "a newer chatblock")] {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("store.db");
        open(&path).expect("a new store").close(None);
        let database = rusqlite::Connection::open(&path).expect("the database");
        database
            .pragma_update(None, "user_version", version)
            .expect("another version");
        let before = fs::read(&path).expect("the file");
        assert!(refusal(&path).contains(word));
        assert_eq!(fs::read(&path).expect("the file"), before);
    }
}

/// Numbers that `SQLite` finds in a store which no client has open.
fn number(path: &Path, sql: &str) -> i64 {
    let database = rusqlite::Connection::open(path).expect("the database");
    database.query_row(sql, [], |row| row.get(0)).expect(sql)
}

#[test]
fn an_emptied_list_leaves_its_sequence_and_nothing_else() {
    let sequence = |client: &Client| -> i64 {
        let answer: serde_json::Value =
            serde_json::from_str(client.get("ann", 0, 100).json()).expect("JSON");
        answer["CurrentSequence"].as_i64().expect("a sequence")
    };
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("store.db");
    let client = open(&path).expect("a new store");
    let _ = client.add("ann", &["bob", "cat"]);
    let _ = client.add("bob", &["ann"]);
    let _ = client.delete("ann", &["cat", "bob"]);
    assert_eq!(sequence(&client), 2);
    drop(client);
    assert_eq!(
        number(&path, "SELECT count(*) FROM pairs WHERE owner = 'ann'"),
        0
    );
    assert_eq!(number(&path, "SELECT count(*) FROM pairs"), 1);
    assert_eq!(
        number(&path, "SELECT count(*) FROM sequences"),
        1,
        "bob lost nothing"
    );
    let client = open(&path).expect("the same store");
    assert_eq!(sequence(&client), 2);
    let _ = client.add("ann", &["dan"]);
    assert_eq!(sequence(&client), 3);
    assert_eq!(entries(&client, "ann"), ["dan"]);
}

#[test]
fn the_file_shrinks_with_its_lists() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("store.db");
    let client = open(&path).expect("a new store");
    let targets: Vec<_> = (0..1000).map(|number| format!("target{number}")).collect();
    let owners: Vec<_> = (0..60).map(|number| format!("owner{number}")).collect();
    for owner in &owners {
        assert_eq!(client.add(owner, &targets).status(), Status::Ok);
    }
    client.close(None);
    let full = fs::metadata(&path).expect("the file").len();
    assert!(full > 1 << 20, "{full} bytes");
    let client = open(&path).expect("the same store");
    for owner in &owners[1..] {
        assert_eq!(client.delete(owner, &targets).status(), Status::Ok);
    }
    assert_eq!(entries(&client, "owner0").len(), 1000);
    client.close(None);
    let left = fs::metadata(&path).expect("the file").len();
    assert!(left < full / 8, "{left} bytes of {full} are left");
    assert_eq!(
        entries(&open(&path).expect("the same store"), "owner0"),
        targets
    );
}

#[test]
fn lists_grow_and_shrink_one_by_one_on_disk() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("store.db");
    let name = |number: usize| format!("{number}");
    let client = open(&path).expect("a new store");
    for number in 0..200 {
        assert_eq!(client.add("ann", &[name(number)]).status(), Status::Ok);
    }
    for number in (0..200).filter(|number| number % 4 != 0) {
        assert_eq!(client.delete("ann", &[name(number)]).status(), Status::Ok);
    }
    drop(client);
    let expected: Vec<_> = (0..200).step_by(4).map(name).collect();
    let client = open(&path).expect("the same store");
    assert_eq!(entries(&client, "ann"), expected);
    assert_eq!(client.delete("ann", &expected).status(), Status::Ok);
    assert_eq!(entries(&client, "ann"), Vec::<String>::new());
    assert_eq!(client.add("ann", &["1"]).status(), Status::Ok);
    drop(client);
    assert_eq!(entries(&open(&path).expect("the same store"), "ann"), ["1"]);
}

#[test]
fn an_operator_reads_the_lists_as_the_guide_says() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("store.db");
    let client = open(&path).expect("a new store");
    let _ = client.add("bob", &["ann"]);
    let _ = client.add("ann", &["cat", "bob"]);
    assert_eq!(client.close(None), Status::Ok);
    let database = rusqlite::Connection::open(&path).expect("the database");
    let statement = "
SELECT owner, target, time FROM pairs ORDER BY owner, position;
";
    let mut pairs = database.prepare(statement).expect("its tables");
    let rows = pairs.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let read: Vec<(String, String)> = rows
        .expect("pairs")
        .map(|row| row.expect("a row"))
        .collect();
    let expected = [("ann", "cat"), ("ann", "bob"), ("bob", "ann")];
    let expected = expected.map(|(owner, target)| (owner.to_owned(), target.to_owned()));
    assert_eq!(read, expected);
}

#[test]
fn damage_is_reported_and_never_taken_for_an_empty_store() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("store.db");
    let client = open(&path).expect("a new store");
    for owner in 0..50 {
        let targets: Vec<_> = (0..100).map(|number| format!("target{number}")).collect();
        let _ = client.add(&format!("owner{owner}"), &targets);
    }
    client.close(None);
    let whole = fs::read(&path).expect("the file");
    for length in [101, 4096, 4097, whole.len() / 2, whole.len() - 4096] {
        fs::write(&path, &whole[..length]).expect("a cut file");
        refusal(&path);
    }
    let mut scribbled = whole.clone();
    scribbled[4096..4096 + 64].fill(0xA5);
    fs::write(&path, &scribbled).expect("a damaged file");
    refusal(&path);
    fs::write(&path, &whole).expect("the copy");
    let client = open(&path).expect("the restored store");
    assert_eq!(entries(&client, "owner49").len(), 100);
}

#[test]
fn odd_places_are_refused_by_name() {
    let directory = tempfile::tempdir().expect("a directory");
    let real = directory.path().join("store.db");
    open(&real).expect("a new store").close(None);

    let link = directory.path().join("link.db");
    std::os::unix::fs::symlink(&real, &link).expect("a link");
    assert!(refusal(&link).contains("symbolic link"));

    let second = directory.path().join("second.db");
    fs::hard_link(&real, &second).expect("a hard link");
    assert!(refusal(&second).contains("second name"));

    refusal(directory.path());
    refusal(&directory.path().join("missing").join("store.db"));
    refusal(Path::new("/dev/null"));
}

#[test]
fn an_empty_file_becomes_a_store() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("store.db");
    fs::write(&path, "").expect("an empty file");
    let client = open(&path).expect("a new store");
    assert_eq!(client.add("ann", &["bob"]).status(), Status::Ok);
    assert_eq!(client.close(Some(Duration::ZERO)), Status::Ok);
}
