//! Answers to get and check (docs/protocol.md 3.3, 3.4, 4.5).

use chatblock::CheckType::{Both, Single};

use crate::case::{Ask, Case, DONE, End, NOT, OPEN, body, done, lost, refused, some};
use testkit::answers::{accepted, item, refusal, relation, relations};

const PAGE: Ask = Ask::Get(20);

fn page(members: &str) -> String {
    accepted(&format!(
        r#""BlackListItem":[{{"To_Account":"x","AddBlackTimeStamp":1430000001}}],{members}"#
    ))
}

fn listing(name: &str, members: &str, end: End) -> Case {
    body(name, PAGE, page(members), end)
}

/// A last page of so many entries; ten are asked for.
fn many(count: usize) -> String {
    let entries: Vec<_> = (0..count)
        .map(|n| format!(r#"{{"To_Account":"x{n}","AddBlackTimeStamp":1}}"#))
        .collect();
    format!(r#""BlackListItem":[{}],"StartIndex":0"#, entries.join(","))
}

fn entries(name: &str, entries: &str, end: End) -> Case {
    let members = format!(r#""BlackListItem":{entries},"StartIndex":0"#);
    body(name, PAGE, accepted(&members), end)
}

/// Where the next page starts, and the sequence.
pub fn listings() -> Vec<Case> {
    let found = || done(&[DONE]);
    table! { listing;
        "StartIndex 0 ends the listing": r#""StartIndex":0"# => found();
        "StartIndex grows": r#""StartIndex":21"# => found();
        "StartIndex stalls": r#""StartIndex":20"# => lost("no progress");
        "StartIndex goes back": r#""StartIndex":1"# => lost("no progress");
        "no StartIndex": r#""x":0"# => lost("lacks StartIndex");
        "StartIndex null": r#""StartIndex":null"# => lost("lacks StartIndex");
        "StartIndex negative": r#""StartIndex":-1"# => lost("wrong type");
        "StartIndex a float": r#""StartIndex":30.0"# => lost("wrong type");
        "StartIndex a text": r#""StartIndex":"30""# => lost("wrong type");
        "StartIndex 2^32": r#""StartIndex":4294967296"# => lost("wrong type");
        "StartIndex twice": r#""StartIndex":0,"StartIndex":30"# => lost("");
        "CurrentSequence": r#""StartIndex":0,"CurrentSequence":13"# => found();
        "CurruentSequence": r#""StartIndex":0,"CurruentSequence":13"# => found();
        "both sequences": r#""StartIndex":0,"CurrentSequence":13,"CurruentSequence":13"# => found();
        "sequences that differ":
            r#""StartIndex":0,"CurrentSequence":1,"CurruentSequence":2"# => found();
        "sequence null": r#""StartIndex":0,"CurrentSequence":null"# => found();
        "sequence negative": r#""StartIndex":0,"CurrentSequence":-1"# => lost("wrong type");
        "sequence 2^64":
            r#""StartIndex":0,"CurrentSequence":18446744073709551616"# => lost("wrong type");
        "sequence a text": r#""StartIndex":0,"CurruentSequence":"1""# => lost("wrong type");
        "sequence twice": r#""StartIndex":0,"CurruentSequence":1,"CurruentSequence":2"# => lost("");
    }
}

/// Entries of a page.
pub fn listing_entries() -> Vec<Case> {
    let long = format!(
        r#"[{{"To_Account":"{}","AddBlackTimeStamp":1}}]"#,
        "x".repeat(33)
    );
    let mut cases = table! { entries;
        "entries null": "null" => done(&[]);
        "entries empty": "[]" => done(&[]);
        "entries an object": "{}" => lost("wrong type");
        "entries a text": "\"\"" => lost("wrong type");
        "entries of numbers": "[1]" => lost("wrong type");
        "an entry without account": r#"[{"AddBlackTimeStamp":1}]"# => lost("wrong type");
        "an entry without time": r#"[{"To_Account":"x"}]"# => done(&[DONE]);
        "time 2^63":
            r#"[{"To_Account":"x","AddBlackTimeStamp":9223372036854775808}]"# => lost("wrong type");
        "time a float": r#"[{"To_Account":"x","AddBlackTimeStamp":1.5}]"# => lost("wrong type");
        "time a text": r#"[{"To_Account":"x","AddBlackTimeStamp":"1"}]"# => lost("wrong type");
        "an empty account": r#"[{"To_Account":""}]"# => lost("no identifier");
        "an account with NUL": r#"[{"To_Account":"x\u0000"}]"# => lost("no identifier");
        "an account with a line feed": r#"[{"To_Account":"x\ny"}]"# => lost("no identifier");
        "an account too long": &long => lost("no identifier");
        "two names of one account":
            r#"[{"To_Account":"x","Black_Account":"y"}]"# => lost("wrong type");
    };
    cases.extend(table! { body(PAGE);
        "entries absent": accepted(r#""StartIndex":0"#) => done(&[]);
        "get is refused": refusal(30003) => refused(30003, false);
        "as many entries as were asked for": accepted(&many(10)) => done(&[DONE; 10]);
        "one entry more than was asked for": accepted(&many(11)) => lost("more accounts than were asked for");
    });
    cases
}

fn second(b: &str) -> String {
    relations(&[relation("a", "NO", 0), b.to_owned()])
}

fn one_open() -> End {
    some(0, true, &[DONE, OPEN])
}

/// Relations, for both kinds of check.
pub fn checks() -> Vec<Case> {
    let single = Ask::Check(&["a", "b"], Single);
    let both = Ask::Check(&["a", "b"], Both);
    let answer = |b: &str| second(&relation("b", b, 0));
    let mut cases = table! { body(single);
        "one way, NO": answer("NO") => done(&[DONE]);
        "one way, AWithB": answer("AWithB") => done(&[DONE]);
        "one way, BWithA": answer("BWithA") => one_open();
        "one way, BothWay": answer("BothWay") => one_open();
    };
    cases.extend(table! { body(both);
        "two ways, NO": answer("NO") => done(&[DONE]);
        "two ways, AWithB": answer("AWithB") => done(&[DONE]);
        "two ways, BWithA": answer("BWithA") => done(&[DONE]);
        "two ways, BothWay": answer("BothWay") => done(&[DONE]);
        "relation Both": answer("Both") => one_open();
        "relation in lower case": answer("no") => one_open();
        "an unknown relation": answer("Foe") => one_open();
    });
    cases
}

/// Items of a check that are not what they should be.
pub fn odd_checks() -> Vec<Case> {
    let both = Ask::Check(&["a", "b"], Both);
    let word = "\"BlackCheckResult_Type_NO\"";
    let no = relation("b", "NO", 0);
    let fails = || some(30007, true, &[DONE, NOT]);
    let twice = format!("{no},{}", relation("b", "AWithB", 0));
    let already = item("a", 30001, "Err_SNS_BlackListAdd_Already_Exist");
    let mut cases = table! { body(both);
        "an empty relation": second(&no.replace(word, "\"\"")) => one_open();
        "no relation": second(&item("b", 0, "")) => one_open();
        "relation null": second(&no.replace(word, "null")) => one_open();
        "relation a number": second(&no.replace(word, "1")) => lost("wrong type");
        "a failed item": second(&relation("b", "NO", 30007)) => fails();
        "a failed item with a relation": second(&relation("b", "BothWay", 30007)) => fails();
        "relations that differ": second(&twice) => one_open();
        "check without items": accepted("\"x\":0") => lost("lacks BlackListCheckItem");
    };
    cases.extend(table! { body(Ask::Check(&["a"], Both));
        "check with the text of add": relations(&[already]) => refused(30001, false);
    });
    cases
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
