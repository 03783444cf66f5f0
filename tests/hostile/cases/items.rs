//! Items of add and delete, and the arrays of failures (protocol.md 1.3, 4.5, 5.2, 9; C7, C42).

use chatblock::Status;

use crate::answers::{accepted, item, items, items_and_failed};
use crate::case::{ADD, Ask, Case, DONE, End, NOT, OPEN, SAME, body, done, lost, refused, some};

/// Which item belongs to which target.
pub fn matching() -> Vec<Case> {
    let (a, b) = (item("a", 0, ""), item("b", 0, ""));
    let b_fails = item("b", 30003, "");
    let table: Vec<(&str, Vec<String>, End)> = vec![
        ("items in order", vec![a.clone(), b.clone()], done(&[DONE])),
        ("items shuffled", vec![b.clone(), a.clone()], done(&[DONE])),
        (
            "a failure first",
            vec![b_fails.clone(), a.clone()],
            some(30003, false, &[DONE, NOT]),
        ),
        (
            "an item is missing",
            vec![a.clone()],
            some(0, true, &[DONE, OPEN]),
        ),
        (
            "the other item is missing",
            vec![b.clone()],
            some(0, true, &[OPEN, DONE]),
        ),
        ("no items", vec![], lost("does not say")),
        (
            "items of strangers",
            vec![item("x", 0, ""), item("y", 0, "")],
            lost("does not say"),
        ),
        (
            "an item too many",
            vec![a.clone(), item("x", 0, ""), b.clone()],
            done(&[DONE]),
        ),
        (
            "a stranger fails",
            vec![a.clone(), b.clone(), item("x", 30003, "")],
            done(&[DONE]),
        ),
        (
            "an item twice",
            vec![a.clone(), a.clone(), b.clone()],
            done(&[DONE]),
        ),
        (
            "an item for another",
            vec![a.clone(), a.clone()],
            some(0, true, &[DONE, OPEN]),
        ),
        (
            "an item twice, success first",
            vec![b.clone(), b_fails.clone(), a.clone()],
            some(0, true, &[DONE, OPEN]),
        ),
        (
            "an item twice, failure first",
            vec![b_fails.clone(), b.clone(), a.clone()],
            some(0, true, &[DONE, OPEN]),
        ),
        (
            "a name in capitals",
            vec![item("A", 0, ""), b.clone()],
            some(0, true, &[OPEN, DONE]),
        ),
        (
            "a name with a space",
            vec![item("a ", 0, ""), b.clone()],
            some(0, true, &[OPEN, DONE]),
        ),
        (
            "a name with NUL",
            vec![item("a\\u0000", 0, ""), b],
            some(0, true, &[OPEN, DONE]),
        ),
    ];
    table
        .into_iter()
        .map(|(name, of, end)| body(name, ADD, items(&of), end))
        .collect()
}

/// What a `ResultCode` means for the target.
pub fn codes() -> Vec<Case> {
    const ONE: &[&str] = &["a"];
    let (add, delete) = (Ask::Add(ONE), Ask::Delete(ONE));
    let same = || done(&[SAME]);
    let table: [(Ask, i64, &str, End); 20] = [
        (add, 30001, "Err_SNS_BlackListAdd_Already_Exist", same()),
        (add, 30001, "", refused(30001, false)),
        (add, 30001, "Already_Exist_Not", refused(30001, false)),
        (
            add,
            30001,
            "Err_SNS_BlackListDelete_Not_Exist",
            refused(30001, false),
        ),
        (
            add,
            30002,
            "Err_SNS_BlackListAdd_SdkAppId_Illegal",
            refused(30002, false),
        ),
        (add, 30006, "", refused(30006, true)),
        (add, 30007, "", refused(30007, true)),
        (add, 30008, "", refused(30008, true)),
        (add, 30013, "", refused(30013, false)),
        (add, 31301, "", refused(31301, false)),
        (add, 31303, "", refused(31303, true)),
        (add, 31307, "", same()),
        (add, 31309, "", refused(31309, false)),
        (add, 31503, "", refused(31503, false)),
        (add, 12345, "", refused(12345, false)),
        (delete, 30001, "Err_SNS_BlackListDelete_Not_Exist", same()),
        (
            delete,
            30001,
            "Err_SNS_To_Account_Not_Exist",
            refused(30001, false),
        ),
        (
            delete,
            30001,
            "Err_SNS_BlackListAdd_Already_Exist",
            refused(30001, false),
        ),
        (delete, 31503, "", same()),
        (delete, 31307, "", refused(31307, false)),
    ];
    table
        .into_iter()
        .map(|(ask, code, info, end)| {
            body(
                &format!("an item with {code} {info}"),
                ask,
                items(&[item("a", code, info)]),
                end,
            )
        })
        .collect()
}

/// `Fail_Account` and `Invalid_Account` against the items: the worse of the two.
pub fn failure_arrays() -> Vec<Case> {
    let (a, b) = (item("a", 0, ""), item("b", 0, ""));
    let already = item("b", 30001, "Err_SNS_BlackListAdd_Already_Exist");
    let b_fails = item("b", 30002, "");
    let with = |of: &[String], failed: &[&str]| items_and_failed(of, failed);
    let invalid = |of: &[String], invalid: &[&str]| {
        with(of, invalid).replace("Fail_Account", "Invalid_Account")
    };
    let one_open = || some(0, true, &[DONE, OPEN]);
    let one_not = || some(0, false, &[DONE, NOT]);
    vec![
        body(
            "nobody failed",
            ADD,
            with(&[a.clone(), b.clone()], &[]),
            done(&[DONE]),
        ),
        body(
            "as published",
            ADD,
            with(&[a.clone(), b_fails.clone()], &["b"]),
            some(30002, false, &[DONE, NOT]),
        ),
        body(
            "already blocked",
            ADD,
            with(&[a.clone(), already.clone()], &["b"]),
            done(&[DONE, SAME]),
        ),
        body(
            "a failure not in the array",
            ADD,
            with(&[a.clone(), b_fails], &[]),
            some(30002, false, &[DONE, NOT]),
        ),
        body(
            "a success in the array",
            ADD,
            with(&[a.clone(), b.clone()], &["b"]),
            one_open(),
        ),
        body(
            "only in the array",
            ADD,
            with(std::slice::from_ref(&a), &["b"]),
            one_not(),
        ),
        body(
            "a stranger in the array",
            ADD,
            with(&[a.clone(), b.clone()], &["x"]),
            done(&[DONE]),
        ),
        body(
            "a success is invalid",
            ADD,
            invalid(&[a.clone(), b.clone()], &["b"]),
            one_open(),
        ),
        body(
            "only invalid",
            ADD,
            invalid(std::slice::from_ref(&a), &["b"]),
            one_not(),
        ),
        body(
            "already blocked and invalid",
            ADD,
            invalid(&[a.clone(), already], &["b"]),
            one_open(),
        ),
        body(
            "array null",
            ADD,
            with(&[a.clone(), b.clone()], &[]).replace("[],", "null,"),
            done(&[DONE]),
        ),
        body(
            "array a string",
            ADD,
            with(&[a.clone(), b.clone()], &[]).replace("[],", "\"\","),
            lost("wrong type"),
        ),
        body(
            "array of numbers",
            ADD,
            with(&[a, b], &[]).replace("[],", "[1],"),
            lost("wrong type"),
        ),
    ]
}

/// Items and arrays of the wrong shape.
pub fn shapes() -> Vec<Case> {
    let arrays = [
        "null", "{}", "\"\"", "0", "[1]", "[null]", "[[]]", "[\"a\"]",
    ];
    let arrays = arrays.iter().map(|array| {
        let name = format!("ResultItem {array}");
        body(
            &name,
            ADD,
            accepted(&format!(r#""ResultItem":{array}"#)),
            lost(""),
        )
    });
    let code = |code: &str| {
        let odd = item("b", 7, "").replace(":7", code);
        items(&[item("a", 0, ""), odd])
    };
    let odd = [
        ":null",
        ":0.0",
        ":false",
        ":\"\"",
        ":4294967296",
        ":-4294967296",
        ":[0]",
        ":\"+0\"",
    ];
    let one_open: &[Status] = &[DONE, OPEN];
    let codes = odd.iter().map(|odd| {
        body(
            &format!("ResultCode {odd}"),
            ADD,
            code(odd),
            some(0, true, one_open),
        )
    });
    let account =
        |account: &str| items(&[item("a", 0, ""), item("b", 0, "").replace("\"b\"", account)]);
    let absent = item("b", 0, "").replace(r#""ResultCode":0,"#, "");
    let renamed = item("b", 0, "").replace("To_Account", "to_account");
    arrays
        .chain(codes)
        .chain([
            body(
                "no ResultItem",
                ADD,
                accepted("\"x\":1"),
                lost("lacks ResultItem"),
            ),
            body(
                "another command's array",
                ADD,
                accepted(r#""BlackListCheckItem":[]"#),
                lost("lacks ResultItem"),
            ),
            body(
                "ResultCode \"0\" is read",
                ADD,
                code(":\"0\""),
                done(&[DONE]),
            ),
            body(
                "no ResultCode",
                ADD,
                items(&[item("a", 0, ""), absent]),
                some(0, true, one_open),
            ),
            body("To_Account a number", ADD, account("1"), lost("wrong type")),
            body("To_Account null", ADD, account("null"), lost("wrong type")),
            body(
                "no To_Account",
                ADD,
                items(&[item("a", 0, ""), renamed]),
                lost("wrong type"),
            ),
            body(
                "ResultInfo a number",
                ADD,
                code(":0").replace("\"\"},", "1},"),
                lost("wrong type"),
            ),
            body(
                "ResultInfo null",
                ADD,
                code(":0").replace("\"\"},", "null},"),
                done(&[DONE]),
            ),
        ])
        .collect()
}
