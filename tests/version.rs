//! One version everywhere: Cargo.toml, the macros of the header, the running library, CHANGELOG.md, and every
//! package.

mod support;

use std::ffi::CStr;
use std::fs;

use chatblock::ffi::version::{chatblock_version, chatblock_version_number};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn read(path: &str) -> String {
    fs::read_to_string(support::root().join(path)).expect("a file of the project")
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

#[test]
fn the_newest_changes_are_those_of_this_version() {
    let changes = read("CHANGELOG.md");
    let newest = changes.lines().find_map(|line| line.strip_prefix("## "));
    let newest = newest.expect("an entry").split(' ').next();
    assert_eq!(newest, Some(VERSION));
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
        "<artifactId>chatblock</artifactId>\n  <version>%</version>",
    ),
    (
        "bindings/java/example/pom.xml",
        "<artifactId>chatblock</artifactId>\n      <version>%</version>",
    ),
    ("bindings/csharp/Chatblock.csproj", "<Version>%</Version>"),
    ("bindings/lua/chatblock/native.lua", "\"libchatblock.so.#\""),
    ("bindings/go/run", "chatblock@v%\n"),
    ("docs/getting-started.md", "chatblock-%.tgz"),
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
    let rockspec = format!("bindings/lua/chatblock-{VERSION}-1.rockspec");
    assert!(read(&rockspec).contains(&format!("version = \"{VERSION}-1\"")));
}
