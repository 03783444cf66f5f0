//! A small service for the stress programs: it takes everything at once, and how long its answer takes
//! is in the name of the owner. It uses no lock of the library's.

use std::collections::HashSet;
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use testkit::fake_service::read_request;
use testkit::listener::Listener;

/// A held request is answered after that even if nothing sets it free. Far longer than any call needs, and
/// less than an attempt of the client may take.
pub const HOLD: Duration = Duration::from_secs(10);

/// Runs until it is dropped.
pub struct Service {
    listener: Listener,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    pairs: Mutex<Pairs>,
    freed: Condvar,
}

/// Requests of `hold7` are held until one of `free7` comes.
#[derive(Default)]
struct Pairs {
    free: HashSet<String>,
    /// Held until the end of [`HOLD`].
    forgotten: usize,
}

impl Service {
    pub fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        let listener = Listener::start(move |peer| own.serve(peer));
        Self { listener, shared }
    }

    pub fn base_url(&self) -> String {
        self.listener.base_url()
    }

    /// How many held requests were not set free in time, since the last look.
    pub fn take_forgotten(&self) -> usize {
        let mut pairs = self.shared.pairs.lock().expect("nobody panics with it");
        pairs.free.clear();
        std::mem::take(&mut pairs.forgotten)
    }
}

impl Shared {
    /// Requests of one connection, until it ends.
    fn serve(&self, peer: TcpStream) {
        let Ok(mut writer) = peer.try_clone() else {
            return;
        };
        let mut reader = BufReader::new(peer);
        while let Some((command, body)) = read_request(&mut reader) {
            let owner = body["From_Account"].as_str().expect("an owner").to_owned();
            if owner.starts_with("deaf") {
                // Until the client gives up.
                let _ = reader.read(&mut [0]);
                return;
            }
            self.take_time(&owner);
            let answer = answer(&command, &body).to_string();
            let length = answer.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
            if writer.write_all((head + &answer).as_bytes()).is_err() {
                return;
            }
        }
    }

    /// What the owner asks for; mostly nothing.
    fn take_time(&self, owner: &str) {
        let mut pairs = self.pairs.lock().expect("nobody panics with it");
        if let Some(pair) = owner.strip_prefix("free") {
            pairs.free.insert(pair.to_owned());
            self.freed.notify_all();
        } else if let Some(pair) = owner.strip_prefix("hold") {
            let held = self
                .freed
                .wait_timeout_while(pairs, HOLD, |pairs| !pairs.free.contains(pair));
            let (mut pairs, waited) = held.expect("nobody panics with it");
            pairs.forgotten += usize::from(waited.timed_out());
        } else if fastrand::u8(..32) == 0 {
            drop(pairs);
            thread::sleep(Duration::from_millis(fastrand::u64(1..20)));
        }
    }
}

fn answer(command: &str, body: &Value) -> Value {
    let targets = body["To_Account"].as_array().map_or(&[][..], Vec::as_slice);
    let item = |target: &Value| json!({"To_Account": target, "ResultCode": 0, "ResultInfo": ""});
    let relation = |target: &Value| json!({"To_Account": target, "Relation": "BlackCheckResult_Type_NO", "ResultCode": 0, "ResultInfo": ""});
    let (name, items): (_, Vec<_>) = match command {
        "black_list_add" | "black_list_delete" => {
            ("ResultItem", targets.iter().map(item).collect())
        }
        "black_list_check" => ("BlackListCheckItem", targets.iter().map(relation).collect()),
        "black_list_get" => ("BlackListItem", Vec::new()),
        other => panic!("the client asks for {other}"),
    };
    json!({name: items, "StartIndex": 0, "CurruentSequence": 1, "ActionStatus": "OK", "ErrorCode": 0,
        "ErrorInfo": "", "ErrorDisplay": ""})
}
