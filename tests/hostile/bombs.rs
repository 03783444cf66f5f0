//! Memory: whatever an answer is, it is given back, and never takes more than its share.

use chatblock::{Client, Status};
use serde_json::json;

use crate::client::client;
use testkit::answers::{OK, http, sends};
use testkit::children::{again, is_child, succeed};
use testkit::fault_server::{Answer, FaultServer, Step};
use testkit::report;

const MOST_MIB: u64 = 64;
const BODY: usize = (4 << 20) - 200;

/// A number of kB from /proc/self/status.
fn kilobytes(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has /proc");
    let line = status
        .lines()
        .find(|line| line.starts_with(name))
        .expect("it has this line");
    let number = line.split_whitespace().nth(1).expect("a name and a number");
    number.parse().expect("a number")
}

/// Array, element with `@` for its number, other members: their content unfolds.
const UNFOLDING: [(&str, &str, &str); 7] = [
    ("ResultItem", r#"{"To_Account":""}"#, ""),
    ("ResultItem", r#"{"To_Account":"a","ResultCode":0}"#, ""),
    ("ResultItem", r#"{"To_Account":"@","ResultInfo":"x"}"#, ""),
    ("Fail_Account", r#""""#, r#""ResultItem":[],"#),
    ("Fail_Account", r#""@""#, r#""ResultItem":[],"#),
    ("Invalid_Account", r#""@""#, r#""ResultItem":[],"#),
    ("Extra", "0", r#""ResultItem":[],"#),
];

/// A body of nearly 4 MiB: as many elements as fit.
fn array((name, element, more): (&str, &str, &str)) -> Answer {
    let mut body = format!("{{{OK},{more}\"{name}\":[");
    let mut number = 0;
    while body.len() < BODY {
        body += &element.replace('@', &number.to_string());
        body.push(',');
        number += 1;
    }
    body.pop();
    sends(body + "]}")
}

fn call(client: &Client, server: &FaultServer, answer: Answer) {
    server.push(answer);
    let reply = client.add("owner", &["a"]);
    assert_eq!(reply.status(), Status::Network, "{}", reply.message());
}

fn drop_bombs() {
    let server = FaultServer::plain(Vec::new());
    let client = client(&server, &json!({}));
    for bomb in UNFOLDING {
        call(&client, &server, array(bomb));
    }
    server.push(array((
        "BlackListItem",
        r#"{"To_Account":"@"}"#,
        r#""StartIndex":0,"#,
    )));
    assert_eq!(client.get("owner", 0, 1000).status(), Status::Network);
    let megabyte = vec![b' '; 1 << 20];
    let endless = [
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n".to_vec(),
            megabyte.clone(),
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
            [b"100000\r\n".as_slice(), &megabyte, b"\r\n"].concat(),
        ),
        (b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'y'; 4096]),
        (b"HTTP/1.1 200 OK\r\n".to_vec(), b"X: y\r\n".repeat(1000)),
    ];
    for (head, unit) in endless {
        call(
            &client,
            &server,
            vec![Step::Send(head), Step::Repeat(unit, u64::MAX)],
        );
    }
    call(&client, &server, vec![Step::Send(http("[".repeat(BODY)))]);
    call(
        &client,
        &server,
        vec![Step::Send(http("{\"a\":".repeat(BODY / 5)))],
    );
}

#[test]
fn an_answer_that_unfolds_takes_no_more_than_64_mib() {
    if is_child() {
        let idle = {
            let server = FaultServer::plain(vec![sends("{}")]);
            let _ = client(&server, &json!({})).add("owner", &["a"]);
            kilobytes("VmHWM")
        };
        drop_bombs();
        println!("grown by {}", (kilobytes("VmHWM") - idle) / 1024);
        return;
    }
    let output = again("bombs::an_answer_that_unfolds_takes_no_more_than_64_mib").output();
    let output = succeed(&output.expect("the child starts"));
    let (_, rest) = output
        .split_once("grown by ")
        .expect("the child says how much");
    let grown: u64 = rest
        .lines()
        .next()
        .unwrap_or_default()
        .parse()
        .expect("a number");
    assert!(grown < MOST_MIB, "peak memory grew by {grown} MiB");
    report(
        "hostile",
        &format!("hostile answers: peak memory +{grown} MiB under bombs"),
    );
}
