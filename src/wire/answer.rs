//! Responses in the form of the service, written for the engine (docs/protocol.md 1.2, 3).

use serde::Serialize;

use crate::api::{Answer, Command, Item, Verdict};

/// What an item takes whose account is as long as most are.
const ITEM_BYTES: usize = 80;

#[derive(Serialize)]
struct ChangeItem<'a> {
    #[serde(rename = "To_Account")]
    account: &'a str,
    #[serde(rename = "ResultCode")]
    code: i32,
    #[serde(rename = "ResultInfo")]
    info: &'a str,
}

#[derive(Serialize)]
struct CheckItem<'a> {
    #[serde(rename = "To_Account")]
    account: &'a str,
    #[serde(rename = "Relation")]
    relation: &'static str,
    #[serde(rename = "ResultCode")]
    code: i32,
    #[serde(rename = "ResultInfo")]
    info: &'a str,
}

#[derive(Serialize)]
struct ListItem<'a> {
    #[serde(rename = "To_Account")]
    account: &'a str,
    #[serde(rename = "AddBlackTimeStamp")]
    time: i64,
}

#[derive(Default, Serialize)]
struct AnswerDocument<'a> {
    #[serde(rename = "ResultItem", skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<ChangeItem<'a>>>,
    #[serde(rename = "BlackListCheckItem", skip_serializing_if = "Option::is_none")]
    checks: Option<Vec<CheckItem<'a>>>,
    #[serde(rename = "Fail_Account", skip_serializing_if = "Vec::is_empty")]
    failed: Vec<&'a str>,
    #[serde(rename = "BlackListItem", skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<ListItem<'a>>>,
    #[serde(rename = "StartIndex", skip_serializing_if = "Option::is_none")]
    next_index: Option<u32>,
    // The international spelling and the Chinese one (choice C8).
    #[serde(rename = "CurruentSequence", skip_serializing_if = "Option::is_none")]
    sequence_old: Option<u64>,
    #[serde(rename = "CurrentSequence", skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    #[serde(flatten)]
    envelope: Envelope<'a>,
}

#[derive(Default, Serialize)]
struct Envelope<'a> {
    #[serde(rename = "ActionStatus")]
    status: &'static str,
    #[serde(rename = "ErrorCode")]
    code: i32,
    #[serde(rename = "ErrorInfo")]
    info: &'a str,
    #[serde(rename = "ErrorDisplay", skip_serializing_if = "Option::is_none")]
    display: Option<&'static str>,
}

impl<'a> Envelope<'a> {
    fn new(code: i32, info: &'a str) -> Self {
        Self {
            status: if code == 0 { "OK" } else { "FAIL" },
            code,
            info,
            // Choice C6: gateway refusals have three members, those of the blocklist four.
            display: (code < 60000).then_some(""),
        }
    }
}

/// The answer to `command` as the service words it: items in order, `Fail_Account` only when an
/// account failed. A target without an answer appears in `Fail_Account` alone.
pub fn write_answer(command: Command, answer: &Answer) -> String {
    let mut document = AnswerDocument {
        envelope: Envelope::new(answer.code, &answer.info),
        ..AnswerDocument::default()
    };
    // A call sent in parts can be refused after some accounts were answered.
    if !answer.is_refused() || !answer.items.is_empty() {
        write_content(command, answer, &mut document);
    }
    // About what it takes: a string that doubles while it grows is copied, and large ones are released each time.
    let mut text = Vec::with_capacity(256 + answer.items.len() * ITEM_BYTES);
    serde_json::to_writer(&mut text, &document).expect("strings and numbers always serialize");
    String::from_utf8(text).expect("JSON is UTF-8")
}

/// A refusal, or the success of a command without items.
pub fn write_envelope(code: i32, info: &str) -> String {
    serde_json::to_string(&Envelope::new(code, info)).expect("strings and numbers always serialize")
}

fn write_content<'a>(command: Command, answer: &'a Answer, document: &mut AnswerDocument<'a>) {
    let answered = || {
        answer
            .items
            .iter()
            .filter(|item| item.verdict != Verdict::Unanswered)
    };
    match command {
        Command::Add | Command::Delete => {
            let change = |item: &'a Item| ChangeItem {
                account: &item.account,
                code: item.code,
                info: &item.info,
            };
            document.changes = Some(answered().map(change).collect());
        }
        Command::Check => {
            let check = |item: &'a Item| CheckItem {
                account: &item.account,
                relation: item.relation.wire_name(),
                code: item.code,
                info: &item.info,
            };
            document.checks = Some(answered().map(check).collect());
        }
        Command::Get => {
            let entry = |item: &'a Item| ListItem {
                account: &item.account,
                time: item.time,
            };
            document.entries = Some(answer.items.iter().map(entry).collect());
            document.next_index = Some(answer.listing.next_index);
            document.sequence_old = Some(answer.listing.sequence);
            document.sequence = Some(answer.listing.sequence);
        }
    }
    let failed = |item: &&Item| item.verdict != Verdict::Done;
    document.failed = answer
        .items
        .iter()
        .filter(failed)
        .map(|item| item.account.as_str())
        .collect();
}
