//! Hostile, broken and odd services: whatever they do, a call ends in time with a documented status,
//! and nothing is reported as done that the answer does not say.

mod case;
mod cases;
mod client;

mod bombs;
mod connections;
mod cuts;
mod encryption;
mod retries;
mod shuffles;
mod tables;
