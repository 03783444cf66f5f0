//! `include/chatblock.h` is what cbindgen makes of `src/ffi` today, in groups.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What stands before the functions.
const BEGIN: &str = "#ifdef __cplusplus\nextern \"C\" {\n#endif // __cplusplus\n";
/// What stands after them.
const END: &str = "\n#ifdef __cplusplus\n}  // extern \"C\"";
const CLOSE: &str = "\n/** @} */\n";

/// A module of `src/ffi` is a group of functions on the pages. Its comment is that of the group.
struct Group {
    name: String,
    comment: String,
    /// Where it begins.
    first_function: Option<String>,
}

impl Group {
    fn read(folder: &Path, name: &str) -> Self {
        let code = fs::read_to_string(folder.join(name).with_extension("rs")).expect("a module");
        let comment = code.lines().map_while(|line| line.strip_prefix("//!"));
        let first = code
            .lines()
            .find_map(|line| line.split_once("extern \"C\" fn "));
        Self {
            name: name.to_owned(),
            comment: comment.map(|line| line.to_owned() + "\n").collect(),
            first_function: first
                .and_then(|(_, rest)| rest.split_once('('))
                .map(|(name, _)| name.to_owned()),
        }
    }

    /// In the order of the header.
    fn all() -> Vec<Self> {
        let folder = testkit::root().join("src/ffi");
        let index = fs::read_to_string(folder.join("mod.rs")).expect("the modules");
        let names = index
            .lines()
            .filter_map(|line| line.strip_prefix("pub mod "));
        names
            .map(|name| Self::read(&folder, name.trim_end_matches(';')))
            .collect()
    }

    fn opening(&self) -> String {
        let (title, text) = self.comment.split_once('\n').expect("a comment");
        let title = title.trim().trim_end_matches('.');
        let mut opening = format!("\n/**\n * @defgroup group_{} {title}\n", self.name);
        for line in text.lines() {
            let _ = writeln!(opening, " *{line}");
        }
        opening + " *\n * @{\n */\n"
    }
}

/// The name of the function in a comment and declaration.
fn declared(block: &str) -> &str {
    let (_, declaration) = block.split_once("*/").expect("a comment");
    let (head, _) = declaration.split_once('(').expect("a function");
    head.rsplit([' ', '*', '\n']).next().unwrap_or_default()
}

/// cbindgen prints no text between items: the groups are set around them here.
fn in_groups(header: &str) -> String {
    let groups = Group::all();
    let (types, rest) = header.split_once(BEGIN).expect("types");
    let (functions, end) = rest.split_once(END).expect("functions");
    let first_type = types
        .find("\nenum chatblock_status")
        .expect("an enumeration");
    let first_type = types[..first_type].rfind("\n/**").expect("its comment");

    let mut text = types[..first_type].trim_end().to_owned() + "\n";
    let group_of_types = groups.iter().find(|group| group.name == "status");
    text += &group_of_types.expect("the types").opening();
    text += types[first_type..].trim_end();
    text += "\n";
    text += CLOSE;
    text += "\n";
    text += BEGIN;
    let mut found = 0;
    for block in functions.split("\n/**\n").skip(1) {
        let name = declared(block);
        let starts = |group: &&Group| group.first_function.as_deref() == Some(name);
        if let Some(group) = groups.iter().find(starts) {
            if found > 0 {
                text += CLOSE;
            }
            text += &group.opening();
            found += 1;
        }
        text += "\n/**\n";
        text += block;
    }
    let wanted = groups.iter().filter(|group| group.first_function.is_some());
    assert_eq!(found, wanted.count(), "each module has its group");
    text + CLOSE + END + end
}

/// Rust's section is a precondition in C.
fn with_preconditions(header: &str) -> String {
    header.replace("\n * # Safety\n * ", "\n * @pre ")
}

fn generated() -> String {
    let root = testkit::root();
    let config =
        cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is sound");
    let bindings = cbindgen::Builder::new()
        .with_crate(root)
        .with_config(config)
        .generate()
        .expect("src/ffi can be read");
    let mut header = Vec::new();
    bindings.write(&mut header);
    let header = String::from_utf8(header).expect("a header is text");
    in_groups(&with_preconditions(&header))
}

#[test]
fn the_committed_header_is_the_generated_one() {
    let generated = generated();
    let path = testkit::root().join("include/chatblock.h");
    let committed = fs::read_to_string(&path).unwrap_or_default();
    if committed != generated {
        if std::env::var_os("CI").is_none() {
            fs::write(&path, &generated).expect("include/ can be written");
        }
        panic!(
            "include/chatblock.h was stale; outside CI it has been written anew: look at the diff"
        );
    }
}

#[test]
fn the_example_of_the_introduction_compiles() {
    if !testkit::has_tool("header", "gcc") {
        return;
    }
    let header = fs::read_to_string(testkit::root().join("include/chatblock.h")).expect("a header");
    let (_, rest) = header.split_once("@code{.c}\n").expect("an example");
    let (example, _) = rest.split_once(" * @endcode").expect("its end");
    let example: String = example
        .lines()
        .map(|line| line.strip_prefix(" *").unwrap_or(line).to_owned() + "\n")
        .collect();
    let mut gcc = Command::new("gcc")
        .args(["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"])
        .args(["-fsyntax-only", "-x", "c", "-I"])
        .arg(testkit::root().join("include"))
        .arg("-")
        .stdin(Stdio::piped())
        .spawn()
        .expect("gcc starts");
    let mut input = gcc.stdin.take().expect("a pipe");
    input.write_all(example.as_bytes()).expect("gcc reads");
    drop(input);
    assert!(gcc.wait().expect("gcc ends").success(), "{example}");
}
