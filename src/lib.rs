// SPDX-License-Identifier: MIT OR Apache-2.0

//! Per-player block lists for game servers: the four blocklist calls of Tencent Cloud Chat, answered by the
//! cloud service or by an engine inside the process, with the same semantics and JSON.
//!
//! Rust programs use [`Client`]; other languages use the C ABI of `include/chatblock.h`, which is generated
//! from the module `ffi`. The API is what these pages show. Hidden modules serve the tests, the command line and
//! its server; they may change in any version.

// The comments of `ffi` become a C header, where backticks and Rust's sections would be noise.
#![allow(clippy::doc_markdown)]
// Said where a caller can act on it; "expect" stands for what the type system cannot say.
#![allow(clippy::missing_errors_doc, clippy::missing_panics_doc)]
#![allow(clippy::must_use_candidate, clippy::module_name_repetitions)]

#[doc(hidden)]
pub mod api;
#[doc(hidden)]
pub mod cache;
#[doc(hidden)]
pub mod clock;
#[doc(hidden)]
pub mod config;
#[doc(hidden)]
pub mod error;
#[doc(hidden)]
pub mod log;
#[doc(hidden)]
pub mod query;
#[doc(hidden)]
pub mod service;
#[doc(hidden)]
pub mod sliding_window;
#[doc(hidden)]
pub mod threads;
#[doc(hidden)]
pub mod user_files;
pub mod usersig;
#[doc(hidden)]
pub mod webhook;
#[doc(hidden)]
pub mod wire;

mod client;
#[doc(hidden)]
pub mod ffi;
mod locks;
mod oneshot;
mod panics;
mod platform;
mod random;
mod sqlite;

pub use api::{CheckType, Command, Relation};
pub use cache::{Answer, BlockedPairs};
#[doc(hidden)]
pub use client::outbox_file;
pub use client::stats::{self, Stats};
pub use client::{Client, MAX_TARGETS, Reply, ReplyItem, backup_file, restore_file};
pub use error::{Error, Status};

#[cfg(panic = "abort")]
compile_error!(
    "build with panic = \"unwind\": a panic must become CHATBLOCK_ERR_PANIC, not end the host"
);
