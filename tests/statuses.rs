//! Every status of the header is reached: a table from its name to the call that ends with it.

#![allow(
    unsafe_code,
    reason = "some statuses are seen through the C interface only"
)]

use std::ffi::{CString, c_char};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use chatblock::ffi::blocklist::chatblock_blocklist_add;
use chatblock::ffi::cached_checks::chatblock_client_is_blocked;
use chatblock::ffi::client::{chatblock_client, chatblock_client_close, chatblock_client_open};
use chatblock::ffi::result::{chatblock_result_free, chatblock_result_status};
use chatblock::{Client, Error};
use serde_json::{Value, json};
use testkit::fault_server::{FaultServer, Step, config};

/// Longer than any of these calls takes; a test that waits this long has failed.
const LATEST: Duration = Duration::from_mins(2);
const NOW: Option<Duration> = Some(Duration::ZERO);

/// A client of the C interface.
struct Handle(*mut chatblock_client);

// SAFETY: any number of threads may use a client (include/chatblock.h).
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Handle {
    fn open(config: &Value) -> Self {
        let config = CString::new(config.to_string()).expect("JSON has no NUL");
        // SAFETY: a string, and no place for an error.
        let client = unsafe { chatblock_client_open(config.as_ptr(), std::ptr::null_mut()) };
        assert!(!client.is_null(), "{config:?}");
        Self(client)
    }

    /// The status of an add of one target.
    fn add(&self) -> i32 {
        let targets: [*const c_char; 1] = [c"bob".as_ptr()];
        // SAFETY: the client is open, and the strings are constants.
        let result =
            unsafe { chatblock_blocklist_add(self.0, c"ann".as_ptr(), targets.as_ptr(), 1) };
        // SAFETY: the result is ours.
        let status = unsafe { chatblock_result_status(result) };
        // SAFETY: as above, and it is not used again.
        unsafe { chatblock_result_free(result) };
        status as i32
    }

    fn is_blocked(&self) -> i32 {
        // SAFETY: the client is open, and the strings are constants.
        unsafe { chatblock_client_is_blocked(self.0, c"ann".as_ptr(), c"bob".as_ptr()) }
    }

    /// The only call that may come while another one is in progress and end it.
    fn close(&self) {
        // SAFETY: it was open until now, and calls in progress may end after this.
        unsafe { chatblock_client_close(self.0, 0) };
    }
}

/// A service that takes requests and never answers.
fn silence() -> FaultServer {
    FaultServer::plain(vec![vec![Step::Stall]; 8])
}

/// For a client of `server` whose calls do not end by themselves.
fn patient(server: &FaultServer) -> Value {
    config(
        server,
        &json!({"attempt_ms": 3_600_000, "call_ms": 3_600_000}),
    )
}

fn open(config: &Value) -> Client {
    Client::open(&config.to_string()).expect("a sound configuration")
}

fn embedded() -> Client {
    open(&json!({}))
}

fn until_received(server: &FaultServer) {
    let started = Instant::now();
    while server.received().is_empty() {
        assert!(started.elapsed() < LATEST, "no request comes");
        thread::sleep(Duration::from_millis(1));
    }
}

/// What an add that is in progress ends with when its client is closed.
fn closed_under_way(more: &Value) -> i32 {
    let server = silence();
    let mut config = patient(&server);
    for (key, value) in more.as_object().expect("an object of keys") {
        config[key] = value.clone();
    }
    let client = Handle::open(&config);
    thread::scope(|scope| {
        let add = scope.spawn(|| client.add());
        until_received(&server);
        client.close();
        add.join().expect("a status")
    })
}

fn refused<T>(outcome: Result<T, Error>) -> i32 {
    let error = outcome.err().expect("it is refused");
    assert!(!error.message().is_empty());
    error.status().code()
}

fn added(config: &Value, owner: &str, targets: &[&str]) -> i32 {
    open(config).add(owner, targets).status().code()
}

fn unchanged() -> i32 {
    embedded().delete("ann", &["bob"]).items()[0]
        .status()
        .code()
}

fn network() -> i32 {
    let server = FaultServer::plain(vec![vec![Step::Close]]);
    added(&patient(&server), "ann", &["bob"])
}

fn timeout() -> i32 {
    let server = silence();
    let client = open(&patient(&server));
    client.add_async("ann", &["bob"], 1).expect("accepted");
    client.flush(NOW).code()
}

fn busy() -> i32 {
    let client = open(&json!({"queue": {"max_calls": 1}}));
    client.add_async("ann", &["bob"], 1).expect("accepted");
    refused(client.add_async("ann", &["cat"], 2))
}

fn cancelled() -> i32 {
    let server = silence();
    let client = open(&patient(&server));
    client.add_async("ann", &["bob"], 1).expect("accepted");
    until_received(&server);
    // It is behind a write of the same owner.
    client.add_async("ann", &["cat"], 2).expect("accepted");
    assert_eq!(client.cancel(2), 1);
    let reply = client.poll(Some(LATEST)).expect("a completion");
    assert_eq!(reply.tag(), 2);
    reply.status().code()
}

fn storage() -> i32 {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("lists.db");
    fs::write(&path, "a text").expect("a file");
    refused(Client::open(&json!({"path": path}).to_string()))
}

fn unknown() -> i32 {
    let server = silence();
    let client = Handle::open(&patient(&server));
    let answer = client.is_blocked();
    client.close();
    answer
}

fn signature() -> i32 {
    let server = silence();
    let query = "SdkAppid=1400000001&CallbackCommand=Sns.CallbackBlackListAdd&contenttype=json";
    let reply = open(&patient(&server)).apply_webhook(query, b"{}");
    reply.status().code()
}

/// The child ends with the positive number of its status.
fn forked() -> i32 {
    let client = Handle::open(&json!({}));
    // SAFETY: the child calls the library, which is made for that, and ends.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let status = client.add();
        // SAFETY: it ends the child and nothing of the test program runs in it.
        unsafe { libc::_exit(-status) };
    }
    assert!(child > 0, "{}", std::io::Error::last_os_error());
    let mut ended = 0;
    // SAFETY: it is our child, and the number is ours.
    let waited = unsafe { libc::waitpid(child, &raw mut ended, 0) };
    assert!(
        waited == child && libc::WIFEXITED(ended),
        "the child ended with {ended:#x}"
    );
    client.close();
    -libc::WEXITSTATUS(ended)
}

fn connect() -> i32 {
    let server = silence();
    let mut config = patient(&server);
    // No service listens on the discard port.
    config["base_url"] = json!("http://127.0.0.1:9");
    added(&config, "ann", &["bob"])
}

fn queued() -> i32 {
    let folder = tempfile::tempdir().expect("a directory");
    closed_under_way(&json!({"outbox": {"path": folder.path().join("outbox.db")}}))
}

/// Ends with the number of a status.
type Call = fn() -> i32;

const TABLE: [(&str, Call); 19] = [
    ("CHATBLOCK_UNCHANGED", unchanged),
    ("CHATBLOCK_PARTIAL", || {
        added(&json!({}), "ann", &["bob", "ann"])
    }),
    ("CHATBLOCK_OK", || added(&json!({}), "ann", &["bob"])),
    ("CHATBLOCK_ERR_ARGUMENT", || added(&json!({}), "", &["bob"])),
    ("CHATBLOCK_ERR_CONFIG", || {
        refused(Client::open("{\"colour\":1}"))
    }),
    ("CHATBLOCK_ERR_REQUEST", || {
        embedded().call("black_list_add", "{").status().code()
    }),
    ("CHATBLOCK_ERR_SERVICE", || {
        added(&json!({}), "ann", &["ann"])
    }),
    ("CHATBLOCK_ERR_NETWORK", network),
    ("CHATBLOCK_ERR_TIMEOUT", timeout),
    ("CHATBLOCK_ERR_BUSY", busy),
    ("CHATBLOCK_ERR_CANCELLED", cancelled),
    ("CHATBLOCK_ERR_CLOSED", || closed_under_way(&json!({}))),
    ("CHATBLOCK_ERR_STORAGE", storage),
    ("CHATBLOCK_ERR_UNKNOWN", unknown),
    ("CHATBLOCK_ERR_SIGNATURE", signature),
    ("CHATBLOCK_ERR_UNSUPPORTED", || {
        refused(embedded().backup("copy.db"))
    }),
    ("CHATBLOCK_ERR_FORKED", forked),
    ("CHATBLOCK_ERR_CONNECT", connect),
    ("CHATBLOCK_ERR_QUEUED", queued),
];

/// Reached by a bug only, which the tests of the library plant: the file and the test.
const PLANTED: (&str, &str, &str) = (
    "CHATBLOCK_ERR_PANIC",
    "src/ffi/client.rs",
    "fn after_a_bug_every_function_returns_panic()",
);

/// Names and numbers of `enum chatblock_status` in the header, in its order.
fn in_header() -> Vec<(String, i32)> {
    let path = testkit::root().join("include/chatblock.h");
    let header = fs::read_to_string(path).expect("the header");
    let (_, from) = header
        .split_once("enum chatblock_status\n")
        .expect("the enumeration");
    let (body, _) = from.split_once("\n};").expect("its end");
    let rows = body
        .lines()
        .filter_map(|line| line.trim().strip_suffix(',')?.split_once(" = "));
    rows.map(|(name, number)| (name.to_owned(), number.parse().expect("a number")))
        .collect()
}

#[test]
fn every_status_of_the_header_is_reached() {
    let header = in_header();
    let mut names: Vec<_> = TABLE.iter().map(|(name, _)| *name).collect();
    names.push(PLANTED.0);
    names.sort_unstable();
    let mut expected: Vec<_> = header.iter().map(|(name, _)| name.as_str()).collect();
    expected.sort_unstable();
    assert_eq!(names, expected, "each status of the header needs a row");
    for (name, call) in TABLE {
        let number = header.iter().find(|(known, _)| known == name);
        assert_eq!(Some(call()), number.map(|(_, number)| *number), "{name}");
    }
    let (name, file, test) = PLANTED;
    let source = fs::read_to_string(testkit::root().join(file)).expect("a source");
    assert!(source.contains(test), "{name}: {file} lacks {test}");
}
