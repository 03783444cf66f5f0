//! A bad configuration is refused with the key or file and the next step, and never repeats a value
//! that may be a secret.

use std::fs;

use chatblock::config::{Backend, Config};
use chatblock::{Client, Status};

const CANARY: &str = "c0ffee5ec2e7";

fn refusal(json: &str) -> String {
    let error = Client::open(json)
        .err()
        .unwrap_or_else(|| panic!("{json} was accepted"));
    assert_eq!(error.status(), Status::Config, "{json}: {error}");
    assert!(!error.message().contains(CANARY), "{json}: {error}");
    error.message().to_owned()
}

/// `json` with its remote part completed.
fn remote(more: &str) -> String {
    format!(
        "{{\"sdkappid\":1,\"secret_key\":\"{CANARY}\",\"base_url\":\"https://example.invalid\",{more}}}"
    )
}

#[test]
fn what_is_no_object_is_refused_as_a_whole() {
    for json in [
        "",
        "null",
        "[]",
        "7",
        "\"c0ffee5ec2e7\"",
        "{",
        "{}{}",
        "{\"backend\":}",
        "\u{feff}{}",
    ] {
        assert!(refusal(json).starts_with("configuration "), "{json}");
    }
}

/// Values are skipped in a loop until their key is known, so that depth takes no stack.
#[test]
fn a_deep_value_is_refused_by_its_key() {
    let (open, close) = ("[".repeat(1_000_000), "]".repeat(1_000_000));
    let message = refusal(&format!("{{\"log\":{open}{close}}}"));
    assert!(message.starts_with("config key \"log\""), "{message}");
    let message = refusal(&format!("{{\"other\":{open}{close}}}"));
    assert!(message.contains("\"other\" is unknown"), "{message}");
}

#[test]
fn an_unknown_key_is_named_with_those_that_are_known() {
    assert!(
        refusal("{\"backnd\":\"remote\"}").contains("\"backnd\" is unknown; known keys: backend")
    );
    assert!(refusal(&remote("\"retry\":{\"attempt\":1}")).contains("\"retry.attempt\" is unknown"));
    assert!(refusal("{\"queue\":{\"max\":1}}").contains("known keys: queue.max_calls"));
    assert!(refusal("{\"c0ffee5ec2e7\":1}").contains("(not shown)"));
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    assert!(refusal("{\"path\":\"a\",\"path\":\"b\"}").contains("twice"));
}

#[test]
fn a_value_of_the_wrong_type_or_range_is_named_by_its_key_only() {
    let table = [
        (
            "{\"backend\":\"c0ffee5ec2e7\"}",
            "\"backend\" must be one of",
        ),
        ("{\"backend\":1}", "\"backend\""),
        (
            "{\"sdkappid\":\"c0ffee5ec2e7\"}",
            "\"sdkappid\" must be an integer",
        ),
        ("{\"sdkappid\":0,\"secret_key\":\"k\"}", "\"sdkappid\""),
        (
            "{\"sdkappid\":4294967296,\"secret_key\":\"k\"}",
            "\"sdkappid\"",
        ),
        ("{\"sdkappid\":1.5,\"secret_key\":\"k\"}", "\"sdkappid\""),
        ("{\"secret_key\":12345}", "\"secret_key\" must be a string"),
        (
            "{\"secret_key\":\"\",\"sdkappid\":1}",
            "\"secret_key\" leads to an empty key",
        ),
        ("{\"secret_key\":{\"c0ffee5ec2e7\":1}}", "\"secret_key\""),
        (
            "{\"identifier\":\"a\\nb\",\"sdkappid\":1,\"secret_key\":\"k\"}",
            "\"identifier\"",
        ),
        ("{\"usersig_expire_s\":59}", "\"usersig_expire_s\""),
        ("{\"rate_per_second\":0}", "\"rate_per_second\""),
        ("{\"queue\":7}", "\"queue\" must be an object"),
        ("{\"queue\":{\"max_calls\":0}}", "\"queue.max_calls\""),
        ("{\"log\":{\"level\":\"loud\"}}", "\"log.level\""),
        (
            "{\"webhook\":{\"token\":\"\"}}",
            "\"webhook.token\" must have 1",
        ),
        (
            "{\"webhook\":{\"token\":[\"c0ffee5ec2e7\"]}}",
            "\"webhook.token\"",
        ),
        ("{\"webhook\":{\"max_age_s\":0}}", "\"webhook.max_age_s\""),
        (
            "{\"webhook\":{\"unsigned\":\"true\"}}",
            "\"webhook.unsigned\" must be true",
        ),
        (
            "{\"webhook\":{\"unsigned\":true,\"token\":\"c0ffee5ec2e7\"}}",
            "exclude each other",
        ),
        (
            "{\"webhook\":{\"url\":\"c0ffee5ec2e7\"}}",
            "\"webhook.url\"",
        ),
        (
            "{\"webhook\":{\"url\":\"ftp://c0ffee5ec2e7\"}}",
            "\"webhook.url\"",
        ),
        (
            "{\"webhook\":{\"url\":\"http://u:c0ffee5ec2e7@localhost/\"}}",
            "\"webhook.url\"",
        ),
        ("{\"path\":\"\"}", "\"path\""),
        ("{\"accounts\":\"all\"}", "\"accounts\""),
        ("{\"account_charset\":\"latin1\"}", "\"account_charset\""),
    ];
    for (json, expected) in table {
        let message = refusal(json);
        assert!(message.contains(expected), "{json}: {message}");
    }
    let remote_only = ["connect_ms", "attempt_ms", "call_ms", "connections"];
    for key in remote_only {
        let message = refusal(&remote(&format!("\"{key}\":0")));
        assert!(message.contains(key), "{message}");
    }
}

#[test]
fn the_remote_backend_says_what_it_lacks() {
    assert!(refusal("{\"backend\":\"remote\"}").contains("\"sdkappid\""));
    assert!(refusal("{\"sdkappid\":1}").contains("secret_key_file"));
    assert!(refusal("{\"secret_key\":\"c0ffee5ec2e7\"}").contains("\"sdkappid\""));
    assert!(refusal("{\"sdkappid\":1,\"secret_key\":\"c0ffee5ec2e7\"}").contains("\"region\""));
    assert!(refusal(&remote("\"region\":\"china\"")).contains("exclude each other"));
    assert!(
        refusal(&remote("\"path\":\"x.db\"")).contains("\"path\" belongs to backend \"embedded\"")
    );
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let wrong = [
        "{\"secret_key_file\":\"c0ffee5ec2e7\",\"sdkappid\":1}".to_owned(),
        "{\"secret_key_env\":\"c0ffee5ec2e7\",\"sdkappid\":1}".to_owned(),
        "{\"secret_key_env\":\"c0ffee5ec2e7-x\",\"sdkappid\":1}".to_owned(),
        "{\"secret_key\":\"c0ffee5ec2e7\",\"secret_key_env\":\"HOME\",\"sdkappid\":1}".to_owned(),
        "{\"region\":\"c0ffee5ec2e7\",\"sdkappid\":1,\"secret_key\":\"k\"}".to_owned(),
        "{\"base_url\":\"https://u:c0ffee5ec2e7@example.invalid\",\"sdkappid\":1,\"secret_key\":\"k\"}".to_owned(),
        "{\"base_url\":\"https://example.invalid/?usersig=c0ffee5ec2e7\",\"sdkappid\":1,\"secret_key\":\"k\"}".to_owned(),
        remote("\"proxy\":\"c0ffee5ec2e7\""),
        remote("\"connections\":\"c0ffee5ec2e7\""),
        remote("\"tls\":\"c0ffee5ec2e7\""),
    ];
    for json in wrong {
        refusal(&json);
    }
}

#[test]
fn a_file_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let missing = directory.path().join("missing.key");
    let binary = directory.path().join("binary.key");
    fs::write(&binary, [0xFF, 0xFE]).expect("a file");
    let empty = directory.path().join("empty.key");
    fs::write(&empty, "\n").expect("a file");
    for path in [&missing, &binary, directory.path()] {
        let name = path.display().to_string();
        let message = refusal(&format!(
            "{{\"sdkappid\":1,\"secret_key_file\":\"{name}\"}}"
        ));
        assert!(message.contains(&name), "{message}");
        let message = refusal(&remote(&format!("\"tls\":{{\"ca_file\":\"{name}\"}}")));
        assert!(
            message.contains(&name) && message.contains("tls.ca_file"),
            "{message}"
        );
    }
    let name = empty.display();
    assert!(
        refusal(&format!(
            "{{\"sdkappid\":1,\"secret_key_file\":\"{name}\"}}"
        ))
        .contains("empty key")
    );
    let unwritable = directory.path().join("no").join("log.txt");
    let message = refusal(&format!(
        "{{\"log\":{{\"to\":\"{}\"}}}}",
        unwritable.display()
    ));
    assert!(
        message.contains("log.to") && message.contains("log.txt"),
        "{message}"
    );
}

#[test]
fn a_key_file_may_end_with_a_line_feed() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("app.key");
    fs::write(&file, "k\r\n").expect("a file");
    let json = format!(
        "{{\"sdkappid\":1,\"secret_key_file\":\"{}\",\"region\":\"seoul\"}}",
        file.display()
    );
    let config = Config::parse(&json).expect("a sound configuration");
    let Backend::Remote(remote) = config.backend else {
        panic!("a key makes the backend remote");
    };
    assert_eq!(remote.endpoint.base_url, "https://adminapikr.im.qcloud.com");
}

#[test]
fn embedded_is_the_default_and_can_be_asked_for_beside_a_key() {
    for json in [
        "{}",
        "{\"backend\":\"embedded\",\"sdkappid\":1,\"secret_key\":\"k\"}",
    ] {
        let config = Config::parse(json).expect("a sound configuration");
        assert!(matches!(config.backend, Backend::Embedded(_)), "{json}");
    }
}

#[test]
fn a_token_has_up_to_128_characters_and_a_url_keeps_its_path() {
    let token = |length: usize| {
        format!(
            "{{\"webhook\":{{\"token\":\"{}\"}}}}",
            "\u{43a}".repeat(length)
        )
    };
    let config = Config::parse(&token(128)).expect("a sound configuration");
    assert!(config.webhook.token.is_some());
    assert!(refusal(&token(129)).contains("\"webhook.token\""));
    let urls = [
        ("http://10.0.0.1:8080/hook/", "http://10.0.0.1:8080/hook/"),
        ("https://example.invalid", "https://example.invalid/"),
    ];
    for (url, expected) in urls {
        let json = format!("{{\"webhook\":{{\"url\":\"{url}\"}}}}");
        let config = Config::parse(&json).expect("a sound configuration");
        assert_eq!(config.webhook.url.as_deref(), Some(expected));
    }
}
