//! The checks can fail: each patch in tests/mutation breaks a copy of the project, and the test that it
//! names must turn red there. Part of the full run, because every patch is built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use testkit::project::Project;
use testkit::{Depth, depth};

/// The first line of a patch: what must fail, as arguments of `cargo test`.
const RED: &str = "red: cargo test ";
/// Each further choice of packages would build the dependencies anew.
const PACKAGES: [&str; 2] = ["chatblock", "chatblock-cli"];
/// The first build takes minutes, building one more and seeing it turn red seconds; one that does not end is a fault
/// of its test.
const SECONDS: u32 = 600;

struct Planted {
    name: String,
    patch: PathBuf,
    arguments: Vec<String>,
}

fn planted() -> Vec<Planted> {
    let directory = testkit::root().join("tests/mutation");
    let mut patches: Vec<_> = fs::read_dir(directory)
        .expect("tests/mutation")
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
        let arguments: Vec<_> = arguments.split_whitespace().map(str::to_owned).collect();
        assert!(
            matches!(arguments.as_slice(), [option, package, ..]
                if option == "-p" && PACKAGES.contains(&package.as_str())),
            "{}: the package is one of {PACKAGES:?}",
            patch.display()
        );
        Planted {
            name: patch
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            arguments,
            patch,
        }
    };
    patches.into_iter().map(read).collect()
}

/// Runs cargo on the copy, for a bounded time; whether it succeeded, and what it said. Every patch builds with the same
/// features, and only what changed.
fn cargo_test(copy: &Project, arguments: &[String]) -> (bool, String) {
    let output = copy
        .cargo(SECONDS)
        .arg("test")
        .args(arguments)
        .env("CI", "true")
        // The quick depth is enough to turn red, but for faults that show in few schedules.
        .env_remove("CHATBLOCK_TEST")
        .env("CHATBLOCK_SEEDS", "1000")
        .env("CHATBLOCK_SCHEDULES", "20000")
        .output()
        .expect("timeout and cargo start");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

/// Puts the patch into the project in `copy`.
fn plant(patch: &Path, copy: &Path, options: &[&str]) {
    testkit::run(
        Command::new("patch")
            .args(["-p1", "-i"])
            .arg(patch)
            .args(options)
            .current_dir(copy),
    );
}

#[test]
fn every_planted_break_fits_the_source() {
    if !testkit::has_tool("mutation", "patch") {
        return;
    }
    for planted in planted() {
        plant(&planted.patch, testkit::root(), &["--dry-run"]);
    }
}

#[test]
fn every_planted_break_turns_its_test_red() {
    if depth() < Depth::Full {
        testkit::report(
            "mutation",
            "planted breaks: only in the full run (CHATBLOCK_TEST=full make test)",
        );
        return;
    }
    assert!(testkit::has_tool("mutation", "patch"));
    let copy = Project::named("mutation");
    let (began, all) = (Instant::now(), planted());
    for planted in &all {
        let began = Instant::now();
        copy.copy();
        plant(&planted.patch, &copy.folder, &[]);
        let (passed, text) = cargo_test(&copy, &planted.arguments);
        assert!(
            !passed,
            "{} went unnoticed by cargo test {:?}",
            planted.name, planted.arguments
        );
        assert!(
            text.contains("FAILED"),
            "{} failed in another way:\n{text}",
            planted.name
        );
        println!("{}: {} s", planted.name, began.elapsed().as_secs());
    }
    let (count, seconds) = (all.len(), began.elapsed().as_secs());
    testkit::report(
        "mutation",
        &format!("planted breaks: {count} of {count} turned red ({seconds} s)"),
    );
}
