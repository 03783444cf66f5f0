//! The reply to a caller: status, items, JSON and a message.

use super::call::{Call, Slot};
use crate::api::{Account, Answer, Command, Item, Relation, Verdict, codes};
use crate::error::{Error, Status, on_one_line};
use crate::webhook;
use crate::wire;

/// Longest text of the service that is repeated in a message.
const MAX_QUOTE: usize = 200;

/// The result of a call. It owns its strings and may outlive the client.
// The functions that return it are `#[must_use]`; on the type, `client.add(…).into_result()?;` would be a warning too.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(crate) status: Status,
    pub(crate) service_code: i32,
    pub(crate) retryable: bool,
    pub(crate) message: String,
    pub(crate) json: String,
    pub(crate) command: Option<Command>,
    pub(crate) owner: Account,
    pub(crate) items: Vec<ReplyItem>,
    pub(crate) next_index: u32,
    pub(crate) sequence: u64,
    pub(crate) tag: u64,
    /// The record that stays on disk until this reply is polled.
    pub(crate) letter: Option<u64>,
    /// It counts against `queue.max_calls` until it is polled.
    pub(crate) has_place: bool,
}

/// The result for one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyItem {
    pub(crate) account: Account,
    pub(crate) status: Status,
    pub(crate) code: i32,
    pub(crate) relation: Relation,
    pub(crate) time: i64,
}

impl Reply {
    /// The reply itself when the call was done, at least in part; for `?`.
    ///
    /// # Errors
    /// The status and the message of a call that was not done.
    ///
    /// ```
    /// # use chatblock::{Client, Status};
    /// # let client = Client::open("{}")?;
    /// let error = client.add("ann", &["ann"]).into_result().unwrap_err();
    /// assert_eq!(error.status(), Status::Service);
    /// # Ok::<(), chatblock::Error>(())
    /// ```
    pub fn into_result(self) -> Result<Self, Error> {
        if self.status.is_done() {
            Ok(self)
        } else {
            Err(Error::new(self.status, self.message))
        }
    }

    /// How the call ended.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The first failing account's code, or the `ErrorCode` of a refusal; 0 when there is none.
    pub fn service_code(&self) -> i32 {
        self.service_code
    }

    /// Whether the same call may succeed later without a change by the caller.
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// A sentence for people; empty when every account is as wanted.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The response object of the service as JSON; empty when there was no answer.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The command, when the call had one.
    pub fn command(&self) -> Option<Command> {
        self.command
    }

    /// The owner of the list.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// One item per target in request order; of a get one per blocked account.
    pub fn items(&self) -> &[ReplyItem] {
        &self.items
    }

    /// The newest sequence of the list that a get read a page of: pages with the same one are of the same list. 0 when the
    /// service gave none.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Where the next page of a get starts; 0 when the listing is complete.
    pub fn next_index(&self) -> u32 {
        self.next_index
    }

    /// The tag of an asynchronous call; 0 for a blocking one.
    pub fn tag(&self) -> u64 {
        self.tag
    }

    /// A call that failed before it became a request.
    pub(crate) fn failed(command: Option<Command>, owner: &str, error: &Error) -> Self {
        Self {
            status: error.status(),
            service_code: 0,
            retryable: error.status().is_retryable(),
            message: error.message().to_owned(),
            json: String::new(),
            command,
            owner: owner.into(),
            items: Vec::new(),
            next_index: 0,
            sequence: 0,
            tag: 0,
            letter: None,
            has_place: true,
        }
    }

    /// What a webhook is answered with, and why it was refused.
    pub(crate) fn to_webhook(refused: Option<&Error>) -> Self {
        let fine = Error::new(Status::Ok, "");
        let error = refused.unwrap_or(&fine);
        Self {
            json: webhook::answer(refused.is_none(), error.message()),
            ..Self::failed(None, "", error)
        }
    }

    pub(super) fn from_call(mut call: Call) -> Self {
        let text = call.take_text();
        let json = match text {
            Some(text) => text,
            None if call.has_answer() => rebuild(&call),
            None => String::new(),
        };
        let status = call.status();
        let failure = first_failure(&call);
        let items = reply_items(&mut call);
        Self {
            status,
            service_code: failure.as_ref().map_or(0, |failure| failure.code),
            retryable: failure.as_ref().is_some_and(|failure| failure.retryable),
            message: match failure {
                Some(failure) => message(&call, status, &items, &failure),
                None => passed_over(call.passed()),
            },
            json,
            command: Some(call.request.command()),
            next_index: call.listing.next_index,
            sequence: call.listing.sequence,
            owner: call.request.owner.clone(),
            items,
            tag: 0,
            letter: None,
            has_place: true,
        }
    }
}

impl ReplyItem {
    /// The account.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// [`Status::Ok`], [`Status::Unchanged`], or why this account has no success.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The raw `ResultCode`; 0 when there is none.
    pub fn code(&self) -> i32 {
        self.code
    }

    /// Check only: who blocks whom.
    pub fn relation(&self) -> Relation {
        self.relation
    }

    /// Get only: when the account was blocked, Unix seconds.
    pub fn time(&self) -> i64 {
        self.time
    }
}

/// What a read says that did not wait for all writes before it.
fn passed_over(writes: usize) -> String {
    if writes == 0 {
        return String::new();
    }
    format!(
        "earlier writes of this owner about {writes} accounts keep failing, are set aside (stats key \
         \"queue.set_aside\") and may not show here"
    )
}

/// The first target without success, or the failure of a call without targets.
struct CallFailure {
    code: i32,
    retryable: bool,
    cause: String,
}

impl CallFailure {
    /// With the service's own words.
    fn coded(code: i32, retryable: bool, info: &str) -> Self {
        Self {
            code,
            retryable,
            cause: cause(code, info),
        }
    }

    fn without_answer(status: Status, error: Option<&Error>) -> Self {
        let own = error.filter(|error| error.status() == status);
        let silence = "the answer does not say what became of this account";
        Self {
            code: 0,
            retryable: status.is_retryable(),
            cause: plain(own.map_or(silence, Error::message)),
        }
    }

    /// The write continues without its caller.
    fn queued(call: &Call) -> Self {
        let (code, why) = call.put_off();
        Self {
            code,
            retryable: Status::Queued.is_retryable(),
            cause: why.map_or_else(String::new, |error| error.message().to_owned()),
        }
    }
}

/// `code` with its meaning and the service's own words.
pub(super) fn cause(code: i32, info: &str) -> String {
    let meaning = codes::explain(code);
    if info.is_empty() {
        return meaning;
    }
    format!("{meaning} (the service says: {})", plain(info))
}

fn first_failure(call: &Call) -> Option<CallFailure> {
    let refusal_info = || call.refusal.as_ref().map_or("", |(_, info)| info.as_str());
    let refused =
        |code| CallFailure::coded(code, codes::retry(code).is_retryable(), refusal_info());
    if call.is_all_done() {
        return None;
    }
    if call.slots().next().is_none() {
        let refusal = call.refusal.as_ref().map(|(code, _)| refused(*code));
        return refusal.or_else(|| {
            call.error
                .as_ref()
                .map(|error| CallFailure::without_answer(error.status(), Some(error)))
        });
    }
    if call.status() == Status::Queued {
        return Some(CallFailure::queued(call));
    }
    call.slots().find_map(|slot| match slot {
        Slot::Done => None,
        Slot::Answered(item) => match item.verdict {
            Verdict::Failed(retry) => Some(CallFailure::coded(
                item.code,
                retry.is_retryable(),
                &item.info,
            )),
            _ => None,
        },
        Slot::Refused(code) => Some(refused(*code)),
        Slot::Queued(_) => Some(CallFailure::queued(call)),
        Slot::Failed(status) => Some(CallFailure::without_answer(*status, call.error.as_ref())),
        Slot::Open => Some(CallFailure::without_answer(Status::Cancelled, None)),
    })
}

fn reply_items(call: &mut Call) -> Vec<ReplyItem> {
    let entries = std::mem::take(&mut call.entries).into_iter();
    if call.is_all_done() {
        let accounts = call.request.targets().iter();
        return accounts
            .map(|account| plain_item(Status::Ok, account))
            .collect();
    }
    let slots = call.take_slots();
    let accounts = call.request.targets().iter();
    if slots.is_empty() {
        let nobody = Account::default();
        let entry = |item| reply_item(Slot::Answered(item), &nobody);
        return entries.map(entry).collect();
    }
    let items = slots.into_iter().zip(accounts);
    items
        .map(|(slot, account)| reply_item(slot, account))
        .collect()
}

/// Targets with a status only.
fn plain_item(status: Status, account: &Account) -> ReplyItem {
    ReplyItem {
        status,
        account: account.clone(),
        code: 0,
        relation: Relation::None,
        time: 0,
    }
}

fn reply_item(slot: Slot, account: &Account) -> ReplyItem {
    let status = slot.status();
    match slot {
        Slot::Answered(item) => ReplyItem {
            status,
            account: item.account,
            code: item.code,
            relation: item.relation,
            time: item.time,
        },
        Slot::Queued(code) => ReplyItem {
            code,
            ..plain_item(status, account)
        },
        _ => plain_item(status, account),
    }
}

/// The answer object of a call that several answers, or the engine, made up. Targets without an
/// answer of their own are named in `Fail_Account`.
fn rebuild(call: &Call) -> String {
    let command = call.request.command();
    let mut answer = Answer {
        items: call.entries.clone(),
        listing: call.listing,
        ..Answer::default()
    };
    if let Some((code, info)) = &call.refusal {
        answer.code = *code;
        answer.info.clone_from(info);
    }
    let answered = |slot| matches!(slot, &Slot::Answered(_) | &Slot::Done);
    if !call.slots().any(answered) {
        return wire::write_answer(command, &answer);
    }
    let targets = call.request.targets();
    answer.items.reserve_exact(targets.len());
    for (slot, target) in call.slots().zip(targets) {
        answer.items.push(match slot {
            Slot::Done => Item::answered(target.clone(), 0, "", Verdict::Done),
            Slot::Answered(item) => item.clone(),
            _ => Item::unanswered(target.clone()),
        });
    }
    wire::write_answer(command, &answer)
}

fn message(call: &Call, status: Status, items: &[ReplyItem], failure: &CallFailure) -> String {
    let (name, cause) = (call.request.command().name(), &failure.cause);
    let is_open = |item: &&ReplyItem| !item.status.is_done();
    let open = items.iter().filter(is_open).count();
    let what = match status {
        Status::Queued => "are queued",
        _ => "failed",
    };
    match items.iter().find(is_open) {
        Some(first) if items.len() > 1 => {
            format!(
                "{name}: {open} of {} accounts {what}, the first is \"{}\": {cause}",
                items.len(),
                first.account
            )
        }
        Some(first) => format!("{name} of \"{}\": {cause}", first.account),
        None => format!("{name}: {cause}"),
    }
}

/// Text of the service made fit for a line.
pub(super) fn plain(text: &str) -> String {
    on_one_line(text, MAX_QUOTE)
}
