//! The service's codes as data: meaning and retry class (docs/protocol.md 4.5, 5 and 6).

mod table;

pub use table::{
    ACCOUNT_NOT_STRING, BAD_HTTP, BAD_JSON, BAD_PARAMETER, BAD_QUERY, Concern, LIST_FULL,
    NO_SUCH_ACCOUNT, NO_SUCH_COMMAND, NOT_ADMIN, Retry, SDKAPPID_MISSING, SERVICE_CODES,
    SIGNATURE_EXPIRED, SIGNATURE_ILLEGAL, SIGNATURE_OTHER_APP, SIGNATURE_OTHER_KEY,
    SIGNATURE_OTHER_USER, SIGNATURES_REFUSED, ServiceCode, TOO_FREQUENT, UNKNOWN_APP,
};

use super::requests::Command;

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

/// `ResultInfo` of an add that had nothing to do.
pub const ALREADY_EXIST: &str = "Err_SNS_BlackListAdd_Already_Exist";
/// `ResultInfo` of a delete that had nothing to do (choice C26).
pub const NOT_EXIST: &str = "Err_SNS_BlackListDelete_Not_Exist";

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
