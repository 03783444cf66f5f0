//! An app's backend: takes webhooks and remembers them.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver as Incoming, Sender, channel};
use std::time::{Duration, Instant};

/// Longer than any webhook takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

pub const TAKEN: &str = r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#;

/// What it does with a webhook.
#[derive(Clone, Copy)]
pub enum Manner {
    /// Answers as documented.
    Take,
    /// Answers with this status line and body.
    Answer(&'static str, &'static str),
    /// Never answers the first so many, then takes.
    Ignore(usize),
}

/// One webhook.
#[derive(Debug)]
pub struct Webhook {
    /// Path and query.
    pub target: String,
    /// Header lines, in lower case.
    pub head: String,
    pub body: String,
    /// Which connection it came on.
    pub connection: usize,
    pub when: Instant,
}

/// Listens until the process ends.
pub struct Receiver {
    address: String,
    incoming: Incoming<Webhook>,
}

impl Receiver {
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound").to_string();
        let (sender, incoming) = channel();
        std::thread::spawn(move || {
            let mut manner = manner;
            for (connection, stream) in listener.incoming().enumerate() {
                let (stream, sender) = (stream.expect("a connection"), sender.clone());
                // The manner of a connection is chosen when it comes: one that waited is not used again.
                let own = manner;
                if let Manner::Ignore(count) = &mut manner {
                    *count = count.saturating_sub(1);
                }
                std::thread::spawn(move || talk(&stream, connection, own, &sender));
            }
        });
        Self { address, incoming }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// The next webhook; waits for it.
    pub fn next(&self) -> Webhook {
        let next = self.incoming.recv_timeout(PATIENCE);
        next.expect("a webhook comes")
    }

    /// The bodies of those that have come so far.
    pub fn bodies(&self) -> Vec<String> {
        self.incoming
            .try_iter()
            .map(|webhook| webhook.body)
            .collect()
    }
}

/// Reads webhooks from one connection until it ends.
fn talk(stream: &TcpStream, connection: usize, manner: Manner, sender: &Sender<Webhook>) {
    let mut reader = BufReader::new(stream);
    while let Some(webhook) = read(&mut reader, connection) {
        if sender.send(webhook).is_err() {
            return;
        }
        let (status, body) = match manner {
            Manner::Take | Manner::Ignore(0) => ("200 OK", TAKEN),
            Manner::Answer(status, body) => (status, body),
            Manner::Ignore(_) => continue,
        };
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
        let mut writer = stream;
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn read(reader: &mut impl BufRead, connection: usize) -> Option<Webhook> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    let target = first.strip_prefix("POST ")?.split(' ').next()?.to_owned();
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && head != "\r\n" {
        reader.read_line(&mut head).ok().filter(|read| *read > 0)?;
    }
    let head = head.to_lowercase();
    let length = head.split("content-length: ").nth(1)?.lines().next()?;
    let mut body = vec![0; length.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Webhook {
        target,
        head,
        body: String::from_utf8(body).ok()?,
        connection,
        when: Instant::now(),
    })
}
