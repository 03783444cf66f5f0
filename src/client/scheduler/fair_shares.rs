//! Fairness: a share of the requests in flight for each command, and round-robin among the owners of a command.

use std::collections::{HashMap, VecDeque};

use crate::api::{Account, Command};

/// Among commands with equal shares the first of these is served: callers wait for reads.
const ORDER: [Command; 4] = [Command::Check, Command::Get, Command::Add, Command::Delete];

/// So many owners that were not served lately go before one that was.
const NEWCOMERS: u32 = 4;

/// Capacity for more owners than these is released when none waits.
const MOST_KEPT: usize = 1024;

/// Requests by command, for start-time fair queueing: of those that may go, the one that had least goes. What a command
/// did not use is not saved up.
#[derive(Default)]
pub(super) struct Shares {
    had: [u64; 4],
    /// Where the last request began: a command that comes back begins here.
    floor: u64,
}

impl Shares {
    /// Which command goes next, of those that `may_go`.
    pub(super) fn first(&self, may_go: impl Fn(Command) -> bool) -> Option<Command> {
        let ready = ORDER.into_iter().filter(|command| may_go(*command));
        ready.min_by_key(|command| self.start(*command))
    }

    /// A request of `command` goes.
    pub(super) fn take(&mut self, command: Command) {
        self.floor = self.start(command);
        self.had[command as usize] = self.floor + 1;
    }

    fn start(&self, command: Command) -> u64 {
        self.had[command as usize].max(self.floor)
    }
}

/// Work of many owners, round-robin. Owners that were not served lately go first (as sparse flows do in FQ-CoDel): an
/// owner with few calls does not wait for a round of those with many.
pub(super) struct Turns<W> {
    /// The only owner that waits, the common case: it needs no other structure.
    alone: Option<(Account, W)>,
    /// The work of each owner in one of the queues; an owner that was served may have none.
    work: HashMap<Account, VecDeque<W>>,
    newcomers: VecDeque<Account>,
    round: VecDeque<Account>,
    /// New owners served since an owner of the round was served.
    in_a_row: u32,
    waiting: usize,
}

impl<W> Default for Turns<W> {
    fn default() -> Self {
        Self {
            alone: None,
            work: HashMap::new(),
            newcomers: VecDeque::new(),
            round: VecDeque::new(),
            in_a_row: 0,
            waiting: 0,
        }
    }
}

impl<W> Turns<W> {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// Queues a piece of work behind the others of its owner.
    pub(super) fn push(&mut self, owner: &Account, work: W) {
        self.waiting += 1;
        if self.waiting == 1 {
            self.alone = Some((owner.clone(), work));
            return;
        }
        if let Some((owner, work)) = self.alone.take() {
            self.line_up(owner, work);
        }
        self.line_up(owner.clone(), work);
    }

    fn line_up(&mut self, owner: Account, work: W) {
        if let Some(own) = self.work.get_mut(&owner) {
            own.push_back(work);
        } else {
            self.work.insert(owner.clone(), VecDeque::from([work]));
            self.newcomers.push_back(owner);
        }
    }

    /// The next piece of work.
    pub(super) fn pop(&mut self) -> Option<(Account, W)> {
        if let Some(alone) = self.alone.take() {
            self.waiting = 0;
            return Some(alone);
        }
        while self.waiting > 0 {
            let owner = self.next_owner()?;
            let Some(work) = self.work.get_mut(&owner).and_then(VecDeque::pop_front) else {
                self.work.remove(&owner);
                continue;
            };
            self.waiting -= 1;
            if self.waiting == 0 {
                self.forget_the_round();
            } else {
                self.round.push_back(owner.clone());
            }
            return Some((owner, work));
        }
        None
    }

    /// No owner waits, so none has to be ordered.
    fn forget_the_round(&mut self) {
        if self.work.capacity() > MOST_KEPT {
            *self = Self::default();
        } else {
            self.work.clear();
            self.newcomers.clear();
            self.round.clear();
        }
    }

    fn next_owner(&mut self) -> Option<Account> {
        let newcomer = if self.in_a_row < NEWCOMERS || self.round.is_empty() {
            self.newcomers.pop_front()
        } else {
            None
        };
        self.in_a_row = newcomer.as_ref().map_or(0, |_| self.in_a_row + 1);
        newcomer
            .or_else(|| self.round.pop_front())
            .or_else(|| self.newcomers.pop_front())
    }

    /// Every owner that waits, once per entry.
    #[cfg(test)]
    pub(super) fn owners(&self) -> impl Iterator<Item = &Account> {
        let others = self.work.iter();
        let others = others.flat_map(|(owner, own)| std::iter::repeat_n(owner, own.len()));
        self.alone.iter().map(|(owner, _)| owner).chain(others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_are_always_ready_have_as_much_each() {
        let mut shares = Shares::default();
        let mut had = [0; 4];
        for _ in 0..400 {
            let command = shares.first(|_| true).expect("all may go");
            shares.take(command);
            had[command as usize] += 1;
        }
        assert_eq!(had, [100; 4]);
    }

    #[test]
    fn a_command_that_was_quiet_saved_nothing_up() {
        let mut shares = Shares::default();
        for _ in 0..1000 {
            shares.take(Command::Check);
        }
        let mut adds = 0;
        for _ in 0..10 {
            let is_one = |command| matches!(command, Command::Check | Command::Add);
            let command = shares.first(is_one).expect("two may go");
            shares.take(command);
            adds += usize::from(command == Command::Add);
        }
        assert!((5..=6).contains(&adds), "{adds}");
    }

    #[test]
    fn each_owner_has_its_turn_and_its_own_order() {
        let mut turns = Turns::default();
        for number in 0..3 {
            turns.push(&"hot".into(), number);
        }
        turns.push(&"quiet".into(), 9);
        let order: Vec<_> = std::iter::from_fn(|| turns.pop())
            .map(|(_, work)| work)
            .collect();
        assert_eq!(order, [0, 9, 1, 2]);
        assert!(turns.is_empty() && turns.work.is_empty() && turns.round.is_empty());
    }

    #[test]
    fn who_was_served_waits_for_newcomers_and_is_not_starved_by_them() {
        let mut turns = Turns::default();
        for number in 0..100 {
            turns.push(&"hot".into(), number);
        }
        assert_eq!(turns.pop().map(|(_, work)| work), Some(0), "new itself");
        for number in 100..110 {
            turns.push(&format!("new{number}").into(), number);
        }
        let order: Vec<_> = (0..6)
            .filter_map(|_| turns.pop())
            .map(|(_, work)| work)
            .collect();
        assert_eq!(order, [100, 101, 102, 1, 103, 104]);
    }
}
