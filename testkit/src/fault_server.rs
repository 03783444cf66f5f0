//! A server that answers by script: it does to its clients what broken and hostile services do.

use std::collections::{HashMap, VecDeque};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use socket2::SockRef;

/// The key of tests in which it plays no part.
const KEY: &str = "synthetic-key-for-tests-0001";

/// Nobody waits longer for bytes.
const LIFE: Duration = Duration::from_secs(20);
/// A request that is to be cut may be shorter than that: its label has fewer digits than another's.
const CUT_PATIENCE: Duration = Duration::from_millis(300);
/// At the same time.
const MAX_CONNECTIONS: usize = 64;
const MAX_REQUEST: usize = 1 << 20;

/// One thing that the server does after it has read a request.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes so many times, or until the client hangs up.
    Repeat(Vec<u8>, u64),
    /// Sends one byte at a time with a pause after each.
    Drip(Vec<u8>, Duration),
    /// Says nothing for a while.
    Pause(Duration),
    /// Says nothing more until the client hangs up.
    Stall,
    /// Closes as it should be done, over TLS with `close_notify`.
    Close,
    /// Closes the TCP connection, over TLS without `close_notify`.
    Cut,
    /// Resets the TCP connection.
    Reset,
}

/// How a connection ends in the middle of a request.
#[derive(Clone, Copy, Debug)]
pub enum Ending {
    /// The server says that it will send nothing more.
    Fin,
    /// The server resets the connection.
    Reset,
}

/// What one request meets. Without a closing step the connection stays open for the next one.
pub type Answer = Vec<Step>;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// The request line and the headers.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
    /// Counts connections from 0.
    pub connection: usize,
    /// When it had arrived.
    pub at: Instant,
}

impl Received {
    /// The `usersig` parameter.
    pub fn usersig(&self) -> &str {
        let from = self
            .head
            .split_once("usersig=")
            .map_or("", |(_, rest)| rest);
        from.split(['&', ' ']).next().unwrap_or_default()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the client sends JSON")
    }
}

/// The server; it ends, and with it every connection, when it is dropped.
pub struct FaultServer {
    port: u16,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    tls: Option<Arc<ServerConfig>>,
    script: Mutex<VecDeque<Answer>>,
    cuts: Mutex<VecDeque<(usize, Ending)>>,
    received: Mutex<Vec<Received>>,
    /// Handles of open connections by number, to end them from outside.
    open: Mutex<HashMap<usize, TcpStream>>,
    connections: AtomicUsize,
    ended: AtomicBool,
}

impl FaultServer {
    /// Answers over HTTP; the n-th request meets the n-th answer, one beyond them a closed connection.
    pub fn plain(script: Vec<Answer>) -> Self {
        Self::start(None, script)
    }

    /// Answers over HTTPS.
    pub fn tls(config: Arc<ServerConfig>, script: Vec<Answer>) -> Self {
        Self::start(Some(config), script)
    }

    fn start(tls: Option<Arc<ServerConfig>>, script: Vec<Answer>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has free ports");
        let port = listener.local_addr().expect("it is bound").port();
        let shared = Arc::new(Shared {
            tls,
            script: Mutex::new(script.into()),
            cuts: Mutex::default(),
            received: Mutex::default(),
            open: Mutex::default(),
            connections: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        let acceptor = std::thread::spawn(move || accept(&listener, &accepting));
        Self {
            port,
            shared,
            acceptor: Some(acceptor),
        }
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where a client finds it.
    pub fn base_url(&self) -> String {
        match self.shared.tls {
            Some(_) => format!("https://localhost:{}", self.port),
            None => format!("http://127.0.0.1:{}", self.port),
        }
    }

    /// Adds an answer at the end of the script.
    pub fn push(&self, answer: Answer) {
        self.shared.script.lock().push_back(answer);
    }

    /// The next new connection ends when so many bytes of its first request were read.
    pub fn cut_request(&self, bytes: usize, ending: Ending) {
        self.shared.cuts.lock().push_back((bytes, ending));
    }

    /// The requests so far.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().clone()
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

/// A configuration for `server`: one attempt and plenty of time, unless `more` says otherwise.
pub fn config(server: &FaultServer, more: &Value) -> Value {
    let mut config = json!({
        "sdkappid": 1_400_000_001,
        "secret_key": KEY,
        "base_url": server.base_url(),
        "attempt_ms": 8000,
        "call_ms": 9000,
        "retry": {"attempts": 1},
    });
    let more = more.as_object().expect("an object of keys");
    for (key, value) in more {
        config[key] = value.clone();
    }
    config
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the acceptor.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl Shared {
    /// Sleeps for `time`, or until the server ends.
    fn pause(&self, time: Duration) {
        let begun = Instant::now();
        while let Some(left) = time.checked_sub(begun.elapsed())
            && !self.ended.load(Ordering::SeqCst)
        {
            std::thread::sleep(left.min(Duration::from_millis(20)));
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads = Vec::new();
    while let Ok((tcp, _)) = listener.accept() {
        if shared.ended.load(Ordering::SeqCst) {
            break;
        }
        let number = shared.connections.fetch_add(1, Ordering::SeqCst);
        let Ok(handle) = tcp.try_clone() else {
            continue;
        };
        let mut open = shared.open.lock();
        if open.len() >= MAX_CONNECTIONS {
            continue;
        }
        open.insert(number, handle);
        drop(open);
        let shared = Arc::clone(shared);
        threads.push(std::thread::spawn(move || {
            // A client that breaks off is what many scripts are for.
            let _ = serve(&tcp, number, &shared);
            shared.open.lock().remove(&number);
        }));
    }
    for (_, tcp) in shared.open.lock().drain() {
        let _ = tcp.shutdown(Shutdown::Both);
    }
    for thread in threads {
        thread.join().expect("the fault server does not panic");
    }
}

fn serve(tcp: &TcpStream, number: usize, shared: &Shared) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    tcp.set_read_timeout(Some(LIFE))?;
    tcp.set_write_timeout(Some(LIFE))?;
    let mut stream = match &shared.tls {
        Some(config) => {
            let session = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
            Stream::Tls(Box::new(StreamOwned::new(session, tcp)))
        }
        None => Stream::Plain(tcp),
    };
    if let Some((bytes, ending)) = shared.cuts.lock().pop_front() {
        tcp.set_read_timeout(Some(CUT_PATIENCE))?;
        // Whatever came by then was read.
        let _ = stream.read_exact(&mut vec![0; bytes]);
        return stream.end(ending);
    }
    loop {
        let (head, body) = read_request(&mut stream)?;
        shared.received.lock().push(Received {
            head,
            body,
            connection: number,
            at: Instant::now(),
        });
        let Some(answer) = shared.script.lock().pop_front() else {
            return Ok(());
        };
        for step in answer {
            if let Step::Pause(time) = step {
                shared.pause(time);
            } else if !stream.play(step)? {
                return Ok(());
            }
        }
    }
}

fn read_request(stream: &mut Stream) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = content_length(&head);
            if bytes.len() >= end + 4 + length {
                return Ok((head, bytes[end + 4..end + 4 + length].to_vec()));
            }
        }
        let count = stream.read(&mut chunk)?;
        if count == 0 || bytes.len() > MAX_REQUEST {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend(&chunk[..count]);
    }
}

fn content_length(head: &str) -> usize {
    let values = head.lines().filter_map(|line| line.split_once(": "));
    let mut lengths = values.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths.next().map_or(0, |(_, value)| {
        value.parse().expect("the client knows its length")
    })
}

enum Stream<'a> {
    Plain(&'a TcpStream),
    Tls(Box<StreamOwned<ServerConnection, &'a TcpStream>>),
}

impl Stream<'_> {
    /// Does one step; false when the connection is over.
    fn play(&mut self, step: Step) -> io::Result<bool> {
        match step {
            Step::Send(bytes) => self.write_all(&bytes)?,
            Step::Repeat(bytes, times) => (0..times).try_for_each(|_| self.write_all(&bytes))?,
            Step::Drip(bytes, pause) => {
                for byte in bytes {
                    self.write_all(&[byte])?;
                    self.flush()?;
                    std::thread::sleep(pause);
                }
            }
            Step::Pause(time) => std::thread::sleep(time),
            Step::Stall => {
                self.flush()?;
                while self.read(&mut [0; 1024])? > 0 {}
                return Ok(false);
            }
            Step::Close => {
                if let Self::Tls(stream) = self {
                    stream.conn.send_close_notify();
                }
                self.flush()?;
                return Ok(false);
            }
            Step::Cut => return Ok(false),
            Step::Reset => {
                // A linger time of zero turns the close into a reset.
                SockRef::from(self.tcp()).set_linger(Some(Duration::ZERO))?;
                return Ok(false);
            }
        }
        self.flush()?;
        Ok(true)
    }

    /// Ends the connection with bytes of the client still unread.
    fn end(&mut self, ending: Ending) -> io::Result<()> {
        match ending {
            // Closing now would reset it because of those bytes.
            Ending::Fin => {
                self.tcp().shutdown(Shutdown::Write)?;
                io::copy(self, &mut io::sink()).map(drop)
            }
            Ending::Reset => self.play(Step::Reset).map(drop),
        }
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(stream) => stream.sock,
        }
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
