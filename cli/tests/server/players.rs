//! Players who mean harm: they have a genuine signature of their own, and any number of connections.

use std::io::{Read, Write};
use std::net::TcpStream;

use chatblock_cli::server::Limits;

use crate::EMBEDDED;
use crate::raw::{self, BODY};
use crate::running::{Running, short, state};
use testkit::serve;

#[test]
fn what_a_player_sends_does_not_take_the_rate_of_the_admin() {
    let config = r#"{"backend":"embedded","rate_per_second":3}"#;
    let server = Running::start(config, &state(""), short());
    let of_player = format!("{}?{}", raw::GET, serve::query("bob"));
    for _ in 0..20 {
        let (_, answer) = serve::exchange(&server.address, &serve::post(&of_player, BODY));
        assert!(answer.contains("30004"), "{answer}");
    }
    for _ in 0..3 {
        let (_, answer) = serve::exchange(&server.address, &serve::post(&raw::target(), BODY));
        assert!(answer.contains("\"ErrorCode\":0"), "{answer}");
    }
}

/// A connection on which one call was answered.
pub fn after_a_call(server: &Running, identifier: &str) -> TcpStream {
    let mut stream = serve::connect(&server.address);
    let target = format!("{}?{}", raw::GET, serve::query(identifier));
    let request = String::from_utf8(serve::post(&target, BODY)).expect("text");
    let request = request.replace("Connection: close\r\n", "");
    stream.write_all(request.as_bytes()).expect("it is open");
    let mut answer = [0; 4096];
    let length = stream.read(&mut answer).expect("an answer");
    assert!(length > 0, "it was turned away");
    stream
}

#[test]
fn connections_of_players_make_room_for_the_admin() {
    let limits = Limits {
        connections: 4,
        ..Limits::default()
    };
    let server = Running::start(EMBEDDED, &state(""), limits);
    let admin = after_a_call(&server, "admin");
    let players: Vec<_> = (0..3).map(|_| after_a_call(&server, "bob")).collect();
    let silent: Vec<_> = (0..10).map(|_| serve::connect(&server.address)).collect();
    for _ in 0..4 {
        drop(after_a_call(&server, "admin"));
    }
    for mut player in players {
        let ended = player.read(&mut [0]);
        assert!(matches!(ended, Ok(0) | Err(_)), "its place is taken");
    }
    let mut admin = admin;
    let request = serve::post(&raw::target(), BODY);
    admin.write_all(&request).expect("it keeps its place");
    let mut answer = Vec::new();
    admin.read_to_end(&mut answer).expect("an answer");
    assert_eq!(raw::first_verdict(&answer), raw::OK);
    drop(silent);
}

#[test]
fn unfinished_bodies_are_bounded_together() {
    let limits = Limits {
        body_bytes: 100_000,
        body: std::time::Duration::from_secs(5),
        ..Limits::default()
    };
    let server = Running::start(EMBEDDED, &state(""), limits);
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n",
        raw::target()
    );
    let part = vec![b' '; 60_000];
    let unfinished: Vec<_> = (0..2)
        .map(|_| {
            let mut stream = serve::connect(&server.address);
            stream.write_all(head.as_bytes()).expect("it is open");
            // One that is refused may be closed before it has sent all.
            let _ = stream.write_all(&part);
            stream
        })
        .collect();
    // One of the two does not fit, whichever comes first.
    let refused = std::thread::scope(|scope| {
        let (sender, refused) = std::sync::mpsc::channel();
        for mut stream in unfinished {
            let sender = sender.clone();
            scope.spawn(move || {
                let mut answer = [0; 4096];
                let length = stream.read(&mut answer).unwrap_or(0);
                // The other one ends when it is told so, by the server's limit for bodies.
                let _ = sender.send(raw::first_verdict(&answer[..length]).0);
            });
        }
        refused.recv().expect("an answer")
    });
    assert_eq!(refused, 503);
    let (status, _) = serve::exchange(&server.address, &serve::post(&raw::target(), BODY));
    assert_eq!(status, 200, "room is given back");
}
