//! Accepts connections and closes them.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;

use super::Limits;
use super::bodies::Bodies;
use super::framing::Findings;
use super::gateway::Gateway;
use super::hosts::Hosts;
use super::http::Handler;
use super::report;
use super::seats::{Full, Seat, Seats};
use super::timeouts::TimedStream;

/// Longest head that is read.
const MAX_HEAD: usize = 32 * 1024;
/// How long to rest when no connection can be accepted: out of descriptors or memory.
const REST: Duration = Duration::from_millis(100);
/// How long a refused connection may take to read the refusal.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

const OVERLOADED: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\
    Connection: close\r\n\r\n";

pub(super) struct Listener {
    pub(super) gateway: Arc<Gateway>,
    pub(super) socket: TcpListener,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) limits: Limits,
    pub(super) hosts: Hosts,
    pub(super) bodies: Arc<Bodies>,
}

impl Listener {
    /// Serves until `stop` is ready, then waits for the connections, at most `limits.stop`.
    pub(super) async fn serve(self, stop: impl Future<Output = ()>) {
        let (stopping, stopped) = watch::channel(());
        let (alive, mut all_gone) = mpsc::channel::<Infallible>(1);
        let grace = self.limits.stop;
        let connection = Connection {
            listener: Arc::new(self),
            seats: Arc::default(),
            stopped,
            _alive: alive,
        };
        accept_until(stop, &connection).await;
        // Dropping the listener refuses new connections; dropping `stopping` notifies open ones.
        drop((connection, stopping));
        // Too slow: cut off when the runtime ends.
        let _ = tokio::time::timeout(grace, all_gone.recv()).await;
    }
}

/// What every connection shares.
#[derive(Clone)]
struct Connection {
    listener: Arc<Listener>,
    seats: Arc<Mutex<Seats>>,
    /// Closed when the server stops.
    stopped: watch::Receiver<()>,
    _alive: mpsc::Sender<Infallible>,
}

async fn accept_until(stop: impl Future<Output = ()>, connection: &Connection) {
    let mut stop = pin!(stop);
    let mut is_short = false;
    loop {
        let accepted = poll_fn(|cx| match stop.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => connection.listener.socket.poll_accept(cx).map(Some),
        });
        match accepted.await {
            None => return,
            Some(Ok((stream, peer))) => {
                is_short = false;
                connection.clone().take(stream, peer);
            }
            // A peer that left again is no reason to rest.
            Some(Err(error)) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Some(Err(error)) => {
                // Said once, not ten times a second.
                if !is_short {
                    report(&format!("cannot accept a connection: {error}"));
                }
                is_short = true;
                tokio::time::sleep(REST).await;
            }
        }
    }
}

impl Connection {
    fn take(self, stream: TcpStream, peer: SocketAddr) {
        let seat = Seat::take(&self.seats, peer.ip(), &self.listener.limits);
        match seat {
            Ok(seat) => {
                tokio::spawn(async move {
                    let mut talk = pin!(self.talk(stream, peer.ip(), &seat));
                    let mut ended = pin!(seat.ended());
                    poll_fn(|cx| {
                        let is_over = talk.as_mut().poll(cx).is_ready();
                        if is_over || ended.as_mut().poll(cx).is_ready() {
                            return Poll::Ready(());
                        }
                        Poll::Pending
                    })
                    .await;
                });
            }
            Err(Full {
                refusal: Some(seat),
            }) if self.listener.tls.is_none() => {
                tokio::spawn(async move {
                    // A connection that does not respond is dropped.
                    let _ = tokio::time::timeout(CLOSE_GRACE, turn_away(stream)).await;
                    drop(seat);
                });
            }
            Err(_) => drop(stream),
        }
    }

    async fn talk(&self, stream: TcpStream, client: IpAddr, seat: &Seat) {
        // Answers are written whole; without this they wait for the peer's acknowledgement.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let Some(tls) = &self.listener.tls else {
            return self.serve(stream, client, seat).await;
        };
        let handshake = tls.accept(stream);
        if let Ok(Ok(stream)) = tokio::time::timeout(self.listener.limits.head, handshake).await {
            self.serve(stream, client, seat).await;
        }
    }

    async fn serve(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        client: IpAddr,
        seat: &Seat,
    ) {
        let Listener { limits, .. } = *self.listener;
        let findings = Arc::new(Findings::default());
        let handler = Handler {
            gateway: Arc::clone(&self.listener.gateway),
            findings: Arc::clone(&findings),
            limits,
            client,
            hosts: &self.listener.hosts,
            bodies: &self.listener.bodies,
            seat,
        };
        let handler = &handler;
        let io = TokioIo::new(TimedStream::new(stream, limits, findings));
        let service = service_fn(move |request| handler.handle(request));
        let connection = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .title_case_headers(true)
            // A client that has said all may close its side and still wait for the answer.
            .half_close(true)
            .serve_connection(io, service);
        let mut connection = pin!(connection);
        let mut stopped = self.stopped.clone();
        let mut stopped = pin!(stopped.changed());
        let mut is_stopping = false;
        // How a connection ends is the peer's affair: it was answered as far as it could be.
        let _ = poll_fn(|cx| {
            if !is_stopping && stopped.as_mut().poll(cx).is_ready() {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            connection.as_mut().poll(cx)
        })
        .await;
    }
}

/// Says 503, and reads what the peer has sent already so that closing does not cut the answer off.
async fn turn_away(mut stream: TcpStream) -> io::Result<()> {
    stream.writable().await?;
    // A fresh connection takes these few bytes at once, or it is not worth the trouble.
    stream.try_write(OVERLOADED)?;
    poll_fn(|cx| Pin::new(&mut stream).poll_shutdown(cx)).await?;
    let mut unread = [0; 4096];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut unread) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
