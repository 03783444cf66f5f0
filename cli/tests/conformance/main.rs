//! Every test vector, against the engine, against a running server, and against the client.

mod client;
mod usersig;
mod vector;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chatblock::api::{Charset, Operation, Request};
use chatblock::clock::FixedClock;
use chatblock::config::Embedded;
use chatblock::service::Service;
use chatblock::webhook::{self, Token, Verifier};
use chatblock::{Client, Command, wire};
use chatblock_cli::server::{Fixture, open_engine, with_faults};
use serde_json::{Value, json};

use nix::sys::signal::Signal;
use testkit::receiver::{Manner, Receiver};
use testkit::report;
use testkit::serve::{self, Serving};
use vector::Vector;

/// Runs all, prints what differs, reports how many did what they should.
fn tally(title: &str, outcomes: &[(&str, Result<(), String>)]) {
    let total = outcomes.len();
    let failed: Vec<_> = outcomes
        .iter()
        .filter_map(|(name, outcome)| outcome.as_ref().err().map(|what| (name, what)))
        .collect();
    for (name, what) in &failed {
        println!("{title}: {name}: {what}");
    }
    report(
        "conformance",
        &format!("{title} {}/{total}", total - failed.len()),
    );
    assert!(
        failed.is_empty(),
        "{title}: {} of {total} vectors differ",
        failed.len()
    );
}

fn names<'a>(vectors: impl Iterator<Item = &'a Vector>) -> String {
    let names: Vec<&str> = vectors.map(|vector| vector.name.as_str()).collect();
    names.join(", ")
}

fn get(owner: &str) -> Request {
    Request {
        owner: owner.into(),
        operation: Operation::Get {
            start_index: 0,
            limit: 1000,
            last_sequence: 0,
        },
    }
}

fn ask(service: &dyn Service, command: Command, body: &[u8]) -> String {
    match wire::parse_request(command, body, Charset::Printable) {
        Ok(request) => {
            let answer = service.call(&request, Instant::now());
            wire::write_answer(command, &answer.expect("memory does not fail"))
        }
        Err(refusal) => wire::write_envelope(refusal.code, &refusal.message),
    }
}

fn compare_lists(vector: &Vector, ask: impl Fn(&Request) -> String) -> Result<(), String> {
    for (owner, expected) in vector.lists_after() {
        let answer = ask(&get(&owner));
        let found: Value = serde_json::from_str(&answer).expect("the answer is JSON");
        if found["BlackListItem"] != expected {
            return Err(format!(
                "afterwards {owner} blocks {answer}, not {expected}"
            ));
        }
    }
    Ok(())
}

fn against_engine(vector: &Vector) -> Result<(), String> {
    let state = Fixture::parse(&vector.setup.to_string()).expect("the setup is sound");
    let clock = Arc::new(FixedClock::at(state.now.expect("every vector has a time")));
    let engine = open_engine(&Embedded::default(), &state, clock).expect("memory does not fail");
    let engine = with_faults(Arc::new(engine), &state).expect("the faults are sound");
    let command = vector.command().expect("it passes the gateway");
    let answer = ask(&*engine, command, vector.body().as_bytes());
    vector.compare(&answer)?;
    compare_lists(vector, |get| {
        ask(&*engine, Command::Get, &wire::write_request(get))
    })
}

/// Requests that the gateway refuses by their first line never reach the engine: they count in the
/// group of the server only.
#[test]
fn the_engine_answers_as_the_vectors_say() {
    let vectors = vector::read();
    let outcomes: Vec<_> = vectors
        .iter()
        .filter(|vector| vector.is_for_server() && vector.passes_gateway())
        .map(|vector| (vector.name.as_str(), against_engine(vector)))
        .collect();
    tally("conformance engine", &outcomes);
}

fn against_server(vector: &Vector) -> Result<(), String> {
    let receiver = Receiver::start(Manner::Take);
    let config = json!({"backend": "embedded", "webhook": {"url": receiver.url()}});
    let mut server = Serving::start(&config.to_string(), &vector.setup.to_string());
    let method = &vector.request.method;
    let mut request = serve::post(&vector.target(), &vector.body());
    request.splice(.."POST".len(), method.bytes());
    let (status, answer) = serve::exchange(server.address(), &request);
    if status != vector.http_status {
        return Err(format!("HTTP status {status}"));
    }
    vector.compare(&answer)?;
    compare_lists(vector, |get| {
        let body = String::from_utf8(wire::write_request(get)).expect("JSON is text");
        server.call("v4/sns/black_list_get", &body).to_string()
    })?;
    // A server that ends sends first what it has to tell.
    server.end_with(Signal::SIGTERM);
    vector.compare_webhooks(&receiver.bodies())
}

#[test]
fn the_server_answers_over_a_socket_as_the_vectors_say() {
    let vectors = vector::read();
    let outcomes: Vec<_> = vectors
        .iter()
        .filter(|vector| vector.is_for_server())
        .map(|vector| (vector.name.as_str(), against_server(vector)))
        .collect();
    tally("conformance server", &outcomes);
    let friendship = vectors.iter().filter(|vector| vector.needs_friends());
    let friendship = format!("not applicable (friendship): {}", names(friendship));
    report("conformance", &friendship);
}

/// Takes the webhook as an app's backend would, and gives the answer. The token is the one that the
/// vector notes.
fn as_receiver(vector: &Vector) -> Result<(), String> {
    let query = vector.query();
    let signed = query.contains("Sign=");
    let token = signed.then(|| Token::new("synthetic-webhook-token"));
    let app = vector.setup["sdkappid"]
        .as_u64()
        .and_then(|app| app.try_into().ok());
    let age = Duration::from_mins(1);
    let verifier = Verifier::new(app.expect("an app"), token, !signed, age);
    let now = vector.setup["now"].as_i64().expect("a time");
    let change = verifier
        .verify(&query, now)
        .map_err(|why| why.to_string())?;
    let event = webhook::read_event(change, vector.body().as_bytes());
    let event = event.map_err(|why| format!("{why:?}"))?;
    let written: Value = serde_json::from_str(&webhook::write_event(&event)).expect("JSON");
    if written != vector.request.body {
        return Err(format!("read as {written}"));
    }
    vector.compare(&webhook::answer(true, ""))
}

#[test]
fn webhooks_are_verified_read_and_answered_as_the_vectors_say() {
    let vectors = vector::read();
    let outcomes: Vec<_> = vectors
        .iter()
        .filter(|vector| vector.scope == "webhook")
        .map(|vector| (vector.name.as_str(), as_receiver(vector)))
        .collect();
    tally("conformance webhook", &outcomes);
}

/// A request that a client cannot make is refused on the spot: `None`.
fn client_against_server(vector: &Vector) -> Option<Result<(), String>> {
    let server = Serving::with_state(&vector.setup.to_string());
    let config = json!({
        "sdkappid": vector.setup["sdkappid"],
        "secret_key": vector.setup["key"],
        "identifier": "admin",
        "base_url": server.url,
        "retry": {"attempts": 1},
    });
    let client = Client::open(&config.to_string()).expect("a client opens");
    let reply = client.call(vector.command()?.name(), &vector.body());
    (reply.status() != chatblock::Status::Request).then(|| vector.compare(reply.json()))
}

#[test]
fn a_client_and_the_server_understand_each_other() {
    let vectors = vector::read();
    let outcomes: Vec<_> = vectors
        .iter()
        .filter(|vector| vector.is_for_server() && vector.passes_gateway())
        .filter_map(|vector| Some((vector.name.as_str(), client_against_server(vector)?)))
        .collect();
    tally("conformance client against server", &outcomes);
}

#[test]
fn the_remote_service_reads_every_answer_as_the_vectors_say() {
    let vectors = vector::read();
    let outcomes: Vec<_> = vectors
        .iter()
        .filter(|vector| vector.scope != "webhook")
        .map(|vector| (vector.name.as_str(), client::below(vector)))
        .collect();
    tally("conformance client", &outcomes);
}

#[test]
fn a_whole_client_reads_every_answer_that_it_can_ask_for() {
    let vectors = vector::read();
    let outcomes: Vec<_> = vectors
        .iter()
        .filter(|vector| vector.scope != "webhook")
        .filter_map(|vector| Some((vector.name.as_str(), client::whole(vector)?)))
        .collect();
    tally("conformance client whole", &outcomes);
}

fn usersig_vectors(list: &str) -> Vec<Value> {
    let path = testkit::root().join("tests/vectors/usersig.json");
    let text = std::fs::read_to_string(path).expect("the vectors are there");
    let all: Value = serde_json::from_str(&text).expect("the vectors are sound");
    all[list].as_array().expect("the list is there").clone()
}

fn run_usersig(list: &str, title: &str, check: fn(&Value) -> Result<(), String>) {
    let vectors = usersig_vectors(list);
    let outcomes: Vec<_> = vectors
        .iter()
        .map(|vector| (vector["name"].as_str().expect("a name"), check(vector)))
        .collect();
    tally(title, &outcomes);
}

#[test]
fn signatures_of_both_official_generators_and_ours_say_the_same() {
    run_usersig("vectors", "usersig", usersig::generated);
}

#[test]
fn constructed_signatures_are_accepted_or_refused_with_the_right_code() {
    run_usersig("accept", "usersig accept", usersig::constructed);
    run_usersig("reject", "usersig reject", usersig::constructed);
}
