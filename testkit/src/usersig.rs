//! `UserSig` as the documentation describes it (docs/protocol.md 7), without the library's code.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use miniz_oxide::deflate::compress_to_vec_zlib;
use serde_json::json;
use sha2::Sha256;

const LEVEL: u8 = 6;

/// The signature of `identifier` from `time` on for `expire` seconds.
pub fn sign(key: &str, sdkappid: u64, identifier: &str, (time, expire): (i64, i64)) -> String {
    let signed = format!(
        "TLS.identifier:{identifier}\nTLS.sdkappid:{sdkappid}\nTLS.time:{time}\nTLS.expire:{expire}\n"
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length");
    mac.update(signed.as_bytes());
    let document = json!({
        "TLS.ver": "2.0", "TLS.identifier": identifier, "TLS.sdkappid": sdkappid, "TLS.expire": expire, "TLS.time": time,
        "TLS.sig": STANDARD.encode(mac.finalize().into_bytes()),
    });
    let packed = compress_to_vec_zlib(document.to_string().as_bytes(), LEVEL);
    let text = STANDARD.encode(packed);
    text.replace('+', "*").replace('/', "-").replace('=', "_")
}
