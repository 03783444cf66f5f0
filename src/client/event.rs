//! The event descriptor: readable while completions wait for poll.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::unistd;

use crate::platform::fork::ParentOnly;

/// A descriptor that the host program can wait for but not empty: an epoll set with one event counter in it. The set is
/// readable while the counter is, and every write to the counter is an edge. A `read` of the counter itself by the host
/// program would leave it unreadable; a `read` of the set is an error (`EINVAL`) that changes nothing.
pub(super) struct CompletionEvent {
    set: ParentOnly<OwnedFd>,
    counter: ParentOnly<OwnedFd>,
}

impl CompletionEvent {
    pub(super) fn new() -> io::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let counter = ParentOnly::open(|| Ok(EventFd::from_flags(flags)?.into()))?;
        let set = ParentOnly::open(|| {
            let set = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
            set.add(&*counter, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
            Ok(set.0)
        })?;
        Ok(Self { set, counter })
    }

    pub(super) fn descriptor(&self) -> RawFd {
        self.set.as_raw_fd()
    }

    /// Readable, and an edge also when it was. Whether it is: the counter is never near its limit, because it is
    /// emptied with [`Self::clear`].
    pub(super) fn set(&self) -> bool {
        unistd::write(&*self.counter, &1_u64.to_ne_bytes()).is_ok()
    }

    /// Not readable.
    pub(super) fn clear(&self) {
        // Without a value in it there is nothing to clear.
        let _ = unistd::read(&*self.counter, &mut [0; 8]);
    }
}

#[cfg(test)]
impl CompletionEvent {
    /// An epoll set of a host program that asks for edges.
    pub(super) fn edges(&self) -> Epoll {
        let outer = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).expect("an epoll set");
        let edges = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
        let added = outer.add(&*self.set, EpollEvent::new(edges, 7));
        added.expect("an epoll set in an epoll set");
        outer
    }
}

#[cfg(test)]
mod tests {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use std::os::fd::AsFd;

    use super::*;

    fn is_readable(event: &CompletionEvent) -> bool {
        let mut waiting = [PollFd::new(event.set.as_fd(), PollFlags::POLLIN)];
        poll(&mut waiting, PollTimeout::ZERO) == Ok(1)
    }

    #[test]
    fn a_read_of_the_host_program_changes_nothing() {
        let event = CompletionEvent::new().expect("a descriptor");
        assert!(!is_readable(&event));
        assert!(event.set());
        let mut foreign = [0; 8];
        assert!(nix::unistd::read(&*event.set, &mut foreign).is_err());
        assert!(is_readable(&event));
        event.clear();
        assert!(!is_readable(&event));
        assert!(event.set() && is_readable(&event));
    }

    #[test]
    fn every_set_is_an_edge() {
        let event = CompletionEvent::new().expect("a descriptor");
        let outer = event.edges();
        let wait = || {
            let mut events = [EpollEvent::empty()];
            outer.wait(&mut events, PollTimeout::ZERO).expect("a wait")
        };
        assert_eq!(wait(), 0);
        for _ in 0..3 {
            event.set();
            assert_eq!((wait(), wait()), (1, 0));
        }
        event.clear();
        event.set();
        assert_eq!(wait(), 1);
    }
}
