//! Loads what an earlier client left: writes are sent, rows that are not valid writes are kept apart and reported.

use std::path::Path;
use std::time::Instant;

use super::beyond::FIRST_PAGE;
use super::{BadRow, CallId, Journal, Limit, Loaded, Outbox, SqliteJournal};
use crate::api::Command;
use crate::config::{LogLevel, Outbox as Settings};
use crate::error::Error;
use crate::log::Log;
use crate::sqlite::Source;

/// So many rows are named in the log at one open; `chatblock outbox show` names all.
const MOST_NAMED: usize = 20;

/// An outbox that was opened.
pub(in crate::client) struct Opened {
    pub(in crate::client) outbox: Outbox,
    pub(in crate::client) journal: SqliteJournal,
    /// The file of the journal, to copy it.
    pub(in crate::client) file: Source,
    /// How many writes there are to be sent, adds and deletes.
    pub(in crate::client) left: [(Command, usize); 2],
    /// The first of them.
    pub(in crate::client) page: Vec<(CallId, Loaded)>,
}

/// Opens the outbox of the app `sdkappid`, with at most `limit` in memory, at `now`, which is `unix_seconds`.
///
/// # Errors
/// Those of [`SqliteJournal::open`].
pub(in crate::client) fn open(
    settings: &Settings,
    sdkappid: u32,
    limit: Limit,
    log: &Log,
    (now, unix_seconds): (Instant, i64),
) -> Result<Opened, Error> {
    let path = settings.path.as_path();
    let mut outbox = Outbox::new(settings.max_bytes, settings.commit, limit);
    let mut left = [(Command::Add, 0), (Command::Delete, 0)];
    let (mut journal, found) = SqliteJournal::open(path, sdkappid, |row| {
        outbox.find(row);
        left[usize::from(row.command == Command::Delete)].1 += 1;
    })?;
    if let Some(notice) = journal.notice() {
        log.line(LogLevel::Warn, || notice);
    }
    outbox.begin_at(found.next_id);
    outbox.find_letters(found.letters);
    name(path, log, &found.bad, found.bad_rows);
    outbox.set_aside(found.bad, unix_seconds, now);
    // What is damaged here is found before anything is sent.
    let page = journal.read(&outbox.begin_page_of(FIRST_PAGE));
    for (_, loaded) in &page {
        if let Loaded::Unreadable(error) | Loaded::Locked(error) = loaded {
            return Err(error.clone());
        }
    }
    Ok(Opened {
        outbox,
        file: journal.file(),
        journal,
        left,
        page,
    })
}

/// Says in the log which rows are set aside.
fn name(path: &Path, log: &Log, bad: &[BadRow], count: u64) {
    for row in bad.iter().take(MOST_NAMED) {
        log.line(LogLevel::Error, || {
            format!("{}: {}", path.display(), unsendable(row))
        });
    }
    if count > MOST_NAMED as u64 {
        log.line(LogLevel::Error, || {
            let more = count - MOST_NAMED as u64;
            format!("{}: {more} more rows are not sent", path.display())
        });
    }
}

/// What the log says of a row that is no write.
pub(in crate::client) fn unsendable(row: &BadRow) -> String {
    format!(
        "row {} of table writes {}; it is not sent, look at it with `chatblock outbox show`",
        row.id, row.reason
    )
}
