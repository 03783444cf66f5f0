//! An account for which every request fails for a long time, while the service executes all others.

use std::time::{Duration, Instant};

use super::super::CallPurpose;
use super::{ANOTHER_KEY, ATTEMPT, Simulation};
use crate::api::{Account, Answer, Request, Retry, Verdict};
use crate::client::call::Slot;
use crate::error::{Error, Status};

const MINUTE: Duration = Duration::from_mins(1);
/// So long after the last fault, restart or call everything is done but what is about the account.
const PATIENCE: Duration = Duration::from_mins(15);

/// How requests about the account fail.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// Refused as a whole, by the service's mistake.
    Refusal,
    Item,
    /// A firewall does not like the name.
    Page,
    Silence,
    /// As if the caller were meant.
    Caller,
}

pub(super) struct Trouble {
    owner: Account,
    target: Account,
    kind: Kind,
    /// Reads fail as well.
    is_for_reads: bool,
    pub(super) until: Duration,
    /// The last fault, restart or call.
    pub(super) last_event: Duration,
}

impl Trouble {
    pub(super) fn draw(random: &mut fastrand::Rng, faulty_until: Duration) -> Self {
        let kinds = [
            Kind::Refusal,
            Kind::Item,
            Kind::Page,
            Kind::Silence,
            Kind::Caller,
        ];
        Self {
            owner: format!("owner{}", random.u8(..3)).into(),
            target: format!("t{}", random.u8(..6)).into(),
            kind: kinds[random.usize(..kinds.len())],
            is_for_reads: random.bool(),
            until: faulty_until + MINUTE * random.u32(20..60),
            last_event: faulty_until,
        }
    }

    fn is_about(&self, owner: &str, target: &str) -> bool {
        self.owner == owner && self.target == target
    }
}

impl Simulation {
    /// How the request fails, if it is about the account.
    pub(super) fn fail(&mut self, request: &Request) -> Option<(Result<Answer, Error>, Duration)> {
        let now = self.time();
        let trouble = self
            .trouble
            .as_ref()
            .filter(|trouble| now < trouble.until)?;
        if !request.command().is_write() && !trouble.is_for_reads {
            return None;
        }
        let mut targets = request.targets().iter();
        let position = targets.position(|target| trouble.is_about(&request.owner, target))?;
        let soon = Duration::from_millis(50);
        Some(match trouble.kind {
            Kind::Refusal => (Ok(Answer::refused(30006, "broken")), soon),
            Kind::Caller => (Ok(Answer::refused(ANOTHER_KEY, "wrong key")), soon),
            Kind::Page => (Err(Error::page(403, "HTTP status 403")), soon),
            Kind::Silence => (Err(Error::new(Status::Timeout, "lost")), ATTEMPT),
            Kind::Item => {
                let victim = (position, Verdict::Failed(Retry::Soon));
                (Ok(self.service.apply(request, Some(victim))), soon)
            }
        })
    }

    /// Something happened after which everything needs its time again.
    pub(super) fn note_event(&mut self) {
        let now = self.time();
        if let Some(trouble) = &mut self.trouble {
            trouble.last_event = trouble.last_event.max(now);
        }
    }

    /// A write about another account that waits for those about this one.
    pub(super) fn delayed_by_trouble(&self) -> Option<String> {
        let now = self.time();
        let trouble = self.trouble.as_ref()?;
        if now < trouble.last_event + PATIENCE || now >= trouble.until {
            return None;
        }
        for (id, entry) in &self.scheduler.calls {
            let request = &entry.call.request;
            if entry.purpose == CallPurpose::ReadBack {
                continue;
            }
            if request.targets().is_empty() {
                return Some(format!("the read {id} waits"));
            }
            let open = Slot::Open;
            let slots = entry.call.slots().chain(std::iter::repeat(&open));
            for (slot, target) in slots.zip(request.targets()) {
                let is_over = matches!(slot, Slot::Done | Slot::Answered(_) | Slot::Refused(_));
                if !is_over && !trouble.is_about(&request.owner, target) {
                    let kind = trouble.kind;
                    return Some(format!(
                        "call {id} about {target} waits for another ({kind:?})"
                    ));
                }
            }
        }
        None
    }

    /// When the history must be over.
    pub(super) fn end_of_work(&self) -> Instant {
        let trouble = self.trouble.as_ref();
        let end = trouble.map_or(self.faulty_until, |trouble| trouble.until + MINUTE * 15);
        self.start + end + super::CALL * 40
    }
}
