//! The table with one thread. Here and not inside it, since `tests/cache_model.rs` compiles the table alone.

use super::bucket::Fingerprint;
use super::table::{Growth, Table, WriterState, buckets, shape};
use super::{ALL_PAIRS, SOME_PAIRS};

/// Words and tags as a hash would make them.
fn fingerprints(count: u64) -> impl Iterator<Item = Fingerprint> {
    let mut random = fastrand::Rng::with_seed(count);
    (0..count).map(move |_| Fingerprint::new(random.u64(..), random.u8(..)))
}

fn filled(growth: Growth, count: u64) -> (Table<7>, WriterState) {
    let (table, mut writer) = (Table::new(growth).expect("memory"), WriterState::default());
    for fingerprint in fingerprints(count) {
        table.insert(&mut writer, fingerprint, 0).expect("memory");
    }
    (table, writer)
}

#[test]
fn a_home_never_goes_down() {
    for (growth, fingerprint) in [SOME_PAIRS, ALL_PAIRS]
        .into_iter()
        .flat_map(|growth| fingerprints(100).map(move |fingerprint| (growth, fingerprint)))
    {
        let mut last = 0;
        for level in (0..60).step_by(usize::try_from(growth.step).expect("small")) {
            for frontier in (1..=buckets(level)).rev().step_by(211) {
                let home = growth.home(shape(level, frontier), fingerprint.word);
                assert!(home >= last && home < buckets(level + growth.step));
                last = home;
            }
        }
    }
}

#[test]
fn a_level_that_is_done_is_the_next_one_begun() {
    for growth in [SOME_PAIRS, ALL_PAIRS] {
        for fingerprint in fingerprints(1000) {
            for level in 0..120 {
                let next = level + growth.step;
                assert_eq!(
                    growth.home(shape(level, 0), fingerprint.word),
                    growth.home(shape(next, buckets(next)), fingerprint.word)
                );
            }
        }
    }
}

#[test]
fn every_key_is_found_while_the_table_grows() {
    for growth in [SOME_PAIRS, ALL_PAIRS] {
        let (table, mut writer) = filled(growth, 0);
        let all: Vec<_> = fingerprints(3000).collect();
        for (count, fingerprint) in all.iter().enumerate() {
            assert_eq!(table.insert(&mut writer, *fingerprint, 0), Ok(true));
            assert!(
                all[..=count]
                    .iter()
                    .all(|fingerprint| table.find(*fingerprint).is_some())
            );
        }
        assert!(fingerprints(2999).all(|fingerprint| table.find(fingerprint).is_none()));
    }
}

#[test]
fn a_look_up_reads_few_lines_at_every_size() {
    for (growth, percent) in [(SOME_PAIRS, 109), (ALL_PAIRS, 107)] {
        for count in [1_000, 10_000, 100_000] {
            let (table, _) = filled(growth, count);
            // Half of the questions are hits, half misses.
            let counts: Vec<_> = fingerprints(count)
                .chain(fingerprints(count + 1))
                .map(|fingerprint| table.lines(fingerprint))
                .collect();
            let sum = counts.iter().sum::<u64>();
            let most = counts.iter().max().copied().unwrap_or_default();
            let is_short = sum * 100 < 2 * count * percent && most <= 16;
            assert!(
                is_short,
                "{} %, {count} keys: {sum} lines, {most} at most",
                growth.load
            );
        }
    }
}

#[test]
fn removing_leaves_nothing_behind() {
    let (table, mut writer) = filled(SOME_PAIRS, 10_000);
    let bytes = table.bytes_for(0);
    let mut present: Vec<_> = fingerprints(10_000).collect();
    let mut random = fastrand::Rng::with_seed(7);
    for fresh in fingerprints(200_000).skip(10_000) {
        let old = present.swap_remove(random.usize(..present.len()));
        assert!(table.remove(&mut writer, old));
        table.insert(&mut writer, fresh, 0).expect("memory");
        present.push(fresh);
    }
    assert_eq!((writer.len(), table.bytes_for(0)), (10_000, bytes));
    for fingerprint in present {
        assert!(table.remove(&mut writer, fingerprint));
    }
    assert!(
        (0..5000).all(|at| table.passed(at) == 0),
        "a count was left"
    );
}

#[test]
fn a_map_keeps_its_values_while_it_grows() {
    let (table, mut writer) = (
        Table::<3>::new(SOME_PAIRS).expect("memory"),
        WriterState::default(),
    );
    for (value, fingerprint) in (0..).zip(fingerprints(5000)) {
        table
            .insert(&mut writer, fingerprint, value)
            .expect("memory");
    }
    assert!(
        (0..)
            .zip(fingerprints(5000))
            .all(|(value, fingerprint)| table.find(fingerprint) == Some(value))
    );
    let first = fingerprints(5000).next().expect("a fingerprint");
    assert_eq!(table.insert(&mut writer, first, 77), Ok(false));
    assert_eq!(table.find(first), Some(77));
}

#[test]
fn a_tag_tells_equal_words_apart() {
    let (table, mut writer) = (
        Table::<7>::new(SOME_PAIRS).expect("memory"),
        WriterState::default(),
    );
    let (one, other) = (Fingerprint::new(5, 1), Fingerprint::new(5, 2));
    table.insert(&mut writer, one, 0).expect("memory");
    assert_eq!((table.find(one), table.find(other)), (Some(0), None));
    table.insert(&mut writer, other, 0).expect("memory");
    assert!(table.find(one).is_some() && table.find(other).is_some());
    assert!(table.remove(&mut writer, one));
    assert!(table.find(one).is_none() && table.find(other).is_some());
}
