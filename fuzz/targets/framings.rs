//! Requests as they come in: however the bytes are cut, the same requests are found in them.
#![no_main]

use framing::{Findings, Framing};
use libfuzzer_sys::fuzz_target;

#[path = "../../cli/src/server/framing.rs"]
mod framing;

/// How many requests are found, whether the connection ends with the last of them, and where the end of the bytes is.
fn found<'a>(parts: impl Iterator<Item = &'a [u8]>) -> (u32, bool, bool, bool) {
    let (mut framing, findings) = (Framing::default(), Findings::default());
    for part in parts {
        let was_last = findings.is_last();
        framing.follow(part, &findings);
        assert!(findings.is_last() || !was_last);
    }
    let mut heads = 0;
    while findings.agree() {
        heads += 1;
    }
    (
        heads,
        findings.is_last(),
        framing.is_inside_head(),
        framing.is_before_body(),
    )
}

fuzz_target!(|bytes: &[u8]| {
    let Some((step, bytes)) = bytes.split_first() else {
        return;
    };
    let whole = found(std::iter::once(bytes));
    for step in [1, 1 + usize::from(*step)] {
        assert_eq!(found(bytes.chunks(step)), whole, "cut after {step}");
    }
});
