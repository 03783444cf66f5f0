//! `tests/vectors/usersig.json`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chatblock::usersig::{self, Claims, Key};
use serde_json::{Map, Value, json};

fn text<'a>(vector: &'a Value, member: &str) -> &'a str {
    vector[member]
        .as_str()
        .unwrap_or_else(|| panic!("{member} in {vector}"))
}

fn number(vector: &Value, member: &str) -> i64 {
    vector[member]
        .as_i64()
        .unwrap_or_else(|| panic!("{member} in {vector}"))
}

/// What a signature says, as the vectors spell it.
fn document(claims: &Claims, signature: &str) -> Value {
    let mut document = Map::new();
    document.insert("TLS.ver".into(), json!("2.0"));
    document.insert("TLS.identifier".into(), json!(claims.identifier));
    document.insert("TLS.sdkappid".into(), json!(claims.sdkappid));
    document.insert("TLS.expire".into(), json!(claims.expire));
    document.insert("TLS.time".into(), json!(claims.time));
    if let Some(userbuf) = &claims.userbuf {
        document.insert("TLS.userbuf".into(), json!(userbuf));
    }
    document.insert("TLS.sig".into(), json!(signature));
    Value::Object(document)
}

/// Both generators' signatures, the signed text, the MAC, our own signature, and every clock value.
pub fn generated(vector: &Value) -> Result<(), String> {
    let key = Key::new(text(vector, "key"));
    let claims = Claims {
        identifier: text(vector, "identifier").to_owned(),
        sdkappid: vector["sdkappid"].as_u64().ok_or("sdkappid")?,
        time: number(vector, "time"),
        expire: number(vector, "expire"),
        userbuf: vector["userbuf_base64"].as_str().map(str::to_owned),
    };
    if hex(claims.identifier.as_bytes()) != text(vector, "identifier_utf8_hex") {
        return Err("the identifier has other bytes".into());
    }
    if claims.signed_text() != text(vector, "signed_content") {
        return Err(format!("signed text {:?}", claims.signed_text()));
    }
    let own = usersig::make(&key, &claims);
    for (name, usersig) in [
        ("usersig_python", text(vector, "usersig_python")),
        ("usersig_node", text(vector, "usersig_node")),
        ("our own", &own),
    ] {
        let (decoded, signature) = (decode(usersig)?, signature(usersig)?);
        if document(&decoded, &signature) != vector["document"] {
            return Err(format!("{name} decodes to {decoded:?}, {signature}"));
        }
        if signature != text(vector, "tls_sig") {
            return Err(format!("{name} has the MAC {signature}"));
        }
        checks(vector, &key, usersig).map_err(|what| format!("{name}: {what}"))?;
    }
    Ok(())
}

fn decode(usersig: &str) -> Result<Claims, String> {
    let decoded = usersig::decode(usersig).map_err(|code| format!("refused with {code}"))?;
    Ok(decoded.claims)
}

/// The member `TLS.sig`, read by means of its own: the library shows only what is signed.
fn signature(usersig: &str) -> Result<String, String> {
    let standard = usersig
        .replace('*', "+")
        .replace('-', "/")
        .replace('_', "=");
    let stream = STANDARD
        .decode(standard)
        .map_err(|error| error.to_string())?;
    let json = miniz_oxide::inflate::decompress_to_vec_zlib(&stream).map_err(|e| e.to_string())?;
    let document: Value = serde_json::from_slice(&json).map_err(|error| error.to_string())?;
    Ok(text(&document, "TLS.sig").to_owned())
}

fn checks(vector: &Value, key: &Key, usersig: &str) -> Result<(), String> {
    let sdkappid = vector["sdkappid"].as_u64().ok_or("sdkappid")?;
    for check in vector["checks"].as_array().ok_or("no checks")? {
        let now = number(check, "now");
        let verdict = usersig::verify(key, sdkappid, text(vector, "identifier"), usersig, now);
        let found = i64::from(verdict.err().unwrap_or(0));
        if found != number(check, "result") {
            return Err(format!("{found} at {now}"));
        }
    }
    Ok(())
}

/// One of the lists `accept` and `reject`.
pub fn constructed(vector: &Value) -> Result<(), String> {
    let verdict = usersig::verify(
        &Key::new(text(vector, "key")),
        vector["sdkappid"].as_u64().ok_or("sdkappid")?,
        text(vector, "identifier"),
        text(vector, "usersig"),
        number(vector, "now"),
    );
    let found = i64::from(verdict.err().unwrap_or(0));
    if found == number(vector, "result") {
        return Ok(());
    }
    Err(format!("verdict {found}, not {}", vector["result"]))
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}
