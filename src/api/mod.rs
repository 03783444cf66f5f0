//! The vocabulary of the four blocklist calls: accounts, requests, answers, codes.

pub mod accounts;
pub mod codes;
pub mod list_pages;
pub mod requests;
pub mod responses;

pub use accounts::{Account, Charset};
pub use codes::{Retry, Verdict};
pub use list_pages::ListPages;
pub use requests::{CheckType, Command, Operation, Request, Targets};
pub use responses::{Answer, Item, Listing, Relation};

/// Most targets in one call, entries in one list, entries on one page (docs/protocol.md 9).
pub const MAX_PER_CALL: usize = 1000;
