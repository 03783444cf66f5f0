//! Says from the promises of the workers and from what arrived whether writes were lost or overtaken.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::fake_service::Books;

/// `CHATBLOCK_ERR_STORAGE`.
pub const STORAGE: i32 = -10;

/// What one worker said.
#[derive(Default, Debug)]
pub struct Said {
    /// Without an outbox or store nothing was written.
    pub opened: Option<i32>,
    /// Writes on disk, by the word of the library.
    pub recorded: BTreeSet<u64>,
    /// Writes that were not accepted, and why.
    pub refused: BTreeMap<u64, i32>,
    /// Writes that were cancelled, or would have been: nothing is known about them.
    pub cancelled: BTreeSet<u64>,
    /// What `sync` said instead of OK about the writes up to this one.
    pub unrecorded: BTreeMap<u64, i32>,
    pub flushed: Option<i32>,
    pub closed: Option<i32>,
    /// Owner and target on its list.
    pub listed: BTreeSet<(String, String)>,
    /// Everything, for people.
    pub text: String,
    /// What it said on standard error, for people too.
    pub complaint: String,
}

impl Said {
    /// Reads the output of a worker whose first write was `first`. A write is recorded when it was
    /// accepted and the next sync succeeded.
    pub fn read(first: u64, is_single: bool, text: String) -> Self {
        let mut said = Self::default();
        let mut since = first;
        // A kill in the middle of a line is impossible: it is one write.
        for line in text.lines() {
            let words: Vec<_> = line.split(' ').collect();
            let number = |at: usize| words[at].parse::<u64>().expect("a number");
            let status = |at: usize| words[at].parse::<i32>().expect("a status");
            match words[0] {
                "opened" => said.opened = Some(status(1)),
                "recorded" if is_single => drop(said.recorded.insert(number(1))),
                "recorded" => {
                    said.recorded.extend(since..=number(1));
                    since = number(1) + 1;
                }
                "refused" => drop(said.refused.insert(number(1), status(2))),
                "ended" => {}
                "cancelling" => drop(said.cancelled.insert(number(1))),
                "unrecorded" => {
                    said.unrecorded.insert(number(1), status(2));
                    since = number(1) + 1;
                }
                "flushed" => said.flushed = Some(status(1)),
                "closed" => said.closed = Some(status(1)),
                "listed" => drop(said.listed.insert((words[1].into(), words[2].into()))),
                _ => panic!("a worker said {line}"),
            }
        }
        let (refused, cancelled) = (&said.refused, &said.cancelled);
        let is_promised =
            |number: &u64| !refused.contains_key(number) && !cancelled.contains(number);
        said.recorded.retain(is_promised);
        said.text = text;
        said
    }
}

/// What became of the recorded writes.
#[derive(Default, Debug)]
pub struct Verdict {
    pub recorded: usize,
    pub lost: Vec<u64>,
    pub out_of_order: Vec<String>,
}

impl Verdict {
    pub fn sum(parts: Vec<Self>) -> Self {
        let mut sum = Self::default();
        for part in parts {
            sum.add(part);
        }
        sum
    }

    pub fn add(&mut self, other: Self) {
        self.recorded += other.recorded;
        self.lost.extend(other.lost);
        self.out_of_order.extend(other.out_of_order);
    }

    pub fn assert_clean(&self, context: &str) {
        assert!(
            self.lost.is_empty() && self.out_of_order.is_empty(),
            "recorded {}, lost {:?}, out of order {:?}\n{context}",
            self.recorded,
            self.lost,
            self.out_of_order
        );
    }
}

/// The number in "w17s0", and the target that other writes name too.
fn marker(target: &str) -> Option<(u64, Option<&str>)> {
    let rest = target.strip_prefix('w')?;
    let end = rest.find('s').unwrap_or(rest.len());
    let shared = Some(&rest[end..]).filter(|shared| !shared.is_empty());
    Some((rest[..end].parse().ok()?, shared))
}

/// Compares what a store promised with its lists: every fourth write takes back the one before the last.
pub fn judge_store(recorded: &BTreeSet<u64>, listed: &BTreeSet<(String, String)>) -> Verdict {
    let listed: BTreeSet<_> = listed
        .iter()
        .filter_map(|(_, target)| Some(marker(target)?.0))
        .collect();
    let is_kept = |number: &u64| match number % 4 {
        3 => !listed.contains(&(number - 2)),
        // It may be taken back, and nobody heard of it, once the write between was answered.
        1 => {
            let may_be_gone = [number + 1, number + 2]
                .iter()
                .any(|later| recorded.contains(later));
            may_be_gone || listed.contains(number)
        }
        _ => listed.contains(number),
    };
    Verdict {
        recorded: recorded.len(),
        lost: recorded
            .iter()
            .filter(|number| !is_kept(number))
            .copied()
            .collect(),
        out_of_order: Vec::new(),
    }
}

/// Compares what an outbox promised with what arrived, after everything went out.
pub fn judge_outbox(recorded: &BTreeSet<u64>, books: &Books) -> Verdict {
    let mut seen = BTreeSet::new();
    let mut latest: HashMap<&str, u64> = HashMap::new();
    let mut last_word: HashMap<(&str, &str), (u64, bool)> = HashMap::new();
    let mut verdict = Verdict {
        recorded: recorded.len(),
        ..Verdict::default()
    };
    for arrival in &books.arrivals {
        let owner = arrival.owner.as_str();
        for target in &arrival.targets {
            let Some((number, shared)) = marker(target) else {
                continue;
            };
            for target in [Some(target.as_str()), shared].into_iter().flatten() {
                let word = last_word.entry((owner, target)).or_default();
                *word = (*word).max((number, arrival.is_delete));
            }
            if !seen.insert(number) {
                continue;
            }
            let before = latest.entry(owner).or_default();
            if number < *before {
                let text = format!("{number} of {owner} arrived first after {before}");
                verdict.out_of_order.push(text);
            }
            *before = number.max(*before);
        }
    }
    verdict.lost = recorded.difference(&seen).copied().collect();
    for ((owner, target), (number, is_delete)) in last_word {
        let is_blocked = books.blocked.contains(&(owner.into(), target.into()));
        if is_blocked == is_delete {
            let text = format!("{target} of {owner} is not as the last write {number} wants it");
            verdict.out_of_order.push(text);
        }
    }
    verdict
}
