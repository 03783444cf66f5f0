//! P2: blocklists in the containers of Rust's standard library, behind its RwLock. Population, questions and
//! turns are those of population.hpp and standing.hpp. Argument: PAIRS. Then turns: one.

use std::collections::{HashMap, HashSet};
use std::hint::black_box;
use std::io::BufRead;
use std::sync::RwLock;

const PAIRS_PER_OWNER: u64 = 100;

type Failure = Box<dyn std::error::Error>;
type Lists = HashMap<String, HashSet<String>>;

struct Question {
    owner: String,
    peer: String,
    is_hit: bool,
}

fn main() -> Result<(), Failure> {
    let pairs: u64 = std::env::args().nth(1).ok_or("usage: PAIRS")?.parse()?;
    let before = resident_bytes()?;
    let lists = RwLock::new(populate(pairs));
    println!("{{\"resident\": {}}}", resident_bytes()? - before);
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        let ["one", count, seed] = words[..] else {
            return Err(format!("not a turn: {line}").into());
        };
        let all = questions(pairs, count.parse()?, seed.parse()?);
        println!("{{\"ns\": {}}}", ns_per_question(&lists, &all)?);
    }
    Ok(())
}

fn owner_account(owner: u64) -> String {
    format!("owne_{owner:010}")
}

fn blocked_account(owner: u64, index: u64) -> String {
    let number = (owner * PAIRS_PER_OWNER + index) * 2_654_435_761 % (1 << 32);
    format!("play_{number:010}")
}

fn populate(pairs: u64) -> Lists {
    let mut lists = Lists::new();
    for owner in 0..pairs / PAIRS_PER_OWNER {
        let list = lists.entry(owner_account(owner)).or_default();
        for index in 0..PAIRS_PER_OWNER {
            list.insert(blocked_account(owner, index));
        }
    }
    lists
}

/// SplitMix64.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

fn questions(pairs: u64, count: usize, seed: u64) -> Vec<Question> {
    let owners = pairs / PAIRS_PER_OWNER;
    let mut state = seed << 32;
    let mut next = || random(&mut state);
    let mut question = || {
        let (owner, index, is_hit) = (next() % owners, next() % PAIRS_PER_OWNER, next() % 2 == 0);
        let another = (owner + 1 + next() % (owners - 1)) % owners;
        Question {
            owner: owner_account(owner),
            peer: blocked_account(if is_hit { owner } else { another }, index),
            is_hit,
        }
    };
    (0..count).map(|_| question()).collect()
}

fn is_blocked(lists: &RwLock<Lists>, owner: &str, peer: &str) -> bool {
    let lists = lists.read().expect("nobody panics with the lock");
    lists.get(owner).is_some_and(|list| list.contains(peer))
}

fn ns_per_question(lists: &RwLock<Lists>, questions: &[Question]) -> Result<f64, Failure> {
    let nothing = black_box(0);
    let (mut at, mut wrong) = (0, 0);
    let from = thread_cpu_ns();
    while at < questions.len() {
        let question = &questions[at];
        let answer = is_blocked(lists, &question.owner, &question.peer);
        wrong += usize::from(answer != question.is_hit);
        at += 1 + (usize::from(answer) & nothing);
    }
    let ns = (thread_cpu_ns() - from) / questions.len() as f64;
    if wrong > 0 {
        return Err(format!("{wrong} answers were wrong").into());
    }
    Ok(ns)
}

unsafe extern "C" {
    fn clock_gettime(clock: i32, time: *mut [i64; 2]) -> i32;
}

const CLOCK_THREAD_CPUTIME_ID: i32 = 3;

/// Time that this thread was on a processor.
fn thread_cpu_ns() -> f64 {
    let mut time = [0; 2];
    // SAFETY: on 64-bit Linux a `timespec` is two 64-bit integers.
    let outcome = unsafe { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(outcome, 0, "the clock of the thread cannot be read");
    time[0] as f64 * 1e9 + time[1] as f64
}

/// Bytes of this process that are in memory, in pages of 4 KiB.
fn resident_bytes() -> Result<f64, Failure> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let resident: f64 = statm.split(' ').nth(1).ok_or("no statm")?.parse()?;
    Ok(resident * 4096.0)
}
