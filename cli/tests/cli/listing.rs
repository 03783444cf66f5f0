//! `get --all` beside changes of the list.

use std::collections::VecDeque;
use std::io::{BufReader, Write};
use std::sync::{Arc, Mutex};

use serde_json::json;
use testkit::fake_service::read_request;
use testkit::listener::Listener;
use testkit::runs::{Files, run_with};

/// Accounts, the start of the next page, and the sequence of the list; 0 is left out.
type Page = (&'static [&'static str], u32, u64);

/// Answers with these pages, one a request.
fn scripted(pages: &[Page]) -> (Listener, Arc<Mutex<VecDeque<Page>>>) {
    let left = Arc::new(Mutex::new(VecDeque::from(pages.to_vec())));
    let own = Arc::clone(&left);
    let listener = Listener::start(move |peer| {
        let mut writer = peer.try_clone().expect("a connection");
        let mut reader = BufReader::new(peer);
        while read_request(&mut reader).is_some() {
            let page = own.lock().expect("the test has not failed").pop_front();
            let (accounts, next, sequence) = page.expect("no page more is asked for");
            let entry = |account| json!({"To_Account": account, "AddBlackTimeStamp": 1});
            let items: Vec<_> = accounts.iter().map(entry).collect();
            let mut body = json!({"ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": "", "StartIndex": next,
                "BlackListItem": items});
            if sequence > 0 {
                body["CurruentSequence"] = sequence.into();
            }
            let body = body.to_string();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            if writer.write_all((head + &body).as_bytes()).is_err() {
                return;
            }
        }
    });
    (listener, left)
}

fn get_all(pages: &[Page], code: i32) -> (String, String) {
    let (service, left) = scripted(pages);
    let files = Files::new();
    let config = json!({"sdkappid": 1, "secret_key": "k", "base_url": service.base_url()});
    let config = files.write_secret("config.json", &config.to_string());
    let arguments = ["get", "ann", "--all"];
    let done = run_with(Some(&config), &arguments, "").expect(code);
    assert!(
        left.lock().expect("no failure").is_empty(),
        "every page is asked for"
    );
    (done.stdout, done.stderr)
}

#[test]
fn a_list_that_changes_between_two_pages_is_read_again() {
    // "gone" was removed between the pages, so "moved" is in the first one now.
    let (shown, _) = get_all(
        &[
            (&["gone", "first"], 2, 7),
            (&["third"], 0, 8),
            (&["first", "moved"], 2, 8),
            (&["third"], 0, 8),
        ],
        0,
    );
    let times = ["gone", "first", "moved", "third"].map(|name| shown.matches(name).count());
    assert_eq!(times, [0, 1, 1, 1], "{shown}");
}

#[test]
fn a_list_that_changes_all_the_time_is_not_shown_as_a_whole_one() {
    let pages: Vec<Page> = (0..4)
        .flat_map(|round| [(&["a", "b"][..], 2, round), (&["c"][..], 0, round + 1)])
        .collect();
    let (shown, said) = get_all(&pages, 4);
    assert!(shown.is_empty(), "{shown}");
    assert!(
        said.contains("changed while it was read, 4 times"),
        "{said}"
    );
}

#[test]
fn without_a_sequence_a_list_is_shown_after_two_readings_that_agree() {
    let (shown, _) = get_all(
        &[
            (&["gone", "first"], 2, 0),
            (&["third"], 0, 0),
            (&["first", "moved"], 2, 0),
            (&["third"], 0, 0),
            (&["first", "moved"], 2, 0),
            (&["third"], 0, 0),
        ],
        0,
    );
    let times = ["gone", "first", "moved", "third"].map(|name| shown.matches(name).count());
    assert_eq!(times, [0, 1, 1, 1], "{shown}");
}

#[test]
fn without_a_sequence_a_list_that_changes_all_the_time_is_not_shown() {
    let ends: [&[&str]; 4] = [&["c"], &["d"], &["c"], &["d"]];
    let pages = ends
        .into_iter()
        .flat_map(|end| [(&["a", "b"][..], 2, 0), (end, 0, 0)]);
    let (shown, said) = get_all(&pages.collect::<Vec<Page>>(), 4);
    assert!(shown.is_empty(), "{shown}");
    assert!(
        said.contains("changed while it was read, 4 times"),
        "{said}"
    );
}
