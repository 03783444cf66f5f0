//! What a remote client knows stays right: lists of several pages, webhooks in any order, age.

mod paging;
mod webhooks;

use std::time::{Duration, Instant};

use chatblock::Client;
use chatblock::cache::Answer::{self, No, Unknown};
use serde_json::{Value, json};
use testkit::serve::Serving;

const APP: u32 = 1_400_000_001;
const KEY: &str = "synthetic-key-for-tests-0001";
const TOKEN: &str = "synthetic-token";

/// Longer than anything takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A service on which everybody exists.
fn service() -> Serving {
    let config = json!({"backend": "embedded", "sdkappid": APP, "secret_key": KEY});
    Serving::start(&config.to_string(), "{}")
}

/// A client of the service at `url`.
fn client(url: &str, cache: &Value) -> Client {
    let config = json!({
        "sdkappid": APP, "secret_key": KEY, "base_url": url, "cache": cache,
        "attempt_ms": 1000, "call_ms": 5000, "retry": {"attempts": 1}, "webhook": {"token": TOKEN},
    });
    Client::open(&config.to_string()).expect("the configuration is sound")
}

/// Waits until the question has this answer.
fn becomes(client: &Client, owner: &str, peer: &str, wanted: Answer) {
    let begin = Instant::now();
    while client.is_blocked(owner, peer) != wanted {
        assert!(
            begin.elapsed() < PATIENCE,
            "{owner} and {peer} never became {wanted:?}: {}",
            serde_json::to_string(&client.stats()).expect("stats are JSON")
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_owner_that_is_not_watched_any_more_grows_old() {
    let service = service();
    let client = client(&service.url, &json!({"refresh_s": 1, "max_age_s": 2}));
    client.watch(&["ann", "cid"]).expect("they are watched");
    becomes(&client, "ann", "bob", No);
    client.unwatch(&["ann", "nobody"]).expect("it is let go");
    becomes(&client, "ann", "bob", Unknown);
    becomes(&client, "cid", "bob", No);
}
