//! The C ABI: every exported function, and nearly all unsafe code of the crate. cbindgen prints types
//! first, then functions in the order of these modules and of their items.

#![allow(unsafe_code, non_camel_case_types)]
// A C function cannot return a Result, and its contract is the comment that becomes the header.
#![allow(clippy::missing_panics_doc)]

pub mod status;

pub mod version;

pub mod client;

pub mod blocklist;

pub mod submit;

pub mod cached_checks;

pub mod result;

pub mod items;

pub mod usersig;

pub mod webhook;

pub mod backup;

pub mod stats;

mod convert;
