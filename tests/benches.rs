//! `make bench` on a machine without the libraries of the peers: what is left out is said before anything is measured,
//! with the package that brings it, and there is a table at the end.

use std::os::unix::fs::symlink;
use std::process::Command;

use testkit::{has_tool, libraries, root, run};

#[test]
fn what_cannot_be_measured_is_said_first_and_ends_nothing() {
    if !has_tool("benches", "python3") || !has_tool("benches", "readelf") {
        return;
    }
    // The interpreter itself: what is on the PATH may be a script that looks for others there.
    let python = run(Command::new("python3").args(["-c", "import sys; print(sys.executable)"]));
    let readelf = run(Command::new("which").arg("readelf"));
    let programs = tempfile::tempdir().expect("a folder");
    symlink(readelf.trim(), programs.path().join("readelf")).expect("a link");
    let output = Command::new(python.trim())
        .arg(root().join("benches/run"))
        .args(["--only", "P11,P13", "--library-dir"])
        .arg(libraries())
        .env("PATH", programs.path())
        .output()
        .expect("python3 starts");
    let (said, table) = (
        String::from_utf8_lossy(&output.stderr).into_owned(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    );
    assert!(output.status.success(), "{said}{table}");
    let lines = [
        "- P11: needs g++; Debian: g++",
        "- P13: needs cargo, wrk; Debian: rustup wrk",
    ];
    for line in lines {
        assert!(said.contains(line), "not said first: {line}\n{said}");
        assert!(table.contains(line), "not below the table: {line}\n{table}");
    }
    assert!(said.contains("apt-get install g++ rustup wrk"), "{said}");
    assert!(table.contains("| # | subject |"), "{table}");
}
