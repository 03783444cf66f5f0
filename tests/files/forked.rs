//! What a forked child has of its parent's client: nothing, and the parent keeps all.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread;

use crate::place::{KINDS, Place};
use testkit::c_program::CProgram;
use testkit::{has_tool, libraries, run};

fn program() -> Option<CProgram> {
    let source = "tests/files/forked.c";
    has_tool("files", "gcc").then(|| CProgram::build(source, &libraries(), &[]))
}

fn command(program: &CProgram, what: &str, config: &str) -> Command {
    let mut command = program.command(None);
    command.args([what, config]);
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
    let Some(program) = program() else {
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
    let Some(program) = program() else {
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
    let Some(program) = program() else {
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
