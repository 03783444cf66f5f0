//! Bodies that are coming in: together they take a bounded amount of memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How much of the bodies of all connections is in memory.
pub(super) struct Bodies {
    most: usize,
    held: AtomicUsize,
}

/// A body, as far as it has come; its bytes count until it is dropped.
pub(super) struct GatheredBody {
    bodies: Arc<Bodies>,
    bytes: Vec<u8>,
}

impl Bodies {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            held: AtomicUsize::new(0),
        })
    }

    pub(super) fn begin(self: &Arc<Self>) -> GatheredBody {
        GatheredBody {
            bodies: Arc::clone(self),
            bytes: Vec::new(),
        }
    }
}

impl GatheredBody {
    /// Takes `part`, unless all bodies together would become too large.
    pub(super) fn push(&mut self, part: &[u8]) -> bool {
        let take = |held: usize| {
            let after = held.checked_add(part.len())?;
            (after <= self.bodies.most).then_some(after)
        };
        let order = Ordering::Relaxed;
        let fits = self.bodies.held.fetch_update(order, order, take).is_ok();
        if fits {
            self.bytes.extend_from_slice(part);
        }
        fits
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for GatheredBody {
    fn drop(&mut self) {
        self.bodies
            .held
            .fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bodies_share_one_bound_and_give_their_room_back() {
        let bodies = Bodies::new(10);
        let (mut one, mut two) = (bodies.begin(), bodies.begin());
        assert!(one.push(b"123456") && two.push(b"1234"));
        assert!(!two.push(b"5") && !one.push(b"7") && one.push(b""));
        assert_eq!((one.bytes(), two.bytes()), (&b"123456"[..], &b"1234"[..]));
        drop(one);
        assert!(two.push(b"567890"));
        drop(two);
        assert_eq!(bodies.held.load(Ordering::Relaxed), 0);
    }
}
