//! Items of add and delete, and the arrays of failures (docs/protocol.md 1.3, 4.5, 5.2, 9; C7, C42).

use std::slice::from_ref;

use crate::case::{ADD, Ask, Case, DONE, End, NOT, OPEN, SAME, body, done, lost, refused, some};
use testkit::answers::{accepted, item, items, items_and_failed};

const ONE: &[&str] = &["a"];
const ALREADY: &str = "Err_SNS_BlackListAdd_Already_Exist";
const NOT_BLOCKED: &str = "Err_SNS_BlackListDelete_Not_Exist";

fn answered(name: &str, of: &[String], end: End) -> Case {
    body(name, ADD, items(of), end)
}

/// Which item belongs to which target.
pub fn matching() -> Vec<Case> {
    let (a, b) = (item("a", 0, ""), item("b", 0, ""));
    let b_fails = item("b", 30003, "");
    table! { answered;
        "items in order": &[a.clone(), b.clone()] => done(&[DONE]);
        "items shuffled": &[b.clone(), a.clone()] => done(&[DONE]);
        "a failure first": &[b_fails.clone(), a.clone()] => some(30003, false, &[DONE, NOT]);
        "an item is missing": from_ref(&a) => some(0, true, &[DONE, OPEN]);
        "the other item is missing": from_ref(&b) => some(0, true, &[OPEN, DONE]);
        "no items": &[] => lost("does not say");
        "items of strangers": &[item("x", 0, ""), item("y", 0, "")] => lost("does not say");
        "an item too many": &[a.clone(), item("x", 0, ""), b.clone()] => done(&[DONE]);
        "a stranger fails": &[a.clone(), b.clone(), item("x", 30003, "")] => done(&[DONE]);
        "an item twice": &[a.clone(), a.clone(), b.clone()] => done(&[DONE]);
        "an item for another": &[a.clone(), a.clone()] => some(0, true, &[DONE, OPEN]);
        "an item twice, success first":
            &[b.clone(), b_fails.clone(), a.clone()] => some(0, true, &[DONE, OPEN]);
        "an item twice, failure first":
            &[b_fails.clone(), b.clone(), a.clone()] => some(0, true, &[DONE, OPEN]);
        "a name in capitals": &[item("A", 0, ""), b.clone()] => some(0, true, &[OPEN, DONE]);
        "a name with a space": &[item("a ", 0, ""), b.clone()] => some(0, true, &[OPEN, DONE]);
        "a name with NUL": &[item("a\\u0000", 0, ""), b] => some(0, true, &[OPEN, DONE]);
    }
}

/// What a `ResultCode` means for the target.
pub fn codes() -> Vec<Case> {
    let one = |(ask, code, info): (Ask, i64, &str), end: End| {
        let name = format!("an item with {code} {info}");
        body(&name, ask, items(&[item("a", code, info)]), end)
    };
    let not = |code: i32, retryable: bool| {
        one(
            (Ask::Add(ONE), i64::from(code), ""),
            refused(code, retryable),
        )
    };
    let add = |code, info, end| one((Ask::Add(ONE), code, info), end);
    let delete = |code, info, end| one((Ask::Delete(ONE), code, info), end);
    let same = || done(&[SAME]);
    let wrong = || refused(30001, false);
    vec![
        add(30001, ALREADY, same()),
        add(31307, "", same()),
        add(30001, "Already_Exist_Not", wrong()),
        add(30001, NOT_BLOCKED, wrong()),
        delete(30001, NOT_BLOCKED, same()),
        delete(31503, "", same()),
        delete(30001, "Err_SNS_To_Account_Not_Exist", wrong()),
        delete(30001, ALREADY, wrong()),
        delete(31307, "", refused(31307, false)),
        not(30001, false),
        not(30002, false),
        not(30006, true),
        not(30007, true),
        not(30008, true),
        not(30013, false),
        not(31301, false),
        not(31303, true),
        not(31309, false),
        not(31503, false),
        not(12345, false),
    ]
}

/// `Fail_Account` and `Invalid_Account` against the items: the worse of the two.
pub fn failure_arrays() -> Vec<Case> {
    let (a, b) = (item("a", 0, ""), item("b", 0, ""));
    let already = item("b", 30001, ALREADY);
    let b_fails = item("b", 30002, "");
    let with = |of: &[String], failed: &[&str]| items_and_failed(of, failed);
    let invalid = |of: &[String], invalid: &[&str]| {
        with(of, invalid).replace("Fail_Account", "Invalid_Account")
    };
    let one_open = || some(0, true, &[DONE, OPEN]);
    let one_not = || some(0, false, &[DONE, NOT]);
    table! { body(ADD);
        "nobody failed": with(&[a.clone(), b.clone()], &[]) => done(&[DONE]);
        "as published":
            with(&[a.clone(), b_fails.clone()], &["b"]) => some(30002, false, &[DONE, NOT]);
        "already blocked": with(&[a.clone(), already.clone()], &["b"]) => done(&[DONE, SAME]);
        "a failure not in the array":
            with(&[a.clone(), b_fails], &[]) => some(30002, false, &[DONE, NOT]);
        "a success in the array": with(&[a.clone(), b.clone()], &["b"]) => one_open();
        "only in the array": with(from_ref(&a), &["b"]) => one_not();
        "a stranger in the array": with(&[a.clone(), b.clone()], &["x"]) => done(&[DONE]);
        "a success is invalid": invalid(&[a.clone(), b.clone()], &["b"]) => one_open();
        "only invalid": invalid(from_ref(&a), &["b"]) => one_not();
        "already blocked and invalid": invalid(&[a.clone(), already], &["b"]) => one_open();
        "array null": with(&[a.clone(), b.clone()], &[]).replace("[],", "null,") => done(&[DONE]);
        "array a string":
            with(&[a.clone(), b.clone()], &[]).replace("[],", "\"\",") => lost("wrong type");
        "array of numbers": with(&[a, b], &[]).replace("[],", "[1],") => lost("wrong type");
    }
}

/// Arrays of the wrong shape.
pub fn arrays() -> Vec<Case> {
    let odd = [
        "null",
        "{}",
        "\"\"",
        "0",
        "[1]",
        "[null]",
        "[[]]",
        "[\"a\"]",
        "[[\"a\",0],[\"b\",0]]",
    ];
    let array = |array: &&str| {
        let answer = accepted(&format!(r#""ResultItem":{array}"#));
        body(&format!("ResultItem {array}"), ADD, answer, lost(""))
    };
    odd.iter().map(array).collect()
}

/// The second item with this `ResultCode`, as JSON.
fn code(code: &str) -> String {
    let odd = item("b", 7, "").replace(":7", &format!(":{code}"));
    items(&[item("a", 0, ""), odd])
}

/// Members of an item of the wrong shape.
pub fn shapes() -> Vec<Case> {
    let one_open = || some(0, true, &[DONE, OPEN]);
    let odd = [
        "null",
        "0.0",
        "false",
        "\"\"",
        "[0]",
        "4294967296",
        "-4294967296",
        "\"+0\"",
    ];
    let with = |odd: &&str| body(&format!("ResultCode {odd}"), ADD, code(odd), one_open());
    let mut cases: Vec<Case> = odd.iter().map(with).collect();
    let account =
        |account: &str| items(&[item("a", 0, ""), item("b", 0, "").replace("\"b\"", account)]);
    let absent = item("b", 0, "").replace(r#""ResultCode":0,"#, "");
    let renamed = item("b", 0, "").replace("To_Account", "to_account");
    cases.extend(table! { body(ADD);
        "no ResultItem": accepted("\"x\":1") => lost("lacks ResultItem");
        "another command's array":
            accepted(r#""BlackListCheckItem":[]"#) => lost("lacks ResultItem");
        "ResultCode \"0\" is read": code("\"0\"") => done(&[DONE]);
        "no ResultCode": items(&[item("a", 0, ""), absent]) => one_open();
        "To_Account a number": account("1") => lost("wrong type");
        "To_Account null": account("null") => lost("wrong type");
        "no To_Account": items(&[item("a", 0, ""), renamed]) => lost("wrong type");
        "ResultInfo a number": code("0").replace("\"\"},", "1},") => lost("wrong type");
        "ResultInfo null": code("0").replace("\"\"},", "null},") => done(&[DONE]);
    });
    cases
}
