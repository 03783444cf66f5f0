//! The cache: what it answers, when it says that it does not know, and what it costs.

mod comparison;

use chatblock::cache::{Answer, BlockCache, Change, Effect, Full, Knowledge, Limits};

const KEY: [u64; 2] = [1, 2];

const LIMITS: Limits = Limits {
    max_bytes: 1 << 20,
    max_age_ms: 60_000,
};

fn complete() -> BlockCache {
    BlockCache::complete(KEY).expect("memory")
}

fn partial() -> BlockCache {
    BlockCache::partial(KEY, LIMITS).expect("memory")
}

/// Makes the list of `owner` known at `now_ms`.
fn learn(cache: &BlockCache, owner: &str, peers: &[&str], now_ms: u64) -> Result<Effect, Full> {
    cache.set_loading(owner.as_bytes())?;
    cache.replace(
        owner.as_bytes(),
        peers.iter().map(|peer| peer.as_bytes()),
        now_ms,
    )
}

fn ask(cache: &BlockCache, owner: &str, peer: &str) -> Answer {
    cache.is_blocked(owner.as_bytes(), peer.as_bytes(), || 0)
}

#[test]
fn a_complete_cache_knows_everybody() {
    let cache = complete();
    assert_eq!(ask(&cache, "ann", "bob"), Answer::No);
    assert_eq!(cache.block(b"ann", b"bob"), Ok(Effect::Changed));
    assert_eq!(cache.block(b"ann", b"bob"), Ok(Effect::Unchanged));
    assert_eq!(ask(&cache, "ann", "bob"), Answer::Yes);
    assert_eq!(ask(&cache, "bob", "ann"), Answer::No);
    assert_eq!(cache.unblock(b"ann", b"bob"), Ok(Effect::Changed));
    assert_eq!(cache.unblock(b"ann", b"bob"), Ok(Effect::Unchanged));
    assert_eq!(ask(&cache, "ann", "bob"), Answer::No);
}

#[test]
fn the_same_bytes_split_in_another_place_are_another_pair() {
    let cache = complete();
    cache.block(b"ab", b"c").expect("memory");
    assert_eq!(ask(&cache, "a", "bc"), Answer::No);
    assert_eq!(ask(&cache, "ab", "c"), Answer::Yes);
}

#[test]
fn many_changes_come_to_what_they_come_to_one_by_one() {
    let names: Vec<_> = (0..300).map(|name| format!("name{name}")).collect();
    let mut random = fastrand::Rng::with_seed(1);
    let changes: Vec<_> = (0..5000)
        .map(|_| Change {
            owner: b"ann",
            peer: names[random.usize(..names.len())].as_bytes(),
            blocked: random.bool(),
        })
        .chain([Change {
            owner: b"ann",
            peer: b"",
            blocked: true,
        }])
        .collect();
    for (all, one_by_one) in [(complete(), complete()), (partial(), partial())] {
        for cache in [&all, &one_by_one] {
            learn(cache, "ann", &["name7"], 0).expect("room");
        }
        all.change_all(changes.iter().copied()).expect("room");
        for change in &changes {
            let set = if change.blocked {
                BlockCache::block
            } else {
                BlockCache::unblock
            };
            set(&one_by_one, change.owner, change.peer).expect("room");
        }
        for name in &names {
            assert_eq!(ask(&all, "ann", name), ask(&one_by_one, "ann", name));
        }
        assert_eq!(all.stats(0).pairs, one_by_one.stats(0).pairs);
    }
}

#[test]
fn an_account_never_blocks_itself() {
    for cache in [complete(), partial()] {
        assert_eq!(cache.block(b"ann", b"ann"), Ok(Effect::Ignored));
        assert_eq!(ask(&cache, "ann", "ann"), Answer::No);
    }
}

#[test]
fn what_cannot_be_an_identifier_is_never_in_the_cache() {
    let long = "x".repeat(33);
    let cache = complete();
    for bad in ["", &long] {
        assert_eq!(cache.block(b"ann", bad.as_bytes()), Ok(Effect::Ignored));
        assert_eq!(cache.block(bad.as_bytes(), b"ann"), Ok(Effect::Ignored));
        assert_eq!(ask(&cache, "ann", bad), Answer::No);
        assert_eq!(ask(&cache, bad, "ann"), Answer::No);
    }
    let cache = partial();
    learn(&cache, "ann", &["bob", "", &long], 0).expect("room");
    assert_eq!(cache.stats(0).pairs, 1);
    assert_eq!(ask(&cache, "ann", &long), Answer::No);
    assert_eq!(ask(&cache, &long, "ann"), Answer::Unknown);
}

#[test]
fn bytes_that_are_no_text_are_looked_up_all_the_same() {
    let cache = complete();
    cache.block(b"\xff\xfe", b"\0").expect("memory");
    assert_eq!(cache.is_blocked(b"\xff\xfe", b"\0", || 0), Answer::Yes);
    assert_eq!(cache.is_blocked(b"\xff", b"\0", || 0), Answer::No);
}

#[test]
fn an_owner_is_unknown_until_its_list_is_complete() {
    let cache = partial();
    assert_eq!(ask(&cache, "ann", "bob"), Answer::Unknown);
    assert_eq!(cache.knowledge(b"ann"), Some(Knowledge::Unknown));
    cache.set_loading(b"ann").expect("room");
    assert_eq!(ask(&cache, "ann", "bob"), Answer::Unknown);
    assert_eq!(cache.knowledge(b"ann"), Some(Knowledge::Loading));
    let peers = [b"bob".as_slice(), b"bob", b"cat"];
    assert_eq!(cache.replace(b"ann", peers, 1_234), Ok(Effect::Changed));
    assert_eq!(ask(&cache, "ann", "bob"), Answer::Yes);
    assert_eq!(ask(&cache, "ann", "dan"), Answer::No);
    let known = Knowledge::Known {
        refreshed_ms: 1_200,
        loading: false,
    };
    assert_eq!(cache.knowledge(b"ann"), Some(known));
    let stats = cache.stats(0);
    assert_eq!((stats.pairs, stats.owners_known), (2, 1));
}

#[test]
fn another_list_replaces_the_one_before() {
    let cache = partial();
    learn(&cache, "ann", &["bob", "cat"], 0).expect("room");
    learn(&cache, "ann", &["cat", "dan"], 0).expect("room");
    assert_eq!(ask(&cache, "ann", "bob"), Answer::No);
    assert_eq!(ask(&cache, "ann", "cat"), Answer::Yes);
    assert_eq!(ask(&cache, "ann", "dan"), Answer::Yes);
    assert_eq!(cache.stats(0).pairs, 2);
}

#[test]
fn changes_of_unknown_owners_are_ignored() {
    let cache = partial();
    assert_eq!(cache.block(b"ann", b"bob"), Ok(Effect::Ignored));
    assert_eq!(cache.unblock(b"ann", b"bob"), Ok(Effect::Ignored));
    assert_eq!(ask(&cache, "ann", "bob"), Answer::Unknown);
    assert_eq!(cache.stats(0).pairs, 0);
}

#[test]
fn changes_during_a_listing_stand_on_top_of_it() {
    let cache = partial();
    cache.set_loading(b"ann").expect("room");
    cache.block(b"ann", b"bob").expect("room");
    cache.unblock(b"ann", b"cat").expect("room");
    cache.block(b"ann", b"dan").expect("room");
    cache.unblock(b"ann", b"dan").expect("room");
    let listing = [b"cat".as_slice(), b"eve"];
    cache.replace(b"ann", listing, 0).expect("room");
    let answers = ["bob", "cat", "dan", "eve"].map(|peer| ask(&cache, "ann", peer));
    assert_eq!(answers, [Answer::Yes, Answer::No, Answer::No, Answer::Yes]);
}

#[test]
fn changes_during_a_listing_take_bounded_memory() {
    let cache = partial();
    cache.set_loading(b"ann").expect("room");
    for _ in 0..100_000 {
        cache.unblock(b"ann", b"bob").expect("room");
        cache.block(b"ann", b"bob").expect("room");
    }
    let bytes = cache.stats(0).bytes;
    assert!(bytes < 1 << 19, "{bytes} bytes");
    assert_eq!(cache.replace(b"ann", [], 0), Ok(Effect::Changed));
    assert_eq!(ask(&cache, "ann", "bob"), Answer::Yes);
    cache.set_loading(b"eve").expect("room");
    for number in 0..10_000 {
        let peer = number.to_string();
        cache.block(b"eve", peer.as_bytes()).expect("room");
    }
    let bytes = cache.stats(0).bytes;
    assert!(bytes < 1 << 19, "{bytes} bytes");
    let listing = [b"bob".as_slice()];
    assert_eq!(cache.replace(b"eve", listing, 0), Ok(Effect::Ignored));
    assert_eq!(ask(&cache, "eve", "bob"), Answer::Unknown);
    assert_eq!(learn(&cache, "eve", &["bob"], 0), Ok(Effect::Changed));
    assert_eq!(ask(&cache, "eve", "bob"), Answer::Yes);
}

#[test]
fn a_known_owner_keeps_answering_while_it_is_read_again() {
    let cache = partial();
    learn(&cache, "ann", &["bob"], 0).expect("room");
    cache.set_loading(b"ann").expect("room");
    assert_eq!(cache.block(b"ann", b"cat"), Ok(Effect::Changed));
    assert_eq!(ask(&cache, "ann", "bob"), Answer::Yes);
    assert_eq!(ask(&cache, "ann", "cat"), Answer::Yes);
    cache.stop_loading(b"ann");
    assert_eq!(ask(&cache, "ann", "cat"), Answer::Yes);
}

#[test]
fn a_list_that_nobody_awaits_is_ignored() {
    let cache = partial();
    let peers = [b"bob".as_slice()];
    assert_eq!(cache.replace(b"ann", peers, 0), Ok(Effect::Ignored));
    cache.set_loading(b"ann").expect("room");
    cache.stop_loading(b"ann");
    assert_eq!(cache.replace(b"ann", peers, 0), Ok(Effect::Ignored));
    assert_eq!(ask(&cache, "ann", "bob"), Answer::Unknown);
    cache.set_loading(b"ann").expect("room");
    cache.evict(b"ann");
    assert_eq!(cache.replace(b"ann", peers, 0), Ok(Effect::Ignored));
    assert_eq!(cache.stats(0).owners_known, 0);
}

#[test]
fn a_list_that_is_too_old_says_nothing() {
    let cache = partial();
    learn(&cache, "ann", &["bob"], 5_000).expect("room");
    let at = |now_ms| cache.is_blocked(b"ann", b"bob", || now_ms);
    assert_eq!(at(65_000), Answer::Yes);
    assert_eq!(at(65_100), Answer::Unknown);
    assert_eq!(at(0), Answer::Yes, "a reader may be late with its time");
    learn(&cache, "ann", &["bob"], 65_000).expect("room");
    assert_eq!(at(65_100), Answer::Yes);
}

#[test]
fn an_evicted_owner_is_unknown_and_its_pairs_are_gone() {
    let cache = partial();
    learn(&cache, "ann", &["bob", "cat"], 0).expect("room");
    cache.evict(b"ann");
    assert_eq!(ask(&cache, "ann", "bob"), Answer::Unknown);
    assert_eq!(cache.stats(0).pairs, 0);
    learn(&cache, "ann", &["cat"], 0).expect("room");
    assert_eq!(ask(&cache, "ann", "bob"), Answer::No);
}

#[test]
fn the_budget_holds_and_evicts_who_was_refreshed_first() {
    let cache = partial();
    let peers: Vec<_> = (0..100).map(|peer| format!("peer{peer}")).collect();
    let peers: Vec<_> = peers.iter().map(String::as_str).collect();
    learn(&cache, "friend", &peers, 0).expect("room");
    cache.set_watched(b"friend", true);
    for owner in 0..5_000_u64 {
        learn(&cache, &format!("owner{owner}"), &peers, owner * 10).expect("room");
        assert!(cache.stats(0).bytes <= LIMITS.max_bytes);
    }
    let stats = cache.stats(0);
    assert_eq!(stats.evictions + stats.owners_known, 5_001);
    assert_eq!(stats.pairs, stats.owners_known * 100);
    assert!(stats.owners_known > 380, "{stats:?}");
    assert_eq!(ask(&cache, "friend", "peer1"), Answer::Yes);
    for owner in 0..5_000 {
        let is_known = owner + stats.owners_known > 5_000;
        let wanted = if is_known {
            Answer::Yes
        } else {
            Answer::Unknown
        };
        assert_eq!(ask(&cache, &format!("owner{owner}"), "peer7"), wanted);
    }
}

#[test]
fn a_list_beyond_the_budget_makes_its_owner_unknown() {
    let cache = partial();
    learn(&cache, "ann", &["bob"], 0).expect("room");
    let peers: Vec<_> = (0..100_000).map(|peer| format!("peer{peer}")).collect();
    let peers: Vec<_> = peers.iter().map(String::as_str).collect();
    assert_eq!(learn(&cache, "ann", &peers, 0), Err(Full));
    assert_eq!(ask(&cache, "ann", "bob"), Answer::Unknown);
    learn(&cache, "ann", &[], 0).expect("room");
    let last = peers
        .iter()
        .position(|peer| cache.block(b"ann", peer.as_bytes()) == Err(Full));
    let last = last.expect("the budget ends");
    assert!(last > 30_000, "{last}");
    assert_eq!(ask(&cache, "ann", "peer0"), Answer::Unknown);
    assert_eq!(cache.stats(0).pairs, 0);
}

#[test]
fn a_listing_survives_the_eviction_of_its_owner() {
    let limits = Limits {
        max_bytes: 20_000,
        ..LIMITS
    };
    let cache = BlockCache::partial(KEY, limits).expect("memory");
    learn(&cache, "ann", &["bob"], 0).expect("room");
    cache.set_loading(b"ann").expect("room");
    cache.block(b"ann", b"cat").expect("room");
    for owner in 0..1000 {
        learn(&cache, &format!("owner{owner}"), &["bob"], 100).expect("room");
    }
    assert_eq!(cache.knowledge(b"ann"), Some(Knowledge::Loading));
    cache.replace(b"ann", [b"bob".as_slice()], 0).expect("room");
    assert_eq!(ask(&cache, "ann", "cat"), Answer::Yes);
}

#[test]
fn many_owners_are_asked_at_once() {
    let names: Vec<_> = (0..200).map(|name| format!("name{name}")).collect();
    let name = |index: usize| names[index].as_bytes();
    let (all, some) = (complete(), partial());
    for index in (0..200).step_by(3) {
        all.block(name(index), b"name7").expect("memory");
        learn(&some, &names[index], &["name7"], 0).expect("room");
    }
    for cache in [all, some] {
        let answers: Vec<_> = cache.is_blocked_many(&names, b"name7", 0).collect();
        let one_by_one: Vec<_> = (0..200)
            .map(|index| cache.is_blocked(name(index), b"name7", || 0))
            .collect();
        assert_eq!(answers, one_by_one);
        assert_eq!(answers[3], Answer::Yes);
    }
}

#[test]
fn all_pairs_of_a_list_are_found() {
    let names: Vec<_> = (0..100).map(|name| format!("name{name}")).collect();
    let accounts: Vec<_> = names
        .iter()
        .chain(&names[..1])
        .map(String::as_bytes)
        .collect();
    let cache = partial();
    learn(&cache, "name0", &["name1", "name99", "elsewhere"], 0).expect("room");
    learn(&cache, "name70", &["name0"], 0).expect("room");
    let mut pairs = cache.blocked_pairs(&accounts, 0);
    let found: Vec<_> = pairs.by_ref().collect();
    let wanted = [(0, 1), (0, 99), (70, 0), (70, 100), (100, 1), (100, 99)];
    assert_eq!(found, wanted);
    assert_eq!(pairs.unknown(), 98);
    assert_eq!(pairs.next(), None, "it stays at its end");
    assert_eq!(pairs.unknown(), 98);
    let mut of_nobody = cache.blocked_pairs::<&[u8]>(&[], 0);
    assert_eq!((of_nobody.next(), of_nobody.unknown()), (None, 0));
}

#[test]
fn checks_are_counted_by_what_they_came_to() {
    let cache = partial();
    learn(&cache, "ann", &["bob"], 0).expect("room");
    for peer in ["bob", "cat"] {
        ask(&cache, "ann", peer);
    }
    ask(&cache, "bob", "ann");
    let owners = [b"ann".as_slice(), b"bob", b"cat"];
    assert_eq!(cache.is_blocked_many(owners, b"bob", 0).count(), 3);
    let stats = cache.stats(0);
    // "bob" asked about himself is a no, whatever is known of him.
    assert_eq!((stats.hits, stats.unknowns), (4, 2));
}

#[test]
fn a_pair_costs_few_bytes() {
    let cache = complete();
    for owner in 0..500_u32 {
        for peer in 0..200_u32 {
            cache
                .block(&owner.to_le_bytes(), &peer.to_be_bytes())
                .expect("memory");
        }
    }
    let stats = cache.stats(0);
    assert!(stats.bytes <= stats.pairs * 17, "{stats:?}");
}

#[test]
fn lists_that_are_too_old_to_answer_do_not_count_as_known() {
    let cache = partial();
    for (owner, now_ms) in [("ann", 0), ("bob", 10_000), ("cem", 50_000)] {
        learn(&cache, owner, &["dan"], now_ms).expect("room");
    }
    cache.set_watched(b"bob", true);
    let counts = |now_ms| {
        let stats = cache.stats(now_ms);
        (stats.owners_known, stats.owners_expired)
    };
    let is_known = |owner: &str, now_ms: u64| {
        cache.is_blocked(owner.as_bytes(), b"dan", || now_ms) == Answer::Yes
    };
    for now_ms in [0, 60_000, 60_001, 69_999, 70_000, 70_001, 109_999, 110_001] {
        let known = ["ann", "bob", "cem"].map(|owner| is_known(owner, now_ms));
        let known = known.into_iter().filter(|known| *known).count() as u64;
        assert_eq!(counts(now_ms), (known, 3 - known), "{now_ms}");
    }
    cache.set_watched(b"ann", true);
    assert_eq!(counts(110_001), (0, 3));
    learn(&cache, "ann", &["dan"], 111_000).expect("room");
    assert_eq!(counts(111_000), (1, 2));
    cache.evict(b"bob");
    assert_eq!(counts(111_000), (1, 1));
}
