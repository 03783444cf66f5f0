//! The exit codes: what is done, in part, refused, out of reach.

use serde_json::json;

use testkit::runs::{Files, names, remote, run_with};

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
fn the_help_names_the_exit_codes() {
    let help = run_with(None, &["--help"], "").expect(0);
    assert!(help.stdout.contains("Exit codes"), "{}", help.stdout);
}
