//! Accounts from the command line, a file or standard input.

use std::io::{self, BufRead, Read};
use std::path::Path;

use chatblock::user_files;

use crate::args::Targets;
use crate::exit::Failure;

/// More accounts than this in one run are a mistake more often than a wish.
const MOST_BYTES: u64 = user_files::MAX_LISTS;

/// The accounts that `targets` names.
pub fn read(targets: &Targets) -> Result<Vec<String>, Failure> {
    let accounts = match (&targets.from_file, targets.to.as_slice()) {
        (Some(path), _) if path == Path::new("-") => lines(io::stdin().lock(), "standard input"),
        (Some(path), _) => {
            let name = path.display().to_string();
            match user_files::read(path, user_files::MAX_LISTS) {
                Ok(input) => lines(input.bytes.as_slice(), &name),
                Err(what) => Err(Failure::usage(format!("{name} {what}"))),
            }
        }
        (None, [dash]) if dash == "-" => lines(io::stdin().lock(), "standard input"),
        (None, accounts) => Ok(accounts.to_vec()),
    }?;
    if accounts.is_empty() {
        return Err(Failure::usage("no account is given"));
    }
    Ok(accounts)
}

/// One account per line; empty lines do not count.
fn lines(input: impl BufRead, name: &str) -> Result<Vec<String>, Failure> {
    let unusable = |error| Failure::usage(format!("{name} cannot be read: {error}"));
    let mut accounts = Vec::new();
    let mut input = input.take(MOST_BYTES);
    for line in input.by_ref().lines() {
        let line = line.map_err(unusable)?;
        if !line.is_empty() {
            accounts.push(line);
        }
    }
    if input.limit() == 0 {
        return Err(Failure::usage(format!(
            "{name} is larger than {MOST_BYTES} bytes"
        )));
    }
    Ok(accounts)
}
