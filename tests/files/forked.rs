//! What a forked child has of its parent's client: nothing, and the parent keeps all.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use tempfile::TempDir;

use crate::place::{KINDS, Place};
use crate::support::{has_tool, libraries, root, run};

/// The built program, beside the library under the name that the loader looks for.
fn program() -> Option<(TempDir, PathBuf)> {
    if !has_tool("files", "gcc") {
        return None;
    }
    let folder = tempfile::tempdir().expect("a directory");
    let library = libraries().join("libchatblock.so");
    symlink(&library, folder.path().join("libchatblock.so.0.1")).expect("a link");
    let program = folder.path().join("forked");
    run(Command::new("gcc")
        .args([
            "-std=c99",
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-I",
        ])
        .arg(root().join("include"))
        .arg(root().join("tests/files/forked.c"))
        .arg(library)
        .arg("-o")
        .arg(&program));
    Some((folder, program))
}

fn command(program: &Path, what: &str, config: &str) -> Command {
    let mut command = Command::new(program);
    command
        .args([what, config])
        .env("LD_LIBRARY_PATH", program.parent().expect("a folder"));
    command
}

/// A service that takes connections and never answers.
fn silent_service() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        let held: Vec<_> = listener.incoming().collect();
        drop(held);
    });
    format!("http://{address}")
}

#[test]
fn a_forked_child_has_no_descriptor_of_its_parents_client() {
    let Some((_folder, program)) = program() else {
        return;
    };
    run(&mut command(&program, "descriptors", "{}"));
    for kind in KINDS {
        let place = Place::new(kind);
        let config = place.config(&silent_service());
        run(&mut command(&program, "descriptors", &config));
    }
}

#[test]
fn a_program_that_becomes_a_daemon_opens_its_file_again() {
    let Some((_folder, program)) = program() else {
        return;
    };
    for kind in KINDS {
        let place = Place::new(kind);
        let config = place.config("http://127.0.0.1:9");
        for _ in 0..5 {
            // The daemon has the other end of the output until it ends.
            let said = run(&mut command(&program, "daemon", &config));
            assert_eq!(said, "opened again\n", "{kind:?}");
        }
        let found = place.found();
        assert!(found.contains("a1") && found.contains("a2"), "{found:?}");
    }
}

#[test]
fn a_server_that_ended_starts_again_while_a_child_of_it_lives() {
    let Some((_folder, program)) = program() else {
        return;
    };
    for kind in KINDS {
        let place = Place::new(kind);
        let mut parent = command(&program, "survivor", &place.config("http://127.0.0.1:9"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("it starts");
        // The child reads from it, so it lives until this is dropped.
        let keeps_the_child = parent.stdin.take();
        assert!(parent.wait().expect("our child").success());
        place.assert_found(&["a1"]);
        let names = place.names();
        assert!(!names.iter().any(|name| name.contains("lock")), "{names:?}");
        drop(keeps_the_child);
        assert!(fs::exists(place.file()).expect("a look"));
    }
}
