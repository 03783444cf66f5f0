//! `ActionStatus`, `ErrorCode` and what stands beside them (docs/protocol.md 1.2, 1.3, 5, 6).

use crate::case::{ADD, Case, DONE, body, done, lost, refused};
use testkit::answers::{item, items, refusal};

/// Codes of a whole refusal, with their retry class.
pub fn codes() -> Vec<Case> {
    let fatal = [
        30001,
        30002,
        30003,
        30004,
        30013,
        31309,
        60002,
        60003,
        60009,
        60010,
        60026,
        70003,
        70009,
        70013,
        70014,
        70346,
        80001,
        99999,
        1,
        -5,
        2_147_483_647,
        -2_147_483_648,
    ];
    let retryable = [
        30006, 30007, 30008, 31303, 60004, 60007, 60008, 60018, 60019, 70001, 70050, 70052, 70500,
        72010,
    ];
    let fatal = fatal.into_iter().map(|code| (code, false));
    let retryable = retryable.into_iter().map(|code| (code, true));
    let refusals = fatal.chain(retryable).map(|(code, retryable)| {
        let name = format!("a refusal with code {code}");
        body(
            &name,
            ADD,
            refusal(i64::from(code)),
            refused(code, retryable),
        )
    });
    refusals.collect()
}

fn with_code(code: &str) -> String {
    let items = format!("{},{}", item("a", 0, ""), item("b", 0, ""));
    format!(r#"{{"ResultItem":[{items}],"ActionStatus":"OK","ErrorCode":{code},"ErrorInfo":""}}"#)
}

/// An `ErrorCode` that is not a small integer is never cut, rounded or taken for zero.
pub fn odd_codes() -> Vec<Case> {
    let bad = [
        "0.0",
        "0.5",
        "0e0",
        "1e400",
        "-0.0",
        "null",
        "true",
        "false",
        "[]",
        "{}",
        "[0]",
        "\"\"",
        "\" 0\"",
        "\"+0\"",
        "\"0x0\"",
        "\"00\"",
        "\"-0\"",
        "\"-00\"",
        "\"030003\"",
        "\"-\"",
        "\"0.0\"",
        "\"zero\"",
        "\"\\\"0\"",
        "2147483648",
        "4294967296",
        "-2147483649",
        "18446744073709551616",
        "\"4294967296\"",
    ];
    let mut cases: Vec<Case> = bad
        .iter()
        .map(|code| {
            body(
                &format!("ErrorCode {code}"),
                ADD,
                with_code(code),
                lost("ErrorCode"),
            )
        })
        .collect();
    cases.extend(table! { body(ADD);
        "ErrorCode \"0\" is read": with_code("\"0\"") => done(&[DONE]);
        "ErrorCode -0 is zero": with_code("-0") => done(&[DONE]);
        "ErrorCode \"30003\" is read": with_code("\"30003\"") => refused(30003, false);
        "no ErrorCode":
            r#"{"ResultItem":[],"ActionStatus":"OK"}"# => lost("ActionStatus and ErrorCode");
    });
    cases
}

/// Members of the envelope that are absent, odd or against each other.
pub fn contradictions() -> Vec<Case> {
    let both = [item("a", 0, ""), item("b", 0, "")];
    let status = |status: &str| items(&both).replace(r#""ActionStatus":"OK""#, status);
    let mut cases = table! { body(ADD);
        "FAIL with code 0": status(r#""ActionStatus":"FAIL""#) => lost("contradicts");
        "status ok in lower case": status(r#""ActionStatus":"ok""#) => lost("contradicts");
        "an empty status": status(r#""ActionStatus":"""#) => lost("contradicts");
        "status null": status(r#""ActionStatus":null"#) => lost("ActionStatus");
        "status true": status(r#""ActionStatus":true"#) => lost("ActionStatus");
        "no status": status(r#""Status":"OK""#) => lost("ActionStatus");
        "no status beside a code": r#"{"ErrorCode":30003,"ErrorInfo":""}"# => lost("ActionStatus");
        "OK with a code is a failure":
            r#"{"ActionStatus":"OK","ErrorCode":30004,"ErrorInfo":""}"# => refused(30004, false);
        "items beside a refusal do not count":
            items(&both).replace(r#""ErrorCode":0"#, r#""ErrorCode":30004"#)
            => refused(30004, false);
    };
    let texts = [
        (
            "no ErrorInfo",
            r#""ErrorInfo":"","ErrorDisplay":"""#,
            r#""x":0"#,
        ),
        ("ErrorInfo null", r#""ErrorInfo":"""#, r#""ErrorInfo":null"#),
        (
            "a RequestId",
            r#""ErrorInfo":"""#,
            r#""RequestId":"Id-1-O-Seq-2""#,
        ),
        (
            "unknown members",
            r#""ErrorInfo":"""#,
            r#""Extra":[{"x":1.5e300}],"More":null"#,
        ),
    ];
    cases
        .extend(texts.map(|(name, old, new)| {
            body(name, ADD, items(&both).replace(old, new), done(&[DONE]))
        }));
    cases
}
