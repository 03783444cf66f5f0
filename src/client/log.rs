//! Log lines: written by a thread of their own, so that a slow disk or a closed pipe never holds or
//! kills a caller. Never contains a key, a signature or a query string.

use std::convert::Infallible;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use parking_lot::Mutex;

use crate::clock::Clock;
use crate::config::{Log as Settings, LogLevel, LogTo};
use crate::error::Error;
use crate::threads;

/// Lines that wait for the writer; beyond them new lines are counted and dropped.
const QUEUE_LINES: usize = 1024;

/// Takes lines from any thread.
#[derive(Clone)]
pub(crate) struct Log(Option<Arc<Open>>);

struct Open {
    level: LogLevel,
    clock: Arc<dyn Clock>,
    /// Taken by close.
    lines: Mutex<Option<Sender<String>>>,
    /// Disconnected when everything is written.
    written: Receiver<Infallible>,
    dropped: AtomicU64,
    /// How many of the dropped a later line told about.
    told: AtomicU64,
}

impl Log {
    /// Opens the destination; the thread that writes ends with the last clone.
    pub(crate) fn open(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let sink: Box<dyn Write + Send> = match &settings.to {
            LogTo::Off => return Ok(Self(None)),
            LogTo::Stderr => Box::new(std::io::stderr()),
            LogTo::File(path) => Box::new(open_file(path)?),
        };
        let (lines, queue) = bounded(QUEUE_LINES);
        let (writing, written) = bounded(0);
        threads::spawn("chatblock-log", move || {
            write_lines(&queue, sink);
            drop(writing);
        })
        .map_err(|error| {
            Error::config(
                "log.to",
                format!("needs a thread, which cannot start: {error}"),
            )
        })?;
        let open = Open {
            level: settings.level,
            clock,
            lines: Mutex::new(Some(lines)),
            written,
            dropped: AtomicU64::new(0),
            told: AtomicU64::new(0),
        };
        Ok(Self(Some(Arc::new(open))))
    }

    /// Writes `text()` if `level` is wanted.
    pub(crate) fn line(&self, level: LogLevel, text: impl FnOnce() -> String) {
        let Some(open) = &self.0 else { return };
        if level > open.level {
            return;
        }
        let name = match level {
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
        };
        let dropped = open.dropped.load(Ordering::Relaxed);
        let missed = dropped.saturating_sub(open.told.swap(dropped, Ordering::Relaxed));
        let missed = if missed == 0 {
            String::new()
        } else {
            format!(" ({missed} lines dropped before)")
        };
        let line = format!(
            "{} {name} chatblock: {}{missed}\n",
            open.clock.unix_seconds(),
            text()
        );
        if let Some(lines) = &*open.lines.lock()
            && lines.try_send(line).is_err()
        {
            open.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many lines were dropped.
    pub(super) fn dropped(&self) -> u64 {
        let dropped = |open: &Arc<Open>| open.dropped.load(Ordering::Relaxed);
        self.0.as_ref().map_or(0, dropped)
    }

    /// Takes no more lines and waits until the others are written, or until `deadline`.
    pub(super) fn close(&self, deadline: Option<Instant>) {
        let Some(open) = &self.0 else { return };
        open.lines.lock().take();
        // Nothing is ever sent: both ways of waiting end with an error.
        let _ = match deadline {
            Some(deadline) => open.written.recv_deadline(deadline).err(),
            None => open
                .written
                .recv()
                .err()
                .map(|_| RecvTimeoutError::Disconnected),
        };
    }
}

fn open_file(path: &Path) -> Result<File, Error> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| {
            Error::config(
                "log.to",
                format!("names {}, which cannot be written: {error}", path.display()),
            )
        })
}

fn write_lines(lines: &Receiver<String>, mut sink: impl Write) {
    while let Ok(line) = lines.recv() {
        // A destination that fails is left alone: there is nobody to tell, and it may come back.
        let _ = sink.write_all(line.as_bytes());
    }
    let _ = sink.flush();
}
