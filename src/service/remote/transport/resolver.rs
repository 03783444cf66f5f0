//! Name resolution by one long-lived thread, with a cache: ureq would start a thread for each call.

use std::collections::HashMap;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::{Condvar, Mutex};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::race;
use super::{NotConnected, Spawn};
use crate::clock::Clock;

/// How long addresses are used without asking again.
const FRESH: Duration = Duration::from_mins(1);
/// Most addresses that ureq takes.
const MAX_ADDRESSES: usize = 16;

/// Clones share one memory and one thread.
#[derive(Clone)]
pub(super) struct CachingResolver(Arc<ResolverState>);

struct ResolverState {
    clock: Arc<dyn Clock>,
    spawn: Spawn,
    names: Mutex<ResolvedNames>,
    looked_up: Condvar,
}

#[derive(Default)]
struct ResolvedNames {
    known: HashMap<String, ResolvedName>,
    /// Names on their way to the thread; `None` until it is needed.
    wanted: Option<Sender<String>>,
}

#[derive(Default)]
struct ResolvedName {
    addresses: Vec<SocketAddr>,
    /// The one that answered last; it stays the first choice.
    good: Option<SocketAddr>,
    /// When they were looked up; `None` when they should be asked for again.
    since: Option<Instant>,
    /// The thread is looking it up.
    pending: bool,
    /// How many look-ups have ended, well or not.
    look_ups: u64,
}

impl CachingResolver {
    pub(super) fn new(clock: Arc<dyn Clock>, spawn: Spawn) -> Self {
        Self(Arc::new(ResolverState {
            clock,
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

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    /// The host of `uri` answered at `address`.
    pub(super) fn prefer(&self, uri: &Uri, address: SocketAddr) {
        if let Some(name) = host_and_port(uri)
            && let Some(known) = self.0.names.lock().known.get_mut(&name)
        {
            known.good = Some(address);
        }
    }

    fn addresses(&self, name: &str, wait: Duration) -> Result<Vec<SocketAddr>, &'static str> {
        let deadline = self.0.clock.now() + wait;
        let mut names = self.0.names.lock();
        let mut timed_out = false;
        let mut earlier = None;
        loop {
            let known = names.known.entry(name.to_owned()).or_default();
            if known.is_fresh(self.0.clock.now()) {
                return Ok(known.choice());
            }
            let failed = known.look_ups > *earlier.get_or_insert(known.look_ups);
            if timed_out || failed {
                // The last good address is better than none.
                return match known.addresses.as_slice() {
                    [] if failed => {
                        Err("the host name cannot be resolved; check its spelling and the DNS")
                    }
                    [] => Err("the host name was not resolved in time (config key \"connect_ms\")"),
                    _ => Ok(known.choice()),
                };
            }
            if !known.pending {
                self.ask(&mut names, name)?;
            }
            timed_out = self
                .0
                .looked_up
                .wait_until(&mut names, deadline)
                .timed_out();
        }
    }

    fn ask(&self, names: &mut ResolvedNames, name: &str) -> Result<(), &'static str> {
        if names.wanted.is_none() {
            let (wanted, queue) = unbounded();
            let shared = Arc::downgrade(&self.0);
            (self.0.spawn)(
                "chatblock-names",
                Box::new(move || look_up(&queue, &shared)),
            )
            .map_err(|_| "no thread can start to resolve names")?;
            names.wanted = Some(wanted);
        }
        let wanted = names.wanted.as_ref();
        let sent = wanted.is_some_and(|wanted| wanted.send(name.to_owned()).is_ok());
        sent.then_some(())
            .ok_or("the thread that resolves names has ended")
    }
}

/// Looks names up until the resolver is gone.
fn look_up(queue: &Receiver<String>, shared: &Weak<ResolverState>) {
    for name in queue {
        let found = name
            .to_socket_addrs()
            .map(Iterator::collect::<Vec<_>>)
            .unwrap_or_default();
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let mut names = shared.names.lock();
        let known = names.known.entry(name).or_default();
        known.pending = false;
        known.look_ups += 1;
        if !found.is_empty() {
            known.addresses = found;
            known.since = Some(shared.clock.now());
        }
        drop(names);
        shared.looked_up.notify_all();
    }
}

impl ResolvedName {
    /// The addresses in the order in which they are to be tried.
    fn choice(&self) -> Vec<SocketAddr> {
        race::order(&self.addresses, self.good)
    }

    fn is_fresh(&self, now: Instant) -> bool {
        self.since
            .is_some_and(|since| now.saturating_duration_since(since) < FRESH)
    }
}

impl fmt::Debug for CachingResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CachingResolver")
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
