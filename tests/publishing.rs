//! What a release consists of: the licences and who must carry them, the files of the crate, the names of the packages, and
//! what an old cargo is told.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use testkit::{has_tool, report, root, run};

const NOTICES: &str = "THIRD-PARTY-NOTICES.txt";
const SPDX: &str = "SPDX-License-Identifier: MIT OR Apache-2.0";

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Cargo, without a look at the network.
fn cargo(arguments: &[&str]) -> String {
    run(Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--locked", "--offline"])
        .current_dir(root()))
}

/// Name and version of each crate that the notices name, but for our own: lines between a heading and a rule.
fn noticed(notices: &str) -> BTreeSet<String> {
    let lines = notices.lines().filter_map(|line| line.strip_prefix("  "));
    lines
        .filter(|line| {
            let mut words = line.split(' ');
            let version = words.nth(1).unwrap_or_default();
            let is_version = version.starts_with(|first: char| first.is_ascii_digit());
            words.next().is_none() && is_version && !line.starts_with("chatblock")
        })
        .map(str::to_owned)
        .collect()
}

/// What is compiled into the library and the program, both left out.
fn linked() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for target in ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"] {
        let command =
            "tree --all-features --edges normal --prefix none --no-dedupe --format {p} --target";
        let tree = cargo(&command.split(' ').chain([target]).collect::<Vec<_>>());
        let others = tree.lines().filter(|line| !line.contains("(/"));
        // "(proc-macro)" may follow the version.
        found.extend(others.filter_map(|line| {
            let mut words = line.split(' ');
            let (name, version) = (words.next()?, words.next()?);
            Some(format!("{name} {}", version.strip_prefix('v')?))
        }));
    }
    found
}

#[test]
fn the_notices_name_every_crate_that_is_linked_in() {
    let (noticed, linked) = (noticed(&read(NOTICES)), linked());
    let lacking: Vec<_> = linked.difference(&noticed).collect();
    let surplus: Vec<_> = noticed.difference(&linked).collect();
    assert!(
        lacking.is_empty() && surplus.is_empty(),
        "run `make notices`: {NOTICES} lacks {lacking:?} and should not name {surplus:?}"
    );
    let line = format!("publishing: notices of {} crates", noticed.len());
    report("publishing", &line);
}

#[test]
fn every_package_has_the_texts_of_the_licence() {
    for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
        let text = read(name);
        // These contain no library, so that they have the texts themselves.
        for binding in ["go", "lua"] {
            let copy = format!("bindings/{binding}/{name}");
            assert_eq!(read(&copy), text, "{copy} is not {name}");
        }
    }
    let mit = read("LICENSE-MIT");
    let holder = mit
        .lines()
        .find_map(|line| line.strip_prefix("Copyright (c) "));
    let debian = format!("Copyright: {}\n", holder.expect("a holder"));
    assert!(read("packaging/debian/copyright").contains(&debian));
}

#[test]
fn the_top_files_say_the_licence() {
    let files = [
        "include/chatblock.h",
        "include/chatblock.hpp",
        "src/lib.rs",
        "build.rs",
        "bindings/csharp/src/Client.cs",
        "bindings/go/doc.go",
        "bindings/java/src/main/java/invalid/example/chatblock/ChatblockClient.java",
        "bindings/lua/chatblock.lua",
        "bindings/node/src/index.ts",
        "bindings/python/src/chatblock/__init__.py",
    ];
    for file in files {
        let text = read(file);
        let top = text.lines().take(2).any(|line| line.contains(SPDX));
        assert!(top, "{file} does not begin with {SPDX}");
    }
}

/// What a crate may consist of, besides `src` and `include`.
const SHIPPED: [&str; 11] = [
    "Cargo.toml",
    "Cargo.toml.orig",
    "Cargo.lock",
    ".cargo_vcs_info.json",
    "build.rs",
    "cbindgen.toml",
    "README.md",
    "CHANGELOG.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    NOTICES,
];

#[test]
fn the_crate_has_only_what_it_needs() {
    let list = cargo(&[
        "package",
        "--list",
        "--allow-dirty",
        "--package",
        "chatblock",
    ]);
    let files: BTreeSet<_> = list.lines().collect();
    for file in &files {
        let is_source =
            file.starts_with("src/") && Path::new(file).extension() == Some("rs".as_ref());
        assert!(
            is_source || file.starts_with("include/") || SHIPPED.contains(file),
            "{file} is in the crate"
        );
    }
    for file in SHIPPED.into_iter().filter(|file| !file.starts_with('.')) {
        assert!(files.contains(file), "{file} is not in the crate");
    }
    let sources = files.iter().filter(|file| file.starts_with("src/")).count();
    assert!(files.contains("include/chatblock.h") && sources > 100);
    let line = format!("publishing: {} files in the crate", files.len());
    report("publishing", &line);
}

/// Packages are named in one place, and naming them anew changes all others.
#[test]
fn the_names_of_the_packages_are_those_of_the_table() {
    if !has_tool("publishing", "python3") {
        return;
    }
    let identities = |command: &str, tree: &Path| -> Output {
        Command::new(root().join("packaging/identities"))
            .args([command, "--root"])
            .arg(tree)
            .output()
            .expect("packaging/identities starts")
    };
    let check = identities("check", root());
    assert!(check.status.success(), "{check:?}");

    let copy = tempfile::tempdir().expect("a folder");
    let kept = [
        "CONTRIBUTING.md",
        "Cargo.toml",
        "Cargo.lock",
        "Makefile",
        "README.md",
        "bindings",
        "docs",
        "packaging",
        "testkit",
        "tests",
    ];
    run(Command::new("cp")
        .arg("-r")
        .args(kept)
        .arg(copy.path())
        .current_dir(root()));
    let table = copy.path().join("CONTRIBUTING.md");
    let renamed = read("CONTRIBUTING.md")
        .replace("| `chatblock` |", "| `other-lists` |")
        .replace("`invalid.example", "`invalid.other")
        .replace("`example.invalid/chatblock`", "`other.invalid/lists`");
    fs::write(&table, renamed).expect("the table can be written");
    let check = identities("check", copy.path());
    assert!(
        !check.status.success(),
        "other names in the table are not noticed"
    );
    let apply = identities("apply", copy.path());
    assert!(apply.status.success(), "{apply:?}");
    let left = Command::new("grep")
        .args([
            "-rlE",
            "invalid.example|example.invalid/chatblock",
            "bindings/go",
            "bindings/java",
            "docs",
        ])
        .current_dir(copy.path())
        .output()
        .expect("grep starts");
    assert!(
        left.stdout.is_empty(),
        "not renamed: {}",
        String::from_utf8_lossy(&left.stdout)
    );
    assert!(
        copy.path()
            .join("bindings/java/src/main/java/invalid/other/chatblock")
            .is_dir()
    );
    report(
        "publishing",
        String::from_utf8_lossy(&check_line(&identities("check", copy.path()))).trim(),
    );
}

fn check_line(output: &Output) -> Vec<u8> {
    assert!(output.status.success(), "{output:?}");
    output.stdout.clone()
}

/// Runs `make all` with a cargo that only knows its version.
fn make_with(version: &str) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let fake = folder.path().join("cargo");
    let script = format!("#!/bin/sh\n[ \"$1\" = --version ] && echo '{version}' || echo built\n");
    fs::write(&fake, script).expect("a script");
    fs::set_permissions(&fake, fs::Permissions::from_mode(0o755))
        .expect("it can be made a program");
    Command::new("make")
        .args(["--no-print-directory", "cli"])
        .current_dir(root())
        .env("CARGO", &fake)
        .env("CARGO_TARGET_DIR", folder.path())
        .output()
        .expect("make starts")
}

#[test]
fn an_old_cargo_is_told_which_rust_is_needed() {
    let manifest = read("Cargo.toml");
    let needed = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = \""));
    let needed = needed.expect("rust-version").trim_end_matches('"');
    let old = make_with("cargo 1.65.0 (4bc8f24d3 2022-10-20)");
    let said = String::from_utf8_lossy(&old.stderr).into_owned();
    let built = String::from_utf8_lossy(&old.stdout).contains("built");
    assert!(!old.status.success() && !built, "{old:?}");
    assert!(
        said.contains(&format!("needs Rust {needed} or later, found 1.65.0")),
        "{said}"
    );
    let later = make_with("cargo 1.100.0 (0123456 2027-04-01)");
    assert!(
        String::from_utf8_lossy(&later.stdout).contains("built"),
        "{later:?}"
    );
}
