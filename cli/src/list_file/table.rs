//! The table that `get` printed, to be read again.

use super::{Entry, ListFault, lines};
use crate::output::GET_HEADER;
use chatblock::user_files::is_blank;

fn is_header(line: &str) -> bool {
    let words = GET_HEADER.iter().flat_map(|cell| cell.split(' '));
    line.split_whitespace().eq(words)
}

/// Whether `text` begins with the head of the table that `get` prints, which is too long for an account.
pub(super) fn is_table(text: &str) -> bool {
    let mut lines = lines(text).map(|(_, line)| line);
    lines
        .find(|line| !line.trim_matches(is_blank).is_empty())
        .is_some_and(is_header)
}

/// The accounts in the rows of all tables: the first column, in quotes where that is not plain.
pub(super) fn read(text: &str) -> Result<Vec<Entry>, ListFault> {
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
