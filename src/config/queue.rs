//! The keys of `queue`: how much may wait.

use serde_json::value::RawValue;

use super::{narrow, or_default, raw, subsection};
use crate::error::Error;

/// How much may be accepted and not yet answered.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    /// Calls, and completions that wait for poll.
    pub max_calls: usize,
    /// Calls of one owner.
    pub max_calls_per_owner: u32,
    /// Memory of the calls.
    pub max_bytes: u64,
}

#[cfg(test)]
impl QueueLimits {
    /// For tests of something else.
    pub(crate) fn of_calls(max_calls: usize) -> Self {
        Self {
            max_calls,
            max_calls_per_owner: u32::MAX,
            max_bytes: u64::MAX,
        }
    }
}

pub(super) fn parse(section: Option<&RawValue>) -> Result<QueueLimits, Error> {
    let section: raw::Queue = subsection("queue", section)?;
    let calls = |name, raw, default| {
        or_default(raw, default, |raw| {
            raw::number(name, raw, 1, 1 << 24).map(narrow)
        })
    };
    let all = calls("queue.max_calls", section.max_calls, 65_536)?;
    Ok(QueueLimits {
        max_calls: all as usize,
        max_calls_per_owner: calls(
            "queue.max_calls_per_owner",
            section.max_calls_per_owner,
            8192,
        )?,
        max_bytes: or_default(section.max_bytes, 64 << 20, |raw| {
            raw::number("queue.max_bytes", raw, 1 << 16, 1 << 40)
        })?,
    })
}
