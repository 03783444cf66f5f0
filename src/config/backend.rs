//! Which backend is configured, and which keys it excludes.
//!
//! A key without effect would be ignored silently: a forgotten `sdkappid` must not turn a client of the service with
//! a durable outbox into lists in memory.

use super::{raw, subsection};
use crate::error::Error;

/// What a configuration gives.
#[derive(Clone, Copy)]
pub(super) struct Given {
    /// An app and its key.
    pub(super) app: bool,
    /// A region or a URL.
    pub(super) endpoint: bool,
    /// A file for the outbox.
    pub(super) outbox: bool,
}

/// Whether the backend is the remote one.
pub(super) fn choose(top: &raw::Top, given: Given) -> Result<bool, Error> {
    let chosen = top
        .backend
        .map(|raw| raw::choice("backend", raw, &[("embedded", false), ("remote", true)]))
        .transpose()?;
    let is_remote = chosen.unwrap_or(given.app);
    if !given.app {
        check_no_app(top, is_remote)?;
    }
    if is_remote {
        check_remote(top, given)?;
    } else if top.outbox.is_some() {
        return Err(Error::config(
            "outbox",
            "belongs to backend \"remote\"; the embedded engine keeps its lists in \"path\": remove it, or \
             change \"backend\"",
        ));
    }
    Ok(is_remote)
}

/// What says nothing without an app: the keys of the remote backend, and those about its signatures and its webhooks.
fn check_no_app(top: &raw::Top, is_remote: bool) -> Result<(), Error> {
    let webhook: raw::Webhook = subsection("webhook", top.webhook)?;
    let needs_app = [
        ("region", top.region),
        ("base_url", top.base_url),
        ("outbox", top.outbox),
        ("tls", top.tls),
        ("proxy", top.proxy),
        ("connect_ms", top.connect_ms),
        ("attempt_ms", top.attempt_ms),
        ("call_ms", top.call_ms),
        ("connections", top.connections),
        ("retry", top.retry),
        ("cache", top.cache),
        ("identifier", top.identifier),
        ("usersig_expire_s", top.usersig_expire_s),
        ("webhook.max_age_s", webhook.max_age_s),
        ("webhook.unsigned", webhook.unsigned),
    ];
    if is_remote {
        return Err(Error::config(
            "sdkappid",
            "and a secret key are needed by backend \"remote\"; add \"sdkappid\" and \"secret_key_file\"",
        ));
    }
    match needs_app.into_iter().find(|(_, raw)| raw.is_some()) {
        Some((key, _)) => Err(Error::config(
            key,
            "is given without an app; add \"sdkappid\" and a secret key (\"secret_key_file\" or \
             \"secret_key_env\"), or remove it to use the embedded engine",
        )),
        None => Ok(()),
    }
}

/// What the remote backend cannot do without, and what does not go with it.
fn check_remote(top: &raw::Top, given: Given) -> Result<(), Error> {
    let embedded_only = [
        ("path", top.path),
        ("accounts", top.accounts),
        ("account_charset", top.account_charset),
    ];
    if let Some((key, _)) = embedded_only.into_iter().find(|(_, raw)| raw.is_some()) {
        return Err(Error::config(
            key,
            "belongs to backend \"embedded\"; set \"backend\" or remove it",
        ));
    }
    if !given.endpoint {
        return Err(Error::config(
            "region",
            "is missing; name the data centre of the app, or set \"base_url\"",
        ));
    }
    if top.outbox.is_some() && !given.outbox {
        return Err(Error::config(
            "outbox.path",
            "is missing: without it writes are kept in memory; name a file, or remove \"outbox\"",
        ));
    }
    Ok(())
}
