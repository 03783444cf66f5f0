//! Signatures (UserSig).
//!
//! Generate and verify the signatures of the service. No client is needed.

use std::ffi::c_char;

use super::convert::{guard, panicked, text};
use super::result::chatblock_result;
use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::usersig::{self, Key};

/// Generate the signature with which a user logs in or a REST call is signed.
///
/// A client signs its own calls; use this function to hand signatures to players.
///
/// @param sdkappid        the application, from the console; not 0.
/// @param secret_key      the secret key of the application as a string. Never kept, never in a message.
/// @param identifier      the user, 1 to 32 bytes without control characters.
/// @param expire_seconds  lifetime in seconds, at most 50 years (1,576,800,000); with 0 the signature is
///                        valid only within the second in which it was made.
/// @return a result, never NULL: OK with chatblock_result_usersig(), or ARGUMENT.
///
/// Owns: the caller owns the result.  Threads: any, at once.  Blocks: never.
/// Service: UserSig version 2.  Since: 0.1.
///
/// # Safety
/// Strings are NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_usersig_generate(
    sdkappid: u32,
    secret_key: *const c_char,
    identifier: *const c_char,
    expire_seconds: u32,
) -> *mut chatblock_result {
    let body = || {
        // SAFETY: the caller promises a string.
        let key = unsafe { text(secret_key, "secret_key") }?;
        // SAFETY: as above.
        let identifier = unsafe { text(identifier, "identifier") }?;
        let now = SystemClock.unix_seconds();
        usersig::generate(sdkappid, &Key::new(key), identifier, (now, expire_seconds))
            .map(chatblock_result::from_signature)
    };
    finish(body)
}

/// Verify a signature at the present time: was it made with this key, for this application and user, and is
/// it still valid?
///
/// @param sdkappid    the expected application; not 0.
/// @param secret_key  the secret key of the application as a string. Never kept, never in a message.
/// @param identifier  the expected user, 1 to 32 bytes without control characters.
/// @param usersig     the signature.
/// @return a result, never NULL: OK; SIGNATURE with service_code 70003 (not a signature), 70014 (other
///         application), 70013 (other user), 70001 (expired) or 70009 (other key), and a message with the
///         reason; ARGUMENT.
///
/// Owns: the caller owns the result.  Threads: any, at once.  Blocks: never.
/// Service: UserSig version 2.  Since: 0.1.
///
/// # Safety
/// Strings are NULL or NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatblock_usersig_verify(
    sdkappid: u32,
    secret_key: *const c_char,
    identifier: *const c_char,
    usersig: *const c_char,
) -> *mut chatblock_result {
    let body = || {
        // SAFETY: the caller promises a string.
        let key = unsafe { text(secret_key, "secret_key") }?;
        // SAFETY: as above.
        let identifier = unsafe { text(identifier, "identifier") }?;
        // SAFETY: as above.
        let signature = unsafe { text(usersig, "usersig") }?;
        usersig::check_arguments(sdkappid, &Key::new(key), identifier)?;
        let now = SystemClock.unix_seconds();
        Ok(
            match usersig::verify(
                &Key::new(key),
                u64::from(sdkappid),
                identifier,
                signature,
                now,
            ) {
                Ok(_) => chatblock_result::from_error(&Error::new(crate::Status::Ok, "")),
                Err(code) => chatblock_result::from_refused_signature(
                    code,
                    &usersig::explain(code, signature, now),
                ),
            },
        )
    };
    finish(body)
}

fn finish(body: impl FnOnce() -> Result<chatblock_result, Error>) -> *mut chatblock_result {
    let outcome = guard(|| Err(panicked()), body);
    outcome
        .unwrap_or_else(|error| chatblock_result::from_error(&error))
        .give()
}
