//! First lines and headers.

use crate::raw::{BODY, NO_HTTP, OK, REFUSED, Row, code, head, row, sized, target};
use crate::serve;

fn line(first: &str) -> String {
    let length = BODY.len();
    let lines = format!("Host: localhost\r\nContent-Length: {length}\r\n");
    head(first, &lines) + BODY
}

pub fn methods() -> Vec<Row> {
    let target = target();
    let method = |method: &str| line(&format!("{method} {target} HTTP/1.1"));
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
    ]
}

pub fn paths() -> Vec<Row> {
    let target = target();
    let path = |path: &str| line(&format!("POST {path}?{} HTTP/1.1", serve::query("admin")));
    vec![
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
