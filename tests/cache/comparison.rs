//! The cache against a plain map, with two threads that write and two that read.
//!
//! Each writer has owners of its own. It publishes for every pair what it is about to do, so that a reader can tell
//! when it is allowed to see what.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::thread;

use chatblock::cache::{Answer, BlockCache, Effect, Limits};

use super::KEY;

/// Owners of each writer, and peers of each owner. Few enough that readers and writers meet.
const OWNERS: usize = 200;
const PEERS: usize = 120;

/// The state of a pair: `STABLE` with the answer, or one that is being changed. The upper bits count changes.
const NO: u32 = 0;
const YES: u32 = 1;
const UNKNOWN: u32 = 2;
const CHANGING: u32 = 3;
const STATE: u32 = 3;

/// Names as the service would have them, made once.
struct Names {
    owners: Vec<String>,
    peers: Vec<String>,
}

/// What both kinds of threads share: the cache, and the state of each pair by number.
struct Shared {
    cache: BlockCache,
    names: Names,
    states: Vec<AtomicU32>,
    is_partial: bool,
    differences: AtomicU64,
    /// Operations that are still to be done, by whoever comes first.
    left: AtomicI64,
}

impl Shared {
    fn new(is_partial: bool, operations: i64) -> Self {
        let limits = Limits {
            max_bytes: 1 << 30,
            max_age_ms: 1_000,
        };
        let cache = if is_partial {
            BlockCache::partial(KEY, limits)
        } else {
            BlockCache::complete(KEY)
        };
        let names = |kind: &str, count| (0..count).map(|n| format!("{kind}-{n}")).collect();
        let first = if is_partial { UNKNOWN } else { NO };
        Self {
            cache: cache.expect("memory"),
            names: Names {
                owners: names("owner", 2 * OWNERS),
                peers: names("peer", PEERS),
            },
            states: (0..2 * OWNERS * PEERS)
                .map(|_| AtomicU32::new(first))
                .collect(),
            is_partial,
            differences: AtomicU64::new(0),
            left: AtomicI64::new(operations),
        }
    }

    fn state(&self, owner: usize, peer: usize) -> &AtomicU32 {
        &self.states[owner * PEERS + peer]
    }

    /// Before a change to a pair: no reader holds an answer against it any more.
    fn begin(&self, owner: usize, peer: usize) {
        let state = self.state(owner, peer);
        let next = (state.load(Ordering::Relaxed) | STATE) + 1;
        state.store(next | CHANGING, Ordering::SeqCst);
    }

    /// After a change to a pair: this is the answer now.
    fn end(&self, owner: usize, peer: usize, answer: u32) {
        let state = self.state(owner, peer);
        let now = state.load(Ordering::Relaxed);
        state.store((now & !STATE) | answer, Ordering::SeqCst);
    }

    fn ask(&self, owner: usize, peer: usize) -> u32 {
        let (owner, peer) = (&self.names.owners[owner], &self.names.peers[peer]);
        match self
            .cache
            .is_blocked(owner.as_bytes(), peer.as_bytes(), || 0)
        {
            Answer::No => NO,
            Answer::Yes => YES,
            Answer::Unknown => UNKNOWN,
        }
    }

    fn differ(&self, what: std::fmt::Arguments<'_>) {
        if self.differences.fetch_add(1, Ordering::Relaxed) < 10 {
            eprintln!("difference: {what}");
        }
    }

    /// Asks about a pair; when nobody changed it meanwhile, the answer must be the one.
    fn read(&self, owner: usize, peer: usize) {
        let before = self.state(owner, peer).load(Ordering::SeqCst);
        let answer = self.ask(owner, peer);
        let after = self.state(owner, peer).load(Ordering::SeqCst);
        if before == after && before & STATE != CHANGING && answer != before & STATE {
            self.differ(format_args!(
                "{owner} {peer}: {answer}, not {}",
                before & STATE
            ));
        }
    }
}

/// One writer with its plain map. Unknown owners are not in it.
struct Writer<'a> {
    shared: &'a Shared,
    random: fastrand::Rng,
    first_owner: usize,
    plain: HashMap<usize, HashSet<usize>>,
}

impl Writer<'_> {
    /// One random operation; returns how many pairs it set or compared.
    fn act(&mut self) -> u64 {
        let owner = self.first_owner + self.random.usize(..OWNERS);
        let peer = self.random.usize(..PEERS);
        match self.random.u32(..200) {
            0 if self.shared.is_partial => self.evict(owner),
            1..=3 if self.shared.is_partial => self.replace(owner),
            4 => self.compare(owner),
            // Times of adding and times of removing, so that the table fills and empties.
            dice => {
                let blocking = if self.random.bool() { 150 } else { 60 };
                self.change(owner, peer, dice < blocking)
            }
        }
    }

    fn change(&mut self, owner: usize, peer: usize, blocked: bool) -> u64 {
        let shared = self.shared;
        let names = &shared.names;
        let (owner_name, peer_name) =
            (names.owners[owner].as_bytes(), names.peers[peer].as_bytes());
        let list = match self.plain.get_mut(&owner) {
            Some(list) => Some(list),
            None if shared.is_partial => None,
            None => Some(self.plain.entry(owner).or_default()),
        };
        shared.begin(owner, peer);
        let effect = if blocked {
            shared.cache.block(owner_name, peer_name)
        } else {
            shared.cache.unblock(owner_name, peer_name)
        };
        let (wanted, answer) = match list {
            None => (Effect::Ignored, UNKNOWN),
            Some(list) => {
                let changed = if blocked {
                    list.insert(peer)
                } else {
                    list.remove(&peer)
                };
                let effect = if changed {
                    Effect::Changed
                } else {
                    Effect::Unchanged
                };
                (effect, u32::from(blocked))
            }
        };
        if effect != Ok(wanted) {
            shared.differ(format_args!("{owner} {peer}: {effect:?}, not {wanted:?}"));
        }
        shared.end(owner, peer, answer);
        1
    }

    fn replace(&mut self, owner: usize) -> u64 {
        let shared = self.shared;
        let share = self.random.usize(1..10);
        let list: HashSet<_> = (0..PEERS)
            .filter(|_| self.random.usize(..10) < share)
            .collect();
        let old = self.plain.get(&owner);
        // A pair that stays what it was is not announced: readers must not notice anything.
        let changing = |peer: &usize| answer(old, *peer) != answer(Some(&list), *peer);
        let changed: Vec<_> = (0..PEERS).filter(changing).collect();
        for peer in &changed {
            shared.begin(owner, *peer);
        }
        let name = shared.names.owners[owner].as_bytes();
        shared.cache.set_loading(name).expect("room");
        let peers = list.iter().map(|peer| shared.names.peers[*peer].as_bytes());
        let effect = shared.cache.replace(name, peers, 0);
        assert_eq!(effect, Ok(Effect::Changed));
        for peer in &changed {
            shared.end(owner, *peer, answer(Some(&list), *peer));
        }
        let count = list.len() as u64;
        self.plain.insert(owner, list);
        count
    }

    fn evict(&mut self, owner: usize) -> u64 {
        (0..PEERS).for_each(|peer| self.shared.begin(owner, peer));
        self.shared
            .cache
            .evict(self.shared.names.owners[owner].as_bytes());
        (0..PEERS).for_each(|peer| self.shared.end(owner, peer, UNKNOWN));
        self.plain
            .remove(&owner)
            .map_or(1, |list| list.len() as u64)
    }

    /// All pairs of an owner that only this thread writes.
    fn compare(&self, owner: usize) -> u64 {
        let list = self.plain.get(&owner);
        for peer in 0..PEERS {
            let wanted = match list {
                Some(list) => u32::from(list.contains(&peer)),
                None if self.shared.is_partial => UNKNOWN,
                None => NO,
            };
            let answer = self.shared.ask(owner, peer);
            if answer != wanted {
                self.shared
                    .differ(format_args!("{owner} {peer}: {answer}, not {wanted}"));
            }
        }
        PEERS as u64
    }
}

/// The answer of a plain map with unknown owners.
fn answer(list: Option<&HashSet<usize>>, peer: usize) -> u32 {
    list.map_or(UNKNOWN, |list| u32::from(list.contains(&peer)))
}

/// A share of the operations: how many are done before another is taken.
const SHARE: i64 = 1000;

/// Lets both kinds of threads do what is left, and returns how many operations they did.
fn compare(shared: &Shared) -> u64 {
    let more = move || shared.left.fetch_sub(SHARE, Ordering::Relaxed) > 0;
    let write = move |number: usize| {
        let mut writer = Writer {
            shared,
            random: fastrand::Rng::with_seed(number as u64),
            first_owner: number * OWNERS,
            plain: HashMap::new(),
        };
        let mut count = 0;
        while more() {
            count += (0..SHARE).map(|_| writer.act()).sum::<u64>();
        }
        let owners = writer.first_owner..writer.first_owner + OWNERS;
        count + owners.map(|owner| writer.compare(owner)).sum::<u64>()
    };
    let read = move |seed: u64| {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut count = 0;
        while more() {
            (0..SHARE).for_each(|_| shared.read(random.usize(..2 * OWNERS), random.usize(..PEERS)));
            count += SHARE.unsigned_abs();
        }
        count
    };
    thread::scope(|scope| {
        let writers = [0, 1].map(|number| scope.spawn(move || write(number)));
        let readers = [2, 3].map(|seed| scope.spawn(move || read(seed)));
        let all = writers.into_iter().chain(readers);
        all.map(|thread| thread.join().expect("a thread")).sum()
    })
}

#[test]
fn the_cache_answers_as_a_plain_map_would() {
    let wanted = testkit::depth().pick(10_000_000, 100_000_000, 1_000_000_000);
    let (mut operations, mut differences) = (0, 0);
    // Several lives, because a table grows only once in each.
    for life in 0..20 {
        let shared = Shared::new(life % 2 == 0, wanted / 20);
        operations += compare(&shared);
        differences += shared.differences.into_inner();
    }
    testkit::report(
        "cache",
        &format!("cache: operations {operations}, differences {differences}"),
    );
    assert_eq!(differences, 0);
    assert!(operations >= wanted.unsigned_abs());
}
