//! Blocklists for game servers: the four blocklist calls of Tencent Cloud Chat, answered by the
//! cloud service or by an engine inside the process, with the same semantics and JSON.

pub mod api;
pub mod clock;
pub mod config;
pub mod error;
pub mod rate;
pub mod service;
pub mod usersig;
pub mod wire;

mod client;
pub mod ffi;
mod panics;

pub use api::{CheckType, Command, Relation};
pub use client::{Client, MAX_TARGETS, Reply, ReplyItem};
pub use error::{Error, Status};

#[cfg(panic = "abort")]
compile_error!(
    "build with panic = \"unwind\": a panic must become CHATBLOCK_ERR_PANIC, not end the host"
);
