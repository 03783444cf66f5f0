//! Counters of the scheduler: plain integers under its lock.

use std::time::Instant;

use hdrhistogram::Histogram;

use super::{ByCommand, CallCounts, Calls, Latency, Requests, Retries, Stats};
use crate::api::{Command, Retry};
use crate::error::{Error, Status};

/// Longer than any call on the network; what takes longer counts as this.
const LONGEST_US: u64 = 3_600_000_000;
/// One per cent is enough to see what is slow.
const DIGITS: u8 = 2;

/// What has been counted.
#[derive(Default)]
pub(in crate::client) struct Tally {
    calls: ByCommand<CallCounts>,
    requests: ByCommand<Requests>,
    retries: Retries,
    /// None where nothing is timed; a command gets its histogram with its first call.
    latency: Option<ByCommand<Option<Box<Histogram<u64>>>>>,
    /// The moment of what happens now.
    now: Option<Instant>,
}

/// Why a request is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client) enum Cause {
    Timeout,
    Network,
    Connect,
    Throttled,
    Busy,
    Signature,
    Rest,
    Unanswered,
}

impl From<Retry> for Cause {
    fn from(class: Retry) -> Self {
        match class {
            Retry::Soon | Retry::Once | Retry::Never => Self::Busy,
            Retry::Backoff => Self::Throttled,
            Retry::Wait60s => Self::Rest,
            Retry::Renew => Self::Signature,
        }
    }
}

impl From<&Error> for Cause {
    fn from(error: &Error) -> Self {
        match error.status() {
            Status::Timeout => Self::Timeout,
            Status::Connect => Self::Connect,
            _ => Self::Network,
        }
    }
}

impl Tally {
    /// From now on calls are timed.
    pub(in crate::client) fn time_calls(&mut self) {
        self.latency = Some(ByCommand::default());
    }

    /// What is counted next happens at `now`.
    pub(in crate::client) fn at(&mut self, now: Instant) {
        self.now = Some(now);
    }

    pub(in crate::client) fn accepted(&mut self, command: Command) {
        let calls = &mut self.calls[command];
        calls.accepted += 1;
        calls.pending += 1;
    }

    /// A call that was accepted at `start` ended, with `status` for its caller.
    pub(in crate::client) fn ended(
        &mut self,
        command: Command,
        status: Status,
        was_sent: bool,
        start: Instant,
    ) {
        if self.count_end(command, status, was_sent) {
            self.time(command, start);
        }
    }

    /// The same without its time; whether calls that end so are timed.
    pub(in crate::client) fn count_end(
        &mut self,
        command: Command,
        status: Status,
        was_sent: bool,
    ) -> bool {
        let calls = &mut self.calls[command];
        calls.pending -= 1;
        let (count, is_timed) = match status {
            Status::Ok | Status::Unchanged => (&mut calls.confirmed, true),
            Status::Partial | Status::Service => (&mut calls.refused, true),
            Status::Cancelled => (&mut calls.cancelled, false),
            _ if was_sent && status != Status::Connect => (&mut calls.in_doubt, true),
            _ => (&mut calls.not_sent, false),
        };
        *count += 1;
        is_timed
    }

    fn time(&mut self, command: Command, start: Instant) {
        let (Some(latency), Some(now)) = (&mut self.latency, self.now) else {
            return;
        };
        let histogram = &mut latency[command];
        if histogram.is_none() {
            *histogram = Histogram::new_with_bounds(1, LONGEST_US, DIGITS)
                .ok()
                .map(Box::new);
        }
        if let Some(histogram) = histogram {
            let took = now.saturating_duration_since(start).as_micros();
            histogram.saturating_record(u64::try_from(took).unwrap_or(u64::MAX));
        }
    }

    /// A request with parts of so many calls goes out.
    pub(in crate::client) fn sent(&mut self, command: Command, calls: usize, accounts: usize) {
        let requests = &mut self.requests[command];
        requests.sent += 1;
        requests.accounts += accounts as u64;
        if calls > 1 {
            requests.merged_calls += calls as u64;
        }
    }

    /// A request will be sent again.
    pub(in crate::client) fn repeated(&mut self, cause: Cause) {
        let retries = &mut self.retries;
        *match cause {
            Cause::Timeout => &mut retries.timeout,
            Cause::Network => &mut retries.network,
            Cause::Connect => &mut retries.connect,
            Cause::Throttled => &mut retries.throttled,
            Cause::Busy => &mut retries.busy,
            Cause::Signature => &mut retries.signature,
            Cause::Rest => &mut retries.rest,
            Cause::Unanswered => &mut retries.unanswered,
        } += 1;
    }

    pub(in crate::client) fn retries(&self) -> Retries {
        self.retries
    }

    /// Writes down what was counted about calls.
    pub(in crate::client) fn fill(&self, stats: &mut Stats) {
        stats.calls = Calls {
            by_command: self.calls,
            total: CallCounts::sum(&self.calls),
        };
        stats.requests = self.requests;
        stats.latency = ByCommand::each(|command| self.latency(command).unwrap_or_default());
    }

    fn latency(&self, command: Command) -> Option<Latency> {
        let histogram = self.latency.as_ref()?[command].as_ref()?;
        Some(Latency {
            count: histogram.len(),
            p50_us: histogram.value_at_quantile(0.5),
            p99_us: histogram.value_at_quantile(0.99),
            max_us: histogram.max(),
        })
    }

    /// What is wrong with the counts while `pending` calls are accepted and not ended.
    #[cfg(test)]
    pub(in crate::client) fn fault(&self, pending: usize) -> Option<String> {
        let all = Command::ALL.map(|command| self.calls[command]);
        let lawful = |calls: &CallCounts| calls.accepted == calls.ended() + calls.pending;
        let counted: u64 = all.iter().map(|calls| calls.pending).sum();
        let is_right = all.iter().all(lawful) && counted == pending as u64;
        (!is_right).then(|| format!("{pending} calls are pending, and counted are {all:?}"))
    }
}
