//! What the program `chatblock` is made of and its tests look into; no API.

#![allow(clippy::missing_errors_doc, clippy::missing_panics_doc)]
#![allow(clippy::must_use_candidate, clippy::module_name_repetitions)]

pub mod server;
