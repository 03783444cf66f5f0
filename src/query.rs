//! Parameters of a query: percent-decoded names and values, `+` stays (choice C2).

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// A parameter as it was found: never, once, or in a way that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// It is absent.
    Not,
    /// Its value.
    Once(Cow<'a, str>),
    /// It is a duplicate, or is not UTF-8.
    Unusable,
}

/// What `query` says about each of `names`, whose spelling counts; other parameters are ignored.
pub fn collect<'a, const N: usize>(query: &'a str, names: &[&str; N]) -> [Found<'a>; N] {
    let mut found = [const { Found::Not }; N];
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let Ok(name) = percent_decode_str(name).decode_utf8() else {
            continue;
        };
        let Some(index) = names.iter().position(|known| *known == name) else {
            continue;
        };
        let value = percent_decode_str(value).decode_utf8();
        found[index] = match (&found[index], value) {
            (Found::Not, Ok(value)) => Found::Once(value),
            _ => Found::Unusable,
        };
    }
    found
}
