//! Clients that talk to the fault server.

use chatblock::Client;
use serde_json::Value;

use testkit::fault_server::{FaultServer, config};

/// A client for `server`.
pub fn client(server: &FaultServer, more: &Value) -> Client {
    open(&config(server, more))
}

/// A client with this configuration.
pub fn open(config: &Value) -> Client {
    Client::open(&config.to_string()).expect("the configuration is sound")
}
