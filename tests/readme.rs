//! What README.md and the tables of docs/ say is so: the program runs, the tables are complete, the link line is rustc's.

use std::fs;
use std::process::Command;

use std::collections::BTreeSet;

use chatblock::{Client, Status};
use serde_json::Value;

fn page(name: &str) -> String {
    fs::read_to_string(testkit::root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What the first cells of the tables of a page name: each in code, several with commas between.
fn names_of_rows(page: &str) -> BTreeSet<String> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let first_cells = rows.filter_map(|row| row.split(" | ").next());
    let names = first_cells.flat_map(|cell| cell.split(", "));
    names.map(|name| name.replace('`', "")).collect()
}

/// Objects of the configuration; the first is the whole.
const SECTIONS: [&str; 8] = [
    "", "tls", "retry", "queue", "outbox", "cache", "webhook", "log",
];

#[test]
fn the_configuration_has_exactly_the_keys_of_its_table() {
    let mut real = BTreeSet::new();
    for section in SECTIONS {
        let config = match section {
            "" => "{\"no_such_key\":1}".to_owned(),
            name => format!(
                "{{\"sdkappid\":1,\"secret_key\":\"k\",\"base_url\":\"https://example.invalid\",\
                 \"{name}\":{{\"no_such_key\":1}}}}"
            ),
        };
        let error = Client::open(&config).err().expect("an unknown key");
        assert_eq!(error.status(), Status::Config);
        let (_, keys) = error
            .message()
            .split_once("known keys: ")
            .expect("the known keys");
        let keys = keys.split(", ").filter(|key| !SECTIONS.contains(key));
        real.extend(keys.map(str::to_owned));
    }
    assert_eq!(names_of_rows(&page("docs/configuration.md")), real);
}

#[test]
fn every_status_has_a_row_with_its_number() {
    let errors = page("docs/errors.md");
    for row in Status::TABLE {
        let start = format!("\n| `{}` | {} |", row.status.name(), row.status.code());
        assert!(errors.contains(&start), "{start}");
    }
}

/// Paths of everything that is neither an object nor below one of the commands twice.
fn keys(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    let Some(members) = value.as_object() else {
        found.insert(path.to_owned());
        return;
    };
    for (name, member) in members {
        let name = match name.as_str() {
            "add" | "delete" | "get" | "check" => "<command>",
            other => other,
        };
        let start = if path.is_empty() { "" } else { "." };
        keys(member, &format!("{path}{start}{name}"), found);
    }
}

#[test]
fn the_stats_have_exactly_the_keys_of_their_table() {
    let directory = tempfile::tempdir().expect("a directory");
    let outbox = directory.path().join("outbox.db");
    let remote = serde_json::json!({"sdkappid": 1, "secret_key": "k", "base_url": "https://example.invalid",
        "outbox": {"path": outbox}});
    let client = Client::open(&remote.to_string()).expect("a sound configuration");
    let stats = serde_json::from_str(&client.stats().to_json()).expect("JSON");
    let mut real = BTreeSet::new();
    keys(&stats, "", &mut real);
    assert_eq!(names_of_rows(&page("docs/statistics.md")), real);
}

#[test]
fn the_required_version_of_rust_is_the_one_of_the_manifest() {
    let manifest = page("Cargo.toml");
    let version = manifest
        .split("\nrust-version = \"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a version of Rust");
    let readme = page("README.md");
    for wanted in [
        format!("and Rust {version} or later"),
        format!("| Rust | {version} |"),
    ] {
        assert!(
            readme.contains(&wanted),
            "README.md does not say \"{wanted}\""
        );
    }
}

#[test]
fn the_program_compiles_and_runs() {
    if !testkit::has_tool("readme", "gcc") {
        return;
    }
    let readme = page("README.md");
    let program = readme
        .split("```c\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let directory = tempfile::tempdir().expect("a directory");
    let source = directory.path().join("readme.c");
    fs::write(&source, program.expect("a C program")).expect("a source file");
    let built = directory.path().join("readme");
    testkit::run(
        Command::new("gcc")
            .args(testkit::c_program::C99)
            .arg("-I")
            .arg(testkit::root().join("include"))
            .arg(&source)
            .arg(testkit::libraries().join("libchatblock.a"))
            .args(LINK)
            .arg("-o")
            .arg(&built),
    );
    let output = testkit::run(&mut Command::new(&built));
    assert!(
        output.contains("\"To_Account\":\"bob\",\"ResultCode\":0"),
        "{output}"
    );
}

/// What a static library of Rust needs beside it.
const LINK: [&str; 7] = [
    "-lgcc_s",
    "-lutil",
    "-lrt",
    "-lpthread",
    "-lm",
    "-ldl",
    "-lc",
];

#[test]
fn the_static_link_line_is_what_rustc_says() {
    let linking = page("docs/linking.md");
    assert!(linking.contains(&format!("libchatblock.a {}", LINK.join(" "))));
    if testkit::depth() < testkit::Depth::Full {
        return;
    }
    let output = Command::new(env!("CARGO"))
        .args([
            "rustc",
            "--locked",
            "--lib",
            "--crate-type",
            "staticlib",
            "--",
            "--print",
            "native-static-libs",
        ])
        .env("CARGO_TARGET_DIR", testkit::target().join("native-libs"))
        .current_dir(testkit::root())
        .output()
        .expect("cargo starts");
    let text = String::from_utf8_lossy(&output.stderr);
    let wanted = text
        .lines()
        .find_map(|line| line.split_once("native-static-libs: "));
    let (_, wanted) = wanted.unwrap_or_else(|| panic!("no link line in\n{text}"));
    let wanted: Vec<_> = wanted.split_whitespace().collect();
    assert_eq!(
        wanted, LINK,
        "docs/linking.md has another link line than rustc"
    );
}
