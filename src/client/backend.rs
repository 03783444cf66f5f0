//! Selects service, cache and outbox of a client from its configuration.

use std::sync::Arc;
use std::time::Duration;

use super::backup::Backups;
use super::cache_sync::TimedCache;
use super::scheduler::Rules;
use crate::api::Charset;
use crate::clock::Clock;
use crate::config::{Config, Embedded, Remote, RetryPolicy};
use crate::error::Error;
use crate::service::Service;
use crate::service::engine::Engine;
use crate::service::engine::store::Observer;
use crate::service::remote::RemoteService;
use crate::threads;

/// How many asynchronous calls the embedded engine executes concurrently: enough to share commits.
const LOCAL_REQUESTS: usize = 16;

/// The service, the cache, and the path of calls.
pub(super) struct OpenBackend {
    pub(super) service: Box<dyn Service>,
    pub(super) cache: Arc<TimedCache>,
    pub(super) profile: BackendProfile,
    pub(super) backups: Backups,
}

/// How calls of one backend travel.
pub(super) struct BackendProfile {
    pub(super) is_local: bool,
    pub(super) is_durable: bool,
    pub(super) requests: usize,
    pub(super) charset: Charset,
    pub(super) call_time: Option<Duration>,
    pub(super) retry: Option<RetryPolicy>,
    pub(super) rate_per_second: Option<u32>,
    pub(super) late: Option<Duration>,
    /// Writes go through an outbox.
    pub(super) is_recorded: bool,
    /// What an operator should know about the opening.
    pub(super) notice: Option<String>,
}

impl BackendProfile {
    /// Answered once and for all, in this process. Without the cache checks read the store.
    pub(super) fn embedded(
        config: &Embedded,
        clock: &Arc<dyn Clock>,
        has_cache: bool,
    ) -> Result<OpenBackend, Error> {
        let profile = Self {
            is_local: true,
            is_durable: config.path.is_some(),
            requests: LOCAL_REQUESTS,
            charset: config.charset,
            call_time: None,
            retry: None,
            rate_per_second: None,
            late: None,
            is_recorded: false,
            notice: None,
        };
        let cache = Arc::new(if has_cache {
            TimedCache::complete(Arc::clone(clock))?
        } else {
            TimedCache::unused(Arc::clone(clock))?
        });
        let observer = has_cache.then(|| Arc::clone(&cache) as Arc<dyn Observer>);
        let engine = Engine::observed(config, Arc::clone(clock), observer)?;
        if has_cache {
            cache.load(engine.store())?;
        }
        let notice = engine.store().notice();
        let backups = Backups::new(engine.file(), "path");
        Ok(OpenBackend {
            service: Box::new(engine),
            cache,
            profile: Self { notice, ..profile },
            backups,
        })
    }

    /// Merged, limited and repeated.
    pub(super) fn remote(
        config: &Remote,
        all: &Config,
        clock: &Arc<dyn Clock>,
    ) -> Result<OpenBackend, Error> {
        let app = all
            .app
            .as_ref()
            .ok_or_else(|| Error::config("sdkappid", "is missing"))?;
        let profile = Self {
            is_local: false,
            is_durable: false,
            requests: config.connections,
            charset: all.backend.charset(),
            call_time: Some(config.call),
            retry: Some(config.retry),
            rate_per_second: Some(all.rate_per_second),
            late: Some(config.attempt),
            is_recorded: config.outbox.is_some(),
            notice: None,
        };
        let service = RemoteService::open(config, app, Arc::clone(clock), spawn)?;
        let cache = TimedCache::partial(config.cache, Arc::clone(clock))?;
        Ok(OpenBackend {
            service: Box::new(service),
            cache: Arc::new(cache),
            profile,
            backups: Backups::new(None, "outbox.path"),
        })
    }

    pub(super) fn rules(&self) -> Rules {
        Rules {
            merge: !self.is_local,
            retry: self.retry,
            rate_per_second: self.rate_per_second,
            call_time: self.call_time,
            requests: self.requests,
            late: self.late,
            recorded: self.is_recorded,
        }
    }
}

/// The thread that resolves names ends when the client is gone.
fn spawn(name: &str, work: Box<dyn FnOnce() + Send>) -> std::io::Result<()> {
    threads::spawn(name, work).map(drop)
}
