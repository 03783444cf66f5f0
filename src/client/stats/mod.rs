//! Statistics of a client: one document, whose keys and units docs/statistics.md lists.

mod tally;

use std::ops::{Index, IndexMut};
use std::time::Duration;

use serde::Serialize;

pub(super) use tally::{Cause, Tally};

use crate::api::Command;
use crate::service;

/// A look inside a client, taken at one moment. Everything is counted since the client was opened.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Version of the library.
    pub version: &'static str,
    /// `embedded` or `remote`.
    pub backend: &'static str,
    /// Milliseconds since the client was opened.
    pub uptime_ms: u64,
    /// Outcomes of the calls.
    pub calls: Calls,
    /// Queues.
    pub queue: QueueStats,
    /// Requests to the service or the engine.
    pub requests: ByCommand<Requests>,
    /// Latency of calls, from acceptance to their end.
    pub latency: ByCommand<Latency>,
    /// Retries by reason; `None` where nothing is retried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<Retries>,
    /// The rate limit; `None` where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// The cloud service; `None` on the embedded engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceStats>,
    /// Writes on disk; `None` where writes live in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbox: Option<OutboxStats>,
    /// The cache.
    pub cache: CacheStats,
    /// Received webhooks; `None` on the embedded engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhooks: Option<WebhookStats>,
    /// Log lines.
    pub log: LogLines,
}

/// Received webhooks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WebhookStats {
    /// Applied.
    pub accepted: u64,
    /// Refused: not signed with the token.
    pub forged: u64,
    /// Refused: signed too long ago or too far ahead.
    pub stale: u64,
    /// Refused: for another app.
    pub foreign: u64,
    /// Refused: not in the form of the service.
    pub malformed: u64,
    /// Refused: about something else than blocklists.
    pub others: u64,
    /// Pairs of accepted webhooks about owners that are not cached.
    pub ignored_pairs: u64,
}

/// The cache of block lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CacheStats {
    /// Pairs that answer yes.
    pub pairs: u64,
    /// Cached owners whose list answers; 0 on the embedded engine, where all are cached.
    pub owners: u64,
    /// Cached owners whose list is older than `cache.max_age_s`: their checks give "unknown".
    pub expired: u64,
    /// Bytes in use.
    pub bytes: u64,
    /// Checks that were answered with yes or no.
    pub answered: u64,
    /// Checks that were answered with "unknown".
    pub unknown: u64,
    /// Owners that are watched.
    pub watched: u64,
    /// Lists that were read to their end in the background.
    pub refreshes: u64,
    /// How often each list is read, in milliseconds: as configured, or as the rate allows for so many owners.
    pub refresh_ms: u64,
    /// Lists are read again later than `cache.max_age_s`: they answer "unknown" for a part of the time.
    pub exceeds_max_age: bool,
    /// Owners that were evicted.
    pub evictions: u64,
    /// Milliseconds since the least recently read list was read.
    pub oldest_ms: Option<u64>,
}

/// Writes that are kept until they are answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OutboxStats {
    /// How many.
    pub writes: usize,
    /// Those of them that are on disk only: they come into memory when there is room.
    pub on_disk: usize,
    /// Those of them that are not on disk yet.
    pub unrecorded: usize,
    /// Their part of `max_bytes`.
    pub bytes: u64,
    /// As configured.
    pub max_bytes: u64,
    /// Seconds since the oldest of them was accepted.
    pub oldest_s: u64,
    /// Writes refused because there was no room.
    pub busy: u64,
    /// Commits that failed.
    pub failures: u64,
    /// After a failed sync: nothing more is accepted until the client is opened again.
    pub failed: bool,
    /// Dead letters: writes that were refused and whose refusal was not polled yet.
    pub refused: u64,
    /// Rows of the file that are no writes and are not sent.
    pub bad_rows: u64,
    /// Why writes are not sent; `None` while they are.
    pub held: Option<HoldStats>,
}

/// The service refuses the caller (key, signature, app, address, quota, rights): recorded writes are held until
/// one request a minute passes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HoldStats {
    /// The code of the service; 0 if a page of a proxy or firewall came instead of a response.
    pub code: i32,
    /// HTTP status of that page; 200 otherwise.
    pub http_status: u16,
    /// Seconds since writes are held.
    pub since_s: u64,
    /// Milliseconds until the next request that tests whether the service still refuses.
    pub probe_ms: u64,
    /// What the code means, the service's own words, and the next step.
    pub message: String,
}

impl Stats {
    /// The document as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("numbers and texts under fixed keys")
    }
}

/// One value for each of the four commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ByCommand<T> {
    /// Of `black_list_add`.
    pub add: T,
    /// Of `black_list_delete`.
    pub delete: T,
    /// Of `black_list_get`.
    pub get: T,
    /// Of `black_list_check`.
    pub check: T,
}

impl<T> ByCommand<T> {
    /// What `of` says about each command.
    pub(super) fn each(mut of: impl FnMut(Command) -> T) -> Self {
        Self {
            add: of(Command::Add),
            delete: of(Command::Delete),
            get: of(Command::Get),
            check: of(Command::Check),
        }
    }
}

impl<T> Index<Command> for ByCommand<T> {
    type Output = T;

    fn index(&self, command: Command) -> &T {
        match command {
            Command::Add => &self.add,
            Command::Delete => &self.delete,
            Command::Get => &self.get,
            Command::Check => &self.check,
        }
    }
}

impl<T> IndexMut<Command> for ByCommand<T> {
    fn index_mut(&mut self, command: Command) -> &mut T {
        match command {
            Command::Add => &mut self.add,
            Command::Delete => &mut self.delete,
            Command::Get => &mut self.get,
            Command::Check => &mut self.check,
        }
    }
}

/// Calls, by command and together.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Calls {
    /// By command.
    #[serde(flatten)]
    pub by_command: ByCommand<CallCounts>,
    /// All commands together.
    pub total: CallCounts,
}

/// Each accepted call is in exactly one of the other six, at every moment:
/// `accepted = confirmed + refused + in_doubt + not_sent + cancelled + pending`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CallCounts {
    /// Accepted calls; a call that is refused at once is not counted.
    pub accepted: u64,
    /// Ended with OK: every account is as wanted.
    pub confirmed: u64,
    /// Ended with PARTIAL or SERVICE: the service answered, and not every account is as wanted.
    pub refused: u64,
    /// Sent, and ended without an answer (NETWORK, TIMEOUT, STORAGE, CLOSED, PANIC): a write may have
    /// happened.
    pub in_doubt: u64,
    /// Ended and never sent: CONNECT, and TIMEOUT, CLOSED or PANIC before its turn came.
    pub not_sent: u64,
    /// Cancelled by the caller before it was sent.
    pub cancelled: u64,
    /// Accepted and not ended.
    pub pending: u64,
}

impl CallCounts {
    /// How many have ended.
    #[cfg(test)]
    pub(super) fn ended(&self) -> u64 {
        self.confirmed + self.refused + self.in_doubt + self.not_sent + self.cancelled
    }

    /// All commands together.
    fn sum(all: &ByCommand<Self>) -> Self {
        let mut sum = Self::default();
        for command in Command::ALL {
            let one = all[command];
            sum.accepted += one.accepted;
            sum.confirmed += one.confirmed;
            sum.refused += one.refused;
            sum.in_doubt += one.in_doubt;
            sum.not_sent += one.not_sent;
            sum.cancelled += one.cancelled;
            sum.pending += one.pending;
        }
        sum
    }
}

/// What waits. Blocking calls on the embedded engine run on their caller's thread and pass no queue.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct QueueStats {
    /// Calls without a completion or an answered caller.
    pub calls: usize,
    /// Completions that wait for poll.
    pub completions: usize,
    /// Most calls and completions together (config key `queue.max_calls`).
    pub max_calls: usize,
    /// Calls that were refused with BUSY.
    pub busy: u64,
    /// Owners that have work.
    pub owners: usize,
    /// Most requests and parts of requests that wait for one owner.
    pub deepest_owner: usize,
    /// Parts of recorded writes that keep failing, and of those about the same accounts that wait for them.
    pub set_aside: usize,
    /// Requests under way.
    pub in_flight: usize,
    /// Most requests under way at once (config key `connections`).
    pub max_in_flight: usize,
}

/// Requests, each repetition counted again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Requests {
    /// How many were sent.
    pub sent: u64,
    /// Accounts in them.
    pub accounts: u64,
    /// Calls that shared a request with others.
    pub merged_calls: u64,
}

/// From acceptance to the end, of calls that were confirmed, refused or in doubt. Within one per cent.
/// Blocking calls on the embedded engine are not timed.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Latency {
    /// How many calls.
    pub count: u64,
    /// Half of them took at most this long, in microseconds.
    pub p50_us: u64,
    /// 99 of 100 took at most this long, in microseconds.
    pub p99_us: u64,
    /// The longest, in microseconds; an hour at most.
    pub max_us: u64,
}

/// Requests that were repeated, by the reason of the repetition.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Retries {
    /// No answer in time.
    pub timeout: u64,
    /// No valid answer.
    pub network: u64,
    /// No connection.
    pub connect: u64,
    /// The service reported too many calls (60007 and related codes).
    pub throttled: u64,
    /// The service was busy or met an error inside, for the request or for accounts in it.
    pub busy: u64,
    /// The signature had expired and was renewed.
    pub signature: u64,
    /// Too many signatures were refused (70050): repeated after a minute.
    pub rest: u64,
    /// The answer left accounts out.
    pub unanswered: u64,
    /// Repetitions that may follow at once.
    pub budget_left: u32,
    /// Repetitions that did not happen because the budget was used up.
    pub over_budget: u64,
}

/// How fast calls may go.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct RateLimit {
    /// By command.
    #[serde(flatten)]
    pub by_command: ByCommand<CommandRate>,
    /// Calls per second and command when the service does not complain (config key `rate_per_second`).
    pub full_per_second: u32,
}

/// How fast the calls of one command may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CommandRate {
    /// Calls per second now.
    pub per_second: u32,
    /// How often requests that were ready had to wait for the rate.
    pub waits: u64,
    /// How long they had to wait, in milliseconds; those that wait together count once.
    pub waited_ms: u64,
}

/// The cloud service as the client sees it.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct ServiceStats {
    /// Milliseconds until a request is sent again after 70050, or until a recorded write is while the outbox is
    /// held; 0 = they are sent.
    pub breaker_ms: u64,
    /// Host of the next request: `primary` or `standby`.
    pub host: &'static str,
    /// How often the standby took over.
    pub failovers: u64,
    /// Open connections.
    pub connections: usize,
    /// When the present signature expires, in Unix seconds; `None` while there is none.
    pub usersig_expires: Option<i64>,
}

impl From<service::ServiceState> for ServiceStats {
    fn from(state: service::ServiceState) -> Self {
        Self {
            breaker_ms: 0,
            host: if state.on_standby {
                "standby"
            } else {
                "primary"
            },
            failovers: state.failovers,
            connections: state.connections,
            usersig_expires: state.usersig_expires,
        }
    }
}

/// Log lines.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct LogLines {
    /// Lines that were dropped because the writer did not keep up.
    pub dropped: u64,
}

pub(super) fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
