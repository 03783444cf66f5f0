// SPDX-License-Identifier: MIT OR Apache-2.0

//! `chatblock`: the command line and the server.

mod args;
mod exit;
mod files;
mod lists;
mod outbox;
mod output;
mod serve;
mod targets;
mod usersig;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chatblock::config::{Backend, Config};
use chatblock::user_files::{self, NamedFile, Purpose};
use chatblock::{CheckType, Client, Command};
use clap::Parser;
use zeroize::Zeroizing;

use args::{Action, Arguments};
use exit::Failure;

/// Names standard input where a file is read.
const STDIN: &str = "-";

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
            owner,
            all,
            start,
            limit,
        } => lists::get(&open(&text)?, &owner, (all, start, limit), json),
        Action::Backup { copy } => files::backup(&config, &copy),
        Action::Restore { copy, path } => files::restore(&copy, &path),
    }
}

/// The configuration and its text, which may contain a key.
fn read_config(path: Option<&Path>) -> Result<(Config, Zeroizing<String>), Failure> {
    let Some(path) = path else {
        return Ok((Config::parse("{}")?, Zeroizing::new("{}".to_owned())));
    };
    if path == Path::new(STDIN) {
        let mut text = Zeroizing::new(String::new());
        std::io::stdin()
            .take(user_files::MAX_CONFIG)
            .read_to_string(&mut text)
            .map_err(|error| Failure::usage(format!("standard input: {error}")))?;
        return Ok((Config::parse(&text)?, text));
    }
    let unusable = |what: &str| Failure::usage(format!("{} {what}", path.display()));
    let input = user_files::read(path, user_files::MAX_CONFIG).map_err(|what| unusable(&what))?;
    let text = std::str::from_utf8(&input.bytes).map_err(|_| unusable("is not UTF-8"))?;
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
    Ok(Client::open(config)?)
}
