//! backup and restore.

use std::path::Path;

use chatblock::config::Config;
use chatblock::user_files::Purpose;
use chatblock::{backup_file, restore_file};

use crate::exit::Failure;
use crate::output;

/// Copies the store or the outbox that `config` names.
pub fn backup(config: &Config, copy: &Path) -> Result<(), Failure> {
    let is_database = |purpose| purpose == Purpose::Database;
    let named = config.files.iter().find(|file| is_database(file.purpose));
    let Some(file) = named else {
        return Err(Failure::usage(
            "the configuration names no file to copy; it needs \"path\" or \"outbox.path\"",
        ));
    };
    backup_file(&file.path, copy)?;
    let (from, to) = (file.path.display(), copy.display());
    output::line(&output::printable(&format!("copied {from} to {to}")))?;
    Ok(())
}

/// Puts a copy in its place and says where the files are that were there.
pub fn restore(copy: &Path, path: &Path) -> Result<(), Failure> {
    let restored = restore_file(copy, path)?;
    for (old, new) in &restored.moved {
        let (old, new) = (old.display(), new.display());
        output::line(&output::printable(&format!("moved {old} to {new}")))?;
    }
    let (name, path, copy) = (restored.name, path.display(), copy.display());
    output::line(&output::printable(&format!(
        "restored the {name} {path} from {copy}"
    )))?;
    Ok(())
}
