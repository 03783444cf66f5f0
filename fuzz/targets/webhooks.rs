//! Webhooks: their query, and their body.
#![no_main]

use std::time::Duration;

use chatblock::webhook::{Token, Verifier};
use chatblock::wire::webhook::{Change, read_event, write_event};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let at = bytes.iter().position(|byte| *byte == b'\n');
    let (query, body) = bytes.split_at(at.unwrap_or(bytes.len()));
    let query = String::from_utf8_lossy(query);
    for token in [None, Some(Token::new("token"))] {
        let is_unsigned = token.is_none();
        let verifier = Verifier::new(1_400_000_001, token, is_unsigned, Duration::from_mins(1));
        let _ = verifier.verify(&query, 1_669_872_112);
    }
    let body = body.strip_prefix(b"\n").unwrap_or(body);
    for change in [Change::Add, Change::Delete] {
        if let Ok(event) = read_event(change, body) {
            let again = read_event(change, write_event(&event).as_bytes());
            assert_eq!(again, Ok(event));
        }
    }
});
