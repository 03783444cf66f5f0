//! Answers to get and check (protocol.md 3.3, 3.4, 4.5).

use chatblock::CheckType::{Both, Single};

use crate::answers::{accepted, item, refusal, relation, relations};
use crate::case::{Ask, Case, DONE, End, NOT, OPEN, body, done, lost, refused, some};

const PAGE: Ask = Ask::Get(20);

fn page(members: &str) -> String {
    accepted(&format!(
        r#""BlackListItem":[{{"To_Account":"x","AddBlackTimeStamp":1430000001}}],{members}"#
    ))
}

/// Where the next page starts, and the sequence.
pub fn listings() -> Vec<Case> {
    let found = || done(&[DONE]);
    let table: [(&str, &str, End); 20] = [
        (
            "StartIndex 0 ends the listing",
            r#""StartIndex":0"#,
            found(),
        ),
        ("StartIndex grows", r#""StartIndex":21"#, found()),
        (
            "StartIndex stalls",
            r#""StartIndex":20"#,
            lost("no progress"),
        ),
        (
            "StartIndex goes back",
            r#""StartIndex":1"#,
            lost("no progress"),
        ),
        ("no StartIndex", r#""x":0"#, lost("lacks StartIndex")),
        (
            "StartIndex null",
            r#""StartIndex":null"#,
            lost("lacks StartIndex"),
        ),
        (
            "StartIndex negative",
            r#""StartIndex":-1"#,
            lost("wrong type"),
        ),
        (
            "StartIndex a float",
            r#""StartIndex":30.0"#,
            lost("wrong type"),
        ),
        (
            "StartIndex a text",
            r#""StartIndex":"30""#,
            lost("wrong type"),
        ),
        (
            "StartIndex 2^32",
            r#""StartIndex":4294967296"#,
            lost("wrong type"),
        ),
        (
            "StartIndex twice",
            r#""StartIndex":0,"StartIndex":30"#,
            lost(""),
        ),
        (
            "CurrentSequence",
            r#""StartIndex":0,"CurrentSequence":13"#,
            found(),
        ),
        (
            "CurruentSequence",
            r#""StartIndex":0,"CurruentSequence":13"#,
            found(),
        ),
        (
            "both sequences",
            r#""StartIndex":0,"CurrentSequence":13,"CurruentSequence":13"#,
            found(),
        ),
        (
            "sequences that differ",
            r#""StartIndex":0,"CurrentSequence":1,"CurruentSequence":2"#,
            found(),
        ),
        (
            "sequence null",
            r#""StartIndex":0,"CurrentSequence":null"#,
            found(),
        ),
        (
            "sequence negative",
            r#""StartIndex":0,"CurrentSequence":-1"#,
            lost("wrong type"),
        ),
        (
            "sequence 2^64",
            r#""StartIndex":0,"CurrentSequence":18446744073709551616"#,
            lost("wrong type"),
        ),
        (
            "sequence a text",
            r#""StartIndex":0,"CurruentSequence":"1""#,
            lost("wrong type"),
        ),
        (
            "sequence twice",
            r#""StartIndex":0,"CurruentSequence":1,"CurruentSequence":2"#,
            lost(""),
        ),
    ];
    table
        .into_iter()
        .map(|(name, members, end)| body(name, PAGE, page(members), end))
        .collect()
}

/// Entries of a page.
pub fn listing_entries() -> Vec<Case> {
    let long = format!(
        r#"[{{"To_Account":"{}","AddBlackTimeStamp":1}}]"#,
        "x".repeat(33)
    );
    let table: [(&str, &str, End); 15] = [
        ("entries null", "null", done(&[])),
        ("entries empty", "[]", done(&[])),
        ("entries an object", "{}", lost("wrong type")),
        ("entries a text", "\"\"", lost("wrong type")),
        ("entries of numbers", "[1]", lost("wrong type")),
        (
            "an entry without account",
            r#"[{"AddBlackTimeStamp":1}]"#,
            lost("wrong type"),
        ),
        (
            "an entry without time",
            r#"[{"To_Account":"x"}]"#,
            done(&[DONE]),
        ),
        (
            "time 2^63",
            r#"[{"To_Account":"x","AddBlackTimeStamp":9223372036854775808}]"#,
            lost("wrong type"),
        ),
        (
            "time a float",
            r#"[{"To_Account":"x","AddBlackTimeStamp":1.5}]"#,
            lost("wrong type"),
        ),
        (
            "time a text",
            r#"[{"To_Account":"x","AddBlackTimeStamp":"1"}]"#,
            lost("wrong type"),
        ),
        (
            "an empty account",
            r#"[{"To_Account":""}]"#,
            lost("no identifier"),
        ),
        (
            "an account with NUL",
            r#"[{"To_Account":"x\u0000"}]"#,
            lost("no identifier"),
        ),
        (
            "an account with a line feed",
            r#"[{"To_Account":"x\ny"}]"#,
            lost("no identifier"),
        ),
        ("an account too long", &long, lost("no identifier")),
        (
            "two names of one account",
            r#"[{"To_Account":"x","Black_Account":"y"}]"#,
            lost("wrong type"),
        ),
    ];
    table
        .into_iter()
        .map(|(name, entries, end)| {
            let members = format!(r#""BlackListItem":{entries},"StartIndex":0"#);
            body(name, PAGE, accepted(&members), end)
        })
        .chain([
            body(
                "entries absent",
                PAGE,
                accepted(r#""StartIndex":0"#),
                done(&[]),
            ),
            body(
                "get is refused",
                PAGE,
                refusal(30003),
                refused(30003, false),
            ),
        ])
        .collect()
}

/// Relations, for both kinds of check.
pub fn checks() -> Vec<Case> {
    let single = Ask::Check(&["a", "b"], Single);
    let both = Ask::Check(&["a", "b"], Both);
    let answer = |b: &str| relations(&[relation("a", "NO", 0), relation("b", b, 0)]);
    let one_open = || some(0, true, &[DONE, OPEN]);
    let odd = |b: String| relations(&[relation("a", "NO", 0), b]);
    let word = "\"BlackCheckResult_Type_NO\"";
    let b = relation("b", "NO", 0);
    let failed = relations(&[relation("a", "NO", 0), relation("b", "NO", 30007)]);
    let lies = relations(&[relation("a", "NO", 0), relation("b", "BothWay", 30007)]);
    let fails = || some(30007, true, &[DONE, NOT]);
    vec![
        body("one way, NO", single, answer("NO"), done(&[DONE])),
        body("one way, AWithB", single, answer("AWithB"), done(&[DONE])),
        body("one way, BWithA", single, answer("BWithA"), one_open()),
        body("one way, BothWay", single, answer("BothWay"), one_open()),
        body("two ways, NO", both, answer("NO"), done(&[DONE])),
        body("two ways, AWithB", both, answer("AWithB"), done(&[DONE])),
        body("two ways, BWithA", both, answer("BWithA"), done(&[DONE])),
        body("two ways, BothWay", both, answer("BothWay"), done(&[DONE])),
        body("relation Both", both, answer("Both"), one_open()),
        body("relation in lower case", both, answer("no"), one_open()),
        body("an unknown relation", both, answer("Foe"), one_open()),
        body(
            "an empty relation",
            both,
            odd(b.replace(word, "\"\"")),
            one_open(),
        ),
        body("no relation", both, odd(item("b", 0, "")), one_open()),
        body(
            "relation null",
            both,
            odd(b.replace(word, "null")),
            one_open(),
        ),
        body(
            "relation a number",
            both,
            odd(b.replace(word, "1")),
            lost("wrong type"),
        ),
        body("a failed item", both, failed, fails()),
        body("a failed item with a relation", both, lies, fails()),
        body(
            "relations that differ",
            both,
            relations(&[
                relation("a", "NO", 0),
                relation("b", "NO", 0),
                relation("b", "AWithB", 0),
            ]),
            one_open(),
        ),
        body(
            "check without items",
            both,
            accepted("\"x\":0"),
            lost("lacks BlackListCheckItem"),
        ),
        body(
            "check with the text of add",
            Ask::Check(&["a"], Both),
            relations(&[item("a", 30001, "Err_SNS_BlackListAdd_Already_Exist")]),
            refused(30001, false),
        ),
    ]
}

/// Names of 2017 and 2018.
pub fn old_names() -> Vec<Case> {
    let both = Ask::Check(&["a", "b"], Both);
    let answer = relations(&[relation("a", "NO", 0), relation("b", "AWithB", 0)]);
    let renamed = |name: &str| answer.replace("BlackListCheckItem", name);
    let entries = accepted(
        r#""BlackListItem":[{"Black_Account":"x","BlackTimeStamp":1430000001}],"StartIndex":0"#,
    );
    vec![
        body(
            "check with CheckItem",
            both,
            renamed("CheckItem"),
            done(&[DONE]),
        ),
        body(
            "check with ResultItem",
            both,
            renamed("ResultItem"),
            done(&[DONE]),
        ),
        body(
            "check with both names",
            both,
            answer.replacen('{', r#"{"CheckItem":[],"#, 1),
            lost("wrong type"),
        ),
        body("get with old names", PAGE, entries, done(&[DONE])),
    ]
}
