//! Files that a configuration names: one file for one purpose, read with a bound, regular files only, and a
//! log that damages nothing.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use chatblock::config::Config;
use chatblock::{Client, Status};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Far more than any of these needs; a call that waits for a FIFO never ends.
const LONG: Duration = Duration::from_mins(1);

/// What [`Client::open`] says, which must come to an end.
fn open(config: &Value) -> Result<Client, chatblock::Error> {
    let (done, outcome) = mpsc::channel();
    let text = config.to_string();
    std::thread::spawn(move || drop(done.send(Client::open(&text))));
    outcome
        .recv_timeout(LONG)
        .unwrap_or_else(|_| panic!("{config} does not end"))
}

#[track_caller]
fn refusal(config: &Value) -> String {
    let error = open(config)
        .err()
        .unwrap_or_else(|| panic!("{config} was accepted"));
    assert_eq!(error.status(), Status::Config, "{config}: {error}");
    error.message().to_owned()
}

#[track_caller]
fn names(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "{word}: {message}");
    }
}

fn remote(more: Value) -> Value {
    let mut config =
        json!({"sdkappid": 1, "secret_key": "k", "base_url": "https://example.invalid"});
    let Value::Object(more) = more else {
        panic!("an object is needed")
    };
    config.as_object_mut().expect("an object").extend(more);
    config
}

/// A folder with a second way to it.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("real")).expect("a folder");
        symlink("real", folder.path().join("link")).expect("a link");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn fifo(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo").success());
        path
    }
}

#[test]
fn one_file_for_two_purposes_is_refused_with_both_keys() {
    let place = Place::new();
    let real = place.path("real");
    // Two names of one file that is not there yet.
    let pairs = [
        (real.join("x"), real.join("x")),
        (real.join("x"), place.path("link/x")),
        (real.join("x"), place.path("real/../real/./x")),
        (real.join("x"), place.path("link/../real//x")),
        (real.join("x"), real.join("x-wal")),
        (real.join("x"), real.join("x-shm")),
        (real.join("x"), real.join("x-journal")),
        (real.join("x"), real.join("x.lock")),
        (real.join("x"), real.join("x.new")),
        // The fourth older log.
        (real.join("x.4"), place.path("link/x")),
    ];
    for (database, log) in &pairs {
        let message = refusal(&json!({"path": database, "log": {"to": log}}));
        names(&message, &["\"path\"", "\"log.to\""]);
        let config = remote(json!({"outbox": {"path": database}, "log": {"to": log}}));
        names(&refusal(&config), &["\"outbox.path\"", "\"log.to\""]);
    }
    // One file that is there, with two names.
    let key = place.path("key");
    fs::write(&key, "k").expect("a file");
    fs::hard_link(&key, place.path("hard")).expect("a link");
    symlink("key", place.path("soft")).expect("a link");
    for other in ["key", "hard", "soft"] {
        let mut config = json!({"sdkappid": 1, "secret_key_file": key, "region": "china"});
        config["log"] = json!({"to": place.path(other)});
        names(&refusal(&config), &["\"secret_key_file\"", "\"log.to\""]);
        config["log"] = json!({});
        config["outbox"] = json!({"path": place.path(other)});
        names(
            &refusal(&config),
            &["\"secret_key_file\"", "\"outbox.path\""],
        );
    }
    let config = remote(json!({"tls": {"ca_file": key}, "log": {"to": place.path("hard")}}));
    names(&refusal(&config), &["\"tls.ca_file\"", "\"log.to\""]);
    assert_eq!(fs::read_to_string(&key).expect("the key"), "k");
    let leftover = fs::read_dir(&real).expect("a folder").count();
    assert_eq!(leftover, 0, "a refused configuration makes no file");
}

#[test]
fn files_that_are_apart_may_stand_beside_each_other() {
    let place = Place::new();
    let config = json!({
        "path": place.path("x"),
        "log": {"to": place.path("x.log"), "files": 0},
    });
    open(&config).expect("three files");
}

#[test]
fn a_log_is_never_appended_to_a_database() {
    let place = Place::new();
    let (store, outbox) = (place.path("store.db"), place.path("outbox.db"));
    let client = open(&json!({"path": store})).expect("a store");
    assert_eq!(client.add("ann", &["bob"]).status(), Status::Ok);
    let _with_outbox = open(&remote(json!({"outbox": {"path": outbox}}))).expect("an outbox");
    let mut files = vec![store.clone(), outbox];
    for beside in ["-wal", "-shm"] {
        files.push(place.path(&format!("store.db{beside}")));
    }
    for file in files {
        let before = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let message = refusal(&json!({"log": {"to": file}}));
        names(&message, &["\"log.to\"", "database"]);
        assert!(
            before == fs::read(&file).expect("it is there"),
            "{}",
            file.display()
        );
    }
}

#[test]
fn what_needs_an_app_is_refused_without_one() {
    let table = [
        ("region", json!("china")),
        ("base_url", json!("https://example.invalid")),
        ("outbox", json!({"path": "x"})),
        ("outbox", json!({})),
        ("tls", json!({"ca_file": "x"})),
        ("proxy", json!("http://localhost:1")),
        ("connect_ms", json!(1000)),
        ("attempt_ms", json!(1000)),
        ("call_ms", json!(1000)),
        ("connections", json!(2)),
        ("retry", json!({"attempts": 2})),
        ("cache", json!({"refresh_s": 100})),
        ("identifier", json!("administrator")),
        ("usersig_expire_s", json!(3600)),
    ];
    for (key, value) in table {
        for config in [
            json!({key: value}),
            json!({"backend": "embedded", key: value}),
        ] {
            let message = refusal(&config);
            names(
                &message,
                &[&format!("\"{key}\""), "sdkappid", "secret_key_file"],
            );
        }
    }
}

#[test]
fn what_belongs_to_the_other_backend_is_refused() {
    for (key, value) in [
        ("path", json!("x")),
        ("accounts", json!("any")),
        ("account_charset", json!("utf8")),
    ] {
        let message = refusal(&remote(json!({key: value})));
        names(&message, &[&format!("\"{key}\""), "\"embedded\""]);
    }
    let durable = json!({"backend": "embedded", "outbox": {"path": "x"}});
    names(&refusal(&remote(durable)), &["\"outbox\"", "\"remote\""]);
    for without_file in [json!({}), json!({"commit_ms": 5})] {
        let config = remote(json!({"outbox": without_file}));
        names(&refusal(&config), &["\"outbox.path\"", "in memory"]);
    }
    // The switch for a trial without the service: everything else may stay.
    let trial = json!({"backend": "embedded", "retry": {"attempts": 1}, "tls": {}});
    Config::parse(&remote(trial).to_string()).expect("a sound configuration");
}

#[test]
fn what_is_no_regular_file_is_refused_at_once() {
    let place = Place::new();
    let fifo = place.fifo("fifo");
    // A FIFO with both ends open does not even wait for a reader.
    let busy = place.fifo("busy");
    let _both_ends = fs::File::options()
        .read(true)
        .write(true)
        .open(&busy)
        .expect("a FIFO");
    let through_link = place.path("to-fifo");
    symlink("fifo", &through_link).expect("a link");
    let others = ["/dev/zero", "/dev/null", "/dev/tty"].map(PathBuf::from);
    for file in [fifo, busy, through_link, place.path("real")]
        .iter()
        .chain(&others)
    {
        let named = file.display().to_string();
        let config = remote(json!({"tls": {"ca_file": file}}));
        names(&refusal(&config), &["\"tls.ca_file\"", &named]);
        let config = json!({"sdkappid": 1, "secret_key_file": file, "region": "china"});
        names(&refusal(&config), &["\"secret_key_file\"", &named]);
        names(
            &refusal(&json!({"log": {"to": file}})),
            &["\"log.to\"", &named],
        );
    }
}

#[test]
fn what_is_too_large_is_not_read() {
    let place = Place::new();
    let large = place.path("large");
    let file = fs::File::create(&large).expect("a file");
    // A terabyte of nothing takes no room.
    file.set_len(1 << 40).expect("a sparse file");
    let config = remote(json!({"tls": {"ca_file": large}}));
    names(&refusal(&config), &["\"tls.ca_file\"", "larger than"]);
    let config = json!({"sdkappid": 1, "secret_key_file": large, "region": "china"});
    names(&refusal(&config), &["\"secret_key_file\"", "larger than"]);
}

#[test]
fn a_log_follows_no_symbolic_link() {
    let place = Place::new();
    let victim = place.path("victim");
    fs::write(&victim, "mine\n").expect("a file");
    symlink("victim", place.path("to-victim")).expect("a link");
    symlink("nothing", place.path("to-nothing")).expect("a link");
    for link in ["to-victim", "to-nothing"] {
        let message = refusal(&json!({"log": {"to": place.path(link), "level": "debug"}}));
        names(&message, &["\"log.to\"", "symbolic link"]);
    }
    assert_eq!(fs::read_to_string(victim).expect("a file"), "mine\n");
    assert!(!place.path("nothing").exists());
}

fn key_with_mode(place: &Place, mode: u32) -> PathBuf {
    let path = place.path(&format!("key-{mode:o}"));
    fs::write(&path, "k").expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("our file");
    path
}

fn log_of(config: &Value, log: &Path) -> String {
    let client = open(config).expect("a client");
    client.close(Some(LONG));
    fs::read_to_string(log).expect("a log")
}

#[test]
fn a_key_that_others_may_read_is_warned_of() {
    let place = Place::new();
    for (mode, is_warned) in [
        (0o600, false),
        (0o400, false),
        (0o640, true),
        (0o604, true),
        (0o620, true),
    ] {
        let key = key_with_mode(&place, mode);
        let log = place.path(&format!("log-{mode:o}"));
        let config = json!({
            "sdkappid": 1, "secret_key_file": key, "region": "china", "log": {"to": log},
        });
        let text = log_of(&config, &log);
        let warned = text.contains(" warn ") && text.contains("\"secret_key_file\"");
        assert_eq!(
            warned && text.contains(&*key.to_string_lossy()),
            is_warned,
            "{mode:o}: {text}"
        );
        assert_eq!(text.is_empty(), !is_warned, "{mode:o}: {text}");
    }
}

#[test]
fn a_key_that_everybody_may_change_is_refused() {
    let place = Place::new();
    for mode in [0o602, 0o666] {
        let key = key_with_mode(&place, mode);
        let config = json!({"sdkappid": 1, "secret_key_file": key, "region": "china"});
        names(&refusal(&config), &["\"secret_key_file\"", "chmod 600"]);
    }
}

#[test]
fn the_limits_of_a_log_are_checked() {
    for (key, value) in [
        ("max_bytes", 65_535_u64),
        ("max_bytes", u64::MAX),
        ("files", 101),
    ] {
        let message = refusal(&json!({"log": {key: value}}));
        names(&message, &[&format!("\"log.{key}\"")]);
    }
    let config = json!({"log": {"max_bytes": 0, "files": 0}}).to_string();
    assert_eq!(Config::parse(&config).expect("sound").log.max_bytes, 0);
}

#[test]
fn the_mark_of_a_file_and_the_end_of_its_line_are_no_part_of_a_key() {
    let folder = tempfile::tempdir().expect("a directory");
    let key = |config: &Value| {
        let config = Config::parse(&config.to_string()).unwrap_or_else(|error| panic!("{error}"));
        let app = config.app.expect("an app");
        chatblock::usersig::generate(app.sdkappid, &app.key, "admin", (1, 60)).expect("a signature")
    };
    let common = json!({"sdkappid": 1, "backend": "embedded"});
    let with = |name: &str, value: &str| {
        let mut config = common.clone();
        config[name] = json!(value);
        config
    };
    let wanted = key(&with("secret_key", "c0ffee"));
    for text in [
        "c0ffee",
        "c0ffee\n",
        "c0ffee\r\n",
        "c0ffee\n\n",
        "\u{feff}c0ffee",
        "\u{feff}c0ffee\r\n",
    ] {
        let path = folder.path().join("key");
        fs::write(&path, text).expect("our folder");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("our file");
        let path = path.to_str().expect("UTF-8");
        assert_eq!(key(&with("secret_key_file", path)), wanted, "{text:?}");
        assert_eq!(in_environment(text), "as written", "{text:?}");
    }
    for text in [
        "c0ffee ",
        " c0ffee\n",
        "c0ffee\u{a0}",
        "\tc0ffee",
        "c0ffee \n",
    ] {
        let path = folder.path().join("key");
        fs::write(&path, text).expect("our folder");
        let said = refusal(&with("secret_key_file", path.to_str().expect("UTF-8")));
        names(&said, &["\"secret_key_file\"", "white space"]);
        assert!(!said.contains("c0ffee"), "{said}");
        names(
            &in_environment(text),
            &["\"secret_key_env\"", "white space"],
        );
        names(
            &refusal(&with("secret_key", text)),
            &["\"secret_key\"", "white space"],
        );
    }
    for (bytes, words) in [
        (&b"c\0f\0"[..], "UTF-16"),
        (b"\xff\xfec\0f\0", "UTF-16"),
        (b"\xc4\xe3", "GBK"),
    ] {
        let path = folder.path().join("key");
        fs::write(&path, bytes).expect("our folder");
        let said = refusal(&with("secret_key_file", path.to_str().expect("UTF-8")));
        names(&said, &["\"secret_key_file\"", words]);
    }
}

/// What a process says that has the key `text` in its environment.
fn in_environment(text: &str) -> String {
    let mut command = std::process::Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "a_key_in_the_environment", "--nocapture"]);
    let done = command.env("TEST_KEY", text).output().expect("it runs");
    let said = String::from_utf8(done.stdout).expect("text");
    let line = said.lines().find_map(|line| line.strip_prefix("said: "));
    line.unwrap_or_else(|| panic!("{said}")).to_owned()
}

/// The other half of [`in_environment`]: a process of its own, because the environment is the process's.
#[test]
fn a_key_in_the_environment() {
    if std::env::var_os("TEST_KEY").is_none() {
        return;
    }
    let read = |text: &str| {
        let app = Config::parse(text)?.app.expect("an app");
        chatblock::usersig::generate(app.sdkappid, &app.key, "admin", (1, 60))
    };
    let wanted = read(r#"{"sdkappid":1,"backend":"embedded","secret_key":"c0ffee"}"#);
    let found = read(r#"{"sdkappid":1,"backend":"embedded","secret_key_env":"TEST_KEY"}"#);
    match found {
        Err(error) => println!("\nsaid: {error}"),
        Ok(found) if wanted.is_ok_and(|wanted| *wanted == *found) => println!("\nsaid: as written"),
        Ok(_) => println!("\nsaid: another key"),
    }
}

#[test]
fn the_mark_of_a_file_is_named_in_a_text_that_begins_with_it() {
    let said = Config::parse("\u{feff}{}").expect_err("the text of a file, unread");
    names(said.message(), &["byte order mark"]);
}
