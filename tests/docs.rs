//! The guide is true: links lead somewhere, tables are complete, and every block of code is a piece of a program
//! that the tests build and run, a configuration that is taken, or commands that work.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chatblock::api::Retry;
use chatblock::api::codes::{Concern, SERVICE_CODES};
use chatblock::config::Config;
use testkit::{has_tool, program_file, report, root, run, target};

/// Folders whose programs are built and run by other tests.
const PROGRAMS: [&str; 4] = ["examples_c", "bindings", "tests", "src"];
/// What the first word of a command is when it needs a package that was made: `bindings/HOST/run package` and
/// `packaging/test` show that it works.
const INSTALLERS: [&str; 10] = [
    "pip", "npm", "go", "mvn", "mcs", "mono", "cp", "luajit", "luarocks", "dpkg",
];
/// Package managers of distributions, which README.md uses with root's rights on machines that are not this one.
const OF_OTHER_MACHINES: &str = "sudo";

/// What is built, what git keeps, and pages that were given to the project.
const NOT_OURS: [&str; 4] = ["target", "build", ".git", "vectors"];

/// Every file below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default();
        if path.is_file() {
            found.push(path);
        } else if !NOT_OURS.iter().any(|folder| name == *folder) {
            files(&path, found);
        }
    }
}

fn is_page(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "md")
}

/// The guide, and the READMEs and their like.
fn pages() -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(root(), &mut found);
    found.retain(|path| is_page(path));
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A block between fences: its language and its lines.
struct Block {
    page: PathBuf,
    language: String,
    text: String,
}

fn blocks() -> Vec<Block> {
    let mut all = Vec::new();
    for page in pages() {
        let text = read(&page);
        for piece in text.split("\n```").skip(1).step_by(2) {
            let (language, text) = piece.split_once('\n').expect("a fence ends its line");
            all.push(Block {
                page: page.clone(),
                language: language.to_owned(),
                text: text.to_owned(),
            });
        }
    }
    all
}

/// As the renderers make it: lower case, spaces become hyphens, punctuation goes.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Of what stands between the blocks.
fn links(text: &str) -> Vec<&str> {
    let prose = text.split("\n```").step_by(2);
    let parts = prose.flat_map(|piece| piece.split("](").skip(1));
    parts
        .filter_map(|part| Some(part.split_once(')')?.0))
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut count = 0;
    for page in pages() {
        let text = read(&page);
        for link in links(&text)
            .into_iter()
            .filter(|link| !link.starts_with("http"))
        {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let to = match file {
                "" => page.clone(),
                file => page.parent().expect("a folder").join(file),
            };
            assert!(to.exists(), "{}: {link}", page.display());
            if !heading.is_empty() {
                let there = read(&to);
                let mut headings = there.lines().filter(|line| line.starts_with('#'));
                let is_there = headings.any(|line| anchor(line) == heading);
                assert!(is_there, "{}: no heading for {link}", page.display());
            }
            count += 1;
        }
    }
    report("docs", &format!("docs: {count} links lead somewhere"));
}

/// The lines of a text, without indentation, comment marks of doc comments and empty lines.
fn lines(text: &str) -> String {
    let bare = text
        .lines()
        .map(|line| line.trim().trim_start_matches("///").trim());
    let lines: Vec<_> = bare.filter(|line| !line.is_empty()).collect();
    format!("\n{}\n", lines.join("\n"))
}

/// The programs, each as its lines.
fn programs() -> Vec<String> {
    let mut found = Vec::new();
    for folder in PROGRAMS {
        files(&root().join(folder), &mut found);
    }
    found.retain(|path| !is_page(path));
    let texts = found
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok());
    texts.map(|text| lines(&text)).collect()
}

#[test]
fn every_block_of_code_is_a_piece_of_a_program_that_is_run() {
    let programs = programs();
    let mut count = 0;
    for block in blocks() {
        if matches!(block.language.as_str(), "sh" | "json" | "text" | "") {
            continue;
        }
        let wanted = lines(&block.text);
        let is_there = programs.iter().any(|program| program.contains(&wanted));
        assert!(
            is_there,
            "{}: in no program:\n{}",
            block.page.display(),
            block.text
        );
        count += 1;
    }
    report(
        "docs",
        &format!("docs: {count} blocks of code are in programs that are run"),
    );
}

/// A request of the service, or a configuration.
#[test]
fn every_block_of_json_is_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    fs::write(&key, "synthetic-key-for-tests-0001").expect("a key");
    for block in blocks()
        .into_iter()
        .filter(|block| block.language == "json")
    {
        let text = block
            .text
            .replace("/etc/game/chat.key", key.to_str().expect("UTF-8"));
        let is_request = chatblock::Client::open("{}")
            .expect("the engine")
            .call("black_list_add", &text)
            .status()
            .is_done();
        if let Err(error) = Config::parse(&text) {
            assert!(
                is_request,
                "{}: {error}\n{}",
                block.page.display(),
                block.text
            );
        }
    }
}

/// What is to be run of a line; a target of make exists, and installers are shown to work elsewhere.
fn to_run<'a>(line: &'a str, page: &Path, makefiles: &str) -> Option<&'a str> {
    let command = line.split(" #").next().unwrap_or_default().trim_end();
    let mut words = command.split_whitespace();
    let first = words.find(|word| !word.contains('=')).unwrap_or("#");
    match first {
        "make" => {
            let target = words.find(|word| !word.contains('=')).unwrap_or("all");
            let rule = format!("{target}:");
            let is_there = makefiles.lines().any(|line| line.starts_with(&rule));
            assert!(is_there, "there is no target for {line}");
            None
        }
        // A server that does not end, and a place for a signature.
        "chatblock" if command.contains(" serve") || command.ends_with(" SIG") => None,
        "chatblock" | "printf" => Some(command),
        "cc" | "c++" | "cargo" | "#" | OF_OTHER_MACHINES => None,
        tool => {
            let mut folders = page.ancestors().skip(1);
            let is_shown =
                INSTALLERS.contains(&tool) || folders.any(|folder| folder.join(tool).is_file());
            assert!(is_shown, "who shows that this works: {line}");
            None
        }
    }
}

/// The commands of a block, in their order, in an empty folder with a store of its own.
fn run_commands(block: &Block, makefiles: &str) -> usize {
    let commands: Vec<_> = block
        .text
        .lines()
        .filter_map(|line| to_run(line, &block.page, makefiles))
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("config.json");
    let text =
        r#"{"backend": "embedded", "path": "lists.db", "sdkappid": 1400000001, "secret_key": "k"}"#;
    fs::write(&config, text).expect("a configuration");
    let program = program_file();
    let program = program.parent().expect("a folder").display();
    let others = std::env::var("PATH").unwrap_or_default();
    run(Command::new("bash")
        .args(["-euc", &commands.join("\n")])
        .current_dir(folder.path())
        .env("PATH", format!("{program}:{others}"))
        .env("CHATBLOCK_CONFIG", &config));
    commands.len()
}

#[test]
fn every_command_works() {
    let makefiles = ["Makefile", "packaging/install.mk"].map(|file| read(&root().join(file)));
    let makefiles = makefiles.concat();
    let of_shell = blocks().into_iter().filter(|block| block.language == "sh");
    let count: usize = of_shell.map(|block| run_commands(&block, &makefiles)).sum();
    report("docs", &format!("docs: {count} commands were run"));
}

#[test]
fn every_code_of_the_service_has_its_row() {
    let page = read(&root().join("docs/errors.md"));
    let rows: BTreeSet<_> = page.lines().filter(|line| line.ends_with(" |")).collect();
    for code in SERVICE_CODES {
        let again = match code.retry {
            Retry::Soon => "again soon",
            Retry::Once => "once more",
            Retry::Backoff => "slower",
            Retry::Wait60s => "after 60 s",
            Retry::Renew => "with a new signature",
            Retry::Never => "no",
        };
        let outbox = match (code.concern, code.retry) {
            (Concern::Write, _) => "ends",
            (_, Retry::Soon | Retry::Backoff) => "goes on",
            _ => "held",
        };
        let row = format!("| {} | {} | {again} | {outbox} |", code.code, code.meaning);
        assert!(rows.contains(row.as_str()), "missing: {row}");
    }
}

/// A module that is new needs a row, so that its name is explained where a reader looks for it.
#[test]
fn every_module_is_in_the_glossary() {
    let glossary = read(&root().join("docs/glossary.md"));
    let mut count = 0;
    for folder in ["src", "src/client"] {
        for entry in fs::read_dir(root().join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            // The folder of a module whose file is beside it.
            if path.is_dir() && path.with_extension("rs").exists() {
                continue;
            }
            let name = path.strip_prefix(root()).expect("in the tree").display();
            let name = if path.is_dir() {
                format!("`{name}/")
            } else {
                format!("`{name}`")
            };
            assert!(glossary.contains(&name), "docs/glossary.md lacks {name}");
            count += 1;
        }
    }
    report(
        "docs",
        &format!("docs: {count} modules are in the glossary"),
    );
}

/// Files and folders that the pages about the source name are there, so that a move reaches the pages too.
#[test]
fn the_pages_about_the_source_name_what_is_there() {
    let mut all = Vec::new();
    files(root(), &mut all);
    let all: BTreeSet<_> = all.iter().filter_map(|path| path.to_str()).collect();
    for page in ["ARCHITECTURE.md", "docs/glossary.md"] {
        let text = read(&root().join(page));
        let prose: String = text.split("\n```").step_by(2).collect();
        for quoted in prose.split('`').skip(1).step_by(2) {
            let name = quoted.split(' ').next().unwrap_or_default();
            let is_path = name.contains('/')
                && root()
                    .join(name.split('/').next().unwrap_or_default())
                    .exists();
            let is_there = if is_path {
                root().join(name).exists()
            } else {
                !is_source(name) || all.iter().any(|path| path.ends_with(&format!("/{name}")))
            };
            assert!(is_there, "{page}: there is no {name}");
        }
    }
}

/// The rows of a table that begin with a number, as their cells.
fn rows_of_numbers(text: &str) -> Vec<Vec<&str>> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    let rows = rows.filter(|row| row.starts_with(|first: char| first.is_ascii_digit()));
    rows.map(|row| {
        row.trim_end_matches(" |")
            .split(" | ")
            .map(str::trim)
            .collect()
    })
    .collect()
}

/// What docs/checks.md says about the speed of a check is what was measured, within the repeatability of a run.
#[test]
fn the_ratios_of_checks_are_those_of_the_last_run() {
    let results = read(&root().join("benches/RESULTS.md"));
    let page = read(&root().join("docs/checks.md"));
    let (_, costs) = page
        .split_once("## What a check costs")
        .expect("the section");
    let rows = rows_of_numbers(costs);
    assert_eq!(rows.len(), 3, "a row for each size");
    for row in rows {
        for (peer, said) in ["C++ std", "abseil", "Rust std"].iter().zip(&row[2..]) {
            let subject = format!("| is_blocked, embedded; peer: {peer}, {} pairs ", row[0]);
            let line = results.lines().find(|line| line.contains(&subject));
            let line = line.unwrap_or_else(|| panic!("benches/RESULTS.md has no row{subject}"));
            let measured = line
                .split('|')
                .nth(5)
                .and_then(|cell| cell.trim().parse().ok());
            let measured: f64 = measured.expect("a ratio");
            let said: f64 = said.trim_end_matches(" x").parse().expect("a ratio");
            assert!(
                (said / measured - 1.0).abs() < 0.25,
                "docs/checks.md says {said} x for {peer} at {} pairs, measured were {measured} x",
                row[0]
            );
        }
    }
}

/// The check of `make lint` reads pages, headers and heads of source files, and fails because of one word.
#[test]
fn a_word_that_the_prose_rules_out_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let top = folder.path();
    for name in ["docs", "include", "src"] {
        fs::create_dir(top.join(name)).expect("a folder");
    }
    let words = "docs/prose-words.txt";
    fs::copy(root().join(words), top.join(words)).expect("the words");
    let check = || {
        let mut program = Command::new(root().join("packaging/check-prose"));
        program.arg(top).output().expect("sh starts")
    };
    let places = [
        ("README.md", ""),
        ("include/chatblock.h", " * "),
        ("src/lib.rs", "//! "),
    ];
    for (file, mark) in places {
        fs::write(top.join(file), format!("{mark}A call is queued.\n")).expect("a file");
        assert!(check().status.success(), "{file}: {:?}", check());
        fs::write(top.join(file), format!("{mark}Whoever waits.\n")).expect("a file");
        let output = check();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            !output.status.success() && said.contains(file),
            "{file}: {said}"
        );
        fs::remove_file(top.join(file)).expect("our file");
    }
}

#[test]
fn doxygen_has_nothing_to_warn_of() {
    if !has_tool("docs", "doxygen") {
        return;
    }
    run(Command::new("make")
        .arg("docs")
        .current_dir(root())
        .env("CARGO_TARGET_DIR", target()));
    let page = target().join("docs/html/chatblock_8h.html");
    assert!(read(&page).contains("chatblock_blocklist_add"));
    report("docs", "docs: doxygen has nothing to warn of");
}

fn is_source(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "rs")
}
