//! `serve`, as it is started from the command line.

use serde_json::json;

use testkit::runs::{Files, run_with};
use testkit::serve::{self, KEY, NOW, SDKAPPID, Serving};

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
