//! Cases that calls of the service do not reach: cleared lists, counters that go back, a full disk at a commit.

use super::super::{List, Reader, Store, Writer};
use super::{PAGES_AT_ONCE, SPARE_PAGES, Sqlite, execute, free_pages};
use crate::error::{Error, Status};

/// One call that adds `account`.
fn add(lists: &mut dyn Writer, account: &str, sequence: u64) -> Result<List<'static>, Error> {
    let mut list = match lists.find("ann")? {
        Some(list) => list,
        None => lists.create("ann")?,
    };
    assert!(lists.append(&list, account, 7)?, "{account} is there");
    list.entries += 1;
    list.sequence = sequence;
    lists.save(&list)?;
    Ok(list)
}

/// Accounts and sequence as a reader without counters finds them.
fn found(store: &Sqlite) -> (Vec<String>, u64) {
    let mut found = Default::default();
    let read = store.read(&mut |lists| {
        let page = lists.page("ann", 0, 1000)?;
        let list = lists.find("ann")?;
        let counters = list.map_or((0, 0), |list| (list.entries, list.sequence));
        assert_eq!((page.total, page.sequence), counters);
        assert_eq!(
            (page.entries.len(), page.total as u64),
            (page.total, lists.count()?)
        );
        let accounts = page.entries.into_iter().map(|entry| entry.account);
        found = (accounts.collect(), page.sequence);
        Ok(())
    });
    read.expect("a state");
    found
}

fn store(directory: &tempfile::TempDir) -> Sqlite {
    Sqlite::open(&directory.path().join("store.db"), None).expect("a store")
}

fn number(store: &Sqlite, sql: &str) -> i64 {
    let writer = store.writer.lock();
    let number = writer.connection.query_row(sql, [], |row| row.get(0));
    number.expect(sql)
}

#[test]
fn of_a_list_that_was_cleared_nothing_comes_back() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store(&directory);
    let change = store.write(&mut |lists| {
        add(lists, "bob", 1)?;
        let list = add(lists, "cat", 2)?;
        lists.clear(&list)
    });
    change.expect("room");
    assert_eq!(found(&store), (vec![], 0));
    store
        .write(&mut |lists| add(lists, "dan", 1).map(drop))
        .expect("room");
    assert_eq!(found(&store), (vec!["dan".to_owned()], 1));
}

#[test]
fn an_owner_that_was_cleared_has_no_row() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store(&directory);
    let change = store.write(&mut |lists| {
        add(lists, "bob", 1)?;
        let mut list = add(lists, "cat", 2)?;
        assert!(lists.remove(&list, "bob")?);
        assert!(!lists.remove(&list, "bob")?);
        (list.entries, list.sequence) = (1, 3);
        lists.save(&list)
    });
    change.expect("room");
    let rows = "SELECT (SELECT count(*) FROM pairs) * 10 + (SELECT count(*) FROM sequences)";
    assert_eq!(number(&store, rows), 11);
    let cleared = store.write(&mut |lists| {
        let list = lists.find("ann")?.expect("it has an entry");
        lists.clear(&list)?;
        assert!(lists.find("ann")?.is_none());
        Ok(())
    });
    cleared.expect("room");
    assert_eq!(number(&store, rows), 0);
}

#[test]
fn a_counter_that_goes_back_takes_no_change_with_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let expected = (["bob", "cat", "dan"].map(str::to_owned).to_vec(), 5);
    let opened = store(&directory);
    for (account, sequence) in [("bob", 7), ("cat", 0), ("dan", 5)] {
        let added = opened.write(&mut |lists| add(lists, account, sequence).map(drop));
        added.expect("room");
        assert_eq!(found(&opened).1, sequence);
    }
    assert_eq!(found(&opened), expected);
    drop(opened);
    assert_eq!(found(&store(&directory)), expected);
}

#[test]
fn a_commit_that_was_taken_back_leaves_nothing_behind() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store(&directory);
    let add_next = |account: &str, sequence| {
        let added = store.write(&mut |lists| add(lists, account, sequence).map(drop));
        added.expect("room");
    };
    add_next("bob", 1);
    {
        let mut writer = store.writer.lock();
        execute(&writer.connection, "BEGIN IMMEDIATE").expect("no other writer");
        let changed = writer.change(&store.path, &mut |lists| add(lists, "cat", 2).map(drop));
        changed.expect("room");
        // As after a commit that found the disk full.
        writer.abandon(Error::new(Status::Storage, "no room"), true);
    }
    assert_eq!(found(&store), (vec!["bob".to_owned()], 1));
    add_next("cat", 2);
    assert_eq!(
        found(&store),
        (["bob", "cat"].map(str::to_owned).to_vec(), 2)
    );
}

#[test]
fn a_row_that_no_library_wrote_is_damage() {
    type Look = fn(&dyn Reader) -> Result<(), Error>;
    let each: Look = |lists| lists.each(&mut |_, _| ());
    let page: Look = |lists| lists.page("ann", 0, 100).map(drop);
    let find: Look = |lists| lists.find("ann").map(drop);
    for (change, looks) in [
        (
            "UPDATE pairs SET target = CAST(x'ff' AS TEXT)",
            [each, page],
        ),
        ("UPDATE pairs SET sequence = -1", [find, page]),
        ("INSERT INTO sequences VALUES ('ann', -1)", [find, page]),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let store = store(&directory);
        let added = store.write(&mut |lists| add(lists, "bob", 1).map(drop));
        added.expect("room");
        let changed = store.writer.lock().connection.execute(change, []);
        assert_eq!(changed, Ok(1));
        for look in looks {
            let error = store.read(&mut |lists| look(lists)).expect_err("damage");
            let message = error.message();
            assert!(message.contains("store.db"), "{change}: {error}");
            assert!(message.contains("is damaged"), "{change}: {error}");
            assert!(message.contains("chatblock restore"), "{change}: {error}");
        }
    }
}

#[test]
fn counters_of_lists_stay_within_bounds() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store(&directory);
    let many = |owners: std::ops::Range<u32>| {
        let written = store.write(&mut |lists| {
            for owner in owners.clone() {
                let owner = format!("owner{owner}");
                let mut list = lists.create(&owner)?;
                lists.append(&list, "bob", 7)?;
                (list.entries, list.sequence) = (1, 1);
                lists.save(&list)?;
            }
            Ok(())
        });
        written.expect("room");
        store.writer.lock().cache.len()
    };
    assert_eq!(many(0..10_000), 10_000);
    assert_eq!(many(10_000..20_000), 0, "they are read again when needed");
    assert_eq!(many(20_000..20_001), 1);
    assert_eq!(number(&store, "SELECT count(*) FROM pairs"), 20_001);
}

/// Fills `owners` lists, some 10 pages each.
fn fill(store: &Sqlite, owners: u32) {
    for owner in 0..owners {
        let owner = format!("owner{owner}");
        let written = store.write(&mut |lists| {
            let mut list = lists.create(&owner)?;
            for number in 0..1000 {
                lists.append(&list, &format!("account{number}"), 7)?;
            }
            (list.entries, list.sequence) = (1000, 1);
            lists.save(&list)
        });
        written.expect("room");
    }
}

#[test]
fn free_pages_are_given_back_in_steps_and_the_rest_at_the_close() {
    let directory = tempfile::tempdir().expect("a directory");
    let opened = store(&directory);
    fill(&opened, 40);
    let full = number(&opened, "PRAGMA page_count");
    let cleared = opened.write(&mut |lists| {
        for owner in 1..40 {
            let owner = format!("owner{owner}");
            let list = lists.find(&owner)?.expect("it was filled");
            lists.clear(&list)?;
        }
        Ok(())
    });
    cleared.expect("room");
    let left = number(&opened, "PRAGMA page_count");
    let free = i64::from(free_pages(&opened.writer.lock().connection).expect("a count"));
    let step = i64::from(PAGES_AT_ONCE).max((full - left + free) / 4);
    assert!(full - left > 0, "the transaction gave nothing back");
    assert!(full - left <= step, "{left} pages of {full} are too few");
    assert!(free > 2 * i64::from(SPARE_PAGES), "{free} are free");
    drop(opened);
    let again = store(&directory);
    let free = free_pages(&again.writer.lock().connection).expect("a count");
    assert!(free <= SPARE_PAGES, "{free} are free");
    let kept = again.read(&mut |lists| {
        assert_eq!(lists.page("owner0", 0, 1000)?.entries.len(), 1000);
        assert_eq!(lists.count()?, 1000);
        Ok(())
    });
    kept.expect("a state");
}
