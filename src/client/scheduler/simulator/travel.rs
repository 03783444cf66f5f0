//! Requests on their way: when they arrive, and what comes back.

use super::*;

impl Simulation {
    pub(super) fn send(&mut self, flight: Flight) {
        let command = flight.request.command();
        let owner = flight.request.owner.clone();
        if command.is_write() && !self.service.in_flight.insert(owner.clone()) {
            self.violation(format!("two writes of {owner} in flight"));
        }
        if flight.request.targets().len() > MAX_PER_CALL {
            self.violation("more than 1000 targets");
        }
        let fate = if self.is_faulty() {
            Fate::draw(&mut self.random)
        } else {
            Fate::Fine
        };
        self.faults += u64::from(fate != Fate::Fine);
        let failed = self.fail(&flight.request);
        let (outcome, took) = failed.unwrap_or_else(|| self.answer(&flight.request, fate));
        let arrives = self.time() + took.mul_f64(self.random.f64());
        self.service.count(command, arrives);
        let key = self.key(self.now + took);
        self.flying.insert(key, (flight, outcome));
    }

    fn answer(&mut self, request: &Request, fate: Fate) -> (Result<Answer, Error>, Duration) {
        let took = Duration::from_millis(self.random.u64(1..400));
        let lost = || (Err(Error::new(Status::Timeout, "lost")), ATTEMPT);
        let mut with_victim = |verdict| {
            let victim = self.random.usize(..request.targets().len());
            let answer = self.service.apply(request, Some((victim, verdict)));
            (Ok(answer), took)
        };
        match fate {
            Fate::RequestLost => lost(),
            Fate::AnswerLost => {
                self.service.apply(request, None);
                lost()
            }
            Fate::Late => {
                let delay = ATTEMPT.mul_f64(self.random.f64() * 2.0);
                let key = self.key(self.now + delay);
                self.late.insert(key, request.clone());
                lost()
            }
            Fate::Throttled => (Ok(Answer::refused(60007, "slow down")), took),
            Fate::Busy => (Ok(Answer::refused(30006, "busy")), took),
            Fate::Refused => (Ok(Answer::refused(30013, "full")), took),
            Fate::CallerRefused => (Ok(Answer::refused(ANOTHER_KEY, "wrong key")), took),
            Fate::Fine => (Ok(self.service.apply(request, None)), took),
            Fate::Conflict => with_victim(Verdict::Failed(Retry::Soon)),
            Fate::Silent => with_victim(Verdict::Unanswered),
        }
    }

    pub(super) fn arrive_late(&mut self) {
        while let Some(first) = self.late.first_entry()
            && first.key().0 <= self.now
        {
            let request = first.remove();
            self.service.apply(&request, None);
        }
    }

    /// What happens until now: late requests arrive, answers land, a commit ends.
    pub(super) fn land(&mut self) {
        self.arrive_late();
        while let Some(first) = self.flying.first_entry()
            && first.key().0 <= self.now
        {
            let (flight, outcome) = first.remove();
            if flight.request.command().is_write() {
                self.service.in_flight.remove(&flight.request.owner);
            }
            self.scheduler.apply_outcome(flight, outcome, self.now);
            self.worker = Sleeper::Awake;
            self.collect();
        }
        if let Some((moment, changes, commit)) = self.disk.commit.take() {
            if moment <= self.now {
                self.end_commit(changes, commit);
            } else {
                self.disk.commit = Some((moment, changes, commit));
            }
        }
        if (self.disk.page.as_ref()).is_some_and(|(moment, _)| *moment <= self.now) {
            self.end_page();
        }
    }
}
