//! Memory of the buckets: chunks that double in size, never move, and are released only with the whole table.

#![allow(
    unsafe_code,
    reason = "buckets are reached through pointers to memory of our own"
)]

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::bucket::Bucket;

/// Buckets of the first two chunks, a page each; every further chunk is as large as all before it.
const FIRST: u64 = 64;

/// 128 GiB of buckets: sizes below stay within 64 bits when multiplied.
const CHUNKS: usize = 26;

/// Chunks from this size on come from the system, aligned to it, to be made of huge pages.
const HUGE_PAGE: usize = 2 << 20;

/// The memory for more keys cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoRoom;

/// Buckets by number, all zero at first. Null is a chunk that does not exist yet.
#[derive(Default)]
pub(super) struct BucketMemory {
    chunks: [AtomicPtr<Bucket>; CHUNKS],
}

/// Which chunk has the bucket `index`, and the number of that chunk's first bucket.
#[inline(always)]
fn chunk_of(index: u64) -> (usize, u64) {
    let chunk = (index | (FIRST - 1)).ilog2() + 1 - FIRST.ilog2();
    (chunk as usize, ((1 << chunk) >> 1) * FIRST)
}

/// Buckets in a chunk.
fn chunk_len(chunk: usize) -> usize {
    let doublings = chunk.saturating_sub(1);
    usize::try_from(FIRST).map_or(0, |first| first << doublings)
}

impl BucketMemory {
    /// The bucket `index`, if its memory is there.
    #[inline(always)]
    pub(super) fn bucket(&self, index: u64) -> Option<&Bucket> {
        let pointer = self.pointer(index)?;
        // SAFETY: `pointer` is inside a chunk that came from `allocate` (so it is aligned and was zeroed,
        // which is a valid `Bucket`), and chunks live as long as `self`. Buckets are only ever shared.
        Some(unsafe { &*pointer })
    }

    /// Asks the processor to fetch the bucket `index`.
    #[inline(always)]
    pub(super) fn prefetch(&self, index: u64) {
        #[cfg(target_arch = "x86_64")]
        if let Some(pointer) = self.pointer(index) {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // SAFETY: every x86-64 processor has SSE, and a prefetch touches no memory.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(pointer.cast()) };
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = index;
    }

    #[inline(always)]
    fn pointer(&self, index: u64) -> Option<*const Bucket> {
        let (chunk, first) = chunk_of(index);
        let start = self.chunks.get(chunk)?.load(Ordering::Acquire);
        if start.is_null() {
            return None;
        }
        let offset = usize::try_from(index - first).ok()?;
        // SAFETY: the chunk has as many buckets as there are numbers from `first` to the next chunk's.
        Some(unsafe { start.add(offset) })
    }

    /// Makes the buckets 0 to `buckets - 1` available. One thread at a time.
    pub(super) fn reserve(&self, buckets: u64) -> Result<(), NoRoom> {
        let (last, _) = chunk_of(buckets - 1);
        for (chunk, slot) in self.chunks.iter().enumerate().take(last + 1) {
            if slot.load(Ordering::Relaxed).is_null() {
                let start = allocate(chunk_len(chunk)).ok_or(NoRoom)?;
                slot.store(start, Ordering::Release);
            }
        }
        if last < CHUNKS { Ok(()) } else { Err(NoRoom) }
    }
}

impl Drop for BucketMemory {
    fn drop(&mut self) {
        for (chunk, slot) in self.chunks.iter_mut().enumerate() {
            let start = *slot.get_mut();
            if !start.is_null() {
                // SAFETY: it came from `allocate` with this length, and nobody borrows from `self`.
                unsafe { free(start, chunk_len(chunk)) };
            }
        }
    }
}

fn allocate(buckets: usize) -> Option<*mut Bucket> {
    let bytes = buckets.checked_mul(size_of::<Bucket>())?;
    if bytes >= HUGE_PAGE {
        map_aligned(bytes)
    } else {
        let layout = std::alloc::Layout::array::<Bucket>(buckets).ok()?;
        // SAFETY: the layout is not empty: a chunk has at least `FIRST` buckets.
        let start = unsafe { std::alloc::alloc_zeroed(layout) };
        (!start.is_null()).then_some(start.cast())
    }
}

/// # Safety
/// `start` came from `allocate(buckets)` and is not used any more.
unsafe fn free(start: *mut Bucket, buckets: usize) {
    let bytes = buckets * size_of::<Bucket>();
    if bytes >= HUGE_PAGE {
        // SAFETY: exactly this range was left mapped by `map_aligned`.
        unsafe { libc::munmap(start.cast(), bytes) };
    } else if let Ok(layout) = std::alloc::Layout::array::<Bucket>(buckets) {
        // SAFETY: `allocate` used the same layout.
        unsafe { std::alloc::dealloc(start.cast(), layout) };
    }
}

/// Zeroed memory that starts at a huge page. Pages that are never touched cost nothing.
fn map_aligned(bytes: usize) -> Option<*mut Bucket> {
    let whole = bytes.checked_add(HUGE_PAGE)?;
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping at a place of the system's choice disturbs no other.
    let start = unsafe { libc::mmap(ptr::null_mut(), whole, protection, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return None;
    }
    let head = start.align_offset(HUGE_PAGE);
    let aligned = start.wrapping_byte_add(head);
    if head > 0 {
        // SAFETY: the part of our mapping before the aligned start, which nobody uses.
        unsafe { libc::munmap(start, head) };
    }
    // SAFETY: the part of our mapping behind the aligned end, which nobody uses.
    unsafe { libc::munmap(aligned.wrapping_byte_add(bytes), HUGE_PAGE - head) };
    #[cfg(target_os = "linux")]
    // SAFETY: advice about a range of our own. A kernel without huge pages refuses it, and that is fine.
    unsafe {
        libc::madvise(aligned, bytes, libc::MADV_HUGEPAGE);
    }
    Some(aligned.cast())
}
