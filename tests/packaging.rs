//! What is installed works for programs outside of the tree, and goes away without a trace: `make install`, and
//! the Debian packages. Part of the full run, because it installs on the machine.

use std::process::Command;

use testkit::{Depth, depth, release_libraries, report, root, run, target};

#[test]
fn what_is_installed_works_elsewhere_and_can_be_taken_away() {
    if depth() < Depth::Full {
        let line = "packaging: only in the full run (CHATBLOCK_TEST=full make test)";
        report("packaging", line);
        return;
    }
    release_libraries();
    let work = tempfile::tempdir().expect("a folder");
    let output = run(Command::new(root().join("packaging/test"))
        .env("CHATBLOCK_WORK", work.path())
        .env("CHATBLOCK_TARGET", target()));
    for line in output.lines() {
        report("packaging", line);
    }
}
