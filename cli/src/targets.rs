//! The accounts of a command: from the command line, a file or standard input. All of them are looked at before the first is sent.

use std::path::Path;

use chatblock::api::Charset;
use chatblock::user_files;

use crate::args::Targets;
use crate::exit::Failure;
use crate::input::{self, STDIN};
use crate::list_file::{self, ListFault};

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
    let accounts = list_file::accounts(text, targets.trim, charset);
    let accounts = accounts.map_err(|ListFault { offset, what }| {
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
