//! The configuration as text: names and types only.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::user_files::MARK;
use crate::wire::Object;

/// Every key of the configuration. Values stay raw, so that a wrong type is
/// reported with its key and without its value, which may be a secret in the wrong place.
macro_rules! keys {
    ($name:ident, $prefix:literal, $($field:ident),+) => {
        #[derive(Default, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        #[allow(clippy::struct_field_names, reason = "the names of the keys")]
        pub(super) struct $name<'a> {
            $(#[serde(borrow)] pub(super) $field: Option<&'a RawValue>,)+
        }

        impl $name<'_> {
            const KEYS: &'static [&'static str] = &[$(concat!($prefix, stringify!($field))),+];
        }
    };
}

keys!(
    Top,
    "",
    backend,
    sdkappid,
    identifier,
    secret_key,
    secret_key_file,
    secret_key_env,
    usersig_expire_s,
    region,
    base_url,
    tls,
    proxy,
    connect_ms,
    attempt_ms,
    call_ms,
    connections,
    rate_per_second,
    retry,
    queue,
    outbox,
    cache,
    webhook,
    path,
    accounts,
    account_charset,
    log
);
keys!(Tls, "tls.", ca_file);
keys!(Retry, "retry.", attempts, base_ms, max_ms);
keys!(Queue, "queue.", max_calls, max_calls_per_owner, max_bytes);
keys!(Cache, "cache.", max_bytes, refresh_s, max_age_s);
keys!(Outbox, "outbox.", path, commit_ms, max_bytes);
keys!(Webhook, "webhook.", token, max_age_s, unsigned, url);
keys!(Log, "log.", to, level, max_bytes, files);

/// An object of keys.
pub(super) trait Section<'a>: Default + Deserialize<'a> {
    /// Its keys with their prefix.
    const NAMES: &'static [&'static str];
}

macro_rules! section {
    ($($name:ident),+) => {
        $(impl<'a> Section<'a> for $name<'a> {
            const NAMES: &'static [&'static str] = Self::KEYS;
        })+
    };
}

section!(Top, Tls, Retry, Queue, Outbox, Cache, Webhook, Log);

/// Reads the object `json`; `name` is its key, `None` at the top.
pub(super) fn section<'a, T: Section<'a>>(name: Option<&str>, json: &'a str) -> Result<T, Error> {
    let parsed = serde_json::from_str(json).map(|Object(section)| section);
    parsed.map_err(|error| fault::<T>(name, json, &error))
}

/// serde's own text would quote the offending value; this one names only keys.
fn fault<'a, T: Section<'a>>(
    name: Option<&str>,
    json: &'a str,
    error: &serde_json::Error,
) -> Error {
    let place = format!("line {}, column {}", error.line(), error.column());
    let members: Result<std::collections::BTreeMap<Cow<str>, &RawValue>, _> =
        serde_json::from_str(json);
    let Ok(members) = members else {
        return match name {
            Some(name) => Error::config(name, "must be an object"),
            None if json.starts_with(MARK) => {
                configuration("begins with a byte order mark; leave out the first character")
            }
            None if error.is_data() => configuration("must be one JSON object"),
            None => configuration(&format!("is not JSON at {place}")),
        };
    };
    let prefix = name.map(|name| format!("{name}.")).unwrap_or_default();
    for member in members.keys() {
        let key = format!("{prefix}{member}");
        if !T::NAMES.contains(&key.as_str()) {
            return Error::config(
                &printable(&key),
                format!("is unknown; known keys: {}", T::NAMES.join(", ")),
            );
        }
    }
    configuration(&format!("names a key twice at {place}"))
}

fn configuration(what: &str) -> Error {
    Error::new(
        crate::error::Status::Config,
        format!("configuration {what}"),
    )
}

/// A key may be anything, even a pasted secret: show what can be a key and no more.
fn printable(key: &str) -> String {
    let plausible = key.len() <= 32
        && key
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || b"_.".contains(&byte));
    if plausible {
        key.to_owned()
    } else {
        "(not shown)".to_owned()
    }
}

/// A text that may be a secret and is wiped on drop.
pub(super) fn secret(key: &str, raw: &RawValue) -> Result<Zeroizing<String>, Error> {
    serde_json::from_str(raw.get())
        .map(Zeroizing::new)
        .map_err(|_| Error::config(key, "must be a string"))
}

/// A text.
pub(super) fn text(key: &str, raw: &RawValue) -> Result<String, Error> {
    let text: String =
        serde_json::from_str(raw.get()).map_err(|_| Error::config(key, "must be a string"))?;
    if text.is_empty() || text.contains('\0') {
        return Err(Error::config(key, "must not be empty or contain NUL"));
    }
    Ok(text)
}

/// One of `choices`.
pub(super) fn choice<T: Copy>(
    key: &str,
    raw: &RawValue,
    choices: &[(&str, T)],
) -> Result<T, Error> {
    let text: Option<Cow<str>> = serde_json::from_str(raw.get()).ok();
    let found = choices
        .iter()
        .find(|(name, _)| Some(*name) == text.as_deref());
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = choices
            .iter()
            .map(|(name, _)| format!("\"{name}\""))
            .collect();
        Error::config(key, format!("must be one of {}", names.join(", ")))
    })
}

/// True or false.
pub(super) fn flag(key: &str, raw: &RawValue) -> Result<bool, Error> {
    serde_json::from_str(raw.get()).map_err(|_| Error::config(key, "must be true or false"))
}

/// An integer of `least` to `most`.
pub(super) fn number(key: &str, raw: &RawValue, least: u64, most: u64) -> Result<u64, Error> {
    let number: Option<u64> = serde_json::from_str(raw.get()).ok();
    number
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| Error::config(key, format!("must be an integer from {least} to {most}")))
}

/// 0, or an integer of `least` to `most`.
pub(super) fn number_or_zero(
    key: &str,
    raw: &RawValue,
    least: u64,
    most: u64,
) -> Result<u64, Error> {
    let number: Option<u64> = serde_json::from_str(raw.get()).ok();
    number
        .filter(|number| *number == 0 || (least..=most).contains(number))
        .ok_or_else(|| {
            Error::config(
                key,
                format!("must be 0 or an integer from {least} to {most}"),
            )
        })
}
