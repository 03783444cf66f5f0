//! Names of files in their directory.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::error::{Error, with_next_step};

/// Syncs the directory of `file`, so that its names last.
pub(super) fn sync_directory(file: &Path) -> io::Result<()> {
    File::open(file.parent().unwrap_or(Path::new("/")))?.sync_all()
}

/// Whether `path` is still the name of the open file.
pub(super) fn has_name(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (open.dev(), open.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

pub(super) fn unusable(path: &Path, error: &io::Error) -> Error {
    Error::storage(
        path,
        format!("cannot be looked at: {}", with_next_step(error)),
    )
}
