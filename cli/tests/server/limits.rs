//! Slow, many and idle clients.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use chatblock_cli::server::Limits;

use crate::running::{Running, short, state};
use crate::{EMBEDDED, report};
use testkit::serve::{self, Serving};

const BODY: &str = r#"{"From_Account":"id","StartIndex":0,"MaxLimited":1,"LastSequence":0}"#;
/// Far above every limit of these tests, far below the patience of a connection.
const SOON: Duration = Duration::from_secs(10);
/// docs/operations.md.
const THREADS: usize = 80;

fn target() -> String {
    format!("/v4/sns/black_list_get?{}", serve::query("admin"))
}

/// What comes back until the server ends the connection, and when that was.
fn end_of(mut stream: &TcpStream) -> (String, Duration) {
    let started = Instant::now();
    let mut answer = Vec::new();
    // A reset is an end too.
    let _ = stream.read_to_end(&mut answer);
    (
        String::from_utf8_lossy(&answer).into_owned(),
        started.elapsed(),
    )
}

#[test]
fn a_head_that_does_not_end_is_cut_off() {
    let server = Running::start(EMBEDDED, &state(""), short());
    for start in ["", "P", "POST / HTTP/1.1\r\nHost: localhost\r\n"] {
        let mut stream = serve::connect(&server.address);
        stream.write_all(start.as_bytes()).expect("it is open");
        let (answer, took) = end_of(&stream);
        assert_eq!(answer, "", "{start:?}");
        assert!(took < SOON, "{start:?} {took:?}");
    }
}

#[test]
fn a_head_that_drips_gets_no_more_time() {
    let server = Running::start(EMBEDDED, &state(""), short());
    let stream = serve::connect(&server.address);
    let mut drip = stream.try_clone().expect("a second handle");
    drip.write_all(b"POST / HTTP/1.1\r\nX-A: ")
        .expect("it is open");
    std::thread::scope(|scope| {
        let dripping = scope.spawn(move || {
            let started = Instant::now();
            while started.elapsed() < SOON && drip.write_all(b"b").is_ok() {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let (answer, took) = end_of(&stream);
        assert_eq!(answer, "");
        assert!(took < SOON, "{took:?}");
        // So that the other side sees a closed connection at its next drop.
        drop(stream);
        dripping.join().expect("it ends");
    });
}

#[test]
fn a_body_that_does_not_end_is_refused() {
    let server = Running::start(EMBEDDED, &state(""), short());
    let bad_signature = target().replace("usersig=", "usersig=AAAA&x=");
    for target in [target(), bad_signature] {
        let mut stream = serve::connect(&server.address);
        let head =
            format!("POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{{");
        stream.write_all(head.as_bytes()).expect("it is open");
        let (answer, took) = end_of(&stream);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer:?}");
        assert!(took < SOON, "{took:?}");
    }
}

#[test]
fn an_idle_connection_outlives_the_limit_for_heads_but_not_its_own() {
    let limits = Limits {
        head: Duration::from_millis(100),
        idle: Duration::from_secs(2),
        ..short()
    };
    let server = Running::start(EMBEDDED, &state(""), limits);
    let mut stream = serve::connect(&server.address);
    let length = BODY.len();
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{BODY}",
        target()
    );
    let mut answer = [0; 4096];
    stream.write_all(request.as_bytes()).expect("it is open");
    assert!(stream.read(&mut answer).expect("an answer") > 0);
    std::thread::sleep(Duration::from_millis(500));
    stream
        .write_all(request.as_bytes())
        .expect("it is still open");
    assert!(stream.read(&mut answer).expect("an answer") > 0);
    let (_, took) = end_of(&stream);
    assert!(took < SOON, "{took:?}");
}

#[test]
fn a_client_that_does_not_read_is_cut_off() {
    let server = Running::start(EMBEDDED, &state(""), short());
    let mut stream = serve::connect(&server.address);
    let names: Vec<String> = (0..1000)
        .map(|number| format!("\"{number:032}\""))
        .collect();
    let body = format!(
        r#"{{"From_Account":"id","To_Account":[{}],"CheckType":"BlackCheckResult_Type_Single"}}"#,
        names.join(",")
    );
    let target = target().replace("_get?", "_check?");
    let length = body.len();
    let request = format!(
        "POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    // Answers are larger than requests: both directions fill until the server gives up.
    stream
        .set_write_timeout(Some(SOON))
        .expect("it is not zero");
    let started = Instant::now();
    while stream.write_all(request.as_bytes()).is_ok() {}
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Running::start(EMBEDDED, &state(""), short());
    let length = BODY.len();
    let first = format!(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{BODY}",
        target()
    );
    let last = serve::post("/nowhere", "{}");
    let bytes = [first.as_bytes(), first.as_bytes(), &last].concat();
    let answer = String::from_utf8(serve::talk(&server.address, &bytes)).expect("text");
    let codes: Vec<&str> = answer.split("\"ErrorCode\":").skip(1).collect();
    assert_eq!(codes.len(), 3, "{answer}");
    assert!(codes[0].starts_with("0,") && codes[1].starts_with("0,"));
    assert!(codes[2].starts_with("60009,"), "{answer}");
}

#[test]
fn a_request_hidden_behind_an_ambiguous_one_is_not_answered() {
    let server = Running::start(EMBEDDED, &state(""), short());
    let hidden = String::from_utf8(serve::post(&target(), BODY)).expect("text");
    let length = 5 + hidden.len();
    let carrier = format!(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n\
         0\r\n\r\n{hidden}",
        target()
    );
    let answer = String::from_utf8(serve::talk(&server.address, carrier.as_bytes())).expect("text");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
}

#[test]
fn connections_beyond_the_limit_are_turned_away_with_503() {
    let limits = Limits {
        connections_per_address: 3,
        ..Limits::default()
    };
    let mut server = Running::start(EMBEDDED, &state(""), limits);
    let request = serve::post(&target(), BODY);
    let held: Vec<TcpStream> = (0..3)
        .map(|_| crate::players::after_a_call(&server, "admin"))
        .collect();
    let (status, _) = serve::exchange(&server.address, &request);
    assert_eq!(status, 503);
    drop(held);
    let started = Instant::now();
    while serve::exchange(&server.address, &request).0 != 200 {
        assert!(started.elapsed() < SOON, "places are not given back");
    }
    server.stop();
}

#[test]
fn two_thousand_idle_connections_leave_room_for_work() {
    let limits = Limits {
        head: Duration::from_mins(1),
        connections_per_address: 2048,
        ..Limits::default()
    };
    let server = Running::start(EMBEDDED, &state(""), limits);
    let idle: Vec<TcpStream> = (0..2000).map(|_| serve::connect(&server.address)).collect();
    let (status, _) = serve::exchange(&server.address, &serve::post(&target(), BODY));
    assert_eq!(status, 200);
    report(
        "server",
        &format!("server idle connections {} and one answered", idle.len()),
    );
}

/// Seconds of processor time that the process has used.
fn processor_time(id: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("it is running");
    let fields = stat.rsplit(')').next().expect("the name is in brackets");
    let ticks = fields.split_whitespace().skip(11).take(2);
    // 100 ticks a second: the value of every Linux that runs here.
    ticks
        .map(|ticks| ticks.parse::<f64>().expect("a number"))
        .sum::<f64>()
        / 100.0
}

#[test]
fn running_out_of_descriptors_neither_spins_nor_kills() {
    let files = tempfile::tempdir().expect("a directory can be made");
    let state_file = files.path().join("s.json");
    std::fs::write(&state_file, state("")).expect("a file can be written");
    let mut shell = std::process::Command::new("sh");
    shell
        .arg("-c")
        .arg("ulimit -n 40; exec \"$0\" serve --state \"$1\"");
    shell.arg(serve::program().get_program()).arg(&state_file);
    shell.env_remove("CHATBLOCK_CONFIG");
    shell.stderr(std::process::Stdio::null());
    let server = Serving::spawn(shell, files);
    let held: Vec<TcpStream> = (0..100).map(|_| serve::connect(server.address())).collect();
    let before = processor_time(server.id());
    std::thread::sleep(Duration::from_secs(1));
    let used = processor_time(server.id()) - before;
    assert!(used < 0.3, "{used} s of processor time in one second");
    drop(held);
    let answer = server.call("v4/sns/black_list_get", BODY);
    assert_eq!(answer["ErrorCode"], 0);
}

/// How many threads the process has.
fn threads(id: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("it is running");
    let mut lines = status.lines();
    let count = lines.find_map(|line| line.strip_prefix("Threads:"));
    count
        .expect("their number")
        .trim()
        .parse()
        .expect("a number")
}

#[test]
fn three_hundred_writes_at_once_do_not_take_a_thread_each() {
    let files = tempfile::tempdir().expect("a directory can be made");
    let path = files.path().join("lists.db");
    let config =
        serde_json::json!({"backend": "embedded", "path": path, "rate_per_second": 1_000_000});
    let server = Serving::start(&config.to_string(), &state(""));
    let target = target().replace("_get?", "_add?");
    let mut streams: Vec<_> = (0..300).map(|_| serve::connect(server.address())).collect();
    let mut most = 0;
    for round in 0..5 {
        for (number, stream) in streams.iter_mut().enumerate() {
            let body = format!(r#"{{"From_Account":"o{number}","To_Account":["t{round}"]}}"#);
            let head = format!(
                "POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream
                .write_all((head + &body).as_bytes())
                .expect("it is open");
        }
        for stream in &mut streams {
            most = most.max(threads(server.id()));
            let mut answer = String::new();
            while !answer.ends_with('}') {
                let mut part = [0; 4096];
                let length = stream.read(&mut part).expect("an answer");
                assert_ne!(length, 0, "{answer}");
                answer += &String::from_utf8_lossy(&part[..length]);
            }
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        }
    }
    report("server-threads", &format!("server threads: {most} at most"));
    assert!(most <= THREADS, "{most} threads");
}
