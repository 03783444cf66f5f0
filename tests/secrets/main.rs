//! The secret key and every `UserSig` made with it stay where they belong: no message, JSON, log line,
//! `Debug` text, standard stream, store file or memory image shows them.

mod processes;
mod sinks;

use std::path::Path;

use chatblock::config::Config;
use chatblock::usersig::{self, Key};
use chatblock::{CheckType, Client, Status};
use serde_json::{Value, json};
use tempfile::TempDir;

use sinks::{Secrets, Sinks, canary};
use testkit::answers::{accepted, http_with, item, items, refusal, relation, relations, sends};
use testkit::certificates::Authority;
use testkit::fault_server::{self, Answer, FaultServer, Step};

/// A client with this configuration.
fn open(config: &Value) -> Client {
    Client::open(&config.to_string()).expect("the configuration is sound")
}

/// One answer of every kind that leaves its own traces.
fn kinds() -> Vec<(&'static str, Answer)> {
    let page = |status| vec![Step::Send(http_with(status, "Location: /x\r\n", "<html>"))];
    vec![
        ("a success", sends(items(&[item("a", 0, "")]))),
        (
            "an item that fails",
            sends(items(&[item("a", 30002, "Err")])),
        ),
        ("an item without answer", sends(items(&[]))),
        ("an expired signature", sends(refusal(70001))),
        ("another key", sends(refusal(70009))),
        ("a throttled call", sends(refusal(60007))),
        ("a redirect", page("302 Found")),
        ("a bad gateway", page("502 Bad Gateway")),
        ("a page", page("200 OK")),
        (
            "a cut answer",
            vec![Step::Send(b"HTTP/1.1 200 OK\r\n".to_vec()), Step::Cut],
        ),
        (
            "no HTTP",
            vec![Step::Send(b"SSH-2.0-x\r\n\r\n".to_vec()), Step::Cut],
        ),
        ("a reset", vec![Step::Reset]),
        ("silence", vec![Step::Stall]),
        (
            "a head too large",
            vec![Step::Repeat(vec![b'x'; 4096], 99), Step::Cut],
        ),
        (
            "a body too large",
            vec![Step::Send(http_with("200 OK", "", vec![b' '; 5 << 20]))],
        ),
        (
            "gzip",
            vec![Step::Send(http_with(
                "200 OK",
                "Content-Encoding: gzip\r\n",
                "x",
            ))],
        ),
    ]
}

/// A configuration that logs everything to `log`.
fn verbose(server: &FaultServer, key: &str, log: &Path) -> Value {
    let more = json!({
        "secret_key": key,
        "log": {"to": log, "level": "debug"},
        "attempt_ms": 400,
        "call_ms": 5000,
        "retry": {"attempts": 2, "base_ms": 1, "max_ms": 1},
    });
    fault_server::config(server, &more)
}

#[test]
fn answers_of_every_kind_show_no_secret() {
    let key = canary();
    let directory = TempDir::new().expect("there is room");
    let mut sinks = Sinks::default();
    let mut secrets = Secrets::of(&key);
    for (name, answer) in kinds() {
        let server = FaultServer::plain(vec![answer.clone(), answer]);
        let client = open(&verbose(&server, &key, &directory.path().join("log")));
        sinks.add_reply(name, &client.add("owner", &["a"]));
        assert_eq!(client.close(None), Status::Ok);
        let received = server.received();
        assert!(!received.is_empty(), "{name}");
        for request in &received {
            secrets.add_usersig(request.usersig());
        }
    }
    sinks.add_directory(directory.path());
    let log = sinks.0.last().map_or(0, |(_, log)| log.len());
    assert!(log > 1000, "the log is verbose");
    sinks.search("answers", &secrets);
}

#[test]
fn calls_of_every_kind_show_no_secret() {
    let key = canary();
    let directory = TempDir::new().expect("there is room");
    let mut sinks = Sinks::default();
    let script = vec![
        sends(relations(&[relation("a", "NO", 0)])),
        sends(accepted(r#""BlackListItem":[],"StartIndex":0"#)),
        sends(items(&[item("a", 0, "")])),
    ];
    let server = FaultServer::plain(script);
    let client = open(&verbose(&server, &key, &directory.path().join("log")));
    sinks.add_reply("check", &client.check("owner", &["a"], CheckType::Both));
    sinks.add_reply("get", &client.get("owner", 0, 9));
    sinks.add_reply("delete", &client.delete("owner", &["a"]));
    sinks.add_reply("a bad account", &client.add("owner", &["a\n"]));
    sinks.add_reply("bad JSON", &client.call("black_list_add", "{"));
    sinks.add_reply("a bad command", &client.call("black_list", "{}"));
    sinks.add("stats", client.stats().to_json());
    client.close(None);
    let mut secrets = Secrets::of(&key);
    for request in server.received() {
        secrets.add_usersig(request.usersig());
    }
    sinks.add_directory(directory.path());
    sinks.search("calls", &secrets);
}

#[test]
fn a_service_that_repeats_the_signature_is_not_quoted() {
    let key = canary();
    let directory = TempDir::new().expect("there is room");
    let server = FaultServer::plain(vec![sends(items(&[item("a", 0, "")]))]);
    let client = open(&verbose(&server, &key, &directory.path().join("log")));
    let _ = client.add("owner", &["a"]);
    let usersig = server.received()[0].usersig().to_owned();
    let mut sinks = Sinks::default();
    let echoes = [
        refusal(70003).replace("refused", &usersig),
        refusal(70003).replace(
            "refused by script",
            &format!("POST /v4/?usersig={usersig}&x=y"),
        ),
        items(&[item("a", 30003, &usersig)]),
        items(&[item("a", 0, "")])
            .replace("ErrorDisplay\":\"", &format!("RequestId\":\"{usersig}")),
    ];
    for echo in echoes {
        server.push(sends(echo));
        let reply = client.add("owner", &["a"]);
        assert!(!reply.json().is_empty(), "{reply:?}");
        sinks.add_reply("an echo", &reply);
    }
    client.close(None);
    assert!(
        server
            .received()
            .iter()
            .all(|request| request.usersig() == usersig)
    );
    let mut secrets = Secrets::of(&key);
    secrets.add_usersig(&usersig);
    sinks.add_directory(directory.path());
    sinks.search("echoes", &secrets);
}

#[test]
fn connections_that_fail_show_no_secret() {
    let key = canary();
    let directory = TempDir::new().expect("there is room");
    let leaf = Authority::new("stranger").leaf("localhost");
    let server = FaultServer::tls(leaf.config, Vec::new());
    let places = [
        server.base_url(),
        "https://name.invalid".into(),
        "http://127.0.0.1:1".into(),
    ];
    let mut sinks = Sinks::default();
    for place in places {
        let mut config = verbose(&server, &key, &directory.path().join("log"));
        config["base_url"] = json!(place);
        let client = open(&config);
        let reply = client.add("owner", &["a"]);
        assert_eq!(reply.status(), Status::Connect, "{reply:?}");
        sinks.add_reply(&place, &reply);
        client.close(None);
    }
    sinks.add_directory(directory.path());
    sinks.search("connections", &Secrets::of(&key));
}

/// Configurations with the key where it does not belong.
fn misplaced(key: &str) -> Vec<Value> {
    vec![
        json!({"secret": key}),
        json!({key: 1}),
        json!({"tls": {key: 1}}),
        json!({"tls": key}),
        json!({"secret_key": [key]}),
        json!({"secret_key": {"value": key}}),
        json!({"secret_key": key}),
        json!({"secret_key": key, "secret_key_env": "HOME", "sdkappid": 1}),
        json!({"secret_key_file": key, "sdkappid": 1}),
        json!({"secret_key_env": key, "sdkappid": 1}),
        json!({"secret_key_env": key.replace('-', "_"), "sdkappid": 1}),
        json!({"backend": "embedded", "accounts": key}),
        json!({"webhook": {"token": key, "unsigned": true}}),
        json!({"webhook": {"token": [key]}}),
        json!({"webhook": {"url": key}}),
        json!({"webhook": {key: 1}}),
        json!({"backend": "embedded", "account_charset": key}),
        json!(key),
        json!([key]),
    ]
}

/// Sound configurations but for one key, whose value is the secret.
fn mistaken(key: &str) -> Vec<Value> {
    let with = |name: &str, value: &str| {
        let mut config = json!({"sdkappid": 1, "secret_key": "k", name: value});
        if name != "base_url" && name != "region" {
            config["region"] = json!("china");
        }
        config
    };
    let names = [
        "backend",
        "sdkappid",
        "usersig_expire_s",
        "region",
        "base_url",
        "proxy",
        "connect_ms",
        "rate_per_second",
        "connections",
        "retry",
        "queue",
        "log",
    ];
    let urls = [
        format!("https://user:{key}@example.invalid"),
        format!("https://example.invalid/?usersig={key}"),
        format!("https://example.invalid/#{key}"),
        format!("http://example.invalid/{key}"),
    ];
    let wrong = names.iter().map(|name| with(name, key));
    wrong
        .chain(urls.iter().map(|url| with("base_url", url)))
        .collect()
}

#[test]
fn configurations_with_the_key_in_a_wrong_place_do_not_repeat_it() {
    let key = canary();
    let mut sinks = Sinks::default();
    for config in misplaced(&key).into_iter().chain(mistaken(&key)) {
        let error = Client::open(&config.to_string()).err();
        let error = error.unwrap_or_else(|| panic!("{config} is accepted"));
        assert_eq!(error.status(), Status::Config);
        sinks.add(format!("message about {config}"), error.message());
        sinks.add(format!("Debug about {config}"), format!("{error:?}"));
    }
    let broken = format!("{{\"secret_key\": \"{key}\", \"sdkappid\": 1,}}");
    let error = Client::open(&broken).err().expect("it is no JSON");
    sinks.add("message about broken JSON", error.message());
    sinks.search("configurations", &Secrets::of(&key));
}

#[test]
fn a_configuration_shows_its_secrets_nowhere() {
    let key = canary();
    let password = canary();
    let config = json!({
        "sdkappid": 1, "secret_key": key, "region": "china",
        "proxy": format!("http://user:{password}@127.0.0.1:9"),
    });
    let config = Config::parse(&config.to_string()).expect("it is sound");
    let mut sinks = Sinks::default();
    sinks.add(
        "Debug of a configuration",
        format!("{config:?} {config:#?}"),
    );
    sinks.search("Debug texts", &Secrets::of(&key));
    sinks.search("Debug texts", &Secrets::of(&password));
}

#[test]
fn signatures_show_no_key() {
    let (text, other) = (canary(), canary());
    let (key, wrong) = (Key::new(&text), Key::new(&other));
    let usersig = usersig::generate(1, &key, "admin", (1_700_000_000, 100)).expect("it is sound");
    let mut secrets = Secrets::of(&text);
    secrets.add(other.as_bytes());
    secrets.add_usersig(&usersig);
    let mut sinks = Sinks::default();
    sinks.add("Debug of a key", format!("{key:?}"));
    sinks.add(
        "Debug of a signature",
        format!("{:?}", usersig::decode(&usersig)),
    );
    let cut = &usersig[..usersig.len() - 4];
    for (key, app, name, text, now) in [
        (&wrong, 1, "admin", usersig.as_str(), 1_700_000_000),
        (&key, 2, "admin", &usersig, 1_700_000_000),
        (&key, 1, "nobody", &usersig, 1_700_000_000),
        (&key, 1, "admin", &usersig, 1_800_000_000),
        (&key, 1, "admin", cut, 1_700_000_000),
        (&key, 1, "admin", other.as_str(), 1_700_000_000),
    ] {
        let code = usersig::verify(key, app, name, text, now).expect_err("it is refused");
        sinks.add("a refusal", usersig::explain(code, text, now));
    }
    for (app, name, expire) in [(0, "admin", 1), (1, "", 1), (1, "admin", u32::MAX)] {
        let error = usersig::generate(app, &key, name, (0, expire)).expect_err("it is refused");
        sinks.add("a bad argument", format!("{error:?}"));
    }
    sinks.search("signatures", &secrets);
}

#[test]
fn a_store_holds_no_key() {
    let key = canary();
    let directory = TempDir::new().expect("there is room");
    let config = json!({
        "backend": "embedded", "sdkappid": 1, "secret_key": key,
        "path": directory.path().join("store.db"),
    });
    let client = open(&config);
    assert_eq!(client.add("owner", &["a"]).status(), Status::Ok);
    let mut sinks = Sinks::default();
    sinks.add_directory(directory.path());
    client.close(None);
    sinks.add_directory(directory.path());
    assert!(sinks.0.iter().any(|(_, content)| content.len() > 1000));
    sinks.search("store files", &Secrets::of(&key));
}
