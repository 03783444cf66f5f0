//! The most frequent response to a write: every item succeeded. Its items are compared with the expected text and not
//! parsed, because parsing costs more than all other work on a large response.

use super::fields::RawAnswer;
use crate::api::{Account, Request};

const BEFORE_ITEMS: &str = r#"{"ResultItem":["#;
const BEFORE_ACCOUNT: &str = r#"{"To_Account":""#;
const AFTER_ACCOUNT: &str = r#"","ResultCode":0,"ResultInfo":""}"#;

/// `text` without its items, when these come first and say that each target of `request` was done, in order and
/// written as the service writes them. None does not mean that they say something else.
pub(super) fn without_items(request: &Request, text: &str) -> Option<String> {
    let (first, others) = request.targets().split_first()?;
    let mut rest = skip_item(text.strip_prefix(BEFORE_ITEMS)?, first)?;
    for target in others {
        rest = skip_item(rest.strip_prefix(',')?, target)?;
    }
    rest.starts_with(']').then(|| [BEFORE_ITEMS, rest].concat())
}

/// Whether nothing in the rest of the answer speaks against its items.
pub(super) fn confirms<C>(rest: &RawAnswer<'_, C>) -> bool {
    let is_empty = |names: &Option<super::fields::AccountNames>| {
        names.as_ref().is_none_or(|names| names.0.is_empty())
    };
    is_empty(&rest.failed) && is_empty(&rest.invalid)
}

fn skip_item<'a>(text: &'a str, target: &Account) -> Option<&'a str> {
    if !super::is_plain(target) {
        return None;
    }
    let account = text.strip_prefix(BEFORE_ACCOUNT)?;
    account
        .strip_prefix(target.as_str())?
        .strip_prefix(AFTER_ACCOUNT)
}
