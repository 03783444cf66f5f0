//! Hostile, broken and odd services: whatever they do, a call ends in time with a documented status,
//! and nothing is reported as done that the answer does not say.

#[path = "hostile/answers.rs"]
mod answers;
#[path = "hostile/case.rs"]
mod case;
#[path = "hostile/cases/mod.rs"]
mod cases;
#[path = "hostile/certificates.rs"]
mod certificates;
#[path = "hostile/client.rs"]
mod client;
#[path = "hostile/server.rs"]
mod server;
#[path = "support/mod.rs"]
mod support;

#[path = "hostile/bombs.rs"]
mod bombs;
#[path = "hostile/connections.rs"]
mod connections;
#[path = "hostile/cuts.rs"]
mod cuts;
#[path = "hostile/encryption.rs"]
mod encryption;
#[path = "hostile/retries.rs"]
mod retries;
#[path = "hostile/shuffles.rs"]
mod shuffles;
#[path = "hostile/tables.rs"]
mod tables;
