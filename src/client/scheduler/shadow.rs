//! Records that outlive their answer. After a restart a call with parts that are set aside is sent again as a whole,
//! with the parts that were done before. A later write about such a target has to be sent again after it, so that
//! record stays in the outbox until the call ends, and so do the records after it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::{AcceptedCall, CallId, Done, Scheduler};
use crate::api::Request;
use crate::client::call::Call;

/// Calls of one owner of which a restart sends what was done already.
#[derive(Default)]
pub(super) struct Shadow {
    /// By call: what it asks, and whether it is answered.
    calls: BTreeMap<CallId, (Arc<Request>, bool)>,
}

impl Shadow {
    /// The calls that are answered and no longer about a target of an earlier one.
    fn free(&mut self) -> Vec<(CallId, Arc<Request>)> {
        let mut earlier = HashSet::new();
        let mut free = Vec::new();
        for (id, (request, is_answered)) in &self.calls {
            let mut targets = request.targets().iter();
            if *is_answered && !targets.any(|target| earlier.contains(target)) {
                free.push((*id, Arc::clone(request)));
            } else {
                earlier.extend(request.targets());
            }
        }
        for (id, _) in &free {
            self.calls.remove(id);
        }
        free
    }

    /// Whether a call before `id` is about a target of `request`.
    fn covers(&self, id: CallId, request: &Request) -> bool {
        let mut calls = self.calls.range(..id);
        calls.any(|(_, (earlier, _))| {
            let mut targets = earlier.targets().iter();
            targets.any(|target| request.targets().contains(target))
        })
    }
}

impl<T> Scheduler<T> {
    /// The parts of a call end apart from now on.
    pub(super) fn divide(&mut self, id: CallId, more: usize) {
        let Some(entry) = self.calls.get_mut(&id) else {
            return;
        };
        entry.open_ops += more;
        if std::mem::replace(&mut entry.is_divided, true) || !self.rules.recorded {
            return;
        }
        let request = Arc::clone(&entry.call.request);
        if request.targets().len() > 1
            && let Some(queue) = self.owners.get_mut(request.owner.as_str())
        {
            let shadow = queue.shadow.get_or_insert_default();
            shadow.calls.insert(id, (request, false));
        }
    }

    /// Whether the record of a write that is answered stays until earlier calls are over.
    pub(super) fn outlives_answer(&mut self, id: CallId, entry: &AcceptedCall<T>) -> bool {
        if !self.rules.recorded {
            return false;
        }
        let request = &entry.call.request;
        let is_done = || entry.call.slots().any(|slot| slot.status().is_done());
        let queue = self.owners.get_mut(request.owner.as_str());
        let Some(shadow) = queue.and_then(|queue| queue.shadow.as_mut()) else {
            return false;
        };
        shadow.calls.remove(&id);
        let stays = request.command().is_write() && is_done() && shadow.covers(id, request);
        if stays {
            shadow.calls.insert(id, (Arc::clone(request), true));
        }
        stays
    }

    /// Whether the record of a call that was answered is still needed.
    #[cfg(test)]
    pub(super) fn stays_recorded(&self, id: CallId) -> bool {
        let mut shadows = self
            .owners
            .values()
            .filter_map(|queue| queue.shadow.as_ref());
        shadows.any(|shadow| {
            shadow
                .calls
                .get(&id)
                .is_some_and(|(_, is_answered)| *is_answered)
        })
    }

    /// Records that stayed for the sake of calls that are over now.
    pub(super) fn free_records(&mut self, owner: &str) {
        if !self.rules.recorded {
            return;
        }
        let Some(queue) = self.owners.get_mut(owner) else {
            return;
        };
        let Some(shadow) = queue.shadow.as_mut() else {
            return;
        };
        let free = shadow.free();
        queue.shadow.take_if(|shadow| shadow.calls.is_empty());
        self.done.extend(free.into_iter().map(|(id, request)| Done {
            id,
            call: Call::all_done(request),
            caller: None,
            is_final: true,
            is_listing: false,
            is_part: true,
        }));
    }
}
