//! The threads of a client under shuttle (`src/client/runtime/model.rs`): in no schedule a notification gets lost, and
//! flush, sync and close end. The unit tests are built once more, with shuttle's locks and threads.

use testkit::{depth, report};

/// Random schedules, and as many with few preemptions, of each scene.
fn schedules() -> usize {
    depth().pick(300, 3_000, 200_000)
}

#[test]
fn no_schedule_of_the_threads_loses_a_notification() {
    let output = testkit::cargo()
        .args(["test", "--locked", "--package", "chatblock", "--lib"])
        .args(["--features", "model"])
        .args(["runtime::model", "--", "--nocapture"])
        .current_dir(testkit::root())
        .env("CARGO_TARGET_DIR", testkit::target())
        .env("CHATBLOCK_SCHEDULES", schedules().to_string())
        .output()
        .expect("cargo starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    let counts = said.lines().filter_map(|line| {
        let (_, counted) = line.split_once("schedules of ")?;
        counted.rsplit(' ').next()?.parse::<usize>().ok()
    });
    let counts: Vec<_> = counts.collect();
    let (scenes, tried) = (counts.len(), counts.iter().sum::<usize>());
    assert!(scenes > 0 && tried >= 2 * scenes * schedules(), "{said}");
    let line = format!("runtime model: {scenes} scenes, {tried} schedules, lost notifications 0");
    report("runtime_model", &line);
}
