//! outbox show, retry and drop.

use std::io::IsTerminal;
use std::path::Path;

use chatblock::api::{Account, Request};
use chatblock::clock::{Clock, SystemClock};
use chatblock::outbox_file::{Changed, OutboxFile, Selection, StoredWrite, WriteState};
use chatblock::{Command, Status};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::args::{OutboxAction, ToDrop, ToRetry};
use crate::exit::{self, Failure};
use crate::output;

/// So many accounts of a write are named in a line for people.
const MOST_NAMED: usize = 3;

/// Shows or changes what an outbox holds.
pub fn run(action: OutboxAction, json: bool) -> Result<(), Failure> {
    match action {
        OutboxAction::Show { file } => show(&open(&file)?, json),
        OutboxAction::Retry { file, rows } => {
            let bar = progress();
            let changed = open(&file)?.retry(&rows.selection(), |count| bar.inc(count));
            bar.finish_and_clear();
            report(&changed?, "to be sent again", json)
        }
        OutboxAction::Drop { file, rows } => {
            let bar = progress();
            let changed = open(&file)?.drop_writes(&rows.selection(), |count| bar.inc(count));
            bar.finish_and_clear();
            report(&changed?, "dropped", json)
        }
    }
}

fn open(file: &Path) -> Result<OutboxFile, Failure> {
    let path = std::path::absolute(file)
        .map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
    Ok(OutboxFile::open(&path, SystemClock.unix_seconds())?)
}

impl ToRetry {
    fn selection(self) -> Selection {
        if self.all {
            Selection::State(WriteState::Refused)
        } else {
            Selection::Ids(self.ids)
        }
    }
}

impl ToDrop {
    fn selection(self) -> Selection {
        match self {
            Self { all: true, .. } => Selection::All,
            Self { queued: true, .. } => Selection::State(WriteState::Queued),
            Self { refused: true, .. } => Selection::State(WriteState::Refused),
            Self { bad: true, .. } => Selection::State(WriteState::Bad),
            Self { ids, .. } => Selection::Ids(ids),
        }
    }
}

fn show(file: &OutboxFile, json: bool) -> Result<(), Failure> {
    let mut counts = [0u64; 3];
    file.each(|write| {
        counts[write.state as usize] += 1;
        let line = if json {
            as_json(&write)
        } else {
            as_text(&write)
        };
        output::line(&line).map_err(Failure::from)
    })?;
    if !json {
        let [queued, refused, bad] = counts;
        output::line(&format!("{queued} queued, {refused} refused, {bad} bad"))?;
    }
    Ok(())
}

fn name(state: WriteState) -> &'static str {
    match state {
        WriteState::Queued => "queued",
        WriteState::Refused => "refused",
        WriteState::Bad => "bad",
    }
}

fn as_json(write: &StoredWrite) -> String {
    let mut line = json!({"id": write.id, "state": name(write.state), "accepted": write.accepted});
    if let Some(request) = &write.request {
        let targets: Vec<_> = request.targets().iter().map(Account::as_str).collect();
        line["command"] = json!(request.command().name());
        line["From_Account"] = json!(request.owner.as_str());
        line["To_Account"] = json!(targets);
    }
    if write.state != WriteState::Queued {
        line["refused"] = json!(write.refused);
        line["code"] = json!(write.code);
        line["reason"] = json!(write.reason);
    }
    line.to_string()
}

fn as_text(write: &StoredWrite) -> String {
    let state = name(write.state);
    let what = write.request.as_deref().map(in_words).unwrap_or_default();
    let line = match write.state {
        WriteState::Queued => format!("{} {state}{what}, accepted at {}", write.id, write.accepted),
        WriteState::Refused => format!(
            "{} {state}{what}, accepted at {}, refused with {} {}",
            write.id, write.accepted, write.code, write.reason
        ),
        WriteState::Bad => format!("{} {state}{what}: the row {}", write.id, write.reason),
    };
    output::printable(&line)
}

/// Owner, command and the first accounts of a write.
fn in_words(request: &Request) -> String {
    let verb = match request.command() {
        Command::Delete => "unblock",
        _ => "block",
    };
    let targets = request.targets();
    let named: Vec<_> = targets
        .iter()
        .take(MOST_NAMED)
        .map(Account::as_str)
        .collect();
    let more = match targets.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(": {} {verb} {}{more}", request.owner, named.join(" "))
}

fn report(changed: &Changed, what: &str, json: bool) -> Result<(), Failure> {
    if json {
        output::line(&json!({"done": changed.done, "missing": changed.missing}).to_string())?;
    } else {
        output::line(&format!("{} {what}", changed.done))?;
    }
    for id in &changed.missing {
        output::complain(&format!("{id}: there is no such write"));
    }
    for (id, reason) in &changed.unsendable {
        output::complain(&format!("{id} cannot be sent: the row {reason}"));
    }
    if changed.missing.is_empty() && changed.unsendable.is_empty() {
        return Ok(());
    }
    let code = if changed.done == 0 {
        exit::code(Status::Argument)
    } else {
        exit::PARTIAL
    };
    Err(Failure::silent(code))
}

/// On standard error, only on a terminal.
fn progress() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {pos} writes")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}
