//! Lists of accounts in a file: lines, or what `get` prints, its table or the JSON of the service. Built into a target of `fuzz/`
//! too, so it uses the library and nothing of this program.

use chatblock::api::Charset;
use chatblock::user_files::is_blank;
use chatblock::wire::{self, ListingFault};

/// A place in a list, in bytes from its start, and what is wrong there.
#[derive(Debug)]
pub struct ListFault {
    pub offset: usize,
    pub what: String,
}

/// An account and its place in the list.
struct Entry {
    account: String,
    offset: usize,
}

/// The accounts in `text`, each of them valid in `charset`.
///
/// # Errors
/// The first one that is not, or what cannot be read, with its place.
pub fn accounts(text: &str, trim: bool, charset: Charset) -> Result<Vec<String>, ListFault> {
    check(parse(text, trim)?, charset)
}

fn parse(text: &str, trim: bool) -> Result<Vec<Entry>, ListFault> {
    if wire::is_listing(text) {
        let entry = |(offset, account)| Entry { account, offset };
        return match wire::read_listings(text) {
            Ok(accounts) => Ok(accounts.into_iter().map(entry).collect()),
            Err(ListingFault { offset, what }) => Err(ListFault { offset, what }),
        };
    }
    if is_table(text) {
        return read_table(text);
    }
    let mut entries = Vec::new();
    for (offset, line) in lines(text) {
        let account = line.trim_matches(is_blank);
        if account.is_empty() {
            continue;
        }
        let start = line.len() - line.trim_start_matches(is_blank).len();
        if account.len() != line.len() && !trim {
            let (place, at) = match start {
                0 => (account.len(), "end"),
                _ => (0, "start"),
            };
            return Err(ListFault {
                offset: offset + place,
                what: format!(
                    "white space at the {at} of the line; remove it, or give --trim to leave it out"
                ),
            });
        }
        entries.push(Entry {
            account: account.to_owned(),
            offset: offset + start,
        });
    }
    Ok(entries)
}

/// The lines of `text` without their ends, each with its place.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut offset = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = offset;
        offset += line.len();
        let line = line.strip_suffix('\n').unwrap_or(line);
        (start, line.strip_suffix('\r').unwrap_or(line))
    })
}

fn check(entries: Vec<Entry>, charset: Charset) -> Result<Vec<String>, ListFault> {
    let checked =
        entries
            .into_iter()
            .map(|Entry { account, offset }| match charset.fault(&account) {
                None => Ok(account),
                Some(fault) => Err(ListFault {
                    offset,
                    what: format!("the account {fault}"),
                }),
            });
    checked.collect()
}

/// The head of what `get` shows, by which its table is known when it is read again.
pub const GET_HEADER: [&str; 2] = ["account", "blocked at (Unix seconds)"];

fn is_header(line: &str) -> bool {
    let words = GET_HEADER.iter().flat_map(|cell| cell.split(' '));
    line.split_whitespace().eq(words)
}

/// Whether `text` begins with the head of the table that `get` prints, which is too long for an account.
fn is_table(text: &str) -> bool {
    let mut lines = lines(text).map(|(_, line)| line);
    lines
        .find(|line| !line.trim_matches(is_blank).is_empty())
        .is_some_and(is_header)
}

/// The accounts in the rows of all tables: the first column, in quotes where that is not plain.
fn read_table(text: &str) -> Result<Vec<Entry>, ListFault> {
    let rows = lines(text).filter(|(_, line)| {
        let is_blank = line.trim_matches(is_blank).is_empty();
        !is_blank && !is_header(line)
    });
    let entry = |(offset, line): (usize, &str)| {
        let fault = |offset, what: &str| ListFault {
            offset,
            what: what.to_owned(),
        };
        let is_time = |word: &&str| word.parse::<i64>().is_ok();
        let (cell, _) = line
            .trim_end()
            .rsplit_once(' ')
            .filter(|(_, time)| is_time(time))
            .ok_or_else(|| fault(offset, "this is not a row of the table that `get` prints"))?;
        let start = offset + cell.len() - cell.trim_start_matches(' ').len();
        let cell = cell.trim_matches(' ');
        let account = if cell.starts_with('"') {
            serde_json::from_str(cell)
                .map_err(|_| fault(start, "the quoted account is no JSON string"))?
        } else {
            cell.to_owned()
        };
        Ok(Entry {
            account,
            offset: start,
        })
    };
    rows.map(entry).collect()
}

/// An account as a cell: itself, or a JSON string if its ends or a part of it could not be seen.
pub fn cell(account: &str) -> String {
    let is_plain = !account.starts_with('"')
        && !account.starts_with(is_blank)
        && !account.ends_with(is_blank)
        && !account.chars().any(char::is_control);
    if is_plain {
        return account.to_owned();
    }
    let quoted = serde_json::Value::from(account).to_string();
    let escape = |c: char| match c {
        c if c.is_control() || (is_blank(c) && c != ' ') => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    quoted.chars().map(escape).collect()
}
