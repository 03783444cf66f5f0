//! Files as text: UTF-8 without the mark that some editors put in front, or which encoding it is instead.

use std::fmt;

/// The byte order mark, put in front of a text by some editors and no part of it.
pub const MARK: &str = "\u{feff}";

/// `text` without a byte order mark in front.
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix(MARK).unwrap_or(text)
}

/// Whether `c` cannot be seen at the ends of a line: white space of any script, and marks without a width.
pub fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
        )
}

/// Why bytes are no text. Shown, it follows the name of the file: "is UTF-16; ...".
#[derive(Debug, PartialEq, Eq)]
pub struct NotText {
    /// The line and the column of the first byte that does not fit, both from 1, if most of the bytes do.
    pub place: Option<(usize, usize)>,
    what: &'static str,
}

impl NotText {
    /// The message about the file called `name`.
    pub fn of(&self, name: &str) -> String {
        match self.place {
            Some((line, column)) => format!("{name}:{line}:{column}: {self}"),
            None => format!("{name} {self}"),
        }
    }
}

impl fmt::Display for NotText {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}; save it as UTF-8", self.what)
    }
}

/// `bytes` as UTF-8.
///
/// # Errors
/// Which encoding it is instead, as far as that can be seen.
pub fn decode(bytes: &[u8]) -> Result<&str, NotText> {
    if let Some(what) = wide(bytes) {
        return Err(NotText { place: None, what });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let (sound, rest) = bytes.split_at(error.valid_up_to());
            let what = if is_gbk(rest) {
                "is not UTF-8, it looks like GBK"
            } else {
                "is not UTF-8, it is in another encoding or damaged"
            };
            let place = std::str::from_utf8(sound).ok().map(|sound| {
                let line = sound.split('\n');
                let last = line.clone().next_back().unwrap_or_default();
                (line.count(), last.chars().count() + 1)
            });
            Err(NotText { place, what })
        }
    }
}

/// The name of an encoding whose units are wider than a byte: by its mark, or by the zeros that every other byte of
/// plain letters is.
fn wide(bytes: &[u8]) -> Option<&'static str> {
    const UTF_16: Option<&str> = Some("is UTF-16");
    const UTF_32: Option<&str> = Some("is UTF-32");
    if bytes.starts_with(&[0xff, 0xfe, 0, 0]) || bytes.starts_with(&[0, 0, 0xfe, 0xff]) {
        return UTF_32;
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return UTF_16;
    }
    match bytes {
        [first, 0, 0, 0, ..] | [0, 0, 0, first, ..] if *first != 0 => UTF_32,
        [first, 0, ..] | [0, first, ..] if *first != 0 => UTF_16,
        _ => None,
    }
}

/// Whether every byte above ASCII belongs to a pair as GBK has them.
fn is_gbk(bytes: &[u8]) -> bool {
    let mut bytes = bytes.iter();
    while let Some(first) = bytes.next() {
        let fits = match first {
            0..=0x7f => true,
            0x81..=0xfe => matches!(bytes.next(), Some(0x40..=0x7e | 0x80..=0xfe)),
            _ => false,
        };
        if !fits {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_mark_is_dropped() {
        assert_eq!(without_mark("\u{feff}\u{feff}a"), "\u{feff}a");
        assert_eq!(without_mark("a\u{feff}"), "a\u{feff}");
    }

    #[test]
    fn the_place_counts_lines_and_characters() {
        let place = |bytes: &[u8]| decode(bytes).err().and_then(|error| error.place);
        assert_eq!(place(b"\xfc"), Some((1, 1)));
        assert_eq!(place("a\nb\u{e9}".as_bytes()), None);
        assert_eq!(place(b"a\nb\xc3\xa9\xfc"), Some((2, 3)));
    }

    #[test]
    fn encodings_are_told_apart() {
        let said = |bytes: &[u8]| decode(bytes).expect_err("no UTF-8").to_string();
        assert!(said(b"a\0b\0").starts_with("is UTF-16;"));
        assert!(said(b"\0a\0b").starts_with("is UTF-16;"));
        assert!(said(b"a\0\0\0b\0\0\0").starts_with("is UTF-32;"));
        assert!(said(b"\xc4\xe3\xba\xc3").contains("GBK"));
        assert!(!said(b"m\xfc").contains("GBK"));
        assert_eq!(decode(b"ab\0"), Ok("ab\0"), "a zero byte is a character");
    }
}
