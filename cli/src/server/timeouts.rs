//! A connection with its time limits.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::Limits;
use super::framing::{Findings, Framing};
use chatblock::clock::{Clock, SystemClock};

/// Ends slow heads, idle connections, and peers that do not take their answer.
///
/// hyper's own limit for heads also runs while a connection is idle; a pool of clients keeps idle
/// connections for longer than a head may take.
pub(super) struct TimedStream<S> {
    stream: S,
    framing: Framing,
    findings: Arc<Findings>,
    limits: Limits,
    reading: Timer,
    writing: Option<Timer>,
}

impl<S> TimedStream<S> {
    pub(super) fn new(stream: S, limits: Limits, findings: Arc<Findings>) -> Self {
        Self {
            stream,
            framing: Framing::default(),
            findings,
            limits,
            reading: Timer::after(limits.head),
            writing: None,
        }
    }

    /// Follows what was read and sets the next deadline.
    fn follow(&mut self, bytes: &[u8]) {
        let was_inside = self.framing.is_inside_head();
        self.framing.follow(bytes, &self.findings);
        if !self.framing.is_inside_head() {
            self.reading.deadline = now() + self.limits.idle;
        } else if !was_inside {
            self.reading.deadline = now() + self.limits.head;
        }
    }
}

fn now() -> Instant {
    SystemClock.now().into()
}

/// A deadline that costs nothing to move later.
struct Timer {
    deadline: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl Timer {
    fn after(time: Duration) -> Self {
        let deadline = now() + time;
        Self {
            deadline,
            sleep: Box::pin(sleep_until(deadline)),
        }
    }

    /// Ready when the deadline has passed.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.deadline < self.sleep.deadline() {
            self.sleep.as_mut().reset(self.deadline);
        }
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            if now() >= self.deadline {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(self.deadline);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        if let Poll::Ready(outcome) = Pin::new(&mut this.stream).poll_read(cx, buffer) {
            this.follow(&buffer.filled()[before..]);
            return Poll::Ready(outcome);
        }
        // The body has a limit of its own, kept by the one who reads it.
        if this.framing.is_before_body() && this.reading.poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

impl<S: AsyncWrite + Unpin> TimedStream<S> {
    /// Bounds the time from the first write that had to wait until everything is flushed.
    fn poll_writing<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_pending() {
            let limit = self.limits.body;
            let timer = self.writing.get_or_insert_with(|| Timer::after(limit));
            if timer.poll(cx).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.poll_writing(cx, outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        if outcome.is_ready() {
            self.writing = None;
        }
        self.poll_writing(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.poll_writing(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.poll_writing(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
