//! One open file of SQLite: what it may do with it.

use std::ffi::{c_int, c_void};
use std::mem::size_of;
use std::ptr;
use std::sync::atomic::{Ordering, fence};

use rusqlite::ffi;

use crate::platform::database::Database;
use crate::platform::levels::{Level, LockRefusal};
use crate::platform::wal_index::{IndexLocks, has_locks};

/// Where SQLite's own part of an open file begins: behind that of this module, aligned as by `malloc`.
pub(super) const BASE_OFFSET: usize = size_of::<OpenFile>().next_multiple_of(16);

/// What a file is to a database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Main,
    Log,
}

/// An open file of SQLite: this, and behind it SQLite's own part.
#[repr(C)]
pub(super) struct OpenFile {
    /// First, as SQLite has it.
    methods: *const ffi::sqlite3_io_methods,
    database: *const Database,
    role: Role,
    level: Level,
    held: IndexLocks,
    /// Whether it is counted as a user of the index.
    uses_index: bool,
}

impl OpenFile {
    /// Nothing is locked.
    pub(super) fn new(database: &Database, role: Role) -> Self {
        Self {
            methods: &raw const METHODS,
            database,
            role,
            level: Level::default(),
            held: IndexLocks::default(),
            uses_index: false,
        }
    }

    fn database(&self) -> &Database {
        // SAFETY: a shim keeps its database until no file is open.
        unsafe { &*self.database }
    }
}

/// SQLite's own part of `file`.
pub(super) fn base_of(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
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

/// # Safety
/// `base` is open.
pub(super) unsafe fn close_base(base: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: it is open.
    let close = unsafe { base_methods(base) }.xClose;
    // SAFETY: as above.
    close.map_or(ffi::SQLITE_OK, |close| unsafe { close(base) })
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

fn code(outcome: &Result<(), LockRefusal>, failed: c_int) -> c_int {
    match outcome {
        Ok(()) => ffi::SQLITE_OK,
        Err(LockRefusal::Busy) => ffi::SQLITE_BUSY,
        Err(LockRefusal::Failed) => failed,
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
        own.held = IndexLocks::default();
        own.uses_index = false;
    }
    ffi::SQLITE_OK
}
