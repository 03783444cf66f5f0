//! Where the secret key of the app comes from: the configuration, a file or the environment.

use std::path::Path;

use zeroize::Zeroizing;

use super::raw;
use crate::error::Error;
use crate::user_files;
use crate::usersig::Key;

/// The key, when one is given. What is wrong with the permissions of its file is added to `warnings`.
pub(super) fn parse(top: &raw::Top, warnings: &mut Vec<String>) -> Result<Option<Key>, Error> {
    let given = [top.secret_key, top.secret_key_file, top.secret_key_env];
    if given.iter().flatten().count() > 1 {
        return Err(Error::config(
            "secret_key",
            "is given more than once; keep one of \"secret_key\", \"secret_key_file\", \"secret_key_env\"",
        ));
    }
    let (name, key) = if let Some(raw) = top.secret_key {
        ("secret_key", raw::secret("secret_key", raw)?)
    } else if let Some(raw) = top.secret_key_file {
        let path = raw::text("secret_key_file", raw)?;
        ("secret_key_file", from_file(&path, warnings)?)
    } else if let Some(raw) = top.secret_key_env {
        (
            "secret_key_env",
            from_environment(&raw::text("secret_key_env", raw)?)?,
        )
    } else {
        return Ok(None);
    };
    if key.is_empty() {
        return Err(Error::config(name, "leads to an empty key"));
    }
    if key.trim_matches(user_files::is_blank).len() != key.len() {
        return Err(Error::config(
            name,
            "leads to a key with white space at its ends; remove it",
        ));
    }
    Ok(Some(Key::new(&key)))
}

fn from_file(path: &str, warnings: &mut Vec<String>) -> Result<Zeroizing<String>, Error> {
    // A key that was pasted here by mistake must not be repeated.
    let shown = if path.contains(['/', '.']) {
        path
    } else {
        "a file (name not shown)"
    };
    let named =
        |what: String| Error::config("secret_key_file", format!("names {shown}, which {what}"));
    let input = user_files::read(Path::new(path), user_files::MAX_KEY).map_err(named)?;
    if let Some(what) = input.exposure().map_err(named)? {
        warnings.push(named(what).message().to_owned());
    }
    let text = input.text().map_err(|error| named(error.to_string()))?;
    Ok(line(text))
}

/// The key in a text that an editor or a shell made of it: without a byte order mark and the end of the line.
fn line(text: &str) -> Zeroizing<String> {
    let text = user_files::without_mark(text);
    Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn from_environment(name: &str) -> Result<Zeroizing<String>, Error> {
    let key = "secret_key_env";
    // The name is not repeated: a key pasted here by mistake would be.
    if !name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return Err(Error::config(
            key,
            "must be the name of an environment variable",
        ));
    }
    match std::env::var(name).map(Zeroizing::new) {
        Ok(text) => Ok(line(&text)),
        Err(_) => Err(Error::config(
            key,
            "names an environment variable that is not set or not UTF-8",
        )),
    }
}
