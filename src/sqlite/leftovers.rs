//! A log that belongs to another file than the one it is beside.
//!
//! A database is three files: the file, its log (`-wal`) and the index of the log (`-shm`). SQLite applies any log
//! that it finds: to a new file after the old one was removed, to a copy that replaced a damaged file. So every log
//! of this library names the file that it continues. The schema cookie (bytes 40 to 43 of the file) is a random
//! number that changes whenever a log begins: the first transaction of a log repeats the number that is in the file,
//! the second draws a new one, which comes into the file with everything else that the log holds. A file whose number
//! is not in the log is not the one that the log continues. A copy that SQLite itself makes has a number of its own.
//!
//! A log without any number is older than this rule, and is taken for the right one.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::names::{sync_directory, unusable};
use crate::error::{Error, with_next_step};
use crate::platform::database::beside;

/// Where the number is in the first page.
const COOKIE: u64 = 40;
/// Another program that changes the tables counts the number up by one each time.
const FOREIGN_CHANGES: u32 = 16;

const LOG_HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;
/// The beginning of a log; its last bit is the order of bytes in checksums.
const LOG_MAGIC: u32 = 0x377f_0682;
/// How many logs of a file are renamed before an operator has to remove them.
const MOST: u32 = 1000;

/// The numbers of a log, oldest first.
fn numbers(log: &File) -> io::Result<Vec<u32>> {
    let mut header = [0; 32];
    if !read(log, &mut header, 0)? || word(&header, 0) & !1 != LOG_MAGIC {
        // SQLite takes it for an empty one.
        return Ok(Vec::new());
    }
    let page = u64::from(word(&header, 8));
    if !(512..=65536).contains(&page) || !page.is_power_of_two() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let mut offset = LOG_HEADER;
    let mut frame = [0; 24];
    while read(log, &mut frame, offset)? && frame[8..16] == header[16..24] {
        let mut cookie = [0; 4];
        if word(&frame, 0) == 1 && read(log, &mut cookie, offset + FRAME_HEADER + COOKIE)? {
            found.push(u32::from_be_bytes(cookie));
        }
        offset += FRAME_HEADER + page;
    }
    Ok(found)
}

/// Whether a file with the number `cookie` is the one that a log with these numbers continues.
fn belongs(cookie: u32, numbers: &[u32]) -> bool {
    let Some(first) = numbers.first() else {
        return true;
    };
    let is_changed = (1..=FOREIGN_CHANGES).contains(&first.wrapping_sub(cookie));
    is_changed || numbers.contains(&cookie)
}

/// Whether there is something in the log of the file at `real`.
pub(super) fn has_log(real: &Path) -> bool {
    fs::symlink_metadata(beside(real, "-wal")).is_ok_and(|log| log.len() > 0)
}

/// Sets a log aside that does not belong to `file`, which is at `real`. Says where it is then.
pub(super) fn set_aside_of_another_file(
    path: &Path,
    real: &Path,
    file: &File,
) -> Result<Option<PathBuf>, Error> {
    let log = beside(real, "-wal");
    let mut options = OpenOptions::new();
    options.read(true);
    options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let numbers = match options.open(&log) {
        Ok(open) => numbers(&open),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => Err(error),
    };
    let numbers = numbers.map_err(|error| of_file(path, &log, &error))?;
    let mut cookie = [0; 4];
    let has_cookie = read(file, &mut cookie, COOKIE).map_err(|error| unusable(path, &error))?;
    if !has_cookie || belongs(u32::from_be_bytes(cookie), &numbers) {
        return Ok(None);
    }
    let place = set_aside(path, &log)?;
    sync_directory(real).map_err(|error| unusable(path, &error))?;
    Ok(Some(place))
}

/// Sets aside what is left of a file that is gone: a new one must not meet it. Says where it is then.
pub(super) fn set_aside_of_a_missing_file(
    path: &Path,
    real: &Path,
) -> Result<Option<PathBuf>, Error> {
    let mut place = None;
    for suffix in ["-wal", "-journal"] {
        let left = beside(real, suffix);
        match fs::symlink_metadata(&left) {
            Ok(_) => place = Some(set_aside(path, &left)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(of_file(path, &left, &error)),
        }
    }
    let index = beside(real, "-shm");
    match fs::remove_file(&index) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(of_file(path, &index, &error));
        }
        _ => sync_directory(real).map_err(|error| unusable(path, &error))?,
    }
    Ok(place)
}

/// Gives `left` a name under which SQLite does not look for it.
fn set_aside(path: &Path, left: &Path) -> Result<PathBuf, Error> {
    for number in 1..=MOST {
        let place = beside(left, &format!(".old-{number}"));
        // No other process creates files of this name while this one has the lock of the file.
        match fs::symlink_metadata(&place) {
            Ok(_) => continue,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(of_file(path, &place, &error)),
        }
        fs::rename(left, &place).map_err(|error| of_file(path, left, &error))?;
        return Ok(place);
    }
    let name = left.display();
    Err(Error::storage(
        path,
        format!(
            "{name} belongs to another file, and {MOST} like it lie beside; remove the old ones"
        ),
    ))
}

fn of_file(path: &Path, file: &Path, error: &io::Error) -> Error {
    Error::storage(
        path,
        format!(
            "{} cannot be used: {}",
            file.display(),
            with_next_step(error)
        ),
    )
}

/// Fills `buffer`; false when the file ends before.
fn read(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<bool> {
    match file.read_exact_at(buffer, offset) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_be_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_belongs_to_the_file_whose_number_it_repeats() {
        assert!(belongs(7, &[]), "a log of an older library");
        assert!(belongs(7, &[7]));
        assert!(belongs(7, &[7, 900]));
        assert!(belongs(900, &[7, 900]), "it is in the file already");
        assert!(belongs(7, &[9]), "another program changed the tables twice");
        assert!(!belongs(8, &[7, 900]), "a copy that SQLite made");
        assert!(!belongs(1, &[700, 900]));
        assert!(!belongs(901, &[7, 900]));
    }
}
