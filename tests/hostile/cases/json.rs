//! Documents and texts that are not what they should be.

use crate::case::{ADD, Case, DONE, End, OPEN, body, done, lost, some};
use testkit::answers::{accepted, item, items};

fn odd() -> End {
    lost("the answer ")
}

fn good() -> String {
    items(&[item("a", 0, ""), item("b", 0, "")])
}

/// Bodies that are not one JSON object.
pub fn documents() -> Vec<Case> {
    let good = good();
    let mut cases = table! { body(ADD);
        "an empty body": Vec::new() => odd();
        "white space": b" \r\n\t " => odd();
        "null": b"null" => odd();
        "an array": format!("[{good}]") => odd();
        "a string": b"\"OK\"" => odd();
        "a number": b"0" => odd();
        "an HTML page": b"<html><body>It works!</body></html>" => odd();
        "a byte order mark": format!("\u{feff}{good}") => odd();
        "UTF-16": good.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>() => odd();
        "a body without its last byte": &good[..good.len() - 1] => odd();
        "half a body": &good[..good.len() / 2] => odd();
        "two documents": good.repeat(2) => odd();
        "a refusal after the answer": format!("{good}{{\"ErrorCode\":1}}") => odd();
        "a byte too many": format!("{good}}}") => odd();
        "a trailing NUL": format!("{good}\0") => odd();
        "a leading NUL": format!("\0{good}") => odd();
        "single quotes": good.replace('"', "'") => odd();
        "a comment": format!("/**/{good}") => odd();
        "a comma too many": good.replace("}]", "},]") => odd();
        "unquoted names": good.replace("\"ErrorCode\"", "ErrorCode") => odd();
        "a padding prefix": format!(")]}}',\n{good}") => odd();
        "a JSONP call": format!("f({good})") => odd();
    };
    cases.extend(table! { body(ADD);
        "white space around": format!("\r\n\t {good} \n") => done(&[DONE]);
        "brackets in a text":
            good.replace("\"\"},", &format!("\"{}\"}},", "[{".repeat(99))) => done(&[DONE]);
    });
    cases
}

/// Documents that nest.
pub fn nesting() -> Vec<Case> {
    let deep = |open: &str, close: &str| [open.repeat(100_000), close.repeat(100_000)].concat();
    table! { body(ADD);
        "100,000 arrays": deep("[", "]") => odd();
        "100,000 objects":
            format!("{}0{}", "{\"a\":".repeat(100_000), "}".repeat(100_000)) => odd();
        "100,000 open arrays": "[".repeat(100_000) => odd();
        "100,000 arrays inside":
            accepted(&format!("\"x\":{}", deep("[", "]"))) => odd();
        "33 arrays inside":
            accepted(&format!("\"x\":{}{}", "[".repeat(33), "]".repeat(33))) => odd();
    }
}

/// Names that are repeated, and numbers.
pub fn members() -> Vec<Case> {
    let good = good();
    let twice = |member: &str| good.replace("\"ErrorInfo\":\"\"", member);
    let mut cases = table! { body(ADD);
        "ErrorCode twice, success first": twice("\"ErrorCode\":30003") => odd();
        "ErrorCode twice and equal": twice("\"ErrorCode\":0") => odd();
        "ErrorCode twice, once escaped": twice("\"Error\\u0043ode\":30003") => odd();
        "ActionStatus twice": twice("\"ActionStatus\":\"FAIL\"") => odd();
        "ResultItem twice": twice("\"ResultItem\":[]") => odd();
        "Fail_Account twice":
            twice("\"Fail_Account\":[],\"Fail_Account\":[\"a\"]") => odd();
        "ResultCode twice":
            good.replacen("\"ResultCode\":0", "\"ResultCode\":0,\"ResultCode\":30003", 1) => odd();
        "To_Account twice":
            good.replacen("\"ResultCode\":0", "\"To_Account\":\"b\",\"ResultCode\":0", 1) => odd();
        "ErrorInfo a number": twice("\"ErrorInfo\":1") => odd();
        "NaN": twice("\"x\":NaN") => odd();
        "Infinity": twice("\"x\":-Infinity") => odd();
        "a number with a leading zero": twice("\"x\":007") => odd();
        "a hexadecimal number": twice("\"x\":0x10") => odd();
    };
    cases.extend(table! { body(ADD);
        "escaped names and accounts":
            good.replace("\"a\"", "\"\\u0061\"").replace("ErrorCode", "\\u0045rrorCode")
            => done(&[DONE]);
        "a lone surrogate in an unknown member": twice("\"x\":\"\\ud800\"") => done(&[DONE]);
        "a huge number beside": twice(&format!("\"x\":{}", "9".repeat(10_000))) => done(&[DONE]);
        "a huge exponent beside": twice("\"x\":1e999999999") => done(&[DONE]);
        "another form of a letter":
            items(&[item("\u{ff41}", 0, ""), item("b", 0, "")]) => some(0, true, &[OPEN, DONE]);
    });
    cases
}

/// Strings that are no text.
pub fn strings() -> Vec<Case> {
    let good = good();
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
    let mut cases = table! { body(ADD);
        "a lone high surrogate": info(b"\\ud800") => odd();
        "a lone low surrogate": info(b"\\udc00") => odd();
        "a surrogate pair turned around": info(b"\\udc00\\ud800") => odd();
        "an unknown escape": info(b"\\x41") => odd();
        "half an escape": info(b"\\u00") => odd();
        "a raw line feed": info(b"\n") => odd();
        "a raw NUL": info(b"\0") => odd();
        "invalid UTF-8": info(b"\xff") => odd();
        "an overlong NUL": info(b"\xc0\x80") => odd();
        "a surrogate in UTF-8": info(b"\xed\xa0\x80") => odd();
        "beyond Unicode": info(b"\xf4\x90\x80\x80") => odd();
    };
    cases.extend(table! { body(ADD);
        "an escaped NUL in a text": info(b"x\\u0000y") => done(&[DONE]);
        "a surrogate pair": info(b"\\ud83d\\ude00") => done(&[DONE]);
    });
    cases
}
