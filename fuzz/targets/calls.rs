//! Calls in any order on lists in memory, beside a set of pairs that says what must come of them.
#![no_main]

use std::collections::BTreeSet;
use std::time::Duration;

use chatblock::{Answer, CheckType, Client, Relation, Status};
use libfuzzer_sys::fuzz_target;

/// So few that the calls meet.
const PLAYERS: [&str; 6] = ["ann", "bob", "cem", "dan", "eve", "fay"];
const LONG: Option<Duration> = Some(Duration::from_mins(1));

fn player(byte: u8) -> &'static str {
    PLAYERS[usize::from(byte) % PLAYERS.len()]
}

struct Pair {
    client: Client,
    blocked: BTreeSet<(&'static str, &'static str)>,
    /// Asynchronous calls that were accepted and not polled.
    open: usize,
}

impl Pair {
    fn call(&mut self, kind: u8, owner: &'static str, target: &'static str) {
        match kind % 8 {
            0 => {
                let reply = self.client.add(owner, &[target]);
                self.learn(owner, target, reply.status());
            }
            1 => {
                let reply = self.client.delete(owner, &[target]);
                assert!(reply.status().is_done() || owner == target);
                self.blocked.remove(&(owner, target));
            }
            2 => {
                self.client.add_async(owner, &[target], 7).expect("room");
                self.open += 1;
                assert_eq!(self.client.flush(LONG), Status::Ok);
                let reply = self.client.poll(LONG).expect("a completion");
                self.open -= 1;
                assert_eq!(reply.tag(), 7);
                self.learn(owner, target, reply.status());
            }
            3 => self.compare_list(owner),
            4 => {
                self.client
                    .check_async(owner, &[target], CheckType::Single, 9)
                    .expect("room");
                let reply = self.client.poll(LONG).expect("a completion");
                assert_eq!((reply.tag(), reply.status()), (9, Status::Ok));
            }
            _ => {}
        }
        self.compare(owner, target);
    }

    fn learn(&mut self, owner: &'static str, target: &'static str, status: Status) {
        // The service refuses to block oneself.
        assert_eq!(
            status.is_done(),
            owner != target,
            "{owner} {target}: {status:?}"
        );
        if status.is_done() {
            self.blocked.insert((owner, target));
        }
    }

    fn compare(&self, owner: &'static str, target: &'static str) {
        let expected = self.blocked.contains(&(owner, target));
        let told = self.client.is_blocked(owner, target);
        assert_eq!(told, if expected { Answer::Yes } else { Answer::No });
        let reply = self.client.check(owner, &[target], CheckType::Single);
        let relation = reply.items()[0].relation();
        assert_eq!(relation == Relation::AWithB, expected, "{relation:?}");
    }

    fn compare_list(&self, owner: &'static str) {
        let reply = self.client.get(owner, 0, 100);
        let listed: BTreeSet<_> = reply
            .items()
            .iter()
            .map(|item| item.account().to_owned())
            .collect();
        let expected = self.blocked.iter().filter(|(own, _)| *own == owner);
        let expected: BTreeSet<_> = expected.map(|(_, target)| (*target).to_owned()).collect();
        assert_eq!(listed, expected);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let client = Client::open("{}").expect("lists in memory");
    let mut pair = Pair {
        client,
        blocked: BTreeSet::new(),
        open: 0,
    };
    for call in bytes.chunks_exact(3).take(64) {
        pair.call(call[0], player(call[1]), player(call[2]));
    }
    for owner in PLAYERS {
        pair.compare_list(owner);
    }
    assert_eq!(pair.open, 0);
    assert_eq!(pair.client.close(LONG), Status::Ok);
});
