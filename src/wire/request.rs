//! Request bodies: written by the client, read by the server and by the JSON functions.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::object::Name;
use crate::api::codes::{ACCOUNT_NOT_STRING, BAD_JSON, BAD_PARAMETER};
use crate::api::{Account, Charset, CheckType, Command, MAX_PER_CALL, Operation, Request, Targets};

/// Why a body is no request: the service's code and a text that names the member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the service answers.
    pub code: i32,
    /// What is wrong, naming the member.
    pub message: String,
}

fn refuse<T>(code: i32, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal {
        code,
        message: message.into(),
    })
}

/// Longest body without its targets.
const ROOM: usize = 192;

/// The JSON body that asks `request` of the service.
pub fn write_request(request: &Request) -> Vec<u8> {
    let targets = request.targets();
    let room = targets.iter().map(|target| target.len() + 3).sum::<usize>();
    let mut body = Vec::with_capacity(ROOM + room);
    body.extend_from_slice(br#"{"From_Account":"#);
    write_account(&mut body, &request.owner);
    let written = match &request.operation {
        Operation::Add(_) | Operation::Delete(_) => {
            write_targets(&mut body, targets);
            Ok(())
        }
        Operation::Check(_, kind) => {
            write_targets(&mut body, targets);
            write!(body, r#","CheckType":"{}""#, kind.wire_name())
        }
        Operation::Get {
            start_index,
            limit,
            last_sequence,
        } => write!(
            body,
            r#","StartIndex":{start_index},"MaxLimited":{limit},"LastSequence":{last_sequence}"#
        ),
    };
    written.expect("a Vec takes everything");
    body.push(b'}');
    body
}

fn write_targets(body: &mut Vec<u8>, targets: &[Account]) {
    body.extend_from_slice(br#","To_Account":["#);
    for (index, target) in targets.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        write_account(body, target);
    }
    body.push(b']');
}

/// As serde_json would; it looks at each byte for itself.
fn write_account(body: &mut Vec<u8>, account: &Account) {
    if super::is_plain(account) {
        body.push(b'"');
        body.extend_from_slice(account.as_bytes());
        body.push(b'"');
    } else {
        serde_json::to_writer(body, account).expect("strings always serialize");
    }
}

/// Names of members in the order of [`RawBody`].
const NAMES: [&str; 6] = [
    "From_Account",
    "To_Account",
    "CheckType",
    "StartIndex",
    "MaxLimited",
    "LastSequence",
];

/// Members as they came, typed one by one in the order of docs/protocol.md 10. A `null` is present and of the wrong type.
#[derive(Default)]
struct RawBody<'a> {
    members: [Option<&'a RawValue>; NAMES.len()],
    /// Which of them came more than once.
    is_twice: [bool; NAMES.len()],
}

impl RawBody<'_> {
    /// Row 8: a proxy may read another one of two members of `command` than this server (choice C48). Those of other
    /// commands are ignored, as unknown ones are.
    fn check_once(&self, command: Command) -> Result<(), Refusal> {
        let of_command = member_names(command);
        let mut twice = NAMES.iter().zip(self.is_twice);
        match twice.find(|(name, is_twice)| *is_twice && of_command.contains(name)) {
            Some((name, _)) => refuse(BAD_JSON, format!("request JSON has {name} twice")),
            None => Ok(()),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawBody<'a> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_map(BodyVisitor)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = RawBody<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<RawBody<'de>, A::Error> {
        let mut body = RawBody::default();
        while let Some(Name(name)) = members.next_key()? {
            let Some(place) = NAMES.iter().position(|known| *known == name) else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            body.is_twice[place] |= body.members[place].is_some();
            body.members[place] = Some(members.next_value()?);
        }
        Ok(body)
    }
}

/// Reads the body of `command`, rows 8 and 10 to 15 of docs/protocol.md 10.
pub fn parse_request(command: Command, body: &[u8], charset: Charset) -> Result<Request, Refusal> {
    let raw = parse_object(body)?;
    raw.check_once(command)?;
    let [owner, to, check_type, start_index, limit, last_sequence] = raw.members;
    let owner = parse_owner(owner, charset)?;
    let operation = match command {
        Command::Add => Operation::Add(parse_targets(to)?),
        Command::Delete => Operation::Delete(parse_targets(to)?),
        Command::Check => Operation::Check(parse_targets(to)?, parse_check_type(check_type)?),
        Command::Get => Operation::Get {
            start_index: parse_number(start_index, "StartIndex", 0, i64::MAX)?,
            limit: u32::try_from(parse_number(
                limit,
                "MaxLimited",
                1,
                i64::try_from(MAX_PER_CALL).unwrap_or(i64::MAX),
            )?)
            .expect("range checked"),
            last_sequence: parse_number(last_sequence, "LastSequence", 0, i64::MAX)?,
        },
    };
    Ok(Request { owner, operation })
}

/// Members of the request of `command`.
pub fn member_names(command: Command) -> &'static [&'static str] {
    match command {
        Command::Add | Command::Delete => &["From_Account", "To_Account"],
        Command::Check => &["From_Account", "To_Account", "CheckType"],
        Command::Get => &["From_Account", "StartIndex", "MaxLimited", "LastSequence"],
    }
}

/// A member of `body`, an object, that `command` does not have. The service ignores it; for a caller it is a wish that
/// would not be met.
pub fn unknown_member(command: Command, body: &str) -> Option<String> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(body).ok()?;
    let known = member_names(command);
    members.into_keys().find(|name| !known.contains(&&**name))
}

/// Row 8 of docs/protocol.md 10 alone: whether `body` is one JSON object, of `command` if it is one of the blocklist.
///
/// # Errors
/// The refusal with code 60003.
pub fn check_object(command: Option<Command>, body: &[u8]) -> Result<(), Refusal> {
    let raw = parse_object(body)?;
    command.map_or(Ok(()), |command| raw.check_once(command))
}

fn parse_object(body: &[u8]) -> Result<RawBody<'_>, Refusal> {
    if super::is_too_deep(body) {
        return refuse(BAD_JSON, "request JSON nests deeper than 32 levels");
    }
    // Checked whole: serde_json would not look into strings that it skips.
    let Ok(text) = std::str::from_utf8(body) else {
        return refuse(BAD_JSON, "request JSON is not UTF-8");
    };
    serde_json::from_str(text).or_else(|error| {
        refuse(
            BAD_JSON,
            format!(
                "request JSON cannot be read at line {}, column {}",
                error.line(),
                error.column()
            ),
        )
    })
}

fn parse_owner(raw: Option<&RawValue>, charset: Charset) -> Result<Account, Refusal> {
    let Some(raw) = raw else {
        return refuse(BAD_PARAMETER, "From_Account is missing");
    };
    let Some(owner) = parse_string(raw) else {
        return refuse(ACCOUNT_NOT_STRING, "From_Account is not a string");
    };
    match charset.fault(&owner) {
        Some(fault) => refuse(BAD_PARAMETER, format!("From_Account {fault}")),
        None => Ok(owner),
    }
}

fn parse_targets(raw: Option<&RawValue>) -> Result<Targets, Refusal> {
    let Some(raw) = raw else {
        return refuse(BAD_PARAMETER, "To_Account is missing");
    };
    let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) else {
        return refuse(BAD_PARAMETER, "To_Account is not an array");
    };
    if elements.is_empty() {
        return refuse(BAD_PARAMETER, "To_Account is empty");
    }
    if elements.len() > MAX_PER_CALL {
        return refuse(
            BAD_PARAMETER,
            format!(
                "To_Account has {} elements; at most 1000 are allowed",
                elements.len()
            ),
        );
    }
    let typed = |(index, element): (usize, &&RawValue)| {
        parse_string(element).map_or_else(
            || {
                refuse(
                    ACCOUNT_NOT_STRING,
                    format!("To_Account[{index}] is not a string"),
                )
            },
            Ok,
        )
    };
    elements.iter().enumerate().map(typed).collect()
}

fn parse_check_type(raw: Option<&RawValue>) -> Result<CheckType, Refusal> {
    let Some(raw) = raw else {
        return refuse(BAD_PARAMETER, "CheckType is missing");
    };
    match parse_string(raw).as_deref() {
        Some(super::SINGLE) => Ok(CheckType::Single),
        Some(super::BOTH) => Ok(CheckType::Both),
        _ => refuse(
            BAD_PARAMETER,
            format!(
                "CheckType must be \"{}\" or \"{}\"",
                super::SINGLE,
                super::BOTH
            ),
        ),
    }
}

fn parse_number(raw: Option<&RawValue>, name: &str, least: i64, most: i64) -> Result<u64, Refusal> {
    let Some(raw) = raw else {
        return refuse(BAD_PARAMETER, format!("{name} is missing"));
    };
    // serde_json reads it as a number with a fraction (choice C51).
    let text = match raw.get() {
        "-0" => "0",
        text => text,
    };
    match serde_json::from_str::<i64>(text) {
        Ok(number) if (least..=most).contains(&number) => Ok(number.unsigned_abs()),
        Ok(_) if most == i64::MAX => refuse(BAD_PARAMETER, format!("{name} is negative")),
        Ok(_) => refuse(
            BAD_PARAMETER,
            format!("{name} is outside {least} to {most}"),
        ),
        Err(_) => refuse(BAD_PARAMETER, format!("{name} is not an integer")),
    }
}

fn parse_string(raw: &RawValue) -> Option<Account> {
    serde_json::from_str(raw.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(command: Command, body: &str) -> i32 {
        match parse_request(command, body.as_bytes(), Charset::Printable) {
            Ok(_) => 0,
            Err(refusal) => refusal.code,
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let requests = [
            Operation::Add(vec!["b\"\\".into(), "c".into()].into()),
            Operation::Delete(vec!["b".into()].into()),
            Operation::Check(vec!["b".into()].into(), CheckType::Both),
            Operation::Get {
                start_index: 7,
                limit: 1000,
                last_sequence: 3,
            },
        ];
        for operation in requests {
            let request = Request {
                owner: "ann".into(),
                operation,
            };
            let body = write_request(&request);
            assert_eq!(
                parse_request(request.command(), &body, Charset::Printable),
                Ok(request)
            );
        }
    }

    #[test]
    fn an_account_is_written_as_any_json_text_wherever_it_needs_an_escape() {
        for character in (0..=0x7f_u8).map(char::from).chain(['\u{80}', '\u{1f600}']) {
            for place in 0..9 {
                let mut account = "aaaaaaaa".to_owned();
                account.insert(place, character);
                let account = Account::from(account);
                let mut body = Vec::new();
                write_account(&mut body, &account);
                assert_eq!(body, serde_json::to_vec(&account).expect("a text"));
            }
        }
    }

    #[test]
    fn the_first_fault_in_the_order_of_the_protocol_wins() {
        use Command::{Add, Check, Get};
        assert_eq!(code(Add, r#"{"From_Account":1}"#), ACCOUNT_NOT_STRING);
        assert_eq!(code(Add, r#"{"From_Account":null}"#), ACCOUNT_NOT_STRING);
        assert_eq!(code(Add, r#"{"To_Account":[1]}"#), BAD_PARAMETER);
        assert_eq!(
            code(Add, r#"{"From_Account":"a","To_Account":[1]}"#),
            ACCOUNT_NOT_STRING
        );
        assert_eq!(
            code(
                Check,
                r#"{"From_Account":"a","To_Account":[1],"CheckType":5}"#
            ),
            ACCOUNT_NOT_STRING
        );
        assert_eq!(
            code(
                Check,
                r#"{"From_Account":"a","To_Account":["b"],"CheckType":5}"#
            ),
            BAD_PARAMETER
        );
        assert_eq!(
            code(
                Get,
                r#"{"From_Account":"a","StartIndex":0,"MaxLimited":1.0,"LastSequence":0}"#
            ),
            BAD_PARAMETER
        );
        assert_eq!(
            code(
                Get,
                r#"{"From_Account":"a","StartIndex":0,"MaxLimited":1,"LastSequence":0}"#
            ),
            0
        );
    }

    #[test]
    fn a_number_is_an_integer_without_fraction_or_exponent() {
        let code = |start: &str| {
            let body = format!(
                r#"{{"From_Account":"a","StartIndex":{start},"MaxLimited":1,"LastSequence":0}}"#
            );
            code(Command::Get, &body)
        };
        assert_eq!(["0", "-0", "7"].map(code), [0; 3]);
        let refused = ["-1", "1.0", "1e0", "-0.0", "\"1\"", "null"];
        assert_eq!(refused.map(code), [BAD_PARAMETER; 6]);
    }

    #[test]
    fn a_member_that_the_command_does_not_have_is_ignored_and_named() {
        let body = r#"{"From_Account":"a","To_Account":["b"],"CheckType":[{}]}"#;
        assert_eq!(code(Command::Add, body), 0);
        let unknown = |command| unknown_member(command, body);
        assert_eq!(unknown(Command::Add).as_deref(), Some("CheckType"));
        assert_eq!(unknown(Command::Get).as_deref(), Some("CheckType"));
        assert_eq!(unknown(Command::Check), None);
        for command in Command::ALL {
            let written = write_request(&Request {
                owner: "a".into(),
                operation: match command {
                    Command::Add => Operation::Add(vec!["b".into()].into()),
                    Command::Delete => Operation::Delete(vec!["b".into()].into()),
                    Command::Check => Operation::Check(vec!["b".into()].into(), CheckType::Single),
                    Command::Get => Operation::Get {
                        start_index: 0,
                        limit: 1,
                        last_sequence: 0,
                    },
                },
            });
            let written: BTreeMap<String, &RawValue> =
                serde_json::from_slice(&written).expect("an object");
            let mut names = member_names(command).to_vec();
            names.sort_unstable();
            assert_eq!(written.into_keys().collect::<Vec<_>>(), names);
        }
    }

    #[test]
    fn what_is_not_one_json_object_is_60003() {
        let deep = format!("{{\"x\":{}1{}}}", "[".repeat(40), "]".repeat(40));
        let twice = r#"{"From_Account":"a","From_Account":"b","To_Account":["c"]}"#;
        for body in [
            "",
            " ",
            "[]",
            "1",
            "\"a\"",
            "{",
            "{}{}",
            "\u{feff}{}",
            &deep,
            twice,
        ] {
            assert_eq!(code(Command::Add, body), BAD_JSON, "{body}");
        }
    }
}
