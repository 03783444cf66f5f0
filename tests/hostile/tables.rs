//! Plays the tables over HTTP and over TLS.

use std::path::Path;
use std::time::Duration;

use chatblock::{CheckType, Relation, ReplyItem};
use serde_json::json;

use crate::case::{Case, SHORT_MS};
use crate::cases;
use crate::client::client;
use testkit::answers::{accepted, relation, relations, sends};
use testkit::certificates::Authority;
use testkit::fault_server::FaultServer;
use testkit::{Delays, report};

/// No machine is so busy that a request takes as long as this to arrive.
const MOST_MS: u64 = 32_000;

/// What a table came to.
struct Sum {
    cases: usize,
    false_successes: usize,
    worst: Duration,
}

fn play(cases: &[Case], way: &Way) -> Sum {
    let delays = Delays::begin();
    let mut faults = Vec::new();
    let mut sum = Sum {
        cases: cases.len(),
        false_successes: 0,
        worst: Duration::ZERO,
    };
    for case in cases {
        let mut short_ms = SHORT_MS;
        let mut outcome = case.play(&way.server(), way.ca_file(), short_ms);
        // On a busy machine a handshake takes longer than the time for a call that is to end without an answer.
        while !outcome.arrived && short_ms < MOST_MS {
            short_ms *= 2;
            outcome = case.play(&way.server(), way.ca_file(), short_ms);
        }
        faults.extend(outcome.fault);
        sum.false_successes += outcome.false_successes;
        sum.worst = sum.worst.max(outcome.overrun);
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert_eq!(sum.false_successes, 0);
    let explained = delays.explain();
    assert!(sum.worst < explained, "a call was {:?} late", sum.worst);
    sum
}

fn tell(what: &str, sum: &Sum) {
    let Sum {
        cases,
        false_successes,
        worst,
    } = sum;
    let worst = worst.as_millis();
    report(
        "hostile",
        &format!(
            "hostile answers: {cases} cases of {what}, false successes {false_successes}, \
             worst overrun {worst} ms"
        ),
    );
}

/// How the client and the server speak.
enum Way {
    Plain,
    Tls(testkit::certificates::Leaf, tempfile::NamedTempFile),
}

impl Way {
    fn tls() -> Self {
        let authority = Authority::new("ours");
        let file = tempfile::NamedTempFile::new().expect("there is room for a small file");
        std::fs::write(file.path(), authority.pem()).expect("it can be written");
        Self::Tls(authority.leaf("localhost"), file)
    }

    fn server(&self) -> FaultServer {
        match self {
            Self::Plain => FaultServer::plain(Vec::new()),
            Self::Tls(leaf, _) => FaultServer::tls(leaf.config.clone(), Vec::new()),
        }
    }

    fn ca_file(&self) -> Option<&str> {
        match self {
            Self::Plain => None,
            Self::Tls(_, file) => Path::to_str(file.path()),
        }
    }
}

#[test]
fn what_an_answer_says_is_believed_only_as_far_as_it_goes() {
    tell("content over HTTP", &play(&cases::content(), &Way::Plain));
}

#[test]
fn how_an_answer_travels_decides_whether_it_counts() {
    tell("travel over HTTP", &play(&cases::travel(), &Way::Plain));
}

#[test]
fn what_an_answer_says_is_believed_only_as_far_as_it_goes_over_tls() {
    tell("content over TLS", &play(&cases::content(), &Way::tls()));
}

#[test]
fn how_an_answer_travels_decides_whether_it_counts_over_tls() {
    tell("travel over TLS", &play(&cases::travel(), &Way::tls()));
}

#[test]
fn a_relation_is_that_of_the_answer() {
    let words = ["NO", "AWithB", "BWithA", "BothWay"];
    let answer = relations(&words.map(|word| relation(word, word, 0)));
    let server = FaultServer::plain(vec![sends(answer)]);
    let reply = client(&server, &json!({})).check("owner", &words, CheckType::Both);
    let found: Vec<_> = reply.items().iter().map(ReplyItem::relation).collect();
    let expected = [
        Relation::No,
        Relation::AWithB,
        Relation::BWithA,
        Relation::BothWay,
    ];
    assert_eq!(found, expected);
}

#[test]
fn times_and_the_next_page_are_those_of_the_answer() {
    let page =
        r#""BlackListItem":[{"Black_Account":"x","BlackTimeStamp":1430000001}],"StartIndex":7"#;
    let server = FaultServer::plain(vec![sends(accepted(page))]);
    let reply = client(&server, &json!({})).get("owner", 0, 1);
    assert_eq!(reply.next_index(), 7);
    assert_eq!(
        (reply.items()[0].account(), reply.items()[0].time()),
        ("x", 1_430_000_001)
    );
}
