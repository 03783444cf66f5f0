//! What callers received, and whether it agrees with the state of the service. Independent of the scheduler.

use std::collections::{HashMap, HashSet};

use crate::api::{Account, Command, Request};
use crate::client::reply::{Reply, ReplyItem};
use crate::error::Status;

/// A call as its caller remembers it.
#[allow(
    clippy::struct_excessive_bools,
    reason = "what happened to one call, each independent of the others"
)]
pub(super) struct Asked {
    pub(super) request: Request,
    pub(super) replies: usize,
    /// What is known of each target in the end.
    pub(super) statuses: Vec<Status>,
    /// Its caller waits for it.
    pub(super) waits: bool,
    /// It is on disk, or was.
    pub(super) recorded: bool,
    /// The process ended with it: no caller waits for a reply.
    pub(super) orphaned: bool,
    /// Answered or refused for good.
    pub(super) ended: bool,
    /// Cancelled before it was sent.
    pub(super) cancelled: bool,
}

impl Asked {
    pub(super) fn new(request: Request) -> Self {
        Self {
            request,
            replies: 0,
            statuses: Vec::new(),
            waits: false,
            recorded: false,
            orphaned: false,
            ended: false,
            cancelled: false,
        }
    }
}

impl Asked {
    pub(super) fn is_write_about(&self, owner: &str, target: &Account) -> bool {
        let request = &self.request;
        request.command().is_write() && request.owner == owner && request.targets().contains(target)
    }
}

type Blocked = HashSet<(Account, Account)>;

/// What a reply claims and is not so. A confirmed write is what the service holds at that moment:
/// nothing later about the pair can have been sent, unless it `is_overtaken`.
pub(super) fn false_claims(
    request: &Request,
    reply: &Reply,
    blocked: &Blocked,
    is_overtaken: impl Fn(&Account) -> bool,
) -> Vec<String> {
    let mut wrong = Vec::new();
    if reply.items().len() != request.targets().len() {
        wrong.push(format!("{} items", reply.items().len()));
    }
    let targets = request.targets().iter().enumerate();
    let last: HashMap<_, _> = targets.map(|(at, target)| (target, at)).collect();
    for (position, (item, target)) in reply.items().iter().zip(request.targets()).enumerate() {
        if !item.status().is_done() || last.get(target) != Some(&position) {
            continue;
        }
        if is_overtaken(target) {
            continue;
        }
        let pair = (request.owner.clone(), target.clone());
        let is_so = match request.command() {
            Command::Add => blocked.contains(&pair),
            Command::Delete => !blocked.contains(&pair),
            Command::Check | Command::Get => true,
        };
        if !is_so {
            let command = request.command();
            wrong.push(format!(
                "{command:?} of {pair:?} was confirmed and is not so"
            ));
        }
    }
    wrong
}

/// What comes out of a client with an outbox.
pub(super) struct SeenReply<'a> {
    pub(super) reply: &'a Reply,
    /// To a caller.
    pub(super) is_awaited: bool,
    pub(super) is_final: bool,
    /// The call is on disk at that moment.
    pub(super) is_recorded: bool,
}

/// Replies that are wrong: QUEUED means that the write is on disk, and a write that is on disk and continues gets no
/// other reply; a refusal of the caller, with the code `of_caller`, ends none.
pub(super) fn untrue_of_outbox(asked: &Asked, seen: &SeenReply, of_caller: i32) -> Option<String> {
    let status = seen.reply.status();
    if !asked.request.command().is_write() {
        return (status == Status::Queued).then(|| "a read is queued".to_owned());
    }
    let is_queued = |item: &ReplyItem| item.status() == Status::Queued;
    let says_queued = seen.reply.items().iter().any(is_queued);
    if seen.is_awaited && says_queued == seen.is_final {
        let is_final = seen.is_final;
        return Some(format!("{status:?} of a write, final: {is_final}"));
    }
    if says_queued && !seen.is_recorded {
        return Some("is queued and not on disk".into());
    }
    let is_refused = seen.reply.service_code() == of_caller;
    (seen.is_final && is_refused).then(|| "ends with a refusal of the caller".into())
}

/// Pairs that are not as the writes on them leave them: the last that was confirmed has won, or one after it that is
/// in doubt. With `durable` a write that was not recorded was never sent.
pub(super) fn pairs_out_of_order(asked: &[Asked], blocked: &Blocked, durable: bool) -> Vec<String> {
    let mut possible: HashMap<(Account, Account), HashSet<bool>> = HashMap::new();
    for asked in asked {
        let blocks = match asked.request.command() {
            Command::Add => true,
            Command::Delete => false,
            Command::Get | Command::Check => continue,
        };
        if durable && !asked.recorded {
            continue;
        }
        for (target, seen) in asked.request.targets().iter().zip(&asked.statuses) {
            let pair = (asked.request.owner.clone(), target.clone());
            let states = possible.entry(pair);
            let states = states.or_insert_with(|| HashSet::from([false]));
            if seen.is_done() {
                states.clear();
            }
            if *seen != Status::Cancelled {
                states.insert(blocks);
            }
        }
    }
    let wrong = |(pair, states): &(&(Account, Account), &HashSet<bool>)| {
        !states.contains(&blocked.contains(*pair))
    };
    let wrong = possible.iter().filter(wrong);
    wrong
        .map(|(pair, _)| format!("{pair:?} is not what its last write asked for"))
        .collect()
}

/// Calls that violate a guarantee: each with a caller completes once, each that was recorded gets an outcome.
pub(super) fn broken_promises(asked: &[Asked]) -> Vec<String> {
    let mut broken = Vec::new();
    for (number, asked) in asked.iter().enumerate() {
        if asked.replies != 1 && !(asked.orphaned && asked.replies == 0) {
            broken.push(format!("call {number} completed {} times", asked.replies));
        }
        let is_answered = |seen: &Status| {
            seen.is_done()
                || *seen == Status::Service
                || (asked.cancelled && *seen == Status::Cancelled)
        };
        if asked.recorded && !(asked.ended && asked.statuses.iter().all(is_answered)) {
            broken.push(format!("call {number} was recorded and is lost"));
        }
    }
    broken
}
