//! The service's codes as data: meaning and retry class (docs/protocol.md 4.5, 5 and 6).

use super::requests::Command;

/// What a client may do about a code (docs/protocol.md 6, choice C32).
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

/// Whom a refusal concerns: whether a write that is kept until it is answered ends with it (choice C46).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// The caller: key, signature, app, address, quota, rights, or the state of the service. It says nothing
    /// about the write, which can be done once the cause is mended.
    Caller,
    /// The write: its accounts, their list, or its form. Sent again, it would be refused again.
    Write,
    /// In an item: that account. Of a whole request nobody knows whether it means an account or the caller, so the
    /// write is kept.
    Unclear,
}

/// One code of the service.
#[derive(Clone, Copy, Debug)]
pub struct ServiceCode {
    /// The number.
    pub code: i32,
    /// What may be done about it.
    pub retry: Retry,
    /// Whom it concerns.
    pub concern: Concern,
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

const fn code(code: i32, retry: Retry, concern: Concern, meaning: &'static str) -> ServiceCode {
    ServiceCode {
        code,
        retry,
        concern,
        meaning,
    }
}

/// Every known code, ascending.
pub const SERVICE_CODES: &[ServiceCode] = &[
    code(
        BAD_PARAMETER,
        Retry::Never,
        Concern::Write,
        "a parameter of the request is wrong",
    ),
    code(
        30002,
        Retry::Never,
        Concern::Unclear,
        "the account belongs to another SDKAppID or was deleted",
    ),
    code(
        NO_SUCH_ACCOUNT,
        Retry::Never,
        Concern::Write,
        "the account has not been imported; import it first",
    ),
    code(
        NOT_ADMIN,
        Retry::Never,
        Concern::Caller,
        "the caller is not an app admin; appoint \"identifier\" in the console",
    ),
    code(
        30006,
        Retry::Soon,
        Concern::Caller,
        "internal error of the service",
    ),
    code(30007, Retry::Soon, Concern::Caller, "the service timed out"),
    code(
        30008,
        Retry::Soon,
        Concern::Caller,
        "another write to the same list was under way",
    ),
    code(
        LIST_FULL,
        Retry::Never,
        Concern::Write,
        "the blocklist is full (1000 entries); remove some first",
    ),
    code(
        BAD_HTTP,
        Retry::Never,
        Concern::Caller,
        "the request line cannot be used",
    ),
    code(
        BAD_JSON,
        Retry::Never,
        Concern::Unclear,
        "the request body is not a JSON object",
    ),
    code(
        60004,
        Retry::Once,
        Concern::Caller,
        "the service could not check the account",
    ),
    code(
        60005,
        Retry::Once,
        Concern::Caller,
        "the service could not check the account",
    ),
    code(
        60006,
        Retry::Never,
        Concern::Caller,
        "the SDKAppID is invalid",
    ),
    code(
        TOO_FREQUENT,
        Retry::Backoff,
        Concern::Caller,
        "calls come too fast; lower \"rate_per_second\" or raise the limit in the console",
    ),
    code(60008, Retry::Soon, Concern::Caller, "the service timed out"),
    code(
        NO_SUCH_COMMAND,
        Retry::Never,
        Concern::Caller,
        "no such command; check \"base_url\"",
    ),
    code(
        60010,
        Retry::Never,
        Concern::Caller,
        "the caller is not an app admin; appoint \"identifier\" in the console",
    ),
    code(
        60011,
        Retry::Backoff,
        Concern::Caller,
        "calls of this SDKAppID come too fast",
    ),
    code(
        SDKAPPID_MISSING,
        Retry::Never,
        Concern::Caller,
        "the SDKAppID is missing",
    ),
    code(
        60013,
        Retry::Once,
        Concern::Caller,
        "the service could not read its own answer",
    ),
    code(
        60014,
        Retry::Soon,
        Concern::Caller,
        "the account look-up timed out",
    ),
    code(
        ACCOUNT_NOT_STRING,
        Retry::Never,
        Concern::Unclear,
        "an account in the request is not a JSON string",
    ),
    code(
        60016,
        Retry::Never,
        Concern::Caller,
        "the SDKAppID is disabled",
    ),
    code(
        60017,
        Retry::Never,
        Concern::Caller,
        "this request is disabled",
    ),
    code(
        60018,
        Retry::Backoff,
        Concern::Caller,
        "calls come too fast",
    ),
    code(
        60019,
        Retry::Backoff,
        Concern::Caller,
        "calls come too fast",
    ),
    code(
        60020,
        Retry::Never,
        Concern::Caller,
        "the plan is not bought, expired or in arrears",
    ),
    code(
        60021,
        Retry::Never,
        Concern::Caller,
        "calls from this IP address are not allowed; see the console",
    ),
    code(
        BAD_QUERY,
        Retry::Never,
        Concern::Caller,
        "SDKAppID, identifier, UserSig or content type is wrong",
    ),
    code(
        60026,
        Retry::Never,
        Concern::Caller,
        "the host does not serve this SDKAppID; check \"region\"",
    ),
    code(
        60027,
        Retry::Never,
        Concern::Caller,
        "the SDKAppID belongs to another product",
    ),
    code(
        60028,
        Retry::Never,
        Concern::Caller,
        "the calls of the trial edition are used up for 24 hours",
    ),
    code(
        SIGNATURE_EXPIRED,
        Retry::Renew,
        Concern::Caller,
        "the UserSig has expired; if a new one is refused too, check the clock of this machine",
    ),
    code(70002, Retry::Never, Concern::Caller, "the UserSig is empty"),
    code(
        SIGNATURE_ILLEGAL,
        Retry::Never,
        Concern::Caller,
        "the UserSig cannot be decoded",
    ),
    code(
        70005,
        Retry::Never,
        Concern::Caller,
        "the UserSig is illegal",
    ),
    code(
        SIGNATURE_OTHER_KEY,
        Retry::Never,
        Concern::Caller,
        "the UserSig does not verify: the secret key belongs to another SDKAppID",
    ),
    code(
        SIGNATURE_OTHER_USER,
        Retry::Never,
        Concern::Caller,
        "the UserSig was made for another identifier",
    ),
    code(
        SIGNATURE_OTHER_APP,
        Retry::Never,
        Concern::Caller,
        "the UserSig was made for another SDKAppID",
    ),
    code(
        70016,
        Retry::Never,
        Concern::Caller,
        "the service has no key for this SDKAppID; check \"region\"",
    ),
    code(
        UNKNOWN_APP,
        Retry::Never,
        Concern::Caller,
        "the SDKAppID is unknown here; check \"sdkappid\" and \"region\"",
    ),
    code(
        SIGNATURES_REFUSED,
        Retry::Wait60s,
        Concern::Caller,
        "too many failed signature checks; wait a minute",
    ),
    code(
        70051,
        Retry::Never,
        Concern::Unclear,
        "the account is barred by the service",
    ),
    code(
        70052,
        Retry::Renew,
        Concern::Caller,
        "the UserSig is no longer valid",
    ),
    code(
        70101,
        Retry::Never,
        Concern::Caller,
        "the log-in ticket has expired",
    ),
    code(
        70107,
        Retry::Never,
        Concern::Unclear,
        "the account has not been imported; import it first",
    ),
    code(
        70114,
        Retry::Never,
        Concern::Caller,
        "refused for security reasons",
    ),
    code(
        70169,
        Retry::Soon,
        Concern::Caller,
        "the service timed out inside",
    ),
    code(
        70202,
        Retry::Soon,
        Concern::Caller,
        "the service timed out inside",
    ),
    code(
        70206,
        Retry::Never,
        Concern::Unclear,
        "illegal number of accounts in a batch",
    ),
    code(
        70346,
        Retry::Never,
        Concern::Caller,
        "refused by the service, meaning unpublished",
    ),
    code(
        70398,
        Retry::Never,
        Concern::Caller,
        "the number of accounts of this app is used up",
    ),
    code(
        70399,
        Retry::Never,
        Concern::Caller,
        "a deleted account cannot be imported again within three months",
    ),
    code(
        70402,
        Retry::Never,
        Concern::Unclear,
        "a parameter of the account call is wrong",
    ),
    code(
        70403,
        Retry::Never,
        Concern::Caller,
        "the caller is not an app admin",
    ),
    code(
        70404,
        Retry::Never,
        Concern::Caller,
        "the client SDK is too old",
    ),
    code(
        70500,
        Retry::Soon,
        Concern::Caller,
        "internal error of the service",
    ),
    code(
        71000,
        Retry::Never,
        Concern::Caller,
        "deleting accounts is not allowed in this edition",
    ),
    code(
        72000,
        Retry::Never,
        Concern::Caller,
        "the daily active users of this app are used up",
    ),
    code(
        72001,
        Retry::Never,
        Concern::Caller,
        "the feature is not enabled",
    ),
    code(
        72002,
        Retry::Never,
        Concern::Caller,
        "the monthly active users of this app are used up",
    ),
    code(
        72010,
        Retry::Backoff,
        Concern::Caller,
        "log-in related calls come too fast",
    ),
    code(
        72011,
        Retry::Never,
        Concern::Caller,
        "the feature is not enabled",
    ),
    code(
        72012,
        Retry::Never,
        Concern::Caller,
        "the feature is not enabled",
    ),
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

/// Whom `code` concerns. An unknown code may mean anything, so it is no reason to end a write.
pub fn concern(code: i32) -> Concern {
    lookup(code).map_or(Concern::Caller, |row| row.concern)
}

/// Whether a refusal of a whole request can be the fault of one account in it, and not of the owner,
/// the caller or the app. The service of 2018 refused whole requests for a full list (choice C25).
pub fn may_concern_one_account(code: i32) -> bool {
    concern(code) != Concern::Caller
}

/// Whether a write that is refused as a whole with `code` stays: the same write can be done later.
pub fn leaves_the_write(code: i32) -> bool {
    concern(code) != Concern::Write
}

/// Whether an account that failed with `code` can be done later, when the cause is mended at the caller's side.
pub fn leaves_the_account(code: i32) -> bool {
    concern(code) == Concern::Caller
}

/// Whether a page with this HTTP status instead of an answer refuses the caller: access, path or method, wherever the
/// page comes from. Other statuses are about the moment (408, 425, 429, 5xx) or about one request (400, 413).
pub fn page_concerns_caller(http_status: u16) -> bool {
    matches!(http_status, 300..=399 | 401..=407 | 410 | 421 | 426 | 451)
}

/// The verdict on one item (docs/protocol.md 5.2, choice C30).
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

/// Today's code for a code of the pages of 2017-2018 (docs/protocol.md 4.5).
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
    fn only_codes_about_accounts_lists_and_form_end_a_write() {
        let rows = |concern| {
            let rows = SERVICE_CODES.iter();
            let rows = rows.filter(move |row| row.concern == concern);
            rows.map(|row| row.code).collect::<Vec<_>>()
        };
        assert_eq!(rows(Concern::Write), [30001, 30003, 30013]);
        assert_eq!(
            rows(Concern::Unclear),
            [30002, 60003, 60015, 70051, 70107, 70206, 70402]
        );
        let of_the_caller = [60020, 60021, 60026, 70009, 70020, 99999, -1, i32::MAX];
        for code in of_the_caller {
            assert!(leaves_the_write(code) && leaves_the_account(code), "{code}");
            assert!(!may_concern_one_account(code), "{code}");
        }
        assert!(leaves_the_write(30002) && !leaves_the_account(30002));
        assert!(!leaves_the_write(31309), "the full list of 2018");
    }

    #[test]
    fn an_unknown_code_is_never_retried() {
        for code in [1, -1, 29999, 99999, i32::MIN, i32::MAX] {
            assert_eq!(retry(code), Retry::Never);
        }
    }
}
