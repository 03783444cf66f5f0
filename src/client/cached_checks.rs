//! Asking who blocks whom without a call, and what keeps the answers fresh.

use super::Client;
use super::reply::Reply;
use crate::api::Account;
use crate::cache::Answer;
use crate::error::{Error, Status};
use crate::webhook::Change;

impl Client {
    /// Whether `owner` blocks `peer`, in about the time of one memory access: nothing is sent, allocated or
    /// locked. [`Answer::Unknown`] when the owner's list is not known, never "no" then. A text that cannot be
    /// an account is on no list.
    ///
    /// ```
    /// use chatblock::{Answer, Client};
    ///
    /// let client = Client::open("{}")?;
    /// client.add("ann", &["bob"]);
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

    /// The same for `count` owners and one peer, faster than one by one when the lists are larger than the caches of
    /// the processor: `answer` gets each owner's number and answer, in order.
    ///
    /// ```
    /// use chatblock::{Answer, Client};
    ///
    /// let client = Client::open("{}")?;
    /// client.add("bob", &["ann"]);
    /// let hearers = ["bob", "cem"];
    /// let mut may_hear = Vec::new();
    /// client.is_blocked_many(hearers.len(), |index| hearers[index].as_bytes(), "ann", |index, answer| {
    ///     if answer != Answer::Yes {
    ///         may_hear.push(hearers[index]);
    ///     }
    /// });
    /// assert_eq!(may_hear, ["cem"]);
    /// # Ok::<(), chatblock::Error>(())
    /// ```
    pub fn is_blocked_many<'a>(
        &self,
        count: usize,
        owner: impl Fn(usize) -> &'a [u8],
        peer: impl AsRef<[u8]>,
        answer: impl FnMut(usize, Answer),
    ) {
        let (cache, now_ms) = (&self.cache.blocks, self.cache.now_ms());
        cache.is_blocked_many(count, owner, peer.as_ref(), now_ms, answer);
    }

    /// Which of `count` accounts block which: `blocked` gets the numbers of owner and blocked account for
    /// each such pair. Gives how many of them are not known as owners.
    ///
    /// ```
    /// let client = chatblock::Client::open("{}")?;
    /// client.add("bob", &["ann"]);
    /// let team = ["ann", "bob", "cem"];
    /// let mut pairs = Vec::new();
    /// let unknown = client.blocked_pairs(team.len(), |index| team[index].as_bytes(), |owner, blocked| {
    ///     pairs.push((team[owner], team[blocked]));
    /// });
    /// assert_eq!((pairs.as_slice(), unknown), ([("bob", "ann")].as_slice(), 0));
    /// # Ok::<(), chatblock::Error>(())
    /// ```
    pub fn blocked_pairs<'a>(
        &self,
        count: usize,
        account: impl Fn(usize) -> &'a [u8],
        blocked: impl FnMut(usize, usize),
    ) -> usize {
        let (cache, now_ms) = (&self.cache.blocks, self.cache.now_ms());
        cache.pairs(count, account, now_ms, blocked)
    }

    /// Reads the lists of these owners in the background, now and again and again; at once on the embedded
    /// engine, which knows everybody.
    ///
    /// # Errors
    /// [`Status::Argument`] for an invalid identifier, [`Status::Busy`] when no thread can start,
    /// [`Status::Closed`], [`Status::Panic`]; nothing is watched then.
    pub fn watch<S: AsRef<str>>(&self, owners: &[S]) -> Result<(), Error> {
        self.check_owners(owners)?;
        if self.profile.is_local {
            return self.runtime.check_open();
        }
        self.runtime.watch(accounts(owners))
    }

    /// Lets go of owners: their lists are not read again, and forgotten first when room is needed.
    ///
    /// # Errors
    /// As [`Client::watch`].
    pub fn unwatch<S: AsRef<str>>(&self, owners: &[S]) -> Result<(), Error> {
        self.check_owners(owners)?;
        if self.profile.is_local {
            return self.runtime.check_open();
        }
        self.runtime.unwatch(accounts(owners))
    }

    /// Takes a webhook of the service (docs/protocol.md 8): verified, then applied to what is known. An add blocks
    /// its pairs at once, and the lists of both kinds of events are read again. The reply's JSON is the body
    /// to answer with, in every case.
    ///
    /// The reply is [`Status::Ok`], [`Status::Signature`] (forged, stale, another app), [`Status::Request`]
    /// (not a webhook of a blocklist), [`Status::Unsupported`] on the embedded engine, [`Status::Closed`] or
    /// [`Status::Panic`].
    pub fn apply_webhook(&self, query: &str, body: &[u8]) -> Reply {
        match self.take_webhook(query, body) {
            Ok(()) => Reply::to_webhook(None),
            Err(error) => Reply::to_webhook(Some(&error)),
        }
    }

    fn take_webhook(&self, query: &str, body: &[u8]) -> Result<(), Error> {
        let webhooks = self.webhooks.as_ref().ok_or_else(|| {
            let what = "the embedded engine knows everything already";
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
