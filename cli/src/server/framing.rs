//! Framing: where one request ends and the next begins, by strict rules.
//!
//! hyper follows RFC 9112 where it lets a server choose: it takes the same length twice as one, and
//! drops the length beside a transfer coding. A proxy in front may choose otherwise, which is how
//! requests are smuggled. hyper hides both from its caller, so the lines of each head are looked at on
//! their way in; whatever this reader and hyper see differently ends the connection.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// hyper gives up on a head long before a line is as long as this.
const LONGEST_LINE: usize = 128 * 1024;

/// What the reader found, for the one who answers.
#[derive(Default)]
pub(super) struct Findings {
    heads: AtomicU32,
    answered: AtomicU32,
    ambiguous: AtomicBool,
    last: AtomicBool,
}

impl Findings {
    /// Called once for every request: whether both readers agree about its position so far.
    pub(super) fn agree(&self) -> bool {
        let turn = self.answered.fetch_add(1, Ordering::Relaxed) + 1;
        turn <= self.heads.load(Ordering::Acquire) && !self.ambiguous.load(Ordering::Acquire)
    }

    /// Whether the connection must end after this request, because its end is known to hyper alone.
    pub(super) fn is_last(&self) -> bool {
        self.last.load(Ordering::Acquire)
    }
}

/// Follows the bytes of a connection.
#[derive(Default)]
pub(super) struct Framing {
    stage: Stage,
    /// The start of a line whose end has not come yet.
    line: Vec<u8>,
    /// Whether the request line of this head has come.
    begun: bool,
    lengths: u32,
    length: Option<u64>,
    coding: Coding,
}

#[derive(Clone, Copy, Default)]
enum Stage {
    #[default]
    Head,
    /// So many bytes of a body are to come.
    Body(u64),
    /// A line of a body in chunks.
    Chunks(ChunkLine),
    /// So many bytes of a chunk are to come.
    Chunk(u64),
    /// Not followed any more: what only a reader as lenient as hyper understands, or what it will refuse.
    Rest,
}

/// Which line of a body in chunks is next.
#[derive(Clone, Copy)]
enum ChunkLine {
    Size,
    /// The end of the line that a chunk is.
    EndOfChunk,
    /// The empty line after the last chunk. Trailer fields are not followed.
    EndOfBody,
}

/// The longest line of the size of a chunk: 15 digits and the end of the line.
const LONGEST_SIZE: usize = 17;

/// How a body is wrapped, by the lines of its head.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Coding {
    #[default]
    None,
    Chunked,
    Other,
}

/// Takes up to `left` bytes off the front of `bytes`; what is left to take, if anything.
fn skip(left: u64, bytes: &mut &[u8]) -> Option<u64> {
    let step = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
    *bytes = &bytes[step..];
    Some(left - step as u64).filter(|left| *left > 0)
}

/// The size of a chunk: hexadecimal digits and nothing else.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line).ok()?;
    let is_plain = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_plain.then(|| u64::from_str_radix(text, 16).ok())?
}

impl Framing {
    /// Whether a head has begun and not ended.
    pub(super) fn is_inside_head(&self) -> bool {
        self.is_before_body() && (self.begun || !self.line.is_empty())
    }

    /// Whether a head is under way or awaited.
    pub(super) fn is_before_body(&self) -> bool {
        matches!(self.stage, Stage::Head)
    }

    /// Looks at bytes that came in.
    pub(super) fn follow(&mut self, mut bytes: &[u8], findings: &Findings) {
        while !bytes.is_empty() {
            match self.stage {
                Stage::Rest => return,
                Stage::Body(left) => {
                    let left = skip(left, &mut bytes);
                    self.stage = left.map_or(Stage::Head, Stage::Body);
                }
                Stage::Chunk(left) => {
                    let left = skip(left, &mut bytes);
                    self.stage = left.map_or(Stage::Chunks(ChunkLine::EndOfChunk), Stage::Chunk);
                }
                Stage::Chunks(kind) => bytes = self.follow_chunks(kind, bytes, findings),
                Stage::Head => bytes = self.follow_head(bytes, findings),
            }
        }
    }

    /// Takes a line of a body in chunks, which must be in the plainest form: what one reader takes and another
    /// does not is how requests are smuggled, so the connection ends after it.
    fn follow_chunks<'a>(
        &mut self,
        kind: ChunkLine,
        bytes: &'a [u8],
        findings: &Findings,
    ) -> &'a [u8] {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (part, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
        self.line.extend_from_slice(part);
        if end.is_none() && self.line.len() < LONGEST_SIZE {
            return rest;
        }
        let fits = self.line.len() <= LONGEST_SIZE;
        let line = self.line.strip_suffix(b"\r\n").filter(|_| fits);
        self.stage = match (kind, line) {
            (ChunkLine::Size, Some(line)) => match chunk_size(line) {
                Some(0) => Stage::Chunks(ChunkLine::EndOfBody),
                Some(size) => Stage::Chunk(size),
                None => Stage::Rest,
            },
            (ChunkLine::EndOfChunk, Some([])) => Stage::Chunks(ChunkLine::Size),
            (ChunkLine::EndOfBody, Some([])) => Stage::Head,
            _ => Stage::Rest,
        };
        self.line.clear();
        if matches!(self.stage, Stage::Rest) {
            findings.last.store(true, Ordering::Release);
        }
        rest
    }

    fn follow_head<'a>(&mut self, bytes: &'a [u8], findings: &Findings) -> &'a [u8] {
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
            self.line.extend_from_slice(bytes);
            if self.line.len() > LONGEST_LINE {
                self.stage = Stage::Rest;
            }
            return &[];
        };
        if self.line.is_empty() {
            self.take_line(&bytes[..end], findings);
        } else {
            let mut line = std::mem::take(&mut self.line);
            line.extend_from_slice(&bytes[..end]);
            self.take_line(&line, findings);
            line.clear();
            self.line = line;
        }
        &bytes[end + 1..]
    }

    fn take_line(&mut self, line: &[u8], findings: &Findings) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            // Blank lines before a request line are skipped, as hyper does.
            if self.begun {
                self.end_head(findings);
            }
            return;
        }
        if !self.begun {
            self.begun = true;
            return;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            self.lengths += 1;
            self.length = std::str::from_utf8(value)
                .ok()
                .and_then(|text| text.parse().ok());
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let is_chunked = value.eq_ignore_ascii_case(b"chunked");
            self.coding = match self.coding {
                Coding::None if is_chunked => Coding::Chunked,
                _ => Coding::Other,
            };
        }
    }

    fn end_head(&mut self, findings: &Findings) {
        if self.lengths > 1 || (self.lengths == 1 && self.coding != Coding::None) {
            findings.ambiguous.store(true, Ordering::Release);
        }
        self.stage = match self.length {
            _ if self.coding == Coding::Chunked && self.lengths == 0 => {
                Stage::Chunks(ChunkLine::Size)
            }
            _ if self.coding != Coding::None => Stage::Rest,
            Some(0) => Stage::Head,
            Some(length) => Stage::Body(length),
            None if self.lengths == 0 => Stage::Head,
            None => Stage::Rest,
        };
        if matches!(self.stage, Stage::Rest) {
            findings.last.store(true, Ordering::Release);
        }
        (self.begun, self.lengths, self.length, self.coding) = (false, 0, None, Coding::None);
        findings.heads.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(text: &str, step: usize) -> (u32, bool, bool) {
        let (mut framing, findings) = (Framing::default(), Findings::default());
        for part in text.as_bytes().chunks(step) {
            framing.follow(part, &findings);
        }
        let heads = findings.heads.load(Ordering::Relaxed);
        (
            heads,
            findings.ambiguous.load(Ordering::Relaxed),
            findings.is_last(),
        )
    }

    #[test]
    fn requests_are_counted_however_they_are_cut() {
        let two =
            "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\na\r\n\r\n\r\nGET / HTTP/1.1\nhost:x\n\n";
        for step in 1..two.len() {
            assert_eq!(follow(two, step), (2, false, false), "{step}");
        }
    }

    #[test]
    fn two_lengths_and_a_length_beside_a_coding_are_ambiguous() {
        let table = [
            ("content-LENGTH: 1\r\n", false),
            ("Content-Length: 1\r\nContent-Length: 1\r\n", true),
            ("Content-Length: 1\r\nContent-Length: 2\r\n", true),
            ("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", true),
            ("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", true),
            ("Transfer-Encoding: chunked\r\n", false),
        ];
        for (lines, ambiguous) in table {
            let text = format!("POST / HTTP/1.1\r\n{lines}\r\n");
            assert_eq!(follow(&text, 7).1, ambiguous, "{lines}");
        }
    }

    /// What follows a body in chunks: another request, or the end of the connection.
    #[test]
    fn a_body_in_chunks_is_followed_if_it_is_plain() {
        let body = "5\r\na\r\n\r\n\r\n1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n";
        let next = "GET / HTTP/1.1\r\n\r\n";
        for coding in ["chunked", "Chunked"] {
            let text =
                format!("POST / HTTP/1.1\r\nTransfer-Encoding: {coding}\r\n\r\n{body}{next}");
            for step in 1..text.len() {
                assert_eq!(follow(&text, step), (2, false, false), "{coding} {step}");
            }
        }
        let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        for body in [
            "0\r\nA: b\r\n\r\n",
            "0;x=y\r\n\r\n",
            "0 \r\n\r\n",
            "0\n\n",
            "+0\r\n\r\n",
            "0x0\r\n\r\n",
            "\r\n",
            "1\r\nab\r\n0\r\n\r\n",
            "1\r\na\n0\r\n\r\n",
            "ffffffffffffffff\r\n",
            "00000000000000000000000\r\n\r\n",
        ] {
            for step in 1..40 {
                let found = follow(&format!("{head}{body}{next}"), step);
                assert_eq!(found, (1, false, true), "{body:?} {step}");
            }
        }
        for coding in [
            "gzip",
            "gzip, chunked",
            "chunked\r\nTransfer-Encoding: chunked",
        ] {
            let text = format!("POST / HTTP/1.1\r\nTransfer-Encoding: {coding}\r\n\r\n{next}");
            assert_eq!(follow(&text, 9), (1, false, true), "{coding}");
        }
    }
}
