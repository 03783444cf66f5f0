//! The tables of scripted answers.

/// Cases in lines of `name: answer => end`, made by a function of three arguments, or of four with
/// the call in parentheses.
macro_rules! table {
    ($make:ident($ask:expr); $($name:literal: $answer:expr => $end:expr;)+) => {
        vec![$($make($name, $ask, $answer, $end)),+]
    };
    ($make:ident; $($name:literal: $answer:expr => $end:expr;)+) => {
        vec![$($make($name, $answer, $end)),+]
    };
}

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
        items::arrays(),
        items::shapes(),
        json::documents(),
        json::nesting(),
        json::members(),
        json::strings(),
        commands::listings(),
        commands::listing_entries(),
        commands::checks(),
        commands::odd_checks(),
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
