//! Answers of the vectors, fed to a client: below through the transport, and whole over a socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chatblock::api::{Answer, Operation, Request, Retry, Verdict, codes};
use chatblock::clock::SystemClock;
use chatblock::config::{Backend, Config};
use chatblock::service::Service;
use chatblock::service::remote::RemoteService;
use chatblock::service::remote::transport::{Failure, HttpAnswer, Transport};
use chatblock::{Client, Command, Reply, Status, api, wire};
use serde_json::Value;

use crate::vector::Vector;

/// Gives the same answer to whatever is asked.
struct Canned(u16, Vec<u8>);

impl Transport for Canned {
    fn post(&self, _: &str, _: Vec<u8>, _: Instant) -> Result<HttpAnswer, Failure> {
        Ok(HttpAnswer {
            status: self.0,
            body: self.1.clone(),
        })
    }
}

fn config(base_url: &str) -> String {
    format!(
        r#"{{"sdkappid":88888888,"secret_key":"k","identifier":"admin","base_url":"{base_url}","retry":{{"attempts":1}}}}"#
    )
}

/// The request of the vector; `None` when a client cannot make such a request.
fn request(vector: &Vector) -> Option<(Command, Request)> {
    let command = vector.command()?;
    let body = vector.body();
    let request = wire::parse_request(command, body.as_bytes(), api::Charset::Utf8).ok()?;
    Some((command, request))
}

/// A refusal of a request that a client cannot make is fed to this one.
fn substitute() -> Request {
    Request {
        owner: "id".into(),
        operation: Operation::Add(vec!["id1".into()].into()),
    }
}

/// Feeds the answer to the remote service.
pub fn below(vector: &Vector) -> Result<(), String> {
    let config = Config::parse(&config("https://example.invalid")).expect("a sound configuration");
    let (Backend::Remote(remote), Some(app)) = (&config.backend, &config.app) else {
        panic!("the configuration is remote");
    };
    let canned = Canned(vector.http_status, vector.answer().into_bytes());
    let service = RemoteService::over(Box::new(canned), remote, app, Arc::new(SystemClock));
    let asked = request(vector).map_or_else(substitute, |(_, request)| request);
    let outcome = service.call(&asked, Instant::now() + Duration::from_secs(1));
    if let Some(expected) = class(vector) {
        let found = match &outcome {
            Ok(answer) if answer.is_refused() => name(answer.retry()),
            Ok(_) => "none",
            Err(error) if error.status().is_retryable() => "retry",
            Err(_) => "fatal",
        };
        if found != expected {
            return Err(format!("class {found}, not {expected}"));
        }
    }
    match outcome {
        Ok(answer) => compare_answer(vector, &asked, &answer),
        Err(_) if class(vector) == Some("retry") => Ok(()),
        Err(error) => Err(format!("no answer: {error}")),
    }
}

fn class(vector: &Vector) -> Option<&str> {
    vector.expect.as_ref()?.get("class")?.as_str()
}

fn name(retry: Retry) -> &'static str {
    match retry {
        Retry::Soon => "retry",
        Retry::Once => "retry_once",
        Retry::Backoff => "backoff",
        Retry::Wait60s => "wait_60s",
        Retry::Renew => "renew_usersig",
        Retry::Never => "fatal",
    }
}

/// What the client read is what the answer says.
fn compare_answer(vector: &Vector, asked: &Request, answer: &Answer) -> Result<(), String> {
    let expected = (
        vector.response["ErrorCode"].as_i64(),
        vector.response["ErrorInfo"].as_str().unwrap_or_default(),
    );
    if (Some(i64::from(answer.code)), answer.info.as_str()) != expected {
        return Err(format!(
            "read {:?}, not {expected:?}",
            (answer.code, &answer.info)
        ));
    }
    if answer.is_refused() {
        return match answer.items.len() {
            0 => Ok(()),
            count => Err(format!("a refusal with {count} items")),
        };
    }
    if asked.command() == Command::Get {
        return compare_listing(vector, answer);
    }
    let verdicts = vector
        .expect
        .as_ref()
        .and_then(|expect| expect.get("items"));
    for (position, item) in answer.items.iter().enumerate() {
        let found = verdict_name(item.verdict);
        if let Some(wanted) = verdicts.and_then(|all| all.get(item.account.as_str())) {
            if *wanted != found {
                return Err(format!("{} is {found}, not {wanted}", item.account));
            }
            continue;
        }
        let array = vector.response.get("ResultItem");
        let array = array.or(vector.response.get("BlackListCheckItem"));
        let said = &array.ok_or("there is no array of items")?[position];
        let info = said["ResultInfo"].as_str().unwrap_or_default();
        let code = said["ResultCode"]
            .as_i64()
            .and_then(|code| i32::try_from(code).ok());
        let code = code.ok_or("an item without a code")?;
        let relation = said["Relation"].as_str().filter(|_| code == 0);
        let same = said["To_Account"] == item.account.as_str()
            && (code, info) == (item.code, item.info.as_str())
            && item.verdict == codes::judge(asked.command(), code, info)
            && (code == 0) == (item.verdict == Verdict::Done)
            && relation.is_none_or(|relation| relation == item.relation.wire_name());
        if !same {
            return Err(format!("{item:?} was read from {said}"));
        }
    }
    if answer.items.len() != asked.targets().len() {
        return Err(format!(
            "{} items for {} targets",
            answer.items.len(),
            asked.targets().len()
        ));
    }
    Ok(())
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Done => "ok",
        Verdict::Unchanged => "not_blocked",
        Verdict::Failed(retry) => name(retry),
        Verdict::Unanswered => "unknown",
    }
}

fn compare_listing(vector: &Vector, answer: &Answer) -> Result<(), String> {
    let response = &vector.response;
    let empty = Vec::new();
    let entries = response["BlackListItem"].as_array().unwrap_or(&empty);
    let wanted: Vec<(&Value, &Value)> = entries
        .iter()
        .map(|entry| {
            let either = |new: &str, old: &str| entry.get(new).or(entry.get(old));
            let account = either("To_Account", "Black_Account").expect("an account");
            let time = either("AddBlackTimeStamp", "BlackTimeStamp").expect("a time");
            (account, time)
        })
        .collect();
    let read: Vec<(Value, Value)> = answer
        .items
        .iter()
        .map(|item| (item.account.as_str().into(), item.time.into()))
        .collect();
    let sequence = response
        .get("CurrentSequence")
        .or(response.get("CurruentSequence"));
    let same = read
        .iter()
        .map(|(account, time)| (account, time))
        .eq(wanted)
        && response["StartIndex"] == answer.listing.next_index
        && *sequence.expect("a sequence") == answer.listing.sequence;
    if !same {
        return Err(format!("{answer:?} was read from {response}"));
    }
    match vector
        .expect
        .as_ref()
        .and_then(|expect| expect.get("listing"))
    {
        Some(listing) if *listing == "finished_empty" => {
            let finished = read.is_empty() && answer.listing.next_index == 0;
            finished
                .then_some(())
                .ok_or("the listing goes on".to_owned())
        }
        Some(listing) => Err(format!("unknown verdict of a listing: {listing}")),
        None => Ok(()),
    }
}

/// Feeds the answer to a whole client over a socket; `None` when a client cannot make this request.
pub fn whole(vector: &Vector) -> Option<Result<(), String>> {
    let (command, asked) = request(vector)?;
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let client = Client::open(&config(&format!("http://{address}"))).expect("a client opens");
    let reply = std::thread::scope(|scope| {
        let server = scope.spawn(|| answer_once(&listener, vector));
        let reply = client.call(command.name(), &vector.body());
        if reply.status() == Status::Request {
            // Nothing was sent: let the server go.
            drop(std::net::TcpStream::connect(address));
        }
        server.join().expect("the server ends");
        reply
    });
    if reply.status() == Status::Request {
        return None;
    }
    Some(compare_reply(vector, &asked, &reply))
}

fn answer_once(listener: &TcpListener, vector: &Vector) {
    let (stream, _) = listener.accept().expect("the client connects");
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        line.clear();
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() || length == 0 {
        return;
    }
    let answer = vector.answer();
    let (status, length) = (vector.http_status, answer.len());
    let head =
        format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let mut stream = reader.into_inner();
    stream.write_all(head.as_bytes()).expect("the client reads");
    stream
        .write_all(answer.as_bytes())
        .expect("the client reads");
}

fn compare_reply(vector: &Vector, asked: &Request, reply: &Reply) -> Result<(), String> {
    let code = vector.response["ErrorCode"].as_i64().unwrap_or(0);
    if let Some(class) = class(vector) {
        let expected = class != "fatal";
        if reply.is_retryable() != expected || reply.status().is_done() {
            return Err(format!("class {class}, but the reply is {reply:?}"));
        }
    } else if code != 0
        && (reply.status(), i64::from(reply.service_code())) != (Status::Service, code)
    {
        return Err(format!("refused with {code}, but the reply is {reply:?}"));
    }
    let verdicts = vector
        .expect
        .as_ref()
        .and_then(|expect| expect.get("items"));
    for item in reply.items() {
        let Some(wanted) = verdicts.and_then(|all| all[item.account()].as_str()) else {
            continue;
        };
        let expected = match wanted {
            "ok" => Status::Ok,
            "not_blocked" => Status::Unchanged,
            "retry" => Status::Service,
            _ => Status::Network,
        };
        if item.status() != expected {
            return Err(format!("{item:?} should be {wanted}"));
        }
    }
    let wants_items = asked.command() != Command::Get;
    if wants_items && reply.items().len() != asked.targets().len() {
        return Err(format!("{} items", reply.items().len()));
    }
    let is_answer = vector.http_status == 200 && vector.raw_response.is_none();
    if is_answer && class(vector).is_none() && reply.json() != vector.answer() {
        return Err(format!("the JSON is {}", reply.json()));
    }
    Ok(())
}
