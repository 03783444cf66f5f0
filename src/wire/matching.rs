//! Which item of a response is about which target, and its verdict (docs/protocol.md 5.2, 9, choice C42).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::fields::{AccountNames, Code, RawItem};
use crate::api::{Account, CheckType, Item, Operation, Relation, Request, Retry, Verdict, codes};

/// The two arrays of failures.
pub(super) struct Failures<'a> {
    /// How often each account failed. "Already blocked" counts as a failure there.
    failed: HashMap<Cow<'a, str>, usize>,
    /// Accounts that were refused before processing: no item can succeed.
    invalid: HashSet<Cow<'a, str>>,
}

impl<'a> Failures<'a> {
    pub(super) fn new(failed: Option<AccountNames<'a>>, invalid: Option<AccountNames<'a>>) -> Self {
        let mut counts = HashMap::new();
        for account in failed.unwrap_or_default().0 {
            *counts.entry(account).or_insert(0) += 1;
        }
        Self {
            failed: counts,
            invalid: invalid.unwrap_or_default().0.into_iter().collect(),
        }
    }
}

/// One item per target of `request` (choice C42).
pub(super) fn match_items<C: Code>(
    request: &Request,
    items: Vec<RawItem<C>>,
    failures: &Failures,
) -> Vec<Item> {
    let targets = request.targets();
    let in_order = items.len() == targets.len()
        && items
            .iter()
            .zip(targets)
            .all(|(item, target)| item.account == target.as_str());
    let mut matched = if in_order {
        let items = items.into_iter().zip(targets);
        items
            .map(|(item, target)| judge(request, target.clone(), item))
            .collect()
    } else {
        match_by_name(request, items)
    };
    apply_failures(&mut matched, failures);
    matched
}

/// The n-th occurrence of a target takes the n-th item of its name. More items than occurrences that
/// disagree say nothing; fewer repeat the last.
fn match_by_name<C: Code>(request: &Request, items: Vec<RawItem<C>>) -> Vec<Item> {
    let mut wanted: HashMap<&str, usize> = HashMap::new();
    for target in request.targets() {
        *wanted.entry(target).or_insert(0) += 1;
    }
    let mut found: HashMap<Account, Vec<Item>> = HashMap::new();
    for raw in items
        .into_iter()
        .filter(|raw| wanted.contains_key(raw.account.as_ref()))
    {
        let item = judge(request, raw.account.as_ref().into(), raw);
        found.entry(item.account.clone()).or_default().push(item);
    }
    for (account, items) in &mut found {
        let surplus = items.len() > wanted[account.as_str()];
        if surplus
            && items
                .iter()
                .any(|item| item.verdict != items[0].verdict || item.relation != items[0].relation)
        {
            *items = vec![Item::unanswered(account.clone())];
        }
    }
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut matched = Vec::with_capacity(request.targets().len());
    for target in request.targets() {
        let turn = seen.entry(target).or_insert(0);
        *turn += 1;
        matched.push(match found.get(target.as_str()) {
            Some(items) => items[(*turn).min(items.len()) - 1].clone(),
            None => Item::unanswered(target.clone()),
        });
    }
    matched
}

/// The worse of the two wins where items and failure arrays disagree (choice C7).
fn apply_failures(items: &mut [Item], failures: &Failures) {
    if failures.failed.is_empty() && failures.invalid.is_empty() {
        return;
    }
    let mut unexplained: HashMap<&str, usize> = failures
        .failed
        .iter()
        .map(|(account, count)| (account.as_ref(), *count))
        .collect();
    for item in items.iter().filter(|item| item.verdict != Verdict::Done) {
        if let Some(count) = unexplained.get_mut(item.account.as_str()) {
            *count = count.saturating_sub(usize::from(item.verdict != Verdict::Unanswered));
        }
    }
    for item in items {
        let invalid = failures.invalid.contains(item.account.as_str());
        let failed = unexplained.get(item.account.as_str()).copied().unwrap_or(0) > 0;
        match item.verdict {
            Verdict::Done if failed || invalid => make_unanswered(item),
            Verdict::Unchanged if invalid => make_unanswered(item),
            Verdict::Unanswered if failed || invalid => {
                item.verdict = Verdict::Failed(Retry::Never);
            }
            _ => {}
        }
    }
}

fn make_unanswered(item: &mut Item) {
    *item = Item::unanswered(std::mem::take(&mut item.account));
}

fn judge<C: Code>(request: &Request, account: Account, raw: RawItem<C>) -> Item {
    let info = raw.info.map(|info| info.0.into_owned()).unwrap_or_default();
    let Some(code) = raw.code.and_then(|code| code.read()) else {
        return Item::unanswered(account);
    };
    let verdict = codes::judge(request.command(), code, &info);
    let mut item = Item::answered(account, code, info, verdict);
    if let (Operation::Check(_, kind), Verdict::Done) = (&request.operation, verdict) {
        let relation = raw.relation.as_ref();
        match relation.and_then(|name| Relation::from_wire_name(&name.0)) {
            Some(relation) if can_follow(*kind, relation) => item.relation = relation,
            _ => item.verdict = Verdict::Unanswered,
        }
    }
    item
}

/// A one-way check has no reverse direction (docs/protocol.md 3.4).
fn can_follow(kind: CheckType, relation: Relation) -> bool {
    kind == CheckType::Both || matches!(relation, Relation::No | Relation::AWithB)
}
