//! TLS that is not to be trusted: nothing is sent, and nothing turns the checks off.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use chatblock::{Client, Reply, Status};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::client::client;
use testkit::answers::{item, items, sends};
use testkit::certificates::{Authority, Leaf};
use testkit::fault_server::{Answer, FaultServer};
use testkit::{Delays, has_tool};

fn file(content: &str) -> NamedTempFile {
    let file = NamedTempFile::new().expect("there is room for a small file");
    std::fs::write(file.path(), content).expect("it can be written");
    file
}

fn path(file: &NamedTempFile) -> &str {
    Path::to_str(file.path()).expect("a path of plain letters")
}

fn success() -> Answer {
    sends(items(&[item("a", 0, "")]))
}

/// Calls a server with this certificate, trusting what `tls` says.
fn call(leaf: &Leaf, tls: &Value) -> (Reply, FaultServer) {
    let server = FaultServer::tls(leaf.config.clone(), vec![success()]);
    let reply = client(&server, &json!({"tls": tls})).add("owner", &["a"]);
    (reply, server)
}

fn refused(reply: &Reply, says: &str) {
    assert_eq!(reply.status(), Status::Connect, "{reply:?}");
    assert!(reply.is_retryable());
    assert!(
        reply
            .items()
            .iter()
            .all(|item| item.status() == Status::Connect)
    );
    assert!(reply.message().contains(says), "{}", reply.message());
    assert!(
        reply.message().contains("nothing was sent"),
        "{}",
        reply.message()
    );
}

/// The same server is refused whatever the trust.
fn refused_for(leaf: &Leaf, authority: &Authority, says: &str) {
    let trusted = file(authority.pem());
    let (reply, server) = call(leaf, &json!({"ca_file": path(&trusted)}));
    refused(&reply, says);
    assert_eq!(server.received().len(), 0);
}

#[test]
fn a_certificate_of_our_own_authority_is_trusted() {
    let authority = Authority::new("ours");
    let trusted = file(authority.pem());
    let (reply, server) = call(
        &authority.leaf("localhost"),
        &json!({"ca_file": path(&trusted)}),
    );
    assert_eq!(reply.status(), Status::Ok, "{reply:?}");
    assert_eq!(server.received().len(), 1);
}

#[test]
fn calls_one_after_another_share_a_tls_connection() {
    let authority = Authority::new("ours");
    let trusted = file(authority.pem());
    let server = FaultServer::tls(authority.leaf("localhost").config, vec![success(); 20]);
    let client = client(&server, &json!({"tls": {"ca_file": path(&trusted)}}));
    for _ in 0..20 {
        assert_eq!(client.add("owner", &["a"]).status(), Status::Ok);
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused() {
    let stranger = Authority::new("stranger").leaf("localhost");
    let (reply, server) = call(&stranger, &json!({}));
    refused(&reply, "unknown authority");
    assert_eq!(server.received().len(), 0);
    refused_for(&stranger, &Authority::new("ours"), "unknown authority");
}

#[test]
fn an_authority_of_the_same_name_is_not_ours() {
    let twin = Authority::new("ours").leaf("localhost");
    refused_for(&twin, &Authority::new("ours"), "not acceptable");
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    let authority = Authority::new("ours");
    for name in [
        "example.invalid",
        "localhost.example.invalid",
        "127.0.0.1",
        "*.localhost",
    ] {
        refused_for(&authority.leaf(name), &authority, "another host");
    }
}

#[test]
fn a_certificate_out_of_its_time_is_refused() {
    let authority = Authority::new("ours");
    refused_for(
        &authority.leaf_of("localhost", (2000, 2001)),
        &authority,
        "has expired",
    );
    refused_for(
        &authority.leaf_of("localhost", (2400, 2500)),
        &authority,
        "not valid yet",
    );
}

#[test]
fn a_handshake_that_stalls_ends_with_the_time_to_connect() {
    let server = FaultServer::plain(Vec::new());
    let more =
        json!({"base_url": format!("https://localhost:{}", server.port()), "connect_ms": 500});
    // Without TLS, this server waits for the end of a head that never comes.
    let (delays, started) = (Delays::begin(), Instant::now());
    let reply = client(&server, &more).add("owner", &["a"]);
    let took = started.elapsed();
    assert_eq!(reply.status(), Status::Connect, "{reply:?}");
    assert!(took < Duration::from_secs(3) + delays.explain());
    assert_eq!(server.received().len(), 0);
}

#[test]
fn plain_http_on_the_tls_port_is_refused() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("loopback has ports");
    let port = listener.local_addr().expect("it is bound").port();
    let answering = std::thread::spawn(move || {
        let (mut tcp, _) = listener.accept().expect("the client comes");
        std::io::Write::write_all(&mut tcp, b"HTTP/1.1 400 Bad Request\r\n\r\n").expect("sent");
        let mut seen = Vec::new();
        let _ = tcp.read_to_end(&mut seen);
        seen
    });
    let server = FaultServer::plain(Vec::new());
    let more = json!({"base_url": format!("https://localhost:{port}")});
    refused(&client(&server, &more).add("owner", &["a"]), "TLS");
    let seen = answering.join().expect("it does not panic");
    assert!(!String::from_utf8_lossy(&seen).contains("usersig"));
}

/// OpenSSL as a server of one version of TLS, and the port it chose.
fn old_server(version: &str, leaf: &Leaf) -> (Child, BufReader<ChildStdout>, String) {
    let (certificate, key) = (file(&leaf.pem), file(&leaf.key_pem));
    let mut child = Command::new("openssl")
        .args(["s_server", "-accept", "127.0.0.1:0", version])
        .args(["-cipher", "ALL:@SECLEVEL=0", "-naccept", "1"])
        .args(["-cert", path(&certificate), "-key", path(&key)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl starts");
    let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut line = String::new();
    while !line.starts_with("ACCEPT") {
        line.clear();
        assert!(output.read_line(&mut line).expect("openssl says lines") > 0);
    }
    let port = line.trim().rsplit(':').next().expect("it names its port");
    (child, output, port.to_owned())
}

#[test]
fn old_tls_is_refused() {
    if !has_tool("hostile", "openssl") {
        return;
    }
    let authority = Authority::new("ours");
    let trusted = file(authority.pem());
    for version in ["-tls1", "-tls1_1"] {
        let (mut child, mut output, port) = old_server(version, &authority.leaf("localhost"));
        let server = FaultServer::plain(Vec::new());
        let more = json!({
            "base_url": format!("https://localhost:{port}"),
            "tls": {"ca_file": path(&trusted)},
        });
        refused(&client(&server, &more).add("owner", &["a"]), "version 1.2");
        child.kill().expect("it is our child");
        child.wait().expect("it ends");
        let mut seen = String::new();
        output.read_to_string(&mut seen).expect("openssl says text");
        assert!(!seen.contains("usersig"), "{seen}");
    }
}

#[test]
fn nothing_turns_verification_off() {
    for key in [
        "insecure",
        "verify",
        "skip_verify",
        "disable_verification",
        "ca_path",
    ] {
        let config = json!({
            "sdkappid": 1, "secret_key": "k", "base_url": "https://localhost:9", "tls": {key: true},
        });
        let error = Client::open(&config.to_string())
            .err()
            .expect("the key is unknown");
        assert_eq!(error.status(), Status::Config);
        assert!(error.message().contains("tls."), "{error}");
    }
}
