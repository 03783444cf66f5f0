//! Every code of the service that is known: what it means, what may be done about it, and whom it concerns.

/// What a client may do about a code (docs/protocol.md 6, choice C32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Repeat after a short delay with jitter.
    Soon,
    /// Repeat once, then report.
    Once,
    /// Repeat after a delay of at least one second, doubling.
    Backoff,
    /// Do not use this signature before 60 seconds have passed.
    Wait60s,
    /// Make a new `UserSig`, repeat once.
    Renew,
    /// Report; repeating unchanged cannot help.
    Never,
}

impl Retry {
    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_retryable(self) -> bool {
        self != Self::Never
    }
}

/// Whom a refusal concerns: whether a write that is kept until it is answered ends with it (choice C46).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// The caller: key, signature, app, address, quota, rights, or the state of the service. It says nothing
    /// about the write, which can be done once the cause is mended.
    Caller,
    /// The write: its accounts, their list, or its form. Sent again, it would be refused again.
    Write,
    /// In an item: that account. Of a whole request the code does not say whether it means an account or the caller, so the
    /// write is kept.
    Unclear,
}

/// One code of the service.
#[derive(Clone, Copy, Debug)]
pub struct ServiceCode {
    /// The number.
    pub code: i32,
    /// What may be done about it.
    pub retry: Retry,
    /// Whom it concerns.
    pub concern: Concern,
    /// What it means and, where there is one, the next step.
    pub meaning: &'static str,
}

/// A parameter is wrong, or (item level) there is nothing to do.
pub const BAD_PARAMETER: i32 = 30001;
/// The account has not been imported.
pub const NO_SUCH_ACCOUNT: i32 = 30003;
/// The caller is not an app admin.
pub const NOT_ADMIN: i32 = 30004;
/// The list holds 1000 entries.
pub const LIST_FULL: i32 = 30013;
/// Method or request line cannot be used.
pub const BAD_HTTP: i32 = 60002;
/// The body is not a JSON object.
pub const BAD_JSON: i32 = 60003;
/// Calls come too fast.
pub const TOO_FREQUENT: i32 = 60007;
/// No such command.
pub const NO_SUCH_COMMAND: i32 = 60009;
/// `sdkappid` is missing.
pub const SDKAPPID_MISSING: i32 = 60012;
/// An account in the body is not a string.
pub const ACCOUNT_NOT_STRING: i32 = 60015;
/// A parameter of the request line is missing or wrong.
pub const BAD_QUERY: i32 = 60025;
/// The signature has expired.
pub const SIGNATURE_EXPIRED: i32 = 70001;
/// The signature cannot be decoded.
pub const SIGNATURE_ILLEGAL: i32 = 70003;
/// The signature was made with another key.
pub const SIGNATURE_OTHER_KEY: i32 = 70009;
/// The signature was made for another user.
pub const SIGNATURE_OTHER_USER: i32 = 70013;
/// The signature was made for another app.
pub const SIGNATURE_OTHER_APP: i32 = 70014;
/// The app is unknown here.
pub const UNKNOWN_APP: i32 = 70020;

/// Too many signatures were refused.
pub const SIGNATURES_REFUSED: i32 = 70050;

const fn code(code: i32, retry: Retry, concern: Concern, meaning: &'static str) -> ServiceCode {
    ServiceCode {
        code,
        retry,
        concern,
        meaning,
    }
}

/// A code that says nothing about the request and that does not pass by itself.
const fn refuses_caller(code: i32, meaning: &'static str) -> ServiceCode {
    ServiceCode {
        code,
        retry: Retry::Never,
        concern: Concern::Caller,
        meaning,
    }
}

/// Every known code, ascending.
pub const SERVICE_CODES: &[ServiceCode] = &[
    code(
        BAD_PARAMETER,
        Retry::Never,
        Concern::Write,
        "a parameter of the request is wrong",
    ),
    code(
        30002,
        Retry::Never,
        Concern::Unclear,
        "the account belongs to another SDKAppID or was deleted",
    ),
    code(
        NO_SUCH_ACCOUNT,
        Retry::Never,
        Concern::Write,
        "the account has not been imported; import it first",
    ),
    refuses_caller(
        NOT_ADMIN,
        "the caller is not an app admin; appoint \"identifier\" in the console",
    ),
    code(
        30006,
        Retry::Soon,
        Concern::Caller,
        "internal error of the service",
    ),
    code(30007, Retry::Soon, Concern::Caller, "the service timed out"),
    code(
        30008,
        Retry::Soon,
        Concern::Caller,
        "another write to the same list was under way",
    ),
    code(
        LIST_FULL,
        Retry::Never,
        Concern::Write,
        "the blocklist is full (1000 entries); remove some first",
    ),
    refuses_caller(BAD_HTTP, "the request line cannot be used"),
    code(
        BAD_JSON,
        Retry::Never,
        Concern::Unclear,
        "the request body is not a JSON object",
    ),
    code(
        60004,
        Retry::Once,
        Concern::Caller,
        "the service could not check the account",
    ),
    code(
        60005,
        Retry::Once,
        Concern::Caller,
        "the service could not check the account",
    ),
    refuses_caller(60006, "the SDKAppID is invalid"),
    code(
        TOO_FREQUENT,
        Retry::Backoff,
        Concern::Caller,
        "calls come too fast; lower \"rate_per_second\" or raise the limit in the console",
    ),
    code(60008, Retry::Soon, Concern::Caller, "the service timed out"),
    refuses_caller(NO_SUCH_COMMAND, "no such command; check \"base_url\""),
    refuses_caller(
        60010,
        "the caller is not an app admin; appoint \"identifier\" in the console",
    ),
    code(
        60011,
        Retry::Backoff,
        Concern::Caller,
        "calls of this SDKAppID come too fast",
    ),
    refuses_caller(SDKAPPID_MISSING, "the SDKAppID is missing"),
    code(
        60013,
        Retry::Once,
        Concern::Caller,
        "the service could not read its own answer",
    ),
    code(
        60014,
        Retry::Soon,
        Concern::Caller,
        "the account look-up timed out",
    ),
    code(
        ACCOUNT_NOT_STRING,
        Retry::Never,
        Concern::Unclear,
        "an account in the request is not a JSON string",
    ),
    refuses_caller(60016, "the SDKAppID is disabled"),
    refuses_caller(60017, "this request is disabled"),
    code(
        60018,
        Retry::Backoff,
        Concern::Caller,
        "calls come too fast",
    ),
    code(
        60019,
        Retry::Backoff,
        Concern::Caller,
        "calls come too fast",
    ),
    refuses_caller(60020, "the plan is not bought, expired or in arrears"),
    refuses_caller(
        60021,
        "calls from this IP address are not allowed; see the console",
    ),
    refuses_caller(
        BAD_QUERY,
        "SDKAppID, identifier, UserSig or content type is wrong",
    ),
    refuses_caller(
        60026,
        "the host does not serve this SDKAppID; check \"region\"",
    ),
    refuses_caller(60027, "the SDKAppID belongs to another product"),
    refuses_caller(
        60028,
        "the calls of the trial edition are used up for 24 hours",
    ),
    code(
        SIGNATURE_EXPIRED,
        Retry::Renew,
        Concern::Caller,
        "the UserSig has expired; if a new one is refused too, check the clock of this machine",
    ),
    refuses_caller(70002, "the UserSig is empty"),
    refuses_caller(SIGNATURE_ILLEGAL, "the UserSig cannot be decoded"),
    refuses_caller(70005, "the UserSig is illegal"),
    refuses_caller(
        SIGNATURE_OTHER_KEY,
        "the UserSig does not verify: the secret key belongs to another SDKAppID",
    ),
    refuses_caller(
        SIGNATURE_OTHER_USER,
        "the UserSig was made for another identifier",
    ),
    refuses_caller(
        SIGNATURE_OTHER_APP,
        "the UserSig was made for another SDKAppID",
    ),
    refuses_caller(
        70016,
        "the service has no key for this SDKAppID; check \"region\"",
    ),
    refuses_caller(
        UNKNOWN_APP,
        "the SDKAppID is unknown here; check \"sdkappid\" and \"region\"",
    ),
    code(
        SIGNATURES_REFUSED,
        Retry::Wait60s,
        Concern::Caller,
        "too many failed signature checks; wait a minute",
    ),
    code(
        70051,
        Retry::Never,
        Concern::Unclear,
        "the account is barred by the service",
    ),
    code(
        70052,
        Retry::Renew,
        Concern::Caller,
        "the UserSig is no longer valid",
    ),
    refuses_caller(70101, "the log-in ticket has expired"),
    code(
        70107,
        Retry::Never,
        Concern::Unclear,
        "the account has not been imported; import it first",
    ),
    refuses_caller(70114, "refused for security reasons"),
    code(
        70169,
        Retry::Soon,
        Concern::Caller,
        "the service timed out inside",
    ),
    code(
        70202,
        Retry::Soon,
        Concern::Caller,
        "the service timed out inside",
    ),
    code(
        70206,
        Retry::Never,
        Concern::Unclear,
        "illegal number of accounts in a batch",
    ),
    refuses_caller(70346, "refused by the service, meaning unpublished"),
    refuses_caller(70398, "the number of accounts of this app is used up"),
    refuses_caller(
        70399,
        "a deleted account cannot be imported again within three months",
    ),
    code(
        70402,
        Retry::Never,
        Concern::Unclear,
        "a parameter of the account call is wrong",
    ),
    refuses_caller(70403, "the caller is not an app admin"),
    refuses_caller(70404, "the client SDK is too old"),
    code(
        70500,
        Retry::Soon,
        Concern::Caller,
        "internal error of the service",
    ),
    refuses_caller(71000, "deleting accounts is not allowed in this edition"),
    refuses_caller(72000, "the daily active users of this app are used up"),
    refuses_caller(72001, "the feature is not enabled"),
    refuses_caller(72002, "the monthly active users of this app are used up"),
    code(
        72010,
        Retry::Backoff,
        Concern::Caller,
        "log-in related calls come too fast",
    ),
    refuses_caller(72011, "the feature is not enabled"),
    refuses_caller(72012, "the feature is not enabled"),
];
