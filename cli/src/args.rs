//! Arguments of the command line.

#![allow(
    clippy::doc_markdown,
    reason = "the comments are the help text, where backticks are noise"
)]

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use chatblock_cli::server::Limits;
use clap::{Args, Parser, Subcommand};

/// Per-player block lists for game servers, at Tencent Cloud Chat or in a local store.
///
/// Exit codes: 0 done, 1 done in part, 2 usage or configuration, 3 refused by the service, 4 network
/// or time, 5 storage.
#[derive(Parser)]
#[command(name = "chatblock", version)]
pub struct Arguments {
    /// Configuration (JSON, `-` is standard input); the default is the file that CHATBLOCK_CONFIG names, or `{}`
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print the response of the service, one line per call, instead of a table
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Subcommand)]
pub enum Action {
    /// Block accounts
    Add(Targets),
    /// Unblock accounts
    Delete(Targets),
    /// Show the accounts that an account blocks, oldest first
    Get {
        /// Owner of the list
        owner: String,
        /// Show the whole list, page by page
        #[arg(long, conflicts_with_all = ["start", "limit"])]
        all: bool,
        /// Offset of the first entry
        #[arg(long, default_value_t = 0)]
        start: u32,
        /// Entries on the page
        #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Show which accounts are blocked
    Check {
        #[command(flatten)]
        targets: Targets,
        /// Also whether they block the owner
        #[arg(long)]
        both: bool,
    },
    /// Make and verify signatures
    #[command(subcommand)]
    Usersig(Usersig),
    /// Show and change an outbox file that no client has open
    #[command(subcommand)]
    Outbox(OutboxAction),
    /// Answer the REST API of the service
    Serve(Serve),
    /// Copy the store or the outbox of the configuration, also while it is in use
    Backup {
        /// A new file for the copy; an existing file is never replaced
        copy: PathBuf,
    },
    /// Restore a copy of a store or an outbox; an existing file is moved away
    Restore {
        /// A copy made by `backup`
        copy: PathBuf,
        /// Path of the store or the outbox; no client may have it open
        path: PathBuf,
    },
}

#[derive(Args)]
pub struct Targets {
    /// Owner of the list
    pub owner: String,
    /// The other accounts; `-` reads them from standard input, one per line
    #[arg(required_unless_present = "from_file")]
    pub to: Vec<String>,
    /// Read the other accounts from a file, one per line or as `get` prints them (`-` is standard input)
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    pub from_file: Option<PathBuf>,
    /// Leave white space out at the ends of lines, which is refused without this
    #[arg(long)]
    pub trim: bool,
}

#[derive(Subcommand)]
pub enum Usersig {
    /// Make a signature with the key of the configuration and print it
    Make {
        /// User of the signature; the default is "identifier" of the configuration
        #[arg(long)]
        identifier: Option<String>,
        /// Lifetime in seconds; the default is "usersig_expire_s" of the configuration
        #[arg(long, value_name = "SECONDS")]
        expire: Option<u32>,
    },
    /// Verify a signature, and say what is wrong with it
    Verify {
        /// The signature; `-` reads it from standard input, where other users cannot see it
        #[arg(default_value = "-", allow_hyphen_values = true)]
        usersig: String,
        /// User of the signature; the default is "identifier" of the configuration
        #[arg(long)]
        identifier: Option<String>,
    },
}

#[derive(Subcommand)]
pub enum OutboxAction {
    /// Show queued writes, refused writes, and rows that are not valid writes
    Show {
        /// File of the outbox ("outbox.path" of the configuration)
        file: PathBuf,
    },
    /// Make the next client send refused writes again
    Retry {
        /// File of the outbox
        file: PathBuf,
        #[command(flatten)]
        rows: ToRetry,
    },
    /// Remove writes permanently
    Drop {
        /// File of the outbox
        file: PathBuf,
        #[command(flatten)]
        rows: ToDrop,
    },
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct ToRetry {
    /// Numbers of the writes, as `show` names them
    #[arg(value_name = "ID", allow_negative_numbers = true)]
    pub ids: Vec<i64>,
    /// All that the service refused
    #[arg(long)]
    pub all: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
#[allow(clippy::struct_excessive_bools, reason = "of which one is given")]
pub struct ToDrop {
    /// Numbers of the writes, as `show` names them
    #[arg(value_name = "ID", allow_negative_numbers = true)]
    pub ids: Vec<i64>,
    /// All that are queued: they are never sent
    #[arg(long)]
    pub queued: bool,
    /// All that the service refused
    #[arg(long)]
    pub refused: bool,
    /// All rows that are not valid writes
    #[arg(long)]
    pub bad: bool,
    /// All of these
    #[arg(long)]
    pub all: bool,
}

#[derive(Args)]
pub struct Serve {
    /// Address and port, or a port of loopback; port 0 selects a free one
    #[arg(long, default_value = "127.0.0.1:0", value_parser = listen)]
    pub listen: SocketAddr,
    /// Name that is answered on loopback too, beside loopback names and those of the service; may be repeated
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<String>,
    /// Serve plain HTTP on an address that is not loopback
    #[arg(long, conflicts_with = "tls_cert")]
    pub allow_plain_http: bool,
    /// Most connections; beyond them the oldest without a call of an admin makes room
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().connections)]
    pub max_connections: usize,
    /// The same for one address, and for a /64 network of IPv6
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().connections_per_address)]
    pub max_connections_per_address: usize,
    /// Memory for the bodies of all requests that are not answered
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().body_bytes)]
    pub max_body_bytes: usize,
    /// Initial app, accounts, lists and clock (JSON, see docs/state-file.md)
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Certificate and its chain (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
}

/// An address to listen on. Without a host it is loopback, because everything else has to be asked for.
fn listen(text: &str) -> Result<SocketAddr, String> {
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let port: u16 = port
        .parse()
        .map_err(|_| "write HOST:PORT or PORT, with a port of 0 to 65535".to_owned())?;
    if host.is_empty() || host.eq_ignore_ascii_case("localhost") {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    text.to_socket_addrs()
        .map_err(|error| format!("the address of {host} is not found: {error}"))?
        .next()
        .ok_or_else(|| format!("{host} has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_one_of_loopback() {
        let table = [
            ("8080", "127.0.0.1:8080"),
            (":8080", "127.0.0.1:8080"),
            ("localhost:8080", "127.0.0.1:8080"),
            ("LOCALHOST:0", "127.0.0.1:0"),
            ("127.0.0.2:80", "127.0.0.2:80"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("[::1]:443", "[::1]:443"),
            ("[::]:443", "[::]:443"),
        ];
        for (text, address) in table {
            assert_eq!(
                listen(text),
                Ok(address.parse().expect("an address")),
                "{text}"
            );
        }
        for text in [
            "",
            ":",
            "nowhere",
            "localhost",
            "localhost:",
            "1:65536",
            "::1",
            "-1",
            ":-1",
        ] {
            assert!(listen(text).is_err(), "{text}");
        }
    }
}
