//! The atomics of the table, in one place: `tests/cache_model.rs` compiles the table with those of loom.

pub(super) use std::sync::atomic::{AtomicU64, Ordering};
