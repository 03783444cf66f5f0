//! The rules of the service (docs/protocol.md 4), on both stores.

use std::sync::Arc;
use std::time::Instant;

use chatblock::api::{
    Account, Answer, Charset, CheckType, Command, Operation, Relation, Request, Targets, Verdict,
};
use chatblock::clock::FixedClock;
use chatblock::config::Embedded;
use chatblock::service::Service;
use chatblock::service::engine::Engine;

const NOW: i64 = 1_700_000_000;

struct Setup {
    engine: Engine,
    clock: Arc<FixedClock>,
    _directory: tempfile::TempDir,
}

impl Setup {
    fn call(&self, owner: &str, operation: Operation) -> Answer {
        let request = Request {
            owner: owner.into(),
            operation,
        };
        self.engine
            .call(&request, Instant::now())
            .expect("the store works")
    }

    fn add(&self, owner: &str, to: &[&str]) -> Answer {
        self.call(owner, Operation::Add(owned(to)))
    }

    fn delete(&self, owner: &str, to: &[&str]) -> Answer {
        self.call(owner, Operation::Delete(owned(to)))
    }

    fn get(&self, owner: &str, start_index: u64, limit: u32) -> Answer {
        let operation = Operation::Get {
            start_index,
            limit,
            last_sequence: 0,
        };
        self.call(owner, operation)
    }

    fn list(&self, owner: &str) -> Vec<(Account, i64)> {
        let page = self.get(owner, 0, 1000);
        page.items
            .into_iter()
            .map(|item| (item.account, item.time))
            .collect()
    }
}

fn owned(accounts: &[&str]) -> Targets {
    accounts.iter().copied().map(Into::into).collect()
}

fn codes(answer: &Answer) -> Vec<i32> {
    answer.items.iter().map(|item| item.code).collect()
}

/// Runs `test` on a memory store and on a durable one.
fn on_both_stores(config: &Embedded, test: impl Fn(&Setup)) {
    for durable in [false, true] {
        let directory = tempfile::tempdir().expect("a directory");
        let clock = Arc::new(FixedClock::at(NOW));
        let config = Embedded {
            path: durable.then(|| directory.path().join("store.db")),
            ..config.clone()
        };
        let engine = Engine::open(&config, clock.clone()).expect("the store opens");
        test(&Setup {
            engine,
            clock,
            _directory: directory,
        });
    }
}

#[test]
fn a_list_keeps_insertion_order_and_first_times() {
    on_both_stores(&Embedded::default(), |setup| {
        setup.add("ann", &["cat", "bob"]);
        setup.clock.set(NOW + 5);
        assert_eq!(codes(&setup.add("ann", &["bob", "dan"])), [30001, 0]);
        let expected = [("cat", NOW), ("bob", NOW), ("dan", NOW + 5)];
        assert_eq!(
            setup.list("ann"),
            expected.map(|(account, time)| (account.into(), time))
        );
    });
}

#[test]
fn pages_are_in_the_order_of_the_blocks_wherever_they_begin() {
    on_both_stores(&Embedded::default(), |setup| {
        let names: Vec<String> = (0..50)
            .map(|number| format!("u{}", number * 37 % 50))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        setup.add("ann", &names);
        for start in 0..50_usize {
            for limit in [1_u32, 7, 50] {
                let page = setup.get("ann", start as u64, limit);
                let listed: Vec<_> = page.items.iter().map(|item| &*item.account).collect();
                let end = names.len().min(start + limit as usize);
                assert_eq!(listed, names[start..end], "{limit} from {start}");
                let next = if end < names.len() { end } else { 0 };
                assert_eq!(page.listing.next_index as usize, next);
            }
        }
    });
}

#[test]
fn an_account_that_is_removed_and_added_again_comes_last() {
    on_both_stores(&Embedded::default(), |setup| {
        setup.add("ann", &["bob", "cat"]);
        setup.delete("ann", &["bob"]);
        setup.clock.set(NOW + 9);
        setup.add("ann", &["bob"]);
        let expected = [("cat", NOW), ("bob", NOW + 9)];
        assert_eq!(
            setup.list("ann"),
            expected.map(|(account, time)| (account.into(), time))
        );
    });
}

#[test]
fn elements_are_applied_one_after_another() {
    on_both_stores(&Embedded::default(), |setup| {
        let answer = setup.add("ann", &["bob", "ann", "bob", "", "cat"]);
        assert_eq!(codes(&answer), [0, 30001, 30001, 30001, 0]);
        let verdicts: Vec<_> = answer
            .items
            .iter()
            .map(|item| item.verdict.is_success())
            .collect();
        assert_eq!(verdicts, [true, false, true, false, true]);
        let answer = setup.delete("ann", &["bob", "bob", "eve"]);
        assert_eq!(codes(&answer), [0, 30001, 30001]);
        assert!(answer.items.iter().all(|item| item.verdict.is_success()));
    });
}

#[test]
fn capacity_runs_out_in_the_middle_of_a_request() {
    on_both_stores(&Embedded::default(), |setup| {
        let many = (0..999).map(|number| format!("u{number}").into()).collect();
        let answer = setup.call("ann", Operation::Add(many));
        assert!(!answer.is_refused());
        assert_eq!(
            codes(&setup.add("ann", &["a", "b", "u5", "c"])),
            [0, 30013, 30001, 30013]
        );
        setup.delete("ann", &["u5"]);
        assert_eq!(codes(&setup.add("ann", &["b", "c"])), [0, 30013]);
    });
}

#[test]
fn the_sequence_grows_by_one_for_each_request_that_changed_something() {
    on_both_stores(&Embedded::default(), |setup| {
        let sequence = |setup: &Setup| setup.get("ann", 0, 1).listing.sequence;
        assert_eq!(sequence(setup), 0);
        setup.add("ann", &["bob", "cat"]);
        assert_eq!(sequence(setup), 1);
        setup.add("ann", &["bob"]);
        setup.delete("ann", &["eve"]);
        assert_eq!(sequence(setup), 1);
        setup.delete("ann", &["bob"]);
        assert_eq!(sequence(setup), 2);
    });
}

#[test]
fn pages_are_offsets_and_end_with_zero() {
    on_both_stores(&Embedded::default(), |setup| {
        setup.add("ann", &["a", "b", "c", "d"]);
        let next = |start, limit| {
            let page = setup.get("ann", start, limit);
            (page.items.len(), page.listing.next_index)
        };
        assert_eq!(next(0, 3), (3, 3));
        assert_eq!(next(3, 3), (1, 0));
        assert_eq!(next(2, 2), (2, 0));
        assert_eq!(next(4, 2), (0, 0));
        assert_eq!(next(u64::MAX, 1000), (0, 0));
    });
}

#[test]
fn a_check_tells_all_four_relations_apart() {
    on_both_stores(&Embedded::default(), |setup| {
        setup.add("ann", &["bob", "cat"]);
        setup.add("bob", &["ann"]);
        setup.add("dan", &["ann"]);
        let targets = owned(&["bob", "cat", "dan", "eve", "ann"]);
        let relations = |kind| {
            let answer = setup.call("ann", Operation::Check(targets.clone(), kind));
            answer
                .items
                .iter()
                .map(|item| item.relation)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            relations(CheckType::Both),
            [
                Relation::BothWay,
                Relation::AWithB,
                Relation::BWithA,
                Relation::No,
                Relation::No
            ]
        );
        assert_eq!(
            relations(CheckType::Single),
            [
                Relation::AWithB,
                Relation::AWithB,
                Relation::No,
                Relation::No,
                Relation::No
            ]
        );
    });
}

#[test]
fn only_imported_accounts_exist_when_asked_for() {
    let config = Embedded {
        imported_only: true,
        ..Embedded::default()
    };
    on_both_stores(&config, |setup| {
        let import = |account| {
            setup
                .engine
                .store()
                .write(&mut |lists| lists.import(account))
                .expect("the store works");
        };
        assert_eq!(setup.add("ann", &["bob"]).code, 30003);
        import("ann");
        import("bob");
        assert_eq!(codes(&setup.add("ann", &["bob", "eve"])), [0, 30003]);
        setup
            .engine
            .store()
            .write(&mut |lists| lists.forget("bob").map(drop))
            .expect("the store works");
        assert_eq!(codes(&setup.add("ann", &["bob"])), [30001]);
        assert_eq!(codes(&setup.delete("ann", &["bob", "bob"])), [0, 30003]);
    });
}

#[test]
fn identifiers_follow_the_charset() {
    let strict = Embedded {
        charset: Charset::Strict,
        ..Embedded::default()
    };
    on_both_stores(&strict, |setup| {
        assert_eq!(setup.add("a b", &["c"]).code, 30001);
        let long = "x".repeat(33);
        let answer = setup.add("ann", &["b c", "b_c", "B_c", &long]);
        assert_eq!(codes(&answer), [30001, 0, 0, 30001]);
        assert!(matches!(answer.items[0].verdict, Verdict::Failed(_)));
    });
}

#[test]
fn only_a_durable_engine_waits_for_the_disk_and_not_to_check() {
    let directory = tempfile::tempdir().expect("a directory");
    let waits = |path: Option<&str>, imported_only| {
        let config = Embedded {
            path: path.map(|name| directory.path().join(name)),
            imported_only,
            charset: Charset::Utf8,
        };
        let engine = Engine::open(&config, Arc::new(FixedClock::at(NOW))).expect("an engine");
        Command::ALL.map(|command| engine.waits(command))
    };
    assert_eq!(waits(None, true), [false; 4]);
    assert_eq!(waits(Some("all.db"), false), [true, true, true, false]);
    assert_eq!(waits(Some("imported.db"), true), [true; 4]);
    let config = Embedded {
        path: Some(directory.path().join("unobserved.db")),
        ..Embedded::default()
    };
    let clock = Arc::new(FixedClock::at(NOW));
    let engine = Engine::observed(&config, clock, None).expect("an engine");
    assert_eq!(Command::ALL.map(|command| engine.waits(command)), [true; 4]);
}
