//! Disk faults: a write, sync or cut that fails at any place, once or for ever, at work or at recovery, is
//! told with the documented status; what was recorded is kept and sent.

use std::process::ExitStatus;
use std::time::Instant;

use testkit::crash::oracle::{STORAGE, Said, Verdict};
use testkit::crash::place::{Injection, Kind, Place, Workshop};
use testkit::crash::scene::{CALLS, SCENES, Scene, Starts, WRITES, every_call, side_by_side};
use testkit::fake_service::Manner;
use testkit::{Depth, depth, has_tool, report};

const ERRORS: [&str; 2] = ["EIO", "ENOSPC"];
/// Once, and for ever.
const TIMES: [&str; 2] = ["", "+"];

/// What the worker says about a bad disk must be what the documentation says.
fn assert_documented(kind: Kind, status: ExitStatus, said: &Said, context: &str) {
    let context = format!("{context}: {status}\n{}", said.text);
    assert!(status.success(), "crashed: {context}");
    assert!(matches!(said.opened, Some(0 | STORAGE)), "{context}");
    let told = said.refused.values().chain(said.unrecorded.values());
    assert!(told.copied().all(|status| status == STORAGE), "{context}");
    if said.opened == Some(0) {
        assert_eq!(said.closed, Some(0), "{context}");
        let flushed = (kind == Kind::Outbox).then_some(0);
        assert_eq!(said.flushed, flushed, "{context}");
    }
}

/// After a failed sync nothing more is accepted.
fn assert_refuses(said: &Said, last: u64, context: &str) {
    let failed = said.unrecorded.keys().chain(said.refused.keys()).min();
    if let Some(failed) = failed {
        let refused = (failed + 1..last).filter(|number| said.refused.contains_key(number));
        let expected = last.saturating_sub(failed + 1);
        assert_eq!(refused.count() as u64, expected, "{context}\n{}", said.text);
    }
}

/// What was recorded has gone out meanwhile, and the next worker finds the files sound.
fn assert_nothing_lost(kind: Kind, place: &mut Place, said: &Said, context: &str) -> Verdict {
    let context = format!("{context}\n{}", said.text);
    if kind == Kind::Outbox && said.flushed == Some(0) {
        assert_eq!(place.missing(), [0; 0], "not sent: {context}");
    }
    let verdict = place.judge();
    verdict.assert_clean(&context);
    verdict
}

/// One call of one scene that fails.
#[derive(Clone, Copy)]
struct Fault {
    kind: Kind,
    scene: Scene,
    call: &'static str,
    error: &'static str,
    times: &'static str,
}

/// Lets every `call` of the scene fail, each time with fresh files.
fn fail_at(starts: &Starts, fault: &Fault) -> (usize, Verdict) {
    let Fault {
        kind,
        scene,
        call,
        error,
        times,
    } = *fault;
    let mut sum = Verdict::default();
    let faults = every_call(|number| {
        let mut place = starts.place(scene);
        let injection = Injection {
            call,
            what: &format!("error={error}:when={number}{times}"),
            files: scene.files,
        };
        let (status, said) = place.run_injected(WRITES, &injection);
        let context = format!(
            "{} of {}, {call} {}",
            scene.name,
            kind.name(),
            injection.what
        );
        assert_documented(kind, status, &said, &context);
        if matches!(call, "fsync" | "fdatasync") {
            assert_refuses(&said, place.next(), &context);
        }
        let was_injected = place.was_injected();
        sum.add(assert_nothing_lost(kind, &mut place, &said, &context));
        was_injected
    });
    (faults, sum)
}

/// Every way in which a call of the scenes can fail.
fn faults(kind: Kind) -> Vec<Fault> {
    let mut faults = Vec::new();
    for scene in SCENES {
        for call in [CALLS.as_slice(), &["pread64"]].concat() {
            for error in ERRORS {
                faults.extend(TIMES.map(|times| Fault {
                    kind,
                    scene,
                    call,
                    error,
                    times,
                }));
            }
        }
    }
    // A read finds no lack of room. The quick run takes some ways.
    faults.retain(|fault| fault.call != "pread64" || fault.error == "EIO");
    faults.retain(|_| depth() >= Depth::Full || fastrand::u8(..4) == 0);
    faults
}

fn tell(kind: Kind, faults: &str, verdict: &Verdict, began: Instant) {
    let (recorded, seconds) = (verdict.recorded, began.elapsed().as_secs());
    let line = format!("{faults}, recorded {recorded}, lost 0 ({seconds} s)");
    report(
        "disk_faults",
        &format!("disk faults, {}: {line}", kind.name()),
    );
}

fn fail_at_every_call(kind: Kind) {
    if !has_tool("disk_faults", "gcc") || !has_tool("disk_faults", "strace") {
        return;
    }
    let began = Instant::now();
    let workshop = Workshop::build();
    let starts = Starts::prepare(&workshop, kind);
    let faults = faults(kind);
    let done = side_by_side(&faults, |fault| fail_at(&starts, fault));
    let (hits, verdicts): (Vec<_>, Vec<_>) = done.into_iter().unzip();
    let hits = hits.iter().sum::<usize>();
    assert!(hits > faults.len() / 4, "{hits} are too few");
    let line = format!(
        "{hits} failing calls (EIO, ENOSPC; once and for ever; at creation, work and recovery)"
    );
    tell(kind, &line, &Verdict::sum(verdicts), began);
}

#[test]
fn no_failing_call_loses_a_recorded_write() {
    fail_at_every_call(Kind::Outbox);
}

#[test]
fn no_failing_call_takes_an_answer_of_the_store_back() {
    fail_at_every_call(Kind::Store);
}

/// Cuts a write short where a file reaches `bytes`; the disk has room again after some complaints.
fn cut_short(workshop: &Workshop, kind: Kind, bytes: u64, patience: u64) -> (bool, Verdict) {
    let mut place = workshop.place(kind, Manner::Sound);
    let (status, said) = place.run_limited(WRITES, bytes, patience);
    let context = format!("{} limited to {bytes} bytes", kind.name());
    assert_documented(kind, status, &said, &context);
    let was_cut =
        said.opened != Some(0) || !(said.refused.is_empty() && said.unrecorded.is_empty());
    (
        was_cut,
        assert_nothing_lost(kind, &mut place, &said, &context),
    )
}

fn cut_every_write_short(kind: Kind) {
    if !has_tool("disk_faults", "gcc") {
        return;
    }
    let began = Instant::now();
    let workshop = Workshop::build();
    let step = depth().pick(5000, 500, 50);
    let sizes: Vec<_> = (1..100_000).step_by(step).collect();
    let done = side_by_side(&sizes, |bytes| {
        [1, u64::MAX >> 1].map(|patience| cut_short(&workshop, kind, *bytes, patience))
    });
    let (cut, verdicts): (Vec<_>, Vec<_>) = done.into_iter().flatten().unzip();
    let cut = cut.iter().filter(|was_cut| **was_cut).count();
    assert!(cut > sizes.len() / 2, "{cut} are too few");
    let line = format!("{cut} short writes (once and for ever; at creation and work)");
    tell(kind, &line, &Verdict::sum(verdicts), began);
}

#[test]
fn no_short_write_loses_a_recorded_write() {
    cut_every_write_short(Kind::Outbox);
}

#[test]
fn no_short_write_takes_an_answer_of_the_store_back() {
    cut_every_write_short(Kind::Store);
}
