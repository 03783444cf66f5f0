//! The rules of the service, executed in this process (docs/protocol.md 4 and 10, rows 16, 17).

mod group_commit;
pub(crate) mod pair_cache;
pub mod store;

use std::sync::Arc;
use std::time::Instant;

use super::Service;
use crate::api::codes::{
    self, ALREADY_EXIST, BAD_PARAMETER, LIST_FULL, NO_SUCH_ACCOUNT, NOT_EXIST,
};
use crate::api::{
    Account, Answer, Charset, CheckType, Command, Item, Listing, MAX_PER_CALL, Operation, Relation,
    Request, Verdict,
};
use crate::clock::Clock;
use crate::config::Embedded;
use crate::error::Error;
use crate::sqlite::Source;
use group_commit::Group;
use pair_cache::PairCache;
use store::{List, Memory, Observer, Pairs, Reader, Sqlite, Store, Writer};

const INVALID: &str = "Err_SNS_To_Account_Invalid";
const SELF_BLOCK: &str = "Err_SNS_BlackListAdd_Self";
const NOT_IMPORTED: &str = "Err_SNS_To_Account_Not_Imported";
const EXCEEDED: &str = "Err_SNS_BlackListAdd_BlackList_Num_Exceed";

/// Answers the four commands by the rules of the service. Every request is one transaction.
pub struct Engine {
    store: Box<dyn Store>,
    /// None where a transaction costs nothing.
    group: Option<Group>,
    /// A check may wait for the disk.
    checks_wait: bool,
    imported_only: bool,
    charset: Charset,
    clock: Arc<dyn Clock>,
}

impl Engine {
    /// An engine over the store that `config` names: memory, or the file at `path`.
    ///
    /// # Errors
    /// [`crate::Status::Storage`] when the file cannot be opened.
    pub fn open(config: &Embedded, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        if config.path.is_none() {
            return Self::observed(config, clock, None);
        }
        let cache = PairCache::new()?;
        let observer = Arc::clone(&cache) as Arc<dyn Observer>;
        let engine = Self::observed(config, clock, Some(observer))?;
        cache.load(engine.store())?;
        Ok(engine)
    }

    /// The same with an observer, which gets every change from here on. The caller passes it the content of the store
    /// before the first call.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn observed(
        config: &Embedded,
        clock: Arc<dyn Clock>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Self, Error> {
        // Memory has the pairs, but not which accounts are imported.
        let checks_wait = config.path.is_some() && (config.imported_only || observer.is_none());
        let store: Box<dyn Store> = match &config.path {
            Some(path) => Box::new(Sqlite::open(path, observer)?),
            None => Box::new(Memory::new(observer)),
        };
        Ok(Self {
            store,
            group: config.path.is_some().then(Group::default),
            checks_wait,
            imported_only: config.imported_only,
            charset: config.charset,
            clock,
        })
    }

    /// Which identifiers this engine takes.
    pub fn charset(&self) -> Charset {
        self.charset
    }

    /// The lists themselves, for loading a state and for the account calls.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The file of a durable store, to copy it.
    pub fn file(&self) -> Option<Source> {
        self.store.file()
    }

    /// Whether `account` exists: every valid identifier does unless only imported ones count.
    ///
    /// # Errors
    /// [`crate::Status::Storage`].
    pub fn is_account(&self, lists: &(impl Pairs + ?Sized), account: &str) -> Result<bool, Error> {
        Ok(!self.imported_only || lists.is_imported(account)?)
    }

    /// Rows 11 and 16 of docs/protocol.md 10.
    fn refuse_owner(
        &self,
        lists: &(impl Pairs + ?Sized),
        owner: &str,
    ) -> Result<Option<Answer>, Error> {
        if let Some(fault) = self.charset.fault(owner) {
            return Ok(Some(Answer::refused(
                BAD_PARAMETER,
                format!("From_Account {fault}"),
            )));
        }
        if !self.is_account(lists, owner)? {
            return Ok(Some(Answer::refused(
                NO_SUCH_ACCOUNT,
                "From_Account is not imported",
            )));
        }
        Ok(None)
    }

    fn write(&self, request: &Request) -> Result<Answer, Error> {
        if let Some(group) = &self.group {
            return group.join(request, |requests| self.write_all(requests));
        }
        let mut answers = self.write_all(std::slice::from_ref(request))?;
        Ok(answers.swap_remove(0))
    }

    /// Every request is seen whole or not at all; all are kept or none.
    fn write_all(&self, requests: &[Request]) -> Result<Vec<Answer>, Error> {
        let mut answers = Vec::with_capacity(requests.len());
        self.store.write(&mut |lists| {
            for request in requests {
                answers.push(match self.refuse_owner(&*lists, &request.owner)? {
                    Some(refusal) => refusal,
                    None => Answer::accepted(self.change(lists, request)?),
                });
            }
            Ok(())
        })?;
        Ok(answers)
    }

    /// Applies the targets one after another (choice C27).
    fn change(&self, lists: &mut dyn Writer, request: &Request) -> Result<Vec<Item>, Error> {
        let targets = request.targets();
        let command = request.command();
        let now = self.clock.unix_seconds();
        let mut list = lists.find(&request.owner)?;
        let mut changed = false;
        let mut items = Vec::with_capacity(targets.len());
        for target in targets {
            let (code, info) = match command {
                Command::Add => self.add(lists, &request.owner, &mut list, (target, now))?,
                _ => self.delete(lists, list.as_mut(), target)?,
            };
            changed |= code == 0;
            items.push(Item::answered(
                target.clone(),
                code,
                info,
                codes::judge(command, code, info),
            ));
        }
        if let Some(list) = &mut list
            && changed
        {
            list.sequence += 1;
            lists.save(list)?;
        }
        Ok(items)
    }

    /// Adds `target`, or gives the first reason of docs/protocol.md 4.3 not to. There is a list after the first add.
    fn add<'o>(
        &self,
        lists: &mut dyn Writer,
        owner: &'o str,
        list: &mut Option<List<'o>>,
        (target, now): (&str, i64),
    ) -> Result<(i32, &'static str), Error> {
        if !self.charset.allows(target) {
            return Ok((BAD_PARAMETER, INVALID));
        }
        if target == owner {
            return Ok((BAD_PARAMETER, SELF_BLOCK));
        }
        let is_full = list.is_some_and(|list| list.entries >= MAX_PER_CALL);
        let refusal = if self.is_account(&*lists, target)? {
            is_full.then_some((LIST_FULL, EXCEEDED))
        } else {
            Some((NO_SUCH_ACCOUNT, NOT_IMPORTED))
        };
        if let Some(refusal) = refusal {
            // That it is there comes before these.
            let is_there = list.is_some() && lists.contains(owner, target)?;
            return Ok(if is_there {
                (BAD_PARAMETER, ALREADY_EXIST)
            } else {
                refusal
            });
        }
        let list = match list {
            Some(list) => list,
            None => list.insert(lists.create(owner)?),
        };
        if !lists.append(list, target, now)? {
            return Ok((BAD_PARAMETER, ALREADY_EXIST));
        }
        list.entries += 1;
        Ok((0, ""))
    }

    /// Removes `target`, also when the account no longer exists.
    fn delete(
        &self,
        lists: &mut dyn Writer,
        list: Option<&mut List>,
        target: &str,
    ) -> Result<(i32, &'static str), Error> {
        if !self.charset.allows(target) {
            return Ok((BAD_PARAMETER, INVALID));
        }
        if let Some(list) = list
            && lists.remove(list, target)?
        {
            list.entries -= 1;
            return Ok((0, ""));
        }
        if !self.is_account(&*lists, target)? {
            return Ok((NO_SUCH_ACCOUNT, NOT_IMPORTED));
        }
        Ok((BAD_PARAMETER, NOT_EXIST))
    }

    fn get(&self, request: &Request, start: u64, limit: u32) -> Result<Answer, Error> {
        let mut answer = Answer::default();
        self.store.read(&mut |lists| {
            answer = match self.refuse_owner(lists, &request.owner)? {
                Some(refusal) => refusal,
                None => page(lists, &request.owner, start, limit)?,
            };
            Ok(())
        })?;
        Ok(answer)
    }

    fn check(
        &self,
        request: &Request,
        targets: &[Account],
        kind: CheckType,
    ) -> Result<Answer, Error> {
        let mut answer = Answer::default();
        let mut check = |pairs: &dyn Pairs| {
            answer = if let Some(refusal) = self.refuse_owner(pairs, &request.owner)? {
                refusal
            } else {
                let check = |target| self.relation(pairs, &request.owner, target, kind);
                Answer::accepted(targets.iter().map(check).collect::<Result<_, _>>()?)
            };
            Ok(())
        };
        if self.imported_only {
            // Lists and accounts of one state.
            self.store.read(&mut |lists| check(lists))?;
        } else {
            self.store.check(&mut check)?;
        }
        Ok(answer)
    }

    fn relation(
        &self,
        pairs: &dyn Pairs,
        owner: &str,
        target: &Account,
        kind: CheckType,
    ) -> Result<Item, Error> {
        let failed = |code, info| {
            Item::answered(
                target.clone(),
                code,
                info,
                codes::judge(Command::Check, code, info),
            )
        };
        if !self.charset.allows(target) {
            return Ok(failed(BAD_PARAMETER, INVALID));
        }
        if !self.is_account(pairs, target)? {
            return Ok(failed(NO_SUCH_ACCOUNT, NOT_IMPORTED));
        }
        let forward = pairs.contains(owner, target)?;
        let reverse = kind == CheckType::Both && pairs.contains(target, owner)?;
        Ok(Item {
            relation: match (forward, reverse) {
                (true, true) => Relation::BothWay,
                (true, false) => Relation::AWithB,
                (false, true) => Relation::BWithA,
                (false, false) => Relation::No,
            },
            ..Item::answered(target.clone(), 0, "", Verdict::Done)
        })
    }
}

/// One page: the next start is an offset, 0 at the end (choices C9 and C11).
fn page(lists: &dyn Reader, owner: &str, start: u64, limit: u32) -> Result<Answer, Error> {
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let page = lists.page(owner, start, limit as usize)?;
    let end = start.saturating_add(page.entries.len());
    let next_index = if end < page.total { end } else { 0 };
    let entries = page.entries.into_iter();
    Ok(Answer {
        items: entries
            .map(|entry| Item::entry(entry.account, entry.time))
            .collect(),
        listing: Listing {
            next_index: u32::try_from(next_index).expect("a list has at most 1000 entries"),
            sequence: page.sequence,
        },
        ..Answer::default()
    })
}

impl Service for Engine {
    fn call(&self, request: &Request, _deadline: Instant) -> Result<Answer, Error> {
        match &request.operation {
            Operation::Add(_) | Operation::Delete(_) => self.write(request),
            Operation::Get {
                start_index, limit, ..
            } => self.get(request, *start_index, *limit),
            Operation::Check(targets, kind) => self.check(request, targets, *kind),
        }
    }

    fn waits(&self, command: Command) -> bool {
        match command {
            Command::Check => self.checks_wait,
            _ => self.group.is_some(),
        }
    }
}
