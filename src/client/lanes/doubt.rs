//! Writes that may still arrive. The answer to an attempt was lost, so the service may do it late: after
//! a later, contradicting write it would undo that one. So a target stays in doubt for as long as the
//! attempt was waited for; a write that contradicts it is held back so long, and the target is read
//! back before that write goes out.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::api::Command;

/// Which targets of which owners are in doubt.
pub(super) struct Doubts {
    /// How long a lost attempt may still arrive; None where nothing gets lost.
    life: Option<Duration>,
    owners: HashMap<Arc<str>, HashMap<String, Doubt>>,
    /// When to look whether an owner has doubts left.
    sweeps: VecDeque<(Instant, Arc<str>)>,
}

/// From when on a lost attempt to add and one to delete cannot arrive any more.
#[derive(Default)]
struct Doubt {
    add: Option<Instant>,
    delete: Option<Instant>,
}

impl Doubt {
    /// What is in doubt of `command`.
    fn of(&mut self, command: Command) -> &mut Option<Instant> {
        match command {
            Command::Add => &mut self.add,
            _ => &mut self.delete,
        }
    }

    /// When nothing can arrive any more that contradicts `command`.
    fn against(&self, command: Command) -> Option<Instant> {
        match command {
            Command::Add => self.delete,
            _ => self.add,
        }
    }
}

/// What a new write has to wait for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hold {
    Nothing,
    Until(Instant),
    /// These targets are read back first.
    ReadBack(Vec<String>),
}

impl Doubts {
    pub(super) fn new(life: Option<Duration>) -> Self {
        Self {
            life,
            owners: HashMap::new(),
            sweeps: VecDeque::new(),
        }
    }

    /// An attempt to do `command` for `targets` has no answer.
    pub(super) fn add(
        &mut self,
        owner: &Arc<str>,
        command: Command,
        targets: &[String],
        now: Instant,
    ) {
        let Some(life) = self.life else { return };
        let over = now + life;
        let own = self.owners.entry(Arc::clone(owner)).or_default();
        for target in targets {
            *own.entry(target.clone()).or_default().of(command) = Some(over);
        }
        self.sweeps.push_back((over + life, Arc::clone(owner)));
    }

    /// What `command` for `targets` has to wait for.
    pub(super) fn hold<'a>(
        &self,
        owner: &str,
        command: Command,
        targets: impl Iterator<Item = &'a str>,
        now: Instant,
    ) -> Hold {
        let Some(own) = self.owners.get(owner) else {
            return Hold::Nothing;
        };
        let over = |target: &str| own.get(target)?.against(command);
        let doubtful: Vec<_> = targets.filter(|target| over(target).is_some()).collect();
        let over = doubtful.iter().filter_map(|target| over(target)).max();
        match over {
            None => Hold::Nothing,
            Some(over) if now < over => Hold::Until(over),
            Some(_) => Hold::ReadBack(doubtful.into_iter().map(str::to_owned).collect()),
        }
    }

    /// The service said how it stands with these targets.
    pub(super) fn settle(&mut self, owner: &str, targets: &[String]) {
        if let Some(own) = self.owners.get_mut(owner) {
            for target in targets {
                own.remove(target);
            }
            if own.is_empty() {
                self.owners.remove(owner);
            }
        }
    }

    /// Forgets doubts that nobody asked about in time.
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
                own.retain(|_, doubt| {
                    doubt
                        .add
                        .max(doubt.delete)
                        .is_some_and(|over| now < over + life)
                });
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

    const LIFE: Duration = Duration::from_secs(3);

    fn hold(doubts: &Doubts, command: Command, now: Instant) -> Hold {
        doubts.hold("ann", command, ["bob", "eve"].into_iter(), now)
    }

    #[test]
    fn a_contradicting_write_waits_and_then_reads_back() {
        let now = Instant::now();
        let mut doubts = Doubts::new(Some(LIFE));
        doubts.add(&"ann".into(), Command::Add, &["bob".into()], now);
        assert_eq!(hold(&doubts, Command::Add, now), Hold::Nothing);
        assert_eq!(hold(&doubts, Command::Delete, now), Hold::Until(now + LIFE));
        let read_back = Hold::ReadBack(vec!["bob".into()]);
        assert_eq!(hold(&doubts, Command::Delete, now + LIFE), read_back);
        doubts.settle("ann", &["bob".into()]);
        assert_eq!(hold(&doubts, Command::Delete, now + LIFE), Hold::Nothing);
    }

    #[test]
    fn doubts_that_nobody_asks_about_are_forgotten() {
        let now = Instant::now();
        let mut doubts = Doubts::new(Some(LIFE));
        doubts.add(&"ann".into(), Command::Add, &["bob".into()], now);
        doubts.sweep(now + LIFE);
        assert_ne!(hold(&doubts, Command::Delete, now + LIFE), Hold::Nothing);
        doubts.sweep(now + LIFE * 2);
        assert!(doubts.owners.is_empty() && doubts.sweeps.is_empty());
    }
}
