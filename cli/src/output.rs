//! Output: tables, lines and error messages.

use std::io::{self, Write};

use chatblock::{Command, Relation, ReplyItem, Status};
use comfy_table::{Table, presets};

use crate::list_file::{GET_HEADER, cell};

/// Writes `line` to standard output. A reader that closes the pipe is not a failure: the exit code still reports the
/// outcome of the command.
pub fn line(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

/// Writes `line` to standard error. If it is closed, nothing more can be reported.
pub fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "chatblock: {}", printable(line));
}

/// One row per account.
pub fn table(command: Command, items: &[ReplyItem]) -> io::Result<()> {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    match command {
        Command::Get => table.set_header(GET_HEADER),
        Command::Check => table.set_header(["account", "relation", "code"]),
        Command::Add | Command::Delete => table.set_header(["account", "result", "code"]),
    };
    for item in items {
        let account = cell(item.account());
        match command {
            Command::Get => table.add_row([account, item.time().to_string()]),
            Command::Check => table.add_row([account, relation(item), item.code().to_string()]),
            Command::Add | Command::Delete => {
                table.add_row([account, result(command, item), item.code().to_string()])
            }
        };
    }
    line(&table.trim_fmt())
}

fn result(command: Command, item: &ReplyItem) -> String {
    match (item.status(), command) {
        (Status::Ok, Command::Add) => "blocked".to_owned(),
        (Status::Ok, _) => "unblocked".to_owned(),
        (Status::Unchanged, Command::Add) => "was blocked already".to_owned(),
        (Status::Unchanged, _) => "was not blocked".to_owned(),
        (status, _) => failed(status, item.code()),
    }
}

fn relation(item: &ReplyItem) -> String {
    match item.relation() {
        Relation::No => "none".to_owned(),
        Relation::AWithB => "blocked by the owner".to_owned(),
        Relation::BWithA => "blocks the owner".to_owned(),
        Relation::BothWay => "both block each other".to_owned(),
        Relation::None => failed(item.status(), item.code()),
    }
}

fn failed(status: Status, code: i32) -> String {
    match chatblock::api::codes::lookup(code) {
        Some(row) => format!("failed: {}", row.meaning),
        None => format!("failed: {}", status.name()),
    }
}

/// Text of others, fit for a terminal.
pub fn printable(text: &str) -> String {
    let fit = |c: char| if c.is_control() { '\u{FFFD}' } else { c };
    text.chars().map(fit).collect()
}
