//! The house (ARCHITECTURE.md): who may know whom, and what stands in one place only.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

/// Lower knows nothing of higher; equals know nothing of each other.
const RANKS: &[(&str, u32)] = &[
    ("error", 0),
    ("clock", 0),
    ("panics", 0),
    ("platform", 0),
    ("oneshot", 1),
    ("query", 0),
    ("random", 0),
    ("sliding_window", 0),
    ("sqlite", 1),
    ("locks", 0),
    ("threads", 1),
    ("user_files", 1),
    ("cache", 1),
    ("api", 1),
    ("wire", 2),
    ("usersig", 3),
    ("webhook", 3),
    ("config", 4),
    ("service", 5),
    ("client", 6),
    ("server", 6),
    ("ffi", 7),
];

/// Folders inside a layer that must not know each other.
const APART: [(&str, &str); 2] = [("service/engine", "remote"), ("service/remote", "engine")];

struct Source {
    /// Relative to `src`.
    name: String,
    /// Without comments and without its unit tests.
    code: String,
}

fn sources() -> Vec<Source> {
    let top = support::root().join("src");
    let mut files = Vec::new();
    collect(&top, &mut files);
    files
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a source file");
            let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
            let code: Vec<_> = code
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect();
            Source {
                name: path
                    .strip_prefix(&top)
                    .expect("below src")
                    .display()
                    .to_string(),
                code: code.join("\n"),
            }
        })
        .collect()
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") && !is_test(&path) {
            files.push(path);
        }
    }
}

/// Unit tests that fill a file of their own.
fn is_test(path: &Path) -> bool {
    path.ends_with("runtime/model.rs")
        || path
            .parent()
            .is_some_and(|folder| folder.ends_with("scheduler/tests"))
        || path
            .parent()
            .is_some_and(|folder| folder.ends_with("scheduler/simulator"))
}

fn layer(name: &str) -> &str {
    name.split(['/', '.']).next().unwrap_or_default()
}

fn rank(layer: &str) -> Option<u32> {
    RANKS
        .iter()
        .find(|(name, _)| *name == layer)
        .map(|(_, rank)| *rank)
}

/// First segments of every `crate::` path, also inside `use crate::{...}`.
fn mentioned(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for piece in code.split("crate::").skip(1) {
        if let Some(group) = piece.strip_prefix('{') {
            let group = group.split(';').next().unwrap_or_default();
            found.extend(
                group
                    .split([',', '{', '}'])
                    .map(|part| first_word(part.trim())),
            );
        } else {
            found.push(first_word(piece));
        }
    }
    found
}

fn first_word(text: &str) -> &str {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    &text[..end]
}

/// Files in which `what` occurs although only `allowed` may have it.
fn strays(what: &str, allowed: impl Fn(&str) -> bool) -> Vec<String> {
    sources()
        .into_iter()
        .filter(|source| source.code.contains(what) && !allowed(&source.name))
        .map(|source| format!("{} has {what}", source.name))
        .collect()
}

#[test]
fn every_folder_is_a_known_layer() {
    for source in sources() {
        let layer = layer(&source.name);
        assert!(
            matches!(layer, "lib" | "bin") || rank(layer).is_some(),
            "{} belongs to no layer of ARCHITECTURE.md",
            source.name
        );
    }
}

#[test]
fn layers_point_one_way() {
    let mut wrong = Vec::new();
    for source in sources() {
        let own = layer(&source.name);
        let Some(own_rank) = rank(own) else { continue };
        for other in mentioned(&source.code) {
            if let Some(other_rank) = rank(other)
                && other != own
                && other_rank >= own_rank
            {
                wrong.push(format!("{} knows {other}", source.name));
            }
        }
        for (folder, stranger) in APART {
            if source.name.starts_with(folder)
                && source.code.contains(&format!("super::{stranger}"))
            {
                wrong.push(format!("{} knows {stranger}", source.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn unsafe_code_stands_in_ffi_platform_and_the_memory_of_the_cache() {
    let wrong = strays("unsafe ", |name| {
        name.starts_with("ffi/") || name.starts_with("platform/") || name == "cache/memory.rs"
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_clock_reads_the_time() {
    for call in ["Instant::now", "SystemTime::now", "clock_gettime"] {
        let wrong = strays(call, |name| name == "clock.rs");
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

#[test]
fn only_one_place_starts_a_thread() {
    for call in ["thread::spawn", "thread::Builder", "Builder::new().name"] {
        let wrong = strays(call, |name| name == "threads.rs");
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

#[test]
fn only_wire_spells_the_members_of_the_service() {
    let members = [
        "\"ResultItem\"",
        "\"Fail_Account\"",
        "\"BlackListItem\"",
        "\"BlackListCheckItem\"",
        "\"CurruentSequence\"",
        "\"ActionStatus\"",
        "\"ErrorCode\"",
        "BlackCheckResult_Type",
    ];
    for member in members {
        let wrong = strays(member, |name| name.starts_with("wire/"));
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

#[test]
fn input_of_a_caller_meets_no_unwrap() {
    let wrong = strays(".unwrap()", |_| false);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_of_users_are_opened_in_one_place() {
    for call in [
        " File::open",
        "(File::open",
        "fs::File",
        "OpenOptions",
        "fs::read",
        "fs::write",
        "File::create",
    ] {
        let wrong = strays(call, |name| {
            name == "user_files.rs" || name.starts_with("sqlite/") || name.starts_with("platform/")
        });
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
