//! No key of the configuration is taken in silence by `serve`: it is refused, or a test shows what it does.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chatblock::config::Config;
use chatblock_cli::server::{Fixture, Gateway};
use serde_json::{Value, json};
use testkit::keys;
use testkit::serve::{self, KEY, SDKAPPID};

use crate::raw::{self, BODY};
use crate::running::{Running, short, state};

/// What a key is for `serve`.
enum Row {
    /// Refused with this value.
    Refused(Value),
    /// A test by this name fails without its effect.
    Shown(&'static str),
    /// Part of the remote backend, which is the same object in a client; its tests are those of the library.
    Remote,
}

fn rows() -> Vec<(&'static str, Row)> {
    use Row::{Refused, Remote, Shown};
    let remote = "a_server_in_front_of_another_passes_its_answers_on";
    let admin = "the_admin_of_a_configuration_counts_as_imported";
    let log = "every_refusal_is_a_warning_and_every_request_a_line_at_debug";
    vec![
        ("backend", Shown(remote)),
        ("sdkappid", Shown(admin)),
        ("identifier", Shown(admin)),
        ("secret_key", Shown(admin)),
        (
            "secret_key_file",
            Shown("serve_prints_one_line_and_listens_where_it_says"),
        ),
        (
            "secret_key_env",
            Shown("the_mark_of_a_file_and_the_end_of_its_line_are_no_part_of_a_key"),
        ),
        ("usersig_expire_s", Remote),
        ("region", Remote),
        ("base_url", Shown(remote)),
        ("tls.ca_file", Remote),
        ("proxy", Remote),
        ("connect_ms", Remote),
        ("attempt_ms", Remote),
        (
            "call_ms",
            Shown("a_gateway_gives_up_when_its_configuration_says_so"),
        ),
        ("connections", Remote),
        (
            "rate_per_second",
            Shown("what_a_player_sends_does_not_take_the_rate_of_the_admin"),
        ),
        ("retry.attempts", Refused(json!(2))),
        ("retry.base_ms", Refused(json!(2))),
        ("retry.max_ms", Refused(json!(2))),
        ("queue.max_calls", Refused(json!(2))),
        ("queue.max_calls_per_owner", Refused(json!(2))),
        ("queue.max_bytes", Refused(json!(1 << 20))),
        ("cache.max_bytes", Refused(json!(1 << 20))),
        ("cache.refresh_s", Refused(json!(2))),
        ("cache.max_age_s", Refused(json!(900))),
        ("outbox.path", Refused(json!("o.db"))),
        ("outbox.commit_ms", Refused(json!(2))),
        ("outbox.max_bytes", Refused(json!(1 << 20))),
        (
            "webhook.token",
            Shown("with_a_token_it_is_signed_and_verifies"),
        ),
        ("webhook.max_age_s", Refused(json!(2))),
        ("webhook.unsigned", Refused(json!(true))),
        (
            "webhook.url",
            Shown("with_a_token_it_is_signed_and_verifies"),
        ),
        (
            "path",
            Shown("a_state_on_top_of_a_store_replaces_the_lists_that_it_names"),
        ),
        ("accounts", Shown(admin)),
        (
            "account_charset",
            Shown("the_characters_of_accounts_are_those_of_the_configuration"),
        ),
        ("log.to", Shown(log)),
        ("log.level", Shown(log)),
        (
            "log.max_bytes",
            Shown("a_full_file_is_kept_and_a_new_one_begun"),
        ),
        (
            "log.files",
            Shown("a_full_file_is_kept_and_a_new_one_begun"),
        ),
    ]
}

#[test]
fn every_key_has_an_effect_in_serve_or_is_refused_there() {
    let rows = rows();
    let named: BTreeSet<_> = rows.iter().map(|(key, _)| (*key).to_owned()).collect();
    assert_eq!(
        keys::documented(),
        named,
        "each key of the table needs a row here"
    );
    let tests = keys::tests();
    for (key, row) in rows {
        match row {
            Row::Shown(name) => assert!(tests.contains(&format!("fn {name}()")), "{key}: {name}"),
            Row::Remote => {}
            Row::Refused(value) => {
                let mut config = json!({"sdkappid": SDKAPPID, "secret_key": KEY, "base_url": "https://example.invalid"});
                keys::set(&mut config, key, value);
                let config = Config::parse(&config.to_string()).expect("a client takes it");
                let state = Fixture::parse("{}").expect("an empty state");
                let error = Gateway::open(&config, &state)
                    .err()
                    .unwrap_or_else(|| panic!("{key} is taken"));
                let section = key.split('.').next().expect("a name");
                for words in [section, "serve"] {
                    assert!(error.message().contains(words), "{key}: {error}");
                }
            }
        }
    }
}

#[test]
fn a_gateway_gives_up_when_its_configuration_says_so() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("http://{}", silent.local_addr().expect("it is bound"));
    let config = json!({
        "sdkappid": SDKAPPID, "secret_key": KEY, "base_url": url, "call_ms": 200, "attempt_ms": 3_600_000,
    });
    let server = Running::start(&config.to_string(), &state(""), short());
    let started = Instant::now();
    let (_, answer) = serve::exchange(&server.address, &serve::post(&raw::target(), BODY));
    assert!(answer.contains("30007"), "{answer}");
    // The time of a call that is not configured is 12 s.
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn the_characters_of_accounts_are_those_of_the_configuration() {
    for (charset, code) in [("strict", 30001), ("printable", 0)] {
        let config = json!({"backend": "embedded", "account_charset": charset});
        let server = Running::start(&config.to_string(), &state(""), short());
        let target = raw::target().replace("_get?", "_add?");
        let body = r#"{"From_Account":"id","To_Account":["a b"]}"#;
        let (_, answer) = serve::exchange(&server.address, &serve::post(&target, body));
        assert!(
            answer.contains(&format!("\"ResultCode\":{code},")),
            "{charset}: {answer}"
        );
    }
}
