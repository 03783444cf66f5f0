//! Answers of the service as bytes: well-formed ones, and the parts of others.

use std::fmt::Write as _;

use crate::fault_server::{Answer, Step};

/// One item of an answer to add or delete.
pub fn item(account: &str, code: i64, info: &str) -> String {
    format!(r#"{{"To_Account":"{account}","ResultCode":{code},"ResultInfo":"{info}"}}"#)
}

/// One item of an answer to check.
pub fn relation(account: &str, relation: &str, code: i64) -> String {
    let relation = format!(r#"","Relation":"BlackCheckResult_Type_{relation}","ResultCode"#);
    item(account, code, "").replace(r#"","ResultCode"#, &relation)
}

/// An accepted answer with these members before the envelope.
pub fn accepted(members: &str) -> String {
    format!("{{{members},{OK}}}")
}

/// The envelope of an accepted request.
pub const OK: &str = r#""ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"""#;

/// An accepted answer to add or delete with these items.
pub fn items(items: &[String]) -> String {
    accepted(&format!(r#""ResultItem":[{}]"#, items.join(",")))
}

/// An accepted answer to add or delete with these items, and the accounts that failed.
pub fn items_and_failed(of: &[String], failed: &[&str]) -> String {
    let failed = serde_json::json!(failed);
    accepted(&format!(
        r#""ResultItem":[{}],"Fail_Account":{failed}"#,
        of.join(",")
    ))
}

/// An accepted answer to check with these items.
pub fn relations(items: &[String]) -> String {
    accepted(&format!(r#""BlackListCheckItem":[{}]"#, items.join(",")))
}

/// A refusal.
pub fn refusal(code: i64) -> String {
    format!(r#"{{"ActionStatus":"FAIL","ErrorCode":{code},"ErrorInfo":"refused by script"}}"#)
}

/// `body` in an HTTP answer as the service sends it.
pub fn http(body: impl AsRef<[u8]>) -> Vec<u8> {
    http_with("200 OK", "Server: nginx\r\n", body)
}

/// `body` in an HTTP answer with a status, more headers, and the right length.
pub fn http_with(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut head = format!("HTTP/1.1 {status}\r\n{headers}");
    write!(head, "Content-Length: {}\r\n\r\n", body.len()).expect("a String takes everything");
    [head.as_bytes(), body].concat()
}

/// A script of one HTTP answer with `body`; the connection stays open.
pub fn sends(body: impl AsRef<[u8]>) -> Answer {
    vec![Step::Send(http(body))]
}
