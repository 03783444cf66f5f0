//! How answers look and connections go, for the clients that are in use.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use serde_json::{Value, json};

use crate::EMBEDDED;
use crate::raw::{self, BODY};
use crate::running::{Running, short, state};
use testkit::serve::{self, KEY, NOW, SDKAPPID};

/// One answer with a length, read off a connection that stays open.
fn read_answer(mut stream: &TcpStream) -> (String, String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("text");
    let length = head
        .split_once("Content-Length: ")
        .and_then(|(_, rest)| rest.lines().next()?.parse().ok());
    let mut body = vec![0; length.unwrap_or_else(|| panic!("{head}"))];
    stream.read_exact(&mut body).expect("the body");
    (head, String::from_utf8(body).expect("text"))
}

fn chunked(body: &str) -> String {
    let (first, second) = body.split_at(7);
    let (one, two) = (first.len(), second.len());
    format!(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\
         {one:x}\r\n{first}\r\n{two:X}\r\n{second}\r\n0\r\n\r\n",
        raw::target()
    )
}

#[test]
fn a_client_that_sends_chunks_keeps_its_connection() {
    let server = Running::start(EMBEDDED, &state(""), short());
    let mut stream = serve::connect(&server.address);
    let refused = chunked(BODY).replace("usersig=", "usersig=AAAA&x=");
    for _ in 0..5 {
        for (request, word) in [
            (chunked(BODY), "\"ErrorCode\":0"),
            (refused.clone(), "70003"),
        ] {
            stream.write_all(request.as_bytes()).expect("it is open");
            let (head, body) = read_answer(&stream);
            assert!(!head.contains("close"), "{head}");
            assert!(body.contains(word), "{body}");
        }
    }
    // A trailer is not in the plainest form: answered, and the last of its connection.
    let with_trailer = chunked(BODY).replace("0\r\n\r\n", "0\r\nX-A: b\r\n\r\n");
    stream
        .write_all(with_trailer.as_bytes())
        .expect("it is open");
    let (head, _) = read_answer(&stream);
    assert!(head.contains("Connection: close"), "{head}");
}

#[test]
fn a_client_that_has_closed_its_side_gets_its_answer() {
    let server = Running::start(EMBEDDED, &state(""), short());
    let request = String::from_utf8(serve::post(&raw::target(), BODY)).expect("text");
    for request in [
        request.clone(),
        request.replace("Connection: close\r\n", ""),
        chunked(BODY),
    ] {
        for _ in 0..20 {
            let mut stream = serve::connect(&server.address);
            stream.write_all(request.as_bytes()).expect("it is open");
            stream.shutdown(Shutdown::Write).expect("it is open");
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).expect("an answer");
            assert_eq!(raw::first_verdict(&answer), raw::OK);
        }
    }
}

#[test]
fn answers_carry_the_headers_of_the_sample() {
    let server = Running::start(EMBEDDED, &state(""), short());
    for request in [
        serve::post(&raw::target(), BODY),
        serve::post("/nowhere", "{}"),
        b"OPTIONS / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec(),
        raw::sized("Host: example.invalid\r\n").into_bytes(),
    ] {
        let answer = String::from_utf8(serve::talk(&server.address, &request)).expect("text");
        for line in [
            "\r\nAccess-Control-Allow-Origin: *\r\n",
            "\r\nAccess-Control-Allow-Headers: X-Requested-With\r\n",
            "\r\nAccess-Control-Allow-Methods: POST\r\n",
            "\r\nContent-Type: application/json; charset=utf-8\r\n",
            "\r\nContent-Length: ",
            "\r\nDate: ",
        ] {
            assert!(answer.contains(line), "{line}: {answer}");
        }
    }
}

fn said(server: &Running, target: &str, body: &str) -> Value {
    let (_, answer) = serve::exchange(&server.address, &serve::post(target, body));
    serde_json::from_str(&answer).expect("the answer is JSON")
}

#[test]
fn a_command_of_the_service_that_is_not_answered_is_told_what_is() {
    let server = Running::start(EMBEDDED, &state(""), short());
    for path in [
        "/v4/sns/friend_add",
        "/v4/openim/sendmsg",
        "/v4/im_open_login_svc/kick",
    ] {
        let answer = said(&server, &format!("{path}?{}", serve::query("admin")), "{}");
        assert_eq!(answer["ErrorCode"], 60009);
        let info = answer["ErrorInfo"].as_str().expect("a text");
        assert!(
            info.starts_with("not part of chatblock serve: it answers "),
            "{info}"
        );
        for command in [
            "v4/sns/black_list_add",
            "v4/sns/black_list_check",
            "v4/im_open_login_svc/account_import",
        ] {
            assert!(info.contains(command), "{info}");
        }
    }
}

#[test]
fn the_admin_of_a_configuration_counts_as_imported() {
    let config = json!({
        "backend": "embedded", "accounts": "imported", "sdkappid": SDKAPPID, "secret_key": KEY, "identifier": "admin",
    });
    let now = format!("{{\"now\":{NOW}}}");
    let server = Running::start(&config.to_string(), &now, short());
    assert_eq!(
        said(&server, &raw::target(), &BODY.replace("id", "admin"))["ErrorCode"],
        0
    );
    assert_eq!(said(&server, &raw::target(), BODY)["ErrorCode"], 30003);
}

/// Choice C48.
#[test]
fn only_a_member_of_the_command_must_not_stand_twice() {
    let server = Running::start(EMBEDDED, &state(""), short());
    let add = raw::target().replace("_get?", "_add?");
    let body = r#"{"From_Account":"a","To_Account":["b"],"#;
    for (more, code) in [
        (r#""x":1,"x":2}"#, 0),
        (r#""StartIndex":1,"StartIndex":2}"#, 0),
        (r#""CheckType":1,"CheckType":1}"#, 0),
        (r#""From_Account":"a"}"#, 60003),
        (r#""To_Account":["b"]}"#, 60003),
    ] {
        assert_eq!(
            said(&server, &add, &format!("{body}{more}"))["ErrorCode"],
            code,
            "{more}"
        );
    }
    // The same for a caller who is no admin, whose body is looked at first.
    let target = format!("{}?{}", raw::ADD, serve::query("bob"));
    let twice = format!(r#"{body}"From_Account":"a"}}"#);
    assert_eq!(said(&server, &target, &twice)["ErrorCode"], 60003);
    assert_eq!(
        said(&server, &target, r#"{"StartIndex":1,"StartIndex":1}"#)["ErrorCode"],
        30004
    );
}

#[test]
fn what_is_wrong_with_a_signature_is_told_to_its_caller() {
    let server = Running::start(EMBEDDED, &state(""), short());
    let good = serve::sign("admin", NOW);
    let standard = good
        .replace('-', "%2F")
        .replace('*', "%2B")
        .replace('_', "%3D");
    let url = good
        .trim_end_matches('_')
        .replace('-', "_")
        .replace('*', "-");
    let negative = testkit::usersig::sign(KEY, SDKAPPID, "admin", (NOW, -100));
    for (usersig, code, words) in [
        (standard, 70003, "the standard alphabet of base64"),
        (url, 70003, "the alphabet for URLs of base64"),
        (negative, 70003, "expired at 1699999900"),
        (
            serve::sign("admin", NOW - 90_000),
            70001,
            "expired at 1699996400",
        ),
    ] {
        let target = raw::target().replace(&good, &usersig);
        let answer = said(&server, &target, BODY);
        assert_eq!(answer["ErrorCode"], code, "{answer}");
        let info = answer["ErrorInfo"].as_str().expect("a text");
        assert!(info.contains(words), "{info}");
    }
}
