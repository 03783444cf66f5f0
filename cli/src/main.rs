// SPDX-License-Identifier: MIT OR Apache-2.0

//! `chatblock`: the command line and the server.

mod args;
mod exit;
mod files;
mod input;
mod list_file;
mod lists;
mod outbox;
mod output;
mod serve;
mod targets;
mod usersig;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chatblock::config::{Backend, Config};
use chatblock::user_files::{self, NamedFile, Purpose};
use chatblock::{CheckType, Client, Command};
use clap::Parser;
use zeroize::Zeroizing;

use args::{Action, Arguments, Targets};
use exit::Failure;
use input::STDIN;

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let json = arguments.json;
    let path = arguments
        .config
        .or_else(|| std::env::var_os("CHATBLOCK_CONFIG").map(PathBuf::from));
    let (config, text) = read_config(path.as_deref())?;
    check_files(path, &arguments.action, &config)?;
    for warning in &config.warnings {
        output::complain(warning);
    }
    match arguments.action {
        Action::Outbox(action) => outbox::run(action, json),
        Action::Serve(wanted) => serve::run(&config, wanted),
        Action::Usersig(action) => usersig::run(config, &action),
        Action::Add(targets) => {
            let way = (CheckType::Single, json);
            change_or_check((&config, &text), Command::Add, &targets, way)
        }
        Action::Delete(targets) => {
            let way = (CheckType::Single, json);
            change_or_check((&config, &text), Command::Delete, &targets, way)
        }
        Action::Check { targets, both } => {
            let kind = if both {
                CheckType::Both
            } else {
                CheckType::Single
            };
            change_or_check((&config, &text), Command::Check, &targets, (kind, json))
        }
        Action::Get {
            owner,
            all,
            start,
            limit,
        } => lists::get(&open(&text)?, &owner, (all, start, limit), json),
        Action::Backup { copy } => files::backup(&config, &copy),
        Action::Restore { copy, path } => files::restore(&copy, &path),
    }
}

/// Reads all accounts before a client is opened, and with it a store.
fn change_or_check(
    (config, text): (&Config, &str),
    command: Command,
    targets: &Targets,
    way: (CheckType, bool),
) -> Result<(), Failure> {
    let accounts = targets::read(targets, config.backend.charset())?;
    lists::change_or_check(&open(text)?, (command, &targets.owner), &accounts, way)
}

/// The configuration and its text, which may contain a key.
fn read_config(path: Option<&Path>) -> Result<(Config, Zeroizing<String>), Failure> {
    let Some(path) = path else {
        return Ok((Config::parse("{}")?, Zeroizing::new("{}".to_owned())));
    };
    if path == Path::new(STDIN) {
        let text = input::secret(user_files::MAX_CONFIG)?;
        return Ok((Config::parse(&text)?, text));
    }
    let unusable = |what: &str| Failure::usage(format!("{} {what}", path.display()));
    let input = user_files::read(path, user_files::MAX_CONFIG).map_err(|what| unusable(&what))?;
    let name = path.display().to_string();
    let text = input
        .text()
        .map_err(|error| Failure::usage(error.of(&name)))?;
    let mut config = Config::parse(text)?;
    if config.contains_secret {
        let exposure = input.exposure().map_err(|what| unusable(&what))?;
        config
            .warnings
            .extend(exposure.map(|what| format!("{} {what}", path.display())));
    }
    Ok((config, Zeroizing::new(text.to_owned())))
}

/// No file of the command line is one that the configuration has something written to.
fn check_files(
    config_path: Option<PathBuf>,
    action: &Action,
    config: &Config,
) -> Result<(), Failure> {
    let mut named = vec![("--config", config_path)];
    match action {
        Action::Serve(wanted) => named.extend([
            ("--state", wanted.state.clone()),
            ("--tls-cert", wanted.tls_cert.clone()),
            ("--tls-key", wanted.tls_key.clone()),
        ]),
        Action::Add(targets) | Action::Delete(targets) | Action::Check { targets, .. } => {
            named.push(("--from-file", targets.from_file.clone()));
        }
        Action::Get { .. }
        | Action::Usersig(_)
        | Action::Outbox(_)
        | Action::Backup { .. }
        | Action::Restore { .. } => {}
    }
    let of_command = named.into_iter().filter_map(|(key, path)| {
        let path = path.filter(|path| path != Path::new(STDIN))?;
        let purpose = Purpose::Input;
        Some(NamedFile { key, path, purpose })
    });
    let files: Vec<_> = of_command.chain(config.files.iter().cloned()).collect();
    Ok(user_files::check_distinct(&files)?)
}

fn open(config: &str) -> Result<Client, Failure> {
    if let Backend::Embedded(embedded) = Config::parse(config)?.backend
        && embedded.path.is_none()
    {
        output::complain("no \"path\" is configured: the lists are gone when this command ends");
    }
    Ok(Client::open_without_cache(config)?)
}
