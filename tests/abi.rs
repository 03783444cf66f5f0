//! The promise of ABI.md: what is exported, under which name, and that nothing released goes away.

mod support;

use std::fs;
use std::process::Command;

use support::{has_tool, libraries, report, root, run};

fn shared_library() -> std::path::PathBuf {
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

/// Declarations of a header without comments, each on one line: prototypes, types, enumerators and
/// macros. The version may move.
fn declarations(header: &str) -> Vec<String> {
    let mut code = String::new();
    for (index, piece) in header.split("/*").enumerate() {
        let rest = piece.split_once("*/").map_or("", |(_, rest)| rest);
        code += if index == 0 { piece } else { rest };
    }
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

#[test]
fn every_released_declaration_is_still_there() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("a header");
    let (released, today) = (read("abi/released.h"), read("include/chatblock.h"));
    let today = declarations(&today);
    let released = declarations(&released);
    for declaration in &released {
        assert!(today.contains(declaration), "gone: {declaration}");
    }
    let line = format!(
        "abi: {} released declarations are still there",
        released.len()
    );
    report("abi", &line);
}
