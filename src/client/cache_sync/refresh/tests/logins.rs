//! How long it takes until a player who logs in is known, on virtual time.

use std::collections::VecDeque;

use super::*;

const ROUND_TRIP_MS: u64 = 50;
/// As by default: half of 200 calls a second.
const PAGES_PER_SECOND: u32 = 100;

pub(super) struct Server {
    pub(super) own: Setting,
    pub(super) now_ms: u64,
    /// Pages on their way, and when they arrive.
    under_way: VecDeque<(u64, Call)>,
    /// Owners and when they became known.
    known: Vec<(String, u64)>,
}

impl Server {
    pub(super) fn new(pages_per_second: u32) -> Self {
        Self {
            own: setting_in(256 << 20, pages_per_second),
            now_ms: 0,
            under_way: VecDeque::new(),
            known: Vec::new(),
        }
    }

    pub(super) fn watch(&mut self, owner: &str) {
        let now = self.own.at(self.now_ms);
        assert!(self.own.refresher.watch(owner, now));
    }

    /// Lets the time pass until `until_ms`.
    pub(super) fn run(&mut self, until_ms: u64) {
        loop {
            while let Some(page) = self.own.next(self.now_ms) {
                let arrives = self.now_ms + ROUND_TRIP_MS;
                self.under_way.push_back((arrives, call(Some(page))));
            }
            let now = self.own.at(self.now_ms);
            let moment = self.own.refresher.moment(now).map(|moment| {
                let wait = moment
                    .saturating_duration_since(now)
                    .as_nanos()
                    .div_ceil(1_000_000);
                self.now_ms + u64::try_from(wait).expect("a short time")
            });
            let arrival = self.under_way.front().map(|(arrives, _)| *arrives);
            let next = [moment, arrival].into_iter().flatten().min();
            self.now_ms = next.unwrap_or(until_ms).min(until_ms);
            if self.now_ms == until_ms {
                return;
            }
            while let Some((_, page)) = self.under_way.pop_front_if(|(at, _)| *at <= self.now_ms) {
                let owner = page.request.owner.to_string();
                self.own
                    .take_page(&answered(page, &["bob"], 0), self.now_ms);
                self.known.push((owner, self.now_ms));
            }
        }
    }
}

/// At 20 logins a second, with so many owners watched before: until how many milliseconds 99 of 100 are known.
fn p99_of_logins(watched: usize) -> u64 {
    let mut server = Server::new(PAGES_PER_SECOND);
    for owner in 0..watched {
        server.watch(&format!("standing{owner}"));
    }
    // All of them are read, and it is time to read them again.
    let all_read_ms = watched as u64 * 1000 / u64::from(PAGES_PER_SECOND) + 1000;
    server.run(all_read_ms.max(300_000));
    let known = server.own.cache.blocks.stats(0).owners_known;
    assert_eq!(known, watched as u64);
    server.known.clear();
    let mut logins = HashMap::new();
    for login in 0..2000 {
        let owner = format!("login{login}");
        server.watch(&owner);
        logins.insert(owner, server.now_ms);
        server.run(server.now_ms + 50);
    }
    server.run(server.now_ms + 10_000);
    let times = server
        .known
        .iter()
        .filter_map(|(owner, at)| Some(at - logins.remove(owner)?));
    let mut times: Vec<_> = times.collect();
    assert_eq!(times.len(), 2000, "every one is known in the end");
    times.sort_unstable();
    times[1979]
}

#[test]
fn a_login_does_not_wait_behind_lists_that_are_read_again() {
    for watched in [1000, 30_000, 100_000] {
        let p99 = p99_of_logins(watched);
        println!("watch to known: p99 {p99} ms beside {watched} watched owners");
        assert!(p99 <= 1000, "{p99} ms beside {watched} watched owners");
    }
}

#[test]
fn lists_are_read_again_no_faster_than_the_pace_allows() {
    let mut server = Server::new(PAGES_PER_SECOND);
    for owner in 0..50_000 {
        server.watch(&format!("standing{owner}"));
    }
    server.run(2_000_000);
    let reads = server.known.len() as u64;
    // 80 of 100 pages a second, once all have been read.
    assert!(reads < 50_000 + 1500 * 82, "{reads} readings");
    let oldest = (server.known.iter().rev().take(50_000)).map(|(owner, _)| owner);
    let recent: std::collections::HashSet<_> = oldest.collect();
    assert!(recent.len() > 45_000, "each in its turn: {}", recent.len());
}
