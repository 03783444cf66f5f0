//! Writes that may still arrive. The response to an attempt was lost, so the service may execute it late, and after a
//! later, contradicting write it would undo that one. So a target stays in doubt for another time limit of the
//! attempt; a write that contradicts it is delayed until that time is over, and the target is read back before that
//! write is sent.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::CallId;
use crate::api::{Account, Command, Request};

/// Which targets of which owners are in doubt.
pub(super) struct Doubts {
    /// How long a lost attempt may still arrive; None where nothing gets lost.
    life: Option<Duration>,
    owners: HashMap<Account, HashMap<Account, Doubt>>,
    /// When to look whether an owner has doubts left.
    sweeps: VecDeque<(Instant, Account)>,
}

/// Lost attempts to add and to delete one target.
#[derive(Default)]
struct Doubt {
    add: Option<LostWrite>,
    delete: Option<LostWrite>,
}

#[derive(Clone, Copy)]
struct LostWrite {
    /// The first call concerned: what was accepted before it will be followed by it anyway.
    call: CallId,
    /// From when on nothing can arrive any more.
    over: Instant,
}

impl Doubt {
    fn add(&mut self, command: Command, lost: LostWrite) {
        let slot = match command {
            Command::Add => &mut self.add,
            _ => &mut self.delete,
        };
        // A write that comes back from disk may have been sent before one that was lost since.
        let lost = slot.map_or(lost, |earlier| LostWrite {
            call: earlier.call.min(lost.call),
            over: earlier.over.max(lost.over),
        });
        *slot = Some(lost);
    }

    /// When nothing can arrive any more that contradicts `command` of `call`.
    fn against(&self, command: Command, call: CallId) -> Option<Instant> {
        let lost = match command {
            Command::Add => self.delete,
            _ => self.add,
        };
        lost.filter(|lost| lost.call < call).map(|lost| lost.over)
    }

    /// When it is over.
    fn over(&self) -> Option<Instant> {
        let both = [self.add, self.delete].into_iter().flatten();
        both.map(|lost| lost.over).max()
    }
}

/// What a new write has to wait for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum WriteHold {
    Nothing,
    Until(Instant),
    /// These targets are read back first.
    ReadBack(Vec<Account>),
}

impl Doubts {
    pub(super) fn new(life: Option<Duration>) -> Self {
        Self {
            life,
            owners: HashMap::new(),
            sweeps: VecDeque::new(),
        }
    }

    /// An attempt to do `request` for `call` and later ones has no answer.
    pub(super) fn add(&mut self, owner: &Account, request: &Request, call: CallId, now: Instant) {
        let Some(life) = self.life else { return };
        let over = now + life;
        let own = self.owners.entry(owner.clone()).or_default();
        for target in request.targets() {
            let doubt = own.entry(target.clone()).or_default();
            doubt.add(request.command(), LostWrite { call, over });
        }
        self.sweeps.push_back((over + life, owner.clone()));
    }

    /// What `command` of `call` for `targets` has to wait for.
    pub(super) fn hold<'a>(
        &self,
        owner: &str,
        (command, call): (Command, CallId),
        targets: impl Iterator<Item = &'a Account>,
        now: Instant,
    ) -> WriteHold {
        let Some(own) = self.owners.get(owner) else {
            return WriteHold::Nothing;
        };
        let over = |target: &Account| own.get(target)?.against(command, call);
        let doubtful: Vec<_> = targets.filter(|target| over(target).is_some()).collect();
        let over = doubtful.iter().filter_map(|target| over(target)).max();
        match over {
            None => WriteHold::Nothing,
            Some(over) if now < over => WriteHold::Until(over),
            Some(_) => WriteHold::ReadBack(doubtful.into_iter().cloned().collect()),
        }
    }

    /// The service reported the state of these targets.
    pub(super) fn resolve(&mut self, owner: &str, targets: &[Account]) {
        if let Some(own) = self.owners.get_mut(owner) {
            for target in targets {
                own.remove(target);
            }
            if own.is_empty() {
                self.owners.remove(owner);
            }
        }
    }

    /// Removes doubts that expired.
    pub(super) fn sweep(&mut self, now: Instant) {
        let Some(life) = self.life else { return };
        while self
            .sweeps
            .front()
            .is_some_and(|(moment, _)| *moment <= now)
        {
            let Some((_, owner)) = self.sweeps.pop_front() else {
                return;
            };
            if let Some(own) = self.owners.get_mut(&owner) {
                own.retain(|_, doubt| doubt.over().is_some_and(|over| now < over + life));
                if own.is_empty() {
                    self.owners.remove(&owner);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Operation;

    const LIFE: Duration = Duration::from_secs(3);

    fn lost_add(doubts: &mut Doubts, call: CallId, now: Instant) {
        let operation = Operation::Add(vec!["bob".into()].into());
        let request = Request {
            owner: "ann".into(),
            operation,
        };
        doubts.add(&"ann".into(), &request, call, now);
    }

    fn hold(doubts: &Doubts, command: Command, call: CallId, now: Instant) -> WriteHold {
        doubts.hold(
            "ann",
            (command, call),
            ["bob".into(), "eve".into()].iter(),
            now,
        )
    }

    #[test]
    fn a_contradicting_write_waits_and_then_reads_back() {
        let now = Instant::now();
        let mut doubts = Doubts::new(Some(LIFE));
        lost_add(&mut doubts, 5, now);
        let delete = |doubts: &Doubts, now| hold(doubts, Command::Delete, 6, now);
        assert_eq!(hold(&doubts, Command::Add, 6, now), WriteHold::Nothing);
        assert_eq!(delete(&doubts, now), WriteHold::Until(now + LIFE));
        assert_eq!(
            delete(&doubts, now + LIFE),
            WriteHold::ReadBack(vec!["bob".into()])
        );
        doubts.resolve("ann", &["bob".into()]);
        assert_eq!(delete(&doubts, now + LIFE), WriteHold::Nothing);
    }

    #[test]
    fn a_write_that_the_lost_one_follows_does_not_wait() {
        let now = Instant::now();
        let mut doubts = Doubts::new(Some(LIFE));
        lost_add(&mut doubts, 5, now);
        assert_eq!(hold(&doubts, Command::Delete, 4, now), WriteHold::Nothing);
        lost_add(&mut doubts, 7, now);
        assert_ne!(hold(&doubts, Command::Delete, 6, now), WriteHold::Nothing);
    }

    #[test]
    fn an_attempt_of_long_ago_does_not_end_the_doubt_of_a_later_one() {
        let now = Instant::now();
        let mut doubts = Doubts::new(Some(LIFE));
        lost_add(&mut doubts, 5, now + LIFE);
        lost_add(&mut doubts, 6, now);
        let hold = hold(&doubts, Command::Delete, 7, now + LIFE);
        assert_eq!(hold, WriteHold::Until(now + LIFE * 2));
    }

    #[test]
    fn doubts_that_nobody_asks_about_are_forgotten() {
        let now = Instant::now();
        let mut doubts = Doubts::new(Some(LIFE));
        lost_add(&mut doubts, 5, now);
        doubts.sweep(now + LIFE);
        assert_ne!(
            hold(&doubts, Command::Delete, 6, now + LIFE),
            WriteHold::Nothing
        );
        doubts.sweep(now + LIFE * 2);
        assert!(doubts.owners.is_empty() && doubts.sweeps.is_empty());
    }
}
