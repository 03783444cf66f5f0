//! References lead somewhere: each `.md` file that any file of the tree names exists, each section of
//! docs/protocol.md and each choice that is cited exists, each path of the tree that a document names exists, and what
//! installed files name is installed with them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use testkit::{report, root, run};

const THIS: &str = "tests/links.rs";
const PROTOCOL: &str = "docs/protocol.md";
const DECISIONS: &str = "docs/decisions.md";
/// Where the documents are below the prefix of an installation.
const INSTALLED: &str = "share/doc/chatblock";
/// What is installed as it is, or becomes help, and so names installed documents only.
const SHOWN: [&str; 3] = ["include/", "packaging/man/", "cli/src/args.rs"];

/// What a reference can lead to.
#[derive(Default)]
struct Tree {
    files: BTreeSet<String>,
    /// Numbers of the sections of [`PROTOCOL`].
    sections: BTreeSet<String>,
    /// `C1` and `D1`: the headings of [`DECISIONS`].
    decisions: BTreeSet<String>,
    /// Documents that `make install` installs, by their path below [`INSTALLED`].
    installed: BTreeSet<String>,
}

impl Tree {
    fn of_the_project() -> Self {
        let listed = run(Command::new("git").arg("ls-files").current_dir(root()));
        let present = listed.lines().filter(|file| root().join(file).exists());
        Self {
            files: present.map(str::to_owned).collect(),
            sections: headings(PROTOCOL),
            decisions: headings(DECISIONS),
            installed: installed_documents(),
        }
    }

    /// The file that `name` means in the file `from`: beside it, or from the top.
    fn resolve(&self, from: &str, name: &str) -> Option<String> {
        let folder = Path::new(from).parent().expect("a file");
        let places = [
            folder.join(name),
            PathBuf::from(name.trim_start_matches('/')),
        ];
        let mut paths = places.iter().filter_map(|place| normalize(place));
        paths.find(|path| self.files.contains(path))
    }

    /// What `text`, the content of `from`, refers to and is not there.
    fn dead(&self, from: &str, text: &str) -> Vec<String> {
        let text = unwrapped(text);
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut dead = Vec::new();
        for (index, word) in words.iter().enumerate() {
            let rest = &words[index + 1..];
            for name in documents(word) {
                let found = match name.split_once(&format!("{INSTALLED}/")) {
                    Some((_, document)) => self.installed.get(document).cloned(),
                    None => self.resolve(from, name),
                };
                match found {
                    None => dead.push(name.to_owned()),
                    Some(file) if file == PROTOCOL && !ends_sentence(word) => {
                        let cited = numbers(rest, is_section);
                        dead.extend(absent(&cited, &self.sections, "section"));
                    }
                    Some(_) => {}
                }
            }
            if is_document(from) && from != HISTORY {
                let named = names(word).filter(|name| is_path(name));
                let absent = named.filter(|path| *path != LATER && !self.has(from, path));
                dead.extend(absent.map(str::to_owned));
            }
            let word = word.trim_start_matches('(');
            if matches!(word, "choice" | "choices" | "decision" | "decisions") {
                let cited = numbers(rest, is_decision);
                dead.extend(absent(&cited, &self.decisions, "decision"));
            }
            if from == PROTOCOL && matches!(word, "section" | "sections") {
                dead.extend(absent(
                    &numbers(rest, is_section),
                    &self.sections,
                    "section",
                ));
            }
            if from == PROTOCOL || from == DECISIONS {
                let cited: Vec<_> = bare(word).filter(|piece| is_decision(piece)).collect();
                dead.extend(absent(&cited, &self.decisions, "decision"));
            }
        }
        dead
    }

    /// Whether `path` is a file or a folder of the tree.
    fn has(&self, from: &str, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let folder = format!("{path}/");
        let is_folder = self.files.iter().any(|file| file.starts_with(&folder));
        is_folder || self.resolve(from, path).is_some()
    }

    /// What users of an installation are told to read and that is not installed.
    fn not_installed(&self, from: &str, text: &str) -> Vec<String> {
        let is_shown = SHOWN.iter().any(|top| from.starts_with(top));
        // Elsewhere in the sources only messages are shown.
        let is_source = from.starts_with("src/") || from.starts_with("cli/src/");
        let is_message = |line: &&str| is_source && !line.trim().starts_with("//");
        let lines = text.lines().filter(|line| is_shown || is_message(line));
        let named = lines.flat_map(str::split_whitespace).flat_map(documents);
        let found = named.filter_map(|name| Some((name, self.resolve(from, name)?)));
        let absent = found.filter(|(_, file)| !self.installed.contains(file));
        absent
            .map(|(name, _)| format!("{name} (not installed)"))
            .collect()
    }
}

/// First words of the headings of `page`, without a period at the end.
fn headings(page: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(page)).expect("a page");
    let titles = text.lines().filter(|line| line.starts_with("##"));
    let first = titles.filter_map(|line| line.split_whitespace().nth(1));
    first
        .map(|word| word.trim_end_matches('.').to_owned())
        .collect()
}

/// What `make install` puts beside the program, as it does it.
fn installed_documents() -> BTreeSet<String> {
    let folder = tempfile::tempdir().expect("a folder");
    run(Command::new("make")
        .args(["-s", "install-documents", "PREFIX=/usr"])
        .arg(format!("DESTDIR={}", folder.path().display()))
        .current_dir(root()));
    let top = folder.path().join("usr").join(INSTALLED);
    let mut found = BTreeSet::new();
    let mut folders = vec![top.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&top).expect("below the top");
                found.insert(name.to_str().expect("UTF-8").to_owned());
            }
        }
    }
    found
}

/// `path` without `.` and `..`; none when it leaves the tree.
fn normalize(path: &Path) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::ParentDir => drop(parts.pop()?),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

/// The lines as one, without what marks them as comments: a citation may go on in the next line.
fn unwrapped(text: &str) -> String {
    let marks = |character: char| character.is_whitespace() || "/!#*".contains(character);
    let lines = text.lines().map(|line| line.trim_start_matches(marks));
    lines.collect::<Vec<_>>().join(" ")
}

/// What can be the name of a file in `word`. What stands in addresses of the web is somebody else's.
fn names(word: &str) -> impl Iterator<Item = &str> {
    let word = if word.contains("://") { "" } else { word };
    let is_name = |character: char| character.is_alphanumeric() || "_./-".contains(character);
    let pieces = word.split(move |character| !is_name(character));
    pieces.map(|piece| piece.trim_end_matches('.'))
}

/// The names of documents in `word`; `*.md` is a pattern.
fn documents(word: &str) -> Vec<&str> {
    if !word.contains(".md") {
        return Vec::new();
    }
    names(word).filter(|name| is_document(name)).collect()
}

fn is_document(name: &str) -> bool {
    let ending = Path::new(name).extension();
    ending.is_some_and(|ending| ending == "md")
}

/// How the paths begin that are looked for in documents.
const FOLDERS: [&str; 11] = [
    "abi/",
    "benches/",
    "bindings/",
    "cli/",
    "docs/",
    "examples_c/",
    "include/",
    "packaging/",
    "src/",
    "testkit/",
    "tests/",
];
/// Is made with the first release.
const LATER: &str = "abi/released.h";
/// Tells of what was.
const HISTORY: &str = "CHANGELOG.md";

/// Another path of the tree.
fn is_path(name: &str) -> bool {
    !is_document(name) && FOLDERS.iter().any(|top| name.starts_with(top))
}

fn ends_sentence(word: &str) -> bool {
    word.ends_with(['.', ';', ':', ')'])
}

fn bare(word: &str) -> impl Iterator<Item = &str> {
    word.split(|character: char| !character.is_alphanumeric() && character != '.')
        .map(|piece| piece.trim_end_matches('.'))
}

/// The numbers at the beginning of `words`: `7.6`, `1.2, 3 and 9`, `sections 4 and 10`.
fn numbers<'a>(words: &[&'a str], is_number: fn(&str) -> bool) -> Vec<&'a str> {
    let mut found = Vec::new();
    for word in words {
        let mut pieces = bare(word).filter(|piece| !piece.is_empty());
        let piece = pieces.next().unwrap_or_default();
        if is_number(piece) {
            found.push(piece);
        } else if !matches!(piece, "and" | "or" | "to" | "section" | "sections") {
            break;
        }
        if ends_sentence(word) {
            break;
        }
    }
    found
}

fn is_section(piece: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    piece.split('.').all(is_number)
}

/// `C9` or `D2`.
fn is_decision(piece: &str) -> bool {
    let number = piece.strip_prefix(['C', 'D']);
    number.is_some_and(|number| !number.contains('.') && is_section(number))
}

fn absent(cited: &[&str], present: &BTreeSet<String>, what: &str) -> Vec<String> {
    let absent = cited.iter().filter(|number| !present.contains(**number));
    absent.map(|number| format!("{what} {number}")).collect()
}

#[test]
fn every_reference_leads_somewhere() {
    let tree = Tree::of_the_project();
    let mut count = 0;
    let mut dead = Vec::new();
    // This file plants dead names.
    for file in tree.files.iter().filter(|file| *file != THIS) {
        // Pictures and the like name nothing.
        let Ok(text) = fs::read_to_string(root().join(file)) else {
            continue;
        };
        count += text.split_whitespace().flat_map(documents).count();
        let mut found = tree.dead(file, &text);
        found.extend(tree.not_installed(file, &text));
        dead.extend(found.iter().map(|name| format!("{file}: {name}")));
    }
    assert!(dead.is_empty(), "not in the tree:\n{}", dead.join("\n"));
    assert!(count > 0, "no file names a document");
    report(
        "links",
        &format!("links: {count} names of documents, 0 dead"),
    );
}

/// A tree with two documents, of which one is installed.
fn small() -> Tree {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Tree {
        files: set(&[PROTOCOL, "bindings/README.md", "src/lib.rs", "ABI.md"]),
        sections: set(&["7", "7.6", "10"]),
        decisions: set(&["C9", "D1"]),
        installed: set(&[PROTOCOL]),
    }
}

#[test]
fn what_is_there_is_found() {
    let sound = [
        ("src/lib.rs", "//! See docs/protocol.md 7.6, choice C9."),
        (
            "src/lib.rs",
            "/// Rows 3 and 4 of docs/protocol.md section 10,\n/// row 99.",
        ),
        (
            "src/lib.rs",
            "(docs/protocol.md sections 7 and 10; decision D1). 12 of them",
        ),
        ("bindings/go/run", "# ../README.md says what; ABI.md too."),
        (
            "docs/faq.md",
            "[rules](protocol.md#7-usersig), https://example.invalid/README.md, *.md",
        ),
        (
            "include/chatblock.h",
            " * in share/doc/chatblock/docs/protocol.md",
        ),
        ("docs/protocol.md", "section 7.6 (C9)"),
        (
            "ABI.md",
            "`bindings/`, docs/protocol.md, and `lib.rs` of src/*.rs",
        ),
    ];
    for (path, text) in sound {
        assert_eq!(small().dead(path, text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn what_is_dead_is_found() {
    let nowhere = "docs/nowhere.md";
    let planted = [
        ("src/lib.rs", format!("//! As {nowhere} says."), nowhere),
        ("README.md", format!("[a page]({nowhere}#top)"), nowhere),
        ("cli/src/main.rs", format!("\"see {nowhere}\""), nowhere),
        (
            "src/lib.rs",
            "docs/protocol.md 7.7".to_owned(),
            "section 7.7",
        ),
        (
            "src/lib.rs",
            "docs/protocol.md\n    /// 7.6 and 8".to_owned(),
            "section 8",
        ),
        (
            "docs/protocol.md",
            "see section 8.1.".to_owned(),
            "section 8.1",
        ),
        (
            "docs/protocol.md",
            "INFERRED (C77)".to_owned(),
            "decision C77",
        ),
        (
            "src/lib.rs",
            "(choices C9 and C78)".to_owned(),
            "decision C78",
        ),
        ("src/lib.rs", "decision D9.".to_owned(), "decision D9"),
        (
            "ABI.md",
            "| `src/gone.rs` | a leaf |".to_owned(),
            "src/gone.rs",
        ),
        (
            "include/chatblock.h",
            " * share/doc/chatblock/ABI.md".to_owned(),
            "share/doc/chatblock/ABI.md",
        ),
    ];
    for (path, text, missing) in planted {
        assert_eq!(small().dead(path, &text), [missing], "{text}");
    }
}

#[test]
fn what_is_not_installed_is_found() {
    let planted = [
        ("include/chatblock.h", " * see ABI.md"),
        ("packaging/man/chatblock.1", "ABI.md."),
        ("cli/src/args.rs", "    /// A file (see ABI.md)"),
        ("cli/src/server/mod.rs", "    fail(\"see ABI.md\");"),
    ];
    for (path, text) in planted {
        let found = small().not_installed(path, text);
        assert_eq!(found, ["ABI.md (not installed)"], "{path}");
    }
    let sound = [
        ("include/chatblock.h", " * see docs/protocol.md 7"),
        ("cli/src/server/mod.rs", "    // See ABI.md."),
        ("tests/abi.rs", "read(\"ABI.md\")"),
    ];
    for (path, text) in sound {
        assert_eq!(
            small().not_installed(path, text),
            Vec::<String>::new(),
            "{path}"
        );
    }
}
