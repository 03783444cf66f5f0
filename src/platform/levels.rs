//! SQLite's locks of a database file, for all connections of one client.
//!
//! They are on the same bytes as SQLite's, so that other copies of SQLite, in this process and in others, conflict
//! with them. Between connections of the client a counter decides, because their locks are those of one open file.

use std::fs::File;

use super::locks::{self, Mode, Range};

/// As in SQLite's `os.h`.
const PENDING: Range = Range::byte(0x4000_0000);
const RESERVED: Range = Range::byte(PENDING.start + 1);
pub(super) const SHARED: Range = Range {
    start: PENDING.start + 2,
    length: 510,
};

/// How much of the file a connection has locked, as SQLite counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    #[default]
    None,
    Shared,
    Reserved,
    Pending,
    Exclusive,
}

/// Why a lock cannot be had.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LockRefusal {
    Busy,
    /// The system does not lock the file.
    Failed,
}

impl From<std::io::Error> for LockRefusal {
    fn from(_: std::io::Error) -> Self {
        Self::Failed
    }
}

/// What the connections of a client have locked together.
#[derive(Debug, Default)]
pub(super) struct Levels {
    /// Connections at `Shared` or above.
    shared: usize,
    /// The highest of them; at most one is above `Shared`.
    highest: Level,
}

impl Levels {
    /// Raises `own`, the level of one connection, to `wanted`. A connection that could not get all stays where it came to, as
    /// SQLite expects.
    pub(super) fn raise(
        &mut self,
        file: &File,
        own: &mut Level,
        wanted: Level,
    ) -> Result<(), LockRefusal> {
        if *own >= wanted {
            return Ok(());
        }
        let is_another_above = self.highest > Level::Shared && *own <= Level::Shared;
        if is_another_above && (wanted > Level::Shared || self.highest >= Level::Pending) {
            return Err(LockRefusal::Busy);
        }
        if *own == Level::None {
            if self.shared == 0 {
                enter(file)?;
            }
            self.shared += 1;
            self.reach(own, Level::Shared);
        }
        if wanted >= Level::Reserved && *own < Level::Reserved {
            take(file, RESERVED, Mode::Exclusive)?;
            self.reach(own, Level::Reserved);
        }
        if wanted == Level::Exclusive {
            take(file, PENDING, Mode::Exclusive)?;
            self.reach(own, Level::Pending);
            if self.shared > 1 {
                return Err(LockRefusal::Busy);
            }
            take(file, SHARED, Mode::Exclusive)?;
            self.reach(own, Level::Exclusive);
        }
        Ok(())
    }

    fn reach(&mut self, own: &mut Level, level: Level) {
        *own = level;
        self.highest = self.highest.max(level);
    }

    /// Lowers `own` to `wanted`, which is `Shared` or `None`.
    pub(super) fn lower(
        &mut self,
        file: &File,
        own: &mut Level,
        wanted: Level,
    ) -> Result<(), LockRefusal> {
        if *own > Level::Shared && wanted < *own {
            if *own == Level::Exclusive {
                take(file, SHARED, Mode::Shared)?;
            }
            take(file, PENDING, Mode::Free)?;
            take(file, RESERVED, Mode::Free)?;
            *own = Level::Shared;
            self.highest = Level::Shared;
        }
        if wanted == Level::None && *own == Level::Shared {
            if self.shared == 1 {
                take(file, SHARED, Mode::Free)?;
                self.highest = Level::None;
            }
            self.shared -= 1;
            *own = Level::None;
        }
        Ok(())
    }

    /// Whether anybody is about to write without a log.
    pub(super) fn is_reserved(&self, file: &File) -> Result<bool, LockRefusal> {
        Ok(self.highest > Level::Shared || !locks::is_free(file, RESERVED)?)
    }
}

/// Takes the shared lock, unless a connection waits for the exclusive one.
fn enter(file: &File) -> Result<(), LockRefusal> {
    take(file, PENDING, Mode::Shared)?;
    let entered = take(file, SHARED, Mode::Shared);
    take(file, PENDING, Mode::Free)?;
    entered
}

fn take(file: &File, range: Range, mode: Mode) -> Result<(), LockRefusal> {
    if locks::set(file, range, mode)? {
        Ok(())
    } else {
        Err(LockRefusal::Busy)
    }
}
