//! Raw requests and what a strict server says to them.

use crate::serve::{self, NOW, SDKAPPID};

/// What comes back first: HTTP status, and `ErrorCode` where the answer has one. Status 0 is a
/// connection that ends without an answer.
pub type Verdict = (u16, Option<i64>);

pub const OK: Verdict = (200, Some(0));
pub const REFUSED: Verdict = (400, Some(60002));
/// Refused by the HTTP library, before there is a request to answer.
pub const NO_HTTP: Verdict = (400, None);
/// Too large: said by us.
pub const TOO_LARGE: Verdict = (413, Some(60002));

const fn code(code: i64) -> Verdict {
    (200, Some(code))
}

pub struct Row {
    pub name: String,
    pub bytes: Vec<u8>,
    pub verdict: Verdict,
}

const GET: &str = "/v4/sns/black_list_get";
const ADD: &str = "/v4/sns/black_list_add";
const BODY: &str = r#"{"From_Account":"id","StartIndex":0,"MaxLimited":1,"LastSequence":0}"#;

fn target() -> String {
    format!("{GET}?{}", serve::query("admin"))
}

fn row(name: &str, bytes: impl Into<Vec<u8>>, verdict: Verdict) -> Row {
    Row {
        name: name.to_owned(),
        bytes: bytes.into(),
        verdict,
    }
}

/// A request with this first line and these header lines.
fn head(first: &str, lines: &str) -> String {
    format!("{first}\r\n{lines}Connection: close\r\n\r\n")
}

/// A good request but for its header lines; `tail` follows the head.
fn with_lines(lines: &str, tail: &str) -> String {
    head(&format!("POST {} HTTP/1.1", target()), lines) + tail
}

fn sized(lines: &str) -> String {
    with_lines(&format!("{lines}Content-Length: {}\r\n", BODY.len()), BODY)
}

pub fn first_lines() -> Vec<Row> {
    let target = target();
    let line = |first: &str| {
        let length = BODY.len();
        head(
            first,
            &format!("Host: localhost\r\nContent-Length: {length}\r\n"),
        ) + BODY
    };
    let method = |method: &str| line(&format!("{method} {target} HTTP/1.1"));
    let path = |path: &str| line(&format!("POST {path}?{} HTTP/1.1", serve::query("admin")));
    vec![
        row("good", method("POST"), OK),
        row("method in small letters", method("post"), code(60002)),
        row("GET", method("GET"), code(60002)),
        row("HEAD", method("HEAD"), (200, None)),
        row("OPTIONS", method("OPTIONS"), code(60002)),
        row("PUT", method("PUT"), code(60002)),
        row("TRACE", method("TRACE"), code(60002)),
        row("CONNECT", line("CONNECT localhost:80 HTTP/1.1"), REFUSED),
        row("method with a space", method("PO ST"), NO_HTTP),
        row(
            "method with a control character",
            method("PO\x01ST"),
            NO_HTTP,
        ),
        row("no method", line(&format!(" {target} HTTP/1.1")), NO_HTTP),
        row("no version", line(&format!("POST {target}")), NO_HTTP),
        row(
            "version 2.0",
            line(&format!("POST {target} HTTP/2.0")),
            NO_HTTP,
        ),
        row(
            "version 0.9",
            line(&format!("POST {target} HTTP/0.9")),
            NO_HTTP,
        ),
        row(
            "HTTP/2 preface",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            (0, None),
        ),
        row(
            "TLS hello",
            b"\x16\x03\x01\x02\x00\x01\x00".to_vec(),
            NO_HTTP,
        ),
        row(
            "two spaces",
            line(&format!("POST  {target} HTTP/1.1")),
            NO_HTTP,
        ),
        row(
            "tab for space",
            line(&format!("POST\t{target} HTTP/1.1")),
            NO_HTTP,
        ),
        row("NUL in the path", path("/v4/sns/black_list_get\0"), NO_HTTP),
        row(
            "slash at the end",
            path("/v4/sns/black_list_get/"),
            code(60009),
        ),
        row(
            "two slashes at the start",
            path("//v4/sns/black_list_get"),
            code(60009),
        ),
        row(
            "two slashes inside",
            path("/v4//sns/black_list_get"),
            code(60009),
        ),
        row(
            "dot segments",
            path("/v4/sns/../sns/black_list_get"),
            code(60009),
        ),
        row(
            "encoded dot segments",
            path("/v4/sns/%2e%2e/sns/black_list_get"),
            code(60009),
        ),
        row(
            "encoded letter",
            path("/v4/sns/black%5Flist_get"),
            code(60009),
        ),
        row(
            "encoded NUL",
            path("/v4/sns/black_list_get%00"),
            code(60009),
        ),
        row("capitals", path("/v4/sns/BLACK_LIST_GET"), code(60009)),
        row(
            "path parameter",
            path("/v4/sns/black_list_get;a=b"),
            code(60009),
        ),
        row("backslash", path("\\v4\\sns\\black_list_get"), NO_HTTP),
        row("fragment", path("/v4/sns/black_list_get#x"), code(60012)),
        row("root", path("/"), code(60009)),
        row(
            "other service",
            path("/v4/im_open_login_svc/kick"),
            code(60009),
        ),
        row(
            "blocklist command of the account service",
            path("/v4/im_open_login_svc/black_list_get"),
            code(60009),
        ),
        row(
            "whole URL",
            line(&format!("POST http://localhost{target} HTTP/1.1")),
            OK,
        ),
        row(
            "URL of another",
            line(&format!("POST http://example.invalid{target} HTTP/1.1")),
            REFUSED,
        ),
        row(
            "long line",
            path(&format!("/{}", "a".repeat(70_000))),
            (431, None),
        ),
    ]
}

pub fn headers() -> Vec<Row> {
    let many = (0..200).map(|number| format!("X-{number}: 1\r\n"));
    let many: String = many.collect();
    let host = |host: &str| sized(&format!("Host: {host}\r\n"));
    let local = |lines: &str| sized(&format!("Host: localhost\r\n{lines}"));
    vec![
        row("no host", sized(""), REFUSED),
        row(
            "no host in HTTP/1.0",
            sized("").replace("HTTP/1.1", "HTTP/1.0"),
            OK,
        ),
        row("two hosts", local("Host: localhost\r\n"), REFUSED),
        row("empty host", host(""), REFUSED),
        row("host of a web page", host("example.invalid"), REFUSED),
        row(
            "host that starts like ours",
            host("localhost.example.invalid"),
            REFUSED,
        ),
        row(
            "host that starts like our address",
            host("127.0.0.1.example.invalid"),
            REFUSED,
        ),
        row(
            "host with a user",
            host("localhost@example.invalid"),
            REFUSED,
        ),
        row("user localhost", host("example.invalid@localhost"), REFUSED),
        row("host 0.0.0.0", host("0.0.0.0"), REFUSED),
        row("host in decimal", host("2130706433"), REFUSED),
        row("host with a path", host("localhost/x"), REFUSED),
        row(
            "hosts in one line",
            host("localhost, example.invalid"),
            REFUSED,
        ),
        row("host in capitals", host("LOCALHOST:80"), OK),
        row("host by address", host("127.0.0.1:12345"), OK),
        row("host by IPv6 address", host("[::1]:12345"), OK),
        row("folded header", local("X-A: 1\r\n 2\r\n"), NO_HTTP),
        row("folded host", host("localhost\r\n x"), NO_HTTP),
        row("space before the colon", local("X-A : 1\r\n"), NO_HTTP),
        row("no colon", local("X-A\r\n"), NO_HTTP),
        row("no name", local(": 1\r\n"), NO_HTTP),
        row("NUL in a value", local("X-A: a\0b\r\n"), NO_HTTP),
        row("CR in a value", local("X-A: a\rb\r\n"), NO_HTTP),
        row("space at the start", format!(" {}", local("")), NO_HTTP),
        row(
            "blank lines at the start",
            format!("\r\n\r\n{}", local("")),
            OK,
        ),
        row("line feeds alone", local("").replace("\r\n", "\n"), OK),
        row("200 headers", local(&many), (431, None)),
        row(
            "long header",
            local(&format!("X-A: {}\r\n", "a".repeat(70_000))),
            (431, None),
        ),
    ]
}

pub fn lengths() -> Vec<Row> {
    let length = BODY.len();
    let local = |lines: &str, tail: &str| with_lines(&format!("Host: localhost\r\n{lines}"), tail);
    let sized = |value: &str| local(&format!("Content-Length: {value}\r\n"), BODY);
    let coded = |value: &str, tail: &str| local(&format!("Transfer-Encoding: {value}\r\n"), tail);
    let chunked = |tail: &str| coded("chunked", tail);
    let whole = format!("{length:x}\r\n{BODY}\r\n0\r\n\r\n");
    let one = format!("Content-Length: {length}\r\n");
    let coding = "Transfer-Encoding: chunked\r\n";
    let megabyte = "a".repeat(1 << 20);
    vec![
        row(
            "same length twice",
            local(&format!("{one}{one}"), BODY),
            REFUSED,
        ),
        row(
            "two lengths",
            local(&format!("{one}Content-Length: 1\r\n"), BODY),
            NO_HTTP,
        ),
        row(
            "two lengths in a line",
            sized(&format!("{length}, {length}")),
            NO_HTTP,
        ),
        row("negative length", sized("-1"), NO_HTTP),
        row("length with a plus", sized(&format!("+{length}")), NO_HTTP),
        row("length in hexadecimal", sized("0x10"), NO_HTTP),
        row(
            "length beyond 64 bits",
            sized("18446744073709551616"),
            NO_HTTP,
        ),
        row("empty length", sized(""), NO_HTTP),
        row("length with a space inside", sized("1 0"), NO_HTTP),
        row(
            "length then coding",
            local(&format!("{one}{coding}"), &whole),
            REFUSED,
        ),
        row(
            "coding then length",
            local(&format!("{coding}{one}"), &whole),
            REFUSED,
        ),
        row(
            "coding twice",
            local(&format!("{coding}{coding}"), &whole),
            REFUSED,
        ),
        row("two codings", coded("gzip, chunked", &whole), REFUSED),
        row(
            "chunked is not last",
            coded("chunked, gzip", &whole),
            NO_HTTP,
        ),
        row("coding identity", coded("identity", BODY), NO_HTTP),
        row(
            "coding with a control character",
            coded("\x0bchunked", &whole),
            NO_HTTP,
        ),
        row("unknown coding", coded("xchunked", &whole), NO_HTTP),
        row(
            "coding in HTTP/1.0",
            chunked(&whole).replace("HTTP/1.1", "HTTP/1.0"),
            NO_HTTP,
        ),
        row("chunks", chunked(&whole), OK),
        row("chunks, coding in capitals", coded("CHUNKED", &whole), OK),
        row(
            "chunk with an extension",
            chunked(&whole.replacen("\r\n", ";a=b\r\n", 1)),
            OK,
        ),
        row(
            "chunk with a trailer",
            chunked(&whole.replace("0\r\n\r\n", "0\r\nX-A: b\r\n\r\n")),
            OK,
        ),
        row(
            "chunk size no number",
            chunked("zz\r\nab\r\n0\r\n\r\n"),
            REFUSED,
        ),
        row(
            "chunk size negative",
            chunked("-1\r\nab\r\n0\r\n\r\n"),
            REFUSED,
        ),
        row(
            "chunk size with 0x",
            chunked("0x2\r\nab\r\n0\r\n\r\n"),
            REFUSED,
        ),
        row(
            "chunk size beyond 64 bits",
            chunked("10000000000000000\r\nab\r\n0\r\n\r\n"),
            REFUSED,
        ),
        row(
            "chunk longer than its size",
            chunked("1\r\nab\r\n0\r\n\r\n"),
            REFUSED,
        ),
        row(
            "chunks that do not end",
            chunked(&format!("{length:x}\r\n{BODY}\r\n")),
            REFUSED,
        ),
        row(
            "body too short",
            local(&format!("Content-Length: {}\r\n", length + 1), BODY),
            REFUSED,
        ),
        row("body above 1 MiB", sized("1048577"), TOO_LARGE),
        row(
            "chunks above 1 MiB",
            chunked(&format!("100000\r\n{megabyte}\r\n1\r\na\r\n0\r\n\r\n")),
            TOO_LARGE,
        ),
        row(
            "body below 1 MiB that is no JSON",
            local("Content-Length: 1048576\r\n", &megabyte),
            code(60003),
        ),
    ]
}

pub fn bodies() -> Vec<Row> {
    let post =
        |path: &str, body: &str| serve::post(&format!("{path}?{}", serve::query("admin")), body);
    let get = |body: &str| post(GET, body);
    let add = |body: &str| post(ADD, body);
    let to = |count: usize| {
        let names: Vec<String> = (0..count).map(|number| format!("\"u{number}\"")).collect();
        format!(
            r#"{{"From_Account":"big","To_Account":[{}]}}"#,
            names.join(",")
        )
    };
    let from = |from: &str| format!(r#"{{"From_Account":"{from}","To_Account":["a"]}}"#);
    let deep = format!(
        r#"{{"From_Account":"id","x":{}{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let utf8 = get(&BODY.replace('{', "{\"x\":\"\u{7f}\u{7f}\","));
    let not_utf8 = |byte: u8| if byte == 0x7f { 0xff } else { byte };
    let not_utf8: Vec<u8> = utf8.into_iter().map(not_utf8).collect();
    vec![
        row("no body", get(""), code(60003)),
        row("blank body", get("  "), code(60003)),
        row("array", get("[]"), code(60003)),
        row("cut", get(r#"{"From_Account":"id""#), code(60003)),
        row("two documents", get(&format!("{BODY}{BODY}")), code(60003)),
        row(
            "byte order mark",
            get(&format!("\u{feff}{BODY}")),
            code(60003),
        ),
        row("bytes that are not UTF-8", not_utf8, code(60003)),
        row(
            "control character in a string",
            get("{\"From_Account\":\"\u{1}\"}"),
            code(60003),
        ),
        row(
            "member twice",
            get(&BODY.replace('{', r#"{"From_Account":"b","#)),
            code(60003),
        ),
        row("100,000 levels", get(&deep), code(60003)),
        row("1001 targets", add(&to(1001)), code(30001)),
        row("100,000 targets", add(&to(100_000)), code(30001)),
        row("1000 targets", add(&to(1000)), OK),
        row(
            "no targets",
            add(r#"{"From_Account":"id","To_Account":[]}"#),
            code(30001),
        ),
        row(
            "owner of 33 bytes",
            add(&from(&"a".repeat(33))),
            code(30001),
        ),
        row("owner with a line feed", add(&from("a\\nb")), code(30001)),
        row("owner beyond ASCII", add(&from("\u{e9}")), code(30001)),
        row("owner empty", add(&from("")), code(30001)),
        row(
            "target null",
            add(r#"{"From_Account":"id","To_Account":["a",null]}"#),
            code(60015),
        ),
        row(
            "target of 33 bytes is an item",
            add(&from("id").replace("\"a\"", &format!("\"{}\"", "a".repeat(33)))),
            OK,
        ),
        row(
            "page size 1e3",
            get(&BODY.replace(":1,", ":1e0,")),
            code(30001),
        ),
    ]
}

pub fn queries() -> Vec<Row> {
    let post = |query: &str| serve::post(&format!("{GET}?{query}"), BODY);
    let good = serve::query("admin");
    let signed = |identifier: &str, encoded: &str| {
        let usersig = serve::sign(identifier, NOW);
        post(&format!(
            "sdkappid={SDKAPPID}&identifier={encoded}&usersig={usersig}&contenttype=json"
        ))
    };
    vec![
        row("no query", serve::post(GET, BODY), code(60012)),
        row(
            "app twice",
            post(&format!("sdkappid={SDKAPPID}&{good}")),
            code(60025),
        ),
        row(
            "identifier twice",
            post(&format!("{good}&identifier=admin")),
            code(60025),
        ),
        row(
            "usersig twice",
            post(&format!("{good}&usersig=a")),
            code(60025),
        ),
        row(
            "random twice",
            post(&format!("{good}&random=1")),
            code(60025),
        ),
        row(
            "identifier twice, once encoded",
            post(&format!("{good}&%69dentifier=admin")),
            code(60025),
        ),
        row("unknown twice", post(&format!("{good}&x=1&x=2")), OK),
        row(
            "other app",
            post(&good.replace(&SDKAPPID.to_string(), "1")),
            code(70020),
        ),
        row(
            "app beyond 64 bits",
            post(&good.replace(&SDKAPPID.to_string(), &"9".repeat(40))),
            code(70020),
        ),
        row(
            "identifier that is not admin",
            signed("bob", "bob"),
            code(30004),
        ),
        row(
            "identifier with a line feed",
            signed("admin\nTLS.sdkappid:1", "admin%0aTLS.sdkappid:1"),
            code(60025),
        ),
        row("identifier with a plus", signed("a b", "a+b"), code(70013)),
        row("identifier encoded", signed("admin", "%61dmin"), OK),
        row(
            "usersig of zeros",
            post(&good.replace("usersig=", "usersig=AAAA&x=")),
            code(70003),
        ),
        row(
            "usersig of 3 KiB",
            post(&good.replace("usersig=", &format!("usersig={}&x=", "A".repeat(3072)))),
            code(70003),
        ),
    ]
}

/// The first final answer in `bytes`.
pub fn first_verdict(bytes: &[u8]) -> Verdict {
    let text = String::from_utf8_lossy(bytes);
    let text = text
        .strip_prefix("HTTP/1.1 100 Continue\r\n\r\n")
        .unwrap_or(&text);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return (0, None);
    };
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let body = body.split("HTTP/1.1 ").next().unwrap_or_default();
    let answer: Option<serde_json::Value> = serde_json::from_str(body).ok();
    (
        status.unwrap_or(0),
        answer.and_then(|answer| answer["ErrorCode"].as_i64()),
    )
}
