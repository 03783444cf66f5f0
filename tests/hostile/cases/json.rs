//! Documents and texts that are not what they should be (reliability.md 4.2).

use crate::answers::{accepted, item, items};
use crate::case::{ADD, Case, DONE, OPEN, body, done, lost, some};

fn good() -> String {
    items(&[item("a", 0, ""), item("b", 0, "")])
}

/// Bodies that are not one JSON object.
pub fn documents() -> Vec<Case> {
    let good = good();
    let deep = |open: &str, close: &str| [open.repeat(100_000), close.repeat(100_000)].concat();
    let not_json: Vec<(&str, Vec<u8>)> = vec![
        ("an empty body", Vec::new()),
        ("white space", b" \r\n\t ".to_vec()),
        ("null", b"null".to_vec()),
        ("an array", format!("[{good}]").into()),
        ("a string", b"\"OK\"".to_vec()),
        ("a number", b"0".to_vec()),
        (
            "an HTML page",
            b"<html><body>It works!</body></html>".to_vec(),
        ),
        ("a byte order mark", format!("\u{feff}{good}").into()),
        (
            "UTF-16",
            good.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ),
        (
            "a body without its last byte",
            good.as_bytes()[..good.len() - 1].to_vec(),
        ),
        ("half a body", good.as_bytes()[..good.len() / 2].to_vec()),
        ("two documents", good.repeat(2).into()),
        (
            "a refusal after the answer",
            format!("{good}{{\"ErrorCode\":1}}").into(),
        ),
        ("a byte too many", format!("{good}}}").into()),
        ("a trailing NUL", format!("{good}\0").into()),
        ("a leading NUL", format!("\0{good}").into()),
        ("single quotes", good.replace('"', "'").into()),
        ("a comment", format!("/**/{good}").into()),
        ("a comma too many", good.replace("}]", "},]").into()),
        (
            "unquoted names",
            good.replace("\"ErrorCode\"", "ErrorCode").into(),
        ),
        ("a padding prefix", format!(")]}}',\n{good}").into()),
        ("a JSONP call", format!("f({good})").into()),
        ("100,000 arrays", deep("[", "]").into()),
        (
            "100,000 objects",
            format!("{}0{}", "{\"a\":".repeat(100_000), "}".repeat(100_000)).into(),
        ),
        ("100,000 open arrays", "[".repeat(100_000).into()),
        (
            "100,000 arrays inside",
            accepted(&format!("\"x\":{}", deep("[", "]"))).into(),
        ),
        (
            "33 arrays inside",
            accepted(&format!("\"x\":{}{}", "[".repeat(33), "]".repeat(33))).into(),
        ),
    ];
    let mut cases: Vec<Case> = not_json
        .into_iter()
        .map(|(name, bytes)| body(name, ADD, bytes, lost("the answer ")))
        .collect();
    cases.extend([
        body(
            "white space around",
            ADD,
            format!("\r\n\t {good} \n"),
            done(&[DONE]),
        ),
        body(
            "brackets in a text",
            ADD,
            good.replace("\"\"},", &format!("\"{}\"}},", "[{".repeat(99))),
            done(&[DONE]),
        ),
    ]);
    cases
}

/// Strings, numbers and names that are repeated.
pub fn texts() -> Vec<Case> {
    let good = good();
    let twice = |member: &str| good.replace("\"ErrorInfo\":\"\"", member);
    let info = |bytes: &[u8]| {
        let (before, after) = good.split_once("\"ErrorInfo\":\"").expect("it has one");
        [
            before.as_bytes(),
            b"\"ErrorInfo\":\"",
            bytes,
            after.as_bytes(),
        ]
        .concat()
    };
    let bad: Vec<(&str, Vec<u8>)> = vec![
        (
            "ErrorCode twice, success first",
            twice("\"ErrorCode\":30003").into(),
        ),
        ("ErrorCode twice and equal", twice("\"ErrorCode\":0").into()),
        (
            "ErrorCode twice, once escaped",
            twice("\"Error\\u0043ode\":30003").into(),
        ),
        (
            "ActionStatus twice",
            twice("\"ActionStatus\":\"FAIL\"").into(),
        ),
        ("ResultItem twice", twice("\"ResultItem\":[]").into()),
        (
            "Fail_Account twice",
            twice("\"Fail_Account\":[],\"Fail_Account\":[\"a\"]").into(),
        ),
        (
            "ResultCode twice",
            good.replacen(
                "\"ResultCode\":0",
                "\"ResultCode\":0,\"ResultCode\":30003",
                1,
            )
            .into(),
        ),
        (
            "To_Account twice",
            good.replacen(
                "\"ResultCode\":0",
                "\"To_Account\":\"b\",\"ResultCode\":0",
                1,
            )
            .into(),
        ),
        ("a lone high surrogate", info(b"\\ud800")),
        ("a lone low surrogate", info(b"\\udc00")),
        ("a surrogate pair turned around", info(b"\\udc00\\ud800")),
        ("an unknown escape", info(b"\\x41")),
        ("half an escape", info(b"\\u00")),
        ("a raw line feed", info(b"\n")),
        ("a raw NUL", info(b"\0")),
        ("invalid UTF-8", info(b"\xff")),
        ("an overlong NUL", info(b"\xc0\x80")),
        ("a surrogate in UTF-8", info(b"\xed\xa0\x80")),
        ("beyond Unicode", info(b"\xf4\x90\x80\x80")),
        ("ErrorInfo a number", twice("\"ErrorInfo\":1").into()),
        ("NaN", twice("\"x\":NaN").into()),
        ("Infinity", twice("\"x\":-Infinity").into()),
        ("a number with a leading zero", twice("\"x\":007").into()),
        ("a hexadecimal number", twice("\"x\":0x10").into()),
    ];
    let mut cases: Vec<Case> = bad
        .into_iter()
        .map(|(name, bytes)| body(name, ADD, bytes, lost("the answer ")))
        .collect();
    cases.extend([
        body(
            "an escaped NUL in a text",
            ADD,
            info(b"x\\u0000y"),
            done(&[DONE]),
        ),
        body(
            "a surrogate pair",
            ADD,
            info(b"\\ud83d\\ude00"),
            done(&[DONE]),
        ),
        body(
            "escaped names and accounts",
            ADD,
            good.replace("\"a\"", "\"\\u0061\"")
                .replace("ErrorCode", "\\u0045rrorCode"),
            done(&[DONE]),
        ),
        body(
            "a lone surrogate in an unknown member",
            ADD,
            twice("\"x\":\"\\ud800\""),
            done(&[DONE]),
        ),
        body(
            "a huge number beside",
            ADD,
            twice(&format!("\"x\":{}", "9".repeat(10_000))),
            done(&[DONE]),
        ),
        body(
            "a huge exponent beside",
            ADD,
            twice("\"x\":1e999999999"),
            done(&[DONE]),
        ),
        body(
            "another form of a letter",
            ADD,
            items(&[item("\u{ff41}", 0, ""), item("b", 0, "")]),
            some(0, true, &[OPEN, DONE]),
        ),
    ]);
    cases
}
