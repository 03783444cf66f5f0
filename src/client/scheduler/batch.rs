//! One request to the service: parts of calls that go out together, and what happened to it so far.

use std::time::Duration;

use super::CallId;
use crate::api::{Account, Command};
use crate::client::call::Positions;
use crate::client::retry::{Attempts, REST};

/// The longest delay of a write that is set aside while other writes succeed. If none succeeds, the service itself
/// may have failed, and the write may succeed as soon as it works again: the delay is a minute at most.
const LONGEST: Duration = Duration::from_mins(10);

/// Targets of one call that go out together.
#[derive(Debug)]
pub(super) struct Op {
    pub(super) call: CallId,
    /// Positions in the call's request; empty for a get.
    pub(super) positions: Positions,
}

/// One request to the service, made of parts of one or more calls.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) owner: Account,
    pub(super) command: Command,
    pub(super) ops: Vec<Op>,
    pub(super) attempts: Option<Attempts>,
    pub(super) payment: Payment,
    /// The number of its last request that was refused for the caller's sake.
    pub(super) refused: Option<u64>,
    /// Later requests succeeded: the refusal does not concern the caller.
    pub(super) is_refused_alone: bool,
    /// Its own failures, when it had any.
    pub(super) trouble: Option<Box<Trouble>>,
}

/// Whether the budget has a repetition for a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Payment {
    /// Yes, or it needs none.
    Paid,
    /// It is to be asked when the batch may go.
    #[default]
    Owed,
    /// The batch is in the queue for it.
    Awaited,
}

/// The failures of one batch.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble {
    pub(super) failures: u32,
    /// What it holds back; nothing unless it is set aside.
    pub(super) targets: Vec<Account>,
    /// How many writes had been done when it failed first.
    pub(super) done_before: Option<u64>,
    /// Others succeeded since, or with it: it is not the service.
    pub(super) is_alone: bool,
    /// How often it failed alone since then.
    pub(super) tries: u32,
    /// How long its last attempt was under way.
    pub(super) took: Duration,
}

impl Batch {
    pub(super) fn new(owner: &Account, command: Command) -> Self {
        Self {
            owner: owner.clone(),
            command,
            ops: Vec::new(),
            attempts: None,
            payment: Payment::Paid,
            refused: None,
            is_refused_alone: false,
            trouble: None,
        }
    }

    /// A read of one call.
    pub(super) fn read(owner: &Account, command: Command, op: Op) -> Self {
        Self {
            ops: vec![op],
            ..Self::new(owner, command)
        }
    }

    pub(super) fn trouble(&mut self) -> &mut Trouble {
        self.trouble.get_or_insert_default()
    }

    /// The targets about which later writes wait for it: none unless it is set aside.
    pub(super) fn holds_back(&self) -> &[Account] {
        self.trouble
            .as_ref()
            .map_or(&[], |trouble| &trouble.targets)
    }

    pub(super) fn is_write(&self) -> bool {
        self.command.is_write()
    }

    /// How many targets it has.
    pub(super) fn targets(&self) -> usize {
        self.ops.iter().map(|op| op.positions.len()).sum()
    }

    /// Whether several calls share it.
    pub(super) fn is_merged(&self) -> bool {
        self.ops.len() > 1
    }

    /// The second half of its targets leaves it: whole calls, or half of a call that is alone. Whether that call has
    /// one part more now.
    pub(super) fn halve(&mut self) -> (Vec<Op>, Option<CallId>) {
        if self.is_merged() {
            return (self.ops.split_off(self.ops.len() / 2), None);
        }
        let Some(op) = self.ops.first_mut() else {
            return (Vec::new(), None);
        };
        let positions = op.positions.split_off(op.positions.len() / 2);
        let call = op.call;
        (vec![Op { call, positions }], Some(call))
    }
}

impl Trouble {
    /// How long to wait after a failure: `first` and doubled each time, of which at least half passes.
    pub(super) fn delay(&self, first: Duration, random: f64) -> Duration {
        let longest = if self.is_alone { LONGEST } else { REST };
        let doubled = first.saturating_mul(1 << (self.tries - 1).min(16));
        doubled.min(longest).mul_f64(0.5 + random / 2.0)
    }
}
