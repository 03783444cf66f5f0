//! No key of the configuration is taken in silence by a client: on each backend it has its effect, is refused, or is named in
//! docs/configuration.md as one that a client ignores. `cli/tests/server/keys.rs` asks the same of `serve`.

mod calls;
mod logs;
mod queues;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chatblock::{Client, Status};
use serde_json::{Value, json};
use testkit::keys;

const KEY: &str = "synthetic-key-for-tests-0001";
const APP: u32 = 1_400_000_001;

/// What a key is for a client of one backend.
enum Effect {
    /// Fails without the effect.
    Shows(fn()),
    /// The test of this name fails without the effect.
    Shown(&'static str),
    /// Opening fails with `CONFIG`, and the message names the key.
    Refused,
    /// Accepted without an effect: the page says so.
    Ignored,
}

struct Row {
    key: &'static str,
    value: Value,
    /// Without an app, unless the key is about one.
    embedded: Effect,
    remote: Effect,
}

#[allow(clippy::too_many_lines, reason = "a table")]
fn rows(folder: &Path) -> Vec<Row> {
    use Effect::{Ignored, Refused, Shown, Shows};
    let key_file = folder.join("key");
    fs::write(&key_file, KEY).expect("a file");
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600)).expect("our file");
    let row = |key, value, embedded, remote| Row {
        key,
        value,
        embedded,
        remote,
    };
    let of_app = |key, value, remote| row(key, value, Ignored, Shows(remote));
    let of_remote = |key, value, remote| row(key, value, Refused, remote);
    let of_embedded = |key, value, embedded| row(key, value, embedded, Refused);
    let of_both = |key, value, embedded, remote| row(key, value, Shows(embedded), Shows(remote));
    let (path, outbox) = (folder.join("lists.db"), folder.join("outbox.db"));
    vec![
        of_both("backend", json!("embedded"), calls::backend, calls::backend),
        of_app("sdkappid", json!(APP), calls::sdkappid),
        of_app("identifier", json!("admin"), calls::identifier),
        of_app("secret_key", json!(KEY), calls::secret_key),
        of_app("secret_key_file", json!(key_file), calls::secret_key_file),
        of_app(
            "secret_key_env",
            json!(calls::VARIABLE),
            calls::secret_key_env,
        ),
        of_app("usersig_expire_s", json!(60), calls::usersig_expire_s),
        of_remote("region", json!("seoul"), Shows(calls::region_and_proxy)),
        of_remote(
            "base_url",
            json!("https://example.invalid"),
            Shows(calls::sdkappid),
        ),
        of_remote(
            "tls.ca_file",
            json!(key_file),
            Shown("a_certificate_of_our_own_authority_is_trusted"),
        ),
        of_remote(
            "proxy",
            json!("http://localhost:1"),
            Shows(calls::region_and_proxy),
        ),
        of_remote(
            "connect_ms",
            json!(1000),
            Shown("a_handshake_that_stalls_ends_with_the_time_to_connect"),
        ),
        of_remote("attempt_ms", json!(1000), Shows(calls::attempt_ms)),
        of_remote("call_ms", json!(1000), Shows(calls::call_ms)),
        of_remote("connections", json!(2), Shows(calls::connections)),
        row(
            "rate_per_second",
            json!(2),
            Ignored,
            Shown("what_waits_for_the_pace_is_pending"),
        ),
        of_remote("retry.attempts", json!(2), Shown("attempts_are_counted")),
        of_remote("retry.base_ms", json!(2), Shows(calls::retry_waits)),
        of_remote("retry.max_ms", json!(2), Shows(calls::retry_waits)),
        of_both(
            "queue.max_calls",
            json!(2),
            queues::max_calls_embedded,
            queues::max_calls_remote,
        ),
        of_both(
            "queue.max_calls_per_owner",
            json!(2),
            queues::max_calls_per_owner_embedded,
            queues::max_calls_per_owner_remote,
        ),
        of_both(
            "queue.max_bytes",
            json!(1 << 20),
            queues::max_bytes_embedded,
            queues::max_bytes_remote,
        ),
        of_remote(
            "cache.max_bytes",
            json!(1 << 20),
            Shown("more_owners_than_there_is_memory_for_are_refused_together"),
        ),
        of_remote(
            "cache.refresh_s",
            json!(2),
            Shown("what_others_changed_shows_after_the_refresh"),
        ),
        of_remote(
            "cache.max_age_s",
            json!(900),
            Shown("a_list_that_grows_old_is_unknown"),
        ),
        of_remote(
            "outbox.path",
            json!(outbox),
            Shown("what_is_recorded_is_sent_by_the_next_client"),
        ),
        of_remote("outbox.commit_ms", json!(2), Shows(queues::commit_ms)),
        of_remote(
            "outbox.max_bytes",
            json!(1 << 20),
            Shown("a_full_outbox_is_busy"),
        ),
        row(
            "webhook.token",
            json!("token"),
            Ignored,
            Shown("webhooks_carry_what_others_changed"),
        ),
        of_remote(
            "webhook.max_age_s",
            json!(2),
            Shows(calls::webhook_max_age_s),
        ),
        of_remote(
            "webhook.unsigned",
            json!(true),
            Shows(calls::webhook_unsigned),
        ),
        row("webhook.url", json!("http://localhost/"), Ignored, Ignored),
        of_embedded(
            "path",
            json!(path),
            Shown("a_durable_store_is_known_when_it_is_open"),
        ),
        of_embedded("accounts", json!("imported"), Shows(calls::accounts)),
        of_embedded(
            "account_charset",
            json!("strict"),
            Shows(calls::account_charset),
        ),
        of_both(
            "log.to",
            json!("off"),
            logs::levels_embedded,
            logs::levels_remote,
        ),
        row(
            "log.level",
            json!("info"),
            Shown("levels_embedded"),
            Shown("levels_remote"),
        ),
        of_both(
            "log.max_bytes",
            json!(1 << 20),
            logs::rotation_embedded,
            logs::rotation_remote,
        ),
        row(
            "log.files",
            json!(2),
            Shown("rotation_embedded"),
            Shown("rotation_remote"),
        ),
    ]
}

fn open(config: &Value) -> Client {
    Client::open(&config.to_string()).unwrap_or_else(|error| panic!("{error}: {config}"))
}

/// A configuration with `more` beside these keys.
fn with(mut config: Value, more: &Value) -> Value {
    for (key, value) in more.as_object().expect("an object of keys") {
        config[key] = value.clone();
    }
    config
}

/// An app, with the key that `row` gives or with another.
fn app(row: &Row) -> Value {
    let mut config = json!({"sdkappid": APP});
    if !row.key.starts_with("secret_key") {
        config["secret_key"] = json!(KEY);
    }
    keys::set(&mut config, row.key, row.value.clone());
    config
}

fn embedded(row: &Row) -> Value {
    if matches!(row.embedded, Effect::Ignored) {
        return with(app(row), &json!({"backend": "embedded"}));
    }
    let mut config = json!({});
    keys::set(&mut config, row.key, row.value.clone());
    config
}

fn remote(row: &Row) -> Value {
    with(app(row), &json!({"base_url": "https://example.invalid"}))
}

fn check(row: &Row, effect: &Effect, config: &Value, (tests, page): (&str, &str)) {
    let key = row.key;
    match effect {
        Effect::Shows(shows) => shows(),
        Effect::Shown(name) => assert!(tests.contains(&format!("fn {name}()")), "{key}: {name}"),
        Effect::Refused => {
            let error = Client::open(&config.to_string()).err();
            let error = error.unwrap_or_else(|| panic!("{key} is taken: {config}"));
            assert_eq!(error.status(), Status::Config, "{key}: {error}");
            let section = key.split('.').next().expect("a name");
            assert!(error.message().contains(section), "{key}: {error}");
        }
        Effect::Ignored => {
            let start = page
                .find("- A client ignores")
                .expect("the item of the page");
            let item = page[start..].split("\n- ").next().expect("its text");
            let name = if key.starts_with("secret_key") {
                "secret key".to_owned()
            } else {
                format!("`{key}`")
            };
            assert!(item.contains(&name), "{key} is not named: {item}");
            drop(open(config));
        }
    }
}

#[test]
fn every_key_has_an_effect_on_each_backend_or_is_refused_there() {
    let folder = tempfile::tempdir().expect("a directory");
    let rows = rows(folder.path());
    let named: BTreeSet<_> = rows.iter().map(|row| row.key.to_owned()).collect();
    assert_eq!(
        keys::documented(),
        named,
        "each key of the page needs a row"
    );
    let page = fs::read_to_string(testkit::root().join("docs/configuration.md")).expect("the page");
    let known = (keys::tests(), page);
    let known = (known.0.as_str(), known.1.as_str());
    for row in &rows {
        check(row, &row.embedded, &embedded(row), known);
        check(row, &row.remote, &remote(row), known);
    }
}

/// `"backend": "embedded"` beside an app: what the remote backend alone uses may stay, but for the outbox.
#[test]
fn a_trial_without_the_service_keeps_the_keys_of_the_service() {
    let folder = tempfile::tempdir().expect("a directory");
    let rows = rows(folder.path());
    let of_remote = rows
        .iter()
        .filter(|row| matches!(row.embedded, Effect::Refused));
    for row in of_remote {
        let config = with(app(row), &json!({"backend": "embedded"}));
        let opened = Client::open(&config.to_string());
        match opened {
            Ok(client) => assert_eq!(client.stats().backend, "embedded"),
            Err(error) => assert!(row.key.starts_with("outbox."), "{}: {error}", row.key),
        }
    }
}
