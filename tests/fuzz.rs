//! Random inputs on what others send, for ten seconds a target (fuzz/README.md). Part of the full run, because the targets are a build of
//! their own.

use testkit::{Depth, depth, report, root, run, target, without_package};

/// For each target: `make fuzz` and its corpus are for longer runs.
const SECONDS: &str = "10";

#[test]
fn no_random_input_meets_a_bug() {
    if depth() < Depth::Full {
        report(
            "fuzz",
            "fuzz: only in the full run (CHATBLOCK_TEST=full make test)",
        );
        return;
    }
    let output = run(without_package("fuzz/run")
        .arg(SECONDS)
        .current_dir(root())
        .env("CARGO_TARGET_DIR", target()));
    for line in output.lines() {
        report("fuzz", line);
    }
}
