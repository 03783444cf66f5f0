//! Log lines: written by a thread of their own, so that a slow disk or a closed pipe never blocks or ends a caller.
//! Never contains a key, a signature or a query string.

mod file;
mod lines;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::clock::Clock;
use crate::config::{Log as Settings, LogLevel, LogTo};
use crate::error::Error;
use crate::sliding_window::Allowance;
use crate::threads;
use file::{LogFile, Rotation};
use lines::Lines;

/// Close waits so long for lines that their destination does not take, as a pipe that is not read. It drops the rest.
const CLOSE_SHARE: Duration = Duration::from_millis(250);
/// Warnings and errors at once, and each second from then on. A service that refuses everything is reported in the
/// first few; later ones are counted. At a level with a line per call there is no limit.
const WARNINGS: u32 = 100;
const WARNINGS_PER_SECOND: u32 = 10;

/// Takes lines from any thread.
#[derive(Clone)]
pub struct Log(Option<Arc<Open>>);

struct Open {
    level: LogLevel,
    clock: Arc<dyn Clock>,
    /// Shared with the thread that writes.
    lines: Arc<Lines>,
    warnings: Mutex<Allowance>,
    /// Shared with the thread that writes.
    dropped: Arc<AtomicU64>,
    /// How many of the dropped lines a later line reported.
    reported: AtomicU64,
}

/// Where lines go.
trait Sink: Send {
    /// Writes one line, which ends with a line feed.
    fn write_line(&mut self, line: &str) -> io::Result<()>;

    /// Opens the destination again if it was moved.
    fn reopen(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for io::Stderr {
    fn write_line(&mut self, line: &str) -> io::Result<()> {
        self.write_all(line.as_bytes())
    }
}

impl Log {
    /// Opens the destination; the thread that writes ends with the last clone.
    ///
    /// # Errors
    /// [`crate::Status::Config`] naming the file.
    pub fn open(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        match open_sink(settings, &clock)? {
            None => Ok(Self(None)),
            Some(sink) => Self::with(settings.level, sink, clock),
        }
    }

    fn with(level: LogLevel, sink: Box<dyn Sink>, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let lines = Arc::new(Lines::default());
        let queue = Arc::clone(&lines);
        let dropped = Arc::new(AtomicU64::new(0));
        let unwritten = Arc::clone(&dropped);
        threads::spawn("chatblock-log", move || {
            write_lines(&queue, sink, &unwritten);
        })
        .map_err(|error| {
            Error::config(
                "log.to",
                format!("needs a thread, which cannot start: {error}"),
            )
        })?;
        let open = Open {
            level,
            warnings: Mutex::new(Allowance::new(WARNINGS, WARNINGS_PER_SECOND, clock.now())),
            clock,
            lines,
            dropped,
            reported: AtomicU64::new(0),
        };
        Ok(Self(Some(Arc::new(open))))
    }

    /// Writes `text()` if `level` is wanted.
    pub fn line(&self, level: LogLevel, text: impl FnOnce() -> String) {
        let Some(open) = &self.0 else { return };
        if level > open.level {
            return;
        }
        if level <= LogLevel::Warn && !open.warnings.lock().take(open.clock.now()) {
            open.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let name = match level {
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
        };
        let dropped = open.dropped.load(Ordering::Relaxed);
        let missed = dropped.saturating_sub(open.reported.swap(dropped, Ordering::Relaxed));
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
        if !open.lines.push(line) {
            open.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Opens the file again if it was moved, after the lines that wait. Every line does so too, once a second.
    pub fn reopen(&self) {
        if let Some(open) = &self.0 {
            // Without room for it, lines come, and with them the look of each second.
            let _ = open.lines.push(String::new());
        }
    }

    /// How many lines were dropped.
    pub fn dropped(&self) -> u64 {
        let dropped = |open: &Arc<Open>| open.dropped.load(Ordering::Relaxed);
        self.0.as_ref().map_or(0, dropped)
    }

    /// Takes no more lines and waits until the others are written, until `deadline`, or until the destination had its
    /// share of time.
    pub fn close(&self, deadline: Option<Instant>) {
        let Some(open) = &self.0 else { return };
        let share = open.clock.now() + CLOSE_SHARE;
        open.lines
            .close(deadline.map_or(share, |deadline| deadline.min(share)));
    }
}

impl Drop for Open {
    /// The thread that writes ends after the lines that wait.
    fn drop(&mut self) {
        self.lines.end();
    }
}

fn open_sink(settings: &Settings, clock: &Arc<dyn Clock>) -> Result<Option<Box<dyn Sink>>, Error> {
    let path = match &settings.to {
        LogTo::Off => return Ok(None),
        LogTo::Stderr => return Ok(Some(Box::new(io::stderr()))),
        LogTo::File(path) => path,
    };
    let limits = Rotation {
        max_bytes: settings.max_bytes,
        older: settings.files,
    };
    match LogFile::open(path, limits, Arc::clone(clock)) {
        Ok(file) => Ok(Some(Box::new(file))),
        Err(what) => Err(Error::config(
            "log.to",
            format!("names {}, which {what}", path.display()),
        )),
    }
}

fn write_lines(lines: &Lines, mut sink: Box<dyn Sink>, dropped: &AtomicU64) {
    while let Some(line) = lines.next() {
        // A destination that fails may come back: the line is counted, and the next one reports it.
        let outcome = if line.is_empty() {
            sink.reopen()
        } else {
            sink.write_line(&line)
        };
        if outcome.is_err() {
            dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
    // Who waits for the end may look whether the file is still open.
    drop(sink);
    lines.all_written();
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use super::*;
    use crate::clock::{StoppedClock, SystemClock};

    const SECOND: Duration = Duration::from_secs(1);

    fn file(path: &Path, max_bytes: u64, older: u32, clock: &Arc<StoppedClock>) -> LogFile {
        let limits = Rotation { max_bytes, older };
        LogFile::open(path, limits, Arc::clone(clock) as Arc<dyn Clock>).expect("a log")
    }

    fn numbered(path: &Path, number: u32) -> PathBuf {
        PathBuf::from(format!("{}.{number}", path.display()))
    }

    fn read(path: &Path) -> String {
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    #[test]
    fn a_full_file_is_kept_and_a_new_one_begun() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let clock = StoppedClock::begin();
        let mut log = file(&path, 100, 2, &clock);
        for number in 0..100 {
            log.write_line(&format!("line {number:04}\n"))
                .expect("there is room");
        }
        let last = read(&path);
        assert!(last.ends_with("line 0099\n"));
        let all = [numbered(&path, 2), numbered(&path, 1), path.clone()].map(|path| read(&path));
        assert!(all.iter().all(|text| text.len() <= 100), "{all:?}");
        let kept: Vec<_> = all.concat().lines().map(str::to_owned).collect();
        let expected: Vec<_> = (100 - kept.len()..100)
            .map(|number| format!("line {number:04}"))
            .collect();
        assert_eq!(kept, expected, "without a gap, the oldest first");
        let files = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(files, 3, "two older ones are kept and no more");
    }

    #[test]
    fn without_older_files_a_full_one_is_begun_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let mut log = file(&path, 100, 0, &StoppedClock::begin());
        for number in 0..100 {
            log.write_line(&format!("line {number:04}\n"))
                .expect("there is room");
        }
        assert!(read(&path).len() <= 100 && read(&path).ends_with("line 0099\n"));
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn a_file_that_was_moved_is_opened_again_within_a_second() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, moved) = (folder.path().join("log"), folder.path().join("moved"));
        let clock = StoppedClock::begin();
        let mut log = file(&path, 0, 0, &clock);
        log.write_line("one\n").expect("there is room");
        fs::rename(&path, &moved).expect("a rotation");
        log.write_line("two\n").expect("there is room");
        clock.pass(SECOND);
        log.write_line("three\n").expect("there is room");
        assert_eq!(
            (read(&moved).as_str(), read(&path).as_str()),
            ("one\ntwo\n", "three\n")
        );
        // Also when the tool has made the new file itself, and when it has removed the old one.
        fs::rename(&path, &moved).expect("a rotation");
        fs::write(&path, "").expect("a new file");
        clock.pass(SECOND);
        log.write_line("four\n").expect("there is room");
        fs::remove_file(&path).expect("ours");
        clock.pass(SECOND);
        log.write_line("five\n").expect("there is room");
        assert_eq!(
            (read(&moved).as_str(), read(&path).as_str()),
            ("three\n", "five\n")
        );
    }

    #[test]
    fn a_file_that_was_cut_by_a_tool_grows_from_its_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let clock = StoppedClock::begin();
        let mut log = file(&path, 20, 1, &clock);
        log.write_line("123456789\n").expect("there is room");
        fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_len(0))
            .expect("ours");
        clock.pass(SECOND);
        log.write_line("abcdefghijklm\n").expect("there is room");
        assert_eq!(read(&path), "abcdefghijklm\n");
        assert!(!numbered(&path, 1).exists());
    }

    #[test]
    fn what_took_the_place_of_a_log_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, moved) = (folder.path().join("log"), folder.path().join("moved"));
        let clock = StoppedClock::begin();
        let mut log = file(&path, 0, 0, &clock);
        fs::rename(&path, &moved).expect("a rotation");
        let victim = folder.path().join("victim");
        fs::write(&victim, "mine").expect("a file");
        std::os::unix::fs::symlink("victim", &path).expect("a link");
        clock.pass(SECOND);
        log.write_line("one\n")
            .expect("the old file has a name still");
        fs::remove_file(&path).expect("ours");
        fs::write(&path, "SQLite format 3\0 and so on").expect("a file");
        clock.pass(SECOND);
        log.write_line("two\n")
            .expect("the old file has a name still");
        assert_eq!(
            (read(&victim).as_str(), read(&moved).as_str()),
            ("mine", "one\ntwo\n")
        );
        fs::remove_file(&moved).expect("ours");
        clock.pass(SECOND);
        log.write_line("three\n")
            .expect_err("nobody could ever read it");
    }

    #[test]
    fn a_full_file_that_cannot_be_moved_does_not_grow() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        fs::create_dir(numbered(&path, 1)).expect("a folder in the way");
        let mut log = file(&path, 30, 1, &StoppedClock::begin());
        let failed = (0..100)
            .filter(|_| log.write_line("123456789\n").is_err())
            .count();
        assert!(failed > 90 && read(&path).len() <= 30, "{failed}");
    }

    #[test]
    fn two_clients_of_one_file_rotate_it_together() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let clock = StoppedClock::begin();
        let mut logs = [file(&path, 200, 50, &clock), file(&path, 200, 50, &clock)];
        for number in 0..200 {
            clock.pass(Duration::from_millis(300));
            logs[number % 2]
                .write_line(&format!("line {number:04}\n"))
                .expect("there is room");
        }
        let files = fs::read_dir(folder.path()).expect("a folder");
        let mut lines: Vec<_> = files
            .flat_map(|entry| {
                read(&entry.expect("an entry").path())
                    .lines()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect();
        lines.sort();
        let expected: Vec<_> = (0..200).map(|number| format!("line {number:04}")).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_flood_of_warnings_is_counted_and_not_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let clock = StoppedClock::begin();
        let settings = Settings {
            to: LogTo::File(path.clone()),
            level: LogLevel::Info,
            max_bytes: 0,
            files: 0,
        };
        let log = Log::open(&settings, Arc::clone(&clock) as Arc<dyn Clock>).expect("a log");
        for _ in 0..10_000 {
            log.line(LogLevel::Warn, || "refused".to_owned());
        }
        for _ in 0..200 {
            log.line(LogLevel::Info, || "done".to_owned());
        }
        clock.pass(SECOND);
        log.line(LogLevel::Error, || "the last".to_owned());
        log.close(None);
        let text = read(&path);
        assert_eq!(text.matches("refused").count(), WARNINGS as usize);
        assert_eq!(text.matches("done").count(), 200, "asked for line by line");
        assert!(text.contains("the last"), "{text}");
        assert_eq!(log.dropped(), 10_000 - u64::from(WARNINGS));
        assert!(text.contains("(9900 lines dropped before)"));
    }

    /// A destination that takes nothing until it is set free.
    struct Stuck(crossbeam_channel::Receiver<()>);

    impl Sink for Stuck {
        fn write_line(&mut self, _: &str) -> io::Result<()> {
            self.0.recv().map_err(io::Error::other)
        }
    }

    #[test]
    fn close_leaves_lines_that_their_destination_does_not_take() {
        let (free, stuck) = crossbeam_channel::bounded(1);
        let log = Log::with(
            LogLevel::Info,
            Box::new(Stuck(stuck)),
            StoppedClock::begin(),
        )
        .expect("a log");
        for _ in 0..3 {
            log.line(LogLevel::Info, || "a line".to_owned());
        }
        log.close(None);
        log.close(Some(SystemClock.now() + Duration::from_hours(1)));
        drop(free);
        log.0
            .expect("open")
            .lines
            .close(SystemClock.now() + Duration::from_hours(1));
    }

    /// Takes a while to be closed.
    struct Slow(Arc<AtomicU64>);

    impl Sink for Slow {
        fn write_line(&mut self, _: &str) -> io::Result<()> {
            Ok(())
        }
    }

    impl Drop for Slow {
        fn drop(&mut self) {
            std::thread::sleep(Duration::from_millis(50));
            self.0.store(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn after_close_the_destination_is_closed() {
        let is_closed = Arc::new(AtomicU64::new(0));
        let clock = StoppedClock::begin();
        // So that the share of close does not end before the machine comes to it.
        clock.pass(3600 * SECOND);
        let sink = Box::new(Slow(Arc::clone(&is_closed)));
        let log = Log::with(LogLevel::Info, sink, clock).expect("a log");
        log.close(None);
        assert_eq!(is_closed.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn lines_beyond_those_that_wait_are_counted() {
        let (free, stuck) = crossbeam_channel::bounded(0);
        let log = Log::with(
            LogLevel::Info,
            Box::new(Stuck(stuck)),
            StoppedClock::begin(),
        )
        .expect("a log");
        for _ in 0..2000 {
            log.line(LogLevel::Info, || "a line".to_owned());
        }
        // One of them may be in the hands of the thread that writes.
        assert!((975..=976).contains(&log.dropped()), "{}", log.dropped());
        drop(free);
    }

    #[test]
    fn lines_that_find_no_place_are_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        fs::create_dir(numbered(&path, 1)).expect("a folder in the way");
        let settings = Settings {
            to: LogTo::File(path.clone()),
            level: LogLevel::Info,
            max_bytes: 1000,
            files: 1,
        };
        let log = Log::open(&settings, StoppedClock::begin() as Arc<dyn Clock>).expect("a log");
        for _ in 0..500 {
            log.line(LogLevel::Info, || "done".to_owned());
        }
        log.close(None);
        let text = read(&path);
        assert!(text.len() <= 1000);
        assert_eq!(log.dropped(), 500 - text.lines().count() as u64);
    }
}
