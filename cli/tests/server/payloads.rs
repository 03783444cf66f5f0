//! Lengths, chunks, bodies and queries.

use crate::raw::{ADD, BODY, GET, NO_HTTP, OK, REFUSED, Row, TOO_LARGE, code, row, with_lines};
use testkit::serve::{self, NOW, SDKAPPID};

fn local(lines: &str, tail: &str) -> String {
    with_lines(&format!("Host: localhost\r\n{lines}"), tail)
}

pub fn lengths() -> Vec<Row> {
    let length = BODY.len();
    let sized = |value: &str| local(&format!("Content-Length: {value}\r\n"), BODY);
    let one = format!("Content-Length: {length}\r\n");
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
            "body too short",
            local(&format!("Content-Length: {}\r\n", length + 1), BODY),
            REFUSED,
        ),
        row("body above 1 MiB", sized("1048577"), TOO_LARGE),
        row(
            "body below 1 MiB that is no JSON",
            local("Content-Length: 1048576\r\n", &megabyte),
            code(60003),
        ),
    ]
}

pub fn chunks() -> Vec<Row> {
    let length = BODY.len();
    let coded = |value: &str, tail: &str| local(&format!("Transfer-Encoding: {value}\r\n"), tail);
    let chunked = |tail: &str| coded("chunked", tail);
    let whole = format!("{length:x}\r\n{BODY}\r\n0\r\n\r\n");
    let one = format!("Content-Length: {length}\r\n");
    let coding = "Transfer-Encoding: chunked\r\n";
    let megabyte = "a".repeat(1 << 20);
    vec![
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
            "chunks above 1 MiB",
            chunked(&format!("100000\r\n{megabyte}\r\n1\r\na\r\n0\r\n\r\n")),
            TOO_LARGE,
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
    let from = |owner: &str| format!(r#"{{"From_Account":"{owner}","To_Account":["a"]}}"#);
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
        row("random twice", post(&format!("{good}&random=1")), OK),
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
