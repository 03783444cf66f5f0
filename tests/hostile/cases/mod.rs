//! The tables of scripted answers.

mod commands;
mod envelope;
mod http;
mod items;
mod json;
mod transport;

use crate::case::Case;

/// Answers that differ in what they say.
pub fn content() -> Vec<Case> {
    [
        envelope::codes(),
        envelope::odd_codes(),
        envelope::contradictions(),
        items::matching(),
        items::codes(),
        items::failure_arrays(),
        items::shapes(),
        json::documents(),
        json::texts(),
        commands::listings(),
        commands::listing_entries(),
        commands::checks(),
        commands::old_names(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Answers that differ in how they travel.
pub fn travel() -> Vec<Case> {
    [
        http::statuses(),
        http::redirects(),
        http::codings(),
        http::lengths(),
        http::chunks(),
        http::heads(),
        http::interim(),
        transport::endings(),
        transport::sizes(),
        transport::slow(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
