//! Configurations: each is read or refused with a text on one line that is not the secret.
#![no_main]

use chatblock::config::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    // Files of this machine are not part of it.
    if text.contains('/') || text.contains("_file") || text.contains("path") {
        return;
    }
    if let Err(error) = Config::parse(text) {
        assert!(!error.message().contains(char::is_control), "{error:?}");
        assert!(!error.message().is_empty());
    }
});
