//! Lists of accounts in a file: read or refused with a place inside of them, and what `get` would print is read as the same.
#![no_main]

use chatblock::api::Charset;
use libfuzzer_sys::fuzz_target;
use list_file::{GET_HEADER, accounts, cell};

#[path = "../../cli/src/list_file.rs"]
mod list_file;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = chatblock::user_files::decode(bytes) else {
        return;
    };
    for trim in [false, true] {
        let found = match accounts(text, trim, Charset::Utf8) {
            Ok(found) => found,
            Err(fault) => {
                assert!(fault.offset <= text.len(), "{fault:?}");
                assert!(text.is_char_boundary(fault.offset), "{fault:?}");
                assert!(!fault.what.is_empty());
                continue;
            }
        };
        let rows = found
            .iter()
            .map(|account| format!("{}  1\n", cell(account)));
        let table = format!("{}\n{}", GET_HEADER.join("  "), rows.collect::<String>());
        let again = accounts(&table, trim, Charset::Utf8).expect("a table of ours");
        assert_eq!(again, found);
    }
});
