//! The names by which a server on loopback is reached: those of the service, given in the hosts file.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use chatblock::config::Config;
use chatblock_cli::server::{Fixture, Gateway, Options, Server};
use testkit::certificates::Authority;
use testkit::runs::Files;
use testkit::serve::{self, Serving};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::EMBEDDED;
use crate::raw::{self, OK, REFUSED};
use crate::running::{Running, options, short, state};

/// Every name of the table in docs/protocol.md 2.
fn documented() -> Vec<String> {
    let page = std::fs::read_to_string(testkit::root().join("docs/protocol.md")).expect("the page");
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let words = rows.flat_map(|row| row.split('`')).filter(|word| {
        (word.ends_with(".qq.com") || word.ends_with("cloud.com")) && !word.contains([' ', '/'])
    });
    words.map(str::to_owned).collect()
}

fn verdict(server: &Running, host: &str) -> raw::Verdict {
    let request = raw::sized(&format!("Host: {host}\r\n"));
    raw::first_verdict(&serve::talk(&server.address, request.as_bytes()))
}

#[test]
fn the_names_of_the_service_are_answered_on_loopback() {
    let server = Running::start(EMBEDDED, &state(""), short());
    let names = documented();
    assert!(names.len() >= 18, "{names:?}");
    for name in names {
        for host in [
            name.clone(),
            format!("{name}:443"),
            name.to_uppercase(),
            format!("{name}."),
        ] {
            assert_eq!(verdict(&server, &host), OK, "{host}");
        }
        for host in [
            format!("x{name}"),
            format!("{name}.example.invalid"),
            format!("a.{name}"),
        ] {
            assert_eq!(verdict(&server, &host), REFUSED, "{host}");
        }
    }
}

#[test]
fn other_names_are_answered_when_they_are_allowed_and_the_refusal_says_how() {
    let mut allowed = options(short());
    allowed.allowed_hosts = vec![
        "Chat.example.invalid".to_owned(),
        "other.example.invalid".to_owned(),
    ];
    let server = Running::with(EMBEDDED, &state(""), &allowed);
    for host in [
        "chat.example.invalid",
        "chat.EXAMPLE.invalid:443",
        "other.example.invalid",
    ] {
        assert_eq!(verdict(&server, host), OK, "{host}");
    }
    assert_eq!(verdict(&server, "third.example.invalid"), REFUSED);
    let request = raw::sized("Host: third.example.invalid\r\n");
    let answer = serve::talk(&server.address, request.as_bytes());
    assert!(String::from_utf8_lossy(&answer).contains("--allow-host"));
    for name in ["", "a b", "a:1", "https://a", "a/b", "a@b"] {
        let said = bind(|wanted| wanted.allowed_hosts = vec![name.to_owned()]);
        assert!(
            said.is_err_and(|said| said.message().contains("--allow-host")),
            "{name:?}"
        );
    }
    // Where every name is answered, the option would do nothing.
    let said = bind(|wanted| {
        wanted.listen = "0.0.0.0:0".parse().expect("an address");
        wanted.allow_plain_http = true;
        wanted.allowed_hosts = vec!["a.example.invalid".to_owned()];
    });
    assert!(said.is_err_and(|said| said.message().contains("loopback")));
}

/// What is said when a server is bound with other options than usual.
fn bind(change: impl Fn(&mut Options)) -> Result<Server, chatblock::Error> {
    let mut wanted = options(short());
    change(&mut wanted);
    let config = Config::parse(EMBEDDED).expect("it is sound");
    let state = Fixture::parse(&state("")).expect("it is sound");
    Server::bind(Gateway::open(&config, &state).expect("it opens"), &wanted)
}

#[test]
fn plain_http_on_an_address_of_the_network_is_asked_for() {
    let everywhere = "0.0.0.0:0".parse().expect("an address");
    let said = bind(|wanted| wanted.listen = everywhere)
        .err()
        .expect("it was not asked for");
    for word in ["0.0.0.0", "--allow-plain-http", "--tls-cert"] {
        assert!(said.message().contains(word), "{said}");
    }
    let files = Files::new();
    let mut command = serve::program();
    command.args(["serve", "--listen", "0.0.0.0:0", "--allow-plain-http"]);
    command.arg("--config").arg(files.app());
    let server = Serving::spawn(command, tempfile::tempdir().expect("a directory"));
    assert!(server.url.starts_with("http://0.0.0.0:"), "{}", server.url);
}

/// The recipe of docs/porting.md: a certificate of an authority of one's own for a name of the service.
#[test]
fn a_client_that_knows_only_the_service_is_answered_over_tls() {
    let name = "adminapisgp.im.qcloud.com";
    let files = Files::new();
    let authority = Authority::new("test");
    let leaf = authority.leaf(name);
    let certificate = files.write("cert.pem", &leaf.pem);
    let key = files.write_secret("key.pem", &leaf.key_pem);
    let state = files.write_secret("state.json", &state(""));
    let mut command = serve::program();
    command
        .args(["serve", "--listen", "localhost:0", "--state"])
        .arg(state);
    command
        .arg("--tls-cert")
        .arg(certificate)
        .arg("--tls-key")
        .arg(key);
    let server = Serving::spawn(command, tempfile::tempdir().expect("a directory"));
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(authority.pem().as_bytes()).expect("a certificate");
    roots.add(root).expect("a certificate");
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring knows them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server_name = ServerName::try_from(name).expect("a name");
    let session = ClientConnection::new(Arc::new(config), server_name).expect("a session");
    let stream = TcpStream::connect(server.address()).expect("it accepts");
    let mut tls = StreamOwned::new(session, stream);
    tls.write_all(raw::sized(&format!("Host: {name}\r\n")).as_bytes())
        .expect("it is open");
    let mut answer = Vec::new();
    tls.read_to_end(&mut answer).expect("an answer");
    assert_eq!(raw::first_verdict(&answer), OK);
}
