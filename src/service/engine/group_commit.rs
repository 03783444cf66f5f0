//! Group commit: concurrent writers of a durable store share a commit. One of them executes the requests of all in
//! one transaction; callers that arrive during it wait for the next one. So each caller sleeps once, until its answer
//! is ready.

use parking_lot::Mutex;

use crate::api::{Answer, Request};
use crate::error::{Error, Status};
use crate::oneshot::{Sender, oneshot};

/// Most requests in one transaction.
const MOST: usize = 256;

/// The leader, and the callers that wait.
#[derive(Default)]
pub(super) struct Group(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    /// A leader is at work; otherwise no caller waits.
    is_led: bool,
    waiting: Vec<Ticket>,
}

struct Ticket {
    request: Request,
    /// None for the next leader.
    caller: Option<Sender<Turn>>,
}

/// The outcome for a caller that waited.
enum Turn {
    Done(Result<Answer, Error>),
    /// It leads now; its own request comes first.
    Lead,
}

/// The leader passes the role on at the end, also after a panic.
struct Leading<'a>(&'a Group);

impl Group {
    /// Executes `request`, in this caller or in another one. `write` executes several in one transaction and returns
    /// one answer for each, in order.
    ///
    /// # Errors
    /// Those of `write`, for every caller in the transaction; [`Status::Storage`] if a panic ended it.
    pub(super) fn join(
        &self,
        request: &Request,
        write: impl FnOnce(&[Request]) -> Result<Vec<Answer>, Error>,
    ) -> Result<Answer, Error> {
        let (caller, receiver) = oneshot();
        let leads = {
            let mut queue = self.0.lock();
            let leads = !queue.is_led;
            queue.is_led = true;
            queue.waiting.push(Ticket {
                request: request.clone(),
                caller: (!leads).then_some(caller),
            });
            leads
        };
        if !leads {
            match receiver.recv(None) {
                Ok(Turn::Done(outcome)) => return outcome,
                Ok(Turn::Lead) => {}
                Err(_) => return Err(interrupted()),
            }
        }
        self.lead(write)
    }

    fn lead(
        &self,
        write: impl FnOnce(&[Request]) -> Result<Vec<Answer>, Error>,
    ) -> Result<Answer, Error> {
        let leading = Leading(self);
        let (requests, callers): (Vec<_>, Vec<_>) = {
            let mut queue = self.0.lock();
            let count = queue.waiting.len().min(MOST);
            let tickets = queue.waiting.drain(..count);
            tickets
                .map(|ticket| (ticket.request, ticket.caller))
                .unzip()
        };
        let outcome = write(&requests);
        // The next one works while these are woken.
        drop(leading);
        let mut answers = outcome.map(Vec::into_iter);
        let mut next = || match &mut answers {
            Ok(answers) => answers.next().ok_or_else(interrupted),
            Err(error) => Err(error.clone()),
        };
        let own = next();
        for caller in callers.into_iter().skip(1).flatten() {
            caller.send(Turn::Done(next()));
        }
        own
    }
}

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.0.lock();
        let next = queue.waiting.first_mut();
        let next = next.and_then(|ticket| ticket.caller.take());
        queue.is_led = next.is_some();
        drop(queue);
        if let Some(next) = next {
            next.send(Turn::Lead);
        }
    }
}

fn interrupted() -> Error {
    Error::new(
        Status::Storage,
        "a write was interrupted by a bug in the library; open the store again",
    )
}

#[cfg(test)]
mod tests {
    use std::thread;

    use crossbeam_channel::bounded;

    use super::*;
    use crate::api::Operation;
    use crate::panics;

    type Told = Result<Answer, Error>;

    fn request(target: &str) -> Request {
        Request {
            owner: "ann".into(),
            operation: Operation::Add([target.into()].into()),
        }
    }

    /// Records which targets were in one transaction.
    fn targets(requests: &[Request]) -> Vec<Answer> {
        let all = requests.iter().map(|request| request.targets()[0].as_str());
        let all = all.collect::<Vec<_>>().join(" ");
        requests
            .iter()
            .map(|_| Answer::refused(1, all.clone()))
            .collect()
    }

    /// Three callers that come while a fourth is at work, which ends with `work`; the outcomes of all four.
    fn meanwhile(
        work: impl FnOnce() + Send,
        write: impl Fn(&[Request]) -> Result<Vec<Answer>, Error> + Sync,
    ) -> (Option<Told>, Vec<Option<Told>>) {
        let group = Group::default();
        let (begun, is_begun) = bounded::<()>(0);
        let (may_end, ends) = bounded::<()>(0);
        thread::scope(|scope| {
            let first = scope.spawn(|| {
                let busy = |requests: &[Request]| {
                    begun.send(()).expect("somebody waits");
                    ends.recv().expect("somebody ends it");
                    work();
                    Ok(targets(requests))
                };
                panics::contain(|| group.join(&request("first"), busy)).ok()
            });
            is_begun.recv().expect("the first is at work");
            let mut others = Vec::new();
            for (count, target) in ["bob", "cem", "dee"].into_iter().enumerate() {
                let (group, write) = (&group, &write);
                let join = move || group.join(&request(target), write);
                others.push(scope.spawn(move || panics::contain(join).ok()));
                while group.0.lock().waiting.len() <= count {
                    thread::yield_now();
                }
            }
            may_end.send(()).expect("the first waits");
            let seen = others
                .into_iter()
                .map(|other| other.join().expect("contained"));
            let seen = seen.collect();
            assert!(!group.0.lock().is_led, "nobody is at work at the end");
            (first.join().expect("contained"), seen)
        })
    }

    #[test]
    fn who_comes_while_one_is_at_work_shares_the_next_transaction() {
        let (first, others) = meanwhile(|| (), |requests| Ok(targets(requests)));
        let info = |outcome: Result<Answer, Error>| outcome.expect("an answer").info;
        assert_eq!(first.map(info), Some("first".to_owned()));
        let others: Vec<_> = others.into_iter().flatten().map(info).collect();
        assert_eq!(others, ["bob cem dee"; 3]);
    }

    #[test]
    fn everybody_in_a_transaction_is_told_why_it_failed() {
        let fails = |_: &[Request]| Err(Error::new(Status::Storage, "no room"));
        let (_, others) = meanwhile(|| (), fails);
        let messages = others.iter().flatten().map(|outcome| match outcome {
            Ok(_) => "done",
            Err(error) => error.message(),
        });
        assert_eq!(messages.collect::<Vec<_>>(), ["no room"; 3]);
    }

    #[test]
    fn a_bug_ends_one_transaction_and_not_the_next() {
        let (first, others) = meanwhile(|| panic!("planted"), |requests| Ok(targets(requests)));
        assert!(first.is_none());
        assert!(others.iter().flatten().all(Result::is_ok));
        assert_eq!(others.iter().flatten().count(), 3);
    }

    #[test]
    fn who_shares_a_transaction_with_a_bug_is_told_that_nothing_is_known() {
        let (_, others) = meanwhile(|| (), |_| panic!("planted"));
        let statuses = others.iter().map(|seen| match seen {
            None => Status::Panic,
            Some(outcome) => outcome.as_ref().map_or_else(Error::status, |_| Status::Ok),
        });
        let expected = [Status::Panic, Status::Storage, Status::Storage];
        assert_eq!(statuses.collect::<Vec<_>>(), expected);
    }
}
