//! The service's codes as data: meaning and retry class (protocol.md sections 4.5, 5 and 6).

use super::requests::Command;

/// What a client may do about a code (protocol.md section 6, choice C32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Repeat after a short delay with jitter.
    Soon,
    /// Repeat once, then report.
    Once,
    /// Repeat after a delay of at least one second, doubling.
    Backoff,
    /// Do not use this signature before 60 seconds have passed.
    Wait60s,
    /// Make a new `UserSig`, repeat once.
    Renew,
    /// Report; repeating unchanged cannot help.
    Never,
}

impl Retry {
    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_retryable(self) -> bool {
        self != Self::Never
    }
}

/// What one item of an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Changed, or looked up, as asked.
    Done,
    /// Nothing to do: already blocked on add, not blocked on delete.
    Unchanged,
    /// Not done.
    Failed(Retry),
    /// The answer does not say.
    Unanswered,
}

impl Verdict {
    /// Whether the account is as wanted now.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Done | Self::Unchanged)
    }
}

/// One code of the service.
#[derive(Clone, Copy, Debug)]
pub struct ServiceCode {
    /// The number.
    pub code: i32,
    /// What may be done about it.
    pub retry: Retry,
    /// What it means and, where there is one, the next step.
    pub meaning: &'static str,
}

/// A parameter is wrong, or (item level) there is nothing to do.
pub const BAD_PARAMETER: i32 = 30001;
/// The account has not been imported.
pub const NO_SUCH_ACCOUNT: i32 = 30003;
/// The caller is not an app admin.
pub const NOT_ADMIN: i32 = 30004;
/// The list holds 1000 entries.
pub const LIST_FULL: i32 = 30013;
/// Method or request line cannot be used.
pub const BAD_HTTP: i32 = 60002;
/// The body is not a JSON object.
pub const BAD_JSON: i32 = 60003;
/// Calls come too fast.
pub const TOO_FREQUENT: i32 = 60007;
/// No such command.
pub const NO_SUCH_COMMAND: i32 = 60009;
/// `sdkappid` is missing.
pub const SDKAPPID_MISSING: i32 = 60012;
/// An account in the body is not a string.
pub const ACCOUNT_NOT_STRING: i32 = 60015;
/// A parameter of the request line is missing or wrong.
pub const BAD_QUERY: i32 = 60025;
/// The signature has expired.
pub const SIGNATURE_EXPIRED: i32 = 70001;
/// The signature cannot be decoded.
pub const SIGNATURE_ILLEGAL: i32 = 70003;
/// The signature was made with another key.
pub const SIGNATURE_OTHER_KEY: i32 = 70009;
/// The signature was made for another user.
pub const SIGNATURE_OTHER_USER: i32 = 70013;
/// The signature was made for another app.
pub const SIGNATURE_OTHER_APP: i32 = 70014;
/// The app is unknown here.
pub const UNKNOWN_APP: i32 = 70020;

/// Too many signatures were refused.
pub const SIGNATURES_REFUSED: i32 = 70050;

/// `ResultInfo` of an add that had nothing to do.
pub const ALREADY_EXIST: &str = "Err_SNS_BlackListAdd_Already_Exist";
/// `ResultInfo` of a delete that had nothing to do (choice C26).
pub const NOT_EXIST: &str = "Err_SNS_BlackListDelete_Not_Exist";

const fn code(code: i32, retry: Retry, meaning: &'static str) -> ServiceCode {
    ServiceCode {
        code,
        retry,
        meaning,
    }
}

/// Every known code, ascending.
pub const SERVICE_CODES: &[ServiceCode] = &[
    code(
        BAD_PARAMETER,
        Retry::Never,
        "a parameter of the request is wrong",
    ),
    code(
        30002,
        Retry::Never,
        "the account belongs to another SDKAppID or was deleted",
    ),
    code(
        NO_SUCH_ACCOUNT,
        Retry::Never,
        "the account has not been imported; import it first",
    ),
    code(
        NOT_ADMIN,
        Retry::Never,
        "the caller is not an app admin; appoint \"identifier\" in the console",
    ),
    code(30006, Retry::Soon, "internal error of the service"),
    code(30007, Retry::Soon, "the service timed out"),
    code(
        30008,
        Retry::Soon,
        "another write to the same list was under way",
    ),
    code(
        LIST_FULL,
        Retry::Never,
        "the blocklist is full (1000 entries); remove some first",
    ),
    code(BAD_HTTP, Retry::Never, "the request line cannot be used"),
    code(
        BAD_JSON,
        Retry::Never,
        "the request body is not a JSON object",
    ),
    code(
        60004,
        Retry::Once,
        "the service could not check the account",
    ),
    code(
        60005,
        Retry::Once,
        "the service could not check the account",
    ),
    code(60006, Retry::Never, "the SDKAppID is invalid"),
    code(
        TOO_FREQUENT,
        Retry::Backoff,
        "calls come too fast; lower \"rate_per_second\" or raise the limit in the console",
    ),
    code(60008, Retry::Soon, "the service timed out"),
    code(
        NO_SUCH_COMMAND,
        Retry::Never,
        "no such command; check \"base_url\"",
    ),
    code(
        60010,
        Retry::Never,
        "the caller is not an app admin; appoint \"identifier\" in the console",
    ),
    code(
        60011,
        Retry::Backoff,
        "calls of this SDKAppID come too fast",
    ),
    code(SDKAPPID_MISSING, Retry::Never, "the SDKAppID is missing"),
    code(
        60013,
        Retry::Once,
        "the service could not read its own answer",
    ),
    code(60014, Retry::Soon, "the account look-up timed out"),
    code(
        ACCOUNT_NOT_STRING,
        Retry::Never,
        "an account in the request is not a JSON string",
    ),
    code(60016, Retry::Never, "the SDKAppID is disabled"),
    code(60017, Retry::Never, "this request is disabled"),
    code(60018, Retry::Backoff, "calls come too fast"),
    code(60019, Retry::Backoff, "calls come too fast"),
    code(
        60020,
        Retry::Never,
        "the plan is not bought, expired or in arrears",
    ),
    code(
        60021,
        Retry::Never,
        "calls from this IP address are not allowed; see the console",
    ),
    code(
        BAD_QUERY,
        Retry::Never,
        "SDKAppID, identifier, UserSig or content type is wrong",
    ),
    code(
        60026,
        Retry::Never,
        "the host does not serve this SDKAppID; check \"region\"",
    ),
    code(
        60027,
        Retry::Never,
        "the SDKAppID belongs to another product",
    ),
    code(
        60028,
        Retry::Never,
        "the calls of the trial edition are used up for 24 hours",
    ),
    code(
        SIGNATURE_EXPIRED,
        Retry::Renew,
        "the UserSig has expired; if a new one is refused too, check the clock of this machine",
    ),
    code(70002, Retry::Never, "the UserSig is empty"),
    code(
        SIGNATURE_ILLEGAL,
        Retry::Never,
        "the UserSig cannot be decoded",
    ),
    code(70005, Retry::Never, "the UserSig is illegal"),
    code(
        SIGNATURE_OTHER_KEY,
        Retry::Never,
        "the UserSig does not verify: the secret key belongs to another SDKAppID",
    ),
    code(
        SIGNATURE_OTHER_USER,
        Retry::Never,
        "the UserSig was made for another identifier",
    ),
    code(
        SIGNATURE_OTHER_APP,
        Retry::Never,
        "the UserSig was made for another SDKAppID",
    ),
    code(
        70016,
        Retry::Never,
        "the service has no key for this SDKAppID; check \"region\"",
    ),
    code(
        UNKNOWN_APP,
        Retry::Never,
        "the SDKAppID is unknown here; check \"sdkappid\" and \"region\"",
    ),
    code(
        SIGNATURES_REFUSED,
        Retry::Wait60s,
        "too many failed signature checks; wait a minute",
    ),
    code(70051, Retry::Never, "the account is barred by the service"),
    code(70052, Retry::Renew, "the UserSig is no longer valid"),
    code(70101, Retry::Never, "the log-in ticket has expired"),
    code(
        70107,
        Retry::Never,
        "the account has not been imported; import it first",
    ),
    code(70114, Retry::Never, "refused for security reasons"),
    code(70169, Retry::Soon, "the service timed out inside"),
    code(70202, Retry::Soon, "the service timed out inside"),
    code(70206, Retry::Never, "illegal number of accounts in a batch"),
    code(
        70346,
        Retry::Never,
        "refused by the service, meaning unpublished",
    ),
    code(
        70398,
        Retry::Never,
        "the number of accounts of this app is used up",
    ),
    code(
        70399,
        Retry::Never,
        "a deleted account cannot be imported again within three months",
    ),
    code(
        70402,
        Retry::Never,
        "a parameter of the account call is wrong",
    ),
    code(70403, Retry::Never, "the caller is not an app admin"),
    code(70404, Retry::Never, "the client SDK is too old"),
    code(70500, Retry::Soon, "internal error of the service"),
    code(
        71000,
        Retry::Never,
        "deleting accounts is not allowed in this edition",
    ),
    code(
        72000,
        Retry::Never,
        "the daily active users of this app are used up",
    ),
    code(72001, Retry::Never, "the feature is not enabled"),
    code(
        72002,
        Retry::Never,
        "the monthly active users of this app are used up",
    ),
    code(72010, Retry::Backoff, "log-in related calls come too fast"),
    code(72011, Retry::Never, "the feature is not enabled"),
    code(72012, Retry::Never, "the feature is not enabled"),
];

/// The row of `code`; codes of 2017-2018 answer for their successors.
pub fn lookup(code: i32) -> Option<&'static ServiceCode> {
    let code = modern(code);
    let index = SERVICE_CODES
        .binary_search_by_key(&code, |row| row.code)
        .ok()?;
    Some(&SERVICE_CODES[index])
}

/// What may be done about `code`; an unknown code is never retried.
pub fn retry(code: i32) -> Retry {
    lookup(code).map_or(Retry::Never, |row| row.retry)
}

/// `code` with its meaning, for a message.
pub fn explain(code: i32) -> String {
    match lookup(code) {
        Some(row) => format!("{code}: {}", row.meaning),
        None => format!("{code}: a code of the service that this version does not know"),
    }
}

/// Whether a refusal of a whole request can be the fault of one account in it, and not of the owner,
/// the caller or the app. The service of 2018 refused whole requests for a full list (choice C25).
pub fn may_concern_one_account(code: i32) -> bool {
    matches!(
        modern(code),
        BAD_PARAMETER | 30002 | LIST_FULL | ACCOUNT_NOT_STRING
    )
}

/// The verdict on one item (protocol.md 5.2, choice C30).
pub fn judge(command: Command, code: i32, info: &str) -> Verdict {
    let nothing_to_do = match (command, code) {
        (Command::Add, 31307) | (Command::Delete, 31503) => true,
        (Command::Add, BAD_PARAMETER) => info.ends_with("_Already_Exist"),
        (Command::Delete, BAD_PARAMETER) => {
            info.ends_with("_Not_Exist") && !info.contains("Account")
        }
        _ => false,
    };
    match code {
        0 => Verdict::Done,
        _ if nothing_to_do => Verdict::Unchanged,
        _ => Verdict::Failed(retry(code)),
    }
}

/// Today's code for a code of the pages of 2017-2018 (protocol.md 4.5).
fn modern(code: i32) -> i32 {
    match code {
        31301 | 31307 | 31401 | 31404 | 31501 | 31503 | 31601 => BAD_PARAMETER,
        31302 => 30002,
        31303..=31306 | 31308 | 31403 | 31405 | 31406 | 31502 | 31504 | 31602 => 30006,
        31309 => LIST_FULL,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_every_row_is_found() {
        assert!(
            SERVICE_CODES
                .windows(2)
                .all(|pair| pair[0].code < pair[1].code)
        );
        for row in SERVICE_CODES {
            assert_eq!(lookup(row.code).map(|found| found.code), Some(row.code));
        }
    }

    #[test]
    fn the_two_faces_of_30001_are_told_apart_by_command_and_text() {
        use Command::{Add, Check, Delete};
        assert_eq!(judge(Add, 30001, ALREADY_EXIST), Verdict::Unchanged);
        assert_eq!(
            judge(Add, 30001, "Err_SNS_BlackListDelete_Not_Exist"),
            Verdict::Failed(Retry::Never)
        );
        assert_eq!(judge(Delete, 30001, NOT_EXIST), Verdict::Unchanged);
        assert_eq!(
            judge(Delete, 30001, "Err_SNS_To_Account_Not_Exist"),
            Verdict::Failed(Retry::Never)
        );
        assert_eq!(
            judge(Check, 30001, ALREADY_EXIST),
            Verdict::Failed(Retry::Never)
        );
        assert_eq!(judge(Add, 30001, ""), Verdict::Failed(Retry::Never));
    }

    #[test]
    fn old_codes_answer_for_their_successors() {
        assert_eq!(judge(Command::Add, 31307, ""), Verdict::Unchanged);
        assert_eq!(judge(Command::Delete, 31503, ""), Verdict::Unchanged);
        assert_eq!(
            judge(Command::Add, 31503, ""),
            Verdict::Failed(Retry::Never)
        );
        assert_eq!(retry(31305), Retry::Soon);
        assert_eq!(lookup(31309).map(|row| row.code), Some(LIST_FULL));
    }

    #[test]
    fn an_unknown_code_is_never_retried() {
        for code in [1, -1, 29999, 99999, i32::MIN, i32::MAX] {
            assert_eq!(retry(code), Retry::Never);
        }
    }
}
