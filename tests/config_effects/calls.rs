//! What keys do to calls, to their requests and to webhooks.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chatblock::usersig::{self, Decoded, Key};
use chatblock::webhook::{Token, signed_query};
use chatblock::wire::webhook::Change;
use chatblock::{Client, Status};
use serde_json::{Value, json};
use testkit::answers::{item, items, refusal, sends};
use testkit::fault_server::{Answer, FaultServer, Received, Step, config};
use testkit::serve::write_secret;

use crate::{APP, KEY, open, with};

/// A variable that cargo gives to every test.
pub const VARIABLE: &str = "CARGO_PKG_NAME";
/// A call that has not ended by then does not end.
const LATEST: Option<Duration> = Some(Duration::from_mins(2));

fn done() -> Answer {
    sends(items(&[item("bob", 0, "")]))
}

/// For a client of `server` whose calls do not end by themselves.
pub fn patient(server: &FaultServer) -> Value {
    config(
        server,
        &json!({"attempt_ms": 3_600_000, "call_ms": 3_600_000}),
    )
}

/// The request of a client whose configuration has `more`, and the secret key only if `more` names none.
fn request(more: &Value) -> Received {
    let server = FaultServer::plain(vec![done()]);
    let mut config = with(patient(&server), more);
    let has_another_key = more.get("secret_key_file").or(more.get("secret_key_env"));
    if has_another_key.is_some() {
        let keys = config.as_object_mut().expect("an object of keys");
        keys.remove("secret_key");
    }
    assert_eq!(open(&config).add("ann", &["bob"]).status(), Status::Ok);
    server.received().remove(0)
}

fn signature(more: &Value) -> Decoded {
    usersig::decode(request(more).usersig()).expect("a signature")
}

pub fn backend() {
    let server = FaultServer::plain(Vec::new());
    let client = |backend| open(&with(patient(&server), &json!({"backend": backend})));
    for backend in ["embedded", "remote"] {
        assert_eq!(client(backend).stats().backend, backend);
    }
}

pub fn sdkappid() {
    let head = request(&json!({"sdkappid": 77})).head;
    assert!(head.contains("sdkappid=77&"), "{head}");
}

pub fn identifier() {
    let head = request(&json!({"identifier": "boss"})).head;
    assert!(head.contains("identifier=boss&"), "{head}");
}

pub fn secret_key() {
    let signature = signature(&json!({"secret_key": "another"}));
    assert!(signature.is_genuine(&Key::new("another")));
}

pub fn secret_key_file() {
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("key");
    write_secret(&file, "of a file");
    let signature = signature(&json!({"secret_key_file": file}));
    assert!(signature.is_genuine(&Key::new("of a file")));
}

pub fn secret_key_env() {
    let signature = signature(&json!({"secret_key_env": VARIABLE}));
    let key = std::env::var(VARIABLE).expect("cargo sets it");
    assert!(signature.is_genuine(&Key::new(&key)));
}

pub fn usersig_expire_s() {
    let signature = signature(&json!({"usersig_expire_s": 777}));
    assert_eq!(signature.claims.expire, 777);
    assert!(signature.is_genuine(&Key::new(KEY)));
}

/// The proxy is asked for a connection to the data centre.
pub fn region_and_proxy() {
    let proxy = FaultServer::plain(vec![vec![Step::Close]]);
    let config = json!({
        "sdkappid": APP, "secret_key": KEY, "region": "seoul", "proxy": proxy.base_url(), "retry": {"attempts": 1},
    });
    assert!(!open(&config).add("ann", &["bob"]).status().is_done());
    let head = proxy.received().remove(0).head;
    assert!(
        head.starts_with("CONNECT adminapikr.im.qcloud.com:443 "),
        "{head}"
    );
}

/// A call that is never answered ends because of `more`.
fn ends(more: &Value) {
    let server = FaultServer::plain(vec![vec![Step::Stall]; 8]);
    let client = open(&with(patient(&server), more));
    client.add_async("ann", &["bob"], 1).expect("accepted");
    let reply = client.poll(LATEST).expect("it ends");
    assert!(!reply.status().is_done());
}

pub fn attempt_ms() {
    ends(&json!({"attempt_ms": 200}));
}

pub fn call_ms() {
    ends(&json!({"call_ms": 200}));
}

/// Owners whose requests could go out at once share the only connection.
pub fn connections() {
    const CALLS: u64 = 6;
    let slow = [vec![Step::Pause(Duration::from_millis(20))], done()].concat();
    let server = FaultServer::plain(vec![slow; 6]);
    let client = open(&with(patient(&server), &json!({"connections": 1})));
    for tag in 0..CALLS {
        let owner = format!("owner{tag}");
        client.add_async(&owner, &["bob"], tag).expect("accepted");
    }
    for _ in 0..CALLS {
        let reply = client.poll(LATEST).expect("a completion");
        assert_eq!(reply.status(), Status::Ok, "{reply:?}");
    }
    assert_eq!(server.connections(), 1);
}

/// How often a request is sent that the service wants to be repeated.
fn requests(more: &Value) -> usize {
    let server = FaultServer::plain(vec![sends(refusal(30008)); 2]);
    let client = open(&with(patient(&server), more));
    client.add_async("ann", &["bob"], 1).expect("accepted");
    client.poll(LATEST).expect("it ends");
    server.received().len()
}

/// A wait that would pass the deadline is not begun, and the usual ones are far shorter. The wait is random: one of 360 is short
/// enough, and not ten in a row.
pub fn retry_waits() {
    let long = json!({"attempts": 2, "base_ms": 3_600_000, "max_ms": 3_600_000});
    let more = json!({"retry": long, "call_ms": 10_000});
    assert!((0..10).any(|_| requests(&more) == 1));
}

/// What a client of `webhook` says to a webhook.
fn webhook(webhook: &Value, query: &str) -> Status {
    let server = FaultServer::plain(Vec::new());
    let client = open(&with(patient(&server), &json!({"webhook": webhook})));
    let pair = json!({"From_Account": "ann", "To_Account": "bob"});
    let body = json!({"CallbackCommand": "Sns.CallbackBlackListAdd", "PairList": [pair]});
    let reply = client.apply_webhook(query, body.to_string().as_bytes());
    reply.status()
}

fn query(signed: Option<(&Token, i64)>) -> String {
    signed_query(
        APP.into(),
        Change::Add,
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        signed,
    )
}

pub fn webhook_max_age_s() {
    let time = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = i64::try_from(time.expect("after 1970").as_secs()).expect("before the end of time");
    let old = query(Some((&Token::new("token"), now - 3600)));
    assert_eq!(webhook(&json!({"token": "token"}), &old), Status::Signature);
    let lenient = json!({"token": "token", "max_age_s": 86_400});
    assert_eq!(webhook(&lenient, &old), Status::Ok);
}

pub fn webhook_unsigned() {
    let query = query(None);
    assert_eq!(webhook(&json!({}), &query), Status::Signature);
    assert_eq!(webhook(&json!({"unsigned": true}), &query), Status::Ok);
}

pub fn accounts() {
    let client = Client::open("{\"accounts\":\"imported\"}").expect("a sound configuration");
    assert_eq!(client.add("ann", &["bob"]).service_code(), 30003);
}

pub fn account_charset() {
    for (charset, status) in [
        ("strict", Status::Argument),
        ("printable", Status::Ok),
        ("utf8", Status::Ok),
    ] {
        let client = open(&json!({"account_charset": charset}));
        assert_eq!(client.add("a b", &["bob"]).status(), status, "{charset}");
    }
}
