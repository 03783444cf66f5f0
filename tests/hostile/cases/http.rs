//! HTTP that is odd, old or broken around a good answer.

use crate::case::{ADD, Case, DONE, End, case, done, lost};
use testkit::answers::{http, http_with, item, items};
use testkit::fault_server::{Answer, Step};

fn good() -> String {
    items(&[item("a", 0, ""), item("b", 0, "")])
}

/// Bytes, and then an orderly end of the connection.
fn then_close(bytes: impl Into<Vec<u8>>) -> Answer {
    vec![Step::Send(bytes.into()), Step::Close]
}

fn raw(name: &str, bytes: impl Into<Vec<u8>>, end: End) -> Case {
    case(name, ADD, then_close(bytes), end)
}

fn all() -> End {
    done(&[DONE])
}

/// Everything but 200 is no answer, whatever the body says.
pub fn statuses() -> Vec<Case> {
    let statuses = [
        "201 Created",
        "202 Accepted",
        "203 Changed",
        "204 No Content",
        "206 Partial Content",
        "400 Bad Request",
        "401 Unauthorized",
        "403 Forbidden",
        "404 Not Found",
        "407 Proxy",
        "408 Timeout",
        "413 Too Large",
        "429 Too Many Requests",
        "431 Head",
        "451 Law",
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Late",
        "511 Log in",
        "599 Odd",
        "600 Odder",
        "999 Odd",
    ];
    let page = "<html><h1>502 Bad Gateway</h1><hr>nginx</html>";
    statuses
        .iter()
        .map(|status| {
            raw(
                &format!("a good body with {status}"),
                http_with(status, "", good()),
                lost("HTTP"),
            )
        })
        .chain(table! { raw;
            "a page of the gateway":
                http_with("502 Bad Gateway", "Content-Type: text/html\r\n", page)
                => lost("HTTP status 502");
            "a page with 200":
                http_with("200 OK", "Content-Type: text/html\r\n", page)
                => lost("not a JSON object");
        })
        .collect()
}

/// A redirect is never followed.
pub fn redirects() -> Vec<Case> {
    let statuses = [
        "300 Many",
        "301 Moved",
        "302 Found",
        "303 Other",
        "304 Same",
        "305 Proxy",
        "307 Temporary",
        "308 Moved",
    ];
    let places = [
        "https://example.invalid/",
        "/elsewhere",
        "//example.invalid",
        "http://[",
        "\u{e9}",
        "",
        "file:///etc/passwd",
    ];
    let at = |status: &str, place: &str| {
        let headers = format!("Location: {place}\r\n");
        let name = format!("{status} to {place:?}");
        raw(&name, http_with(status, &headers, ""), lost("redirected"))
    };
    statuses
        .iter()
        .map(|status| at(status, places[0]))
        .chain(places.iter().map(|place| at("307 Temporary", place)))
        .chain(table! { raw;
            "a redirect to nowhere": http_with("302 Found", "", good()) => lost("redirected");
        })
        .collect()
}

/// The content type is not trusted either way; a content coding was not asked for.
pub fn codings() -> Vec<Case> {
    let with = |header: &str| http_with("200 OK", &format!("{header}\r\n"), good());
    let refused = [
        "Content-Encoding: gzip",
        "Content-Encoding: GZIP",
        "Content-Encoding: deflate",
        "Content-Encoding: br",
        "Content-Encoding: zstd",
        "Content-Encoding: identity, gzip",
        "content-encoding: x-gzip",
        "Content-Encoding: identity\r\nContent-Encoding: gzip",
    ];
    let accepted = [
        "Content-Encoding: identity",
        "Content-Encoding: Identity",
        "Content-Type: text/html",
        "Content-Type: image/png; charset=utf-16",
        "Content-Type:",
        "Content-Type: application/json; charset=utf-8",
        "Set-Cookie: a=b",
        "Access-Control-Allow-Origin: *\r\nConnection: keep-alive",
    ];
    let gzip = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    refused
        .iter()
        .map(|header| raw(header, with(header), lost("compressed")))
        .chain(
            accepted
                .iter()
                .map(|header| raw(header, with(header), all())),
        )
        .chain(table! { raw;
            "gzip that says so":
                http_with("200 OK", "Content-Encoding: gzip\r\n", gzip) => lost("compressed");
            "gzip that does not": http(gzip) => lost("not UTF-8");
        })
        .collect()
}

/// Lengths that are wrong, twice, or absent.
pub fn lengths() -> Vec<Case> {
    let body = good();
    let length = body.len();
    let with = |headers: &str| format!("HTTP/1.1 200 OK\r\n{headers}\r\n{body}");
    let of = |value: &str| with(&format!("Content-Length: {value}\r\n"));
    let number = |number: usize| of(&number.to_string());
    let right = format!("Content-Length: {length}\r\n");
    table! { raw;
        "no length, closed": with("") => all();
        "no length, cut": &with("")[..with("").len() - 1] => lost("");
        "a length one too small": number(length - 1) => lost("not a JSON object");
        "a length of 0": number(0) => lost("not a JSON object");
        "a length one too large, closed": number(length + 1) => lost("closed in the middle");
        "a length with zeros": of(&format!("000{length}")) => all();
        "the same length twice": with(&right.repeat(2)) => all();
        "two lengths": with(&format!("{right}Content-Length: 2\r\n")) => lost("not HTTP");
        "a negative length": of("-1") => lost("not HTTP");
        "a length with a sign": of(&format!("+{length}")) => lost("not HTTP");
        "a length of letters": of("many") => lost("not HTTP");
        "a hexadecimal length": of("0x10") => lost("not HTTP");
        "an empty length": of("") => lost("not HTTP");
        "a length of 2^64": of("18446744073709551616") => lost("not HTTP");
    }
}

/// Chunks, right and wrong.
pub fn chunks() -> Vec<Case> {
    let body = good();
    let (one, two) = body.split_at(10);
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";
    let two_len = two.len();
    let chunks = format!("a\r\n{one}\r\n{two_len:x}\r\n{two}\r\n0\r\n\r\n");
    let with = |chunks: &str| format!("{head}\r\n{chunks}");
    let length = body.len();
    table! { raw;
        "chunks": with(&chunks) => all();
        "a chunk with an extension": with(&chunks.replacen("a\r\n", "a;x=y\r\n", 1)) => all();
        "chunks with a trailer": with(&chunks.replace("0\r\n\r\n", "0\r\nX: y\r\n\r\n")) => all();
        "chunks in capitals": with(&chunks.replacen("a\r\n", "A\r\n", 1)) => all();
        "chunks beside a length":
            format!("{head}Content-Length: {length}\r\n\r\n{chunks}") => all();
        "chunks beside a wrong length": format!("{head}Content-Length: 3\r\n\r\n{chunks}") => all();
        "no last chunk": with(&chunks.replace("0\r\n\r\n", "")) => lost("closed in the middle");
        "half a chunk": with(&chunks[..20]) => lost("closed in the middle");
        "a chunk of letters": with("zz\r\n") => lost("not HTTP");
        "a negative chunk": with("-1\r\n") => lost("not HTTP");
        "a chunk of 2^64": with("10000000000000000\r\nx") => lost("not HTTP");
        "a chunk of 2^64 - 1": with("ffffffffffffffff\r\nx") => lost("closed in the middle");
        "no line end after a chunk":
            with(&chunks.replacen(&format!("{one}\r\n"), one, 1)) => lost("not HTTP");
        "a body that is not chunked": with(&body) => lost("the request");
        "gzip as transfer coding":
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n{chunks}") => all();
    }
}

/// Heads that are not quite HTTP/1.1.
pub fn heads() -> Vec<Case> {
    let whole = String::from_utf8(http(good())).expect("it is text");
    let line = |line: &str| whole.replacen("HTTP/1.1 200 OK", line, 1);
    let header = |header: &str| whole.replacen("Server: nginx", header, 1);
    let many = |count: usize| header(&vec!["X: y"; count].join("\r\n"));
    table! { raw;
        "HTTP/1.0": line("HTTP/1.0 200 OK") => all();
        "no reason": line("HTTP/1.1 200") => all();
        "another reason": line("HTTP/1.1 200 FAIL") => all();
        "HTTP/0.9": good() => lost("not HTTP");
        "HTTP/2": line("HTTP/2 200 OK") => lost("not HTTP");
        "HTTP/3.14": line("HTTP/3.14 200 OK") => lost("not HTTP");
        "another protocol": "SSH-2.0-x\r\n\r\n" => lost("not HTTP");
        "a request for an answer": "POST / HTTP/1.1\r\nHost: x\r\n\r\n" => lost("not HTTP");
        "a status of two digits": line("HTTP/1.1 20 OK") => lost("not HTTP");
        "a status of four digits": line("HTTP/1.1 2000 OK") => lost("not HTTP");
        "a status of letters": line("HTTP/1.1 abc OK") => lost("not HTTP");
        "status 000": line("HTTP/1.1 000 OK") => lost("");
        "a header without a colon": header("Server nginx") => lost("not HTTP");
        "a header without a name": header(": nginx") => lost("not HTTP");
        "a folded header": header("Server: x\r\n  y") => lost("not HTTP");
        "NUL in a header": header("Server: \0") => lost("not HTTP");
        "100 headers": many(100) => all();
        "1,000 headers": many(1000) => lost("");
        "a header of 60 KiB": header(&format!("X: {}", "y".repeat(60 << 10))) => all();
        "a header of 70 KiB": header(&format!("X: {}", "y".repeat(70 << 10))) => lost("64 KiB");
        "a reason of 70 KiB":
            line(&format!("HTTP/1.1 200 {}", "y".repeat(70 << 10))) => lost("64 KiB");
        "random bytes": (0..=255).cycle().take(999).collect::<Vec<u8>>() => lost("not HTTP");
        "line feeds for an answer": "\r\n\r\n\r\n\r\n" => lost("");
    }
}

/// Interim answers before the one that counts.
pub fn interim() -> Vec<Case> {
    let whole = String::from_utf8(http(good())).expect("it is text");
    let after = |interim: &str| [interim, &whole].concat();
    let hundred = "HTTP/1.1 100 Continue\r\n\r\n";
    table! { raw;
        "100 before the answer": after(hundred) => all();
        "three times 100 before the answer": after(&hundred.repeat(3)) => all();
        "102 before the answer": after("HTTP/1.1 102 Wait\r\n\r\n") => all();
        "103 before the answer": after("HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n") => all();
        "101 and another protocol":
            after("HTTP/1.1 101 Switch\r\nUpgrade: x\r\n\r\n") => lost("HTTP status 101");
        "100 and no more": hundred => lost("closed in the middle");
    }
}
