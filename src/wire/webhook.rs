//! Bodies of webhooks and of the responses to them (docs/protocol.md 8.3 and 8.4).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::bounded::Bounded;
use super::{Malformed, Object};
use crate::api::{Account, Charset};

/// Largest body that is read: what the longest list of pairs takes.
const MAX_BODY: usize = 1024 * 1024;

/// What happened to the pairs of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// They were added: `Sns.CallbackBlackListAdd`.
    Add,
    /// They were removed: `Sns.CallbackBlackListDelete`.
    Delete,
}

impl Change {
    /// The service's word for it, in query and body.
    pub fn callback_command(self) -> &'static str {
        match self {
            Self::Add => "Sns.CallbackBlackListAdd",
            Self::Delete => "Sns.CallbackBlackListDelete",
        }
    }

    /// The change with this name, spelled exactly.
    pub fn from_callback_command(name: &str) -> Option<Self> {
        [Self::Add, Self::Delete]
            .into_iter()
            .find(|change| change.callback_command() == name)
    }
}

/// The event of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub change: Change,
    /// Owner and target, in the order in which they were changed.
    pub pairs: Vec<(Account, Account)>,
}

#[derive(Deserialize)]
struct RawWebhookBody<'a> {
    #[serde(rename = "CallbackCommand", borrow)]
    command: Cow<'a, str>,
    #[serde(rename = "PairList")]
    pairs: Bounded<Object<RawPair>>,
}

#[derive(Deserialize)]
struct RawPair {
    #[serde(rename = "From_Account")]
    owner: Account,
    #[serde(rename = "To_Account")]
    to: Account,
}

/// Reads the body of a webhook whose query says `change`: at most 1 MiB, 32 levels and 10,000 pairs.
/// Unknown members are ignored.
///
/// # Errors
/// What is wrong, as the end of a sentence. One pair that cannot exist makes the whole event invalid: applying only
/// the rest would confirm an event that was not understood.
pub fn read_event(change: Change, body: &[u8]) -> Result<Event, Malformed> {
    if body.len() > MAX_BODY {
        return Err(Malformed("is larger than 1 MiB"));
    }
    if super::is_too_deep(body) {
        return Err(Malformed("nests deeper than 32 levels"));
    }
    // Checked whole: serde_json would not look into strings that it skips.
    let text = std::str::from_utf8(body).map_err(|_| Malformed("is not UTF-8"))?;
    let Object(raw): Object<RawWebhookBody> = serde_json::from_str(text).map_err(|_| {
        Malformed("is not a JSON object with CallbackCommand and PairList, or has too many pairs")
    })?;
    if raw.command != change.callback_command() {
        return Err(Malformed("has another CallbackCommand than the query"));
    }
    let pair = |Object(RawPair { owner, to }): Object<RawPair>| {
        if !(Charset::Utf8.allows(&owner) && Charset::Utf8.allows(&to)) {
            return Err(Malformed("names an account that is no identifier"));
        }
        Ok((owner, to))
    };
    let pairs = raw
        .pairs
        .0
        .into_iter()
        .map(pair)
        .collect::<Result<_, _>>()?;
    Ok(Event { change, pairs })
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "CallbackCommand")]
    command: &'static str,
    #[serde(rename = "PairList")]
    pairs: Vec<Pair<'a>>,
}

#[derive(Serialize)]
struct Pair<'a> {
    #[serde(rename = "From_Account")]
    owner: &'a str,
    #[serde(rename = "To_Account")]
    to: &'a str,
}

/// The body for `event`.
pub fn write_event(event: &Event) -> String {
    let pairs = event.pairs.iter().map(|(owner, to)| Pair { owner, to });
    let body = Body {
        command: event.change.callback_command(),
        pairs: pairs.collect(),
    };
    serde_json::to_string(&body).expect("strings always serialize")
}

#[derive(Serialize)]
struct WebhookAnswer<'a> {
    #[serde(rename = "ActionStatus")]
    status: &'static str,
    #[serde(rename = "ErrorCode")]
    code: i32,
    #[serde(rename = "ErrorInfo")]
    info: &'a str,
}

/// The body that answers a webhook: processed, or failed because of `info`.
pub fn answer(ok: bool, info: &str) -> String {
    let answer = WebhookAnswer {
        status: if ok { "OK" } else { "FAIL" },
        code: i32::from(!ok),
        info,
    };
    serde_json::to_string(&answer).expect("strings and numbers always serialize")
}

#[derive(Deserialize)]
struct RawWebhookAnswer<'a> {
    #[serde(rename = "ActionStatus", borrow)]
    status: Cow<'a, str>,
    #[serde(rename = "ErrorCode")]
    code: i64,
}

/// Whether the answer of a receiver says that the webhook was processed.
///
/// # Errors
/// What it says instead, as the end of a sentence; never a text of the receiver.
pub fn check_answer(body: &[u8]) -> Result<(), Malformed> {
    let is_readable = !super::is_too_deep(body);
    let parsed = is_readable.then(|| serde_json::from_slice(body).ok());
    match parsed.flatten() {
        Some(Object(RawWebhookAnswer { status, code: 0 })) if status == "OK" => Ok(()),
        Some(_) => Err(Malformed("says that the webhook was not processed")),
        None => Err(Malformed(
            "is not a JSON object with ActionStatus and ErrorCode",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADD: &str = "Sns.CallbackBlackListAdd";

    fn body(pairs: &str) -> String {
        format!(r#"{{"CallbackCommand":"{ADD}","PairList":[{pairs}]}}"#)
    }

    fn refusal(body: &str) -> &'static str {
        match read_event(Change::Add, body.as_bytes()) {
            Ok(event) => panic!("{body} was read as {event:?}"),
            Err(Malformed(what)) => what,
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for change in [Change::Add, Change::Delete] {
            let pairs = [("a\"\\", "b"), ("\u{1F600}", "a/c")];
            let event = Event {
                change,
                pairs: pairs.map(|(owner, to)| (owner.into(), to.into())).into(),
            };
            assert_eq!(
                read_event(change, write_event(&event).as_bytes()),
                Ok(event)
            );
        }
    }

    #[test]
    fn order_escapes_unknown_members_and_no_pairs_are_fine() {
        let odd = r#" {"EventTime":[{}], "PairList":[{"To_Account":"b","x":null,"From_Account":"\u0061"}],
            "x":1, "x":2, "Callback\u0043ommand":"Sns.CallbackBlackListAdd"} "#;
        let event = read_event(Change::Add, odd.as_bytes()).expect("a sound body");
        assert_eq!(event.pairs, [("a".into(), "b".into())]);
        let none = read_event(Change::Add, body("").as_bytes()).expect("a sound body");
        assert_eq!(none.pairs, []);
    }

    #[test]
    fn the_command_of_the_body_is_that_of_the_query() {
        assert!(read_event(Change::Delete, body("").as_bytes()).is_err());
    }

    #[test]
    fn what_is_no_event_is_refused() {
        let good = r#"{"From_Account":"a","To_Account":"b"}"#;
        let bad = [
            String::new(),
            "null".into(),
            "[]".into(),
            format!(r#"["{ADD}",[]]"#),
            format!(r#"{{"CallbackCommand":"{ADD}"}}"#),
            format!(r#"{{"CallbackCommand":"{ADD}","PairList":null}}"#),
            format!(r#"{{"CallbackCommand":"{ADD}","PairList":{{}}}}"#),
            format!(r#"{{"CallbackCommand":"{ADD}","PairList":[],"PairList":[]}}"#),
            format!(r#"{{"callbackcommand":"{ADD}","PairList":[]}}"#),
            r#"{"CallbackCommand":1,"PairList":[]}"#.into(),
            r#"{"PairList":[]}"#.into(),
            body("") + "x",
            body("").replace('}', ""),
            body("1"),
            body("[\"a\",\"b\"]"),
            body(&format!("{good},")),
            body(r#"{"From_Account":"a"}"#),
            body(r#"{"From_Account":"a","To_Account":1}"#),
            body(r#"{"From_Account":"a","To_Account":null}"#),
            body(r#"{"From_Account":"a","To_Account":"b","To_Account":"b"}"#),
            body(r#"{"From_Account":"a","To_Account":"\ud800"}"#),
            format!("\u{feff}{}", body(good)),
        ];
        for body in bad {
            refusal(&body);
        }
        let broken = [body(good).as_bytes(), b"\xff"].concat();
        assert!(read_event(Change::Add, &broken).is_err());
    }

    #[test]
    fn one_account_that_cannot_exist_spoils_the_event() {
        let good = r#"{"From_Account":"a","To_Account":"b"}"#;
        for account in ["", &"x".repeat(33), r"a\nb", r"\u0000"] {
            for pair in [
                format!(r#"{{"From_Account":"{account}","To_Account":"b"}}"#),
                format!(r#"{{"From_Account":"a","To_Account":"{account}"}}"#),
            ] {
                let what = refusal(&body(&format!("{good},{pair}")));
                assert!(what.contains("no identifier"), "{pair}: {what}");
            }
        }
    }

    #[test]
    fn size_depth_and_number_are_bounded() {
        let deep = format!(
            r#"{{"x":{}{},"PairList":[]}}"#,
            "[".repeat(40),
            "]".repeat(40)
        );
        assert!(refusal(&deep).contains("32 levels"));
        assert!(refusal(&(body("") + &" ".repeat(MAX_BODY))).contains("1 MiB"));
        let pair = r#"{"From_Account":"a","To_Account":"b"}"#;
        let many = |count: usize| body(&vec![pair; count].join(","));
        let read = read_event(Change::Add, many(10_000).as_bytes());
        assert_eq!(read.map(|event| event.pairs.len()), Ok(10_000));
        assert!(refusal(&many(10_001)).contains("too many pairs"));
    }

    #[test]
    fn an_answer_is_exactly_the_documented_text() {
        let ok = r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#;
        assert_eq!(answer(true, ""), ok);
        let failed = r#"{"ActionStatus":"FAIL","ErrorCode":1,"ErrorInfo":"not \"ours\""}"#;
        assert_eq!(answer(false, "not \"ours\""), failed);
    }

    #[test]
    fn only_a_documented_answer_means_processed() {
        assert_eq!(check_answer(answer(true, "").as_bytes()), Ok(()));
        let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
        for other in [
            answer(false, "no").as_str(),
            r#"{"ActionStatus":"OK","ErrorCode":1,"ErrorInfo":""}"#,
            r#"{"ActionStatus":"OK"}"#,
            "",
            "ok",
            &deep,
        ] {
            assert!(check_answer(other.as_bytes()).is_err(), "{other}");
        }
    }
}
