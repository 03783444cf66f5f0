//! Saved responses to a get, one after another, are read again: the accounts with their places in the text.

use serde::Deserialize;
use serde_json::value::RawValue;

/// A response to a get.
#[derive(Deserialize)]
struct ListingPage<'a> {
    #[serde(rename = "BlackListItem", borrow)]
    items: Option<Vec<ListedItem<'a>>>,
    #[serde(rename = "ErrorCode", default)]
    code: i64,
}

#[derive(Deserialize)]
struct ListedItem<'a> {
    /// As it stands in the text, so that its place is known.
    #[serde(rename = "To_Account", borrow)]
    account: &'a RawValue,
}

/// What is wrong with a listing, and where: bytes from the start of the text.
pub struct ListingFault {
    /// The place.
    pub offset: usize,
    /// What is wrong there.
    pub what: String,
}

/// Whether `text` is made of such responses. No account is as long as their member with what belongs to it.
pub fn is_listing(text: &str) -> bool {
    text.trim_start().starts_with('{') && text.contains("\"BlackListItem\"")
}

/// The accounts of all responses in `text` with their places.
///
/// # Errors
/// The first fault.
pub fn read_listings(text: &str) -> Result<Vec<(usize, String)>, ListingFault> {
    let mut accounts = Vec::new();
    let mut pages = serde_json::Deserializer::from_str(text).into_iter::<ListingPage>();
    while let Some(page) = pages.next() {
        let page = page.map_err(|error| not_a_page(text, &error))?;
        let Some(items) = page.items.filter(|_| page.code == 0) else {
            return Err(ListingFault {
                offset: pages.byte_offset(),
                what: format!(
                    "the response before this place is no list (code {})",
                    page.code
                ),
            });
        };
        for item in items {
            let raw = item.account.get();
            // It is a part of the text.
            let offset = (raw.as_ptr() as usize) - (text.as_ptr() as usize);
            let account = serde_json::from_str(raw).map_err(|_| ListingFault {
                offset,
                what: "the account is not a string".to_owned(),
            })?;
            accounts.push((offset, account));
        }
    }
    Ok(accounts)
}

fn not_a_page(text: &str, error: &serde_json::Error) -> ListingFault {
    let before = text.split_inclusive('\n').take(error.line() - 1);
    let start: usize = before.map(str::len).sum();
    let mut offset = (start + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    ListingFault {
        offset,
        what: "this is no response of the service to a get".to_owned(),
    }
}
