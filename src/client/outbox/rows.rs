//! Rows of the outbox file, read as untrusted input: a program that can write to the file can have written anything.
//! A row is checked against the limits of a request, and its sizes are read before its strings, so nothing large is
//! loaded.

use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::record::{BadRow, Letter, LetterCounts, Record, Refused, WriteState, record_bytes};
use crate::api::accounts::{self, Charset};
use crate::api::{Account, Command, Operation, Request, Targets};
use crate::client::scheduler::CallId;
use crate::client::validate::MAX_TARGETS;

/// Ids below this one are assigned by the outbox; above it there is still room for more writes than a machine can
/// make.
const ID_LIMIT: u64 = 1 << 62;
/// Longest text of targets: each with its line feed.
const MAX_TEXT: usize = MAX_TARGETS * (accounts::MAX_BYTES + 1);

/// Longest text of codes, one for each target, and longest reason.
const MAX_CODES: usize = MAX_TARGETS * 12;
const MAX_REASON: usize = 4096;
/// So much is read at once.
const PAGE_BYTES: u64 = 4 << 20;

/// A row without its targets.
pub(in crate::client) struct Stored<'a> {
    pub(in crate::client) id: CallId,
    pub(in crate::client) owner: &'a str,
    pub(in crate::client) command: Command,
    /// What it takes of `outbox.max_bytes`.
    pub(in crate::client) bytes: u64,
    /// Unix seconds.
    pub(in crate::client) accepted: i64,
}

/// Goes through all rows that are not dead letters, in order of their ids, without loading their targets.
pub(super) fn scan(
    connection: &Connection,
    mut each: impl FnMut(Result<Stored<'_>, BadRow>),
) -> rusqlite::Result<()> {
    let mut letters = connection.prepare("SELECT id FROM dead_letters ORDER BY id")?;
    let mut letters = letters.query([])?;
    let mut next_letter =
        || -> rusqlite::Result<Option<i64>> { letters.next()?.map(|row| row.get(0)).transpose() };
    let mut letter = next_letter()?;
    let mut rows = connection.prepare(&format!(
        "SELECT id, {}, {}, {}, accepted FROM writes ORDER BY id",
        bounded("command", 32),
        bounded("owner", accounts::MAX_BYTES),
        octets("targets"),
    ))?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        while letter.is_some_and(|letter| letter < id) {
            letter = next_letter()?;
        }
        if letter != Some(id) {
            each(stored(row, id).map_err(|reason| BadRow { id, reason }));
        }
    }
    Ok(())
}

/// The write with this id, or why the row is none; `None` where there is no row.
pub(super) fn read(
    connection: &Connection,
    id: CallId,
) -> rusqlite::Result<Option<Result<Record, String>>> {
    let mut row = connection.prepare_cached(&format!("{} WHERE writes.id = ?1", whole()))?;
    row.query_row([id], |row| Ok(record(row))).optional()
}

/// Whether the row with this key is a write but for its key, or why not; `None` where there is no row.
pub(super) fn content(
    connection: &Connection,
    id: i64,
) -> rusqlite::Result<Option<Result<(), String>>> {
    let mut row = connection.prepare_cached(&format!("{} WHERE writes.id = ?1", whole()))?;
    let content = |row: &Row<'_>| Ok(request(row).map(drop));
    row.query_row([id], content).optional()
}

/// A row with its mark, if it has one.
pub(super) struct Whole {
    pub(super) id: i64,
    pub(super) request: Result<Arc<Request>, String>,
    pub(super) accepted: i64,
    pub(super) letter: Option<Letter>,
}

impl Whole {
    pub(super) fn state(&self) -> WriteState {
        match &self.letter {
            None => WriteState::Queued,
            Some(letter) if letter.code == 0 => WriteState::Bad,
            Some(_) => WriteState::Refused,
        }
    }
}

/// Goes through all rows in order, while `each` gives true.
pub(super) fn each(
    connection: &Connection,
    mut each: impl FnMut(Whole) -> rusqlite::Result<bool>,
) -> rusqlite::Result<()> {
    let mut rows = connection.prepare(&format!("{} ORDER BY writes.id", whole()))?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        let is_marked = row.get::<_, Option<i64>>(5)?.is_some();
        let whole = Whole {
            id,
            request: our_id(id).and_then(|_| request(row)),
            accepted: accepted(row).unwrap_or(0),
            letter: is_marked.then(|| letter(row, 5)).transpose()?,
        };
        if !each(whole)? {
            break;
        }
    }
    Ok(())
}

/// Selects rows, and the columns of their marks after their own.
fn whole() -> String {
    format!(
        "SELECT writes.id, {}, {}, {}, accepted, number, mark.id, refused, code, {}, {} \
         FROM writes LEFT JOIN dead_letters AS mark ON mark.id = writes.id",
        bounded("command", 32),
        bounded("owner", accounts::MAX_BYTES),
        bounded("targets", MAX_TEXT),
        bounded("codes", MAX_CODES),
        bounded("reason", MAX_REASON),
    )
}

/// The greatest id that the outbox assigned.
pub(super) fn last_id(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    let last = "SELECT max(id) FROM writes WHERE id BETWEEN 0 AND ?1";
    connection.query_row(last, [ID_LIMIT - 1], |row| row.get(0))
}

pub(super) fn is_our_id(id: i64) -> bool {
    our_id(id).is_ok()
}

/// Whether there is not a single row.
pub(super) fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    let any = connection.query_row("SELECT EXISTS (SELECT 1 FROM writes)", [], |row| {
        row.get::<_, bool>(0)
    })?;
    Ok(!any)
}

/// How many dead letters there are.
pub(super) fn count_letters(connection: &Connection) -> rusqlite::Result<LetterCounts> {
    connection.query_row(
        "SELECT count(*) FILTER (WHERE code <> 0), count(*) FILTER (WHERE code = 0), coalesce(max(number), 0) FROM dead_letters WHERE number < ?1",
        [ID_LIMIT],
        |row| {
            Ok(LetterCounts {
                refused: row.get(0)?,
                bad_rows: row.get(1)?,
                last: row.get(2)?,
            })
        },
    )
}

/// Marks rows as dead letters; one that is marked stays as it is.
pub(super) fn insert_letters(connection: &Connection, letters: &[Letter]) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT OR IGNORE INTO dead_letters (number, id, refused, code, codes, reason) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for letter in letters {
        insert.execute(params![
            letter.number,
            letter.id,
            letter.refused,
            letter.code,
            letter.codes,
            letter.reason,
        ])?;
    }
    Ok(())
}

/// Removes rows and their marks.
pub(super) fn delete_letters(connection: &Connection, ids: &[CallId]) -> rusqlite::Result<()> {
    let mut mark = connection.prepare_cached("DELETE FROM dead_letters WHERE id = ?1")?;
    let mut row = connection.prepare_cached("DELETE FROM writes WHERE id = ?1")?;
    for id in ids {
        mark.execute([id])?;
        row.execute([id])?;
    }
    Ok(())
}

/// As [`super::Journal::refused`]. What cannot be a refused write is left out.
pub(super) fn refused(
    connection: &Connection,
    after: i64,
    count: usize,
) -> rusqlite::Result<(Vec<Refused>, Option<i64>)> {
    let mut letters = connection.prepare_cached(&format!(
        "SELECT number, id, refused, code, {}, {} FROM dead_letters WHERE number > ?1 ORDER BY number",
        bounded("codes", MAX_CODES),
        bounded("reason", MAX_REASON),
    ))?;
    let mut letters = letters.query([after])?;
    let (mut page, mut last) = (Vec::new(), None);
    let mut bytes = 0;
    while page.len() < count
        && bytes < PAGE_BYTES
        && let Some(row) = letters.next()?
    {
        let letter = letter(row, 0)?;
        last = Some(letter.number);
        let id = CallId::try_from(letter.id)
            .ok()
            .filter(|_| letter.code != 0);
        let record = id.map(|id| read(connection, id)).transpose()?;
        if let Some(Some(Ok(record))) = record {
            bytes += record.bytes();
            page.push(Refused { letter, record });
        }
    }
    Ok((page, last))
}

/// The mark in the columns from `first` on.
fn letter(row: &Row<'_>, first: usize) -> rusqlite::Result<Letter> {
    Ok(Letter {
        number: row.get(first)?,
        id: row.get(first + 1)?,
        refused: row.get(first + 2)?,
        code: row.get(first + 3)?,
        codes: row.get::<_, Option<String>>(first + 4)?.unwrap_or_default(),
        reason: row.get::<_, Option<String>>(first + 5)?.unwrap_or_default(),
    })
}

/// The size of a column in bytes. SQLite knows it without loading the text, but older ones cannot be asked: they load
/// one text at a time.
fn octets(column: &str) -> String {
    const OCTET_LENGTH: i32 = 3_043_000;
    if rusqlite::version_number() >= OCTET_LENGTH {
        format!("octet_length({column})")
    } else {
        format!("length(CAST({column} AS BLOB))")
    }
}

/// A column, or NULL where it is longer than `max` bytes.
fn bounded(column: &str, max: usize) -> String {
    format!("CASE WHEN {} <= {max} THEN {column} END", octets(column))
}

fn stored<'a>(row: &'a Row<'_>, id: i64) -> Result<Stored<'a>, String> {
    let length = match column(row, 3)? {
        ValueRef::Integer(length) => usize::try_from(length).unwrap_or(usize::MAX),
        _ => return Err("has no accounts".into()),
    };
    if length == 0 || length > MAX_TEXT {
        return Err(format!(
            "has {length} bytes of accounts, outside 1 to {MAX_TEXT}"
        ));
    }
    let owner = owner(row)?;
    Ok(Stored {
        id: our_id(id)?,
        owner,
        command: command(row)?,
        // The last account has no line feed.
        bytes: record_bytes(owner.len(), length + 1),
        accepted: accepted(row)?,
    })
}

fn record(row: &Row<'_>) -> Result<Record, String> {
    let ValueRef::Integer(id) = column(row, 0)? else {
        return Err("has no id".into());
    };
    Ok(Record::new(our_id(id)?, request(row)?, accepted(row)?))
}

fn request(row: &Row<'_>) -> Result<Arc<Request>, String> {
    let owner = owner(row)?;
    let targets = targets(text(row, 3, "its accounts")?)?;
    let operation = match command(row)? {
        Command::Delete => Operation::Delete(targets),
        _ => Operation::Add(targets),
    };
    Ok(Arc::new(Request {
        owner: owner.into(),
        operation,
    }))
}

fn our_id(id: i64) -> Result<CallId, String> {
    let ours = CallId::try_from(id).ok().filter(|id| *id < ID_LIMIT);
    ours.ok_or_else(|| format!("has an id outside 0 to {}", ID_LIMIT - 1))
}

fn command(row: &Row<'_>) -> Result<Command, String> {
    let command = text(row, 1, "its command")
        .ok()
        .and_then(Command::from_name);
    command
        .filter(|command| command.is_write())
        .ok_or_else(|| "is neither an add nor a delete".into())
}

fn owner<'a>(row: &'a Row<'_>) -> Result<&'a str, String> {
    let owner = text(row, 2, "its owner")?;
    Charset::Utf8
        .fault(owner)
        .map_or(Ok(owner), |fault| Err(format!("has an owner that {fault}")))
}

fn accepted(row: &Row<'_>) -> Result<i64, String> {
    match column(row, 4)? {
        ValueRef::Integer(seconds) => Ok(seconds),
        _ => Err("does not say when it was accepted".into()),
    }
}

/// The accounts of a text, one a line.
fn targets(text: &str) -> Result<Targets, String> {
    let count = text.split('\n').count();
    if count > MAX_TARGETS {
        return Err(format!("has {count} accounts, more than {MAX_TARGETS}"));
    }
    let valid = |(index, target): (usize, &str)| {
        let fault = Charset::Utf8.fault(target);
        fault.map_or_else(
            || Ok(Account::from(target)),
            |fault| Err(format!("has an account (index {index}) that {fault}")),
        )
    };
    text.split('\n').enumerate().map(valid).collect()
}

fn text<'a>(row: &'a Row<'_>, index: usize, what: &str) -> Result<&'a str, String> {
    match column(row, index)? {
        ValueRef::Text(bytes) => std::str::from_utf8(bytes)
            .map_err(|_| format!("has bytes that are not UTF-8 in {what}")),
        ValueRef::Null => Err(format!("has too many bytes in {what}")),
        _ => Err(format!("has something else than a text in {what}")),
    }
}

fn column<'a>(row: &'a Row<'_>, index: usize) -> Result<ValueRef<'a>, String> {
    row.get_ref(index).map_err(|error| error.to_string())
}
