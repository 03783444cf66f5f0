//! Backup.
//!
//! A consistent copy of a store that is in use.

use std::ffi::c_char;

use super::client::{chatblock_client, enter};
use super::convert::text;
use super::result::chatblock_result;
use crate::client::Client;

/// Copy the durable store ("path") or the outbox ("outbox.path") of an open client to a new file.
///
/// The copy is one file with everything that was on disk when the function was called; call
/// chatblock_client_sync() before to have all accepted writes in it. Do not copy the files of an open client
/// by other means: each is three files, and they change. The command `chatblock restore` restores a copy.
///
/// @param client  the client.
/// @param path    a new file, created with mode 0600; an existing file is never replaced. A relative path
///                starts at the current directory.
/// @return a result, never NULL: OK when the copy is on disk; UNSUPPORTED where nothing is on disk, STORAGE,
///         ARGUMENT, BUSY when no thread can start, CLOSED, FORKED, PANIC: no copy was made.
///
/// Owns: the caller owns the result.  Threads: any, at once; other calls continue.  Blocks: until the file
/// is copied and synced.  Service: none.  Since: 0.1.
///
/// # Safety
/// `client` is NULL or open; `path` is NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_client_backup(
    client: *const chatblock_client,
    path: *const c_char,
) -> *mut chatblock_result {
    let backup = |client: &Client| {
        // SAFETY: the caller promises a string.
        match unsafe { text(path, "path") }.and_then(|path| client.backup(path)) {
            Ok(()) => chatblock_result::done(),
            Err(error) => chatblock_result::from_error(&error),
        }
    };
    // SAFETY: the caller promises a client.
    unsafe { enter(client, chatblock_result::from_error, backup) }.give()
}
