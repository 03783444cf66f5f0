//! Copy and restore of files that no client of this process has open, for an operator.
//!
//! A database is up to four files: the file, its log (`-wal`), the index of the log (`-shm`) and a journal. A copy is
//! put only where none of them exists, because SQLite would apply an old log to the new file. So the old ones are
//! moved away first, the file before its log: a crash in between leaves a log without its file and never a file
//! without its log.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::backup::{Draft, copy, rename_to_nothing};
use super::names::sync_directory;
use super::{Format, file, harden, leftovers, schema, storage};
use crate::error::{Error, Status, with_next_step};
use crate::platform::database::beside;

/// The files of a database, by what is added to its name.
const PARTS: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// What a path keeps in a URI of SQLite.
const URI: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_');

/// Copies the file at `path`, which is of one of `formats`, to a new file at `to`; both are absolute. A client of
/// another process may have it open and is not affected.
///
/// # Errors
/// [`Status::Storage`] when it is foreign, newer or damaged, or `to` cannot be made; nothing is at `to` then.
pub(crate) fn back_up(path: &Path, formats: &[&Format], to: &Path) -> Result<(), Error> {
    let format = identify(path, formats)?;
    // No client can open the file during the copy; one that has it open already is not affected.
    let held = file::hold(path)?;
    if let Some(file) = held.as_ref().and_then(|held| held.file.as_deref()) {
        leftovers::set_aside_of_another_file(path, path, file)?;
    }
    let source = connect_beside(path, held.is_some()).map_err(|error| storage(path, &error))?;
    let draft = copy(path, &source, to, &|| true)?;
    drop(source);
    drop(held);
    check(to, &draft.path, format)?;
    draft.finish()
}

/// A copy that was put back.
#[derive(Debug)]
pub struct Restored {
    /// What kind of file it is: "store" or "outbox".
    pub name: &'static str,
    /// Old and new names of the files that were in its place.
    pub moved: Vec<(PathBuf, PathBuf)>,
}

/// Puts a copy of the file at `from` to `path`; both are absolute. What was there is moved away.
///
/// # Errors
/// [`Status::Storage`] when a client has the file open, or `from` is foreign, newer, damaged or has a log; the files at
/// `path` are as they were then, or the message says where they are.
pub(crate) fn put_back(from: &Path, path: &Path, formats: &[&Format]) -> Result<Restored, Error> {
    let format = identify(from, formats)?;
    refuse_log(from)?;
    refuse_same(from, path)?;
    refuse_other_kind(path, format, formats)?;
    let held = file::hold(path)?.ok_or_else(|| file::in_use(path))?;
    let draft = Draft::begin(path)?;
    let failed = |error: io::Error| draft.failed(&error);
    let mut source = open(from).map_err(|error| unreadable(from, &error))?;
    io::copy(&mut source, &mut &draft.file).map_err(failed)?;
    draft.file.sync_all().map_err(failed)?;
    // The draft, because it is what will be used.
    check(from, &draft.path, format)?;
    let moved = move_away(path)?;
    if let Err(error) = draft.finish() {
        return Err(move_back(&error, &moved));
    }
    drop(held);
    Ok(Restored {
        name: format.name,
        moved,
    })
}

/// Which of `formats` the file at `path` says it has.
fn identify<'a>(path: &Path, formats: &[&'a Format]) -> Result<&'a Format, Error> {
    let file = open(path).map_err(|error| unreadable(path, &error))?;
    let mut mark = [0; 4];
    let is_read = file.read_exact_at(&mut mark, file::APPLICATION as u64);
    let found = formats
        .iter()
        .find(|format| is_read.is_ok() && u32::from_be_bytes(mark) == format.application_id);
    let foreign = || {
        let names: Vec<_> = formats.iter().map(|format| format.name).collect();
        let what = format!(
            "is no {} of chatblock; it was left untouched",
            names.join(" and no ")
        );
        Error::storage(path, what)
    };
    found.copied().ok_or_else(foreign)
}

/// Opens a regular file to read it.
fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is not a regular file"))
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::storage(path, format!("cannot be read: {}", with_next_step(error)))
}

/// A connection beside those of other processes: it changes nothing.
fn connect_beside(path: &Path, is_alone: bool) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags)?;
    // The log of others is theirs, also when they end before this does.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !is_alone)?;
    harden(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Refuses the database `file` when it is not a sound one of this format. `path` is what people know it by.
fn check(path: &Path, file: &Path, format: &Format) -> Result<(), Error> {
    let failed = |error| storage(path, &error);
    let opened = open(file).map_err(|error| unreadable(path, &error))?;
    file::check_header(path, &opened, format)?;
    let mut uri = OsString::from("file:");
    uri.push(percent_encode(file.as_os_str().as_bytes(), URI).to_string());
    // No other program has it, and no file is created beside it.
    uri.push("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri, flags).map_err(failed)?;
    harden(&connection).map_err(failed)?;
    schema::check(path, &connection, format)?;
    let verdict: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(failed)?;
    if verdict != "ok" {
        return Err(Error::storage(
            path,
            format!("is damaged ({verdict}); nothing was changed, take another copy"),
        ));
    }
    connection.close().map_err(|(_, error)| failed(error))
}

/// A copy is complete without a log; with one it is a file in use, or what a crash left of one.
fn refuse_log(copy: &Path) -> Result<(), Error> {
    let log = beside(copy, "-wal");
    let is_used = fs::symlink_metadata(&log).is_ok_and(|log| log.len() > 0);
    if is_used {
        let what = format!(
            "is not a copy alone: part of it is in {}; make a copy of both with \"chatblock backup\" first",
            log.display()
        );
        return Err(Error::storage(copy, what));
    }
    Ok(())
}

fn refuse_same(copy: &Path, path: &Path) -> Result<(), Error> {
    let identity = |path| {
        fs::metadata(path)
            .map(|found| (found.dev(), found.ino()))
            .ok()
    };
    let there = identity(path);
    if there.is_some() && there == identity(copy) {
        let what = format!(
            "{} and {} are the same file",
            copy.display(),
            path.display()
        );
        return Err(Error::new(Status::Argument, what));
    }
    Ok(())
}

/// A store is not put where an outbox is. A damaged file says nothing, and is replaced.
fn refuse_other_kind(path: &Path, format: &Format, formats: &[&Format]) -> Result<(), Error> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unreadable(path, &error)),
        Ok(found) if !found.is_file() => {
            return Err(Error::storage(
                path,
                "is not a regular file; name the file itself",
            ));
        }
        Ok(_) => {}
    }
    match identify(path, formats) {
        Ok(there) if there.application_id != format.application_id => Err(Error::storage(
            path,
            format!("is an {}, and the copy is of a {}", there.name, format.name),
        )),
        _ => Ok(()),
    }
}

/// Gives the files at `path` other names, where there are any.
fn move_away(path: &Path) -> Result<Vec<(PathBuf, PathBuf)>, Error> {
    let failed = |error: io::Error| {
        Error::storage(
            path,
            format!("cannot be moved away: {}", with_next_step(&error)),
        )
    };
    let base = free_name(path)?;
    let mut moved = Vec::new();
    for part in PARTS {
        let (from, to) = (beside(path, part), beside(&base, part));
        match rename_to_nothing(&from, &to) {
            Ok(()) => moved.push((from, to)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(move_back(&failed(error), &moved)),
        }
    }
    sync_directory(path).map_err(|error| move_back(&failed(error), &moved))?;
    Ok(moved)
}

/// Undoes what was moved away because of `error`, which then says what could not be.
fn move_back(error: &Error, moved: &[(PathBuf, PathBuf)]) -> Error {
    // The log before its file.
    let left = moved.iter().rev().filter_map(|(old, new)| {
        let why = rename_to_nothing(new, old).err()?;
        let (old, new) = (old.display(), new.display());
        Some(format!("; {old} is now at {new} ({why})"))
    });
    let left: Vec<_> = left.collect();
    Error::new(error.status(), error.message().to_owned() + &left.concat())
}

/// `PATH.replaced-N` with the smallest N that no file uses.
fn free_name(path: &Path) -> Result<PathBuf, Error> {
    const MOST: u32 = 10_000;
    let is_free = |name: &PathBuf| {
        let is_there = |part| fs::symlink_metadata(beside(name, part)).is_ok();
        !PARTS.into_iter().any(is_there)
    };
    (1..=MOST)
        .map(|number| beside(path, &format!(".replaced-{number}")))
        .find(is_free)
        .ok_or_else(|| Error::storage(path, "has too many replaced files beside it; remove some"))
}
