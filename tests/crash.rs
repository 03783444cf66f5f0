//! Kills: whatever moment a process ends at, what its outbox or store promised is there for the next one.
//! The worker is a C program on the library; the service and the oracle share no code with it.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use testkit::crash::oracle::Verdict;
use testkit::crash::place::{Injection, Kind, Place, SIGKILL, Trouble, Workshop};
use testkit::crash::scene::{self, CALLS, SCENES, Scene, Starts, every_call, side_by_side};
use testkit::fake_service::Manner;
use testkit::{depth, has_library, has_tool, report};

/// Outboxes, or stores, whose workers are killed one after the other.
const PLACES: usize = 4;
const WRITES: u64 = 60;
/// Many times what the service and the client wait for anything here.
const LONG_LIFE: Duration = Duration::from_millis(300);

/// Kills workers of one place; every promise is checked at the end.
fn kill_loop(workshop: &Workshop, kind: Kind, trouble: Trouble, kills: usize) -> Verdict {
    let mut place = workshop.place(kind, Manner::Lossy).troubled(trouble);
    let mut life = lived(&mut place);
    let mut in_vain = 0;
    for kill in 1..=kills {
        // A longer one now and then, in which writes that were held back go out.
        let longest = life.mul_f64(1.2) + LONG_LIFE * u32::from(kill % 8 == 0);
        let said = place.run_and_kill(WRITES, Some(longest.mul_f64(fastrand::f64())));
        in_vain = if said.recorded.is_empty() {
            in_vain + 1
        } else {
            0
        };
        // The machine has become slower: what a life is has to be measured again.
        if in_vain == 8 {
            (life, in_vain) = (lived(&mut place), 0);
        }
    }
    place.judge()
}

/// How long a worker lives that is left alone: on a slow machine long.
fn lived(place: &mut Place<'_>) -> Duration {
    let began = Instant::now();
    place.run_and_kill(WRITES, None);
    began.elapsed()
}

fn kill_at_random_times(kind: Kind, trouble: Trouble, kills: usize) {
    if !has_tool("crash", "gcc") {
        return;
    }
    let began = Instant::now();
    let workshop = Workshop::build();
    let shares: Vec<_> = (0..PLACES)
        .map(|place| kills / PLACES + usize::from(place < kills % PLACES))
        .collect();
    let verdicts = side_by_side(&shares, |share| kill_loop(&workshop, kind, trouble, *share));
    let verdict = Verdict::sum(verdicts);
    verdict.assert_clean(trouble.name());
    assert!(verdict.recorded > kills, "{} are too few", verdict.recorded);
    let what = format!("{kills} at random times, {}", trouble.name());
    tell(kind, &what, &verdict, began);
}

fn tell(kind: Kind, kills: &str, verdict: &Verdict, began: Instant) {
    let (recorded, seconds) = (verdict.recorded, began.elapsed().as_secs());
    let line = format!("recorded {recorded}, lost 0, out of order 0 ({seconds} s)");
    report("crash", &format!("kills, {}: {kills}, {line}", kind.name()));
}

// More than a thousand kills in the full run, of all kinds together.

#[test]
fn no_kill_at_any_time_loses_or_reorders_a_recorded_write() {
    kill_at_random_times(Kind::Outbox, Trouble::None, depth().pick(40, 250, 8000));
}

#[test]
fn no_kill_at_any_time_takes_an_answer_of_the_store_back() {
    kill_at_random_times(Kind::Store, Trouble::None, depth().pick(20, 100, 4000));
}

#[test]
fn no_kill_beside_another_sqlite_loses_a_write() {
    if !has_library("crash", "libsqlite3.so.0") {
        return;
    }
    kill_at_random_times(
        Kind::Outbox,
        Trouble::OtherSqlite,
        depth().pick(12, 150, 3000),
    );
    kill_at_random_times(
        Kind::Store,
        Trouble::OtherSqlite,
        depth().pick(12, 100, 2000),
    );
}

#[test]
fn no_kill_with_children_alive_loses_a_write_or_keeps_the_file() {
    kill_at_random_times(Kind::Outbox, Trouble::Children, depth().pick(8, 75, 1500));
    kill_at_random_times(Kind::Store, Trouble::Children, depth().pick(8, 50, 1000));
}

#[test]
fn no_kill_loses_a_write_beside_cancelled_ones() {
    kill_at_random_times(Kind::Outbox, Trouble::Cancels, depth().pick(12, 150, 3000));
}

#[test]
fn no_kill_loses_a_write_whose_side_files_were_removed() {
    for kind in [Kind::Outbox, Kind::Store] {
        kill_at_random_times(kind, Trouble::MemoryRemoved, depth().pick(8, 40, 1000));
        kill_at_random_times(kind, Trouble::LogRemoved, depth().pick(8, 40, 1000));
    }
}

/// Kills a worker at every `call` of the scene, each time with fresh files.
fn kill_at(starts: &Starts, scene: Scene, call: &str) -> (usize, Verdict) {
    let mut sum = Verdict::default();
    let kills = every_call(|number| {
        let mut place = starts.place(scene);
        let injection = Injection {
            call,
            what: &format!("signal=KILL:when={number}"),
            files: scene.files,
        };
        let (status, said) = place.run_injected(scene::WRITES, &injection);
        let context = format!("{}, {call} {number}: {status}\n{}", scene.name, said.text);
        let was_killed = status.signal() == Some(SIGKILL);
        assert!(was_killed || status.success(), "{context}");
        let verdict = place.judge();
        verdict.assert_clean(&context);
        sum.add(verdict);
        was_killed
    });
    (kills, sum)
}

fn kill_at_system_calls(kind: Kind) {
    if !has_tool("crash", "gcc") || !has_tool("crash", "strace") {
        return;
    }
    let began = Instant::now();
    let workshop = Workshop::build();
    let starts = Starts::prepare(&workshop, kind);
    let jobs: Vec<_> = SCENES
        .into_iter()
        .flat_map(|scene| CALLS.map(|call| (scene, call)))
        .collect();
    let done = side_by_side(&jobs, |(scene, call)| kill_at(&starts, *scene, call));
    let (kills, verdicts): (Vec<_>, Vec<_>) = done.into_iter().unzip();
    let (kills, verdict) = (kills.iter().sum::<usize>(), Verdict::sum(verdicts));
    assert!(kills > jobs.len() / 2, "{kills} are too few");
    tell(kind, &format!("{kills} at system calls"), &verdict, began);
}

#[test]
fn no_kill_at_a_system_call_loses_or_reorders_a_recorded_write() {
    kill_at_system_calls(Kind::Outbox);
}

#[test]
fn no_kill_at_a_system_call_takes_an_answer_of_the_store_back() {
    kill_at_system_calls(Kind::Store);
}
