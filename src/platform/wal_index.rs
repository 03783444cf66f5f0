//! SQLite's index of a write-ahead log (the file with `-shm` at its end), shared with every other program that has
//! the database open: the same bytes and the same locks, except that these belong to the open file.

#![allow(unsafe_code, reason = "memory of a file has no safe form")]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::ptr::{self, NonNull};

use super::fork::ParentOnly;
use super::levels::LockRefusal;
use super::locks::{self, Mode, Range};

/// Locks of the index, as in SQLite.
const LOCKS: usize = 8;
/// Their offsets in the file, and that of the lock that marks it as used ("dead man's switch").
const FIRST_LOCK: i64 = 120;
const IN_USE: Range = Range::byte(FIRST_LOCK + 8);
/// To make the system take the memory that a file grows by, a byte is written in each piece of this size.
const PAGE: u64 = 4096;

/// A mapped piece of the file.
struct Chunk {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the memory belongs to the file, not to a thread; SQLite orders what its threads do with it.
unsafe impl Send for Chunk {}

impl Chunk {
    fn map(file: &File, offset: u64, length: usize) -> io::Result<Self> {
        let offset = libc::off_t::try_from(offset).map_err(io::Error::other)?;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the system chooses the place, so nothing else is there; the descriptor is open.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                length,
                access,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                offset,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("no memory"))?;
        Ok(Self { start, length })
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this length, and SQLite uses no region after its last connection let go of it.
        let _ = unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

/// What one connection has locked: a bit for each lock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IndexLocks {
    shared: u8,
    exclusive: u8,
}

/// The index while at least one connection uses it.
pub(super) struct WalIndex {
    /// Has the locks.
    file: ParentOnly<File>,
    /// The same file opened once more, for the memory: a forked child keeps what is mapped, and with it the open file.
    memory: ParentOnly<File>,
    chunks: Vec<Chunk>,
    /// For each lock how many connections share it, or -1 for one that has it alone.
    locks: [i32; LOCKS],
    /// Connections that use it.
    pub(super) users: usize,
}

impl WalIndex {
    /// Opens or creates the index at `path`. A process that finds it unused empties it: what a crash left there is of
    /// no use.
    pub(super) fn open(path: &Path) -> Result<Self, LockRefusal> {
        let open = || {
            let mut options = File::options();
            options.read(true).write(true).create(true).mode(0o600);
            options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
            options.open(path)
        };
        let file = ParentOnly::open(open)?;
        let memory = ParentOnly::open(open)?;
        let (locked, mapped) = (file.metadata()?, memory.metadata()?);
        let is_same = (locked.dev(), locked.ino()) == (mapped.dev(), mapped.ino());
        if !is_same || !locked.is_file() {
            return Err(LockRefusal::Failed);
        }
        if locks::set(&file, IN_USE, Mode::Exclusive)? {
            // As SQLite does it: shorter than any index, and not empty.
            file.set_len(3)?;
        }
        if !locks::set(&file, IN_USE, Mode::Shared)? {
            return Err(LockRefusal::Busy);
        }
        Ok(Self {
            file,
            memory,
            chunks: Vec::new(),
            locks: [0; LOCKS],
            users: 0,
        })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// The memory of the region `number` of `size` bytes; None when the file does not have it and must not grow.
    pub(super) fn region(
        &mut self,
        number: usize,
        size: usize,
        may_grow: bool,
    ) -> io::Result<Option<NonNull<u8>>> {
        // Pages of the system may be larger than a region.
        let length = size.max(page_size());
        let (chunk, offset) = (number * size / length, number * size % length);
        while self.chunks.len() <= chunk {
            let start = (self.chunks.len() * length) as u64;
            let end = start + length as u64;
            let present = self.memory.metadata()?.len();
            if present < end {
                if !may_grow {
                    return Ok(None);
                }
                for page in present / PAGE..end / PAGE {
                    self.memory.write_all_at(&[0], page * PAGE + PAGE - 1)?;
                }
            }
            self.chunks.push(Chunk::map(&self.memory, start, length)?);
        }
        let start = self.chunks[chunk].start;
        // SAFETY: `offset` and the region behind it are within the chunk.
        Ok(Some(unsafe { start.add(offset) }))
    }

    /// Takes the lock `number` beside others.
    pub(super) fn share(
        &mut self,
        held: &mut IndexLocks,
        number: usize,
    ) -> Result<(), LockRefusal> {
        if held.shared & bits(number, 1) != 0 {
            return Ok(());
        }
        if self.locks[number] < 0 {
            return Err(LockRefusal::Busy);
        }
        if self.locks[number] == 0 {
            self.set(number, 1, Mode::Shared)?;
        }
        self.locks[number] += 1;
        held.shared |= bits(number, 1);
        Ok(())
    }

    /// Takes `count` locks from `first` on, for one connection alone.
    pub(super) fn exclude(
        &mut self,
        held: &mut IndexLocks,
        first: usize,
        count: usize,
    ) -> Result<(), LockRefusal> {
        if self.locks[first..first + count]
            .iter()
            .any(|lock| *lock != 0)
        {
            return Err(LockRefusal::Busy);
        }
        self.set(first, count, Mode::Exclusive)?;
        self.locks[first..first + count].fill(-1);
        held.exclusive |= bits(first, count);
        Ok(())
    }

    /// Releases what `held` has of `count` locks from `first` on.
    pub(super) fn release(
        &mut self,
        held: &mut IndexLocks,
        first: usize,
        count: usize,
    ) -> Result<(), LockRefusal> {
        for number in first..first + count {
            let bit = bits(number, 1);
            if held.exclusive & bit != 0 || (held.shared & bit != 0 && self.locks[number] == 1) {
                self.set(number, 1, Mode::Free)?;
                self.locks[number] = 0;
            } else if held.shared & bit != 0 {
                self.locks[number] -= 1;
            }
            held.exclusive &= !bit;
            held.shared &= !bit;
        }
        Ok(())
    }

    /// Releases everything that `held` has.
    pub(super) fn release_all(&mut self, held: &mut IndexLocks) {
        // The system takes a lock back that this fails for when the file is closed.
        let _ = self.release(held, 0, LOCKS);
    }

    fn set(&self, first: usize, count: usize, mode: Mode) -> Result<(), LockRefusal> {
        let range = Range {
            start: FIRST_LOCK.saturating_add_unsigned(first as u64),
            length: 0_i64.saturating_add_unsigned(count as u64),
        };
        if locks::set(&self.file, range, mode)? {
            Ok(())
        } else {
            Err(LockRefusal::Busy)
        }
    }
}

impl Drop for WalIndex {
    fn drop(&mut self) {
        locks::release(&self.file);
    }
}

/// Whether SQLite means locks that exist.
pub(super) fn has_locks(first: usize, count: usize) -> bool {
    count > 0 && first.checked_add(count).is_some_and(|end| end <= LOCKS)
}

fn bits(first: usize, count: usize) -> u8 {
    let mask = ((1_u16 << count) - 1) << first;
    mask.to_le_bytes()[0]
}

fn page_size() -> usize {
    // SAFETY: asks for a number.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(4096)
}
