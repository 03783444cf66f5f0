//! The server as a hostile or unlucky client sees it (docs/protocol.md 10).

mod calls;
mod ending;
mod gateway;
mod heads;
mod keys;
mod limits;
mod log;
mod manners;
mod names;
mod payloads;
mod players;
mod raw;
mod running;
mod webhooks;

use running::{Running, short, state};
use testkit::report;
use testkit::serve::{self, KEY};

const EMBEDDED: &str = r#"{"backend":"embedded","rate_per_second":1000000}"#;

fn check_table(title: &str, rows: Vec<raw::Row>) {
    let server = Running::start(EMBEDDED, &state(""), short());
    let mut wrong = Vec::new();
    let count = rows.len();
    for row in rows {
        let answer = serve::talk(&server.address, &row.bytes);
        let found = raw::first_verdict(&answer);
        if found != row.verdict {
            wrong.push(format!("{}: {found:?}, not {:?}", row.name, row.verdict));
        }
    }
    report(
        "server",
        &format!("server raw {title} {}/{count}", count - wrong.len()),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn odd_first_lines_get_their_code_or_400() {
    check_table("first lines", heads::methods());
}

#[test]
fn only_the_exact_path_is_a_command() {
    check_table("paths", heads::paths());
}

#[test]
fn odd_headers_and_hosts_are_refused() {
    check_table("headers", heads::headers());
}

#[test]
fn ambiguous_lengths_are_refused() {
    check_table("lengths", payloads::lengths());
}

#[test]
fn ambiguous_codings_and_odd_chunks_are_refused() {
    check_table("chunks", payloads::chunks());
}

#[test]
fn odd_bodies_get_the_code_of_their_row() {
    check_table("bodies", payloads::bodies());
}

#[test]
fn odd_queries_get_the_code_of_their_row() {
    check_table("queries", payloads::queries());
}
