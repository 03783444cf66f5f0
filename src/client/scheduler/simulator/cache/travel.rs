//! Delivery of requests, responses and webhooks.

use std::time::Duration;

use super::super::ATTEMPT;
use super::super::service::Fate;
use super::{Event, PAGE, Pair, Sent, Simulation};
use crate::api::{Account, Answer, Item, Listing, Operation, Request, Retry, Verdict};
use crate::client::scheduler::Flight;
use crate::error::{Error, Status};

impl Simulation {
    /// The service does a write or gives a page; every change becomes a webhook.
    pub(super) fn apply(
        &mut self,
        request: &Request,
        victim: Option<(usize, Verdict)>,
        is_foreign: bool,
    ) -> Answer {
        if let Operation::Get { start_index, .. } = request.operation {
            return self.page(&request.owner, usize::try_from(start_index).unwrap_or(0));
        }
        // Writes that went together are one request.
        let pairs = request.targets().iter();
        let pairs = pairs.map(|target| (request.owner.clone(), target.clone()));
        let before: Vec<_> = pairs
            .map(|pair| (self.service.blocked.contains(&pair), pair))
            .collect();
        let answer = self.service.apply(request, victim);
        for (before, pair) in before {
            let added = self.service.blocked.contains(&pair);
            if before != added {
                if let Some(sequences) = &mut self.sequences {
                    *sequences.entry(pair.0.clone()).or_default() += 1;
                }
                self.oracle.change(&pair, added, self.now);
                self.announce(&pair, added, is_foreign);
            }
        }
        answer
    }

    fn page(&mut self, owner: &str, start: usize) -> Answer {
        if start == 0 {
            self.oracle.ask_list(owner, &self.service.blocked);
        }
        let own = self.service.blocked.iter().filter(|pair| pair.0 == owner);
        let mut list: Vec<_> = own.map(|pair| pair.1.clone()).collect();
        list.sort();
        let end = start + PAGE;
        let entry = |peer: &Account| {
            let pair = (owner.into(), peer.clone());
            let added = self.oracle.standing_since.get(&pair);
            let time = added.map_or(0, |added| (*added - self.start).as_secs());
            Item::entry(peer.clone(), i64::try_from(time).unwrap_or(0))
        };
        let entries = list.iter().skip(start).take(PAGE).map(entry);
        let mut answer = Answer::accepted(entries.collect());
        answer.listing = Listing {
            next_index: u32::try_from(end)
                .ok()
                .filter(|_| end < list.len())
                .unwrap_or(0),
            sequence: (self.sequences.as_ref())
                .and_then(|sequences| sequences.get(owner).copied())
                .unwrap_or(0),
        };
        answer
    }

    fn announce(&mut self, pair: &Pair, added: bool, is_foreign: bool) {
        let is_faulty = self.time() <= self.faulty_until;
        let copies = match self.random.u8(..8) {
            0 | 1 if is_faulty => 0,
            2 if is_faulty => 2,
            _ => 1,
        };
        if copies == 0 && is_foreign {
            self.oracle.unreported.insert(pair.clone());
        }
        for _ in 0..copies {
            let most = if self.random.u8(..4) == 0 { 4000 } else { 300 };
            let delay = Duration::from_millis(self.random.u64(..most));
            let pair = pair.clone();
            let key = self.key(delay);
            self.hooks.insert(key, Event { added, pair });
        }
    }

    pub(super) fn send(&mut self, flight: Flight) {
        let fate = if self.outage.contains(&self.time()) {
            Fate::RequestLost
        } else if self.time() <= self.faulty_until {
            Fate::draw(&mut self.random)
        } else {
            Fate::Fine
        };
        let left = flight
            .deadline
            .map_or(ATTEMPT, |end| end.saturating_duration_since(self.now));
        let attempt = ATTEMPT.min(left);
        let took = Duration::from_millis(self.random.u64(1..1500)).min(attempt);
        let request = &flight.request;
        let lost = || Err(Error::new(Status::Timeout, "lost"));
        let (outcome, took) = match fate {
            Fate::RequestLost => (lost(), attempt),
            Fate::AnswerLost => {
                self.apply(request, None, false);
                (lost(), attempt)
            }
            Fate::Late => {
                let part = self.random.f64();
                let key = self.key((attempt + ATTEMPT).mul_f64(part));
                self.late.insert(key, Request::clone(request));
                (lost(), attempt)
            }
            Fate::Throttled => (Ok(Answer::refused(60007, "slow down")), took),
            Fate::Busy => (Ok(Answer::refused(30006, "busy")), took),
            Fate::Refused => (Ok(Answer::refused(30013, "full")), took),
            Fate::CallerRefused => (Ok(Answer::refused(70009, "wrong key")), took),
            Fate::Fine => (Ok(self.apply(request, None, false)), took),
            Fate::Conflict | Fate::Silent => {
                let verdict = match fate {
                    Fate::Silent => Verdict::Unanswered,
                    _ => Verdict::Failed(Retry::Soon),
                };
                (Ok(self.apply(request, Some((0, verdict)), false)), took)
            }
        };
        let key = self.key(took);
        let sent = Sent {
            flight,
            outcome,
            begun: self.now,
        };
        self.flying.insert(key, sent);
    }

    /// What happens until now: late requests arrive, answers land, webhooks come.
    pub(super) fn land(&mut self) {
        while let Some(first) = self.late.first_entry()
            && first.key().0 <= self.now
        {
            let request = first.remove();
            self.apply(&request, None, false);
        }
        while let Some(first) = self.flying.first_entry()
            && first.key().0 <= self.now
        {
            let Sent {
                flight,
                outcome,
                begun,
            } = first.remove();
            if let (Ok(answer), Operation::Get { start_index, .. }) =
                (&outcome, &flight.request.operation)
                && !answer.is_refused()
            {
                let owner = flight.request.owner.clone();
                if *start_index == 0 {
                    let read = self.oracle.read.entry(owner.clone()).or_insert(begun);
                    *read = begun.max(*read);
                }
                if answer.listing.next_index == 0 {
                    self.oracle.listed.insert(owner);
                }
            }
            self.scheduler.apply_outcome(flight, outcome, self.now);
            self.collect();
        }
        while let Some(first) = self.hooks.first_entry()
            && first.key().0 <= self.now
        {
            let Event { added, pair } = first.remove();
            self.events += 1;
            self.oracle
                .note_event(&pair, added, self.scheduler.next_call());
            let pairs = std::slice::from_ref(&pair);
            self.refresher
                .apply_event(added, pairs, &self.scheduler, self.now);
            self.check(&pair.0);
        }
    }
}
