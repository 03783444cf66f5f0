//! Fewer system calls on a connection of ureq: a request is written in one piece, and the socket is polled only where
//! needed.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use ureq::Error;
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

/// Pieces that are as long as a head is. The output buffer is far larger.
const HEAD: RangeInclusive<usize> = 0..=8 * 1024;
/// Pieces that are as long as a full TLS record, after which there is nearly always another.
const FULL_RECORD: RangeInclusive<usize> = 16 * 1024..=17 * 1024;
/// Timeouts are whole multiples of this.
const STEP: Duration = Duration::from_millis(20);

/// ureq sends head and body apart, and TLS each record. Sent together they are one segment for the kernel and for the
/// server, and head and body are one TLS record.
#[derive(Debug)]
pub(super) struct Coalesced {
    inner: Box<dyn Transport>,
    /// Pieces of such a length wait for the next one, or until an answer is awaited.
    waiting: RangeInclusive<usize>,
    /// Bytes at the start of the output buffer that are to be sent with what comes next.
    held: usize,
    /// Something was read since the pool last asked whether the connection is open.
    answered: bool,
    /// Counts open connections; None below TLS, where every look of the pool comes through.
    open: Option<Arc<()>>,
}

impl Coalesced {
    /// A connection for the pool; it holds `open` as long as it lives.
    pub(super) fn new(inner: impl Transport, open: Arc<()>) -> Self {
        Self {
            inner: inner.boxed(),
            waiting: HEAD,
            held: 0,
            answered: false,
            open: Some(open),
        }
    }

    /// What is to be below TLS.
    pub(super) fn records(inner: impl Transport) -> Self {
        Self {
            inner: inner.boxed(),
            waiting: FULL_RECORD,
            held: 0,
            answered: false,
            open: None,
        }
    }
}

impl Transport for Coalesced {
    fn buffers(&mut self) -> &mut dyn Buffers {
        if self.held > 0 {
            self
        } else {
            self.inner.buffers()
        }
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let ready = self.held + amount;
        if self.held == 0 && self.waiting.contains(&amount) {
            self.held = amount;
            return Ok(());
        }
        self.held = 0;
        self.inner.transmit_output(ready, in_steps(timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let ready = std::mem::take(&mut self.held);
        if ready > 0 {
            self.inner.transmit_output(ready, in_steps(timeout))?;
        }
        self.answered = self.open.is_some();
        self.inner.await_input(in_steps(timeout))
    }

    /// The pool asks when a connection comes back and again before it is used: looking costs three
    /// system calls, and only the second look says something about the next request.
    fn is_open(&mut self) -> bool {
        std::mem::take(&mut self.answered) || self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

/// The same timeout or a little more: one that is new costs a system call each time, and our own deadlines do not
/// hang on it.
fn in_steps(timeout: NextTimeout) -> NextTimeout {
    let steps = timeout.after.as_nanos().div_ceil(STEP.as_nanos());
    let rounded = u32::try_from(steps)
        .ok()
        .and_then(|steps| STEP.checked_mul(steps));
    let after = rounded.map_or(timeout.after, Into::into);
    NextTimeout { after, ..timeout }
}

/// The buffers while something is held: the output begins behind it, and there is no input yet.
impl Buffers for Coalesced {
    fn output(&mut self) -> &mut [u8] {
        &mut self.inner.buffers().output()[self.held..]
    }

    fn input(&self) -> &[u8] {
        &[]
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.inner.buffers().input_append_buf()
    }

    fn input_appended(&mut self, amount: usize) {
        self.inner.buffers().input_appended(amount);
    }

    fn input_consume(&mut self, amount: usize) {
        self.inner.buffers().input_consume(amount);
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        let (tmp, output) = self.inner.buffers().tmp_and_output();
        (tmp, &mut output[self.held..])
    }

    fn can_use_input(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use parking_lot::Mutex;
    use ureq::Timeout;
    use ureq::unversioned::transport::LazyBuffers;

    use super::*;

    /// ChangeSet what is sent, and each look at the socket as "?".
    #[derive(Debug)]
    struct Wire(LazyBuffers, Arc<Mutex<Vec<String>>>);

    impl Transport for Wire {
        fn buffers(&mut self) -> &mut dyn Buffers {
            &mut self.0
        }

        fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), Error> {
            let sent = String::from_utf8_lossy(&self.0.output()[..amount]).into_owned();
            self.1.lock().push(sent);
            Ok(())
        }

        fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
            Ok(false)
        }

        fn is_open(&mut self) -> bool {
            self.1.lock().push("?".to_owned());
            true
        }
    }

    fn timeout() -> NextTimeout {
        NextTimeout {
            after: Duration::from_secs(1).into(),
            reason: Timeout::Global,
            per_read: None,
            per_write: None,
        }
    }

    fn send(connection: &mut Coalesced, piece: &str) {
        connection.buffers().output()[..piece.len()].copy_from_slice(piece.as_bytes());
        connection
            .transmit_output(piece.len(), timeout())
            .expect("nothing fails here");
    }

    #[test]
    fn head_and_body_are_one_piece_and_a_lone_head_is_not_forgotten() {
        let notes = Arc::new(Mutex::new(Vec::new()));
        let wire = Wire(LazyBuffers::new(1024, 32 * 1024), Arc::clone(&notes));
        let mut connection = Coalesced::new(wire, Arc::default());
        send(&mut connection, "head ");
        send(&mut connection, "body");
        connection
            .await_input(timeout())
            .expect("nothing fails here");
        assert!(connection.is_open() && connection.is_open());
        send(&mut connection, "lone head");
        connection
            .await_input(timeout())
            .expect("nothing fails here");
        let large = "x".repeat(HEAD.end() + 1);
        send(&mut connection, &large);
        assert_eq!(*notes.lock(), ["head body", "?", "lone head", &large]);
    }

    #[test]
    fn a_full_record_goes_with_the_next_and_a_short_one_at_once() {
        let notes = Arc::new(Mutex::new(Vec::new()));
        let wire = Wire(LazyBuffers::new(1024, 64 * 1024), Arc::clone(&notes));
        let mut connection = Coalesced::records(wire);
        let full = "x".repeat(16 * 1024 + 22);
        for record in ["short", &full, "rest", &full] {
            send(&mut connection, record);
        }
        connection
            .await_input(timeout())
            .expect("nothing fails here");
        assert!(connection.is_open() && connection.is_open());
        let both = format!("{full}rest");
        assert_eq!(*notes.lock(), ["short", &both, &full, "?", "?"]);
    }

    #[test]
    fn a_timeout_is_never_shortened() {
        let after = |after: Duration| {
            let after = after.into();
            *in_steps(NextTimeout { after, ..timeout() }).after
        };
        for (millis, step) in [(0, 0), (1, 20), (20, 20), (21, 40), (3500, 3500)] {
            assert_eq!(
                after(Duration::from_millis(millis)),
                Duration::from_millis(step)
            );
        }
        assert_eq!(
            after(Duration::from_micros(20_001)),
            Duration::from_millis(40)
        );
        assert!(after(Duration::MAX) >= Duration::from_secs(u64::MAX));
    }
}
