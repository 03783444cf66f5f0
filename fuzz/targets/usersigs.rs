//! A UserSig: whatever is inside, it is no panic and opens nothing.
#![no_main]

use chatblock::usersig::{self, Key};
use libfuzzer_sys::fuzz_target;

const NOW: i64 = 1_700_000_000;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let key = Key::new("a key that no input knows");
    if let Ok(decoded) = usersig::decode(&text) {
        let _ = decoded.check_claims(1, "ann", NOW);
        assert!(!decoded.is_genuine(&key), "a signature was guessed");
    }
    let code =
        usersig::verify(&key, 1_400_000_001, "ann", &text, NOW).expect_err("no input has the key");
    let _ = usersig::explain(code, &text, NOW);
});
