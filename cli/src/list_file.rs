//! Accounts from the command line, a file or standard input: all of them are looked at before the first is sent.
//!
//! A file is a list of lines, or what `get` prints: its table, or the JSON of the service.

mod table;

use std::path::Path;

use chatblock::api::Charset;
use chatblock::user_files::{self, is_blank};
use chatblock::wire::{self, ListingFault};

use crate::args::Targets;
use crate::exit::Failure;
use crate::input::{self, STDIN};

/// A place in a list, in bytes from its start, and what is wrong there.
struct ListFault {
    offset: usize,
    what: String,
}

/// An account and its place in the list.
struct Entry {
    account: String,
    offset: usize,
}

/// The accounts that `targets` names, each of them valid in `charset`.
///
/// # Errors
/// What cannot be an account, with file, line and column.
pub fn read(targets: &Targets, charset: Charset) -> Result<Vec<String>, Failure> {
    let path = match (&targets.from_file, targets.to.as_slice()) {
        (Some(path), _) => path,
        (None, [dash]) if dash == STDIN => Path::new(STDIN),
        (None, accounts) => return given(accounts, charset),
    };
    let (name, bytes) = if path == Path::new(STDIN) {
        (
            input::STDIN_NAME.to_owned(),
            input::stdin(0, user_files::MAX_LISTS)?,
        )
    } else {
        let name = path.display().to_string();
        match user_files::read(path, user_files::MAX_LISTS) {
            Ok(input) => (name, input.bytes),
            Err(what) => return Err(Failure::usage(format!("{name} {what}"))),
        }
    };
    let text = user_files::decode(&bytes).map_err(|error| Failure::usage(error.of(&name)))?;
    let entries = parse(text, targets.trim).and_then(|entries| check(entries, charset));
    let accounts = entries.map_err(|ListFault { offset, what }| {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.split('\n').count();
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        Failure::usage(format!("{name}:{line}:{column}: {what}; nothing was sent"))
    })?;
    if accounts.is_empty() {
        return Err(Failure::usage(format!("{name} names no account")));
    }
    Ok(accounts)
}

/// The accounts in the command line, which are taken as they are.
fn given(accounts: &[String], charset: Charset) -> Result<Vec<String>, Failure> {
    for (number, account) in (1..).zip(accounts) {
        if let Some(fault) = charset.fault(account) {
            return Err(Failure::usage(format!(
                "account {number} of the command line {fault}; nothing was sent"
            )));
        }
    }
    Ok(accounts.to_vec())
}

fn parse(text: &str, trim: bool) -> Result<Vec<Entry>, ListFault> {
    if wire::is_listing(text) {
        let entry = |(offset, account)| Entry { account, offset };
        return match wire::read_listings(text) {
            Ok(accounts) => Ok(accounts.into_iter().map(entry).collect()),
            Err(ListingFault { offset, what }) => Err(ListFault { offset, what }),
        };
    }
    if table::is_table(text) {
        return table::read(text);
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
