//! The checks can fail: each patch in tests/planted breaks a copy of the project, and the test that it
//! names must turn red there. Part of the full run, because every patch is built.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Depth, depth, project};

/// The first line of a patch: what must fail, as arguments of `cargo test`.
const RED: &str = "red: cargo test ";
/// Building one and seeing it turn red takes a minute; one that does not end is a fault of its test.
const SECONDS: &str = "600";

struct Planted {
    name: String,
    patch: PathBuf,
    arguments: Vec<String>,
}

fn planted() -> Vec<Planted> {
    let directory = support::root().join("tests/planted");
    let mut patches: Vec<_> = fs::read_dir(directory)
        .expect("tests/planted")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "patch"))
        .collect();
    patches.sort();
    let read = |patch: PathBuf| {
        let text = fs::read_to_string(&patch).expect("a patch");
        let first = text.lines().next().unwrap_or_default();
        let arguments = first
            .strip_prefix(RED)
            .unwrap_or_else(|| panic!("{} lacks '{RED}'", patch.display()));
        Planted {
            name: patch
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            arguments: arguments.split_whitespace().map(str::to_owned).collect(),
            patch,
        }
    };
    patches.into_iter().map(read).collect()
}

/// Runs cargo on the copy, for a bounded time; whether it succeeded, and what it said.
fn cargo_test(copy: &Path, build: &Path, arguments: &[String]) -> (bool, String) {
    let output = Command::new("timeout")
        .args([SECONDS, env!("CARGO"), "test"])
        .args(arguments)
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", build)
        .env("CI", "true")
        // The quick depth is enough to turn red.
        .env_remove("CHATBLOCK_TEST")
        .env("CHATBLOCK_SEEDS", "1000")
        .env("CHATBLOCK_SCHEDULES", "1000")
        .output()
        .expect("timeout and cargo start");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn every_planted_break_turns_its_test_red() {
    if depth() < Depth::Full {
        support::report(
            "planted",
            "planted breaks: only in the full run (CHATBLOCK_TEST=full make test)",
        );
        return;
    }
    assert!(support::has_tool("planted", "patch"));
    let work = support::target().join("planted");
    let (copy, build) = (work.join("copy"), work.join("build"));
    let all = planted();
    for plant in &all {
        project::copy(&copy);
        support::run(
            Command::new("patch")
                .args(["-p1", "-i"])
                .arg(&plant.patch)
                .current_dir(&copy),
        );
        let (passed, text) = cargo_test(&copy, &build, &plant.arguments);
        assert!(
            !passed,
            "{} went unnoticed by cargo test {:?}",
            plant.name, plant.arguments
        );
        assert!(
            text.contains("FAILED"),
            "{} failed in another way:\n{text}",
            plant.name
        );
    }
    support::report(
        "planted",
        &format!("planted breaks: {} of {} turned red", all.len(), all.len()),
    );
}
