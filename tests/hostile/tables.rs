//! Plays the tables over HTTP and over TLS.

use std::path::Path;
use std::time::Duration;

use crate::case::Case;
use crate::cases;
use crate::certificates::Authority;
use crate::server::FaultServer;
use crate::support::report;

/// A call may be this much later than its deadline on a busy machine.
const TOLERANCE: Duration = Duration::from_secs(1);

/// What a table came to.
struct Sum {
    cases: usize,
    false_successes: usize,
    worst: Duration,
}

fn play(cases: &[Case], way: &Way) -> Sum {
    let mut faults = Vec::new();
    let mut sum = Sum {
        cases: cases.len(),
        false_successes: 0,
        worst: Duration::ZERO,
    };
    for case in cases {
        let outcome = case.play(&way.server(), way.ca_file());
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
    assert!(sum.worst < TOLERANCE, "a call was {:?} late", sum.worst);
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
            "hostile answers, {what}: {cases} cases, false successes {false_successes}, worst overrun {worst} ms"
        ),
    );
}

/// How the client and the server speak.
enum Way {
    Plain,
    Tls(crate::certificates::Leaf, tempfile::NamedTempFile),
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
    tell("content x plain", &play(&cases::content(), &Way::Plain));
}

#[test]
fn how_an_answer_travels_decides_whether_it_counts() {
    tell("travel x plain", &play(&cases::travel(), &Way::Plain));
}

#[test]
fn what_an_answer_says_is_believed_only_as_far_as_it_goes_over_tls() {
    tell("content x TLS", &play(&cases::content(), &Way::tls()));
}

#[test]
fn how_an_answer_travels_decides_whether_it_counts_over_tls() {
    tell("travel x TLS", &play(&cases::travel(), &Way::tls()));
}
