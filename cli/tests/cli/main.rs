//! The command line as an operator uses it.

mod listing;
mod lists;
mod outbox;

use std::process::Stdio;

use serde_json::json;

use testkit::runs::{Files, names, remote, run_with};
use testkit::serve::{self, KEY, NOW, SDKAPPID, Serving};

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
fn done_in_part_is_1() {
    let files = Files::new();
    let (_server, config) = remote(&files, &json!({"accounts": ["ann", "bob"]}));
    let done = run_with(Some(&config), &["add", "ann", "bob", "eve"], "").expect(1);
    assert!(done.stdout.contains("not been imported"), "{}", done.stdout);
    assert!(done.stderr.contains("eve"), "{}", done.stderr);
}

#[test]
fn a_part_that_fails_after_one_that_was_done_is_1() {
    let files = Files::new();
    let names = names(1500);
    let done = run_with(Some(&files.durable()), &["add", "ann", "-"], &names).expect(1);
    assert!(done.stderr.contains("full"), "{}", done.stderr);
}

#[test]
fn what_cannot_be_used_is_2() {
    let files = Files::new();
    for arguments in [
        &["add"][..],
        &["add", "ann"],
        &["frobnicate"],
        &["add", "ann", ""],
        &["add", "ann", "a\nb"],
        &["get", "ann", "--limit", "1001"],
        &["get", "ann", "--all", "--start", "1"],
        &["add", "ann", "--from-file", "/does/not/exist"],
        &["add", "ann", "bob", "--from-file", "/does/not/exist"],
        &["serve"],
        &["serve", "--listen", "nowhere"],
        &["serve", "--tls-cert", "x"],
        &["serve", "--state", "/does/not/exist"],
        &["usersig", "make"],
        &["add", "ann", "-"],
    ] {
        let done = files.run(arguments).expect(2);
        assert!(
            !done.stderr.is_empty() && done.stdout.is_empty(),
            "{arguments:?}"
        );
    }
}

#[test]
fn a_bad_configuration_is_2_and_names_the_key() {
    let files = Files::new();
    for (text, word) in [
        ("{\"pth\":1}", "pth"),
        ("[]", "object"),
        ("{\"path\":1}", "path"),
    ] {
        let config = files.write("bad.json", text);
        let done = run_with(Some(&config), &["get", "ann"], "").expect(2);
        assert!(done.stderr.contains(word), "{}", done.stderr);
    }
    let missing = files.path("missing.json");
    run_with(Some(&missing), &["get", "ann"], "").expect(2);
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
fn a_refusal_is_3() {
    let files = Files::new();
    let (_server, config) = remote(&files, &json!({"accounts": ["ann"]}));
    let whole = run_with(Some(&config), &["get", "eve"], "").expect(3);
    assert!(whole.stderr.contains("30003"), "{}", whole.stderr);
    run_with(Some(&config), &["add", "ann", "eve"], "").expect(3);
    let stranger = json!({"admins": ["other"]});
    let (_server, config) = remote(&files, &stranger);
    let refused = run_with(Some(&config), &["get", "ann"], "").expect(3);
    assert!(refused.stderr.contains("30004"), "{}", refused.stderr);
}

#[test]
fn nobody_there_is_4() {
    let files = Files::new();
    let (server, config) = remote(&files, &json!({}));
    drop(server);
    run_with(Some(&config), &["add", "ann", "bob"], "").expect(4);
    let (server, _) = remote(&files, &json!({}));
    let app = files.app();
    run_with(Some(&app), &["serve", "--listen", server.address()], "").expect(4);
}

#[test]
fn a_store_that_cannot_be_used_is_5() {
    let files = Files::new();
    files.write(
        "lists.db",
        "this is no store of chatblock, and it must stay as it is",
    );
    let done = files.run(&["add", "ann", "bob"]).expect(5);
    assert!(done.stderr.contains("left untouched"), "{}", done.stderr);
}

#[test]
fn a_signature_that_was_made_verifies() {
    let files = Files::new();
    let app = files.app();
    let made = run_with(Some(&app), &["usersig", "make"], "")
        .expect(0)
        .stdout;
    let good = run_with(Some(&app), &["usersig", "verify"], &made).expect(0);
    assert!(good.stdout.starts_with("good: "), "{}", good.stdout);
    run_with(Some(&app), &["usersig", "verify", made.trim()], "").expect(0);
    let make_bob = ["usersig", "make", "--identifier", "bob", "--expire", "60"];
    let bob = run_with(Some(&app), &make_bob, "").expect(0).stdout;
    run_with(
        Some(&app),
        &["usersig", "verify", "--identifier", "bob"],
        &bob,
    )
    .expect(0);
}

#[test]
fn what_is_wrong_with_a_signature_is_said_in_words() {
    let files = Files::new();
    let app = files.app();
    let table = [
        ("garbage".to_owned(), "cannot be decoded"),
        (serve::sign("admin", NOW), "expired"),
        (serve::sign("bob", 4_000_000_000), "\"bob\""),
        (
            serve::sign_with(KEY, SDKAPPID + 1, "admin", 4_000_000_000),
            "SDKAppID 88888889",
        ),
        (
            serve::sign_with("other", SDKAPPID, "admin", 4_000_000_000),
            "another secret key",
        ),
    ];
    for (usersig, words) in table {
        let bad = run_with(Some(&app), &["usersig", "verify"], &usersig).expect(3);
        assert!(bad.stderr.contains(words), "{}", bad.stderr);
    }
}

#[test]
fn serve_prints_one_line_and_listens_where_it_says() {
    let files = Files::new();
    let mut command = serve::program();
    command.arg("serve").arg("--config").arg(files.app());
    let mut server = Serving::spawn(command, tempfile::tempdir().expect("a directory"));
    assert!(
        server.url.starts_with("http://127.0.0.1:"),
        "{}",
        server.url
    );
    let usersig = serve::sign("admin", 4_000_000_000);
    let query = format!("sdkappid={SDKAPPID}&identifier=admin&usersig={usersig}&contenttype=json");
    let body = r#"{"From_Account":"ann","To_Account":["bob"]}"#;
    let target = format!("/v4/sns/black_list_add?{query}");
    let (status, answer) = serve::exchange(server.address(), &serve::post(&target, body));
    assert_eq!(status, 200);
    assert!(answer.contains("\"ResultCode\":0"), "{answer}");
    let (code, rest) = server.end_with(nix::sys::signal::Signal::SIGTERM);
    assert_eq!((code, rest.as_str()), (Some(0), ""));
}

#[test]
fn a_state_on_top_of_a_store_replaces_the_lists_that_it_names() {
    let files = Files::new();
    files.run(&["add", "ann", "old"]).expect(0);
    files.run(&["add", "zoe", "kept"]).expect(0);
    let state = json!({
        "sdkappid": SDKAPPID, "key": KEY, "admins": ["admin"], "now": NOW,
        "blocklists": {"ann": [{"To_Account": "new", "AddBlackTimeStamp": 5}]},
    });
    let config = std::fs::read_to_string(files.durable()).expect("it was written");
    drop(Serving::start(&config, &state.to_string()));
    let ann = files.run(&["get", "ann"]).expect(0).stdout;
    assert!(ann.contains("new") && !ann.contains("old"), "{ann}");
    assert!(files.run(&["get", "zoe"]).expect(0).stdout.contains("kept"));
}

#[test]
fn a_bad_state_is_2_and_is_not_quoted() {
    let files = Files::new();
    for (state, word) in [
        ("[\"CANARY\"]", "docs/state-file.md"),
        ("{\"key\":\"CANARY\"}", "together"),
        ("{\"key\":[\"CANARY\"]}", "docs/state-file.md"),
        ("{\"CANARY\":1}", "docs/state-file.md"),
        ("{\"sequences\":{\"ann\":\"CANARY\"}}", "docs/state-file.md"),
        ("{\"admins\":[\"a\\nCANARY\"]}", "control character"),
        (
            "{\"fill\":{\"accounts\":[{\"prefix\":\"u\",\"first\":0,\"last\":4000000000}]}}",
            "1000000",
        ),
        ("{\"faults\":{\"v4/sns/nothing\":{}}}", "faults"),
    ] {
        let path = files.write("state.json", state);
        let path = path.to_str().expect("UTF-8");
        let done = run_with(Some(&files.app()), &["serve", "--state", path], "").expect(2);
        assert!(done.stderr.contains(word), "{}", done.stderr);
        assert!(!done.stderr.contains("CANARY"), "{}", done.stderr);
    }
}

#[test]
fn a_state_that_mentions_friends_is_served_and_said_so() {
    let files = Files::new();
    let state = json!({"sdkappid": SDKAPPID, "key": KEY, "friends": [["a", "b"]]});
    let state = files.write("state.json", state.to_string());
    let busy = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let taken = busy.local_addr().expect("it is bound").to_string();
    let arguments = [
        "serve",
        "--listen",
        &taken,
        "--state",
        state.to_str().expect("UTF-8"),
    ];
    let done = run_with(None, &arguments, "").expect(4);
    assert!(done.stderr.contains("friends"), "{}", done.stderr);
}

/// Every command, with a key that can be recognized.
#[test]
fn neither_key_nor_signature_is_in_any_output() {
    const CANARY: &str = "CANARY-of-the-secret-key";
    let files = Files::new();
    let (_server, config) = remote(&files, &json!({"accounts": ["ann"]}));
    let config = std::fs::read_to_string(config)
        .expect("it was written")
        .replace(KEY, CANARY);
    let config = files.write(
        "canary.json",
        config.replace(
            "\"retry\"",
            "\"log\":{\"to\":\"stderr\",\"level\":\"debug\"},\"retry\"",
        ),
    );
    let usersig = serve::sign_with(CANARY, SDKAPPID, "bob", NOW);
    for arguments in [
        &["add", "ann", "bob"][..],
        &["delete", "ann", "bob"],
        &["get", "ann"],
        &["check", "ann", "bob", "--json"],
        &["usersig", "verify", &usersig],
        &["usersig", "verify"],
    ] {
        let done = run_with(Some(&config), arguments, &usersig).expect(3);
        for text in [&done.stdout, &done.stderr] {
            assert!(!text.contains(CANARY), "{arguments:?}: {text}");
            assert!(!text.contains(&usersig[..40]), "{arguments:?}: {text}");
            assert!(!text.contains("usersig="), "{arguments:?}: {text}");
        }
    }
}

#[test]
fn a_file_with_a_key_that_others_may_read_is_warned_of() {
    let files = Files::new();
    let app = files.app();
    let make = ["usersig", "make"];
    let done = run_with(Some(&app), &make, "").expect(0);
    assert_eq!(done.stderr, "", "no other user has access");
    files.set_mode("key", 0o644);
    let done = run_with(Some(&app), &make, "").expect(0);
    assert_eq!(done.stderr.lines().count(), 1, "{}", done.stderr);
    for word in ["secret_key_file", "chmod 600", "0644"] {
        assert!(done.stderr.contains(word), "{}", done.stderr);
    }
    files.set_mode("key", 0o666);
    let done = run_with(Some(&app), &make, "").expect(2);
    assert!(done.stderr.contains("secret_key_file"), "{}", done.stderr);
    // The configuration itself, when the key stands in it.
    let inline = json!({"backend": "embedded", "sdkappid": SDKAPPID, "secret_key": KEY});
    let config = files.write("inline.json", inline.to_string());
    files.set_mode("inline.json", 0o640);
    let done = run_with(Some(&config), &make, "").expect(0);
    assert!(done.stderr.contains("inline.json"), "{}", done.stderr);
    files.set_mode("inline.json", 0o602);
    run_with(Some(&config), &make, "").expect(2);
}

#[test]
fn files_of_a_server_with_a_key_are_warned_of() {
    let files = Files::new();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).expect("a certificate");
    let certificate = files.write("cert.pem", made.cert.pem());
    let key = files.write("key.pem", made.signing_key.serialize_pem());
    let state = json!({"sdkappid": SDKAPPID, "key": KEY, "admins": ["admin"]}).to_string();
    let state = files.write("state.json", state);
    let said = files.path("stderr");
    let run = |mode: u32| {
        files.set_mode("key.pem", mode);
        files.set_mode("state.json", mode);
        let mut command = serve::program();
        command.arg("serve").arg("--state").arg(&state);
        command
            .arg("--tls-cert")
            .arg(&certificate)
            .arg("--tls-key")
            .arg(&key);
        command.stderr(std::fs::File::create(&said).expect("a file"));
        let mut server = Serving::spawn(command, tempfile::tempdir().expect("a directory"));
        server.end_with(nix::sys::signal::Signal::SIGTERM);
        std::fs::read_to_string(&said).expect("text")
    };
    assert_eq!(run(0o600), "");
    let text = run(0o644);
    for name in ["key.pem", "state.json"] {
        assert!(text.contains(name), "{text}");
    }
    files.set_mode("key.pem", 0o606);
    let arguments = [
        "serve",
        "--state",
        state.to_str().expect("UTF-8"),
        "--tls-cert",
        certificate.to_str().expect("UTF-8"),
        "--tls-key",
        key.to_str().expect("UTF-8"),
    ];
    let done = run_with(None, &arguments, "").expect(2);
    assert!(done.stderr.contains("key.pem"), "{}", done.stderr);
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

#[test]
fn the_help_names_the_exit_codes() {
    let help = run_with(None, &["--help"], "").expect(0);
    assert!(help.stdout.contains("Exit codes"), "{}", help.stdout);
}
