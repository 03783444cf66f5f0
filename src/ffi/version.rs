//! Version.
//!
//! The version of the library at run time; the macros are the version of this header.

use std::ffi::{CStr, c_char};

use super::status::status_number;
use crate::error::Status;

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version has no NUL"),
    };

const fn part(text: &str) -> u32 {
    let (bytes, mut index, mut number) = (text.as_bytes(), 0, 0);
    while index < bytes.len() {
        number = number * 10 + (bytes[index] - b'0') as u32;
        index += 1;
    }
    number
}

const NUMBER: u32 = part(env!("CARGO_PKG_VERSION_MAJOR")) << 16
    | part(env!("CARGO_PKG_VERSION_MINOR")) << 8
    | part(env!("CARGO_PKG_VERSION_PATCH"));

/// The version of the library at run time, as 0xMMmmpp.
///
/// Compare it with CHATBLOCK_VERSION_NUMBER, the version of the header that a program was compiled with.
///
/// @return major << 16 | minor << 8 | patch.
///
/// Threads: any.  Blocks: never.  Since: 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn chatblock_version_number() -> u32 {
    NUMBER
}

/// The version of the library at run time as a string, for example "0.1.0".
///
/// @return a constant string; never NULL.
///
/// Threads: any.  Blocks: never.  Since: 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn chatblock_version() -> *const c_char {
    VERSION.as_ptr()
}

/// The name of a status, for example "CHATBLOCK_ERR_TIMEOUT".
///
/// @param status  any number.
/// @return a constant string; "CHATBLOCK_ERR_?" for a number that this version does not define.
///
/// Threads: any.  Blocks: never.  Since: 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn chatblock_status_name(status: status_number) -> *const c_char {
    let row = Status::TABLE.iter().find(|row| row.status.code() == status);
    row.map_or(c"CHATBLOCK_ERR_?", |row| row.name).as_ptr()
}
