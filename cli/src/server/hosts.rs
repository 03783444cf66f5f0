//! The names that a server on loopback is called by.
//!
//! A web page may have its name point at loopback and would then be at home on this server, so a name has to be known:
//! one of loopback, one of the service (for clients that find it in the hosts file), or one that was allowed.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};

use hyper::http::uri::Authority;

use chatblock::config::service_hosts;
use chatblock::error::{Error, Status};

/// Which names are answered.
pub(super) enum Hosts {
    /// On an address of the network.
    Any,
    /// On loopback: these, in small letters, and all of loopback.
    Known(HashSet<String>),
}

impl Hosts {
    /// The names for a server at `listen`.
    ///
    /// # Errors
    /// [`Status::Config`] if one of `allowed` is no host, or would change nothing.
    pub(super) fn new(listen: &SocketAddr, allowed: &[String]) -> Result<Self, Error> {
        let unusable = |what: String| Error::new(Status::Config, format!("--allow-host {what}"));
        for name in allowed {
            let parsed = Authority::try_from(name.as_str()).ok();
            if parsed.is_none_or(|parsed| parsed.host() != name || name.is_empty()) {
                return Err(unusable(format!("{name:?} is not a host name")));
            }
        }
        if is_loopback(listen.ip()) {
            let known = service_hosts().map(str::to_owned);
            let allowed = allowed.iter().map(|name| plain(name));
            return Ok(Self::Known(known.chain(allowed).collect()));
        }
        if allowed.is_empty() {
            return Ok(Self::Any);
        }
        Err(unusable(format!(
            "is for loopback addresses; on {} every name is answered",
            listen.ip()
        )))
    }

    /// Whether a request to `authority` is answered.
    pub(super) fn answer_to(&self, authority: &Authority) -> bool {
        let Self::Known(known) = self else {
            return true;
        };
        let host = authority.host();
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        let address = bare.parse::<IpAddr>();
        host.eq_ignore_ascii_case("localhost")
            || address.is_ok_and(is_loopback)
            || known.contains(&plain(host))
    }
}

/// A name as it is compared: in small letters, and without the dot that makes it absolute.
fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// Whether only this machine reaches `address`.
pub(super) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}
