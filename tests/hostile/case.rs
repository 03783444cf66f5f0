//! One scripted answer and how a call that meets it must end.

use std::time::{Duration, Instant};

use chatblock::{CheckType, Client, Reply, Status};
use serde_json::json;

use crate::client::client;
use testkit::answers::sends;
use testkit::fault_server::{Answer, FaultServer};

/// Time for a call whose answer never comes, at the first try.
pub const SHORT_MS: u64 = 500;

/// The call that is made.
#[derive(Clone, Copy)]
pub enum Ask {
    /// `black_list_add` of these targets.
    Add(&'static [&'static str]),
    /// `black_list_delete` of these targets.
    Delete(&'static [&'static str]),
    /// `black_list_get` of ten entries from this index.
    Get(u32),
    /// `black_list_check` of these targets.
    Check(&'static [&'static str], CheckType),
}

/// The account is as wanted.
pub const DONE: Status = Status::Ok;
/// It was so already.
pub const SAME: Status = Status::Unchanged;
/// The service refused it.
pub const NOT: Status = Status::Service;
/// The answer does not say.
pub const OPEN: Status = Status::Network;

/// The usual call of the tables.
pub const ADD: Ask = Ask::Add(&["a", "b"]);

impl Ask {
    /// Makes the call for the owner "owner".
    pub fn of(self, client: &Client) -> Reply {
        match self {
            Self::Add(targets) => client.add("owner", targets),
            Self::Delete(targets) => client.delete("owner", targets),
            Self::Get(start) => client.get("owner", start, 10),
            Self::Check(targets, kind) => client.check("owner", targets, kind),
        }
    }

    fn targets(self) -> usize {
        match self {
            Self::Add(targets) | Self::Delete(targets) | Self::Check(targets, _) => targets.len(),
            Self::Get(_) => 0,
        }
    }
}

/// How a call ends.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    status: Status,
    code: i32,
    retryable: bool,
    /// One per target, or per entry of a page.
    items: Vec<Status>,
    /// Part of the message.
    says: &'static str,
    /// [`Status::Network`] is as good as [`Status::Timeout`].
    may_be_lost: bool,
}

/// A case of the tables.
pub struct Case {
    /// What the server does, in words.
    pub name: String,
    ask: Ask,
    answer: Answer,
    end: End,
}

/// A case with an answer of any kind.
pub fn case(name: &str, ask: Ask, answer: Answer, end: End) -> Case {
    Case {
        name: name.to_owned(),
        ask,
        answer,
        end,
    }
}

/// A case with a well-formed HTTP answer around `body`.
pub fn body(name: &str, ask: Ask, body: impl AsRef<[u8]>, end: End) -> Case {
    case(name, ask, sends(body), end)
}

/// Every account is as wanted.
pub fn done(items: &[Status]) -> End {
    partly(Status::Ok, 0, false, items)
}

/// Some are and some are not; `code` and `retryable` are those of the first that is not.
pub fn some(code: i32, retryable: bool, items: &[Status]) -> End {
    partly(Status::Partial, code, retryable, items)
}

/// The service refused every account, or the whole request.
pub fn refused(code: i32, retryable: bool) -> End {
    partly(Status::Service, code, retryable, &[Status::Service])
}

/// No valid answer: a write may have happened, the same call may be repeated.
pub fn lost(says: &'static str) -> End {
    End {
        says,
        ..partly(Status::Network, 0, true, &[Status::Network])
    }
}

/// No answer in time.
pub fn late() -> End {
    partly(Status::Timeout, 0, true, &[Status::Timeout])
}

/// No answer, because of its size or in time, whichever is first.
pub fn lost_or_late() -> End {
    End {
        may_be_lost: true,
        ..late()
    }
}

/// A single item stands for all.
fn partly(status: Status, code: i32, retryable: bool, items: &[Status]) -> End {
    End {
        status,
        code,
        retryable,
        items: items.to_vec(),
        says: "",
        may_be_lost: false,
    }
}

/// What a case was found to do.
pub struct Outcome {
    /// What is wrong with it.
    pub fault: Option<String>,
    /// Accounts reported as done although the case does not say so.
    pub false_successes: usize,
    /// How much longer than its deadline the call took.
    pub overrun: Duration,
    /// Whether the request arrived; on a busy machine a short deadline may pass before.
    pub arrived: bool,
}

impl Case {
    /// Plays the case on `server`, which is new. A call whose answer never comes has `short_ms`.
    pub fn play(&self, server: &FaultServer, ca_file: Option<&str>, short_ms: u64) -> Outcome {
        server.push(self.answer.clone());
        let is_late = self.end.status == Status::Timeout;
        let call_ms = if is_late { short_ms } else { 9000 };
        let mut more = json!({"call_ms": call_ms});
        if let Some(ca_file) = ca_file {
            more["tls"] = json!({"ca_file": ca_file});
        }
        let client = client(server, &more);
        let started = Instant::now();
        let reply = self.ask.of(&client);
        let overrun = started
            .elapsed()
            .saturating_sub(Duration::from_millis(call_ms));
        let requests = server.received().len();
        let fault = self.fault(&reply, requests);
        Outcome {
            fault: fault.map(|fault| format!("{}: {fault}\n  {reply:?}", self.name)),
            false_successes: self.false_successes(&reply),
            overrun,
            arrived: requests > 0,
        }
    }

    fn expected_items(&self) -> Vec<Status> {
        match (self.ask, self.end.items.as_slice()) {
            (Ask::Get(_), items) if self.end.status.is_done() => items.to_vec(),
            (_, [all]) => vec![*all; self.ask.targets()],
            (_, items) => items.to_vec(),
        }
    }

    fn false_successes(&self, reply: &Reply) -> usize {
        let expected = self.expected_items();
        let surprise = |(index, status): (usize, Status)| {
            status.is_done()
                && !expected
                    .get(index)
                    .is_some_and(|expected| expected.is_done())
        };
        let items = reply.items().iter().map(chatblock::ReplyItem::status);
        items.enumerate().filter(|item| surprise(*item)).count()
            + usize::from(reply.status().is_done() && !self.end.status.is_done())
    }

    fn fault(&self, reply: &Reply, requests: usize) -> Option<String> {
        let found = End {
            status: reply.status(),
            code: reply.service_code(),
            retryable: reply.is_retryable(),
            items: reply
                .items()
                .iter()
                .map(chatblock::ReplyItem::status)
                .collect(),
            says: self.end.says,
            may_be_lost: self.end.may_be_lost,
        };
        let mut expected = End {
            items: self.expected_items(),
            ..self.end.clone()
        };
        if self.end.may_be_lost && reply.status() == Status::Network {
            expected.status = Status::Network;
            expected.items.fill(Status::Network);
        }
        let message_is_empty = reply.message().is_empty();
        if found != expected {
            Some(format!("expected {expected:?}"))
        } else if !reply.message().contains(self.end.says) {
            Some(format!("the message lacks {:?}", self.end.says))
        } else if message_is_empty != (reply.status() == Status::Ok) {
            Some("a message is for failures, and every failure has one".to_owned())
        } else if requests != 1 {
            Some(format!("{requests} requests instead of one"))
        } else {
            self.fault_of_doubt(reply)
        }
    }

    /// A write without an answer may have happened, and its message says so. That of a read never does.
    fn fault_of_doubt(&self, reply: &Reply) -> Option<String> {
        let is_read = matches!(self.ask, Ask::Get(_) | Ask::Check(..));
        let is_lost = matches!(reply.status(), Status::Network | Status::Timeout);
        let is_item = reply.message().contains("does not say what became");
        let says = reply.message().contains("may have happened");
        (says != (is_lost && !is_read && !is_item)).then(|| {
            "the message says \"may have happened\" where it should not, or does not".to_owned()
        })
    }
}
