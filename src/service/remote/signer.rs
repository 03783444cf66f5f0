//! One `UserSig` for many calls, renewed after three quarters of its lifetime (docs/protocol.md 7.6).

use std::sync::Arc;

use parking_lot::Mutex;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::config::App;
use crate::usersig::{self, Claims, Key};

pub(super) struct Signer {
    key: Key,
    sdkappid: u32,
    identifier: String,
    expire_s: i64,
    clock: Arc<dyn Clock>,
    current: Mutex<Option<Signed>>,
}

struct Signed {
    usersig: Arc<Zeroizing<String>>,
    made: i64,
}

impl Signer {
    pub(super) fn new(app: &App, clock: Arc<dyn Clock>) -> Self {
        Self {
            key: app.key.clone(),
            sdkappid: app.sdkappid,
            identifier: app.identifier.clone(),
            expire_s: i64::from(app.expire_s),
            clock,
            current: Mutex::default(),
        }
    }

    pub(super) fn sdkappid(&self) -> u32 {
        self.sdkappid
    }

    /// A signature with at least a quarter of its life left. A clock that went back makes a new one.
    pub(super) fn signature(&self) -> Arc<Zeroizing<String>> {
        let now = self.clock.unix_seconds();
        let mut current = self.current.lock();
        if let Some(signed) = &*current {
            let age = now - signed.made;
            if (0..self.expire_s * 3 / 4).contains(&age) {
                return Arc::clone(&signed.usersig);
            }
        }
        let claims = Claims {
            identifier: self.identifier.clone(),
            sdkappid: u64::from(self.sdkappid),
            // Before 1970 no signature can be made that a verifier takes.
            time: now.max(0),
            expire: self.expire_s,
            userbuf: None,
        };
        let usersig = Arc::new(usersig::make(&self.key, &claims));
        *current = Some(Signed {
            usersig: Arc::clone(&usersig),
            made: now,
        });
        usersig
    }

    /// When the present signature expires, in Unix seconds.
    pub(super) fn expires(&self) -> Option<i64> {
        let current = self.current.lock();
        current.as_ref().map(|signed| signed.made + self.expire_s)
    }

    pub(super) fn renew(&self) {
        *self.current.lock() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FixedClock;

    #[test]
    fn a_signature_is_reused_until_three_quarters_of_its_life() {
        let clock = Arc::new(FixedClock::at(1_700_000_000));
        let app = App {
            sdkappid: 1_400_000_001,
            identifier: "admin".into(),
            key: Key::new("k"),
            expire_s: 100,
        };
        let signer = Signer::new(&app, clock.clone());
        assert_eq!(signer.expires(), None);
        let first = signer.signature();
        assert_eq!(signer.expires(), Some(1_700_000_100));
        clock.set(1_700_000_074);
        assert_eq!(**first, **signer.signature());
        clock.set(1_700_000_075);
        let second = signer.signature();
        assert_ne!(**first, **second);
        clock.set(1_700_000_070);
        assert_ne!(**second, **signer.signature());
    }
}
