//! What an earlier client left behind is taken up: writes are sent, rows that are none are set aside and named.

use std::path::Path;
use std::time::Instant;

use super::{BadRow, Journal, Loaded, Outbox, Record, SqliteJournal};
use crate::client::log::Log;
use crate::config::{LogLevel, Outbox as Settings};
use crate::error::Error;
use crate::sqlite::Source;

/// So many rows are named in the log at one open; `chatblock outbox show` names all.
const MOST_NAMED: usize = 20;

/// An outbox that was opened.
pub(in crate::client) struct Opened {
    pub(in crate::client) outbox: Outbox,
    pub(in crate::client) journal: SqliteJournal,
    /// The file of the journal, to copy it.
    pub(in crate::client) file: Source,
    /// Writes to be sent, oldest first.
    pub(in crate::client) left: Vec<Record>,
}

/// Opens the outbox of the app `sdkappid`, at `now`, which is `unix_seconds`.
///
/// # Errors
/// Those of [`SqliteJournal::open`].
pub(in crate::client) fn open(
    settings: &Settings,
    sdkappid: u32,
    log: &Log,
    (now, unix_seconds): (Instant, i64),
) -> Result<Opened, Error> {
    let path = settings.path.as_path();
    let mut ids = Vec::new();
    let (mut journal, found) = SqliteJournal::open(path, sdkappid, |row| ids.push(row.id))?;
    if let Some(notice) = journal.notice() {
        log.line(LogLevel::Warn, || notice);
    }
    let (mut bad, mut bad_rows) = (found.bad, found.bad_rows);
    let mut left = Vec::with_capacity(ids.len());
    for (id, loaded) in journal.read(&ids) {
        match loaded {
            Loaded::Write(record) => left.push(record),
            Loaded::Bad(reason) => {
                bad_rows += 1;
                bad.push(BadRow::new(id, reason));
            }
            Loaded::Unreadable(error) => return Err(error),
            Loaded::Gone => {}
        }
    }
    name(path, log, &bad, bad_rows);
    let mut outbox = Outbox::new(settings.max_bytes, settings.commit, &left);
    outbox.begin_at(found.next_id);
    outbox.find_letters(found.letters);
    outbox.set_aside(bad, unix_seconds, now);
    Ok(Opened {
        outbox,
        file: journal.file(),
        journal,
        left,
    })
}

/// Says in the log which rows are set aside.
fn name(path: &Path, log: &Log, bad: &[BadRow], count: u64) {
    for row in bad.iter().take(MOST_NAMED) {
        log.line(LogLevel::Error, || unsendable(path, row));
    }
    if count > MOST_NAMED as u64 {
        log.line(LogLevel::Error, || {
            let more = count - MOST_NAMED as u64;
            format!("{}: {more} more rows are not sent", path.display())
        });
    }
}

/// What the log says of a row that is no write.
pub(in crate::client) fn unsendable(path: &Path, row: &BadRow) -> String {
    let what = format!(
        "row {} of table writes {}; it is not sent, look at it with `chatblock outbox show`",
        row.id, row.reason
    );
    Error::storage(path, what).message().to_owned()
}
