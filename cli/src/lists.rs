//! add, delete, check and get.

use std::io::IsTerminal;

use chatblock::api::list_pages::Progress;
use chatblock::api::{ListPages, Listing, MAX_PER_CALL};
use chatblock::{CheckType, Client, Command, Reply, Status};
use indicatif::{ProgressBar, ProgressStyle};

use crate::exit::{self, Failure};
use crate::output;

/// How the parts of one command went.
#[derive(Default)]
struct Tally {
    any_done: bool,
    failure: Option<Status>,
}

impl Tally {
    fn count(&mut self, reply: &Reply) {
        let status = reply.status();
        self.any_done |= status.is_done();
        if status != Status::Ok {
            self.failure.get_or_insert(status);
        }
    }

    fn end(&self) -> Result<(), Failure> {
        match self.failure {
            None => Ok(()),
            Some(_) if self.any_done => Err(Failure::silent(exit::PARTIAL)),
            Some(status) => Err(Failure::silent(exit::code(status))),
        }
    }
}

/// Sends add, delete or check in parts of 1000 accounts. What an outage or a refusal would repeat for
/// every part ends the command; the accounts that were not reached are counted on standard error.
pub fn change_or_check(
    client: &Client,
    (command, owner): (Command, &str),
    accounts: &[String],
    (check_type, json): (CheckType, bool),
) -> Result<(), Failure> {
    let bar = progress(accounts.len());
    let mut tally = Tally::default();
    let mut reached = 0;
    for part in accounts.chunks(MAX_PER_CALL) {
        let reply = match command {
            Command::Add => client.add(owner, part),
            Command::Delete => client.delete(owner, part),
            _ => client.check(owner, part, check_type),
        };
        reached += part.len();
        tally.count(&reply);
        bar.suspend(|| show(command, &reply, json))?;
        bar.inc(part.len() as u64);
        if !reply.status().is_done() && reached < accounts.len() {
            let left = accounts.len() - reached;
            output::complain(&format!("stopped: {left} more accounts were not sent"));
            break;
        }
    }
    bar.finish_and_clear();
    tally.end()
}

/// Shows one page, or every page.
pub fn get(
    client: &Client,
    owner: &str,
    (all, start, limit): (bool, u32, u32),
    json: bool,
) -> Result<(), Failure> {
    if all {
        return get_all(client, owner, limit, json);
    }
    let reply = page(client, owner, start, limit, json)?;
    show(Command::Get, &reply, json)?;
    if reply.next_index() > 0 {
        let next = reply.next_index();
        output::complain(&format!("more entries follow: --start {next}, or --all"));
    }
    Ok(())
}

/// Shows all pages, if they are all of the list: a removed entry moves later ones to pages that were read already
/// (choice C14).
fn get_all(client: &Client, owner: &str, limit: u32, json: bool) -> Result<(), Failure> {
    let mut list = ListPages::default();
    let mut pages: Vec<Reply> = Vec::new();
    loop {
        if list.next_index() == 0 {
            pages.clear();
        }
        let reply = page(client, owner, list.next_index(), limit, json)?;
        let entries = reply.items().iter();
        let entries = entries.map(|item| (item.account().into(), item.time()));
        let listing = Listing {
            next_index: reply.next_index(),
            sequence: reply.sequence(),
        };
        let progress = list.take(entries, listing);
        pages.push(reply);
        match progress {
            Progress::Onward => continue,
            Progress::Whole => {
                return pages
                    .iter()
                    .try_for_each(|reply| show(Command::Get, reply, json));
            }
            Progress::Changed => output::complain(&format!(
                "the list changed while it was read, {} times; nothing is shown: try again",
                list.readings()
            )),
            Progress::Endless => output::complain("the listing does not end; nothing is shown"),
        }
        return Err(Failure::silent(exit::code(Status::Network)));
    }
}

/// One page; what is to be said of one that failed is shown.
fn page(
    client: &Client,
    owner: &str,
    start: u32,
    limit: u32,
    json: bool,
) -> Result<Reply, Failure> {
    let reply = client.get(owner, start, limit);
    if reply.status().is_done() {
        return Ok(reply);
    }
    show(Command::Get, &reply, json)?;
    Err(Failure::silent(exit::code(reply.status())))
}

fn show(command: Command, reply: &Reply, json: bool) -> Result<(), Failure> {
    if json && !reply.json().is_empty() {
        output::line(reply.json())?;
    } else if !json && !reply.items().is_empty() {
        output::table(command, reply.items())?;
    }
    if !reply.message().is_empty() {
        output::complain(reply.message());
    }
    Ok(())
}

/// On standard error, only on a terminal and if there is something to wait for.
fn progress(count: usize) -> ProgressBar {
    if count <= MAX_PER_CALL || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} accounts, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(count as u64).with_style(style)
}
