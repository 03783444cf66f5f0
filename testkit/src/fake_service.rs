//! A small service that shares no code with the library: it keeps lists, remembers every
//! write in the order of arrival, and now and then loses a request or an answer.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::listener::Listener;

/// How long a worker waits for an answer. On a machine that is so busy that four answers in a row take longer, a write is
/// set aside and later ones overtake it.
pub const ATTEMPT: Duration = Duration::from_secs(1);
const SILENCE: Duration = Duration::from_millis(1500);

/// A write as it arrived.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub owner: String,
    pub is_delete: bool,
    pub targets: Vec<String>,
}

/// What the service knows.
#[derive(Clone, Default)]
pub struct Books {
    pub arrivals: Vec<Arrival>,
    /// Owner and target.
    pub blocked: HashSet<(String, String)>,
}

/// How well it serves.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Manner {
    #[default]
    Sound,
    /// Loses one request in twenty, and one answer.
    Lossy,
    /// Loses every request.
    Deaf,
}

/// Runs until it is dropped.
pub struct Service {
    listener: Listener,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    books: Mutex<Books>,
    manner: Manner,
}

impl Service {
    pub fn start(manner: Manner) -> Self {
        let shared = Arc::new(Shared {
            manner,
            ..Shared::default()
        });
        let own = Arc::clone(&shared);
        let listener = Listener::start(move |peer| own.serve(peer));
        Self { listener, shared }
    }

    pub fn base_url(&self) -> String {
        self.listener.base_url()
    }

    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.shared.books.lock().expect("nobody panics with it")
    }
}

/// What becomes of one request.
enum Luck {
    Answered,
    RequestLost,
    AnswerLost,
}

impl Shared {
    /// Requests of one connection, until it ends.
    fn serve(&self, peer: TcpStream) {
        let Ok(mut writer) = peer.try_clone() else {
            return;
        };
        let mut reader = BufReader::new(peer);
        while let Some((command, body)) = read_request(&mut reader) {
            let luck = self.luck();
            if !matches!(luck, Luck::RequestLost) {
                let answer = self.answer(&command, &body).to_string();
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                    answer.len()
                );
                let is_sent = matches!(luck, Luck::Answered)
                    && writer.write_all((head + &answer).as_bytes()).is_ok();
                if is_sent {
                    continue;
                }
            }
            if fastrand::u8(..50) == 0 {
                thread::sleep(SILENCE);
            }
            return;
        }
    }

    fn luck(&self) -> Luck {
        match (self.manner, fastrand::u8(..100)) {
            (Manner::Deaf, _) | (Manner::Lossy, 0..5) => Luck::RequestLost,
            (Manner::Lossy, 5..10) => Luck::AnswerLost,
            _ => Luck::Answered,
        }
    }

    /// Does what the request says, at once.
    fn answer(&self, command: &str, body: &Value) -> Value {
        let owner = body["From_Account"].as_str().expect("an owner");
        let targets: Vec<String> = body["To_Account"]
            .as_array()
            .expect("targets")
            .iter()
            .map(|target| target.as_str().expect("a target").to_owned())
            .collect();
        let mut books = self.books.lock().expect("nobody panics with it");
        let pair = |target: &String| (owner.to_owned(), target.clone());
        if command == "black_list_check" {
            let item = |target: &String| {
                let relation = if books.blocked.contains(&pair(target)) {
                    "BlackCheckResult_Type_AWithB"
                } else {
                    "BlackCheckResult_Type_NO"
                };
                json!({"To_Account": target, "Relation": relation, "ResultCode": 0, "ResultInfo": ""})
            };
            let items: Vec<_> = targets.iter().map(item).collect();
            return accepted("BlackListCheckItem", &items);
        }
        let is_delete = command == "black_list_delete";
        assert!(is_delete || command == "black_list_add", "{command}");
        for target in &targets {
            if is_delete {
                books.blocked.remove(&pair(target));
            } else {
                books.blocked.insert(pair(target));
            }
        }
        let item = |target| json!({"To_Account": target, "ResultCode": 0, "ResultInfo": ""});
        let items: Vec<_> = targets.iter().map(item).collect();
        books.arrivals.push(Arrival {
            owner: owner.to_owned(),
            is_delete,
            targets,
        });
        accepted("ResultItem", &items)
    }
}

fn accepted(name: &str, items: &[Value]) -> Value {
    json!({name: items, "ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": "", "ErrorDisplay": ""})
}

/// Command and body of the next request; None at the end of the connection, also in its middle.
pub fn read_request(reader: &mut BufReader<TcpStream>) -> Option<(String, Value)> {
    let line = read_line(reader)?;
    let path = line.split(' ').nth(1)?;
    let command = path.split('?').next()?.rsplit('/').next()?.to_owned();
    let mut length = 0;
    loop {
        let line = read_line(reader)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((command, serde_json::from_slice(&body).ok()?))
}

fn read_line(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let length = reader.read_line(&mut line).ok()?;
    (length > 0 && line.ends_with('\n')).then(|| line.trim_end().to_owned())
}
