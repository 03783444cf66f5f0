//! One version everywhere: Cargo.toml, the macros of the header, the running library, CHANGELOG.md, and every
//! package.

use std::ffi::CStr;
use std::fs;

use chatblock::ffi::version::{chatblock_version, chatblock_version_number};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn read(path: &str) -> String {
    fs::read_to_string(testkit::root().join(path)).expect("a file of the project")
}

/// The value of `#define CHATBLOCK_VERSION_<name>` in the header.
fn in_header(name: &str) -> String {
    let header = read("include/chatblock.h");
    let start = format!("#define CHATBLOCK_VERSION_{name} ");
    let found = header.lines().find_map(|line| line.strip_prefix(&start));
    found.expect("the macro").trim().to_owned()
}

#[test]
fn the_header_has_the_version_of_the_package() {
    let parts = ["MAJOR", "MINOR", "PATCH"].map(in_header);
    assert_eq!(parts.join("."), VERSION);
    let number = in_header("NUMBER");
    let digits = number
        .strip_prefix("0x")
        .expect("a number with base sixteen");
    let number = u32::from_str_radix(digits, 16).expect("a number");
    assert_eq!(number, chatblock_version_number());
    let parts = parts.map(|part| part.parse::<u32>().expect("a number"));
    assert_eq!(number, parts[0] << 16 | parts[1] << 8 | parts[2]);
}

#[test]
fn the_library_says_the_version_of_the_package() {
    #[allow(unsafe_code, reason = "a text of the C interface is read")]
    // SAFETY: the function promises a constant text that is never NULL.
    let version = unsafe { CStr::from_ptr(chatblock_version()) };
    assert_eq!(version.to_str(), Ok(VERSION));
}

fn numbers(text: &str, between: char) -> [u32; 3] {
    let parts: Vec<_> = text.split(between).map(str::parse).collect();
    match parts[..] {
        [Ok(first), Ok(second), Ok(third)] => [first, second, third],
        _ => panic!("{text} is not three numbers"),
    }
}

/// Keep a Changelog: on top what is not released, below it the releases with their dates, the newest first.
#[test]
fn the_changes_are_those_of_releases_with_dates() {
    const KINDS: [&str; 6] = [
        "Added",
        "Changed",
        "Deprecated",
        "Removed",
        "Fixed",
        "Security",
    ];
    let changes = read("CHANGELOG.md");
    let mut headings = changes.lines().filter_map(|line| line.strip_prefix("## "));
    assert_eq!(headings.next(), Some("Unreleased"));
    let releases: Vec<_> = headings
        .map(|heading| {
            let (version, date) = heading.split_once(" - ").expect("a version and a date");
            assert_eq!(date.len(), "2026-01-31".len(), "{heading}");
            (numbers(version, '.'), numbers(date, '-'))
        })
        .collect();
    assert!(releases.is_sorted_by(|newer, older| newer.0 > older.0 && newer.1 >= older.1));
    let newest = releases.first().map(|release| release.0);
    assert!(
        newest <= Some(numbers(VERSION, '.')),
        "a release of the future"
    );
    for kind in changes.lines().filter_map(|line| line.strip_prefix("### ")) {
        assert!(KINDS.contains(&kind), "{kind} is no kind of change");
    }
}

/// `%` stands for the version, `#` for that of the SONAME.
const MANIFESTS: [(&str, &str); 12] = [
    ("packaging/debian/changelog", "chatblock (%) "),
    ("packaging/debian/control", "Package: libchatblock#\n"),
    (
        "packaging/man/chatblock.3",
        "find_package(chatblock # REQUIRED)",
    ),
    (
        "packaging/consumer/CMakeLists.txt",
        "find_package(chatblock # REQUIRED)",
    ),
    (
        "bindings/python/src/chatblock/_version.py",
        "__version__ = \"%\"\n",
    ),
    ("bindings/node/package.json", "\"version\": \"%\""),
    (
        "bindings/java/pom.xml",
        "</artifactId>\n  <version>%</version>\n  <name>",
    ),
    (
        "bindings/java/example/pom.xml",
        "</artifactId>\n      <version>%</version>",
    ),
    ("bindings/csharp/Chatblock.csproj", "<Version>%</Version>"),
    ("bindings/lua/chatblock/native.lua", "\"libchatblock.so.#\""),
    ("bindings/go/run", "@v%\n"),
    ("docs/getting-started.md", "-%.tgz"),
];

/// Before 1.0 the minor plays the major (ABI.md).
fn soname_version() -> &'static str {
    match VERSION.strip_prefix("0.") {
        Some(rest) => &VERSION[..2 + rest.find('.').expect("three numbers")],
        None => VERSION.split('.').next().unwrap_or_default(),
    }
}

#[test]
fn every_package_has_the_version_of_the_library() {
    for (file, text) in MANIFESTS {
        let text = text.replace('%', VERSION).replace('#', soname_version());
        assert!(read(file).contains(&text), "{file} lacks {text}");
    }
    let folder = fs::read_dir(testkit::root().join("bindings/lua")).expect("a folder");
    let rockspec = folder
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .find(|name| name.ends_with(&format!("-{VERSION}-1.rockspec")))
        .expect("a rockspec of this version");
    let rockspec = read(&format!("bindings/lua/{rockspec}"));
    assert!(rockspec.contains(&format!("version = \"{VERSION}-1\"")));
}
