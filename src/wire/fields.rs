//! Fields of responses that may be missing or malformed, before they are checked.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Object;
use super::bounded::Bounded;

/// A member that should hold a code.
pub(super) trait Code {
    /// The code, if it is one.
    fn read(&self) -> Option<i32>;
}

impl Code for i32 {
    fn read(&self) -> Option<i32> {
        Some(*self)
    }
}

/// An integer or, counted as odd but read, a string that is its decimal form: "00" and "-0" are the form of no number.
/// Never cut to 32 bits.
impl Code for &RawValue {
    fn read(&self) -> Option<i32> {
        let text = self.get();
        let Some(text) = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
        else {
            // As a number of JSON -0 is 0.
            return if text == "-0" {
                Some(0)
            } else {
                text.parse().ok()
            };
        };
        text.parse()
            .ok()
            .filter(|number: &i32| number.to_string() == text)
    }
}

pub(super) type AccountNames<'a> = Bounded<Cow<'a, str>>;

/// A text that is borrowed where it can be: serde copies the `Cow` inside an `Option`.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// Enough to decide whether a request was refused, whatever else is in the response.
#[derive(Deserialize)]
pub(super) struct RawEnvelope<'a> {
    #[serde(rename = "ActionStatus", borrow)]
    pub(super) status: Cow<'a, str>,
    #[serde(rename = "ErrorCode", borrow)]
    pub(super) code: &'a RawValue,
    #[serde(rename = "ErrorInfo", borrow, default)]
    pub(super) info: Option<Cow<'a, str>>,
    #[serde(rename = "RequestId", borrow, default)]
    pub(super) request_id: Option<Cow<'a, str>>,
}

/// Members of all four answers. `C` is `i32`, as the service writes codes, or `&RawValue`, which accepts any value.
/// Old names (docs/protocol.md 4.5) are read as today's.
#[derive(Deserialize)]
#[serde(bound(deserialize = "C: Deserialize<'de>"))]
pub(super) struct RawAnswer<'a, C> {
    #[serde(rename = "ActionStatus", borrow)]
    pub(super) status: Cow<'a, str>,
    #[serde(rename = "ErrorCode")]
    pub(super) code: C,
    #[serde(rename = "ErrorInfo", borrow, default)]
    pub(super) info: Option<Cow<'a, str>>,
    #[serde(rename = "RequestId", borrow, default)]
    pub(super) request_id: Option<Cow<'a, str>>,
    #[serde(rename = "ResultItem", borrow, default)]
    pub(super) changes: Option<Bounded<Object<RawItem<'a, C>>>>,
    #[serde(rename = "BlackListCheckItem", alias = "CheckItem", borrow, default)]
    pub(super) checks: Option<Bounded<Object<RawItem<'a, C>>>>,
    #[serde(rename = "BlackListItem", borrow, default)]
    pub(super) entries: Option<Bounded<Object<RawEntry<'a>>>>,
    #[serde(rename = "Fail_Account", borrow, default)]
    pub(super) failed: Option<AccountNames<'a>>,
    #[serde(rename = "Invalid_Account", borrow, default)]
    pub(super) invalid: Option<AccountNames<'a>>,
    #[serde(rename = "StartIndex", default)]
    pub(super) next_index: Option<u32>,
    #[serde(rename = "CurrentSequence", default)]
    pub(super) sequence: Option<u64>,
    #[serde(rename = "CurruentSequence", default)]
    pub(super) sequence_old: Option<u64>,
}

/// One account of a change or a check.
#[derive(Deserialize)]
#[serde(bound(deserialize = "C: Deserialize<'de>"))]
pub(super) struct RawItem<'a, C> {
    #[serde(rename = "To_Account", borrow)]
    pub(super) account: Cow<'a, str>,
    #[serde(rename = "ResultCode", default = "Option::default")]
    pub(super) code: Option<C>,
    #[serde(rename = "ResultInfo", borrow, default)]
    pub(super) info: Option<Text<'a>>,
    #[serde(rename = "Relation", borrow, default)]
    pub(super) relation: Option<Text<'a>>,
}

/// One account of a list.
#[derive(Deserialize)]
pub(super) struct RawEntry<'a> {
    #[serde(rename = "To_Account", alias = "Black_Account", borrow)]
    pub(super) account: Cow<'a, str>,
    #[serde(rename = "AddBlackTimeStamp", alias = "BlackTimeStamp", default)]
    pub(super) time: i64,
}

#[cfg(test)]
mod tests {
    use crate::api::{CheckType, Operation, Request};
    use crate::wire::{Malformed, read_answer};

    const ITEMS: &str = r#"{"To_Account":"a\u0041","Relation":"BlackCheckResult_Type_NO","ResultCode":0,"ResultInfo":""},
        {"To_Account":"b","Relation":"BlackCheckResult_Type_NO","ResultCode":30003,"ResultInfo":"no"}"#;

    fn read(rest: &str) -> Result<crate::api::Answer, Malformed> {
        let targets = ["aA", "b"].map(Into::into).into_iter().collect();
        let request = Request {
            owner: "o".into(),
            operation: Operation::Check(targets, CheckType::Single),
        };
        let text = format!(
            r#"{{"BlackListCheckItem":[{ITEMS}],"Fail_Account":["b"],"ActionStatus":"OK","ErrorInfo":"i",{rest}}}"#
        );
        let answer = read_answer(&request, text.clone().into_bytes())?;
        assert_eq!(answer.text, Some(text));
        Ok(crate::api::Answer {
            text: None,
            ..answer
        })
    }

    #[test]
    fn an_odd_answer_says_the_same_as_a_documented_one() {
        let documented = read(r#""ErrorCode":0"#).expect("it is as documented");
        assert_eq!(documented.items.len(), 2);
        for odd in [
            r#""ErrorCode":"0""#,
            r#""ErrorCode":0,"Unknown":[[],{"[":"{"}]"#,
            &format!(r#""ErrorCode":0,"Unknown":"{}""#, "[".repeat(99)),
        ] {
            assert_eq!(read(odd), Ok(documented.clone()), "{odd}");
        }
    }

    #[test]
    fn unknown_members_may_not_hide_depth() {
        let unknown = |levels: usize| {
            let (open, close) = ("[".repeat(levels), "]".repeat(levels));
            read(&format!(r#""ErrorCode":0,"Unknown":{open}{close}"#))
        };
        assert!(unknown(31).is_ok());
        assert_eq!(unknown(32), Err(Malformed("nests deeper than 32 levels")));
    }
}
