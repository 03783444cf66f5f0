//! Cache of verified signatures of callers (docs/protocol.md 7.6).

use std::num::NonZeroUsize;

use lru::LruCache;
use parking_lot::Mutex;

use chatblock::api::codes::SIGNATURE_OTHER_KEY;
use chatblock::usersig::{self, Decoded, Key};

/// Signatures that are remembered. One per admin and day is usual; a client that makes a new signature for every call
/// fills this in seconds and gains nothing from it.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(1024).expect("not 0");

/// Verifies signatures of one app. Only valid ones are cached, so that a client without the key cannot evict them.
pub(super) struct Signatures {
    sdkappid: u64,
    key: Key,
    /// By their whole text.
    genuine: Mutex<LruCache<Box<str>, Decoded>>,
}

impl Signatures {
    pub(super) fn new(sdkappid: u64, key: Key) -> Self {
        Self {
            sdkappid,
            key,
            genuine: Mutex::new(LruCache::new(REMEMBERED)),
        }
    }

    pub(super) fn sdkappid(&self) -> u64 {
        self.sdkappid
    }

    /// Verifies `usersig` in the order of docs/protocol.md 7.6. A signature seen before costs neither
    /// inflating nor HMAC; app, user and time are checked every time.
    ///
    /// # Errors
    /// The service's code: 70003, 70014, 70013, 70001 or 70009.
    pub(super) fn verify(&self, identifier: &str, usersig: &str, now: i64) -> Result<(), i32> {
        let check = |decoded: &Decoded| decoded.check_claims(self.sdkappid, identifier, now);
        if let Some(decoded) = self.genuine.lock().get(usersig) {
            return check(decoded);
        }
        let decoded = usersig::decode(usersig)?;
        check(&decoded)?;
        if !decoded.is_genuine(&self.key) {
            return Err(SIGNATURE_OTHER_KEY);
        }
        self.genuine.lock().put(usersig.into(), decoded);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatblock::api::codes::{SIGNATURE_EXPIRED, SIGNATURE_OTHER_USER};
    use chatblock::usersig::Claims;

    const NOW: i64 = 1_700_000_000;

    fn sign(identifier: &str, time: i64) -> String {
        let claims = Claims {
            identifier: identifier.into(),
            sdkappid: 88,
            time,
            expire: 100,
            userbuf: None,
        };
        usersig::make(&Key::new("k"), &claims).to_string()
    }

    #[test]
    fn a_remembered_signature_still_expires_and_belongs_to_one_user() {
        let signatures = Signatures::new(88, Key::new("k"));
        let usersig = sign("admin", NOW);
        for _ in 0..2 {
            assert_eq!(signatures.verify("admin", &usersig, NOW), Ok(()));
        }
        assert_eq!(signatures.genuine.lock().len(), 1);
        assert_eq!(
            signatures.verify("admin", &usersig, NOW + 101),
            Err(SIGNATURE_EXPIRED)
        );
        assert_eq!(
            signatures.verify("bob", &usersig, NOW),
            Err(SIGNATURE_OTHER_USER)
        );
    }

    #[test]
    fn what_was_refused_is_not_remembered() {
        let signatures = Signatures::new(88, Key::new("other"));
        assert_eq!(
            signatures.verify("admin", &sign("admin", NOW), NOW),
            Err(SIGNATURE_OTHER_KEY)
        );
        assert!(signatures.genuine.lock().is_empty());
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_what_is_used() {
        let signatures = Signatures::new(88, Key::new("k"));
        let used = sign("admin", NOW);
        for time in 0..3000 {
            let usersig = sign("admin", NOW + time);
            assert_eq!(signatures.verify("admin", &usersig, NOW), Ok(()));
            assert_eq!(signatures.verify("admin", &used, NOW), Ok(()));
            let genuine = signatures.genuine.lock();
            assert!(genuine.len() <= REMEMBERED.get());
            assert!(genuine.contains(used.as_str()));
        }
    }
}
