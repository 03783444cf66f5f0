//! The scenario of the bindings (bindings/scenario.json) through the crate's own API: Rust is one of the hosts.
//! What each step does stands in bindings/README.md.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use chatblock::usersig::{self, Key};
use chatblock::{Answer, CheckType, Client, Error, Relation, Reply, Status};
use serde_json::{Value, json};

const SOON: Option<Duration> = Some(Duration::from_mins(1));
const PAGE: u32 = 300;

fn name(status: Status) -> &'static str {
    status.name().trim_start_matches("CHATBLOCK_")
}

fn relation(relation: Relation) -> &'static str {
    match relation {
        Relation::None => "NONE",
        Relation::No => "NO",
        Relation::AWithB => "A_WITH_B",
        Relation::BWithA => "B_WITH_A",
        Relation::BothWay => "BOTH_WAY",
    }
}

fn answer(answer: Answer) -> &'static str {
    match answer {
        Answer::Yes => "YES",
        Answer::No => "NO",
        Answer::Unknown => "UNKNOWN",
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(since.map_or(0, |since| since.as_secs())).expect("a time")
}

fn text<'a>(step: &'a Value, member: &str) -> &'a str {
    step[member]
        .as_str()
        .unwrap_or_else(|| panic!("{member} is a text"))
}

fn texts<'a>(step: &'a Value, member: &str) -> Vec<&'a str> {
    let list = step[member].as_array().expect("a list");
    list.iter()
        .map(|one| one.as_str().expect("a text"))
        .collect()
}

fn number(step: &Value, member: &str) -> u32 {
    let number = step[member].as_u64().and_then(|it| it.try_into().ok());
    number.unwrap_or_else(|| panic!("{member} is a number"))
}

/// Whether `found` is as wanted, where `"<any>"` stands for anything.
fn matches(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::String(any), _) if any == "<any>" => true,
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len() && wanted.iter().zip(found).all(|(w, f)| matches(w, f))
        }
        (Value::Object(wanted), Value::Object(found)) => {
            wanted.len() == found.len()
                && wanted
                    .iter()
                    .all(|(key, wanted)| found.get(key).is_some_and(|found| matches(wanted, found)))
        }
        _ => wanted == found,
    }
}

fn expect_error(expect: &Value, error: &Error) {
    assert_eq!(expect["status"], name(error.status()), "{error}");
    let wanted = expect["message_has"].as_str().unwrap_or_default();
    assert!(error.message().contains(wanted), "{error}");
}

fn expect_reply(expect: &Value, reply: &Reply) {
    let items = reply.items().iter().map(|item| {
        let relation = relation(item.relation());
        json!([item.account(), name(item.status()), item.code(), relation])
    });
    let items: Vec<_> = items.collect();
    let found = [
        ("status", json!(name(reply.status()))),
        ("service_code", json!(reply.service_code())),
        ("retryable", json!(reply.is_retryable())),
        ("command", json!(reply.command().map_or("", |it| it.name()))),
        ("from", json!(reply.owner())),
        ("next_index", json!(reply.next_index())),
        ("items", json!(items)),
        (
            "json",
            serde_json::from_str(reply.json()).unwrap_or(Value::Null),
        ),
    ];
    for (member, found) in found {
        if let Some(wanted) = expect.get(member) {
            assert!(matches(wanted, &found), "{member} is {found}, not {wanted}");
        }
    }
    let wanted = expect["message_has"].as_str().unwrap_or_default();
    assert!(reply.message().contains(wanted), "{}", reply.message());
    let is_timed = expect["timed"] == true;
    for item in reply.items().iter().filter(|_| is_timed) {
        assert!((item.time() - now()).abs() < 60, "at {}", item.time());
    }
}

/// Kilobytes that this process holds.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a process has a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.expect("a number of kilobytes")
}

fn backup(step: &Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let open = |name: &str| {
        let config = json!({"backend": "embedded", "path": folder.path().join(name)});
        Client::open(&config.to_string()).expect("it opens")
    };
    let (store, copy) = (open("lists.db"), folder.path().join("copy.db"));
    store
        .add(text(step, "from"), &texts(step, "to"))
        .into_result()
        .expect("added");
    store.backup(&copy).expect("a copy");
    expect_error(
        &step["expect"],
        &store.backup(&copy).expect_err("it is there"),
    );
    let listed = open("copy.db").get(text(step, "from"), 0, 100);
    let listed: Vec<_> = listed
        .items()
        .iter()
        .map(chatblock::ReplyItem::account)
        .collect();
    assert_eq!(json!(listed), step["to"]);
}

#[derive(Default)]
struct Host(Option<Client>);

impl Host {
    fn client(&self) -> &Client {
        self.0.as_ref().expect("an open client")
    }

    fn step(&mut self, step: &Value) {
        let expect = &step["expect"];
        match text(step, "do") {
            "version" => {
                assert!(env!("CARGO_PKG_VERSION").starts_with(text(expect, "starts_with")));
            }
            "open" => self.0 = Some(Client::open(&step["config"].to_string()).expect("it opens")),
            "open_fails" => {
                let Err(error) = Client::open(&step["config"].to_string()) else {
                    panic!("it opened")
                };
                expect_error(expect, &error);
            }
            "add" | "delete" | "check" | "get" | "call" => expect_reply(expect, &self.call(step)),
            "is_blocked" | "is_blocked_many" | "blocked_pairs" => self.ask(step),
            "watch" => self
                .client()
                .watch(&texts(step, "owners"))
                .expect("watched"),
            // The compiler refuses them.
            "bad_value" => {}
            "unwatch" => self
                .client()
                .unwatch(&texts(step, "owners"))
                .expect("let go"),
            "async" => self.asynchronous(step),
            "flush" => assert_eq!(self.client().flush(SOON), Status::Ok),
            "sync_fails" => assert_eq!(name(self.client().sync(SOON)), expect["status"]),
            "backup_fails" => {
                let error = self.client().backup("no-copy.db").expect_err("a failure");
                expect_error(expect, &error);
            }
            "backup" => backup(step),
            "cancel" => {
                let cancelled = self.client().cancel(number(step, "tag").into());
                assert_eq!(cancelled, number(expect, "cancelled") as usize);
            }
            "stats" => self.stats(expect),
            "usersig" | "usersig_fails" => signature(step),
            "webhook" => {
                let body = text(step, "body").as_bytes();
                let reply = self.client().apply_webhook(text(step, "query"), body);
                expect_reply(expect, &reply);
                assert!(!reply.json().is_empty());
            }
            "many_results" => self.many_results(step),
            "submit_and_close" => self.submit_and_close(step),
            // A closed client is moved from: the compiler refuses to use it (see `Client::close`).
            "after_close" => assert!(self.0.is_none()),
            other => panic!("there is no step {other}"),
        }
    }

    fn call(&self, step: &Value) -> Reply {
        let client = self.client();
        let from = || text(step, "from");
        match text(step, "do") {
            "add" => client.add(from(), &texts(step, "to")),
            "delete" => client.delete(from(), &texts(step, "to")),
            "get" => client.get(from(), number(step, "start"), number(step, "max")),
            "check" => {
                let check_type = match text(step, "type") {
                    "SINGLE" => CheckType::Single,
                    _ => CheckType::Both,
                };
                client.check(from(), &texts(step, "to"), check_type)
            }
            _ => client.call(text(step, "command"), text(step, "request")),
        }
    }

    fn ask(&self, step: &Value) {
        let (client, expect) = (self.client(), &step["expect"]);
        match text(step, "do") {
            "is_blocked" => {
                let told = client.is_blocked(text(step, "owner"), text(step, "peer"));
                // Here an account that cannot exist is on no list; in C it is an error.
                let wanted = expect["answer"].as_str().unwrap_or("NO");
                assert_eq!(answer(told), wanted);
            }
            "is_blocked_many" => {
                let owners = texts(step, "owners");
                let answers = client.is_blocked_many(&owners, text(step, "peer"));
                let told: Vec<_> = answers.map(answer).collect();
                assert_eq!(json!(told), expect["answers"]);
            }
            _ => {
                let accounts = texts(step, "accounts");
                let mut found = client.blocked_pairs(&accounts);
                let pairs: BTreeSet<_> = found.by_ref().map(<[usize; 2]>::from).collect();
                assert_eq!(json!(pairs), expect["pairs"]);
                assert_eq!(json!(found.unknown()), expect["unknown"]);
            }
        }
    }

    fn submit(&self, step: &Value) -> u32 {
        let count = number(step, "count");
        for index in 0..count {
            let account = format!("t{index}");
            let accepted = self
                .client()
                .add_async(text(step, "from"), &[account], index.into());
            accepted.expect("the queue has room");
        }
        count
    }

    fn asynchronous(&self, step: &Value) {
        let (client, expect, owner) = (self.client(), &step["expect"], text(step, "from"));
        let count = self.submit(step);
        let mut waiting: BTreeSet<_> = (0..u64::from(count)).collect();
        while !waiting.is_empty() {
            let done = client.poll(SOON).expect("a completion");
            expect_reply(&json!({"status": expect["status"]}), &done);
            assert_eq!(done.items()[0].account(), format!("t{}", done.tag()));
            assert!(waiting.remove(&done.tag()), "{} came twice", done.tag());
        }
        let (mut listed, mut start) = (0, 0);
        loop {
            let page = client.get(owner, start, PAGE);
            assert_eq!(page.status(), Status::Ok, "{}", page.message());
            listed += page.items().len();
            start = page.next_index();
            if start == 0 {
                break;
            }
        }
        assert_eq!(json!(listed), expect["listed"]);
    }

    fn stats(&self, expect: &Value) {
        let stats = serde_json::to_value(self.client().stats()).expect("a document");
        for (path, wanted) in expect["has"].as_object().expect("paths") {
            let found = stats.pointer(&format!("/{}", path.replace('.', "/")));
            assert_eq!(found, Some(wanted), "{path}");
        }
    }

    fn many_results(&self, step: &Value) {
        let check = || {
            self.client()
                .check(text(step, "from"), &["bob"], CheckType::Single)
        };
        let count = number(step, "count");
        let mut before = 0;
        for index in 0..count {
            if index == 1000 {
                before = resident_kib();
            }
            assert_eq!(check().status(), Status::Ok);
        }
        let growth = resident_kib().saturating_sub(before) / 1024;
        assert!(
            growth < number(step, "max_growth_mib").into(),
            "grew by {growth} MiB"
        );
    }

    fn submit_and_close(&mut self, step: &Value) {
        self.submit(step);
        let client = self.0.take().expect("an open client");
        let status = client.close(SOON);
        assert!(matches!(status, Status::Ok | Status::Timeout), "{status:?}");
    }
}

fn signature(step: &Value) {
    let key = Key::new(text(step, "key"));
    let (sdkappid, identifier) = (number(step, "sdkappid"), text(step, "identifier"));
    let expect = &step["expect"];
    let verify = |usersig: &str| usersig::verify(&key, sdkappid.into(), identifier, usersig, now());
    if let Some(usersig) = step["usersig"].as_str() {
        assert_eq!(expect["status"], "ERR_SIGNATURE");
        assert_eq!(
            verify(usersig).map(drop),
            Err(number(expect, "service_code").cast_signed())
        );
    } else {
        let life = (now(), number(step, "expire"));
        let usersig = usersig::generate(sdkappid, &key, identifier, life).expect("it is made");
        verify(&usersig).expect("it is genuine");
    }
}

#[test]
fn the_scenario_of_the_bindings_holds_in_rust() {
    let path = testkit::root().join("bindings/scenario.json");
    let scenario = std::fs::read_to_string(path).expect("the scenario");
    let scenario: Value = serde_json::from_str(&scenario).expect("the scenario is JSON");
    let steps = scenario["steps"].as_array().expect("steps");
    let mut host = Host::default();
    for (index, step) in steps.iter().enumerate() {
        println!("step {}: {step}", index + 1);
        host.step(step);
    }
    let version = env!("CARGO_PKG_RUST_VERSION");
    testkit::report(
        "hosts",
        &format!(
            "host rust {version} and later: scenario {} steps",
            steps.len()
        ),
    );
}
