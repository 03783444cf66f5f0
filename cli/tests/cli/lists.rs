//! Lists of accounts in files: nothing is sent unless every line of them is sound.

use serde_json::json;

use testkit::runs::{Done, Files, names, remote, run_with};

/// Runs `command` with the list `text` in a file called "names".
fn from_file(files: &Files, command: &[&str], text: impl AsRef<[u8]>) -> Done {
    let list = files.write("names", text);
    let mut arguments = command.to_vec();
    arguments.extend(["--from-file", list.to_str().expect("UTF-8")]);
    files.run(&arguments)
}

fn blocked(files: &Files) -> Vec<String> {
    let listed = files
        .run(&["get", "ann", "--all", "--json"])
        .expect(0)
        .json();
    let items = listed["BlackListItem"].as_array().cloned();
    let names = items.unwrap_or_default().into_iter();
    names
        .map(|item| item["To_Account"].as_str().expect("a name").to_owned())
        .collect()
}

#[test]
fn a_command_reads_no_list_but_that_of_its_owner() {
    let files = Files::new();
    for owner in ["ann", "zoe"] {
        files.run(&["add", owner, "bob"]).expect(0);
    }
    let store = rusqlite::Connection::open(files.path("lists.db")).expect("the store");
    // What reads this list fails.
    let unreadable = "UPDATE pairs SET target = CAST(x'ff' AS TEXT) WHERE owner = 'zoe'";
    assert_eq!(store.execute(unreadable, []), Ok(1));
    store.close().expect("closed");
    files.run(&["get", "zoe"]).expect(5);
    for command in ["check", "add", "delete"] {
        files.run(&[command, "ann", "bob"]).expect(0);
    }
    files.run(&["get", "ann"]).expect(0);
}

#[test]
fn white_space_at_the_ends_is_refused_with_its_place_or_trimmed() {
    let table = [
        ("bob \n", "names:1:4:"),
        ("eve\n bob\n", "names:2:1:"),
        ("eve\nbob\t\n", "names:2:4:"),
        ("eve\r\n\r\nbob \r\n", "names:3:4:"),
        ("eve\nbob\u{a0}", "names:2:4:"),
        ("eve\n\u{3000}bob\n", "names:2:1:"),
        ("eve\nbob\u{2003}\n", "names:2:4:"),
        ("eve\nbob\u{200b}\n", "names:2:4:"),
        ("eve\nbob\u{2028}\n", "names:2:4:"),
        ("eve\n\u{feff}bob\n", "names:2:1:"),
    ];
    for (text, place) in table {
        let files = Files::new();
        let done = from_file(&files, &["add", "ann"], text).expect(2);
        assert!(
            done.stderr.contains(place) && done.stderr.contains("--trim"),
            "{text:?}: {}",
            done.stderr
        );
        assert_eq!(blocked(&files), [""; 0], "{text:?}");
        from_file(&files, &["add", "ann", "--trim"], text).expect(0);
        let all = blocked(&files);
        assert!(all.contains(&"bob".to_owned()), "{text:?}: {all:?}");
        assert!(all.iter().all(|name| name == "bob" || name == "eve"));
    }
}

#[test]
fn the_mark_of_a_file_and_its_blank_lines_name_nobody() {
    let files = Files::new();
    let text = "\u{feff}bob\r\n\r\n   \n\u{a0}\neve";
    from_file(&files, &["add", "ann"], text).expect(0);
    assert_eq!(blocked(&files), ["bob", "eve"]);
    let text = format!("{text}\n");
    let config = files.durable();
    run_with(Some(&config), &["check", "ann", "-"], &text).expect(0);
    let done = from_file(&files, &["add", "ann"], "\u{feff}\n \n").expect(2);
    assert!(done.stderr.contains("names"), "{}", done.stderr);
}

#[test]
fn what_no_account_can_be_is_named_by_its_place_and_nothing_is_sent() {
    let long = "x".repeat(33);
    for (last, column, words) in [
        (long.as_str(), 1, "longer than 32 bytes"),
        ("b\u{1}b", 1, "control character"),
        ("b\u{e9}b", 1, "account_charset"),
        ("bob ", 4, "white space"),
    ] {
        let files = Files::new();
        let text = format!("{}{last}\n", names(2000));
        let place = format!("names:2001:{column}:");
        let done = from_file(&files, &["add", "ann"], &text).expect(2);
        assert!(
            done.stderr.contains(&place) && done.stderr.contains(words),
            "{}",
            done.stderr
        );
        assert_eq!((done.stdout.as_str(), blocked(&files).len()), ("", 0));
        let config = files.durable();
        let done = run_with(Some(&config), &["add", "ann", "-"], &text).expect(2);
        let place = format!("standard input:2001:{column}:");
        assert!(done.stderr.contains(&place), "{}", done.stderr);
    }
    // In the command line the argument is named, and none before it is sent.
    let files = Files::new();
    let mut arguments = vec!["add", "ann"];
    let all = names(1500);
    arguments.extend(all.lines());
    arguments.push(&long);
    let done = files.run(&arguments).expect(2);
    assert!(done.stderr.contains("account 1501"), "{}", done.stderr);
    assert_eq!(blocked(&files), [""; 0]);
}

#[test]
fn a_remote_service_is_asked_nothing_for_a_list_with_a_fault() {
    let files = Files::new();
    let (_server, config) = remote(&files, &json!({}));
    let list = files.write("names", format!("{}bob\u{a0}\n", names(20)));
    let list = list.to_str().expect("UTF-8");
    let arguments = ["add", "ann", "--from-file", list];
    let done = run_with(Some(&config), &arguments, "").expect(2);
    assert!(done.stderr.contains("names:21:4:"), "{}", done.stderr);
    let listed = run_with(Some(&config), &["get", "ann", "--json"], "").expect(0);
    assert_eq!(listed.json()["BlackListItem"], json!([]));
}

#[test]
fn other_encodings_are_called_by_their_names() {
    let utf16 = |text: &str, little: bool, mark: bool| {
        let mark = mark.then_some(0xfeff_u16);
        let units = mark.into_iter().chain(text.encode_utf16());
        let bytes = units.map(|unit| {
            if little {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            }
        });
        bytes.flatten().collect::<Vec<u8>>()
    };
    // "bob", then 你好 in GBK; a u with dots in Latin 1.
    let gbk = b"bob\n\xc4\xe3\xba\xc3\n".to_vec();
    let table = [
        (utf16("bob\neve\n", true, true), "UTF-16"),
        (utf16("bob\neve\n", false, true), "UTF-16"),
        (utf16("bob\neve\n", true, false), "UTF-16"),
        (utf16("bob\neve\n", false, false), "UTF-16"),
        (utf16("\u{4f60}\n\u{597d}\n", true, true), "UTF-16"),
        (b"\xff\xfe\0\0b\0\0\0".to_vec(), "UTF-32"),
        (gbk, "names:2:1: is not UTF-8, it looks like GBK"),
        (b"bob\nm\xfc\n".to_vec(), "names:2:2: is not UTF-8"),
    ];
    for (bytes, words) in table {
        let files = Files::new();
        for arguments in [&["add", "ann"][..], &["add", "ann", "--trim"]] {
            let done = from_file(&files, arguments, &bytes).expect(2);
            assert!(
                done.stderr.contains(words) && done.stderr.contains("UTF-8"),
                "{bytes:?}: {}",
                done.stderr
            );
        }
        assert_eq!(blocked(&files), [""; 0]);
    }
}

#[test]
fn what_get_prints_is_a_list_to_add() {
    // Names that look like other things, as far as the engine takes them.
    let odd = [
        "bob",
        "Ann 1",
        "bob ",
        " bob",
        "\"quoted\"",
        "\"",
        "1700000000",
        "a 1700000000",
        "{\"a\":1}",
        "back\\slash",
    ];
    let files = Files::new();
    files.run(&[&["add", "ann"], &odd[..]].concat()).expect(0);
    for how in [&["--all"][..], &["--json"], &["--all", "--json"], &[]] {
        let shown = files.run(&[&["get", "ann"], how].concat()).expect(0);
        let other = Files::new();
        from_file(&other, &["add", "ann"], &shown.stdout).expect(0);
        assert_eq!(blocked(&other), odd, "{how:?}: {}", shown.stdout);
        let config = other.durable();
        run_with(Some(&config), &["delete", "ann", "-"], &shown.stdout).expect(0);
        assert_eq!(blocked(&other), [""; 0], "{how:?}: {}", shown.stdout);
    }
}

#[test]
fn several_pages_are_one_list() {
    let files = Files::new();
    let text = names(25);
    from_file(&files, &["add", "ann"], &text).expect(0);
    for how in [&[][..], &["--json"]] {
        let mut shown = String::new();
        for start in ["0", "10", "20"] {
            let page = ["get", "ann", "--start", start, "--limit", "10"];
            shown += &files.run(&[&page[..], how].concat()).expect(0).stdout;
        }
        let other = Files::new();
        from_file(&other, &["add", "ann"], format!("\u{feff}{shown}")).expect(0);
        assert_eq!(blocked(&other).len(), 25, "{shown}");
    }
}

#[test]
fn faults_of_printed_lists_are_named_by_their_place() {
    let head = "account  blocked at (Unix seconds)\n";
    let item = "{\"To_Account\":\"bob\",\"AddBlackTimeStamp\":1}";
    let table = [
        (format!("{head} bob\n"), "names:2:1:"),
        (format!("{head} bob 17000000x\n"), "names:2:1:"),
        (
            format!("{head} bob 1\n {} 1\n", "x".repeat(33)),
            "names:3:2:",
        ),
        (format!("{head} \"bob 1\n"), "names:2:2:"),
        (
            format!("{{\"BlackListItem\":[\n{item},\n{{\"To_Account\":5}}]}}"),
            "names:3:",
        ),
        (
            format!("{{\"BlackListItem\":[\n{item},\n{{\"To_Account\":\"\"}}]}}"),
            "names:3:15:",
        ),
        (format!("{{\"BlackListItem\":[{item}"), "names:1:"),
        (
            format!("{{\"BlackListItem\":[{item}]}}\nbob\n"),
            "names:2:1:",
        ),
        (
            "{\"BlackListItem\":[],\"ErrorCode\":30003,\"ActionStatus\":\"FAIL\"}".to_owned(),
            "30003",
        ),
    ];
    for (text, words) in table {
        let files = Files::new();
        let done = from_file(&files, &["add", "ann"], &text).expect(2);
        assert!(done.stderr.contains(words), "{text}: {}", done.stderr);
        assert_eq!(blocked(&files), [""; 0], "{text}");
    }
}

#[test]
fn the_mark_of_a_file_is_no_part_of_a_configuration() {
    let files = Files::new();
    files.run(&["add", "ann", "bob"]).expect(0);
    let text = std::fs::read_to_string(files.durable()).expect("it was written");
    let marked = format!("\u{feff}{text}");
    let config = files.write("marked.json", &marked);
    let get = ["get", "ann"];
    assert!(
        run_with(Some(&config), &get, "")
            .expect(0)
            .stdout
            .contains("bob")
    );
    let dash = "-".into();
    assert!(
        run_with(Some(&dash), &get, &marked)
            .expect(0)
            .stdout
            .contains("bob")
    );
    let config = files.write(
        "wide.json",
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<_>>(),
    );
    let done = run_with(Some(&config), &get, "").expect(2);
    assert!(
        done.stderr.contains("wide.json is UTF-16"),
        "{}",
        done.stderr
    );
    let state = files.write("state.json", "\u{feff}{\"key\":1}");
    let done = run_with(
        Some(&files.app()),
        &["serve", "--state", state.to_str().expect("UTF-8")],
        "",
    )
    .expect(2);
    assert!(done.stderr.contains("column 8"), "{}", done.stderr);
}
