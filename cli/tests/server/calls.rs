//! What calls do: accounts, rate, sequence, other backends, TLS.

use serde_json::{Value, json};

use crate::running::{Running, short, state};
use crate::{EMBEDDED, KEY};
use testkit::serve::{self, SDKAPPID, Serving};

const IMPORTED: &str = r#"{"backend":"embedded","accounts":"imported"}"#;

fn call_as(address: &str, path: &str, identifier: &str, body: &Value) -> Value {
    let target = format!("/{path}?{}", serve::query(identifier));
    let (status, answer) = serve::exchange(address, &serve::post(&target, &body.to_string()));
    assert_eq!(status, 200, "{answer}");
    serde_json::from_str(&answer).expect("the answer is JSON")
}

fn account(server: &Running, name: &str, body: &Value) -> Value {
    let path = format!("v4/im_open_login_svc/{name}");
    call_as(&server.address, &path, "admin", body)
}

fn sns(server: &Running, name: &str, body: &Value) -> Value {
    call_as(&server.address, &format!("v4/sns/{name}"), "admin", body)
}

fn add(owner: &str, to: &[&str]) -> Value {
    json!({"From_Account": owner, "To_Account": to})
}

fn get(owner: &str) -> Value {
    json!({"From_Account": owner, "StartIndex": 0, "MaxLimited": 1000, "LastSequence": 0})
}

#[test]
fn an_account_exists_from_its_import_to_its_deletion() {
    let server = Running::start(IMPORTED, &state(""), short());
    assert_eq!(
        sns(&server, "black_list_add", &add("ann", &["bob"]))["ErrorCode"],
        30003
    );
    for body in [
        json!({"UserID": "ann", "Nick": "A"}),
        json!({"Identifier": "bob"}),
    ] {
        let imported = account(&server, "account_import", &body);
        let expected =
            json!({"ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": "", "ErrorDisplay": ""});
        assert_eq!(imported, expected);
    }
    assert_eq!(
        sns(&server, "black_list_add", &add("ann", &["bob"]))["ResultItem"][0]["ResultCode"],
        0
    );
    let asked = json!({"CheckItem": [{"UserID": "ann"}, {"UserID": "eve"}]});
    let items = &account(&server, "account_check", &asked)["ResultItem"];
    assert_eq!(
        items[0],
        json!({"UserID": "ann", "ResultCode": 0, "ResultInfo": "", "AccountStatus": "Imported"})
    );
    assert_eq!(items[1]["AccountStatus"], "NotImported");
    let doomed = json!({"DeleteItem": [{"UserID": "ann"}, {"UserID": "eve"}]});
    let items = &account(&server, "account_delete", &doomed)["ResultItem"];
    assert_eq!(
        items[0],
        json!({"UserID": "ann", "ResultCode": 0, "ResultInfo": ""})
    );
    assert_eq!(items[1]["ResultCode"], 70107);
    assert_eq!(
        sns(&server, "black_list_get", &get("ann"))["ErrorCode"],
        30003
    );
}

#[test]
fn a_deleted_account_comes_back_with_an_empty_list_but_stays_in_those_of_others() {
    let server = Running::start(EMBEDDED, &state(""), short());
    sns(&server, "black_list_add", &add("ann", &["bob"]));
    sns(&server, "black_list_add", &add("bob", &["ann"]));
    account(
        &server,
        "account_delete",
        &json!({"DeleteItem": [{"UserID": "ann"}]}),
    );
    account(&server, "account_import", &json!({"UserID": "ann"}));
    let own = sns(&server, "black_list_get", &get("ann"));
    assert_eq!(
        (&own["BlackListItem"], &own["CurrentSequence"]),
        (&json!([]), &json!(0))
    );
    let others = sns(&server, "black_list_get", &get("bob"));
    assert_eq!(others["BlackListItem"][0]["To_Account"], "ann");
}

#[test]
fn many_accounts_are_imported_in_both_spellings_and_bad_ones_are_named() {
    let server = Running::start(IMPORTED, &state(""), short());
    let long = "a".repeat(33);
    let old = account(
        &server,
        "multiaccount_import",
        &json!({"Accounts": ["ann", long, ""]}),
    );
    assert_eq!(
        (&old["ErrorCode"], &old["FailAccounts"]),
        (&json!(0), &json!([long, ""]))
    );
    let new = json!({"AccountList": [{"UserID": "bob", "Nick": "B"}]});
    assert_eq!(
        account(&server, "multiaccount_import", &new)["FailAccounts"],
        json!([])
    );
    let asked = json!({"CheckItem": [{"UserID": "ann"}, {"UserID": "bob"}]});
    let items = &account(&server, "account_check", &asked)["ResultItem"];
    assert!(
        items
            .as_array()
            .expect("two")
            .iter()
            .all(|item| item["AccountStatus"] == "Imported")
    );
}

#[test]
fn with_any_account_every_valid_identifier_counts_as_imported() {
    let server = Running::start(EMBEDDED, &state(""), short());
    let asked = json!({"CheckItem": [{"UserID": "eve"}, {"UserID": "a\u{e9}"}]});
    let items = &account(&server, "account_check", &asked)["ResultItem"];
    assert_eq!(items[0]["AccountStatus"], "Imported");
    assert_eq!(
        (&items[1]["AccountStatus"], &items[1]["ResultCode"]),
        (&json!("NotImported"), &json!(70402))
    );
}

#[test]
fn bad_account_calls_are_refused_with_70402() {
    let server = Running::start(EMBEDDED, &state(""), short());
    let many: Vec<Value> = (0..101)
        .map(|number| json!({"UserID": number.to_string()}))
        .collect();
    let names: Vec<String> = (0..101).map(|number| number.to_string()).collect();
    let table = [
        ("account_import", json!({})),
        ("account_import", json!({"UserID": 1})),
        ("account_import", json!({"UserID": ""})),
        ("account_import", json!({"UserID": "a", "Identifier": "b"})),
        ("multiaccount_import", json!({})),
        ("multiaccount_import", json!({"Accounts": "ann"})),
        ("multiaccount_import", json!({"Accounts": names})),
        ("account_check", json!({"CheckItem": []})),
        ("account_check", json!({"CheckItem": many})),
        ("account_delete", json!({"DeleteItem": ["ann"]})),
        ("account_delete", json!({"DeleteItem": many})),
    ];
    for (name, body) in table {
        assert_eq!(
            account(&server, name, &body)["ErrorCode"],
            70402,
            "{name} {body}"
        );
    }
}

#[test]
fn account_calls_pass_the_same_gate() {
    let server = Running::start(EMBEDDED, &state(""), short());
    let path = "v4/im_open_login_svc/account_import";
    let body = json!({"UserID": "ann"});
    assert_eq!(
        call_as(&server.address, path, "bob", &body)["ErrorCode"],
        30004
    );
    assert_eq!(
        call_as(&server.address, path, "admin", &json!([]))["ErrorCode"],
        60003
    );
    let (_, answer) = serve::exchange(&server.address, &serve::post(&format!("/{path}"), "{}"));
    assert!(answer.contains("60012"), "{answer}");
}

#[test]
fn the_sequence_grows_by_one_for_each_request_that_changes_something() {
    let server = Running::start(EMBEDDED, &state(""), short());
    let sequence = |name: &str, body: Value| {
        sns(&server, name, &body);
        sns(&server, "black_list_get", &get("ann"))["CurrentSequence"].clone()
    };
    assert_eq!(sequence("black_list_add", add("ann", &["bob", "eve"])), 1);
    assert_eq!(sequence("black_list_add", add("ann", &["bob"])), 1);
    assert_eq!(sequence("black_list_delete", add("ann", &["zoe"])), 1);
    assert_eq!(
        sequence("black_list_delete", add("ann", &["bob", "zoe"])),
        2
    );
}

#[test]
fn calls_beyond_the_rate_are_refused_for_their_command_only() {
    let config = r#"{"backend":"embedded","rate_per_second":3}"#;
    let server = Running::start(config, &state(""), short());
    let code = |name: &str| sns(&server, name, &get("ann"))["ErrorCode"].as_i64();
    let codes: Vec<_> = (0..8).map(|_| code("black_list_get")).collect();
    assert_eq!(codes[..3], [Some(0); 3]);
    assert!(codes.contains(&Some(60007)), "{codes:?}");
    assert_eq!(code("black_list_add"), Some(30001));
}

#[test]
fn an_exhausted_rate_refuses_before_the_body_is_looked_at() {
    let state = state(r#""config":{"rate_limit_exhausted":true}"#);
    let server = Running::start(EMBEDDED, &state, short());
    let (_, answer) = serve::exchange(
        &server.address,
        &serve::post(
            &format!("/v4/sns/black_list_add?{}", serve::query("admin")),
            "no JSON",
        ),
    );
    assert!(answer.contains("\"ErrorCode\":60007"), "{answer}");
}

#[test]
fn a_server_in_front_of_another_passes_its_answers_on() {
    let behind = Running::start(EMBEDDED, &state(""), short());
    let config = json!({
        "sdkappid": SDKAPPID,
        "secret_key": KEY,
        "identifier": "admin",
        "base_url": format!("http://{}", behind.address),
    });
    let front = Running::start(&config.to_string(), &state(""), short());
    let added = sns(&front, "black_list_add", &add("ann", &["bob"]));
    assert_eq!(added["ResultItem"][0]["ResultCode"], 0);
    let listed = sns(&behind, "black_list_get", &get("ann"));
    assert_eq!(listed["BlackListItem"][0]["To_Account"], "bob");
    assert_eq!(sns(&front, "black_list_get", &get("ann")), listed);
    assert_eq!(
        account(&front, "account_import", &json!({"UserID": "ann"}))["ErrorCode"],
        60009
    );
}

#[test]
fn a_service_that_is_gone_is_an_internal_error_not_a_success() {
    let mut behind = Running::start(EMBEDDED, &state(""), short());
    let config = json!({
        "sdkappid": SDKAPPID,
        "secret_key": KEY,
        "base_url": format!("http://{}", behind.address),
    });
    let front = Running::start(&config.to_string(), &state(""), short());
    behind.stop();
    let answer = sns(&front, "black_list_add", &add("ann", &["bob"]));
    assert_eq!(answer["ErrorCode"], 30006, "{answer}");
}

#[test]
fn tls_serves_a_client_that_trusts_the_certificate() {
    let files = tempfile::tempdir().expect("a directory can be made");
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]);
    let made = made.expect("a certificate can be made");
    let path = |name: &str| files.path().join(name);
    std::fs::write(path("cert.pem"), made.cert.pem()).expect("a file can be written");
    std::fs::write(path("key.pem"), made.signing_key.serialize_pem())
        .expect("a file can be written");
    std::fs::write(path("state.json"), state("")).expect("a file can be written");
    let ca_file = path("cert.pem");
    let mut command = serve::program();
    command.arg("serve").arg("--state").arg(path("state.json"));
    command
        .arg("--tls-cert")
        .arg(&ca_file)
        .arg("--tls-key")
        .arg(path("key.pem"));
    let server = Serving::spawn(command, files);
    let port = server
        .address()
        .rsplit(':')
        .next()
        .expect("a port")
        .to_owned();
    assert!(
        server.url.starts_with("https://127.0.0.1:"),
        "{}",
        server.url
    );
    let config = json!({
        "sdkappid": SDKAPPID,
        "secret_key": KEY,
        "identifier": "admin",
        "base_url": format!("https://localhost:{port}"),
        "tls": {"ca_file": ca_file},
    });
    let client = chatblock::Client::open(&config.to_string()).expect("a client opens");
    let reply = client.add("ann", &["bob"]);
    assert_eq!(reply.status(), chatblock::Status::Ok, "{}", reply.message());
}
