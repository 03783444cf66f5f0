//! How an answer is matched to what was asked and judged (docs/protocol.md 1.3, 4.5, 5.2, 9).

use chatblock::api::{Answer, CheckType, Operation, Relation, Request, Retry, Targets, Verdict};
use chatblock::wire::read_answer;

const DONE: Verdict = Verdict::Done;
const UNCHANGED: Verdict = Verdict::Unchanged;
const SILENT: Verdict = Verdict::Unanswered;
const NEVER: Verdict = Verdict::Failed(Retry::Never);

fn request(operation: Operation) -> Request {
    Request {
        owner: "ann".into(),
        operation,
    }
}

fn targets(names: &[&str]) -> Targets {
    names.iter().copied().map(Into::into).collect()
}

fn ok(members: &str) -> String {
    format!("{{{members},\"ActionStatus\":\"OK\",\"ErrorCode\":0,\"ErrorInfo\":\"\"}}")
}

fn item(account: &str, code: i32) -> String {
    format!("{{\"To_Account\":\"{account}\",\"ResultCode\":{code},\"ResultInfo\":\"\"}}")
}

fn read(operation: Operation, text: &str) -> Option<Answer> {
    read_answer(&request(operation), text.as_bytes().to_vec()).ok()
}

/// The verdicts on an add of `names`.
fn add(names: &[&str], members: &str) -> Vec<Verdict> {
    let answer = read(Operation::Add(targets(names)), &ok(members)).expect(members);
    let accounts: Vec<_> = answer
        .items
        .iter()
        .map(|item| item.account.as_str())
        .collect();
    assert_eq!(accounts, names, "one item per target in request order");
    answer.items.iter().map(|item| item.verdict).collect()
}

#[test]
fn items_in_another_order_find_their_targets() {
    let members = format!("\"ResultItem\":[{},{}]", item("c", 30003), item("b", 0));
    assert_eq!(add(&["b", "c"], &members), [DONE, NEVER]);
}

#[test]
fn a_target_without_an_item_is_unanswered_and_a_stranger_is_ignored() {
    let members = format!("\"ResultItem\":[{},{}]", item("x", 0), item("b", 0));
    assert_eq!(add(&["b", "c"], &members), [DONE, SILENT]);
}

#[test]
fn duplicates_take_their_items_in_turn() {
    let already = "{\"To_Account\":\"b\",\"ResultCode\":30001,\"ResultInfo\":\"Err_SNS_BlackListAdd_Already_Exist\"}";
    let members = format!(
        "\"ResultItem\":[{},{already}],\"Fail_Account\":[\"b\"]",
        item("b", 0)
    );
    assert_eq!(add(&["b", "b"], &members), [DONE, UNCHANGED]);
    let shuffled = format!(
        "\"ResultItem\":[{},{},{already}]",
        item("c", 0),
        item("b", 0)
    );
    assert_eq!(add(&["b", "c", "b"], &shuffled), [DONE, DONE, UNCHANGED]);
}

#[test]
fn surplus_items_that_disagree_say_nothing() {
    let members = format!("\"ResultItem\":[{},{}]", item("b", 0), item("b", 30003));
    assert_eq!(add(&["b"], &members), [SILENT]);
    let members = format!("\"ResultItem\":[{},{}]", item("b", 0), item("b", 0));
    assert_eq!(add(&["b"], &members), [DONE]);
}

#[test]
fn the_worse_of_items_and_failure_arrays_wins() {
    let members = format!(
        "\"ResultItem\":[{},{}],\"Fail_Account\":[\"b\"]",
        item("b", 0),
        item("c", 0)
    );
    assert_eq!(add(&["b", "c"], &members), [SILENT, DONE]);
    let members = format!(
        "\"ResultItem\":[{}],\"Invalid_Account\":[\"c\"]",
        item("b", 0)
    );
    assert_eq!(add(&["b", "c"], &members), [DONE, NEVER]);
    let members = format!(
        "\"ResultItem\":[{},{}],\"Fail_Account\":[]",
        item("b", 30008),
        item("c", 0)
    );
    assert_eq!(
        add(&["b", "c"], &members),
        [Verdict::Failed(Retry::Soon), DONE]
    );
}

#[test]
fn a_code_that_is_no_code_is_silence() {
    for code in [
        "null",
        "true",
        "0.0",
        "\"\"",
        "\"+0\"",
        "4294967296",
        "-9223372036854775808",
        "[]",
        "1e0",
    ] {
        let members = format!("\"ResultItem\":[{{\"To_Account\":\"b\",\"ResultCode\":{code}}}]");
        assert_eq!(add(&["b"], &members), [SILENT], "{code}");
    }
    assert_eq!(
        add(&["b"], "\"ResultItem\":[{\"To_Account\":\"b\"}]"),
        [SILENT]
    );
    let members = "\"ResultItem\":[{\"To_Account\":\"b\",\"ResultCode\":\"0\"}]";
    assert_eq!(add(&["b"], members), [DONE]);
}

#[test]
fn what_is_no_answer_is_malformed() {
    let add = || Operation::Add(targets(&["b"]));
    let good = item("b", 0);
    let bad = [
        String::new(),
        "null".into(),
        "[]".into(),
        "{}".into(),
        "<html></html>".into(),
        format!("\u{feff}{}", ok(&format!("\"ResultItem\":[{good}]"))),
        format!("{0}{0}", ok(&format!("\"ResultItem\":[{good}]"))),
        ok("\"x\":1"),
        ok("\"ResultItem\":null"),
        ok("\"ResultItem\":{}"),
        ok("\"ResultItem\":[[\"b\",0,\"\"]]"),
        ok("\"ResultItem\":[{\"To_Account\":7,\"ResultCode\":0}]"),
        ok(&format!("\"ResultItem\":[{good}],\"ResultItem\":[{good}]")),
        ok(&format!("\"ResultItem\":[{good}],\"ErrorCode\":0")),
        ok(&format!("\"ResultItem\":[{good}],\"Fail_Account\":\"b\"")),
        ok(&format!(
            "\"ResultItem\":[{good}],\"deep\":{}{}",
            "[".repeat(40),
            "]".repeat(40)
        )),
        format!("{{\"ResultItem\":[{good}],\"ErrorCode\":0}}"),
        format!("{{\"ResultItem\":[{good}],\"ActionStatus\":\"OK\"}}"),
        format!("{{\"ResultItem\":[{good}],\"ActionStatus\":\"OK\",\"ErrorCode\":null}}"),
        format!("{{\"ResultItem\":[{good}],\"ActionStatus\":\"OK\",\"ErrorCode\":0.0}}"),
        format!("{{\"ResultItem\":[{good}],\"ActionStatus\":\"FAIL\",\"ErrorCode\":0}}"),
        format!("{{\"ResultItem\":[{good}],\"ActionStatus\":\"OK\",\"ErrorCode\":4294967296}}"),
        "[\"OK\",0]".into(),
    ];
    for text in bad {
        assert!(read(add(), &text).is_none(), "{text}");
    }
    assert!(read_answer(&request(add()), b"{\"ErrorInfo\":\"\xff\"}".to_vec()).is_err());
}

#[test]
fn a_code_beside_ok_is_a_refusal() {
    let text = "{\"ActionStatus\":\"OK\",\"ErrorCode\":30006,\"ResultItem\":\"odd\"}";
    let answer = read(Operation::Add(targets(&["b"])), text).expect("a refusal");
    assert_eq!((answer.code, answer.retry()), (30006, Retry::Soon));
}

fn get(start_index: u64) -> Operation {
    Operation::Get {
        start_index,
        limit: 10,
        last_sequence: 0,
    }
}

#[test]
fn a_page_is_read_under_its_new_and_old_names() {
    let text =
        ok("\"BlackListItem\":[{\"Black_Account\":\"b\",\"BlackTimeStamp\":7}],\"StartIndex\":0");
    let answer = read(get(0), &text).expect("a page");
    assert_eq!(
        (answer.items[0].account.as_str(), answer.items[0].time),
        ("b", 7)
    );
    for (members, sequence) in [
        ("\"CurruentSequence\":1", 1),
        ("\"CurrentSequence\":2", 2),
        ("\"CurruentSequence\":1,\"CurrentSequence\":2", 2),
        ("\"RequestId\":\"x\"", 0),
    ] {
        let answer = read(get(0), &ok(&format!("\"StartIndex\":0,{members}"))).expect(members);
        assert_eq!((answer.listing.sequence, answer.items.len()), (sequence, 0));
    }
}

#[test]
fn a_page_that_cannot_be_trusted_is_malformed() {
    let bad = [
        "\"BlackListItem\":[]",
        "\"StartIndex\":-1",
        "\"StartIndex\":\"0\"",
        "\"StartIndex\":5",
        "\"StartIndex\":4",
        "\"StartIndex\":0,\"BlackListItem\":[{\"To_Account\":\"\"}]",
        "\"StartIndex\":0,\"BlackListItem\":[{\"To_Account\":\"a\\u0000b\"}]",
        "\"StartIndex\":0,\"BlackListItem\":[{\"AddBlackTimeStamp\":1}]",
        "\"StartIndex\":0,\"BlackListItem\":[[\"b\",1]]",
    ];
    for members in bad {
        assert!(read(get(5), &ok(members)).is_none(), "{members}");
    }
    assert!(read(get(5), &ok("\"StartIndex\":6")).is_some());
}

#[test]
fn a_relation_must_be_one_that_was_asked_for() {
    let check = |kind, relation: &str| {
        let members = format!(
            "\"BlackListCheckItem\":[{{\"To_Account\":\"b\",\"Relation\":\"{relation}\",\"ResultCode\":0}}]"
        );
        let answer = read(Operation::Check(targets(&["b"]), kind), &ok(&members)).expect(relation);
        (answer.items[0].verdict, answer.items[0].relation)
    };
    let both = |relation: &str| check(CheckType::Both, relation);
    assert_eq!(
        both("BlackCheckResult_Type_BothWay"),
        (DONE, Relation::BothWay)
    );
    assert_eq!(
        both("BlackCheckResult_Type_BWithA"),
        (DONE, Relation::BWithA)
    );
    assert_eq!(both("BlackCheckResult_Type_Both"), (SILENT, Relation::None));
    assert_eq!(both(""), (SILENT, Relation::None));
    let single = check(CheckType::Single, "BlackCheckResult_Type_BothWay");
    assert_eq!(single, (SILENT, Relation::None));
    let single = check(CheckType::Single, "BlackCheckResult_Type_AWithB");
    assert_eq!(single, (DONE, Relation::AWithB));
}

#[test]
fn a_failed_check_has_no_relation() {
    let members = "\"BlackListCheckItem\":[{\"To_Account\":\"b\",\"Relation\":\"BlackCheckResult_Type_NO\",\
                   \"ResultCode\":30007}],\"Fail_Account\":[\"b\"]";
    let answer = read(
        Operation::Check(targets(&["b"]), CheckType::Both),
        &ok(members),
    )
    .expect("an answer");
    assert_eq!(answer.items[0].relation, Relation::None);
    assert_eq!(answer.items[0].verdict, Verdict::Failed(Retry::Soon));
}
