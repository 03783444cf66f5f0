//! Disks that fail: whatever call fails, once or for ever, at work or at recovery, the library says
//! STORAGE, goes on, and loses nothing that it had promised. Workers, places and the oracle are those of the
//! kills.

#[path = "kills/oracle.rs"]
mod oracle;
#[path = "kills/place.rs"]
mod place;
#[path = "kills/scene.rs"]
mod scene;
#[path = "kills/service.rs"]
mod service;
mod support;

use std::time::Instant;

use oracle::{STORAGE, Said, Verdict};
use place::{Injection, Kind, Workshop};
use scene::{CALLS, SCENES, Scene, Starts, every_call, side_by_side};
use service::Manner;
use support::{full, has_tool, report};

/// Some work was dropped, and the library said so when it was closed.
const TIMEOUT: i32 = -6;

/// One way in which a call fails.
#[derive(Clone, Copy)]
struct Fault {
    scene: Scene,
    call: &'static str,
    error: &'static str,
    for_ever: bool,
}

fn faults() -> Vec<Fault> {
    let mut all = Vec::new();
    for scene in SCENES {
        for call in CALLS {
            let takes_room = ["pwrite64", "ftruncate"].contains(&call);
            let errors: &[_] = if takes_room {
                &["EIO", "ENOSPC"]
            } else {
                &["EIO"]
            };
            for error in errors {
                all.extend([false, true].map(|for_ever| Fault {
                    scene,
                    call,
                    error,
                    for_ever,
                }));
            }
        }
    }
    all
}

/// What a worker may say about a disk that failed.
fn check_words(said: &Said, context: &str) {
    let opened = said.opened.expect(context);
    assert!([0, STORAGE].contains(&opened), "opened {opened}: {context}");
    let refused = said.refused.values().copied();
    let unrecorded = said.unrecorded.iter().map(|(status, _)| *status);
    for status in refused.chain(unrecorded) {
        assert_eq!(status, STORAGE, "{context}");
    }
    if opened == 0 {
        assert!([Some(0), Some(TIMEOUT)].contains(&said.closed), "{context}");
    }
}

/// After a failed sync nobody knows what is on disk: nothing is promised any more.
fn check_silence(said: &Said, context: &str) {
    let mut lines = said.text.lines();
    let is_complaint = |line: &str| line.starts_with("unrecorded") || line.starts_with("refused");
    if lines.any(is_complaint) {
        assert!(!lines.any(|line| line.starts_with("recorded")), "{context}");
    }
}

/// Fails every `call` of the scene in turn, each time with fresh files.
fn fail_every(starts: &Starts, fault: &Fault) -> (usize, Verdict) {
    let mut sum = Verdict::default();
    let hits = every_call(|number| {
        let mut place = starts.place(fault.scene);
        let ever = if fault.for_ever { "+" } else { "" };
        let what = format!("error={}:when={number}{ever}", fault.error);
        let injection = Injection {
            call: fault.call,
            what: &what,
            files: fault.scene.files,
        };
        let (status, said) = place.run_injected(scene::WRITES, &injection);
        let (scene, call) = (fault.scene.name, fault.call);
        let context = format!("{scene}, {call} {what}: {status}\n{}", said.text);
        assert!(status.success(), "{context}");
        check_words(&said, &context);
        if call.ends_with("sync") && fault.error == "EIO" {
            check_silence(&said, &context);
        }
        let verdict = place.judge();
        verdict.assert_clean(&context);
        sum.add(verdict);
        said.was_hit
    });
    (hits, sum)
}

fn fail_every_call(kind: Kind) {
    if !has_tool("disk_faults", "gcc") || !has_tool("disk_faults", "strace") {
        return;
    }
    let began = Instant::now();
    let workshop = Workshop::build();
    let starts = Starts::prepare(&workshop, kind);
    let faults = faults();
    let done = side_by_side(&faults, |fault| fail_every(&starts, fault));
    let (hits, verdicts): (Vec<_>, Vec<_>) = done.into_iter().unzip();
    let (hits, verdict) = (hits.iter().sum::<usize>(), Verdict::sum(verdicts));
    assert!(hits > faults.len() / 2, "{hits} are too few");
    let line = format!(
        "disk faults, {}: {hits} injections (EIO, ENOSPC; once and for ever; at creation, work and recovery), \
         recorded {}, lost 0 ({} s)",
        kind.name(),
        verdict.recorded,
        began.elapsed().as_secs()
    );
    report("disk_faults", &line);
}

#[test]
fn no_failing_call_loses_what_the_outbox_recorded() {
    fail_every_call(Kind::Outbox);
}

#[test]
fn no_failing_call_loses_what_the_store_answered() {
    fail_every_call(Kind::Store);
}

/// Files that cannot grow beyond some size: real short writes, and a disk that has room again later.
fn cut_writes_short(kind: Kind) {
    if !has_tool("disk_faults", "gcc") {
        return;
    }
    let workshop = Workshop::build();
    let step = if full() { 512 } else { 4096 };
    let sizes: Vec<_> = (1..=96 * 1024 / step)
        .map(|size| size * step + 100)
        .collect();
    let verdicts = side_by_side(&sizes, |bytes| {
        let mut place = workshop.place(kind, Manner::Sound);
        let (status, said) = place.run_limited(60, *bytes);
        let context = format!("{bytes} bytes: {status}\n{}", said.text);
        assert!(status.success(), "{context}");
        check_words(&said, &context);
        let verdict = place.judge();
        verdict.assert_clean(&context);
        (said.unrecorded.len() + said.refused.len() > 0, verdict)
    });
    let (complaints, verdicts): (Vec<_>, Vec<_>) = verdicts.into_iter().unzip();
    let complaints = complaints
        .into_iter()
        .filter(|complained| *complained)
        .count();
    assert!(complaints > 0, "no file was too short");
    let recorded = Verdict::sum(verdicts).recorded;
    let line = format!(
        "disk faults, {}: {} sizes at which writes are cut short ({complaints} at work), recorded {recorded}, lost 0",
        kind.name(),
        sizes.len()
    );
    report("disk_faults", &line);
}

#[test]
fn no_short_write_loses_what_the_outbox_recorded() {
    cut_writes_short(Kind::Outbox);
}

#[test]
fn no_short_write_loses_what_the_store_answered() {
    cut_writes_short(Kind::Store);
}
