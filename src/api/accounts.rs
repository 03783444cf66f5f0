//! Which strings are valid account identifiers (docs/protocol.md 4.2, choice C20).

/// An account identifier. Short ones, as nearly all are, are copied without an allocation.
pub type Account = smol_str::SmolStr;

/// What [`Charset::Strict`] says of other characters.
const NOT_STRICT: &str =
    "may contain only letters, digits, '_' and '-' (config key \"account_charset\")";

/// Longest identifier, in bytes.
pub const MAX_BYTES: usize = 32;

/// Which characters an identifier may contain. Always 1 to 32 bytes and no control characters,
/// because the signed text of a `UserSig` is made of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charset {
    /// Letters, digits, `_` and `-`.
    Strict,
    /// Printable ASCII, 0x20 to 0x7E.
    #[default]
    Printable,
    /// Any UTF-8 without control characters.
    Utf8,
}

impl Charset {
    /// What is wrong with `account`, as the end of a sentence; `None` when it is valid.
    pub fn fault(self, account: &str) -> Option<&'static str> {
        if account.is_empty() {
            return Some("is empty");
        }
        if account.len() > MAX_BYTES {
            return Some("is longer than 32 bytes");
        }
        if every_byte(account, is_printable) {
            let fits = self != Self::Strict || account.bytes().all(is_strict);
            return (!fits).then_some(NOT_STRICT);
        }
        if account.chars().any(char::is_control) {
            return Some("contains a control character");
        }
        match self {
            Self::Strict => Some(NOT_STRICT),
            Self::Printable => {
                Some("may contain only printable ASCII (config key \"account_charset\")")
            }
            Self::Utf8 => None,
        }
    }

    /// Whether `account` is a valid identifier.
    pub fn allows(self, account: &str) -> bool {
        self.fault(account).is_none()
    }
}

/// Whether every byte of `text` is `fine`. In words, the last of which overlaps the one before: that is faster than one by
/// one.
pub(crate) fn every_byte(text: &str, fine: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    let all_fine = |word: &[u8; 8]| word.iter().fold(true, |sofar, byte| sofar & fine(*byte));
    match bytes.last_chunk() {
        Some(last) => bytes.as_chunks().0.iter().all(all_fine) && all_fine(last),
        None => bytes.iter().all(|byte| fine(*byte)),
    }
}

fn is_printable(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7e)
}

fn is_strict(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_counts_bytes_not_characters() {
        assert!(Charset::Utf8.allows(&"a".repeat(32)));
        assert!(!Charset::Utf8.allows(&"a".repeat(33)));
        assert!(Charset::Utf8.allows(&"\u{1F600}".repeat(8)));
        assert!(!Charset::Utf8.allows(&"\u{1F600}".repeat(9)));
    }

    #[test]
    fn control_characters_are_refused_everywhere() {
        for charset in [Charset::Strict, Charset::Printable, Charset::Utf8] {
            for text in ["a\nb", "a\u{7f}", "\0", "a\u{85}b", ""] {
                assert!(!charset.allows(text), "{charset:?} {text:?}");
            }
        }
    }

    #[test]
    fn a_wrong_character_is_found_wherever_it_stands() {
        for length in 1..=MAX_BYTES {
            for place in 0..length {
                let mut account = "a".repeat(length);
                assert!(Charset::Printable.allows(&account));
                account.replace_range(place..=place, "\u{1f}");
                assert!(!Charset::Printable.allows(&account), "{account:?}");
            }
        }
    }

    #[test]
    fn each_charset_adds_to_the_one_before() {
        assert!(Charset::Strict.allows("Ann_1-x"));
        assert!(!Charset::Strict.allows("Ann 1"));
        assert!(Charset::Printable.allows("Ann \"1\"\\ <&>"));
        assert!(!Charset::Printable.allows("\u{e9}"));
        assert!(Charset::Utf8.allows("\u{e9}"));
    }
}
