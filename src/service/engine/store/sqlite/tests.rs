//! What calls of the service do not come to: lists that are cleared, counters that go back, a full disk at a commit.

use super::super::{List, Store, Writer};
use super::{Sqlite, execute};
use crate::error::{Error, Status};

/// One call that adds `account`.
fn add(lists: &mut dyn Writer, account: &str, sequence: u64) -> Result<List, Error> {
    let mut list = match lists.find("ann")? {
        Some(list) => list,
        None => lists.create("ann")?,
    };
    lists.append(&list, account, 7)?;
    list.entries += 1;
    list.sequence = sequence;
    lists.save(&list)?;
    Ok(list)
}

/// Accounts and sequence as a reader finds them, who has nothing at hand.
fn found(store: &Sqlite) -> (Vec<String>, u64) {
    let mut found = Default::default();
    let read = store.read(&mut |lists| {
        let list = lists.find("ann")?.expect("it was made");
        let page = lists.page(&list, 0, 1000)?;
        assert_eq!(
            (page.len(), list.entries as u64),
            (list.entries, lists.count()?)
        );
        let accounts = page.into_iter().map(|entry| entry.account).collect();
        found = (accounts, list.sequence);
        Ok(())
    });
    read.expect("a state");
    found
}

fn store(directory: &tempfile::TempDir) -> Sqlite {
    Sqlite::open(&directory.path().join("store.db"), None).expect("a store")
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
fn a_counter_that_goes_back_takes_no_change_with_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let expected = (["bob", "cat", "dan"].map(str::to_owned).to_vec(), 5);
    let opened = store(&directory);
    for (account, sequence) in [("bob", 7), ("cat", 0), ("dan", 5)] {
        let added = opened.write(&mut |lists| add(lists, account, sequence).map(drop));
        added.expect("room");
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
fn a_change_that_no_library_wrote_is_damage() {
    for line in ["bob", "x\tbob", "\tbob"] {
        let directory = tempfile::tempdir().expect("a directory");
        let store = store(&directory);
        let added = store.write(&mut |lists| {
            let list = add(lists, "bob", 1)?;
            lists.save(&List {
                sequence: 2,
                ..list
            })
        });
        added.expect("room");
        let change = "UPDATE changes SET lines = ?1 WHERE sequence = 2";
        let changed = store.writer.lock().connection.execute(change, [line]);
        assert_eq!(changed, Ok(1));
        let each = store.read(&mut |lists| lists.each(&mut |_, _| ()));
        let page = store.read(&mut |lists| {
            let list = lists.find("ann")?.expect("it was made");
            lists.page(&list, 0, 100).map(drop)
        });
        for outcome in [each, page] {
            let error = outcome.expect_err("damage");
            assert!(error.message().contains("is damaged"), "{line:?}: {error}");
        }
    }
}

#[test]
fn what_is_kept_beside_the_lists_stays_within_bounds() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store(&directory);
    let rows = || -> i64 {
        let count = "SELECT count(*) FROM changes";
        let writer = store.writer.lock();
        let count = writer.connection.query_row(count, [], |row| row.get(0));
        count.expect("a count")
    };
    let small = |calls: std::ops::Range<u64>| {
        let written = store.write(&mut |lists| {
            let mut calls = calls.clone();
            calls.try_for_each(|call| add(lists, &format!("account{call}"), call).map(drop))
        });
        written.expect("room");
    };
    small(1..101);
    assert_eq!(rows(), 100);
    small(101..601);
    assert_eq!(rows(), 0, "all are in the list");
    assert_eq!(found(&store).1, 600);

    let large = store.write(&mut |lists| {
        (0..120).try_for_each(|owner| {
            let list = lists.create(&format!("owner{owner}"))?;
            let mut names = (0..1000).map(|number| format!("account{number}"));
            names.try_for_each(|account| lists.append(&list, &account, 7))?;
            lists.save(&List {
                entries: 1000,
                sequence: 1,
                ..list
            })
        })
    });
    large.expect("room");
    let writer = store.writer.lock();
    let at_hand = writer.at_hand.as_ref().expect("it goes on");
    assert!(at_hand.borrow().is_empty(), "5 MiB are too much");
}
