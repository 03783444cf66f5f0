//! The four commands and their requests (docs/protocol.md 3).

use smallvec::SmallVec;

use super::Account;

/// Accounts of one call. One alone, as when a player blocks another, needs no allocation.
pub type Targets = SmallVec<[Account; 1]>;

/// One of the four blocklist commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// `black_list_add`
    Add,
    /// `black_list_delete`
    Delete,
    /// `black_list_get`
    Get,
    /// `black_list_check`
    Check,
}

impl Command {
    /// All commands.
    pub const ALL: [Self; 4] = [Self::Add, Self::Delete, Self::Get, Self::Check];

    /// The service's name of the command.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "black_list_add",
            Self::Delete => "black_list_delete",
            Self::Get => "black_list_get",
            Self::Check => "black_list_check",
        }
    }

    /// Whether it changes a list.
    pub const fn is_write(self) -> bool {
        matches!(self, Self::Add | Self::Delete)
    }

    /// What is to be known of a request that was sent and has no answer, for the end of a message.
    pub const fn without_answer(self) -> &'static str {
        if self.is_write() {
            "a write may have happened, the same call may be repeated"
        } else {
            "the same call may be repeated"
        }
    }

    /// The command of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|command| command.name() == name)
    }
}

/// Which directions a check looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum CheckType {
    /// Does the owner block the target?
    Single = 1,
    /// The same, and does the target block the owner?
    Both = 2,
}

/// What one command asks of the list of `from`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The owner of the list.
    pub owner: Account,
    /// What is asked.
    pub operation: Operation,
}

/// The part of a request that differs between the commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Block these accounts.
    Add(Targets),
    /// Unblock these accounts.
    Delete(Targets),
    /// One page of the list.
    Get {
        /// Offset of the first entry wanted (choice C9).
        start_index: u64,
        /// Size of the page, 1 to 1000.
        limit: u32,
        /// Sequence of an earlier pull; REST callers send 0.
        last_sequence: u64,
    },
    /// Who blocks whom.
    Check(Targets, CheckType),
}

impl Request {
    /// The command that carries this request.
    pub fn command(&self) -> Command {
        match self.operation {
            Operation::Add(_) => Command::Add,
            Operation::Delete(_) => Command::Delete,
            Operation::Get { .. } => Command::Get,
            Operation::Check(..) => Command::Check,
        }
    }

    /// The accounts asked about; none for a get.
    pub fn targets(&self) -> &[Account] {
        match &self.operation {
            Operation::Add(targets) | Operation::Delete(targets) | Operation::Check(targets, _) => {
                targets
            }
            Operation::Get { .. } => &[],
        }
    }

    /// The same request for other targets.
    #[must_use]
    pub fn with_targets(&self, targets: Targets) -> Self {
        let operation = match &self.operation {
            Operation::Add(_) => Operation::Add(targets),
            Operation::Delete(_) => Operation::Delete(targets),
            Operation::Check(_, kind) => Operation::Check(targets, *kind),
            get @ Operation::Get { .. } => get.clone(),
        };
        Self {
            owner: self.owner.clone(),
            operation,
        }
    }
}
