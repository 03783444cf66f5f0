//! JSON of the service: the only place that spells its member names (docs/protocol.md 3).

mod answer;
mod bounded;
mod fast_path;
mod fields;
mod listing;
mod matching;
mod object;
mod request;
mod response;
pub mod webhook;

pub use answer::{write_answer, write_envelope};
pub use listing::{ListingFault, is_listing, read_listings};
pub use object::{Object, Unique};
pub use request::{
    Refusal, check_object, member_names, parse_request, unknown_member, write_request,
};
pub use response::{Malformed, read_answer};

use crate::api::accounts::every_byte;
use crate::api::{CheckType, Relation};

/// Deepest nesting that is read; the protocol needs three levels.
const MAX_DEPTH: usize = 32;

const SINGLE: &str = "BlackCheckResult_Type_Single";
const BOTH: &str = "BlackCheckResult_Type_Both";

impl CheckType {
    /// The service's word for this type.
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::Single => SINGLE,
            Self::Both => BOTH,
        }
    }
}

impl Relation {
    /// The service's word for this relation. There is none for failure: a failed item says `NO`.
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::None | Self::No => "BlackCheckResult_Type_NO",
            Self::AWithB => "BlackCheckResult_Type_AWithB",
            Self::BWithA => "BlackCheckResult_Type_BWithA",
            Self::BothWay => "BlackCheckResult_Type_BothWay",
        }
    }

    fn from_wire_name(name: &str) -> Option<Self> {
        [Self::No, Self::AWithB, Self::BWithA, Self::BothWay]
            .into_iter()
            .find(|relation| relation.wire_name() == name)
    }
}

/// Whether `text` between quotation marks is its own JSON.
fn is_plain(text: &str) -> bool {
    every_byte(text, |byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
}

/// Whether `json` nests deeper than anything that is read here. A flat scan, so that a deep document
/// cannot exhaust the stack of a game thread.
pub fn is_too_deep(json: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_strings_only() {
        let deep = |levels: usize| ["[".repeat(levels), "]".repeat(levels)].concat();
        assert!(!is_too_deep(deep(32).as_bytes()));
        assert!(is_too_deep(deep(33).as_bytes()));
        let text = format!("{{\"a\":\"{}\\\"{}\"}}", "[".repeat(50), "[".repeat(50));
        assert!(!is_too_deep(text.as_bytes()));
    }
}
