//! What calls of the service do not come to: lists that are cleared, and counters that go back.

use super::super::{List, Store, Writer};
use super::Sqlite;
use crate::error::Error;

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
        let page = lists.page(&list, 0, 100)?;
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
