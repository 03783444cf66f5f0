//! Exit codes.

use std::fmt::Display;
use std::process::ExitCode;

use chatblock::{Error, Status};

/// Why the program ends other than with success.
pub struct Failure {
    code: u8,
    /// For standard error; empty when everything was said.
    message: String,
}

/// Done in part.
pub const PARTIAL: u8 = 1;
const USAGE: u8 = 2;
const REFUSED: u8 = 3;
const NETWORK: u8 = 4;
const STORAGE: u8 = 5;

/// The exit code for `status`.
pub fn code(status: Status) -> u8 {
    match status {
        Status::Ok | Status::Unchanged => 0,
        Status::Partial => PARTIAL,
        Status::Argument | Status::Config | Status::Request | Status::Unsupported => USAGE,
        Status::Service | Status::Signature => REFUSED,
        Status::Storage => STORAGE,
        _ => NETWORK,
    }
}

impl Failure {
    /// Ends with `code`; everything was said.
    pub fn silent(code: u8) -> Self {
        Self {
            code,
            message: String::new(),
        }
    }

    /// Ends because something typed or configured cannot be used.
    pub fn usage(message: impl Display) -> Self {
        Self {
            code: USAGE,
            message: message.to_string(),
        }
    }

    /// Ends because the service said no.
    pub fn refused(message: impl Display) -> Self {
        Self {
            code: REFUSED,
            message: message.to_string(),
        }
    }

    /// Says why on standard error and gives the exit code.
    pub fn report(self) -> ExitCode {
        if !self.message.is_empty() {
            crate::output::complain(&self.message);
        }
        ExitCode::from(self.code)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            code: code(error.status()),
            message: error.message().to_owned(),
        }
    }
}

/// What was done cannot be shown, for instance because the disk behind standard output is full.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self {
            code: STORAGE,
            message: format!("standard output: {error}"),
        }
    }
}
