//! Raw requests and what a strict server says to them.

use crate::serve;

/// What comes back first: HTTP status, and `ErrorCode` where the answer has one. Status 0 is a
/// connection that ends without an answer.
pub type Verdict = (u16, Option<i64>);

pub const OK: Verdict = (200, Some(0));
pub const REFUSED: Verdict = (400, Some(60002));
/// Refused by the HTTP library, before there is a request to answer.
pub const NO_HTTP: Verdict = (400, None);
/// Too large: said by us.
pub const TOO_LARGE: Verdict = (413, Some(60002));

pub const fn code(code: i64) -> Verdict {
    (200, Some(code))
}

pub struct Row {
    pub name: String,
    pub bytes: Vec<u8>,
    pub verdict: Verdict,
}

pub const GET: &str = "/v4/sns/black_list_get";
pub const ADD: &str = "/v4/sns/black_list_add";
pub const BODY: &str = r#"{"From_Account":"id","StartIndex":0,"MaxLimited":1,"LastSequence":0}"#;

pub fn target() -> String {
    format!("{GET}?{}", serve::query("admin"))
}

pub fn row(name: &str, bytes: impl Into<Vec<u8>>, verdict: Verdict) -> Row {
    Row {
        name: name.to_owned(),
        bytes: bytes.into(),
        verdict,
    }
}

/// A request with this first line and these header lines.
pub fn head(first: &str, lines: &str) -> String {
    format!("{first}\r\n{lines}Connection: close\r\n\r\n")
}

/// A good request but for its header lines; `tail` follows the head.
pub fn with_lines(lines: &str, tail: &str) -> String {
    head(&format!("POST {} HTTP/1.1", target()), lines) + tail
}

pub fn sized(lines: &str) -> String {
    with_lines(&format!("{lines}Content-Length: {}\r\n", BODY.len()), BODY)
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
