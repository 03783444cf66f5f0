//! The model of the service: its state, and what happens to requests in flight.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::api::codes::{self, ALREADY_EXIST, NOT_EXIST};
use crate::api::{Account, Answer, Command, Item, Relation, Request, Verdict};

/// The fate of a request in flight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fate {
    Fine,
    /// It never arrived.
    RequestLost,
    /// It was executed, and the response was lost.
    AnswerLost,
    /// It is done after it was given up.
    Late,
    Throttled,
    Busy,
    /// One account in it fails for a while.
    Conflict,
    /// The answer leaves an account out.
    Silent,
    /// The service wants no such request, now and later.
    Refused,
    /// The service does not want this caller, for now.
    CallerRefused,
}

impl Fate {
    pub(super) fn draw(random: &mut fastrand::Rng) -> Self {
        match random.u8(..24) {
            0 | 1 => Self::RequestLost,
            2 | 3 => Self::AnswerLost,
            4 | 5 => Self::Late,
            6 => Self::Throttled,
            7 => Self::Busy,
            8 | 9 => Self::Conflict,
            10 => Self::Silent,
            11 => Self::Refused,
            12 => Self::CallerRefused,
            _ => Self::Fine,
        }
    }
}

/// The lists, and how often the service was called.
#[derive(Default)]
pub(super) struct Service {
    pub(super) blocked: HashSet<(Account, Account)>,
    pub(super) arrivals: HashMap<Command, Vec<Duration>>,
    /// Owners with a write under way.
    pub(super) in_flight: HashSet<Account>,
}

impl Service {
    /// Does what is asked, but for one victim whose item carries that verdict.
    pub(super) fn apply(&mut self, request: &Request, victim: Option<(usize, Verdict)>) -> Answer {
        let mut items = Vec::new();
        for (position, target) in request.targets().iter().enumerate() {
            if let Some((unlucky, verdict)) = victim
                && unlucky == position
            {
                let code = if verdict == Verdict::Unanswered {
                    0
                } else {
                    30008
                };
                items.push(Item::answered(target.clone(), code, "", verdict));
                continue;
            }
            items.push(self.apply_one(request, target));
        }
        let is_done = |item: &Item| item.verdict == Verdict::Done;
        if request.command().is_write() && items.iter().all(is_done) {
            return Answer::all_done();
        }
        Answer::accepted(items)
    }

    fn apply_one(&mut self, request: &Request, target: &str) -> Item {
        let pair = (request.owner.clone(), target.into());
        let command = request.command();
        let (code, info) = match command {
            Command::Add if !self.blocked.insert(pair.clone()) => (30001, ALREADY_EXIST),
            Command::Delete if !self.blocked.remove(&pair) => (30001, NOT_EXIST),
            _ => (0, ""),
        };
        let mut item = Item::answered(target, code, info, codes::judge(command, code, info));
        if command == Command::Check {
            item.relation = if self.blocked.contains(&pair) {
                Relation::AWithB
            } else {
                Relation::No
            };
        }
        item
    }

    /// A call arrives at this moment.
    pub(super) fn count(&mut self, command: Command, moment: Duration) {
        self.arrivals.entry(command).or_default().push(moment);
    }

    /// What had not arrived when the process ended does not count for the rate of the next one.
    pub(super) fn forget_arrivals_after(&mut self, end: Duration) {
        for times in self.arrivals.values_mut() {
            times.retain(|arrived| *arrived <= end);
        }
    }

    /// Whether any second saw more than `limit` calls of one command.
    pub(super) fn was_called_too_fast(&mut self, limit: usize) -> bool {
        let second = Duration::from_secs(1);
        let over = |times: &mut Vec<Duration>| {
            times.sort();
            times
                .windows(limit + 1)
                .any(|window| window[limit] < window[0] + second)
        };
        self.arrivals.values_mut().any(over)
    }
}
