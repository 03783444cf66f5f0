//! Random answers about fifty targets: what is reported as done is what the answer says, no more and
//! no less. The generator is seeded; the seed is printed.

use std::collections::HashMap;

use chatblock::Status;
use fastrand::Rng;
use serde_json::json;

use crate::client::client;
use testkit::answers::{item, items_and_failed, sends};
use testkit::fault_server::FaultServer;
use testkit::{depth, report};

const ALREADY: &str = "Err_SNS_BlackListAdd_Already_Exist";

/// What an answer says about a target.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Word {
    Done,
    Same,
    Failed,
}

impl Word {
    fn any(random: &mut Rng) -> Self {
        *random
            .choice(&[Self::Done, Self::Done, Self::Done, Self::Same, Self::Failed])
            .expect("not empty")
    }

    fn item(self, account: &str) -> String {
        match self {
            Self::Done => item(account, 0, ""),
            Self::Same => item(account, 30001, ALREADY),
            Self::Failed => item(account, 30003, ""),
        }
    }
}

/// An answer: words in order, and the accounts that failed.
#[derive(Debug)]
struct Said {
    items: Vec<(String, Word)>,
    failed: Vec<String>,
}

impl Said {
    /// A valid answer about `targets`.
    fn valid(targets: &[String], random: &mut Rng) -> Self {
        let items: Vec<_> = targets
            .iter()
            .map(|target| (target.clone(), Word::any(random)))
            .collect();
        let failed = items.iter().filter(|(_, word)| *word != Word::Done);
        Self {
            failed: failed.map(|(target, _)| target.clone()).collect(),
            items,
        }
    }

    /// Shuffled, dropped, added, repeated: one thing after another.
    fn spoil(&mut self, random: &mut Rng) {
        for _ in 0..random.usize(..8) {
            let place = random.usize(..=self.items.len());
            let any = self.items.get(place).cloned();
            match (random.u8(..7), any) {
                (0, _) => random.shuffle(&mut self.items),
                (1, Some(_)) => drop(self.items.remove(place)),
                (2, _) => self
                    .items
                    .insert(place, ("stranger".into(), Word::any(random))),
                (3, Some(item)) => self.items.insert(random.usize(..=place), item),
                (4, Some((target, _))) => self.items.insert(place, (target, Word::any(random))),
                (5, Some((target, _))) => self.failed.push(target),
                (6, _) => drop(self.failed.pop()),
                _ => {}
            }
        }
    }

    /// What may be reported: the one word that all items of a target have, unless it is a success of
    /// an account that is among the failures.
    fn means(&self) -> HashMap<&str, Word> {
        let mut words: HashMap<&str, Option<Word>> = HashMap::new();
        for (target, word) in &self.items {
            let same = words.entry(target).or_insert(Some(*word));
            *same = same.filter(|same| same == word);
        }
        let failed = |target: &str| self.failed.iter().any(|failed| failed == target);
        let sure = words
            .into_iter()
            .filter_map(|(target, word)| Some((target, word?)));
        sure.filter(|(target, word)| *word != Word::Done || !failed(target))
            .collect()
    }
}

#[test]
fn a_target_is_done_exactly_when_the_answer_says_so() {
    let rounds = depth().pick(400, 5000, 100_000);
    let seed = std::env::var("CHATBLOCK_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("CHATBLOCK_SEED={seed}");
    let mut random = Rng::with_seed(seed);
    let targets: Vec<String> = (0..50).map(|index| format!("target-{index}")).collect();
    let server = FaultServer::plain(Vec::new());
    let client = client(&server, &json!({"rate_per_second": 100_000}));
    let mut done = 0;
    for round in 0..rounds {
        let mut said = Said::valid(&targets, &mut random);
        said.spoil(&mut random);
        let items: Vec<_> = said
            .items
            .iter()
            .map(|(target, word)| word.item(target))
            .collect();
        let failed: Vec<_> = said.failed.iter().map(String::as_str).collect();
        server.push(sends(items_and_failed(&items, &failed)));
        let reply = client.add("owner", &targets);
        let means = said.means();
        for item in reply.items() {
            let expected = match means.get(item.account()) {
                Some(Word::Done) => Some(Status::Ok),
                Some(Word::Same) => Some(Status::Unchanged),
                _ => None,
            };
            let found = Some(item.status()).filter(|status| status.is_done());
            assert_eq!(
                found, expected,
                "seed {seed}, round {round}: {item:?}\n{said:?}"
            );
            done += usize::from(found.is_some());
        }
        assert_eq!(reply.items().len(), targets.len());
    }
    assert!(done > rounds * 25, "most accounts of most answers are done");
    report(
        "hostile",
        &format!("shuffled answers: {rounds} of 50 accounts, seed {seed}, false successes 0"),
    );
}
