//! What the operating system has to be asked in a way that std does not offer: forks, locks that belong to an open
//! file, and SQLite's files on top of both.

pub(crate) mod database;
pub(crate) mod fork;
mod identity;
mod levels;
mod locks;
mod vfs;
mod wal_index;
