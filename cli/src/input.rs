//! Standard input, read as files are.

use chatblock::user_files;
use zeroize::Zeroizing;

use crate::exit::Failure;

/// Names standard input where a file is read.
pub const STDIN: &str = "-";
/// What messages call it.
pub const STDIN_NAME: &str = "standard input";

/// Standard input to its end, at most `most` bytes, of which about `expected` are there.
pub fn stdin(expected: u64, most: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
    user_files::read_stream(std::io::stdin().lock(), expected, most)
        .map_err(|what| Failure::usage(format!("{STDIN_NAME} {what}")))
}

/// Standard input as text that may be a secret: no copies are left behind by a buffer that grows.
pub fn secret(most: u64) -> Result<Zeroizing<String>, Failure> {
    let bytes = stdin(most, most)?;
    let text = user_files::decode(&bytes).map_err(|error| Failure::usage(error.of(STDIN_NAME)))?;
    Ok(Zeroizing::new(text.to_owned()))
}
