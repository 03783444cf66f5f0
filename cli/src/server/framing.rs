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
    is_coded: bool,
}

#[derive(Clone, Copy, Default)]
enum Stage {
    #[default]
    Head,
    /// So many bytes of a body are to come.
    Body(u64),
    /// Not followed any more: a body in chunks, or something that hyper will refuse.
    Rest,
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
                    let step = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = &bytes[step..];
                    let left = left - step as u64;
                    self.stage = if left == 0 {
                        Stage::Head
                    } else {
                        Stage::Body(left)
                    };
                }
                Stage::Head => bytes = self.follow_head(bytes, findings),
            }
        }
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
            self.is_coded = true;
        }
    }

    fn end_head(&mut self, findings: &Findings) {
        if self.lengths > 1 || (self.lengths == 1 && self.is_coded) {
            findings.ambiguous.store(true, Ordering::Release);
        }
        self.stage = match self.length {
            _ if self.is_coded => Stage::Rest,
            Some(0) => Stage::Head,
            Some(length) => Stage::Body(length),
            None if self.lengths == 0 => Stage::Head,
            None => Stage::Rest,
        };
        if matches!(self.stage, Stage::Rest) {
            findings.last.store(true, Ordering::Release);
        }
        (self.begun, self.lengths, self.length, self.is_coded) = (false, 0, None, false);
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

    #[test]
    fn after_a_body_in_chunks_the_connection_ends() {
        let text =
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n";
        assert_eq!(follow(text, 9), (1, false, true));
    }
}
