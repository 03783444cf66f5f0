//! Webhooks: telling those of the service from forged ones, and signing our own (docs/protocol.md 8).

use std::fmt::{self, Write as _};
use std::net::IpAddr;
use std::time::Duration;

use hmac::digest::CtOutput;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::query::{Found, collect};
use crate::wire::Malformed;

pub use crate::wire::webhook::{Change, Event, answer, check_answer, read_event, write_event};

/// The token of a console: wiped on drop, never shown.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Token(Box<[u8]>);

impl Token {
    /// A token; its UTF-8 bytes are used as they are.
    pub fn new(text: &str) -> Self {
        Self(text.as_bytes().into())
    }

    /// The digest that is sent as `Sign` (docs/protocol.md 8.5). It covers neither query nor body.
    fn sign(&self, request_time: &str) -> CtOutput<Sha256> {
        let digest = Sha256::new()
            .chain_update(&self.0)
            .chain_update(request_time);
        CtOutput::new(digest.finalize())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// Why a webhook is refused. No text contains the token or what would have been a right signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// It is not as the service writes it.
    Malformed(&'static str),
    /// `SdkAppid` is another app's.
    ForeignApp,
    /// It is not signed with the token, or nothing is configured that could show that it is genuine.
    Forged(&'static str),
    /// Signed too long ago or too far ahead: perhaps genuine, perhaps replayed.
    Stale {
        /// Seconds between its time and the clock of this machine.
        away_s: u64,
    },
    /// Genuine, and about something else than blocklists.
    UnknownCommand,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(what) => write!(f, "the webhook {what}"),
            Self::ForeignApp => f.write_str("SdkAppid is not our app"),
            Self::Forged(what) => f.write_str(what),
            Self::Stale { away_s } => write!(
                f,
                "RequestTime is {away_s} s away from the clock of this machine, more than \
                 \"webhook.max_age_s\" allows: the webhook was repeated by somebody, or a clock is wrong"
            ),
            Self::UnknownCommand => f.write_str("CallbackCommand is not about blocklists"),
        }
    }
}

impl std::error::Error for Rejection {}

impl From<Malformed> for Rejection {
    fn from(Malformed(what): Malformed) -> Self {
        Self::Malformed(what)
    }
}

/// The documented parameters; those that are not read here must still not be duplicated.
const NAMES: [&str; 7] = [
    "SdkAppid",
    "CallbackCommand",
    "contenttype",
    "ClientIP",
    "OptPlatform",
    "Sign",
    "RequestTime",
];

/// Verifies that a webhook comes from the service.
#[derive(Clone, Debug)]
pub struct Verifier {
    sdkappid: u32,
    token: Option<Token>,
    unsigned: bool,
    max_age: Duration,
}

impl Verifier {
    /// A verifier for one app. With a token every webhook must be signed; without one all are refused, unless
    /// `unsigned` says that every sender is trusted.
    pub fn new(sdkappid: u32, token: Option<Token>, unsigned: bool, max_age: Duration) -> Self {
        Self {
            sdkappid,
            token,
            unsigned,
            max_age,
        }
    }

    /// What a webhook with this query is about: the part after `?`, as it arrived. Only then is its
    /// body to be looked at, with [`read_event`].
    ///
    /// # Errors
    /// Why it is refused.
    pub fn verify(&self, query: &str, now_unix: i64) -> Result<Change, Rejection> {
        let found = collect(query, &NAMES);
        if found.contains(&Found::Unusable) {
            return Err(Rejection::Malformed(
                "has a parameter that stands twice or is not UTF-8",
            ));
        }
        let [app, command, content_type, _, _, sign, time] = found.map(|found| match found {
            Found::Once(value) => Some(value),
            _ => None,
        });
        let app = app.ok_or(Rejection::Malformed("lacks SdkAppid"))?;
        if decimal(&app) != Some(u64::from(self.sdkappid)) {
            return Err(Rejection::ForeignApp);
        }
        self.check_sign(sign.as_deref(), time.as_deref(), now_unix)?;
        if content_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("json")) {
            return Err(Rejection::Malformed("has a contenttype other than json"));
        }
        let command = command.ok_or(Rejection::Malformed("lacks CallbackCommand"))?;
        Change::from_callback_command(&command).ok_or(Rejection::UnknownCommand)
    }

    fn check_sign(
        &self,
        sign: Option<&str>,
        time: Option<&str>,
        now_unix: i64,
    ) -> Result<(), Rejection> {
        let Some(token) = &self.token else {
            return if self.unsigned {
                Ok(())
            } else {
                Err(Rejection::Forged(
                    "no webhook can be verified: configure \"webhook.token\" as in the console",
                ))
            };
        };
        let (Some(sign), Some(time)) = (sign, time) else {
            return Err(Rejection::Forged(
                "the webhook is not signed: Sign or RequestTime is missing",
            ));
        };
        let Some(sent) = decimal(time) else {
            return Err(Rejection::Malformed("has a RequestTime that is no time"));
        };
        if digest(sign).is_none_or(|digest| token.sign(time) != digest) {
            return Err(Rejection::Forged(
                "Sign was not made with our token: it was forged, or \"webhook.token\" is not the console's",
            ));
        }
        let now = u64::try_from(now_unix).unwrap_or(0);
        let away_s = now.abs_diff(sent);
        if away_s > self.max_age.as_secs() {
            return Err(Rejection::Stale { away_s });
        }
        Ok(())
    }
}

fn decimal(text: &str) -> Option<u64> {
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_decimal)
}

/// The 32 bytes of 64 lower-case hexadecimal digits.
fn digest(hex: &str) -> Option<CtOutput<Sha256>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = hex.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let bytes = pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    let bytes: [u8; 32] = bytes.collect::<Option<Vec<_>>>()?.try_into().ok()?;
    Some(CtOutput::new(bytes.into()))
}

/// The query of a webhook about `change`, caused by the client at `client_ip` through the REST API; signed
/// with the token and Unix time in `signed`, if any (docs/protocol.md 8.2 and 8.5).
pub fn signed_query(
    sdkappid: u64,
    change: Change,
    client_ip: IpAddr,
    signed: Option<(&Token, i64)>,
) -> String {
    let mut query = format!(
        "SdkAppid={sdkappid}&CallbackCommand={}&contenttype=json&ClientIP={}&OptPlatform=RESTAPI",
        change.callback_command(),
        client_ip.to_canonical()
    );
    if let Some((token, now)) = signed {
        let time = now.max(0).to_string();
        query.push_str("&Sign=");
        for byte in token.sign(&time).as_bytes() {
            write!(query, "{byte:02x}").expect("a String takes everything");
        }
        query.push_str("&RequestTime=");
        query.push_str(&time);
    }
    query
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const NOW: i64 = 1_700_000_000;
    const APP: u32 = 88;

    fn verifier(token: Option<&str>, unsigned: bool) -> Verifier {
        let token = token.map(Token::new);
        Verifier::new(APP, token, unsigned, Duration::from_mins(1))
    }

    fn signed(token: &str, time: i64) -> String {
        let localhost = Ipv4Addr::LOCALHOST.into();
        let token = Token::new(token);
        signed_query(APP.into(), Change::Add, localhost, Some((&token, time)))
    }

    fn plain() -> String {
        signed_query(APP.into(), Change::Add, Ipv4Addr::LOCALHOST.into(), None)
    }

    #[test]
    fn digests_are_those_of_the_vectors() {
        let text = include_str!("../tests/vectors/webhook_sign.json");
        let vectors: serde_json::Value = serde_json::from_str(text).expect("the vectors are sound");
        for vector in vectors.as_array().expect("a list") {
            let text = |name: &str| vector[name].as_str().expect("a text");
            let time: i64 = text("request_time").parse().expect("a time");
            let query = signed(text("token"), time);
            assert!(
                query.contains(&format!("&Sign={}&", text("sign"))),
                "{vector}"
            );
            let verdict = verifier(Some(text("token")), false).verify(&query, time);
            assert_eq!(verdict, Ok(Change::Add), "{vector}");
        }
    }

    #[test]
    fn only_the_right_token_and_time_verify() {
        let verifier = verifier(Some("token"), false);
        let good = signed("token", NOW);
        assert_eq!(verifier.verify(&good, NOW), Ok(Change::Add));
        let forged = [
            plain(),
            signed("other", NOW),
            good.replace("RequestTime=1700000000", "RequestTime=1700000001"),
            good.replace("RequestTime=1700000000", "RequestTime=01700000000"),
            good.replace("&RequestTime=1700000000", ""),
            good.replace("Sign=", "Sign=0"),
            good.replace("Sign=", "Sign=00"),
            good.replace("Sign=", "Signature="),
            good.to_uppercase()
                .replace("SDKAPPID", "SdkAppid")
                .replace("SIGN", "Sign")
                .replace("REQUESTTIME", "RequestTime"),
            format!("{}&Sign=&RequestTime=0", plain()),
        ];
        for query in forged {
            let verdict = verifier.verify(&query, NOW);
            assert!(
                matches!(verdict, Err(Rejection::Forged(_))),
                "{query}: {verdict:?}"
            );
        }
    }

    #[test]
    fn one_changed_digit_of_the_sign_is_enough() {
        let verifier = verifier(Some("token"), false);
        let good = signed("token", NOW);
        let start = good.find("Sign=").expect("a sign") + "Sign=".len();
        for place in start..start + 64 {
            let mut changed = good.clone().into_bytes();
            changed[place] ^= 1;
            let changed = String::from_utf8(changed).expect("ASCII");
            assert!(verifier.verify(&changed, NOW).is_err(), "{changed}");
        }
    }

    #[test]
    fn a_clock_may_differ_by_the_allowed_age_and_no_more() {
        let verifier = verifier(Some("token"), false);
        for (difference, fresh) in [
            (0, true),
            (60, true),
            (61, false),
            (-60, true),
            (-61, false),
        ] {
            let verdict = verifier.verify(&signed("token", NOW), NOW + difference);
            assert_eq!(verdict.is_ok(), fresh, "{difference}: {verdict:?}");
        }
        for now in [i64::MIN, -1, i64::MAX] {
            let verdict = verifier.verify(&signed("token", NOW), now);
            assert!(
                matches!(verdict, Err(Rejection::Stale { .. })),
                "{verdict:?}"
            );
        }
    }

    #[test]
    fn without_a_token_everything_is_refused_unless_that_is_wanted() {
        for query in [plain(), signed("token", NOW), signed("", NOW)] {
            let refused = verifier(None, false).verify(&query, NOW);
            assert!(matches!(refused, Err(Rejection::Forged(_))), "{refused:?}");
            assert_eq!(verifier(None, true).verify(&query, NOW), Ok(Change::Add));
        }
        assert!(verifier(Some("token"), true).verify(&plain(), NOW).is_err());
    }

    #[test]
    fn every_fault_of_a_query_has_its_kind() {
        let command = "CallbackCommand=Sns.CallbackBlackListAdd";
        let table = [
            (format!("SdkAppid=89&{command}"), Rejection::ForeignApp),
            (format!("SdkAppid=&{command}"), Rejection::ForeignApp),
            (format!("SdkAppid=%2b88&{command}"), Rejection::ForeignApp),
            (
                format!("SdkAppid=4294967384&{command}"),
                Rejection::ForeignApp,
            ),
            (
                "SdkAppid=88&CallbackCommand=Sns.CallbackFriendAdd".into(),
                Rejection::UnknownCommand,
            ),
            (
                format!(
                    "SdkAppid=88&{}",
                    command
                        .to_lowercase()
                        .replace("callbackcommand", "CallbackCommand")
                ),
                Rejection::UnknownCommand,
            ),
        ];
        for (query, kind) in table {
            assert_eq!(
                verifier(None, true).verify(&query, NOW),
                Err(kind),
                "{query}"
            );
        }
        let malformed = [
            String::new(),
            command.to_owned(),
            format!("sdkappid=88&{command}"),
            "SdkAppid=88".to_owned(),
            format!("SdkAppid=88&SdkAppid=88&{command}"),
            format!("SdkAppid=88&%53dkAppid=88&{command}"),
            format!("SdkAppid=88&{command}&{command}"),
            format!("SdkAppid=88&{command}&ClientIP=1&ClientIP=1"),
            format!("SdkAppid=88&{command}&contenttype=xml"),
            format!("SdkAppid=88&{command}&OptPlatform=%ff"),
        ];
        for query in malformed {
            let verdict = verifier(None, true).verify(&query, NOW);
            assert!(
                matches!(verdict, Err(Rejection::Malformed(_))),
                "{query}: {verdict:?}"
            );
        }
    }

    #[test]
    fn odd_but_sound_queries_verify() {
        let command = "CallbackCommand=Sns%2eCallbackBlackListDelete";
        for query in [
            format!("{command}&SdkAppid=88"),
            format!("SdkAppid=%38%38&contenttype=JSON&{command}&ClientIP=&OptPlatform=iOS"),
            format!("SdkAppid=88&{command}&contenttype=Json&new=1&new=2&&=&%ff=1"),
        ] {
            let verdict = verifier(None, true).verify(&query, NOW);
            assert_eq!(verdict, Ok(Change::Delete), "{query}");
        }
    }

    #[test]
    fn nothing_that_is_shown_contains_the_token_or_a_right_sign() {
        let verifier = verifier(Some("CANARY"), false);
        let good = signed("CANARY", NOW);
        let right = &good[good.find("Sign=").expect("a sign") + 5..][..64];
        let rejections = [
            verifier.verify(&good, NOW + 100),
            verifier.verify(&signed("other", NOW), NOW),
            verifier.verify(&plain(), NOW),
        ];
        for rejection in rejections {
            let rejection = rejection.expect_err("it is refused");
            let shown = format!("{rejection} {rejection:?} {verifier:?}");
            assert!(
                !shown.contains("CANARY") && !shown.contains(right),
                "{shown}"
            );
        }
    }
}
