//! The table of the cache under loom: every order in which the atomics of one writer and one reader can meet, as far
//! as the memory model allows it. The sources are compiled once more, with loom's atomics and without chunks.

#![allow(
    dead_code,
    reason = "one reader and one writer need less than the cache"
)]
#![allow(clippy::inline_always, reason = "as in the cache")]

#[path = "../src/cache/bucket.rs"]
mod bucket;
#[path = "../src/cache/lookup.rs"]
mod check;
#[path = "../src/cache/table.rs"]
mod table;

mod sync {
    pub(super) use loom::sync::atomic::{AtomicU64, Ordering};
}

mod memory {
    use super::bucket::Bucket;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) struct NoRoom;

    /// All that the models touch; more atomics than that would only slow loom down.
    pub(super) struct BucketMemory(Vec<Bucket>);

    impl Default for BucketMemory {
        fn default() -> Self {
            Self((0..8).map(|_| Bucket::default()).collect())
        }
    }

    #[allow(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "as in the module it stands for"
    )]
    impl BucketMemory {
        pub(super) fn bucket(&self, index: u64) -> Option<&Bucket> {
            self.0.get(usize::try_from(index).ok()?)
        }

        pub(super) fn prefetch(&self, _: u64) {}

        pub(super) fn reserve(&self, _: u64) -> Result<(), NoRoom> {
            Ok(())
        }
    }
}

use bucket::Fingerprint;
use check::Answer;
use loom::sync::Arc;
use loom::thread;
use table::{Growth, Table, WriterState};

/// Tables of one slot for each bucket: the first level has 4 buckets, the next 5.
type Small = Table<1>;

/// The fingerprint whose home is `quarter` in the first level.
fn fingerprint(quarter: u64, tag: u8) -> Fingerprint {
    Fingerprint::new((quarter << 62) | ((1 << 62) - 1), tag)
}

fn model(run: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = None;
    builder.max_branches = 10_000;
    builder.check(run);
}

fn with(fingerprints: &[Fingerprint]) -> (Arc<Small>, WriterState) {
    let (table, mut writer) = (
        Small::new(Growth { load: 60, step: 1 }).expect("memory"),
        WriterState::default(),
    );
    for fingerprint in fingerprints {
        table.insert(&mut writer, *fingerprint, 7).expect("memory");
    }
    (Arc::new(table), writer)
}

fn find_meanwhile(table: &Arc<Small>, fingerprint: Fingerprint) -> thread::JoinHandle<Option<u64>> {
    let table = table.clone();
    thread::spawn(move || table.find(fingerprint))
}

#[test]
fn a_key_is_found_while_it_moves() {
    model(|| {
        let key = fingerprint(3, 1);
        let (table, mut writer) = with(&[key]);
        let reader = find_meanwhile(&table, key);
        table.grow_a_step(&mut writer).expect("memory");
        assert_eq!(reader.join().expect("a reader"), Some(7));
    });
}

#[test]
fn a_key_is_found_while_its_slot_goes_to_another() {
    model(|| {
        let (key, other) = (fingerprint(3, 1), fingerprint(2, 2));
        let (table, mut writer) = with(&[key, other]);
        let reader = find_meanwhile(&table, key);
        // The first step takes `key` out of bucket 3, the second puts `other` there.
        table.grow_a_step(&mut writer).expect("memory");
        table.grow_a_step(&mut writer).expect("memory");
        assert_eq!(reader.join().expect("a reader"), Some(7));
    });
}

#[test]
fn a_key_behind_a_full_bucket_is_found_while_that_changes() {
    model(|| {
        let (first, behind) = (fingerprint(1, 1), fingerprint(1, 2));
        let (table, mut writer) = with(&[first, behind]);
        let reader = find_meanwhile(&table, behind);
        table.remove(&mut writer, first);
        table.insert(&mut writer, first, 7).expect("memory");
        assert_eq!(reader.join().expect("a reader"), Some(7));
    });
}

#[test]
fn a_key_behind_a_full_bucket_is_found_while_both_move() {
    model(|| {
        let (first, behind) = (fingerprint(3, 1), fingerprint(3, 2));
        let (table, mut writer) = with(&[first, behind]);
        let reader = find_meanwhile(&table, behind);
        table.grow_a_step(&mut writer).expect("memory");
        assert_eq!(reader.join().expect("a reader"), Some(7));
    });
}

#[test]
fn a_key_is_found_while_it_moves_twice() {
    model(|| {
        let key = fingerprint(3, 1);
        let (table, mut writer) = with(&[key]);
        let reader = find_meanwhile(&table, key);
        // Four steps make the second level, in which the key moves at once.
        for _ in 0..5 {
            table.grow_a_step(&mut writer).expect("memory");
        }
        assert_eq!(reader.join().expect("a reader"), Some(7));
    });
}

#[test]
fn a_key_comes_with_its_tag_and_value() {
    model(|| {
        let (table, mut writer) = with(&[]);
        let reader = find_meanwhile(&table, fingerprint(1, 9));
        table
            .insert(&mut writer, fingerprint(1, 9), 5)
            .expect("memory");
        assert!(matches!(reader.join().expect("a reader"), None | Some(5)));
        assert_eq!(table.find(fingerprint(1, 9)), Some(5));
    });
}

#[test]
fn a_blocked_pair_is_never_a_no_while_its_owner_is_forgotten_and_learned_again() {
    model(|| {
        let (owner, pair) = (fingerprint(0, 1), fingerprint(2, 1));
        let (owners, mut owner_pen) = with(&[owner]);
        let (pairs, mut pair_pen) = with(&[pair]);
        let reader = {
            let (owners, pairs) = (owners.clone(), pairs.clone());
            thread::spawn(move || {
                let (owner, pair) = (owners.fetch(owner), pairs.fetch(pair));
                check::check(&owners, owner, |_| true, &pairs, Some(pair))
            })
        };
        owners.remove(&mut owner_pen, owner);
        pairs.remove(&mut pair_pen, pair);
        pairs.insert(&mut pair_pen, pair, 0).expect("memory");
        owners.insert(&mut owner_pen, owner, 8).expect("memory");
        assert_ne!(reader.join().expect("a reader"), Answer::No);
    });
}
