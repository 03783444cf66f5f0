//! `chatblock`: the operator's tool and the server (design.md 3.5, 3.6).

mod args;
mod exit;
mod lists;
mod output;
mod serve;
mod targets;
mod usersig;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chatblock::config::{Backend, Config};
use chatblock::{CheckType, Client, Command};
use clap::Parser;
use zeroize::Zeroizing;

use args::{Action, Arguments};
use exit::Failure;

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let text = read_config(arguments.config)?;
    let json = arguments.json;
    match arguments.action {
        Action::Serve(wanted) => serve::run(&Config::parse(&text)?, wanted),
        Action::Usersig(action) => usersig::run(Config::parse(&text)?, &action),
        Action::Add(targets) => {
            let way = (CheckType::Single, json);
            lists::change_or_check(&open(&text)?, Command::Add, &targets, way)
        }
        Action::Delete(targets) => {
            let way = (CheckType::Single, json);
            lists::change_or_check(&open(&text)?, Command::Delete, &targets, way)
        }
        Action::Check { targets, both } => {
            let kind = if both {
                CheckType::Both
            } else {
                CheckType::Single
            };
            lists::change_or_check(&open(&text)?, Command::Check, &targets, (kind, json))
        }
        Action::Get {
            from,
            all,
            start,
            limit,
        } => lists::get(&open(&text)?, &from, (all, start, limit), json),
    }
}

/// The text of the configuration, which may contain a key.
fn read_config(path: Option<PathBuf>) -> Result<Zeroizing<String>, Failure> {
    let path = path.or_else(|| std::env::var_os("CHATBLOCK_CONFIG").map(PathBuf::from));
    let Some(path) = path else {
        return Ok(Zeroizing::new("{}".to_owned()));
    };
    let unusable = |error| unreadable(&path, &error);
    std::fs::read_to_string(&path)
        .map(Zeroizing::new)
        .map_err(unusable)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("{} cannot be read: {error}", path.display()))
}

fn open(config: &str) -> Result<Client, Failure> {
    if let Backend::Embedded(embedded) = Config::parse(config)?.backend
        && embedded.path.is_none()
    {
        output::complain("no \"path\" is configured: the lists are gone when this command ends");
    }
    Ok(Client::open(config)?)
}
