//! Responses, read as untrusted input (docs/protocol.md 1.2, 3, 9).

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::Object;
use super::bounded::Bounded;
use super::fast_path;
use super::fields::{Code, RawAnswer, RawEntry, RawEnvelope};
use super::matching::{Failures, match_items};
use crate::api::{Answer, Charset, Item, Listing, Operation, Request};

/// Why a body is no answer. The outcome of the request is unknown then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// Reads the service's answer to `request` and judges every item (docs/protocol.md 9).
///
/// A successful answer has one item per target, in request order; an account that the answer does not
/// name is [`crate::api::Verdict::Unanswered`], one about which it contradicts itself too.
pub fn read_answer(request: &Request, body: Vec<u8>) -> Result<Answer, Malformed> {
    let text = String::from_utf8(body).map_err(|_| Malformed("is not UTF-8"))?;
    let mut answer = match read_done(request, &text) {
        Some(answer) => answer,
        None => read_any(request, &text)?,
    };
    answer.text = Some(text);
    Ok(answer)
}

/// An answer that says in the service's usual words that every target was done.
fn read_done(request: &Request, text: &str) -> Option<Answer> {
    if !request.command().is_write() {
        return None;
    }
    let rest = fast_path::without_items(request, text)?;
    let mut raw = read_as_documented(&rest).filter(fast_path::confirms)?;
    let (info, request_id) = (raw.info.take(), raw.request_id.take());
    let answer = read_envelope(&raw.status, raw.code.read(), info, request_id);
    let mut answer = answer.ok().filter(|answer| !answer.is_refused())?;
    answer.is_all_done = true;
    Some(answer)
}

fn read_any(request: &Request, text: &str) -> Result<Answer, Malformed> {
    match read_as_documented(text) {
        Some(raw) => read_members(request, raw),
        None => read_odd(request, text),
    }
}

/// One strict pass, which nearly every answer takes. What it does not take is not wrong yet.
fn read_as_documented(text: &str) -> Option<RawAnswer<'_, i32>> {
    let Object(raw): Object<RawAnswer<i32>> = serde_json::from_str(text).ok()?;
    // Of all the items only one is open at a time, so this many brackets cannot nest too deep.
    let items = [&raw.changes, &raw.checks].map(|items| items.as_ref().map_or(0, |it| it.0.len()));
    let entries = raw.entries.as_ref().map_or(0, |entries| entries.0.len());
    let siblings = entries + items.iter().sum::<usize>();
    let brackets = opening_brackets(text.as_bytes());
    (brackets <= super::MAX_DEPTH + siblings.saturating_sub(1)).then_some(raw)
}

/// How many there are, those inside strings too. Sums of bytes are what compilers make fast.
fn opening_brackets(json: &[u8]) -> usize {
    let opens = |byte: &u8| u8::from(matches!(byte, b'{' | b'['));
    let sums = json
        .chunks(255)
        .map(|some| some.iter().map(opens).sum::<u8>());
    sums.map(usize::from).sum()
}

/// With patience: of a refusal only the envelope counts, and where a code should be may be anything.
fn read_odd(request: &Request, text: &str) -> Result<Answer, Malformed> {
    if super::is_too_deep(text.as_bytes()) {
        return Err(Malformed("nests deeper than 32 levels"));
    }
    let Object(raw): Object<RawEnvelope> = serde_json::from_str(text)
        .map_err(|_| Malformed("is not a JSON object with ActionStatus and ErrorCode"))?;
    let answer = read_envelope(&raw.status, raw.code.read(), raw.info, raw.request_id)?;
    if answer.is_refused() {
        return Ok(answer);
    }
    let Object(raw): Object<RawAnswer<&RawValue>> = serde_json::from_str(text)
        .map_err(|_| Malformed("has members of the wrong type, or too many of them"))?;
    read_members(request, raw)
}

fn read_members<C: Code>(request: &Request, mut raw: RawAnswer<C>) -> Result<Answer, Malformed> {
    let (info, request_id) = (raw.info.take(), raw.request_id.take());
    let mut answer = read_envelope(&raw.status, raw.code.read(), info, request_id)?;
    if !answer.is_refused() {
        read_content(request, raw, &mut answer)?;
    }
    Ok(answer)
}

fn read_envelope(
    status: &str,
    code: Option<i32>,
    info: Option<Cow<str>>,
    request_id: Option<Cow<str>>,
) -> Result<Answer, Malformed> {
    let code = code.ok_or(Malformed("has an ErrorCode that is no code"))?;
    if code == 0 && status != "OK" {
        return Err(Malformed(
            "contradicts itself: ErrorCode is 0 but ActionStatus is not OK",
        ));
    }
    Ok(Answer {
        code,
        info: info.unwrap_or_default().into_owned(),
        request_id: request_id.map(Cow::into_owned),
        ..Answer::default()
    })
}

fn read_content<C: Code>(
    request: &Request,
    content: RawAnswer<C>,
    answer: &mut Answer,
) -> Result<(), Malformed> {
    match request.operation {
        Operation::Get {
            start_index, limit, ..
        } => {
            answer.listing = read_listing(start_index, &content)?;
            answer.items = read_entries(limit, content.entries.unwrap_or_default().0)?;
        }
        Operation::Add(_) | Operation::Delete(_) => {
            let items = content.changes.ok_or(Malformed("lacks ResultItem"))?;
            let failed = Failures::new(content.failed, content.invalid);
            answer.items = match_items(request, open(items), &failed);
        }
        Operation::Check(..) => {
            // The example of 2017 named the array ResultItem, its table CheckItem.
            let items = content
                .checks
                .or(content.changes)
                .ok_or(Malformed("lacks BlackListCheckItem"))?;
            let failed = Failures::new(content.failed, content.invalid);
            answer.items = match_items(request, open(items), &failed);
        }
    }
    Ok(())
}

fn read_listing<C>(start_index: u64, content: &RawAnswer<C>) -> Result<Listing, Malformed> {
    let next_index = content.next_index.ok_or(Malformed("lacks StartIndex"))?;
    if next_index != 0 && u64::from(next_index) <= start_index {
        return Err(Malformed(
            "makes no progress: StartIndex does not grow (choice C14)",
        ));
    }
    Ok(Listing {
        next_index,
        sequence: content.sequence.or(content.sequence_old).unwrap_or(0),
    })
}

/// A page of at most `limit` entries: a caller has room for no more.
fn read_entries(limit: u32, entries: Vec<Object<RawEntry>>) -> Result<Vec<Item>, Malformed> {
    if entries.len() > limit as usize {
        return Err(Malformed(
            "lists more accounts than were asked for (MaxLimited)",
        ));
    }
    let entry = |Object(entry): Object<RawEntry>| {
        if !Charset::Utf8.allows(&entry.account) {
            return Err(Malformed("lists an account that is no identifier"));
        }
        Ok(Item::entry(entry.account, entry.time))
    };
    entries.into_iter().map(entry).collect()
}

fn open<T>(objects: Bounded<Object<T>>) -> Vec<T> {
    objects.0.into_iter().map(|Object(inner)| inner).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Account, Targets, Verdict};

    fn add(names: &[&str]) -> Request {
        let targets: Targets = names.iter().copied().map(Into::into).collect();
        Request {
            owner: "ann".into(),
            operation: Operation::Add(targets),
        }
    }

    /// What is read of `text` by comparing where that can be, and by parsing alone.
    fn both(names: &[&str], text: &str) -> [Result<Answer, Malformed>; 2] {
        let request = add(names);
        let read = |text: String| {
            let answer = read_answer(&request, text.into_bytes())?;
            let done = |target: &Account| Item::answered(target.clone(), 0, "", Verdict::Done);
            let items = if answer.is_all_done {
                request.targets().iter().map(done).collect()
            } else {
                answer.items
            };
            Ok(Answer {
                items,
                is_all_done: false,
                text: None,
                ..answer
            })
        };
        [read(text.to_owned()), read(format!(" {text}"))]
    }

    #[test]
    fn comparing_and_parsing_read_the_same() {
        let done =
            |name: &str| format!(r#"{{"To_Account":"{name}","ResultCode":0,"ResultInfo":""}}"#);
        let failed = r#"{"To_Account":"cem","ResultCode":30003,"ResultInfo":"no"}"#.to_owned();
        let items = [
            vec![done("bob"), done("cem")],
            vec![done("cem"), done("bob")],
            vec![done("bob")],
            vec![done("bob"), done("cem"), done("dee")],
            vec![done("bob"), failed],
            vec![done("bob"), done("c\\u0065m")],
            vec![done("bob"), done("cem").replace(",\"ResultInfo\":\"\"", "")],
        ];
        let ok = r#""ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"""#;
        let ends = [
            format!("],{ok}}}"),
            format!("],{ok},\"RequestId\":\"r\"}}"),
            format!("],\"Fail_Account\":[\"cem\"],{ok}}}"),
            format!("],\"Invalid_Account\":[\"bob\"],{ok}}}"),
            format!("],\"Fail_Account\":[],{ok}}}"),
            format!("],\"ResultItem\":[],{ok}}}"),
            format!("],{ok}}}{{}}"),
            format!("],{ok}"),
            format!(",{ok}}}"),
            format!("],\"Unknown\":{}1{},{ok}}}", "[".repeat(40), "]".repeat(40)),
            r#"],"ActionStatus":"FAIL","ErrorCode":30006,"ErrorInfo":"busy"}"#.to_owned(),
            r#"],"ActionStatus":"FAIL","ErrorCode":0,"ErrorInfo":""}"#.to_owned(),
        ];
        for names in [["bob", "cem"], ["bob", "bob"], ["bob", "c\"m"]] {
            for items in &items {
                for end in &ends {
                    let text = format!("{{\"ResultItem\":[{}{end}", items.join(","));
                    let [compared, parsed] = both(&names, &text);
                    assert_eq!(compared, parsed, "{names:?} {text}");
                }
            }
        }
        let text = format!("{{\"ResultItem\":[{},{}],{ok}}}", done("bob"), done("cem"));
        let answer = read_answer(&add(&["bob", "cem"]), text.into_bytes());
        assert!(answer.is_ok_and(|answer| answer.is_all_done));
    }

    #[test]
    fn what_would_have_to_be_escaped_is_parsed() {
        let name = r#"b","ResultCode":0,"ResultInfo":""},{"To_Account":"c"#;
        let text = format!(
            r#"{{"ResultItem":[{{"To_Account":"{name}","ResultCode":0,"ResultInfo":""}}],"ActionStatus":"OK","ErrorCode":0}}"#
        );
        let [compared, parsed] = both(&[name], &text);
        assert_eq!(compared, parsed);
        assert!(compared.is_ok_and(|answer| answer.items[0].verdict != Verdict::Done));
    }
}
