//! SQLite's access to the files of one [`Database`]: reading, writing and syncing are SQLite's own, locks and the
//! index of the log are implemented here.
//!
//! SQLite locks with `fcntl`, and those locks belong to the process: when another copy of SQLite in it, or anything
//! else, closes the file, they vanish, and the other copy does not conflict with them at all. It would reset the
//! index and delete a log that is in use. Locks of the open file conflict with every other copy as those of another
//! process do.
//!
//! SQLite knows a database by the name of its VFS; each [`Vfs`] has a name of its own. It is built on "unix-none",
//! which is SQLite's access to files without locks and without memory of what else the process has open: so a forked
//! child that opens the same file starts with no locks.

#![allow(
    unsafe_code,
    reason = "SQLite calls through tables of function pointers"
)]

mod open_file;

use std::ffi::{CStr, CString, c_char, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OpenFlags, ffi};

use super::database::Database;
use open_file::{BASE_OFFSET, OpenFile, Role, base_of, close_base};

/// SQLite's own, without locks.
const BASE: &CStr = c"unix-none";
/// Names differ by a number.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A registered way to open the files of a database.
pub(crate) struct Vfs {
    /// From a box; SQLite has the same pointer.
    shim: *mut Shim,
    name: CString,
}

/// What SQLite gets; it stays at its place until no file is open.
#[repr(C)]
struct Shim {
    table: ffi::sqlite3_vfs,
    base: *mut ffi::sqlite3_vfs,
    database: Arc<Database>,
}

// SAFETY: nothing changes in it once it is registered, SQLite uses it from any thread, and the base lives as long as the process.
unsafe impl Send for Vfs {}
// SAFETY: as above.
unsafe impl Sync for Vfs {}

impl Vfs {
    /// Registers a way to the files of `database`.
    ///
    /// # Errors
    /// When this SQLite has no "unix-none", or no memory.
    pub(crate) fn register(database: Arc<Database>) -> rusqlite::Result<Self> {
        let failed = |code| rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        // SAFETY: initialises SQLite, once.
        let code = unsafe { ffi::sqlite3_initialize() };
        if code != ffi::SQLITE_OK {
            return Err(failed(code));
        }
        // SAFETY: the name is NUL-terminated.
        let base = unsafe { ffi::sqlite3_vfs_find(BASE.as_ptr()) };
        if base.is_null() {
            return Err(failed(ffi::SQLITE_MISUSE));
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = CString::new(format!("chatblock-{number}"))?;
        // SAFETY: it was found, and SQLite's own stay where they are.
        let table = table(unsafe { &*base }, &name);
        let shim = Box::into_raw(Box::new(Shim {
            table,
            base,
            database,
        }));
        let vfs = Self { shim, name };
        // SAFETY: it was just made, and nobody else has it.
        unsafe { (*shim).table.pAppData = shim.cast() };
        // SAFETY: the table is complete and stays where it is until it is unregistered.
        let code = unsafe { ffi::sqlite3_vfs_register(vfs.table(), 0) };
        if code != ffi::SQLITE_OK {
            return Err(failed(code));
        }
        Ok(vfs)
    }

    fn table(&self) -> *mut ffi::sqlite3_vfs {
        // SAFETY: the shim lives as long as this.
        unsafe { &raw mut (*self.shim).table }
    }

    /// The database.
    pub(crate) fn database(&self) -> &Database {
        // SAFETY: the shim lives as long as this, and nobody changes its database.
        unsafe { &(*self.shim).database }
    }

    /// Opens a connection to the file at `path`, which no other program uses: it is not locked, and no descriptor of
    /// it that others have loses a lock when the connection is closed.
    ///
    /// # Errors
    /// What SQLite says.
    pub(crate) fn connect_unlocked(path: &Path) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        Connection::open_with_flags_and_vfs(path, flags, BASE)
    }

    /// Opens a connection to the database. It has to be closed before this is dropped.
    ///
    /// # Errors
    /// What SQLite says.
    pub(crate) fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let database = self.database();
        let before = database.open_files.load(Ordering::Relaxed);
        let opened =
            Connection::open_with_flags_and_vfs(database.path(), flags, self.name.as_c_str())?;
        if database.open_files.load(Ordering::Relaxed) == before && before == 0 {
            // SQLite knows the file by another path: then it has none of our locks.
            let code = ffi::Error::new(ffi::SQLITE_CANTOPEN);
            return Err(rusqlite::Error::SqliteFailure(code, None));
        }
        Ok(opened)
    }
}

impl Drop for Vfs {
    fn drop(&mut self) {
        // SAFETY: what is not registered is not found.
        let _ = unsafe { ffi::sqlite3_vfs_unregister(self.table()) };
        let is_used = self.database().open_files.load(Ordering::Relaxed) > 0;
        debug_assert!(!is_used, "a connection outlives its file");
        if !is_used {
            // SAFETY: it came from a box, and SQLite has it no longer.
            drop(unsafe { Box::from_raw(self.shim) });
        }
    }
}

/// The functions of a VFS over `base`.
fn table(base: &ffi::sqlite3_vfs, name: &CStr) -> ffi::sqlite3_vfs {
    let own = c_int::try_from(BASE_OFFSET).unwrap_or(c_int::MAX);
    ffi::sqlite3_vfs {
        iVersion: 2,
        szOsFile: own.saturating_add(base.szOsFile),
        mxPathname: base.mxPathname,
        pNext: ptr::null_mut(),
        zName: name.as_ptr(),
        pAppData: ptr::null_mut(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        // There are no extensions to load.
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: Some(last_error),
        xCurrentTimeInt64: Some(current_time_64),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }
}

/// The shim that SQLite means.
///
/// # Safety
/// `vfs` is the table of a shim that is registered.
unsafe fn shim<'a>(vfs: *mut ffi::sqlite3_vfs) -> &'a Shim {
    // SAFETY: the caller's promise.
    let data = unsafe { (*vfs).pAppData };
    // SAFETY: it points to the shim, which lives until no file is open; nobody changes it.
    unsafe { &*data.cast::<Shim>() }
}

/// Passes a question about the system on to SQLite's own VFS.
macro_rules! ask_base {
    ($name:ident, $method:ident, ($($argument:ident: $type:ty),*)) => {
        unsafe extern "C" fn $name(vfs: *mut ffi::sqlite3_vfs, $($argument: $type),*) -> c_int {
            // SAFETY: SQLite passes the table that it was given.
            let base = unsafe { shim(vfs) }.base;
            // SAFETY: the base lives as long as the process.
            let method = unsafe { (*base).$method };
            // SAFETY: the arguments are SQLite's own.
            method.map_or(ffi::SQLITE_ERROR, |method| unsafe { method(base, $($argument),*) })
        }
    };
}

ask_base!(access, xAccess, (path: *const c_char, flags: c_int, result: *mut c_int));
ask_base!(full_pathname, xFullPathname, (path: *const c_char, room: c_int, result: *mut c_char));
ask_base!(randomness, xRandomness, (count: c_int, result: *mut c_char));
ask_base!(sleep, xSleep, (microseconds: c_int));
ask_base!(current_time, xCurrentTime, (result: *mut f64));
ask_base!(last_error, xGetLastError, (room: c_int, result: *mut c_char));
ask_base!(current_time_64, xCurrentTimeInt64, (result: *mut ffi::sqlite3_int64));

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    path: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes the table that it was given.
    let shim = unsafe { shim(vfs) };
    let database = &*shim.database;
    // SAFETY: a path of SQLite is NULL or NUL-terminated.
    let named = unsafe { named(path) };
    let role = if named == database.path().as_os_str().as_bytes() {
        Some(Role::Main)
    } else if named == database.log_path().as_os_str().as_bytes() {
        Some(Role::Log)
    } else {
        None
    };
    let Some(role) = role else {
        // What SQLite has beside a database, and databases that are attached: no other program uses them. SAFETY:
        // SQLite's own file fits in the place, and needs none of ours.
        return unsafe { open_base(shim.base, path, file, flags, out_flags) };
    };
    // SAFETY: the place is large enough for our part, and nothing is in it yet.
    unsafe { (*file).pMethods = ptr::null() };
    if role == Role::Log && !database.may_open_log() {
        return ffi::SQLITE_CANTOPEN;
    }
    let base = base_of(file);
    // SAFETY: SQLite's own part fits behind ours.
    let code = unsafe { open_base(shim.base, path, base, flags, out_flags) };
    if code != ffi::SQLITE_OK {
        return code;
    }
    let is_right = match role {
        Role::Main => database.is_in_place(),
        Role::Log => database.note_log(),
    };
    if !is_right {
        // SAFETY: it was just opened.
        unsafe { close_base(base) };
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: the place is large enough and aligned for it.
    unsafe { file.cast::<OpenFile>().write(OpenFile::new(database, role)) };
    database.open_files.fetch_add(1, Ordering::Relaxed);
    ffi::SQLITE_OK
}

/// # Safety
/// `path` is NULL or NUL-terminated, for as long as what is returned is used.
unsafe fn named<'a>(path: *const c_char) -> &'a [u8] {
    if path.is_null() {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(path) }.to_bytes()
}

/// # Safety
/// The arguments are those of `xOpen`, and `file` has room for a file of `base`.
unsafe fn open_base(
    base: *mut ffi::sqlite3_vfs,
    path: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: the base lives as long as the process.
    let open = unsafe { (*base).xOpen };
    // SAFETY: the caller's promise.
    open.map_or(ffi::SQLITE_CANTOPEN, |open| unsafe {
        open(base, path, file, flags, out_flags)
    })
}

unsafe extern "C" fn delete(
    vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    sync_directory: c_int,
) -> c_int {
    // SAFETY: SQLite passes the table that it was given.
    let shim = unsafe { shim(vfs) };
    // SAFETY: a path of SQLite is NULL or NUL-terminated.
    let is_log = unsafe { named(path) } == shim.database.log_path().as_os_str().as_bytes();
    if is_log && !shim.database.may_delete_log() {
        // It is gone already, or it is the log of another file that replaced this one.
        return ffi::SQLITE_OK;
    }
    // SAFETY: the base lives as long as the process.
    let delete = unsafe { (*shim.base).xDelete };
    // SAFETY: the arguments are SQLite's own.
    delete.map_or(ffi::SQLITE_ERROR, |delete| unsafe {
        delete(shim.base, path, sync_directory)
    })
}
