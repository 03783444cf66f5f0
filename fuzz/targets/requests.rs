//! Requests of the service's JSON: what is read is written so that it is read as the same.
#![no_main]

use chatblock::Command;
use chatblock::api::Charset;
use chatblock::wire::{check_object, parse_request, write_request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for command in [Command::Add, Command::Delete, Command::Check, Command::Get] {
        let _ = check_object(Some(command), bytes);
        for charset in [Charset::Strict, Charset::Printable, Charset::Utf8] {
            let Ok(request) = parse_request(command, bytes, charset) else {
                continue;
            };
            let again = parse_request(command, &write_request(&request), charset);
            assert_eq!(again.as_ref(), Ok(&request));
        }
    }
});
