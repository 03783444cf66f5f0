//! The command line as an operator uses it.

mod exit_codes;
mod keys;
mod listing;
mod lists;
mod outbox;
mod serving;

use std::process::Stdio;

use serde_json::json;

use testkit::runs::{Files, names, run_with};
use testkit::serve::{self, KEY, SDKAPPID};

#[test]
fn the_program_says_its_name_and_version() {
    let said = run_with(None, &["--version"], "").expect(0).stdout;
    assert_eq!(said, concat!("chatblock ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn what_was_added_is_listed_checked_and_deleted() {
    let files = Files::new();
    let added = files.run(&["add", "ann", "bob", "eve"]).expect(0);
    assert!(
        added.stdout.contains("bob") && added.stdout.contains("blocked"),
        "{}",
        added.stdout
    );
    let listed = files.run(&["get", "ann"]).expect(0).stdout;
    assert!(listed.find("bob") < listed.find("eve"), "{listed}");
    let checked = files
        .run(&["check", "bob", "ann", "--both"])
        .expect(0)
        .stdout;
    assert!(checked.contains("blocks the owner"), "{checked}");
    let checked = files.run(&["check", "bob", "ann"]).expect(0).stdout;
    assert!(checked.contains("none"), "{checked}");
    files.run(&["delete", "ann", "bob"]).expect(0);
    let listed = files.run(&["get", "ann"]).expect(0).stdout;
    assert!(
        !listed.contains("bob") && listed.contains("eve"),
        "{listed}"
    );
}

#[test]
fn what_is_as_wanted_already_is_done() {
    let files = Files::new();
    files.run(&["add", "ann", "bob"]).expect(0);
    let again = files.run(&["add", "ann", "bob"]).expect(0);
    assert!(
        again.stdout.contains("was blocked already"),
        "{}",
        again.stdout
    );
    let never = files.run(&["delete", "ann", "zoe"]).expect(0);
    assert!(never.stdout.contains("was not blocked"), "{}", never.stdout);
}

#[test]
fn json_is_the_answer_of_the_service() {
    let files = Files::new();
    let added = files.run(&["--json", "add", "ann", "bob"]).expect(0).json();
    assert_eq!(
        added["ResultItem"][0],
        json!({"To_Account": "bob", "ResultCode": 0, "ResultInfo": ""})
    );
    let listed = files.run(&["get", "ann", "--json"]).expect(0).json();
    assert_eq!(listed["BlackListItem"][0]["To_Account"], "bob");
    let checked = files
        .run(&["check", "ann", "bob", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        checked["BlackListCheckItem"][0]["Relation"],
        "BlackCheckResult_Type_AWithB"
    );
}

#[test]
fn a_list_is_shown_page_by_page_or_whole() {
    let files = Files::new();
    let names: Vec<String> = (0..30).map(|number| format!("u{number:02}")).collect();
    let mut arguments = vec!["add", "ann"];
    arguments.extend(names.iter().map(String::as_str));
    files.run(&arguments).expect(0);
    let page = files
        .run(&["get", "ann", "--start", "5", "--limit", "10"])
        .expect(0);
    assert!(
        page.stdout.contains("u05") && page.stdout.contains("u14"),
        "{}",
        page.stdout
    );
    assert!(!page.stdout.contains("u15"), "{}", page.stdout);
    assert!(page.stderr.contains("--start 15"), "{}", page.stderr);
    let all = files.run(&["get", "ann", "--all"]).expect(0);
    assert!(
        names.iter().all(|name| all.stdout.contains(name)),
        "{}",
        all.stdout
    );
}

#[test]
fn accounts_come_from_a_file_or_standard_input_in_parts_of_1000() {
    let files = Files::new();
    let names = names(2500);
    let list = files.write("names", &names);
    let list = list.to_str().expect("UTF-8");
    let from_file = files
        .run(&["--json", "check", "ann", "--from-file", list])
        .expect(0);
    assert_eq!(from_file.stdout.lines().count(), 3);
    assert_eq!(from_file.stderr, "", "progress is for terminals");
    for dash in [
        &["check", "ann", "-"][..],
        &["check", "ann", "--from-file", "-"],
    ] {
        let from_stdin = run_with(Some(&files.durable()), dash, &names).expect(0);
        assert!(from_stdin.stdout.contains("u2499"));
    }
}

#[test]
fn the_configuration_may_be_named_by_the_environment() {
    let files = Files::new();
    files.run(&["add", "ann", "bob"]).expect(0);
    let mut command = serve::program();
    command
        .args(["get", "ann"])
        .env("CHATBLOCK_CONFIG", files.durable());
    assert!(testkit::run(&mut command).contains("bob"));
}

#[test]
fn what_is_no_regular_file_is_refused_at_once() {
    let files = Files::new();
    let fifo = files.path("fifo");
    testkit::run(std::process::Command::new("mkfifo").arg(&fifo));
    let fifo = fifo.to_str().expect("UTF-8");
    for file in [fifo, "/dev/zero"] {
        for arguments in [
            &["--config", file, "get", "ann"][..],
            &["add", "ann", "--from-file", file],
            &["serve", "--state", file],
            &["serve", "--tls-cert", file, "--tls-key", file],
        ] {
            let mut command = serve::program();
            // `timeout` ends what waits for the FIFO, with a code of its own.
            let program = command.get_program().to_owned();
            command = std::process::Command::new("timeout");
            command.arg("60").arg(program).args(arguments);
            if !arguments.contains(&"--config") && arguments[0] == "serve" {
                command.arg("--config").arg(files.app());
            }
            let done = command.output().expect("it ends");
            let said = String::from_utf8_lossy(&done.stderr);
            assert_eq!(done.status.code(), Some(2), "{arguments:?}: {said}");
            assert!(
                said.contains(file) && said.contains("regular file"),
                "{arguments:?}: {said}"
            );
        }
    }
}

#[test]
fn a_configuration_comes_from_standard_input_too() {
    let app = json!({"backend": "embedded", "sdkappid": SDKAPPID, "secret_key": KEY}).to_string();
    let dash = std::path::PathBuf::from("-");
    let made = run_with(Some(&dash), &["usersig", "make"], &app).expect(0);
    assert_eq!(made.stderr, "", "{}", made.stderr);
    // It can be read only once.
    run_with(Some(&dash), &["check", "ann", "-"], "{}").expect(2);
}

#[test]
fn no_file_of_the_command_line_is_written_to() {
    let files = Files::new();
    let names = files.write("names", "bob\n");
    let config = files.path("c.json");
    let text = json!({"log": {"to": names, "level": "debug"}}).to_string();
    files.write("c.json", &text);
    let from = [
        "check",
        "ann",
        "--from-file",
        names.to_str().expect("UTF-8"),
    ];
    let done = run_with(Some(&config), &from, "").expect(2);
    assert!(
        done.stderr.contains("log.to") && done.stderr.contains("--from-file"),
        "{}",
        done.stderr
    );
    files.write("c.json", json!({"log": {"to": config}}).to_string());
    let done = run_with(Some(&config), &["get", "ann"], "").expect(2);
    assert!(
        done.stderr.contains("log.to") && done.stderr.contains("--config"),
        "{}",
        done.stderr
    );
    assert_eq!(std::fs::read_to_string(names).expect("text"), "bob\n");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let files = Files::new();
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    let mut command = serve::program();
    command
        .arg("--config")
        .arg(files.durable())
        .args(["add", "ann", "bob"]);
    let child = command
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let done = child.wait_with_output().expect("it ends");
    assert_eq!((done.status.code(), done.stderr), (Some(0), vec![]));
}
