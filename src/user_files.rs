//! Files that a configuration or a command line names: read with a bound, opened only when they are regular
//! files, and never one file for two purposes.
//!
//! Opening a FIFO waits for its other end and opening a device may have effects of its own, so the type is
//! looked at before the open, and again on what was opened, because the name can be given to something else
//! in between.

mod text;

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::{Error, with_next_step};
use crate::platform::descriptors::above_standard;

pub use text::{MARK, NotText, decode, is_blank, without_mark};

/// Largest secret key file.
pub const MAX_KEY: u64 = 4 << 10;
/// Largest file of certificates or of a private key: ten times what distributions ship.
pub const MAX_PEM: u64 = 4 << 20;
/// Largest configuration.
pub const MAX_CONFIG: u64 = 1 << 20;
/// Largest list of accounts or prepared state.
pub const MAX_LISTS: u64 = 64 << 20;

/// What was read from a file.
pub struct Input {
    /// Its bytes without a byte order mark in front, wiped on drop: most of these files contain a secret.
    pub bytes: Zeroizing<Vec<u8>>,
    mode: u32,
}

impl Input {
    /// Its bytes as text.
    ///
    /// # Errors
    /// Which encoding it is instead of UTF-8.
    pub fn text(&self) -> Result<&str, NotText> {
        decode(&self.bytes)
    }

    /// What to warn of when the file contains a secret, to follow its name: that users other than its owner have
    /// access.
    ///
    /// # Errors
    /// If every user of the machine may change the file: such a user could choose the key, and with it whom `serve`
    /// accepts. Members of its group may, with a warning: many systems give every user a group of their own.
    pub fn exposure(&self) -> Result<Option<String>, String> {
        let mode = self.mode & 0o7777;
        if mode & 0o002 != 0 {
            return Err(format!(
                "contains a secret and can be changed by every user (mode {mode:04o}); run chmod 600 and \
                 make a new secret"
            ));
        }
        let is_exposed = mode & 0o077 != 0;
        Ok(is_exposed.then(|| {
            format!("contains a secret and is open to other users (mode {mode:04o}); run chmod 600")
        }))
    }
}

/// Reads the regular file at `path`, at most `most` bytes. Symbolic links are followed: systems that hand out
/// certificates and secrets use them.
///
/// # Errors
/// Why not, to follow the name of the file: "cannot be read: ...".
pub fn read(path: &Path, most: u64) -> Result<Input, String> {
    let unreadable = |error: io::Error| format!("cannot be read: {}", with_next_step(&error));
    let check = |metadata: &Metadata| {
        check_regular(metadata)?;
        if metadata.len() > most {
            return Err(format!("is larger than {most} bytes"));
        }
        Ok(())
    };
    check(&std::fs::metadata(path).map_err(unreadable)?)?;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
        .map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    check(&metadata)?;
    Ok(Input {
        bytes: read_stream(file, metadata.len(), most)?,
        mode: metadata.permissions().mode(),
    })
}

/// Reads `stream` to its end, at most `most` bytes; about `expected` are there. A byte order mark in front is left out:
/// everything that is read here is text.
///
/// # Errors
/// As of [`read`].
pub fn read_stream(
    stream: impl Read,
    expected: u64,
    most: u64,
) -> Result<Zeroizing<Vec<u8>>, String> {
    // Room for all of it: a buffer that grows leaves copies behind, which nothing wipes.
    let room = usize::try_from(expected.min(most)).map_or(0, |length| length + 1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    stream
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot be read: {}", with_next_step(&error)))?;
    if bytes.len() as u64 > most {
        return Err(format!("is larger than {most} bytes"));
    }
    if bytes.starts_with(MARK.as_bytes()) {
        bytes.drain(..MARK.len());
    }
    Ok(bytes)
}

/// Opens `path` to append to it; creates it with mode 0600. A symbolic link is never followed, so that a user who may
/// write to the directory cannot choose another file.
///
/// # Errors
/// Why not, to follow the name of the file.
pub fn open_log(path: &Path) -> Result<File, String> {
    let unwritable = |error: io::Error| match error.raw_os_error() {
        Some(libc::ELOOP) => "is a symbolic link; name the file itself".to_owned(),
        _ => format!("cannot be written: {}", with_next_step(&error)),
    };
    match std::fs::symlink_metadata(path) {
        // The open refuses it, which cannot be too late.
        Ok(metadata) if metadata.is_symlink() => {}
        Ok(metadata) => check_regular(&metadata)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(unwritable(error)),
    }
    // Read access is for the look at its beginning.
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .read(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
        .and_then(above_standard)
        .map_err(unwritable)?;
    check_regular(&file.metadata().map_err(unwritable)?)?;
    check_no_database(&mut file).map_err(unwritable)??;
    Ok(file)
}

fn check_regular(metadata: &Metadata) -> Result<(), String> {
    if metadata.is_file() {
        return Ok(());
    }
    Err("is not a regular file".to_owned())
}

/// A line appended to a database, or to a file that SQLite keeps beside one, damages it.
fn check_no_database(file: &mut File) -> io::Result<Result<(), String>> {
    const MAGICS: [&[u8]; 5] = [
        b"SQLite format 3\0",
        // A log of SQLite (`-wal`), in both byte orders.
        &[0x37, 0x7f, 0x06, 0x82],
        &[0x37, 0x7f, 0x06, 0x83],
        // A journal of SQLite.
        &[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7],
        // Shared memory of SQLite (`-shm`): its version, in the byte order of the machine.
        &3_007_000_u32.to_ne_bytes(),
    ];
    let mut start = Vec::with_capacity(16);
    file.take(16).read_to_end(&mut start)?;
    if MAGICS.iter().any(|magic| start.starts_with(magic)) {
        return Ok(Err(
            "is a database or belongs to one (a store or an outbox?); name another file".to_owned(),
        ));
    }
    Ok(Ok(()))
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It is read.
    Input,
    /// A store or an outbox, with the files beside it.
    Database,
    /// Lines are appended to it; so many older ones are beside it.
    Log(u32),
}

impl Purpose {
    /// Suffixes of the files beside it.
    fn suffixes(self) -> Vec<String> {
        let beside: &[&str] = &["-wal", "-shm", "-journal", ".lock", ".new"];
        match self {
            Self::Input => Vec::new(),
            Self::Database => beside.iter().map(|&suffix| suffix.to_owned()).collect(),
            Self::Log(older) => (1..=older).map(|number| format!(".{number}")).collect(),
        }
    }
}

/// A file and the key that names it.
#[derive(Clone, Debug)]
pub struct NamedFile {
    /// The key of the configuration, or the option of the command line.
    pub key: &'static str,
    /// Its path.
    pub path: PathBuf,
    /// What it is for.
    pub purpose: Purpose,
}

/// Refuses one file for two purposes, whatever it is called: another spelling, a symbolic link in its path, a hard
/// link, a file that is kept beside another. Files that are only read may be the same.
///
/// # Errors
/// [`crate::Status::Config`] naming both keys and the file.
pub fn check_distinct(files: &[NamedFile]) -> Result<(), Error> {
    let all: Vec<Vec<Place>> = files.iter().map(places).collect();
    for (later, (file, own)) in files.iter().zip(&all).enumerate() {
        for (earlier, others) in files.iter().zip(&all).take(later) {
            let is_read_only = file.purpose == Purpose::Input && earlier.purpose == Purpose::Input;
            let is_shared = own
                .iter()
                .any(|place| others.iter().any(|other| place.is(other)));
            if is_shared && !is_read_only {
                return Err(Error::config(
                    file.key,
                    format!(
                        "names {}, which \"{}\" uses too, itself or as a file beside its own; give each a file \
                         of its own",
                        file.path.display(),
                        earlier.key
                    ),
                ));
            }
        }
    }
    Ok(())
}

/// One file, as far as it can be told apart from others.
struct Place {
    path: PathBuf,
    /// Device and inode, when it exists.
    inode: Option<(u64, u64)>,
}

impl Place {
    fn of(path: &Path) -> Self {
        // Links in the directory are resolved where it exists; where it does not, nothing can be opened either.
        let resolved = path
            .parent()
            .zip(path.file_name())
            .and_then(|(parent, name)| Some(parent.canonicalize().ok()?.join(name)));
        let metadata = std::fs::metadata(path).ok();
        Self {
            path: resolved.unwrap_or_else(|| path.to_owned()),
            inode: metadata.map(|metadata| (metadata.dev(), metadata.ino())),
        }
    }

    fn is(&self, other: &Self) -> bool {
        self.path == other.path || (self.inode.is_some() && self.inode == other.inode)
    }
}

/// The file and those beside it.
fn places(file: &NamedFile) -> Vec<Place> {
    let beside = file.purpose.suffixes().into_iter().map(|suffix| {
        let mut path = file.path.as_os_str().to_owned();
        path.push(suffix);
        Place::of(Path::new(&path))
    });
    std::iter::once(Place::of(&file.path))
        .chain(beside)
        .collect()
}
