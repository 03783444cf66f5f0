//! What one connection does to the next call, and where requests must never go.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use chatblock::Status;
use serde_json::json;

use crate::client::{client, open};
use testkit::Delays;
use testkit::answers::{http, http_with, item, items, sends};
use testkit::children::{again, is_child, succeed};
use testkit::fault_server::config;
use testkit::fault_server::{FaultServer, Step};

fn success() -> Vec<u8> {
    http(items(&[item("a", 0, "")]))
}

#[test]
fn a_redirect_reaches_no_other_server() {
    let other = FaultServer::plain(Vec::new());
    for status in [301, 302, 303, 307, 308] {
        let place = format!("Location: {}/v4/sns/black_list_add\r\n", other.base_url());
        let answer = http_with(&format!("{status} Go"), &place, "");
        let server = FaultServer::plain(vec![vec![Step::Send(answer)], sends("{}")]);
        let reply = client(&server, &json!({})).add("owner", &["a"]);
        assert_eq!(reply.status(), Status::Network, "{status}");
        assert!(
            reply.message().contains("redirected"),
            "{}",
            reply.message()
        );
        assert_eq!(server.received().len(), 1, "{status} to the same server");
    }
    assert_eq!(other.connections(), 0);
}

#[test]
fn calls_one_after_another_share_a_connection() {
    let server = FaultServer::plain(vec![vec![Step::Send(success())]; 20]);
    let client = client(&server, &json!({}));
    for _ in 0..20 {
        assert_eq!(client.add("owner", &["a"]).status(), Status::Ok);
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_connection_that_went_stale_costs_no_call() {
    let server = FaultServer::plain(Vec::new());
    let client = client(&server, &json!({"retry": {"attempts": 3, "base_ms": 1}}));
    for closing in [Step::Close, Step::Reset] {
        server.push(vec![
            Step::Send(success()),
            Step::Pause(Duration::from_millis(5)),
            closing,
        ]);
        server.push(vec![Step::Send(success())]);
        assert_eq!(client.add("owner", &["a"]).status(), Status::Ok);
        assert_eq!(client.add("owner", &["a"]).status(), Status::Ok);
    }
}

#[test]
fn bytes_after_an_answer_are_not_the_next_answer() {
    let forged = success();
    let honest = http(items(&[item("a", 30003, "")]));
    for pause in [0, 20] {
        let surplus = vec![
            Step::Send([success(), forged.clone()].concat()),
            Step::Pause(Duration::from_millis(pause)),
            Step::Send(forged.clone()),
        ];
        let server = FaultServer::plain(vec![surplus, vec![Step::Send(honest.clone())]]);
        let client = client(&server, &json!({"retry": {"attempts": 3, "base_ms": 1}}));
        assert_eq!(client.add("owner", &["a"]).status(), Status::Ok);
        std::thread::sleep(Duration::from_millis(2 * pause));
        let reply = client.add("owner", &["a"]);
        assert_eq!(reply.service_code(), 30003, "{reply:?}");
    }
}

#[test]
fn a_late_answer_is_not_the_answer_to_the_next_attempt() {
    let late = vec![
        Step::Pause(Duration::from_millis(400)),
        Step::Send(success()),
    ];
    let honest = sends(items(&[item("a", 30003, "")]));
    let server = FaultServer::plain(vec![late, honest]);
    let more = json!({"attempt_ms": 200, "retry": {"attempts": 2, "base_ms": 1}});
    let reply = client(&server, &more).add("owner", &["a"]);
    assert_eq!(reply.service_code(), 30003, "{reply:?}");
    assert_eq!(server.connections(), 2);
}

#[test]
fn a_dead_port_is_an_answer_at_once() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has free ports");
    let port = listener.local_addr().expect("it is bound").port();
    drop(listener);
    let server = FaultServer::plain(Vec::new());
    let more = json!({"base_url": format!("http://127.0.0.1:{port}")});
    let (delays, started) = (Delays::begin(), Instant::now());
    let reply = client(&server, &more).add("owner", &["a"]);
    let took = started.elapsed();
    assert_eq!(reply.status(), Status::Connect, "{reply:?}");
    assert!(
        reply.message().contains("nothing was sent"),
        "{}",
        reply.message()
    );
    assert!(took < Duration::from_secs(2) + delays.explain());
}

/// Counts connections and answers none.
fn trap() -> FaultServer {
    FaultServer::plain(Vec::new())
}

#[test]
fn proxies_in_the_environment_are_ignored() {
    if is_child() {
        let server = FaultServer::plain(vec![vec![Step::Send(success())]]);
        assert_eq!(
            client(&server, &json!({})).add("owner", &["a"]).status(),
            Status::Ok
        );
        let more = json!({"base_url": "https://localhost:9", "connect_ms": 500});
        let reply = client(&server, &more).add("owner", &["a"]);
        assert_eq!(reply.status(), Status::Connect, "{reply:?}");
        return;
    }
    let trap = trap();
    let mut child = again("connections::proxies_in_the_environment_are_ignored");
    for name in [
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "ftp_proxy",
        "socks_proxy",
    ] {
        child
            .env(name, trap.base_url())
            .env(name.to_uppercase(), trap.base_url());
    }
    child.env_remove("NO_PROXY").env_remove("no_proxy");
    succeed(&child.output().expect("the child starts"));
    assert_eq!(trap.connections(), 0);
}

#[test]
fn a_proxy_in_the_configuration_is_used() {
    let (trap, server) = (trap(), FaultServer::plain(Vec::new()));
    let more = json!({"proxy": trap.base_url()});
    assert!(
        !client(&server, &more)
            .add("owner", &["a"])
            .status()
            .is_done()
    );
    assert_eq!(trap.connections(), 1);
    assert_eq!(server.connections(), 0);
}

#[test]
fn threads_and_descriptors_do_not_grow_with_calls() {
    if !is_child() {
        let mut child = again("connections::threads_and_descriptors_do_not_grow_with_calls");
        succeed(&child.output().expect("the child starts"));
        return;
    }
    let server = FaultServer::plain(Vec::new());
    let config = config(
        &server,
        &json!({"base_url": format!("http://localhost:{}", server.port())}),
    );
    let count = |place: &str| std::fs::read_dir(place).expect("Linux has /proc").count();
    let idle = (count("/proc/self/task"), count("/proc/self/fd"));
    let client = open(&config);
    for _ in 0..20 {
        server.push(vec![Step::Send(success())]);
        assert_eq!(client.add("owner", &["a"]).status(), Status::Ok);
    }
    // One looks names up, one serves the connection, and few call: a thread that is not back yet from
    // the last call makes room for a second.
    assert!(count("/proc/self/task") <= idle.0 + 6);
    assert_eq!(client.close(None), Status::Ok);
    drop(server);
    let deadline = Instant::now() + Duration::from_secs(5);
    while count("/proc/self/task") >= idle.0 && Instant::now() < deadline {
        std::thread::yield_now();
    }
    // The server and its listener are gone too.
    assert!(
        count("/proc/self/task") < idle.0,
        "a thread was left behind"
    );
    assert!(
        count("/proc/self/fd") < idle.1,
        "a descriptor was left behind"
    );
}
