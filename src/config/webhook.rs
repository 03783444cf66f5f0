//! Configuration of webhooks (docs/protocol.md 8).

use std::time::Duration;

use serde_json::value::RawValue;

use super::{endpoint, or_default, raw, subsection};
use crate::error::Error;
use crate::webhook::Token;

/// Longest token (docs/protocol.md 8.5).
const MAX_TOKEN: usize = 128;
const DAY_S: u64 = 86_400;

/// Webhooks that come in, and where `serve` sends its own.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Signs them.
    pub token: Option<Token>,
    /// Most that the time of a webhook may differ from ours.
    pub max_age: Duration,
    /// Whether webhooks are taken that nobody signed.
    pub unsigned: bool,
    /// Where `serve` sends its webhooks.
    pub url: Option<String>,
}

pub(super) fn parse(raw: Option<&RawValue>) -> Result<Webhook, Error> {
    let section: raw::Webhook = subsection("webhook", raw)?;
    let webhook = Webhook {
        token: section.token.map(parse_token).transpose()?,
        max_age: Duration::from_secs(or_default(section.max_age_s, 60, |raw| {
            raw::number("webhook.max_age_s", raw, 1, DAY_S)
        })?),
        unsigned: or_default(section.unsigned, false, |raw| {
            raw::flag("webhook.unsigned", raw)
        })?,
        url: section.url.map(parse_url).transpose()?,
    };
    if webhook.unsigned && webhook.token.is_some() {
        return Err(Error::config(
            "webhook.unsigned",
            "and \"webhook.token\" exclude each other; keep the token",
        ));
    }
    Ok(webhook)
}

fn parse_token(raw: &RawValue) -> Result<Token, Error> {
    let token = raw::secret("webhook.token", raw)?;
    if !(1..=MAX_TOKEN).contains(&token.chars().count()) {
        return Err(Error::config(
            "webhook.token",
            format!("must have 1 to {MAX_TOKEN} characters"),
        ));
    }
    Ok(Token::new(&token))
}

/// http is allowed to any host, as in the console: a webhook holds no secret, only a digest that ages.
fn parse_url(raw: &RawValue) -> Result<String, Error> {
    let text = raw::text("webhook.url", raw)?;
    endpoint::parse_url("webhook.url", &text).map(|uri| uri.to_string())
}
