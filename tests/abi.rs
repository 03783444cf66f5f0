//! The promise of ABI.md: what is exported, under which name, and that nothing released goes away.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::{has_tool, libraries, report, root, run};

fn shared_library() -> PathBuf {
    libraries().join("libchatblock.so")
}

#[test]
fn exactly_the_promised_symbols_are_exported() {
    if !has_tool("abi", "nm") {
        return;
    }
    let output = run(Command::new("nm")
        .args(["-D", "--defined-only"])
        .arg(shared_library()));
    let mut exported: Vec<_> = output
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2))
        .collect();
    exported.sort_unstable();
    let promised = fs::read_to_string(root().join("abi/chatblock.symbols")).expect("the symbols");
    let promised: Vec<_> = promised.lines().collect();
    assert_eq!(exported, promised);
    assert!(exported.iter().all(|name| name.starts_with("chatblock_")));
    let line = format!(
        "abi: {} symbols exported, all of them promised",
        exported.len()
    );
    report("abi", &line);
}

/// A worker may outlive a close that ran out of time, and the name is what programs are linked with.
#[test]
fn the_library_has_its_name_and_stays_mapped() {
    if !has_tool("abi", "readelf") {
        return;
    }
    let output = run(Command::new("readelf")
        .args(["-d", "-W"])
        .arg(shared_library()));
    let has = |tag: &str, value: &str| {
        output
            .lines()
            .any(|line| line.contains(tag) && line.contains(value))
    };
    assert!(has("(SONAME)", "[libchatblock.so.0.1]"), "{output}");
    assert!(has("(FLAGS_1)", "NODELETE"), "{output}");
}

#[test]
fn the_c_code_in_the_library_has_a_stack_protector() {
    if !has_tool("abi", "readelf") {
        return;
    }
    let output = run(Command::new("readelf")
        .args(["--dyn-syms", "-W"])
        .arg(shared_library()));
    assert!(
        output.contains("__stack_chk_fail"),
        "CFLAGS of .cargo/config.toml"
    );
}

/// A compile-time check: any thread may use a client, and a reply may go to another thread.
#[test]
fn handles_and_results_belong_to_no_thread() {
    fn any_thread<T: Send + Sync>() {}
    any_thread::<chatblock::Client>();
    any_thread::<chatblock::Reply>();
    any_thread::<chatblock::Error>();
}

fn without_comments(header: &str) -> String {
    let mut code = String::new();
    for (index, piece) in header.split("/*").enumerate() {
        let rest = piece.split_once("*/").map_or("", |(_, rest)| rest);
        code += if index == 0 { piece } else { rest };
    }
    code
}

/// Declarations of a header without comments, each on one line: prototypes, types, enumerators and
/// macros. The version may move.
fn declarations(header: &str) -> Vec<String> {
    let code = without_comments(header);
    let (directives, rest): (Vec<_>, Vec<_>) = code.lines().partition(|line| line.starts_with('#'));
    let macros = directives
        .into_iter()
        .filter(|line| line.starts_with("#define"));
    let rest = rest.join(" ").replace([',', '{', '}'], ";");
    let declared = rest.split(';').map(str::to_owned);
    macros
        .map(str::to_owned)
        .chain(declared)
        .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|text| !text.is_empty() && !text.starts_with("#define CHATBLOCK_VERSION_"))
        .collect()
}

/// The header of the last release. Before the first release there is neither the file nor a tag of a version.
fn released() -> Option<String> {
    let kept = root().join("abi/released.h");
    if kept.exists() {
        return Some(fs::read_to_string(kept).expect("a header"));
    }
    // Without git, as in an unpacked archive, the file alone decides.
    let tags = Command::new("git")
        .args(["tag", "--list", "v[0-9]*"])
        .current_dir(root())
        .output();
    let tags = tags.map_or_else(|_| Vec::new(), |output| output.stdout);
    let tags = String::from_utf8_lossy(&tags).into_owned();
    assert!(
        tags.is_empty(),
        "these are released: {tags}abi/released.h must be the header of the last one"
    );
    None
}

fn header() -> String {
    fs::read_to_string(root().join("include/chatblock.h")).expect("a header")
}

/// Declarations of `before` that `after` does not have.
fn gone(before: &str, after: &str) -> Vec<String> {
    let after = declarations(after);
    let mut before = declarations(before);
    before.retain(|declaration| !after.contains(declaration));
    before
}

#[test]
fn every_released_declaration_is_still_there() {
    let Some(released) = released() else {
        report(
            "abi",
            "abi: nothing has been released, so that every declaration may change",
        );
        return;
    };
    assert_eq!(gone(&released, &header()), [""; 0]);
    let line = format!(
        "abi: {} released declarations are still there",
        declarations(&released).len()
    );
    report("abi", &line);
}

/// Changes of today's header that break programs, and what is gone by each.
const BREAKS: [(&str, &str, &str); 5] = [
    ("size_t count", "uint32_t count", "size_t count"),
    (
        "chatblock_client_wakeup(",
        "chatblock_client_wake(",
        "chatblock_client_wakeup(",
    ),
    (
        "CHATBLOCK_PARTIAL = 1",
        "CHATBLOCK_PARTIAL = 3",
        "CHATBLOCK_PARTIAL = 1",
    ),
    ("CHATBLOCK_OK = 0", "CHATBLOCK_DONE = 0", "CHATBLOCK_OK = 0"),
    (
        "#define CHATBLOCK_API",
        "#define CHATBLOCK_EXPORT",
        "#define CHATBLOCK_API",
    ),
];

#[test]
fn every_break_of_a_declaration_is_seen() {
    let today = header();
    let last = today.rfind("CHATBLOCK_API").expect("a function");
    let mut more = today.clone();
    more.insert_str(last, "CHATBLOCK_API int32_t chatblock_more(void);\n");
    assert_eq!(gone(&today, &more), [""; 0], "a new function is no break");
    for (from, to, lost) in BREAKS {
        let changed = today.replace(from, to);
        assert_ne!(changed, today, "{from} is not in the header");
        let gone = gone(&today, &changed);
        assert!(
            gone.iter().any(|declaration| declaration.contains(lost)),
            "{from} became {to} unseen: {gone:?}"
        );
    }
}

/// A library in C with the prototypes of `header` and its types as debug information: abidiff sees through it
/// what it does not see in a library made by Rust.
fn shim(name: &str, header: &str) -> PathBuf {
    let code = without_comments(header);
    let prototypes = code.split("CHATBLOCK_API").skip(3);
    let bodies = prototypes.map(|text| {
        let prototype = text.split(';').next().unwrap_or_default().trim();
        let body = if prototype.starts_with("void ") {
            "{}"
        } else {
            "{ return 0; }"
        };
        format!("{prototype} {body}\n")
    });
    let source = header.to_owned() + &bodies.collect::<String>();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (file, library) = (
        folder.join(format!("{name}.c")),
        folder.join(format!("{name}.so")),
    );
    fs::write(&file, source).expect("the shim can be written");
    run(Command::new("gcc")
        .args(["-g", "-shared", "-fPIC", "-o"])
        .args([&library, &file]));
    library
}

/// What abidiff says of a change from `before` to `after`; added functions are no change. Empty for none.
fn difference(before: &Path, after: &Path) -> String {
    let output = Command::new("abidiff")
        .arg("--no-added-syms")
        .args([before, after])
        .output()
        .expect("abidiff starts");
    if output.status.success() {
        return String::new();
    }
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!said.is_empty(), "{output:?}");
    said
}

fn has_abidiff() -> bool {
    has_tool("abi", "gcc") && has_tool("abi", "abidiff")
}

#[test]
fn no_released_prototype_has_another_type() {
    let (Some(released), true) = (released(), has_abidiff()) else {
        return;
    };
    let before = shim("released", &released);
    assert_eq!(difference(&before, &shim("today", &header())), "");
    report("abi", "abi: abidiff sees no change of a released prototype");
}

#[test]
fn abidiff_sees_a_break_of_a_prototype() {
    if !has_abidiff() {
        return;
    }
    let today = header();
    let before = shim("before", &today);
    assert_eq!(difference(&before, &shim("same", &today)), "");
    let narrower = today.replacen("size_t count", "uint32_t count", 1);
    let seen = difference(&before, &shim("narrower", &narrower));
    assert!(seen.contains("parameter 4"), "a narrower count: {seen}");
    let gone = today.replace("chatblock_client_wakeup(", "chatblock_client_wake(");
    let seen = difference(&before, &shim("gone", &gone));
    assert!(
        seen.contains("chatblock_client_wakeup"),
        "a function is gone: {seen}"
    );
    report(
        "abi",
        "abi: abidiff sees a narrower parameter and a function that is gone",
    );
}
