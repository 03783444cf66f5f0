//! The durable store: restart, sharing of commits, locks, foreign and damaged files.

#[path = "store/history.rs"]
mod history;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Barrier;
use std::time::Duration;

use chatblock::{Answer, Client, Status};

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
    client.add("ann", &["bob", "cat"]);
    client.delete("ann", &["bob"]);
    assert_eq!(client.close(None), Status::Ok);
    let client = open(&path).expect("the same store");
    assert_eq!(entries(&client, "ann"), ["cat"]);
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
    client.add("ann", &["bob"]);
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
        .pragma_update(None, "user_version", 4)
        .expect("a newer version");
    database
        .pragma_update(None, "journal_mode", "DELETE")
        .expect("one file");
    database.close().expect("closed");
    let before = fs::read(&path).expect("the file");
    assert!(refusal(&path).contains("newer"));
    assert_eq!(fs::read(&path).expect("the file"), before);
}

/// A store as format 1 had it: a row for each entry.
const FORMAT_1: &str = "
    PRAGMA application_id = 0x63626c6b;
    PRAGMA user_version = 1;
    CREATE TABLE owners (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        entries INTEGER NOT NULL DEFAULT 0,
        sequence INTEGER NOT NULL DEFAULT 0,
        next_position INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE entries (
        owner INTEGER NOT NULL REFERENCES owners (id),
        position INTEGER NOT NULL,
        account TEXT NOT NULL,
        added INTEGER NOT NULL,
        PRIMARY KEY (owner, position)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX entries_by_account ON entries (owner, account);
    CREATE TABLE imported (account TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
    INSERT INTO owners VALUES (1, 'ann', 900, 7, 1000), (2, 'empty', 0, 2, 1), (3, 'bob', 1, 1, 1);
    -- Accounts in another order than positions, and gaps where entries were deleted.
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
    INSERT INTO entries SELECT 1, i, 'p' || (i * 37 % 1000), 1000 + i FROM n WHERE i % 10 <> 3;
    INSERT INTO entries VALUES (3, 0, 'ann', 5);
";

fn write_format_1(path: &Path) -> rusqlite::Connection {
    let database = rusqlite::Connection::open(path).expect("a database");
    database.execute_batch(FORMAT_1).expect("a store");
    database
}

#[test]
fn a_store_of_the_first_format_keeps_its_lists_order_and_times() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("store.db");
    write_format_1(&path).close().expect("closed");
    let positions = (0..1000).filter(|position| position % 10 != 3);
    let expected: Vec<_> = positions
        .map(|position| (format!("p{}", position * 37 % 1000), 1000 + position))
        .collect();
    let found = |client: &Client| -> Vec<_> {
        let items = client.get("ann", 0, 1000).items().to_vec();
        let entry = |item: &chatblock::ReplyItem| (item.account().to_owned(), item.time());
        items.iter().map(entry).collect()
    };
    // Upgraded when it is opened first, and as it was left when it is opened again.
    for _ in 0..2 {
        let client = open(&path).expect("the old store");
        assert_eq!(found(&client), expected);
        assert_eq!(entries(&client, "empty"), Vec::<String>::new());
        assert_eq!(client.is_blocked("bob", "ann"), Answer::Yes);
        assert_eq!(client.is_blocked("ann", "p111"), Answer::No);
    }
    let client = open(&path).expect("the new store");
    assert_eq!(client.add("ann", &["p0"]).status(), Status::Ok);
    assert_eq!(entries(&client, "ann").len(), 900);
    assert_eq!(client.delete("ann", &["p0"]).status(), Status::Ok);
    let more: Vec<_> = (0..101).map(|number| format!("more{number}")).collect();
    assert_eq!(client.add("ann", &more).status(), Status::Ok);
    assert_eq!(client.add("ann", &["too many"]).status(), Status::Service);
}

#[test]
fn an_upgrade_that_fails_leaves_the_store_as_it_was() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("store.db");
    let database = write_format_1(&path);
    // In the way of the upgrade's last step.
    database
        .execute_batch("CREATE VIEW theirs AS SELECT next_position FROM owners")
        .expect("a view");
    database.close().expect("closed");
    refusal(&path);
    let database = rusqlite::Connection::open(&path).expect("the database");
    let number = |sql| -> i64 { database.query_row(sql, [], |row| row.get(0)).expect(sql) };
    assert_eq!(number("PRAGMA user_version"), 1);
    assert_eq!(number("SELECT count(*) FROM entries"), 901);
    database.execute_batch("DROP VIEW theirs").expect("no view");
    database.close().expect("closed");
    let client = open(&path).expect("nothing is in the way");
    assert_eq!(entries(&client, "ann").len(), 900);
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
    client.add("bob", &["ann"]);
    client.add("ann", &["bob", "cat"]);
    assert_eq!(client.close(None), Status::Ok);
    let database = rusqlite::Connection::open(&path).expect("the database");
    let statement = "
        SELECT name, lines FROM owners JOIN lists ON lists.owner = owners.id ORDER BY name, position;
    ";
    let changes = "SELECT count(*) FROM changes";
    let left = database.query_row(changes, [], |row| row.get::<_, i64>(0));
    assert_eq!(left, Ok(0), "all are in the lists once it is closed");
    let mut lists = database.prepare(statement).expect("its tables");
    let rows = lists.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let read: Vec<(String, String)> = rows
        .expect("lists")
        .map(|row| row.expect("a row"))
        .collect();
    let accounts = |lines: &str| -> Vec<String> {
        let accounts = lines
            .lines()
            .map(|line| line.split_once('\t').expect("a tab").1);
        accounts.map(str::to_owned).collect()
    };
    let read: Vec<_> = read
        .iter()
        .map(|(name, lines)| (name.as_str(), accounts(lines)))
        .collect();
    assert_eq!(read[0], ("ann", vec!["bob".to_owned(), "cat".to_owned()]));
    assert_eq!(read[1], ("bob", vec!["ann".to_owned()]));
}

#[test]
fn damage_is_reported_and_never_taken_for_an_empty_store() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("store.db");
    let client = open(&path).expect("a new store");
    for owner in 0..50 {
        let targets: Vec<_> = (0..100).map(|number| format!("target{number}")).collect();
        client.add(&format!("owner{owner}"), &targets);
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
