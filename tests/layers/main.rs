//! The house (ARCHITECTURE.md): who may know whom, and what stands in one place only.

mod circles;
mod resolve;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use circles::{Graph, circles};
use resolve::{Meaning, Resolved, resolve};
use tree::Tree;

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
    ("log", 5),
    ("service", 5),
    ("client", 6),
    ("ffi", 7),
];

/// Folders inside a layer that must not know each other.
const APART: [(&str, &str); 2] = [
    ("service/engine", "service/remote"),
    ("service/remote", "service/engine"),
];

/// Lines of code in the longest file.
const LONGEST: usize = 400;

/// Names of more than one type, and why it is clear which is meant.
const TWICE: [(&str, &str); 4] = [
    (
        "Answer",
        "of the service (`api`), and of the cache to a check (`cache`, which is `chatblock::Answer`)",
    ),
    (
        "Change",
        "of a list: in the cache, in a transaction of the store, and in a webhook; each module has its own only",
    ),
    (
        "Log",
        "the log, and its section of the configuration, which is written `config::Log`",
    ),
    (
        "Outbox",
        "the outbox, and its section of the configuration, which is imported as `Settings`",
    ),
];

struct Source {
    /// Relative to `src`; what is in `cli/src` begins with `cli/`.
    name: String,
    /// Without comments and without its unit tests.
    code: String,
}

/// One crate of the workspace.
struct Crate {
    /// Before the names of its files.
    prefix: &'static str,
    tree: Tree,
}

/// The library, what the program is made of, and the program. Read once: every test looks at them.
fn crates() -> &'static [Crate; 3] {
    static CRATES: LazyLock<[Crate; 3]> = LazyLock::new(|| {
        let places = [
            ("", "src", "lib.rs"),
            ("cli/", "cli/src", "lib.rs"),
            ("cli/", "cli/src", "main.rs"),
        ];
        places.map(|(prefix, folder, top)| Crate {
            prefix,
            tree: Tree::read(&testkit::root().join(folder), top),
        })
    });
    &CRATES
}

fn library() -> &'static Tree {
    &crates()[0].tree
}

fn sources() -> Vec<Source> {
    let read = |of: &'static Crate| {
        let files = of.tree.code.iter();
        files.map(|(name, lines)| Source {
            name: of.prefix.to_owned() + name,
            code: lines.join("\n"),
        })
    };
    crates().iter().flat_map(read).collect()
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

struct Use {
    from: String,
    path: String,
    /// The file where the thing is defined.
    to: String,
    /// All files by which the path leads there, that one included.
    by: BTreeSet<String>,
}

/// Paths in the sources.
#[derive(Default)]
struct Paths {
    /// To the crate itself.
    inside: Vec<Use>,
    /// To other crates: the file, and the path whatever name it was imported by.
    outside: Vec<(String, String)>,
}

fn paths() -> &'static Paths {
    static PATHS: LazyLock<Paths> = LazyLock::new(read_paths);
    &PATHS
}

fn read_paths() -> Paths {
    let mut paths = Paths::default();
    for of in crates() {
        add_paths(of, &mut paths);
    }
    paths
}

fn add_paths(Crate { prefix, tree }: &Crate, paths: &mut Paths) {
    let mut lost = Vec::new();
    let name = |file: &str| prefix.to_string() + file;
    for (index, module) in tree.modules.iter().enumerate() {
        // What a single name means was imported.
        for path in module.paths.iter().filter(|path| path.len() > 1) {
            let text = path.join("::");
            let Some(Resolved { meaning, by }) = resolve(tree, index, path) else {
                lost.push(format!("{}: {text}", module.file));
                continue;
            };
            let to = match meaning {
                Meaning::Item(to) | Meaning::Module(to) => to,
                Meaning::Elsewhere(path) => {
                    let path = path.join("::");
                    paths.outside.push((name(&module.file), path));
                    continue;
                }
            };
            let file = |module: usize| name(&tree.modules[module].file);
            let by = by
                .into_iter()
                .chain([to])
                .map(file)
                .filter(|by| by != "lib.rs");
            paths.inside.push(Use {
                from: name(&module.file),
                path: text,
                to: file(to),
                by: by.collect(),
            });
        }
    }
    assert!(lost.is_empty(), "where do these lead? {lost:#?}");
}

/// Files in which `what` occurs, or a path that means it, although only `allowed` may have it.
fn strays(what: &str, allowed: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let sources = sources().into_iter();
    let texts = sources.filter(|source| source.code.contains(what));
    let path = what.trim_start_matches([' ', '(']);
    let outside = paths().outside.iter();
    let outside = outside.filter(|(_, full)| {
        let whole = format!("::{full}");
        path.contains("::") && whole.contains(&format!("::{path}"))
    });
    texts
        .map(|source| source.name)
        .chain(outside.map(|(file, _)| file.clone()))
        .filter(|name| !allowed(name))
        .map(|name| format!("{name} has {what}"))
        .collect()
}

#[test]
fn every_file_is_a_part_of_the_library_or_of_its_unit_tests() {
    let known: BTreeSet<_> = sources().into_iter().map(|source| source.name).collect();
    let of_tests = |of: &'static Crate| {
        let files = of.tree.tests.iter();
        files.map(|file| of.prefix.to_owned() + file)
    };
    let tests: BTreeSet<_> = crates().iter().flat_map(of_tests).collect();
    let folders: Vec<_> = tests
        .iter()
        .map(|file| {
            let folder = file.trim_end_matches("mod.rs").trim_end_matches(".rs");
            folder.trim_end_matches('/').to_owned() + "/"
        })
        .collect();
    let mut lost = Vec::new();
    for (prefix, folder) in [("", "src"), ("cli/", "cli/src")] {
        let top = testkit::root().join(folder);
        let mut files = Vec::new();
        collect(&top, &mut files);
        lost.extend(files.iter().map(|file| {
            let file = file.strip_prefix(&top).expect("below the top");
            format!("{prefix}{}", file.display())
        }));
    }
    lost.retain(|file| !known.contains(file) && !tests.contains(file));
    lost.retain(|file| !folders.iter().any(|folder| file.starts_with(folder)));
    assert!(lost.is_empty(), "{lost:#?}");
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn every_folder_is_a_known_layer() {
    for source in sources() {
        let layer = layer(&source.name);
        assert!(
            matches!(layer, "lib" | "cli") || rank(layer).is_some(),
            "{} belongs to no layer of ARCHITECTURE.md",
            source.name
        );
    }
}

#[test]
fn layers_point_one_way() {
    let mut wrong = BTreeSet::new();
    for used in &paths().inside {
        let own = layer(&used.from);
        let Some(own_rank) = rank(own) else { continue };
        for by in &used.by {
            let other = layer(by);
            if other != own && rank(other).is_none_or(|rank| rank >= own_rank) {
                wrong.insert(format!("{} knows {by} ({})", used.from, used.path));
            }
            for (folder, stranger) in APART {
                if used.from.starts_with(folder) && by.starts_with(stranger) {
                    wrong.insert(format!("{} knows {by} ({})", used.from, used.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The program uses the library from above: its server what is below a client, the command line all but the C ABI.
#[test]
fn the_program_stands_above_the_library() {
    let tree = library();
    let highest = |file: &str| {
        let below = if file.starts_with("cli/server/") {
            "client"
        } else {
            "ffi"
        };
        rank(below).expect("a layer")
    };
    let mut wrong = BTreeSet::new();
    let mut count = 0;
    for (file, full) in &paths().outside {
        let Some(path) = full.strip_prefix("chatblock::") else {
            continue;
        };
        let path: Vec<_> = path.split("::").map(str::to_owned).collect();
        let Some(Resolved { meaning, mut by }) = resolve(tree, 0, &path) else {
            panic!("{file}: where does {full} lead?");
        };
        if let Meaning::Item(to) | Meaning::Module(to) = meaning {
            by.insert(to);
        }
        let by = by.into_iter().map(|module| &tree.modules[module].file);
        for by in by.filter(|by| *by != "lib.rs") {
            count += 1;
            if rank(layer(by)).is_none_or(|rank| rank >= highest(file)) {
                wrong.insert(format!("{file} knows {by} ({full})"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count > 50, "only {count} uses of the library were found");
}

/// Modules side by side, each with all that is inside it, use each other one way. A module and one inside it may know
/// each other: they are one thing in several files.
#[test]
fn no_files_import_in_a_circle() {
    let mut graph = Graph::new();
    let mut reasons: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for used in &paths().inside {
        let Some((from, to)) = side_by_side(&used.from, &used.to) else {
            continue;
        };
        let reason = format!("{} uses {} ({})", used.from, used.to, used.path);
        graph.entry(from.clone()).or_default().insert(to.clone());
        reasons.entry((from, to)).or_default().insert(reason);
    }
    let found = circles(&graph);
    let is_in = |edge: &(String, String)| {
        let mut groups = found.iter();
        groups.any(|group| group.contains(&edge.0) && group.contains(&edge.1))
    };
    reasons.retain(|edge, _| is_in(edge));
    assert!(found.is_empty(), "{found:#?} because {reasons:#?}");
}

/// The modules in which the ways to two files part; `None` when one file is inside the module of the other.
fn side_by_side(from: &str, to: &str) -> Option<(String, String)> {
    let (from, to) = (module_path(from), module_path(to));
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let part = |path: &[&str]| (path.len() > shared).then(|| path[..=shared].join("/"));
    Some((part(&from)?, part(&to)?))
}

fn module_path(file: &str) -> Vec<&str> {
    let path = file.trim_end_matches(".rs").split('/');
    path.filter(|part| !matches!(*part, "mod" | "lib" | "main"))
        .collect()
}

#[test]
fn no_two_types_have_one_name() {
    let mut places: BTreeMap<_, Vec<_>> = BTreeMap::new();
    // The program is above everything and has words of its own; nothing in the library can see them.
    for module in &library().modules {
        for name in &module.types {
            places
                .entry(name.clone())
                .or_default()
                .push(module.file.clone());
        }
    }
    places.retain(|_, files| files.len() > 1);
    let twice: Vec<_> = places.keys().map(String::as_str).collect();
    assert_eq!(twice, TWICE.map(|(name, _)| name), "{places:#?}");
}

#[test]
fn no_file_is_long() {
    let files = crates().iter().flat_map(|of| &of.tree.code);
    let long = files.map(|(name, lines)| (lines.len(), name));
    let long: BTreeSet<_> = long.filter(|(lines, _)| *lines > LONGEST).collect();
    assert!(long.is_empty(), "{long:#?}");
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
        let wrong = strays(member, |name| {
            name.starts_with("wire/") || name == "cli/server/account_json.rs"
        });
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
        "File::options",
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
