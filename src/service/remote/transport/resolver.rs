//! Names, looked up by one long-lived thread and remembered: ureq would start a thread for each call.

use std::collections::HashMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, unbounded};
use parking_lot::{Condvar, Mutex};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::Spawn;
use super::connector::NotConnected;

/// How long addresses are used without asking again.
const FRESH: Duration = Duration::from_secs(60);
/// Most addresses that ureq takes.
const MAX_ADDRESSES: usize = 16;

/// Clones share one memory and one thread.
#[derive(Clone, Debug)]
pub(super) struct CachingResolver(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    spawn: Spawn,
    names: Mutex<Names>,
    looked_up: Condvar,
}

#[derive(Debug, Default)]
struct Names {
    known: HashMap<String, Known>,
    /// Names on their way to the thread; `None` until it is needed.
    wanted: Option<Sender<String>>,
}

#[derive(Debug, Default)]
struct Known {
    addresses: Vec<SocketAddr>,
    /// When they were looked up; `None` when they should be asked for again.
    since: Option<Instant>,
    pending: bool,
}

impl CachingResolver {
    pub(super) fn new(spawn: Spawn) -> Self {
        Self(Arc::new(Shared {
            spawn,
            names: Mutex::default(),
            looked_up: Condvar::new(),
        }))
    }

    /// Asks for the name of `uri` again the next time; its old addresses stay for the case that there
    /// is no answer.
    pub(super) fn forget(&self, uri: &Uri) {
        if let Some(name) = host_and_port(uri)
            && let Some(known) = self.0.names.lock().known.get_mut(&name)
        {
            known.since = None;
        }
    }

    fn addresses(&self, name: &str, wait: Duration) -> Result<Vec<SocketAddr>, &'static str> {
        let deadline = Instant::now() + wait;
        let mut names = self.0.names.lock();
        loop {
            let known = names.known.entry(name.to_owned()).or_default();
            if known.since.is_some_and(|since| since.elapsed() < FRESH) {
                return Ok(known.addresses.clone());
            }
            if !known.pending {
                self.ask(&mut names, name)?;
                names.known.entry(name.to_owned()).or_default().pending = true;
            }
            let timed_out = self
                .0
                .looked_up
                .wait_until(&mut names, deadline)
                .timed_out();
            let known = names.known.entry(name.to_owned()).or_default();
            let fresh = known.since.is_some_and(|since| since.elapsed() < FRESH);
            if !fresh && (timed_out || !known.pending) {
                // The last good address is better than none.
                return match (known.addresses.is_empty(), timed_out) {
                    (false, _) => Ok(known.addresses.clone()),
                    (true, true) => {
                        Err("the host name was not resolved in time (config key \"connect_ms\")")
                    }
                    (true, false) => {
                        Err("the host name cannot be resolved; check \"base_url\" and the DNS")
                    }
                };
            }
        }
    }

    fn ask(&self, names: &mut Names, name: &str) -> Result<(), &'static str> {
        if names.wanted.is_none() {
            let (wanted, queue) = unbounded::<String>();
            let shared = Arc::downgrade(&self.0);
            let work = move || {
                for name in queue {
                    let found = name.to_socket_addrs().map(Iterator::collect::<Vec<_>>);
                    let Some(shared) = shared.upgrade() else {
                        return;
                    };
                    let mut names = shared.names.lock();
                    let known = names.known.entry(name).or_default();
                    known.pending = false;
                    if let Ok(addresses) = found
                        && !addresses.is_empty()
                    {
                        known.addresses = addresses;
                        known.since = Some(Instant::now());
                    }
                    drop(names);
                    shared.looked_up.notify_all();
                }
            };
            (self.0.spawn)("chatblock-names", Box::new(work))
                .map_err(|_| "no thread can start to resolve names")?;
            names.wanted = Some(wanted);
        }
        let sent = names
            .wanted
            .as_ref()
            .is_some_and(|wanted| wanted.send(name.to_owned()).is_ok());
        if sent {
            Ok(())
        } else {
            Err("the thread that resolves names has ended")
        }
    }
}

impl Resolver for CachingResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let failed = |why: &str| ureq::Error::Other(Box::new(NotConnected(why.to_owned())));
        let name = host_and_port(uri).ok_or(ureq::Error::HostNotFound)?;
        let addresses = if let Ok(address) = name.parse::<SocketAddr>() {
            vec![address]
        } else {
            let connect = config.timeouts().connect.unwrap_or(FRESH);
            self.addresses(&name, connect.min(*timeout.after))
                .map_err(failed)?
        };
        let mut resolved = self.empty();
        for address in addresses.into_iter().take(MAX_ADDRESSES) {
            resolved.push(address);
        }
        Ok(resolved)
    }
}

fn host_and_port(uri: &Uri) -> Option<String> {
    DefaultResolver::host_and_port(uri.scheme()?, uri.authority()?)
}
