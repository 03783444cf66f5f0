//! A prepared server: app, accounts, lists, clock and faults from a file
//! (docs/state-file.md), so that every test vector can be replayed from outside the process.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::faults::Forced;
use chatblock::api::{Charset, Command, MAX_PER_CALL};
use chatblock::error::{Error, Status};
use chatblock::service::engine::store::{Store, Writer};
use chatblock::user_files;
use chatblock::usersig::Key;
use chatblock::wire::Object;

/// The state of a server before its first request. Every member may be absent.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fixture {
    /// `SDKAppID` of the app that is served.
    pub sdkappid: Option<u64>,
    /// Its secret key.
    #[serde(deserialize_with = "key")]
    pub key: Option<Key>,
    /// Its admins, who count as imported.
    pub admins: Vec<String>,
    /// The imported accounts. When the member is there, no other account exists.
    pub accounts: Option<Vec<String>>,
    /// The lists by owner, oldest entry first.
    pub blocklists: BTreeMap<String, Vec<Blocked>>,
    /// Pairs of friends: read and not used, because friendships are outside this project.
    pub friends: Vec<(String, String)>,
    /// The sequence by owner, 0 where it is not given.
    pub sequences: BTreeMap<String, u64>,
    /// Time at which the clock is stopped, Unix seconds; without it the clock runs.
    pub now: Option<i64>,
    /// Behaviour that has no place in the configuration.
    pub config: Behaviour,
    /// Forced results: path of the command, then target.
    pub faults: BTreeMap<String, BTreeMap<String, Fault>>,
    /// Numbered accounts and entries.
    pub fill: Fill,
    /// What is to be said of the file that was read: other users have access to its key.
    #[serde(skip)]
    pub warning: Option<String>,
}

fn key<'de, D: serde::Deserializer<'de>>(member: D) -> Result<Option<Key>, D::Error> {
    let text = Zeroizing::new(String::deserialize(member)?);
    if text.is_empty() {
        return Err(serde::de::Error::custom("the key is empty"));
    }
    Ok(Some(Key::new(&text)))
}

/// One entry of a list.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blocked {
    /// The blocked account.
    #[serde(rename = "To_Account")]
    pub account: String,
    /// When it was blocked, Unix seconds.
    #[serde(rename = "AddBlackTimeStamp")]
    pub time: i64,
}

/// Behaviour that has no place in the configuration.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// Read and not used, because friendships are outside this project.
    pub keep_friends_on_block: bool,
    /// Every call is refused with 60007.
    pub rate_limit_exhausted: bool,
}

/// A forced result.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The code of the item.
    #[serde(rename = "ResultCode")]
    pub code: i32,
    /// The text of the item.
    #[serde(rename = "ResultInfo")]
    pub info: String,
}

/// Numbered accounts and entries.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fill {
    /// Imported accounts.
    pub accounts: Vec<Numbered>,
    /// Entries, inserted in numeric order after those of `blocklists`.
    pub blocklist: Vec<FilledList>,
}

/// `prefix` followed by every number from `first` to `last`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbered {
    prefix: String,
    first: u32,
    last: u32,
}

/// Numbered entries of one list with one common time.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilledList {
    owner: String,
    prefix: String,
    first: u32,
    last: u32,
    #[serde(rename = "AddBlackTimeStamp")]
    time: i64,
}

/// A file with more accounts than this is a mistake more often than a wish.
const MOST_NUMBERED: u32 = 1_000_000;

fn numbered(prefix: &str, first: u32, last: u32) -> impl Iterator<Item = String> {
    (first..=last).map(move |number| format!("{prefix}{number}"))
}

impl Fixture {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`Status::Config`] naming the file and the member, never a value: the key is one.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let unusable = |what: &str| fault(&format!("{} {what}", path.display()));
        let input =
            user_files::read(path, user_files::MAX_LISTS).map_err(|what| unusable(&what))?;
        let mut state = input
            .text()
            .map_err(|error| fault(&error.of(&path.display().to_string())))
            .and_then(Self::parse)?;
        if state.key.is_some() {
            let exposure = input.exposure().map_err(|what| unusable(&what))?;
            state.warning = exposure.map(|what| format!("{} {what}", path.display()));
        }
        Ok(state)
    }

    /// Reads a `setup` object.
    ///
    /// # Errors
    /// [`Status::Config`] naming the place or the member.
    pub fn parse(json: &str) -> Result<Self, Error> {
        if chatblock::wire::is_too_deep(json.as_bytes()) {
            return Err(fault("nests deeper than 32 levels"));
        }
        // The text of serde would quote the offending value.
        let Object(state): Object<Self> = serde_json::from_str(json).map_err(|error| {
            fault(&format!(
                "is not a state as docs/state-file.md defines it: line {}, column {}",
                error.line(),
                error.column()
            ))
        })?;
        state.check()?;
        Ok(state)
    }

    fn check(&self) -> Result<(), Error> {
        if self.sdkappid.is_some() != self.key.is_some() {
            return Err(fault("must give \"sdkappid\" and \"key\" together"));
        }
        if self.sdkappid == Some(0) {
            return Err(fault("has a \"sdkappid\" of 0"));
        }
        let accounts = self
            .fill
            .accounts
            .iter()
            .map(|fill| (fill.first, fill.last));
        let entries = self.fill.blocklist.iter();
        let mut ranges = accounts.chain(entries.map(|fill| (fill.first, fill.last)));
        if ranges.any(|(first, last)| last.saturating_sub(first) >= MOST_NUMBERED) {
            return Err(fault(&format!("fills more than {MOST_NUMBERED} accounts")));
        }
        let owners = self.blocklists.keys().chain(self.sequences.keys());
        let lists = self.blocklists.values().flatten();
        let named = owners
            .chain(lists.map(|entry| &entry.account))
            .chain(self.accounts.iter().flatten())
            .chain(&self.admins);
        for account in named {
            if let Some(what) = Charset::Utf8.fault(account) {
                return Err(fault(&format!("names an account that {what}")));
            }
        }
        Ok(())
    }

    /// Whether the file asks for something about friendships, which is not done.
    pub fn mentions_friends(&self) -> bool {
        !self.friends.is_empty() || self.config.keep_friends_on_block
    }

    /// Whether the file gives accounts or lists.
    pub(super) fn prepares_lists(&self) -> bool {
        self.accounts.is_some()
            || !self.fill.accounts.is_empty()
            || !self.fill.blocklist.is_empty()
            || !self.blocklists.is_empty()
            || !self.sequences.is_empty()
    }

    /// Puts accounts and lists into `store`: one transaction for the accounts and one for each list,
    /// which replaces the list that was there.
    ///
    /// # Errors
    /// [`Status::Config`] when a list would be longer than 1000 or name an account twice;
    /// [`Status::Storage`].
    pub fn load(&self, store: &dyn Store) -> Result<(), Error> {
        store.write(&mut |writer| {
            for account in self.accounts.iter().flatten().chain(&self.admins) {
                writer.import(account)?;
            }
            for fill in &self.fill.accounts {
                for account in numbered(&fill.prefix, fill.first, fill.last) {
                    writer.import(&account)?;
                }
            }
            Ok(())
        })?;
        for (owner, entries) in self.lists() {
            let sequence = self.sequences.get(owner).copied().unwrap_or(0);
            check_list(owner, &entries)?;
            store.write(&mut |writer| replace(writer, owner, &entries, sequence))?;
        }
        Ok(())
    }

    fn lists(&self) -> BTreeMap<&str, Vec<Blocked>> {
        let mut lists: BTreeMap<&str, Vec<Blocked>> = BTreeMap::new();
        for owner in self.sequences.keys() {
            lists.entry(owner).or_default();
        }
        for (owner, entries) in &self.blocklists {
            lists.entry(owner).or_default().extend_from_slice(entries);
        }
        for fill in &self.fill.blocklist {
            let entries = numbered(&fill.prefix, fill.first, fill.last);
            let time = fill.time;
            lists
                .entry(&fill.owner)
                .or_default()
                .extend(entries.map(|account| Blocked { account, time }));
        }
        lists
    }

    /// The forced results by command and target.
    pub(super) fn forced(&self) -> Result<HashMap<(Command, String), Forced>, Error> {
        let mut forced = HashMap::new();
        for (path, targets) in &self.faults {
            let command = path
                .strip_prefix("v4/sns/")
                .and_then(Command::from_name)
                .ok_or_else(|| fault("has \"faults\" for a command that does not exist"))?;
            for (target, Fault { code, info }) in targets {
                let result = Forced {
                    code: *code,
                    info: info.clone(),
                };
                forced.insert((command, target.clone()), result);
            }
        }
        Ok(forced)
    }
}

fn check_list(owner: &str, entries: &[Blocked]) -> Result<(), Error> {
    let distinct: std::collections::HashSet<&str> =
        entries.iter().map(|entry| entry.account.as_str()).collect();
    if distinct.len() < entries.len() || entries.len() > MAX_PER_CALL {
        return Err(fault(&format!(
            "gives \"{owner}\" a list that is longer than {MAX_PER_CALL} or names an account twice"
        )));
    }
    Ok(())
}

fn replace(
    writer: &mut dyn Writer,
    owner: &str,
    entries: &[Blocked],
    sequence: u64,
) -> Result<(), Error> {
    if let Some(list) = writer.find(owner)? {
        writer.clear(&list)?;
    }
    let mut list = match writer.find(owner)? {
        Some(list) => list,
        None => writer.create(owner)?,
    };
    for entry in entries {
        writer.append(&list, &entry.account, entry.time)?;
        list.entries += 1;
    }
    list.sequence = sequence;
    writer.save(&list)
}

fn fault(what: &str) -> Error {
    Error::new(Status::Config, format!("state file {what}"))
}
