//! What can go wrong, in one table: number, name, and whether the same call may be tried again.

use std::ffi::CStr;
use std::fmt;
use std::io;

/// Outcome of a call or of one account in it. Zero or more is done, negative is not done.
///
/// The numbers are those of `chatblock_status` in the C header; they are never renumbered or reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Status {
    /// Items only: the account was as wanted already.
    Unchanged = 2,
    /// Done for some accounts, not for others.
    Partial = 1,
    /// Done; every account is as wanted now.
    Ok = 0,
    /// NULL, not UTF-8, or out of range.
    Argument = -1,
    /// Bad configuration; the message names the key.
    Config = -2,
    /// Bad request JSON; nothing was sent.
    Request = -3,
    /// The service refused: see the service code.
    Service = -4,
    /// No valid answer; a write may have happened.
    Network = -5,
    /// Out of time; a write may have happened.
    Timeout = -6,
    /// Queue full; nothing was accepted.
    Busy = -7,
    /// Cancelled before it was sent.
    Cancelled = -8,
    /// The client is closing.
    Closed = -9,
    /// The store or the outbox failed.
    Storage = -10,
    /// Local state has no answer.
    Unknown = -11,
    /// `UserSig` or webhook did not verify.
    Signature = -12,
    /// Not on this platform or backend.
    Unsupported = -13,
    /// Client used after `fork()`.
    Forked = -14,
    /// A bug in the library; the client answers only this.
    Panic = -15,
    /// Name, connection or TLS failed, or no turn came in time; nothing was sent.
    Connect = -16,
    /// Not answered; the write is recorded in the outbox and will be sent: do not repeat it.
    Queued = -17,
}

/// One row of the table of statuses.
#[derive(Clone, Copy, Debug)]
pub struct StatusRow {
    /// The status.
    pub status: Status,
    /// Its name in C.
    pub name: &'static CStr,
    /// Whether the same call may succeed when it is repeated unchanged.
    pub retryable: bool,
}

const fn row(status: Status, name: &'static CStr, retryable: bool) -> StatusRow {
    StatusRow {
        status,
        name,
        retryable,
    }
}

impl Status {
    /// Every status, highest number first: the order of the C header.
    pub const TABLE: [StatusRow; 20] = [
        row(Self::Unchanged, c"CHATBLOCK_UNCHANGED", false),
        row(Self::Partial, c"CHATBLOCK_PARTIAL", false),
        row(Self::Ok, c"CHATBLOCK_OK", false),
        row(Self::Argument, c"CHATBLOCK_ERR_ARGUMENT", false),
        row(Self::Config, c"CHATBLOCK_ERR_CONFIG", false),
        row(Self::Request, c"CHATBLOCK_ERR_REQUEST", false),
        row(Self::Service, c"CHATBLOCK_ERR_SERVICE", false),
        row(Self::Network, c"CHATBLOCK_ERR_NETWORK", true),
        row(Self::Timeout, c"CHATBLOCK_ERR_TIMEOUT", true),
        row(Self::Busy, c"CHATBLOCK_ERR_BUSY", true),
        row(Self::Cancelled, c"CHATBLOCK_ERR_CANCELLED", true),
        row(Self::Closed, c"CHATBLOCK_ERR_CLOSED", false),
        row(Self::Storage, c"CHATBLOCK_ERR_STORAGE", false),
        row(Self::Unknown, c"CHATBLOCK_ERR_UNKNOWN", true),
        row(Self::Signature, c"CHATBLOCK_ERR_SIGNATURE", false),
        row(Self::Unsupported, c"CHATBLOCK_ERR_UNSUPPORTED", false),
        row(Self::Forked, c"CHATBLOCK_ERR_FORKED", false),
        row(Self::Panic, c"CHATBLOCK_ERR_PANIC", false),
        row(Self::Connect, c"CHATBLOCK_ERR_CONNECT", true),
        row(Self::Queued, c"CHATBLOCK_ERR_QUEUED", false),
    ];

    /// The number of this status in C.
    pub const fn code(self) -> i32 {
        self as i32
    }

    /// The name of this status in C.
    pub fn name(self) -> &'static str {
        self.row().name.to_str().expect("names are ASCII")
    }

    /// Whether the same call may succeed when it is repeated unchanged. For [`Status::Service`] and
    /// [`Status::Partial`] the service's code decides, see [`crate::api::codes`].
    pub fn is_retryable(self) -> bool {
        self.row().retryable
    }

    /// Whether the call was done, at least in part.
    pub const fn is_done(self) -> bool {
        self.code() >= 0
    }

    fn row(self) -> StatusRow {
        Self::TABLE[usize::try_from(2 - self.code()).unwrap_or(0)]
    }
}

/// Why there is no answer: a status and a text for people that names the argument, key, member or
/// file and the next step. Never contains a key or a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    status: Status,
    message: String,
    /// HTTP status of a page that came instead of an answer; 0 when there was none.
    http_status: u16,
}

impl Error {
    /// An error with a text that says what to do.
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            http_status: 0,
        }
    }

    /// No answer but a page with this HTTP status.
    pub(crate) fn page(http_status: u16, message: impl Into<String>) -> Self {
        Self {
            http_status,
            ..Self::new(Status::Network, message)
        }
    }

    /// A bad argument of a function: `name` is the parameter, `what` completes the sentence.
    pub fn argument(name: &str, what: impl fmt::Display) -> Self {
        Self::new(Status::Argument, format!("{name} {what}"))
    }

    /// A bad key of the configuration.
    pub fn config(key: &str, what: impl fmt::Display) -> Self {
        Self::new(Status::Config, format!("config key \"{key}\" {what}"))
    }

    /// The store or the outbox failed or cannot be opened.
    pub fn storage(file: &std::path::Path, what: impl fmt::Display) -> Self {
        Self::new(Status::Storage, format!("{}: {what}", file.display()))
    }

    /// The status.
    pub fn status(&self) -> Status {
        self.status
    }

    /// HTTP status of a page that came instead of an answer.
    pub(crate) fn http_status(&self) -> Option<u16> {
        (self.http_status != 0).then_some(self.http_status)
    }

    /// The text for people.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// The system's own words for `error`, and the next step where a limit of the system was met.
pub fn with_next_step(error: &io::Error) -> String {
    let step = match error.raw_os_error() {
        Some(libc::EMFILE) => {
            "this process has all the descriptors that it may have; raise the limit (ulimit -n, LimitNOFILE= of systemd)"
        }
        Some(libc::ENFILE) => {
            "this machine has all the files open that it may have; raise fs.file-max"
        }
        Some(libc::ENOSPC | libc::EDQUOT) => "make room on the disk",
        Some(libc::EROFS) => "name a file on another file system",
        Some(libc::EACCES | libc::EPERM) => {
            "check the rights of the file and of its directory for the user of this process"
        }
        Some(libc::EADDRNOTAVAIL) => {
            "the machine may have no local port left for another connection"
        }
        _ => return error.to_string(),
    };
    format!("{error}: {step}")
}

/// At most `most` characters of a foreign text, fit for a line of a message or a log: control characters are blanks, and
/// what would break the line or turn its direction is shown as its number, so that the text cannot pass for another.
pub fn on_one_line(text: &str, most: usize) -> String {
    let mut line = String::with_capacity(text.len().min(most));
    for character in text.chars().take(most) {
        match character {
            _ if character.is_control() => line.push(' '),
            '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}' => line.extend(character.escape_unicode()),
            _ => line.push(character),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_finds_its_own_row() {
        for row in Status::TABLE {
            assert_eq!(row.status.name(), row.name.to_str().unwrap_or_default());
            assert_eq!(row.status.row().status, row.status);
        }
    }

    #[test]
    fn a_foreign_text_stays_on_its_line_and_reads_as_it_is() {
        let text = "a\nb\u{202e}c\u{2028}d\u{feff}e\u{2066}\"f\"";
        let line = on_one_line(text, 100);
        assert_eq!(line, "a b\\u{202e}c\\u{2028}d\\u{feff}e\\u{2066}\"f\"");
        assert_eq!(
            on_one_line("\u{4f60}\u{597d}\u{301}!", 3),
            "\u{4f60}\u{597d}\u{301}"
        );
    }

    #[test]
    fn a_limit_of_the_system_has_its_next_step() {
        let step = |code| with_next_step(&io::Error::from_raw_os_error(code));
        assert!(step(libc::EMFILE).contains("ulimit -n"));
        assert!(step(libc::ENFILE).contains("fs.file-max"));
        assert!(step(libc::ENOSPC).contains("make room"));
        assert!(step(libc::EACCES).contains("rights"));
        assert_eq!(
            step(libc::EINTR),
            io::Error::from_raw_os_error(libc::EINTR).to_string()
        );
    }
}
