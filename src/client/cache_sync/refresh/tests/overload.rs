//! More watched owners than the pace allows to keep fresh, on virtual time.

use super::logins::Server;
use super::*;

/// A tenth of the default, as the numbers of owners are: the table in docs/checks.md.
const PAGES_PER_SECOND: u32 = 10;

fn server_with(watched: usize) -> Server {
    let mut server = Server::new(PAGES_PER_SECOND);
    for owner in 0..watched {
        server.watch(&format!("owner{owner}"));
    }
    server
}

/// How many of 100 lists answer, on the average, once they are read again in turn.
fn percent_known(watched: usize) -> f64 {
    const SAMPLES: u32 = 40;
    let mut server = server_with(watched);
    server.run(6_000_000);
    let mut known = 0;
    for _ in 0..SAMPLES {
        server.run(server.now_ms + 60_000);
        let stats = server.own.cache.blocks.stats(server.now_ms);
        assert_eq!(stats.owners_known + stats.owners_expired, watched as u64);
        known += u32::try_from(stats.owners_known).expect("few");
    }
    let all = SAMPLES * u32::try_from(watched).expect("few");
    100.0 * f64::from(known) / f64::from(all)
}

#[test]
fn what_is_too_old_to_answer_is_not_counted_as_known() {
    for (watched, percent) in [(6_500, 100.0), (7_200, 95.0), (9_600, 71.0), (14_400, 48.0)] {
        let known = percent_known(watched);
        println!("{watched} owners at 10 pages a second: {known:.1} % known");
        assert!((known - percent).abs() < 3.0, "{known} % of {watched}");
    }
}

#[test]
fn a_cycle_beyond_the_age_of_lists_is_reported_once() {
    let is_beyond = |server: &Server| {
        let mut stats = stats::CacheStats::default();
        server.own.refresher.fill(&mut stats);
        stats.exceeds_max_age
    };
    let mut server = server_with(6_500);
    assert!(!is_beyond(&server));
    assert_eq!(server.own.refresher.take_news(), None);
    for owner in 6_500..6_600 {
        server.watch(&format!("owner{owner}"));
    }
    assert!(is_beyond(&server));
    let news = server.own.refresher.take_news().expect("it is reported");
    assert!(news.contains("6600 watched owners"), "{news}");
    assert!(news.contains("cache.max_age_s"), "{news}");
    assert_eq!(server.own.refresher.take_news(), None, "once");

    // About the limit it is not reported again and again.
    let now = server.own.start;
    let unwatch = |server: &mut Server, owners: std::ops::Range<usize>| {
        for owner in owners {
            server.own.refresher.unwatch(&format!("owner{owner}"), now);
        }
    };
    unwatch(&mut server, 6_400..6_600);
    assert!(!is_beyond(&server));
    assert_eq!(server.own.refresher.take_news(), None);
    for owner in 6_400..6_600 {
        server.watch(&format!("owner{owner}"));
    }
    assert_eq!(server.own.refresher.take_news(), None);
    unwatch(&mut server, 5_000..6_600);
    assert_eq!(server.own.refresher.take_news(), None);
    for owner in 5_000..6_600 {
        server.watch(&format!("owner{owner}"));
    }
    assert!(
        server.own.refresher.take_news().is_some(),
        "another crossing"
    );
}
