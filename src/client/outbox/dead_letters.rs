//! Writes that are sent no more and stay on disk: refused ones until their refusal is polled, and rows of the file that
//! are no writes until an operator removes them.

use super::BadRow;

/// The mark of a row that is sent no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::client) struct Letter {
    /// Grows in the order in which they were set aside.
    pub(super) number: i64,
    /// The key of the row.
    pub(super) id: i64,
    /// When it was refused or found, Unix seconds.
    pub(super) refused: i64,
    /// The code of the service for all of its accounts; 0 for a row that is no write.
    pub(super) code: i32,
    /// One code for each account with blanks between, where they differ.
    pub(super) codes: String,
    /// Words of the service, or what is wrong with the row.
    pub(super) reason: String,
}

impl Letter {
    pub(super) fn bad_row(number: i64, row: BadRow, unix_seconds: i64) -> Self {
        Self {
            number,
            id: row.id,
            refused: unix_seconds,
            code: 0,
            codes: String::new(),
            reason: row.reason,
        }
    }
}

/// How many dead letters there are.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::client) struct LetterCounts {
    /// Rows that are no writes.
    pub(super) bad_rows: u64,
    /// The greatest number.
    pub(super) last: i64,
}
