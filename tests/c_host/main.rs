//! The C suite (tests/c): every program as C99 and as C++17, shared and static, plain, under valgrind
//! and with the sanitizers; and the header alone, in every standard.

mod cancel;
mod matrix;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::sanitizer::{Sanitizer, undefined_symbols};
use testkit::{
    Depth, depth, has_library, has_tool, libraries, release_libraries, report, root, run,
};

/// Programs of tests/c, and whether they use threads.
const PROGRAMS: [(&str, bool); 16] = [
    ("api", false),
    ("async", true),
    ("async_refused", true),
    ("async_threads", true),
    ("bad_input", false),
    ("cancel", true),
    ("close", true),
    ("descriptors", true),
    ("header_twice", false),
    ("hot_path", true),
    ("hot_path_stress", true),
    ("lists", false),
    ("matrix", true),
    ("open", false),
    ("process", true),
    ("stress", true),
];
const WARNINGS: [&str; 5] = ["-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror"];
const STATIC_NEEDS: [&str; 4] = ["-lgcc_s", "-lpthread", "-lm", "-ldl"];
const SONAME: &str = "libchatblock.so.0.1";

/// The small stack of `process`, in KiB and with the thread's own data. Without optimisation the tables
/// of an inflater pass over it, and a sanitizer pads every variable.
const STACK_KIB: &str = "32";
const STACK_KIB_DEBUG: &str = "48";
const STACK_KIB_ASAN: &str = "512";

/// A fresh directory for one test.
fn workshop(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("c_host")
        .join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a directory for the test");
    path
}

/// `folder` has the library under the names that the linker and the loader look for.
fn link_names(folder: &Path) {
    for name in ["libchatblock.so", SONAME] {
        symlink(libraries().join("libchatblock.so"), folder.join(name)).expect("a link");
    }
}

/// The generated programs beside the others.
fn source(name: &str, folder: &Path) -> PathBuf {
    let write: fn(&str) -> String = match name {
        "matrix" => |header| matrix::write(header).source,
        "cancel" => cancel::write,
        _ => return root().join(format!("tests/c/{name}.c")),
    };
    let header = fs::read_to_string(root().join("include/chatblock.h")).expect("the header");
    let path = folder.join(format!("{name}.c"));
    fs::write(&path, write(&header)).expect("the program can be written");
    path
}

fn compiler(cc: &str, standard: &str) -> Command {
    let mut command = Command::new(cc);
    command.args(WARNINGS).arg(format!("-std={standard}"));
    for folder in ["include", "tests/c"] {
        command.arg("-I").arg(root().join(folder));
    }
    if cc.contains("++") {
        command.args(["-x", "c++"]);
    }
    command
}

/// Compiles and links one program; `library` and what it needs come last.
fn build(name: &str, folder: &Path, mut compiler: Command, library: &[String]) -> PathBuf {
    let program = folder.join(name);
    compiler.arg(source(name, folder)).args(["-x", "none"]);
    run(compiler.args(library).arg("-o").arg(&program));
    program
}

fn shared(folder: &Path) -> Vec<String> {
    vec![
        format!("-L{}", folder.display()),
        "-lchatblock".into(),
        "-lpthread".into(),
    ]
}

fn linked_static(library: &Path) -> Vec<String> {
    let mut arguments = vec![library.display().to_string()];
    arguments.extend(STATIC_NEEDS.map(str::to_owned));
    arguments
}

/// Runs a program, or a tool on it, in an empty directory; gives its output and its number of checks.
fn passes(mut command: Command, folder: &Path) -> (String, u32) {
    let empty = tempfile::tempdir().expect("a directory");
    command
        .current_dir(empty.path())
        .env("LD_LIBRARY_PATH", folder);
    let output = run(&mut command);
    let summary = output.lines().find(|line| line.ends_with(", 0 failed"));
    let count = summary.and_then(|line| line.split(' ').next()?.parse().ok());
    (output, count.unwrap_or(1))
}

fn arguments<'a>(name: &str, stack: &'a str) -> Option<&'a str> {
    (name == "process").then_some(stack)
}

#[test]
fn every_program_passes_in_every_build() {
    if !has_tool("c_host", "gcc") || !has_tool("c_host", "g++") {
        return;
    }
    let folder = workshop("plain");
    link_names(&folder);
    let archive = linked_static(&libraries().join("libchatblock.a"));
    let builds = [
        ("gcc", "c99", shared(&folder)),
        ("gcc", "c99", archive),
        ("g++", "c++17", shared(&folder)),
    ];
    let mut checks = 0;
    for (name, _) in PROGRAMS {
        for (cc, standard, library) in &builds {
            let program = build(name, &folder, compiler(cc, standard), library);
            let mut command = Command::new(program);
            command.args(arguments(name, STACK_KIB_DEBUG));
            let (output, count) = passes(command, &folder);
            checks += count;
            for line in output.lines().filter(|line| line.starts_with("close: ")) {
                report("c_host", line);
            }
        }
    }
    let (programs, builds) = (PROGRAMS.len(), builds.len());
    report(
        "c_host",
        &format!(
            "c host: {programs} programs x {builds} builds (C99 shared, C99 static, C++17), {checks} checks, 0 failed"
        ),
    );
}

#[test]
fn the_null_matrix_misses_no_function() {
    let header = fs::read_to_string(root().join("include/chatblock.h")).expect("the header");
    let matrix = matrix::write(&header);
    let symbols = fs::read_to_string(root().join("abi/chatblock.symbols")).expect("the symbols");
    assert_eq!(matrix.functions, symbols.lines().count());
    for symbol in symbols.lines() {
        let takes_pointers = matrix::functions(&header).iter().any(|one| {
            one.name == symbol && one.parameters.iter().any(|one| one.kind.ends_with('*'))
        });
        assert_eq!(
            matrix.source.contains(&format!("{symbol}(")),
            takes_pointers,
            "{symbol}"
        );
    }
    report(
        "c_host",
        &format!(
            "null matrix: {} functions, {} pointers, {} calls, 0 crashes",
            matrix.functions, matrix.pointers, matrix.calls
        ),
    );
}

/// Runs a program under valgrind; whether not one byte was in use at its end.
fn leaves_nothing(name: &str, has_threads: bool, folder: &Path) -> bool {
    let program = build(name, folder, compiler("gcc", "c99"), &shared(folder));
    let log = folder.join(format!("{name}.log"));
    let mut command = Command::new("valgrind");
    command
        .args([
            "--leak-check=full",
            "--errors-for-leak-kinds=definite,indirect",
            "--child-silent-after-fork=yes",
        ])
        .arg(format!("--log-file={}", log.display()))
        .arg(program)
        .args(arguments(name, STACK_KIB_DEBUG));
    passes(command, folder);
    let log = fs::read_to_string(log).expect("valgrind's log");
    let has = |line: &str| log.contains(line);
    assert!(
        has("ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)"),
        "{name}: {log}"
    );
    if has("in use at exit: 0 bytes in 0 blocks") {
        return true;
    }
    // Threads that met at a lock, and a main thread that waited, leave tables that belong to the process.
    assert!(has_threads, "{name}: {log}");
    assert!(has("definitely lost: 0 bytes"), "{name}: {log}");
    assert!(has("indirectly lost: 0 bytes"), "{name}: {log}");
    false
}

#[test]
fn valgrind_finds_nothing() {
    if !has_tool("c_host", "valgrind") || !has_tool("c_host", "gcc") {
        return;
    }
    let folder = workshop("valgrind");
    link_names(&folder);
    let (even, odd): (Vec<_>, Vec<_>) = (0..).zip(PROGRAMS).partition(|(index, _)| index % 2 == 0);
    let queue = |programs: Vec<(usize, (&'static str, bool))>| {
        let clean = programs
            .into_iter()
            .map(|(_, (name, has_threads))| leaves_nothing(name, has_threads, &folder));
        clean.filter(|clean| *clean).count()
    };
    let clean = std::thread::scope(|scope| {
        let other = scope.spawn(|| queue(odd));
        queue(even) + other.join().expect("the other queue passed")
    });
    report(
        "c_host",
        &format!(
            "valgrind: {} programs, 0 errors, 0 bytes lost, no suppressions; 0 bytes in use at exit in {clean}",
            PROGRAMS.len()
        ),
    );
}

const ADDRESS: Sanitizer = Sanitizer {
    name: "address",
    rust_flags: "-Cforce-frame-pointers=yes",
    cc: "gcc",
    c_flags: "-fno-omit-frame-pointer",
};

/// How many references to the sanitizer's run-time `library` has.
fn sanitized(library: &Path) -> usize {
    let symbols = undefined_symbols(library);
    let reports = symbols
        .iter()
        .filter(|name| name.starts_with("__asan_report_load"));
    reports.count()
}

#[test]
fn the_sanitizers_find_nothing() {
    if depth() < Depth::Full {
        report(
            "c_host",
            "asan: only in the full run (CHATBLOCK_TEST=full make test)",
        );
        return;
    }
    assert!(has_tool("c_host", "gcc"));
    let folder = workshop("asan");
    let library = ADDRESS.build();
    let (on, off) = (
        sanitized(&library),
        sanitized(&libraries().join("libchatblock.a")),
    );
    assert!(
        on > 100 && off == 0,
        "{on} objects with the sanitizer, {off} without"
    );
    let mut checks = 0;
    for (name, _) in PROGRAMS {
        let mut compiler = compiler("gcc", "c99");
        compiler.args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
        let program = build(name, &folder, compiler, &linked_static(&library));
        let mut command = Command::new(program);
        command.args(arguments(name, STACK_KIB_ASAN));
        if name == "cancel" {
            // The end of a cancelled thread jumps over the frames that the sanitizer watches; at its end it would find
            // fault with its own look at the signal stack.
            command.env("ASAN_OPTIONS", "use_sigaltstack=0");
        }
        checks += passes(command, &folder).1;
    }
    report(
        "c_host",
        &format!(
            "asan: clean ({} programs, {checks} checks, AddressSanitizer in C and Rust with {on} reports linked, UBSan in C)",
            PROGRAMS.len()
        ),
    );
}

#[test]
fn a_small_stack_is_enough_for_the_library_as_it_ships() {
    if depth() < Depth::Full {
        return;
    }
    assert!(has_tool("c_host", "gcc"));
    let folder = workshop("release");
    let library = linked_static(&release_libraries().join("libchatblock.a"));
    let program = build("process", &folder, compiler("gcc", "c99"), &library);
    // An allocator does a part of its work on the stack of its caller.
    for allocator in ["", "libjemalloc.so.2", "libmimalloc.so.2"] {
        assert!(allocator.is_empty() || has_library("c_host", allocator));
        let mut command = Command::new(&program);
        command.arg(STACK_KIB).env("LD_PRELOAD", allocator);
        let (_, checks) = passes(command, &folder);
        let name = if allocator.is_empty() {
            "glibc"
        } else {
            allocator
        };
        report(
            "c_host",
            &format!(
                "small stack: {STACK_KIB} KiB are enough for every function, twice as much with a file ({checks} checks, \
                 release build, {name})"
            ),
        );
    }
}

#[test]
fn the_header_compiles_in_every_standard() {
    let c = ["c99", "c11", "c2x"];
    let cpp = ["c++11", "c++17", "c++20"];
    let compilers = [
        ("gcc", c),
        ("g++", cpp),
        ("clang-22", c),
        ("clang++-22", cpp),
    ];
    let folder = workshop("header");
    let mut count = 0;
    for (cc, standards) in compilers {
        if !has_tool("c_host", cc) {
            continue;
        }
        for standard in standards {
            let mut command = compiler(cc, standard);
            command.args(["-Wconversion", "-Wundef", "-Wshadow"]);
            let object = folder.join("header_twice.o");
            run(command
                .arg("-c")
                .arg(source("header_twice", &folder))
                .arg("-o")
                .arg(object));
            count += 1;
        }
    }
    report(
        "c_host",
        &format!("header: {count} compilers and standards without a warning"),
    );
}

/// Bindings that parse C, such as `cffi`, read the header after the preprocessor.
#[test]
fn the_preprocessed_header_has_no_directive() {
    if !has_tool("c_host", "gcc") {
        return;
    }
    let header = root().join("include/chatblock.h");
    let text = run(Command::new("gcc")
        .args(["-E", "-P", "-std=c99"])
        .arg(header));
    assert!(text.contains("chatblock_client_open("));
    assert!(
        !text.contains('#') && !text.contains("__attribute__((visib"),
        "{text}"
    );
}
