//! Who blocks whom from the cache, and what keeps it fresh.

use super::Client;
use super::reply::Reply;
use crate::api::Account;
use crate::cache::{Answer, BlockedPairs};
use crate::error::{Error, Status};
use crate::webhook::Change;

impl Client {
    /// Whether `owner` blocks `peer`. Takes about as long as one memory access: no request, allocation or lock.
    /// [`Answer::Unknown`] when the owner is not cached, which never means "no". A name that cannot be an account is
    /// on no list.
    ///
    /// ```
    /// use chatblock::{Answer, Client};
    ///
    /// let client = Client::open("{}")?;
    /// client.add("ann", &["bob"]).into_result()?;
    /// assert_eq!(client.is_blocked("ann", "bob"), Answer::Yes);
    /// assert_eq!(client.is_blocked("bob", "ann"), Answer::No);
    /// # Ok::<(), chatblock::Error>(())
    /// ```
    pub fn is_blocked(&self, owner: impl AsRef<[u8]>, peer: impl AsRef<[u8]>) -> Answer {
        let cache = &self.cache;
        cache
            .blocks
            .is_blocked(owner.as_ref(), peer.as_ref(), || cache.now_ms())
    }

    /// [`Client::is_blocked`] for each of `owners` and one peer, in order. Faster than one call per owner when the
    /// lists are larger than the caches of the processor.
    ///
    /// ```
    /// use chatblock::{Answer, Client};
    ///
    /// let client = Client::open("{}")?;
    /// client.add("bob", &["ann"]).into_result()?;
    /// let hearers = ["bob", "cem"];
    /// let answers = client.is_blocked_many(hearers, "ann");
    /// let may_hear: Vec<_> = hearers
    ///     .into_iter()
    ///     .zip(answers)
    ///     .filter(|(_, answer)| *answer != Answer::Yes)
    ///     .map(|(hearer, _)| hearer)
    ///     .collect();
    /// assert_eq!(may_hear, ["cem"]);
    /// # Ok::<(), chatblock::Error>(())
    /// ```
    pub fn is_blocked_many<O: AsRef<[u8]>>(
        &self,
        owners: impl IntoIterator<Item = O>,
        peer: impl AsRef<[u8]>,
    ) -> impl Iterator<Item = Answer> {
        let (cache, now_ms) = (&self.cache.blocks, self.cache.now_ms());
        cache.is_blocked_many(owners, peer, now_ms)
    }

    /// Which of `accounts` block which: the indices of owner and blocked account of each such pair, in order of
    /// owners. [`BlockedPairs::unknown`] counts the accounts that are not cached as owners.
    ///
    /// ```
    /// let client = chatblock::Client::open("{}")?;
    /// client.add("bob", &["ann"]).into_result()?;
    /// let team = ["ann", "bob", "cem"];
    /// let mut pairs = client.blocked_pairs(&team);
    /// let names: Vec<_> = pairs.by_ref().map(|(owner, peer)| (team[owner], team[peer])).collect();
    /// assert_eq!((names.as_slice(), pairs.unknown()), ([("bob", "ann")].as_slice(), 0));
    /// # Ok::<(), chatblock::Error>(())
    /// ```
    pub fn blocked_pairs<'a, S: AsRef<[u8]>>(&'a self, accounts: &'a [S]) -> BlockedPairs<'a, S> {
        let (cache, now_ms) = (&self.cache.blocks, self.cache.now_ms());
        cache.blocked_pairs(accounts, now_ms)
    }

    /// Subscribes to owners: reads their lists in the background and keeps them fresh. Does nothing on the embedded
    /// engine, which has every owner in memory.
    ///
    /// # Errors
    /// [`Status::Argument`] for an invalid identifier, [`Status::Busy`] when `cache.max_bytes` has no memory for all of them
    /// beside those that are watched, or no thread can start, [`Status::Closed`], [`Status::Panic`]; none of these owners is
    /// watched.
    pub fn watch<S: AsRef<str>>(&self, owners: &[S]) -> Result<(), Error> {
        self.check_owners(owners)?;
        if self.profile.is_local {
            return self.runtime.check_open();
        }
        self.runtime.watch(&accounts(owners))
    }

    /// Unsubscribes from owners: their lists are not read again and are the first to be evicted.
    ///
    /// # Errors
    /// [`Status::Argument`], [`Status::Busy`] when no thread can start, [`Status::Closed`], [`Status::Panic`].
    pub fn unwatch<S: AsRef<str>>(&self, owners: &[S]) -> Result<(), Error> {
        self.check_owners(owners)?;
        if self.profile.is_local {
            return self.runtime.check_open();
        }
        self.runtime.unwatch(&accounts(owners))
    }

    /// Verifies a webhook of the service (docs/protocol.md 8) and applies it to the cache. An add blocks its pairs at
    /// once, and after an add and after a delete the lists concerned are read again. The JSON of the reply is the body
    /// to answer with, in every case.
    ///
    /// The reply is [`Status::Ok`], [`Status::Signature`] (forged, stale, another app), [`Status::Request`]
    /// (not a webhook of a blocklist), [`Status::Unsupported`] on the embedded engine, [`Status::Closed`] or
    /// [`Status::Panic`].
    #[must_use = "its JSON is the body of the answer"]
    pub fn apply_webhook(&self, query: &str, body: &[u8]) -> Reply {
        match self.take_webhook(query, body) {
            Ok(()) => Reply::to_webhook(None),
            Err(error) => Reply::to_webhook(Some(&error)),
        }
    }

    fn take_webhook(&self, query: &str, body: &[u8]) -> Result<(), Error> {
        let webhooks = self.webhooks.as_ref().ok_or_else(|| {
            let what = "the embedded engine has every owner in memory already";
            Error::new(Status::Unsupported, what)
        })?;
        let clock = &self.runtime.clock;
        let event = webhooks.open(query, body, clock.unix_seconds())?;
        let added = event.change == Change::Add;
        let mut ignored = 0;
        self.runtime.apply_event(|refresher, scheduler| {
            ignored = refresher.apply_event(added, &event.pairs, scheduler, clock.now());
        })?;
        webhooks.count(ignored);
        Ok(())
    }

    fn check_owners<S: AsRef<str>>(&self, owners: &[S]) -> Result<(), Error> {
        let faults = owners.iter().enumerate();
        let mut faults = faults.filter_map(|(index, owner)| {
            Some((index, self.profile.charset.fault(owner.as_ref())?))
        });
        match faults.next() {
            Some((index, fault)) => Err(Error::argument(&format!("owners[{index}]"), fault)),
            None => Ok(()),
        }
    }
}

fn accounts<S: AsRef<str>>(owners: &[S]) -> Vec<Account> {
    owners.iter().map(|owner| owner.as_ref().into()).collect()
}
