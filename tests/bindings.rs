//! Every host language goes through the scenario (bindings/scenario.json) and its own tests, against the library
//! as it is installed; the full run also makes each package and uses it from an empty folder.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use testkit::{
    Depth, depth, has_tool, libraries, program_file, release_libraries, report, root, run, skip,
};

/// What `make install` puts in place, made once: the release library from the full run on, else the one of the
/// tests.
fn prefix() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let folder = work("prefix");
        let built = if depth() >= Depth::Full {
            release_libraries()
        } else {
            built_with_the_tests()
        };
        run(Command::new("make")
            .args(["install-files", "DESTDIR="])
            .arg(format!("PREFIX={}", folder.display()))
            .arg(format!("RELEASE={}", built.display()))
            .current_dir(root()));
        folder
    })
}

fn built_with_the_tests() -> PathBuf {
    let folder = work("built");
    for library in ["libchatblock.a", "libchatblock.so"] {
        symlink(libraries().join(library), folder.join(library)).expect("a link");
    }
    symlink(program_file(), folder.join("chatblock")).expect("a link");
    folder
}

/// An empty folder of this name.
fn work(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("hosts")
        .join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// `bindings/HOST/run` with `arguments`; what it printed.
fn drive(host: &str, work: &Path, arguments: &[&str]) -> String {
    let script = root().join("bindings").join(host).join("run");
    run(Command::new(script)
        .args(arguments)
        .current_dir(work)
        .env("CHATBLOCK_PREFIX", prefix())
        .env("CHATBLOCK_WORK", work))
}

/// What follows `start` on a line of its own.
fn said<'a>(output: &'a str, start: &str) -> &'a str {
    let line = output.lines().find_map(|line| line.strip_prefix(start));
    line.unwrap_or_else(|| panic!("no line \"{start}\" in:\n{output}"))
}

fn steps() -> usize {
    let text = fs::read_to_string(root().join("bindings/scenario.json")).expect("the scenario");
    let scenario: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    scenario["steps"].as_array().map_or(0, Vec::len)
}

/// Skipped where `tools` are not installed, in the quick run. What needs a library that only tests use is skipped by the
/// binding's own script, which names it on a line "missing: ".
fn goes_through_the_scenario(host: &str, tools: &[&str]) {
    if !tools.iter().all(|tool| has_tool("bindings", tool)) {
        return;
    }
    let work_folder = work(host);
    let output = drive(host, &work_folder, &["tests"]);
    let version = said(&output, "host: ");
    let missing: Vec<_> = output
        .lines()
        .filter_map(|line| line.strip_prefix("missing: "))
        .collect();
    for helper in &missing {
        skip("bindings", helper);
    }
    let mut shown = vec![format!("host {version}")];
    if missing.is_empty() {
        let scenario = said(&output, "scenario: ");
        assert_eq!(scenario, format!("{} steps", steps()));
        shown = vec![format!("host {version}: scenario {scenario}")];
    }
    let more = output.lines().filter(|line| {
        let name = line.split_once(": ").map_or("", |(name, _)| name);
        ["heartbeat", "race"].contains(&name)
    });
    shown.extend(more.map(str::to_owned));
    report("hosts", &shown.join(", "));
    if depth() >= Depth::Full {
        let empty = work(&format!("{host}_elsewhere"));
        drive(
            host,
            &work_folder,
            &["package", empty.to_str().expect("UTF-8")],
        );
        let line = format!("host {version}: packed, and used from an empty folder");
        report("hosts", &line);
    }
}

#[test]
fn c_and_cpp() {
    goes_through_the_scenario("cpp", &["g++", "pkg-config", "cmake"]);
}

#[test]
fn python() {
    goes_through_the_scenario("python", &["python3"]);
}

#[test]
fn node() {
    goes_through_the_scenario("node", &["node", "npm"]);
}

#[test]
fn go() {
    goes_through_the_scenario("go", &["go", "pkg-config"]);
}

#[test]
fn java() {
    goes_through_the_scenario("java", &["mvn", "javac"]);
}

#[test]
fn csharp() {
    goes_through_the_scenario("csharp", &["mcs", "mono"]);
}

#[test]
fn lua() {
    goes_through_the_scenario("lua", &["luajit"]);
}
