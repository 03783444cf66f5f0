//! SQLite's access to the files of one [`Database`]: reading, writing and syncing are SQLite's own, locks and the index of
//! the log are ours.
//!
//! SQLite locks with `fcntl`, and those locks belong to the process: when another copy of SQLite in it, or anything else, closes
//! the file, they vanish, and the other copy does not meet them at all. It would empty the index under our feet and delete
//! a log that we go on writing to. With locks of the open file every other copy meets ours as it meets those of another
//! process.
//!
//! SQLite knows a database by the name of its VFS; each [`Vfs`] has a name of its own. It is built on "unix-none", which is
//! SQLite's access to files without locks and without memory of what else the process has open: so a forked child that opens
//! the same file begins anew.

#![allow(
    unsafe_code,
    reason = "SQLite calls through tables of function pointers"
)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::mem::size_of;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};

use rusqlite::{Connection, OpenFlags, ffi};

use super::database::Database;
use super::levels::{Level, Refusal};
use super::wal_index::{Held, has_locks};

/// SQLite's own, without locks.
const BASE: &CStr = c"unix-none";
/// Names differ by a number.
static NEXT: AtomicU64 = AtomicU64::new(0);
/// Where SQLite's own part of an open file begins: behind ours, aligned as by `malloc`.
const BASE_OFFSET: usize = size_of::<OpenFile>().next_multiple_of(16);

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

    /// Opens a connection to the file at `path`, which nobody else uses: it is not locked, and no descriptor of it that others
    /// have loses a lock when the connection is closed.
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

/// What a file is to a database.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Main,
    Log,
}

/// An open file of SQLite: this, and behind it SQLite's own part.
#[repr(C)]
struct OpenFile {
    /// First, as SQLite has it.
    methods: *const ffi::sqlite3_io_methods,
    database: *const Database,
    role: Role,
    level: Level,
    held: Held,
    /// Whether it is counted as a user of the index.
    uses_index: bool,
}

impl OpenFile {
    fn database(&self) -> &Database {
        // SAFETY: a shim keeps its database until no file is open.
        unsafe { &*self.database }
    }
}

/// SQLite's own part of `file`.
fn base_of(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    file.wrapping_byte_add(BASE_OFFSET)
}

/// Our part of `file`.
///
/// # Safety
/// `file` was filled by [`open`], and no other reference to it exists: SQLite uses a file from one thread at a time.
unsafe fn own<'a>(file: *mut ffi::sqlite3_file) -> &'a mut OpenFile {
    // SAFETY: the caller's promise.
    unsafe { &mut *file.cast::<OpenFile>() }
}

/// The methods of SQLite's own part of a file.
///
/// # Safety
/// As for [`own`].
unsafe fn base_methods<'a>(base: *mut ffi::sqlite3_file) -> &'a ffi::sqlite3_io_methods {
    // SAFETY: `open` keeps only files that SQLite has opened, which have methods.
    let methods = unsafe { (*base).pMethods };
    // SAFETY: tables of methods are constants of SQLite.
    unsafe { &*methods }
}

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
        // What SQLite has beside a database, and databases that are attached: nobody else uses them.
        // SAFETY: SQLite's own file fits in the place, and needs none of ours.
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
    let opened = OpenFile {
        methods: &raw const METHODS,
        database,
        role,
        level: Level::default(),
        held: Held::default(),
        uses_index: false,
    };
    // SAFETY: the place is large enough and aligned for it.
    unsafe { file.cast::<OpenFile>().write(opened) };
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

/// # Safety
/// `base` is open.
unsafe fn close_base(base: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: it is open.
    let close = unsafe { base_methods(base) }.xClose;
    // SAFETY: as above.
    close.map_or(ffi::SQLITE_OK, |close| unsafe { close(base) })
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
        // It is gone already, or it is the log of another file that was put in the place of ours.
        return ffi::SQLITE_OK;
    }
    // SAFETY: the base lives as long as the process.
    let delete = unsafe { (*shim.base).xDelete };
    // SAFETY: the arguments are SQLite's own.
    delete.map_or(ffi::SQLITE_ERROR, |delete| unsafe {
        delete(shim.base, path, sync_directory)
    })
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    // Without memory-mapped reading of the database.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(map_index),
    xShmLock: Some(lock_index),
    xShmBarrier: Some(barrier),
    xShmUnmap: Some(leave_index),
    xFetch: None,
    xUnfetch: None,
};

/// Has SQLite's own part of a file do something.
macro_rules! pass_on {
    ($name:ident, $method:ident, ($($argument:ident: $type:ty),*), $absent:expr) => {
        unsafe extern "C" fn $name(file: *mut ffi::sqlite3_file, $($argument: $type),*) -> c_int {
            let base = base_of(file);
            // SAFETY: SQLite passes a file that it has opened.
            let method = unsafe { base_methods(base) }.$method;
            // SAFETY: the arguments are SQLite's own.
            method.map_or($absent, |method| unsafe { method(base, $($argument),*) })
        }
    };
}

pass_on!(read, xRead, (buffer: *mut c_void, amount: c_int, offset: ffi::sqlite3_int64), ffi::SQLITE_IOERR_READ);
pass_on!(write_base, xWrite, (buffer: *const c_void, amount: c_int, offset: ffi::sqlite3_int64), ffi::SQLITE_IOERR_WRITE);
pass_on!(truncate, xTruncate, (size: ffi::sqlite3_int64), ffi::SQLITE_IOERR_TRUNCATE);
pass_on!(sync, xSync, (flags: c_int), ffi::SQLITE_IOERR_FSYNC);
pass_on!(file_size, xFileSize, (size: *mut ffi::sqlite3_int64), ffi::SQLITE_IOERR_FSTAT);
pass_on!(file_control, xFileControl, (operation: c_int, argument: *mut c_void), ffi::SQLITE_NOTFOUND);
pass_on!(sector_size, xSectorSize, (), 0);
pass_on!(characteristics, xDeviceCharacteristics, (), 0);

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite passes a file that it has opened.
    let own = unsafe { own(file) };
    let database = own.database();
    let mut level = own.level;
    // A lock that the system does not take back ends with the client.
    let _ = database.lower(&mut level, Level::None);
    let (mut held, uses_index) = (own.held, own.uses_index);
    if uses_index {
        database.leave_index(&mut held, false);
    }
    // SAFETY: as above.
    let code = unsafe { close_base(base_of(file)) };
    database.open_files.fetch_sub(1, Ordering::Relaxed);
    code
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    buffer: *const c_void,
    amount: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: the arguments are SQLite's own.
    let code = unsafe { write_base(file, buffer, amount, offset) };
    // SAFETY: SQLite passes a file that it has opened.
    let own = unsafe { own(file) };
    if own.role == Role::Log {
        own.database()
            .wrote_log(offset.unsigned_abs(), u64::from(amount.unsigned_abs()));
    }
    code
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, wanted: c_int) -> c_int {
    // SAFETY: SQLite passes a file that it has opened.
    let own = unsafe { own(file) };
    let mut level = own.level;
    let outcome = own.database().raise(&mut level, level_of(wanted));
    own.level = level;
    code(&outcome, ffi::SQLITE_IOERR_LOCK)
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, wanted: c_int) -> c_int {
    // SAFETY: SQLite passes a file that it has opened.
    let own = unsafe { own(file) };
    let mut level = own.level;
    let outcome = own.database().lower(&mut level, level_of(wanted));
    own.level = level;
    code(&outcome, ffi::SQLITE_IOERR_UNLOCK)
}

fn level_of(wanted: c_int) -> Level {
    match wanted {
        ffi::SQLITE_LOCK_NONE => Level::None,
        ffi::SQLITE_LOCK_SHARED => Level::Shared,
        ffi::SQLITE_LOCK_RESERVED => Level::Reserved,
        _ => Level::Exclusive,
    }
}

fn code(outcome: &Result<(), Refusal>, failed: c_int) -> c_int {
    match outcome {
        Ok(()) => ffi::SQLITE_OK,
        Err(Refusal::Busy) => ffi::SQLITE_BUSY,
        Err(Refusal::Failed) => failed,
    }
}

unsafe extern "C" fn check_reserved(file: *mut ffi::sqlite3_file, result: *mut c_int) -> c_int {
    // SAFETY: SQLite passes a file that it has opened.
    let is_reserved = unsafe { own(file) }.database().is_reserved();
    let Ok(is_reserved) = is_reserved else {
        return ffi::SQLITE_IOERR_CHECKRESERVEDLOCK;
    };
    // SAFETY: SQLite passes a place for the answer.
    unsafe { result.write(c_int::from(is_reserved)) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn map_index(
    file: *mut ffi::sqlite3_file,
    number: c_int,
    size: c_int,
    may_grow: c_int,
    result: *mut *mut c_void,
) -> c_int {
    // SAFETY: SQLite passes a file that it has opened.
    let own = unsafe { own(file) };
    let (Ok(number), Ok(size)) = (usize::try_from(number), usize::try_from(size)) else {
        return ffi::SQLITE_IOERR_SHMMAP;
    };
    let mut is_user = own.uses_index;
    let region = own.database().with_index(&mut is_user, |index| {
        Ok(index.region(number, size, may_grow != 0)?)
    });
    own.uses_index = is_user;
    let (start, outcome) = match region {
        Ok(start) => (start, Ok(())),
        Err(refusal) => (None, Err(refusal)),
    };
    let start = start.map_or(ptr::null_mut(), |start| start.as_ptr().cast());
    // SAFETY: SQLite passes a place for the answer.
    unsafe { result.write(start) };
    code(&outcome, ffi::SQLITE_IOERR_SHMMAP)
}

unsafe extern "C" fn lock_index(
    file: *mut ffi::sqlite3_file,
    first: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: SQLite passes a file that it has opened.
    let own = unsafe { own(file) };
    let (Ok(first), Ok(count)) = (usize::try_from(first), usize::try_from(count)) else {
        return ffi::SQLITE_IOERR_SHMLOCK;
    };
    if !own.uses_index || !has_locks(first, count) {
        return ffi::SQLITE_IOERR_SHMLOCK;
    }
    let mut held = own.held;
    let outcome = own.database().with_index(&mut true, |index| {
        if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
            index.release(&mut held, first, count)
        } else if flags & ffi::SQLITE_SHM_SHARED != 0 {
            index.share(&mut held, first)
        } else {
            index.exclude(&mut held, first, count)
        }
    });
    own.held = held;
    code(&outcome, ffi::SQLITE_IOERR_SHMLOCK)
}

unsafe extern "C" fn barrier(_: *mut ffi::sqlite3_file) {
    fence(Ordering::SeqCst);
}

unsafe extern "C" fn leave_index(file: *mut ffi::sqlite3_file, deletes: c_int) -> c_int {
    // SAFETY: SQLite passes a file that it has opened.
    let own = unsafe { own(file) };
    if own.uses_index {
        let mut held = own.held;
        own.database().leave_index(&mut held, deletes != 0);
        own.held = Held::default();
        own.uses_index = false;
    }
    ffi::SQLITE_OK
}
