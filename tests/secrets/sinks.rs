//! Secrets that can be recognised, and the places where they must not come out.

use std::collections::HashSet;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chatblock::Reply;

use testkit::report;

/// How every canary begins.
pub const MARK: &str = "chatblock-canary-";
/// So much of a secret is a leak.
const PIECE: usize = 24;

/// A key that exists nowhere else, not even in this program's own file.
pub fn canary() -> String {
    format!("{MARK}{:032x}", fastrand::u128(..))
}

/// Everything that must not be seen, in pieces.
#[derive(Default)]
pub struct Secrets(HashSet<Vec<u8>>);

impl Secrets {
    /// The key and its base64 form.
    pub fn of(key: &str) -> Self {
        let mut secrets = Self::default();
        secrets.add(key.as_bytes());
        secrets.add(STANDARD.encode(key).as_bytes());
        secrets
    }

    /// Adds a text.
    pub fn add(&mut self, secret: &[u8]) {
        self.0.extend(secret.windows(PIECE).map(<[u8]>::to_vec));
    }

    /// Adds a `UserSig` and the HMAC inside it.
    pub fn add_usersig(&mut self, usersig: &str) {
        assert!(usersig.len() > 100, "{usersig} is no UserSig");
        self.add(usersig.as_bytes());
        let base64 = usersig
            .replace('*', "+")
            .replace('-', "/")
            .replace('_', "=");
        let stream = STANDARD.decode(base64).expect("a UserSig is base64");
        let text = String::from_utf8_lossy(&stream).into_owned();
        let (_, rest) = text
            .split_once("TLS.sig\":\"")
            .expect("stored blocks are readable");
        self.add(&rest.as_bytes()[..44]);
        let hmac = STANDARD
            .decode(&rest[..44])
            .expect("the signature is base64");
        self.add(format!("{hmac:?}").as_bytes());
        self.add(&hmac);
    }

    /// Whether a piece of a secret is in `content`.
    pub fn is_in(&self, content: &[u8]) -> bool {
        content.windows(PIECE).any(|piece| self.0.contains(piece))
    }
}

/// Places where a secret could come out.
#[derive(Default)]
pub struct Sinks(pub Vec<(String, Vec<u8>)>);

impl Sinks {
    /// Adds a text by name.
    pub fn add(&mut self, name: impl Into<String>, content: impl Into<Vec<u8>>) {
        self.0.push((name.into(), content.into()));
    }

    /// Adds everything that a reply shows.
    pub fn add_reply(&mut self, name: &str, reply: &Reply) {
        self.add(format!("message of {name}"), reply.message());
        self.add(format!("JSON of {name}"), reply.json());
        self.add(format!("Debug of {name}"), format!("{reply:?}"));
    }

    /// Adds every file below `directory`.
    pub fn add_directory(&mut self, directory: &Path) {
        let entries = std::fs::read_dir(directory).expect("the directory can be read");
        for path in entries.map(|entry| entry.expect("the directory can be read").path()) {
            if path.is_dir() {
                self.add_directory(&path);
            } else {
                self.add(
                    path.display().to_string(),
                    std::fs::read(&path).expect("a file"),
                );
            }
        }
    }

    /// Fails for any hit; `what` is for the report.
    pub fn search(&self, what: &str, secrets: &Secrets) {
        for (name, content) in &self.0 {
            let shown = String::from_utf8_lossy(content);
            assert!(
                !secrets.is_in(content),
                "a secret is in the {name}: {shown}"
            );
        }
        let count = self.0.len();
        report(
            "secrets",
            &format!("secrets: {what}, {count} sinks searched, 0 hits"),
        );
    }
}
