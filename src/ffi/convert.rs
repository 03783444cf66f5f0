//! What every exported function does first and last: contain panics, hold back a cancellation of the thread, keep errno,
//! check pointers.

use std::borrow::Cow;
use std::ffi::{CStr, CString, c_char};
use std::time::Duration;

use smallvec::SmallVec;

use crate::error::{Error, Status};
use crate::panics;
use crate::platform::cancel::Uncancelled;

/// The way into the library for every function that may call the operating system: a panic becomes `on_panic()`, errno
/// is left as it was, and the thread is not cancelled before the body has ended.
pub(super) fn guard<R>(on_panic: impl FnOnce() -> R, body: impl FnOnce() -> R) -> R {
    let _uncancelled = Uncancelled::begin();
    guard_without_waits(on_panic, body)
}

/// [`guard`] where nothing is a cancellation point, so that a thread cannot be cancelled there.
pub(super) fn guard_without_waits<R>(on_panic: impl FnOnce() -> R, body: impl FnOnce() -> R) -> R {
    // SAFETY: errno of this thread always exists.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above; nobody else touches this thread's errno meanwhile.
    let before = unsafe { *errno };
    let outcome = panics::contain(body).unwrap_or_else(|_| on_panic());
    // SAFETY: as above.
    unsafe { *errno = before };
    outcome
}

/// The error of a call that met a bug.
pub(super) fn panicked() -> Error {
    Error::new(
        Status::Panic,
        "a bug in the library; close the client and report it",
    )
}

/// Borrows a text for the call.
///
/// # Safety
/// `text` is NULL or points to a NUL-terminated string that lives for `'a`.
pub(super) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str, Error> {
    if text.is_null() {
        return Err(Error::argument(name, "is NULL"));
    }
    // SAFETY: not NULL; the caller promises a NUL-terminated string that lives for the call.
    let bytes = unsafe { CStr::from_ptr(text) }.to_bytes();
    if bytes.is_ascii() {
        // Most are, and this is found out in a fraction of the time.
        // SAFETY: ASCII is UTF-8.
        return Ok(unsafe { str::from_utf8_unchecked(bytes) });
    }
    str::from_utf8(bytes).map_err(|_| Error::argument(name, "is not UTF-8"))
}

/// Texts of a caller; a few of them, as usual, without an allocation.
pub(super) type Texts<'a> = SmallVec<[&'a str; 16]>;

/// Borrows a list of `count` texts for the call.
///
/// # Safety
/// `texts` is NULL or points to `count` pointers, each as [`text`] wants it, for `'a`.
pub(super) unsafe fn texts<'a>(
    texts: *const *const c_char,
    count: usize,
    name: &str,
) -> Result<Texts<'a>, Error> {
    if texts.is_null() {
        return Err(Error::argument(name, "is NULL"));
    }
    if !(1..=crate::client::MAX_TARGETS).contains(&count) {
        let most = crate::client::MAX_TARGETS;
        return Err(Error::argument(
            "count",
            format!("is {count}, outside 1 to {most}"),
        ));
    }
    // SAFETY: not NULL, and the caller promises `count` pointers; `count` is bounded.
    let pointers = unsafe { std::slice::from_raw_parts(texts, count) };
    let one = |(index, pointer): (usize, &*const c_char)| {
        // SAFETY: each pointer is promised to be NULL or a NUL-terminated string.
        unsafe { text(*pointer, name) }.map_err(|error| {
            let what = error.message().trim_start_matches(name);
            Error::new(error.status(), format!("{name}[{index}]{what}"))
        })
    };
    pointers.iter().enumerate().map(one).collect()
}

/// Borrows the owner and the targets of a call: all functions that take both refuse the same, in the same words.
///
/// # Safety
/// `owner` as [`text`] wants it, `targets` and their number as [`texts`] wants them, for `'a`.
pub(super) unsafe fn accounts<'a>(
    owner: *const c_char,
    targets: (*const *const c_char, usize),
) -> Result<(&'a str, Texts<'a>), Error> {
    // SAFETY: the caller's promise.
    let owner = unsafe { text(owner, "owner") }?;
    // SAFETY: as above.
    let targets = unsafe { texts(targets.0, targets.1, "targets") }?;
    Ok((owner, targets))
}

/// How long to wait: negative is without limit.
pub(super) fn timeout(milliseconds: i32) -> Option<Duration> {
    u64::try_from(milliseconds).ok().map(Duration::from_millis)
}

/// A text for C. There is no inner NUL in what the library says; if one came in from outside it is
/// replaced and not cut at. Most texts of a result are empty, and those take no memory.
pub(super) fn c_string(text: String) -> Cow<'static, CStr> {
    if text.is_empty() {
        return Cow::Borrowed(c"");
    }
    let text = match memchr::memchr(0, text.as_bytes()) {
        Some(_) => text.replace('\0', "\u{fffd}"),
        None => text,
    };
    // SAFETY: there is no NUL in it. An answer can be long, and looking for one twice takes time.
    Cow::Owned(unsafe { CString::from_vec_unchecked(text.into_bytes()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_inside_a_text_cuts_nothing_off() {
        let given = |text: &str| c_string(text.to_owned()).into_owned().into_string();
        assert_eq!(given("a\0b\0"), Ok("a\u{fffd}b\u{fffd}".to_owned()));
        assert_eq!(given(""), Ok(String::new()));
    }

    #[test]
    fn only_utf_8_is_a_text() {
        // SAFETY: both are NUL-terminated and live as long as the program.
        let given = |bytes: &'static CStr| unsafe { text(bytes.as_ptr(), "owner") };
        assert_eq!(given(c"ann").ok(), Some("ann"));
        assert_eq!(given(c"\xc3\xa4").ok(), Some("\u{e4}"));
        assert!(given(c"a\xff").is_err());
    }
}
