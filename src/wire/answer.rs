//! Answers: written by the engine's side, read and distrusted by the client's (protocol.md 1.2, 3, 9).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde::Serialize;
use serde_json::value::RawValue;

use super::Object;
use super::bounded::Bounded;
use super::members::{Code, Names, RawAnswer, RawEntry, RawEnvelope, RawItem};
use crate::api::{
    Answer, Charset, CheckType, Command, Item, Listing, Operation, Relation, Request, Retry,
    Verdict, codes,
};

/// Why a body is no answer. The outcome of the request is unknown then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

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
struct Document<'a> {
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
    let mut document = Document {
        envelope: Envelope::new(answer.code, &answer.info),
        ..Document::default()
    };
    // A call sent in parts can be refused after some accounts were answered.
    if !answer.is_refused() || !answer.items.is_empty() {
        write_content(command, answer, &mut document);
    }
    serde_json::to_string(&document).expect("strings and numbers always serialize")
}

/// A refusal, or the success of a command without items.
pub fn write_envelope(code: i32, info: &str) -> String {
    serde_json::to_string(&Envelope::new(code, info)).expect("strings and numbers always serialize")
}

fn write_content<'a>(command: Command, answer: &'a Answer, document: &mut Document<'a>) {
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

/// Reads the service's answer to `request` and judges every item (protocol.md section 9).
///
/// A successful answer has one item per target, in request order; an account that the answer does not
/// name is [`Verdict::Unanswered`], one about which it contradicts itself too.
pub fn read_answer(request: &Request, body: Vec<u8>) -> Result<Answer, Malformed> {
    let text = String::from_utf8(body).map_err(|_| Malformed("is not UTF-8"))?;
    let mut answer = match read_as_documented(&text) {
        Some(raw) => read_members(request, raw),
        None => read_odd(request, &text),
    }?;
    answer.text = Some(text);
    Ok(answer)
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
        Operation::Get { start_index, .. } => {
            answer.listing = read_listing(start_index, &content)?;
            answer.items = read_entries(content.entries.unwrap_or_default().0)?;
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

fn read_entries(entries: Vec<Object<RawEntry>>) -> Result<Vec<Item>, Malformed> {
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

/// The two arrays of failures.
struct Failures<'a> {
    /// How often each account failed. "Already blocked" counts as a failure there.
    failed: HashMap<Cow<'a, str>, usize>,
    /// Accounts that were refused before processing: no item can succeed.
    invalid: HashSet<Cow<'a, str>>,
}

impl<'a> Failures<'a> {
    fn new(failed: Option<Names<'a>>, invalid: Option<Names<'a>>) -> Self {
        let mut counts = HashMap::new();
        for account in failed.unwrap_or_default().0 {
            *counts.entry(account).or_insert(0) += 1;
        }
        Self {
            failed: counts,
            invalid: invalid.unwrap_or_default().0.into_iter().collect(),
        }
    }
}

/// One item per target of `request` (choice C42).
fn match_items<C: Code>(
    request: &Request,
    items: Vec<RawItem<C>>,
    failures: &Failures,
) -> Vec<Item> {
    let targets = request.targets();
    let in_order = items.len() == targets.len()
        && items
            .iter()
            .zip(targets)
            .all(|(item, target)| item.account == target.as_str());
    let mut matched = if in_order {
        items.into_iter().map(|item| judge(request, item)).collect()
    } else {
        match_by_name(request, items)
    };
    apply_failures(&mut matched, failures);
    matched
}

/// The n-th occurrence of a target takes the n-th item of its name. More items than occurrences that
/// disagree say nothing; fewer repeat the last.
fn match_by_name<C: Code>(request: &Request, items: Vec<RawItem<C>>) -> Vec<Item> {
    let mut wanted: HashMap<&str, usize> = HashMap::new();
    for target in request.targets() {
        *wanted.entry(target).or_insert(0) += 1;
    }
    let mut found: HashMap<String, Vec<Item>> = HashMap::new();
    for raw in items
        .into_iter()
        .filter(|raw| wanted.contains_key(raw.account.as_ref()))
    {
        let item = judge(request, raw);
        found.entry(item.account.clone()).or_default().push(item);
    }
    for (account, items) in &mut found {
        let surplus = items.len() > wanted[account.as_str()];
        if surplus
            && items
                .iter()
                .any(|item| item.verdict != items[0].verdict || item.relation != items[0].relation)
        {
            *items = vec![Item::unanswered(account.clone())];
        }
    }
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut matched = Vec::with_capacity(request.targets().len());
    for target in request.targets() {
        let turn = seen.entry(target).or_insert(0);
        *turn += 1;
        matched.push(match found.get(target.as_str()) {
            Some(items) => items[(*turn).min(items.len()) - 1].clone(),
            None => Item::unanswered(target),
        });
    }
    matched
}

/// The worse of the two wins where items and failure arrays disagree (choice C7).
fn apply_failures(items: &mut [Item], failures: &Failures) {
    let mut unexplained: HashMap<&str, usize> = failures
        .failed
        .iter()
        .map(|(account, count)| (account.as_ref(), *count))
        .collect();
    for item in items.iter().filter(|item| item.verdict != Verdict::Done) {
        if let Some(count) = unexplained.get_mut(item.account.as_str()) {
            *count = count.saturating_sub(usize::from(item.verdict != Verdict::Unanswered));
        }
    }
    for item in items {
        let invalid = failures.invalid.contains(item.account.as_str());
        let failed = unexplained.get(item.account.as_str()).copied().unwrap_or(0) > 0;
        match item.verdict {
            Verdict::Done if failed || invalid => make_unanswered(item),
            Verdict::Unchanged if invalid => make_unanswered(item),
            Verdict::Unanswered if failed || invalid => {
                item.verdict = Verdict::Failed(Retry::Never);
            }
            _ => {}
        }
    }
}

fn make_unanswered(item: &mut Item) {
    *item = Item::unanswered(std::mem::take(&mut item.account));
}

fn judge<C: Code>(request: &Request, raw: RawItem<C>) -> Item {
    let info = raw.info.map(|info| info.0.into_owned()).unwrap_or_default();
    let Some(code) = raw.code.and_then(|code| code.read()) else {
        return Item::unanswered(raw.account);
    };
    let verdict = codes::judge(request.command(), code, &info);
    let mut item = Item::answered(raw.account, code, info, verdict);
    if let (Operation::Check(_, kind), Verdict::Done) = (&request.operation, verdict) {
        let relation = raw.relation.as_ref();
        match relation.and_then(|name| Relation::from_wire_name(&name.0)) {
            Some(relation) if can_follow(*kind, relation) => item.relation = relation,
            _ => item.verdict = Verdict::Unanswered,
        }
    }
    item
}

/// A one-way check knows nothing of the reverse direction (protocol.md 3.4).
fn can_follow(kind: CheckType, relation: Relation) -> bool {
    kind == CheckType::Both || matches!(relation, Relation::No | Relation::AWithB)
}
