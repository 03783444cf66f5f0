//! `UserSig` version 2: making and verifying (docs/protocol.md 7).

use base64::Engine as _;
use base64::alphabet::Alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use itoa::Buffer as Digits;
use miniz_oxide::inflate::{TINFLStatus, core as inflate};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::api::Charset;
use crate::api::codes::{
    SIGNATURE_EXPIRED, SIGNATURE_ILLEGAL, SIGNATURE_OTHER_APP, SIGNATURE_OTHER_KEY,
    SIGNATURE_OTHER_USER,
};
use crate::error::{Error, on_one_line};
use crate::wire::Unique;

/// Longest life of a signature in seconds: 50 years (docs/protocol.md 7.1).
pub const MAX_EXPIRE_S: u32 = 1_576_800_000;
/// Longest signature that is looked at; the service's are below 400 bytes.
const MAX_TEXT: usize = 2048;
/// Most bytes that are inflated (docs/protocol.md 7.6).
const MAX_INFLATED: usize = 65_536;

/// Standard base64 with `*` and `-` for `+` and `/`. The padding, `_` for `=`, is handled apart. Its
/// tables are made by the compiler: making them costs more than a signature.
static BASE64: GeneralPurpose = {
    const SYMBOLS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-";
    match Alphabet::new(SYMBOLS) {
        Ok(alphabet) => GeneralPurpose::new(&alphabet, NO_PAD),
        Err(_) => panic!("64 different symbols"),
    }
};

/// The secret key of an app: wiped on drop, never shown.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Key(Box<str>);

impl Key {
    /// A key; its UTF-8 bytes are used as they are, also when they look hexadecimal.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    fn sign(&self, signed_text: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes())
            .expect("HMAC takes keys of any length");
        mac.update(signed_text.as_bytes());
        mac
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// What a signature says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The user it was made for.
    pub identifier: String,
    /// The app it was made for.
    pub sdkappid: u64,
    /// When it was made, Unix seconds.
    pub time: i64,
    /// How long it is valid, seconds.
    pub expire: i64,
    /// Standard base64 of the optional buffer.
    pub userbuf: Option<String>,
}

impl Claims {
    /// The text that is signed (docs/protocol.md 7.2).
    pub fn signed_text(&self) -> String {
        let mut text = [
            "TLS.identifier:",
            &self.identifier,
            "\nTLS.sdkappid:",
            Digits::new().format(self.sdkappid),
            "\nTLS.time:",
            Digits::new().format(self.time),
            "\nTLS.expire:",
            Digits::new().format(self.expire),
            "\n",
        ]
        .concat();
        if let Some(userbuf) = &self.userbuf {
            text.extend(["TLS.userbuf:", userbuf, "\n"]);
        }
        text
    }

    /// Bytes that the document fits in, names and escapes included.
    fn room(&self) -> usize {
        256 + 2 * self.identifier.len() + self.userbuf.as_ref().map_or(0, String::len)
    }

    /// Whether the signature has expired; valid at equality.
    pub fn is_expired(&self, now: i64) -> bool {
        self.time
            .checked_add(self.expire)
            .is_some_and(|end| now > end)
    }
}

/// What is wrapped (docs/protocol.md 7.3).
#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "TLS.ver")]
    version: &'static str,
    #[serde(rename = "TLS.identifier")]
    identifier: &'a str,
    #[serde(rename = "TLS.sdkappid")]
    sdkappid: u64,
    #[serde(rename = "TLS.expire")]
    expire: i64,
    #[serde(rename = "TLS.time")]
    time: i64,
    #[serde(rename = "TLS.userbuf", skip_serializing_if = "Option::is_none")]
    userbuf: Option<&'a str>,
    #[serde(rename = "TLS.sig")]
    signature: &'a str,
}

/// Makes the signature that vouches for `claims`.
///
/// The document is wrapped in stored deflate blocks, as the official Go generator does: compressing
/// 200 bytes costs a hundred times more than signing them.
pub fn make(key: &Key, claims: &Claims) -> Zeroizing<String> {
    let mac = key.sign(&claims.signed_text()).finalize().into_bytes();
    let signature = encode(&STANDARD, &mac);
    let document = Document {
        version: "2.0",
        identifier: &claims.identifier,
        sdkappid: claims.sdkappid,
        expire: claims.expire,
        time: claims.time,
        userbuf: claims.userbuf.as_deref(),
        signature: &signature,
    };
    let mut json = Zeroizing::new(Vec::with_capacity(claims.room()));
    serde_json::to_writer(&mut *json, &document).expect("strings and numbers always serialize");
    let mut stream = store(&json);
    let usersig = encode(&BASE64, &stream);
    // Room that is not in use is wiped in one piece, what is in use byte by byte.
    json.clear();
    stream.clear();
    usersig
}

/// `data` in base64, filled up with `_` where the alphabet fills up with nothing; with room for the NUL that C wants.
///
/// Buffers are large enough from the start: one that grows leaves copies that are not wiped.
fn encode(base64: &GeneralPurpose, data: &[u8]) -> Zeroizing<String> {
    let length = data.len().div_ceil(3) * 4;
    let mut text = Vec::with_capacity(length + 1);
    text.resize(length, b'_');
    base64
        .encode_slice(data, &mut text)
        .expect("the text is long enough");
    Zeroizing::new(String::from_utf8(text).expect("base64 is ASCII"))
}

/// `data` as a zlib stream of stored blocks (RFC 1950, RFC 1951 section 3.2.4).
fn store(data: &[u8]) -> Zeroizing<Vec<u8>> {
    const HEADER: [u8; 2] = [0x78, 0x01];
    let blocks = data.len() / usize::from(u16::MAX) + 1;
    let mut stream = Zeroizing::new(Vec::with_capacity(data.len() + 5 * blocks + 6));
    stream.extend(HEADER);
    let mut blocks = data.chunks(usize::from(u16::MAX)).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).expect("a chunk fits");
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    let mut sum = adler2::Adler32::new();
    sum.write_slice(data);
    stream.extend(sum.checksum().to_be_bytes());
    stream
}

/// A signature that could be decoded; whether it is genuine is another question.
#[derive(Clone)]
pub struct Decoded {
    /// What it says.
    pub claims: Claims,
    signature: Vec<u8>,
}

/// Claims and HMAC together are as good as the signature: only the claims are shown.
impl std::fmt::Debug for Decoded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoded")
            .field("claims", &self.claims)
            .finish_non_exhaustive()
    }
}

/// Members as they may come.
#[derive(Deserialize)]
struct RawDocument {
    #[serde(rename = "TLS.ver")]
    version: String,
    #[serde(rename = "TLS.identifier")]
    identifier: String,
    #[serde(rename = "TLS.sdkappid")]
    sdkappid: u64,
    #[serde(rename = "TLS.expire", default)]
    expire: i64,
    #[serde(rename = "TLS.time")]
    time: i64,
    #[serde(rename = "TLS.userbuf", default)]
    userbuf: Option<String>,
    #[serde(rename = "TLS.sig")]
    signature: String,
}

/// Decodes `usersig`, row 1 of docs/protocol.md 7.6. Bounded: 2 KiB of text, 64 KiB inflated.
///
/// # Errors
/// The code 70003 for everything that is not one valid document.
pub fn decode(usersig: &str) -> Result<Decoded, i32> {
    let document = unpack(usersig)
        .and_then(|json| parse(&json))
        .ok_or(SIGNATURE_ILLEGAL)?;
    if document.version != "2.0" || document.time < 0 || document.expire < 0 {
        return Err(SIGNATURE_ILLEGAL);
    }
    Ok(Decoded {
        signature: STANDARD.decode(document.signature).unwrap_or_default(),
        claims: Claims {
            identifier: document.identifier,
            sdkappid: document.sdkappid,
            time: document.time,
            expire: document.expire,
            userbuf: document.userbuf,
        },
    })
}

fn unpack(usersig: &str) -> Option<Vec<u8>> {
    if usersig.len() > MAX_TEXT || !usersig.len().is_multiple_of(4) || usersig.contains('=') {
        return None;
    }
    let body = usersig.trim_end_matches('_');
    let padding = usersig.len() - body.len();
    if padding > 2 {
        return None;
    }
    inflate_bounded(&BASE64.decode(body).ok()?)
}

fn inflate_bounded(stream: &[u8]) -> Option<Vec<u8>> {
    use inflate::inflate_flags::{
        TINFL_FLAG_COMPUTE_ADLER32, TINFL_FLAG_PARSE_ZLIB_HEADER,
        TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
    };
    const FLAGS: u32 = TINFL_FLAG_PARSE_ZLIB_HEADER
        | TINFL_FLAG_COMPUTE_ADLER32
        | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut state = Box::<inflate::DecompressorOxide>::default();
    // A genuine document is small: start there and take the full bound only when it is asked for.
    for bound in [2048, MAX_INFLATED] {
        let mut output = vec![0; bound];
        state.init();
        let (status, consumed, written) =
            inflate::decompress(&mut state, stream, &mut output, 0, FLAGS);
        match status {
            TINFLStatus::Done if consumed == stream.len() => {
                output.truncate(written);
                return Some(output);
            }
            TINFLStatus::HasMoreOutput => {}
            _ => return None,
        }
    }
    None
}

fn parse(json: &[u8]) -> Option<RawDocument> {
    let Unique(document) = serde_json::from_slice(json).ok()?;
    Some(document)
}

impl Decoded {
    /// Whether `key` made this signature; compared in constant time and full length.
    pub fn is_genuine(&self, key: &Key) -> bool {
        key.sign(&self.claims.signed_text())
            .verify_slice(&self.signature)
            .is_ok()
    }

    /// Checks app, user and time, rows 2 to 4 of docs/protocol.md 7.6.
    ///
    /// # Errors
    /// The code of the first row that does not hold.
    pub fn check_claims(&self, sdkappid: u64, identifier: &str, now: i64) -> Result<(), i32> {
        if self.claims.sdkappid != sdkappid {
            return Err(SIGNATURE_OTHER_APP);
        }
        if self.claims.identifier != identifier {
            return Err(SIGNATURE_OTHER_USER);
        }
        if self.claims.is_expired(now) {
            return Err(SIGNATURE_EXPIRED);
        }
        Ok(())
    }
}

/// Verifies `usersig` in the order of docs/protocol.md 7.6 and gives what it says.
///
/// # Errors
/// The service's code: 70003, 70014, 70013, 70001 or 70009.
pub fn verify(
    key: &Key,
    sdkappid: u64,
    identifier: &str,
    usersig: &str,
    now: i64,
) -> Result<Claims, i32> {
    let decoded = decode(usersig)?;
    decoded.check_claims(sdkappid, identifier, now)?;
    if !decoded.is_genuine(key) {
        return Err(SIGNATURE_OTHER_KEY);
    }
    Ok(decoded.claims)
}

/// Makes a signature for a user, checking the arguments first. `(now, expire)` are seconds.
///
/// # Errors
/// [`crate::Status::Argument`] naming the argument.
pub fn generate(
    sdkappid: u32,
    key: &Key,
    identifier: &str,
    (now, expire_seconds): (i64, u32),
) -> Result<Zeroizing<String>, Error> {
    check_arguments(sdkappid, key, identifier)?;
    if expire_seconds > MAX_EXPIRE_S {
        return Err(Error::argument(
            "expire_seconds",
            format!("is more than 50 years ({MAX_EXPIRE_S})"),
        ));
    }
    let claims = Claims {
        identifier: identifier.to_owned(),
        sdkappid: u64::from(sdkappid),
        time: now.max(0),
        expire: i64::from(expire_seconds),
        userbuf: None,
    };
    Ok(make(key, &claims))
}

/// What is needed to make or verify a signature at all.
///
/// # Errors
/// [`crate::Status::Argument`] naming the argument.
pub fn check_arguments(sdkappid: u32, key: &Key, identifier: &str) -> Result<(), Error> {
    if sdkappid == 0 {
        return Err(Error::argument("sdkappid", "is 0"));
    }
    if key.0.is_empty() {
        return Err(Error::argument("secret_key", "is empty"));
    }
    match Charset::Utf8.fault(identifier) {
        Some(fault) => Err(Error::argument("identifier", fault)),
        None => Ok(()),
    }
}

/// Why a signature was refused with `code`, in plain words. Says what it claims, never the text itself.
pub fn explain(code: i32, usersig: &str, now: i64) -> String {
    let Ok(Decoded { claims, .. }) = decode(usersig) else {
        return explain_illegal(usersig);
    };
    let age = now.saturating_sub(claims.time);
    match code {
        SIGNATURE_OTHER_APP => format!("the UserSig was made for SDKAppID {}", claims.sdkappid),
        SIGNATURE_OTHER_USER => {
            let identifier = on_one_line(&claims.identifier, 64);
            format!("the UserSig was made for identifier \"{identifier}\"")
        }
        SIGNATURE_EXPIRED => format!(
            "the UserSig has expired at {} (Unix seconds): it was made {age} s ago for {} s; make a new one, or check \
             the clock of this machine",
            claims.time.saturating_add(claims.expire),
            claims.expire
        ),
        _ if age < 0 => format!(
            "the UserSig was made with another secret key or was changed; it also claims to be made {} s in the \
             future: check the clock of this machine",
            -age
        ),
        _ => {
            "the UserSig was made with another secret key, or was changed after signing".to_owned()
        }
    }
}

/// Why a signature is no document: mistakes that generators of their own make.
fn explain_illegal(usersig: &str) -> String {
    if let Some(document) = unpack(usersig).and_then(|json| parse(&json))
        && (document.time < 0 || document.expire < 0)
    {
        return format!(
            "the UserSig has expired at {} (Unix seconds): it says time {} and expire {}, and neither may be negative; \
             expire is a number of seconds after time",
            document.time.saturating_add(document.expire),
            document.time,
            document.expire
        );
    }
    let in_alphabet = |slash: char| {
        let translate = |c: char| match c {
            '+' | '-' if c != slash => '*',
            '=' => '_',
            c if c == slash => '-',
            c => c,
        };
        // The alphabet for URLs has "_" as a digit, and usually no padding.
        let digits: String = usersig
            .trim_end_matches('=')
            .chars()
            .map(translate)
            .collect();
        let padding = digits.len().next_multiple_of(4) - digits.len();
        decode(&(digits + &"_".repeat(padding))).is_ok()
    };
    let alphabet = if in_alphabet('/') {
        "the standard alphabet"
    } else if in_alphabet('_') {
        "the alphabet for URLs"
    } else {
        return "the UserSig cannot be decoded: it was cut, changed on its way, or is not a UserSig".to_owned();
    };
    format!(
        "the UserSig is in {alphabet} of base64: a UserSig has \"*\" for \"+\", \"-\" for \"/\" and \"_\" for \"=\""
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parser skips what no field asks for in a loop.
    #[test]
    fn a_member_that_nests_deeply_takes_no_stack() {
        let levels = MAX_INFLATED / 2 - 200;
        let deep = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let json = format!(
            "{{\"TLS.ver\":\"2.0\",\"TLS.identifier\":\"a\",\"TLS.sdkappid\":1,\"TLS.time\":1,\
             \"TLS.sig\":\"\",\"deep\":{deep}}}"
        );
        assert!(json.len() <= MAX_INFLATED && parse(json.as_bytes()).is_some());
    }
}
