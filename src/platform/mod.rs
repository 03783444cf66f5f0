//! Functions of the operating system that std does not offer: cancellation of threads, fork detection, numbers of
//! descriptors, locks that belong to an open file, and SQLite's file access on top of both.

pub(crate) mod cancel;
pub(crate) mod database;
pub(crate) mod descriptors;
pub(crate) mod fork;
mod identity;
mod levels;
mod locks;
pub(crate) mod vfs;
mod wal_index;
