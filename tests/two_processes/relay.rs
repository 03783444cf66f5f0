//! Between `chatblock serve` and the process that takes its webhooks: loses some, doubles some, holds some back, and
//! brings ones of its own that are forged or too old.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::oracle::Oracle;
use super::worker::Connection;
use super::{APP, GHOST, TOKEN};
use testkit::receiver::Receiver;

/// Webhooks that are held back at once; a random one is let go when another comes.
const HELD: usize = 200;
/// Beyond the age at which a webhook is refused, in seconds.
const TOO_OLD: u64 = 1000;
const OK: i32 = 0;
/// `CHATBLOCK_ERR_SIGNATURE`.
const REFUSED: i32 = -12;

/// What became of webhooks.
#[derive(Default, Debug)]
pub struct Counts {
    pub events: u64,
    pub lost: u64,
    pub doubled: u64,
    pub reordered: u64,
    pub forged: u64,
    pub stale: u64,
    /// Genuine ones that were handed over.
    pub accepted: u64,
}

/// A genuine webhook.
#[derive(Clone)]
struct Webhook {
    query: String,
    body: String,
}

impl Webhook {
    /// The pairs that it adds; those of one webhook have one owner.
    fn added(&self) -> Option<(String, Vec<String>)> {
        let body: Value = serde_json::from_str(&self.body).expect("the body is JSON");
        if body["CallbackCommand"] != "Sns.CallbackBlackListAdd" {
            return None;
        }
        let pairs = body["PairList"].as_array().expect("pairs");
        let text = |pair: &Value, name| pair[name].as_str().expect("a text").to_owned();
        let peers = pairs.iter().map(|pair| text(pair, "To_Account")).collect();
        Some((text(&pairs[0], "From_Account"), peers))
    }
}

/// Hands over what `receiver` gets.
pub struct Relay<'a> {
    receiver: Receiver,
    watcher: Connection,
    oracle: &'a Oracle,
    owners: &'a [String],
    held: Vec<Webhook>,
    counts: Counts,
}

impl<'a> Relay<'a> {
    /// Webhooks about `owners` go to `watcher`.
    pub fn new(
        receiver: Receiver,
        watcher: Connection,
        oracle: &'a Oracle,
        owners: &'a [String],
    ) -> Self {
        Self {
            receiver,
            watcher,
            oracle,
            owners,
            held: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// Takes so many webhooks, which all must come.
    pub fn carry(mut self, events: u64) -> Counts {
        for _ in 0..events {
            let webhook = self.receiver.next();
            let query = webhook.target.split_once('?').expect("a query").1;
            self.counts.events += 1;
            self.treat(Webhook {
                query: query.to_owned(),
                body: webhook.body,
            });
            if self.held.len() > HELD {
                let late = fastrand::usize(..self.held.len());
                let late = self.held.swap_remove(late);
                self.hand_over(&late);
            }
        }
        let mut held = std::mem::take(&mut self.held);
        fastrand::shuffle(&mut held);
        for late in &held {
            self.hand_over(late);
        }
        self.counts
    }

    fn treat(&mut self, webhook: Webhook) {
        match fastrand::u8(..10) {
            0 => {
                self.counts.lost += 1;
                return;
            }
            1..3 => {
                self.counts.reordered += 1;
                self.held.push(webhook);
                return;
            }
            3 => {
                self.counts.doubled += 1;
                self.held.push(webhook.clone());
            }
            4 => {
                self.counts.forged += 1;
                self.bring("another token", unix_seconds());
            }
            5 => {
                self.counts.stale += 1;
                self.bring(TOKEN, unix_seconds() - TOO_OLD);
            }
            _ => {}
        }
        self.hand_over(&webhook);
    }

    fn hand_over(&mut self, webhook: &Webhook) {
        self.counts.accepted += 1;
        let added = webhook.added();
        let (owner, peers) = added.unwrap_or_default();
        let peers: Vec<_> = peers.iter().map(String::as_str).collect();
        let before = self.oracle.before_webhook(&owner, &peers);
        assert_eq!(self.watcher.apply(&webhook.query, &webhook.body), OK);
        self.oracle.accept(&owner, &peers, &before);
    }

    /// A webhook of our own, about a pair that nobody blocked. It must be refused.
    fn bring(&mut self, token: &str, time: u64) {
        let owner = fastrand::choice(self.owners).expect("there are owners");
        let command = "Sns.CallbackBlackListAdd";
        let digest = Sha256::digest(format!("{token}{time}"));
        let hex = digest.iter().map(|byte| format!("{byte:02x}"));
        let sign = hex.collect::<Vec<_>>().concat();
        let query = format!(
            "SdkAppid={APP}&CallbackCommand={command}&contenttype=json&ClientIP=127.0.0.1\
             &OptPlatform=RESTAPI&Sign={sign}&RequestTime={time}"
        );
        let pair = json!({"From_Account": owner, "To_Account": GHOST});
        let body = json!({"CallbackCommand": command, "PairList": [pair]});
        let status = self.watcher.apply(&query, &body.to_string());
        assert_eq!(status, REFUSED, "one that is not genuine was taken");
    }
}

fn unix_seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("after 1970").as_secs()
}
