//! One call in flight: the outcome of each target, over all its parts and attempts.

mod positions;

pub(super) use positions::Positions;

use std::sync::Arc;

use crate::api::{Answer, Item, Listing, Request, Verdict, codes};
use crate::error::{Error, Status};

/// What is known about one target.
#[derive(Clone, Debug)]
pub(super) enum Slot {
    /// Not sent yet, or sent and still to be repeated.
    Open,
    /// The service did it, and nothing else is to be said.
    Done,
    /// The service answered for this target.
    Answered(Item),
    /// The part with this target was refused with this code.
    Refused(i32),
    /// There is no answer for this target.
    Failed(Status),
    /// Recorded, not answered, and sent until it is; with the code of its item, if it had one so far.
    Queued(i32),
}

impl Slot {
    /// The reply to its caller.
    pub(super) fn status(&self) -> Status {
        match self {
            Self::Open => Status::Cancelled,
            Self::Done => Status::Ok,
            Self::Answered(item) => match item.verdict {
                Verdict::Done => Status::Ok,
                Verdict::Unchanged => Status::Unchanged,
                Verdict::Failed(_) => Status::Service,
                Verdict::Unanswered => Status::Network,
            },
            Self::Refused(_) => Status::Service,
            Self::Failed(status) => *status,
            Self::Queued(_) => Status::Queued,
        }
    }

    /// Whether the write of this target is recorded and continues.
    pub(super) fn is_queued(&self) -> bool {
        matches!(self, Self::Queued(_))
    }

    /// There is no answer: an earlier one says more than silence, and so does an attempt that may have
    /// arrived, after which "nothing was sent" would be false.
    fn lose(&mut self, status: Status) {
        if matches!(self, Self::Open | Self::Failed(Status::Connect)) {
            *self = Self::Failed(status);
        }
    }
}

/// A call and everything that came back for it so far.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) request: Arc<Request>,
    /// One per target, in request order; none before something is known about one, and when all are done.
    slots: Vec<Slot>,
    is_all_done: bool,
    /// Entries of a get.
    pub(super) entries: Vec<Item>,
    pub(super) listing: Listing,
    /// `ErrorCode` and `ErrorInfo` of the first part that was refused.
    pub(super) refusal: Option<(i32, String)>,
    /// Why the first part without an answer has none.
    pub(super) error: Option<Error>,
    /// The answer as it was received, while exactly one answered everything.
    text: Option<String>,
    answers: usize,
    was_lost: bool,
    /// The last code with which the service put off this call or a part of it; 0 while there is none.
    put_off: i32,
    /// Earlier writes of the owner that a read did not wait for, because they are set aside.
    passed: usize,
    /// Targets that were done before others of the call, and are known to be; empty where all end together.
    reported: Vec<bool>,
}

impl Call {
    pub(super) fn new(request: Arc<Request>) -> Self {
        Self {
            slots: Vec::new(),
            is_all_done: false,
            request,
            entries: Vec::new(),
            listing: Listing::default(),
            refusal: None,
            error: None,
            text: None,
            answers: 0,
            was_lost: false,
            put_off: 0,
            passed: 0,
            reported: Vec::new(),
        }
    }

    /// What is known about each target, in request order; nothing before something is known about one.
    pub(super) fn slots(&self) -> impl Iterator<Item = &Slot> {
        let done = if self.is_all_done {
            self.request.targets().len()
        } else {
            0
        };
        self.slots
            .iter()
            .chain(std::iter::repeat_n(&Slot::Done, done))
    }

    /// The same unless all are done, when they are no longer needed here.
    pub(super) fn take_slots(&mut self) -> Vec<Slot> {
        std::mem::take(&mut self.slots)
    }

    /// Every target was done, and nothing else is to be said of any.
    pub(super) fn is_all_done(&self) -> bool {
        self.is_all_done
    }

    /// Takes the page that answers a get; `text` is the answer as it was received.
    pub(super) fn take_page(&mut self, page: Answer, text: Option<String>) {
        self.begin_answer(text);
        self.listing = page.listing;
        self.entries = page.items;
    }

    /// The targets at `positions` were done; `text` as in `take_items`.
    pub(super) fn take_done(&mut self, positions: &Positions, text: Option<String>) {
        self.begin_answer(text);
        if positions.len() == self.request.targets().len() {
            self.slots = Vec::new();
            self.is_all_done = true;
            return;
        }
        self.open();
        for position in positions.iter() {
            self.slots[position] = Slot::Done;
        }
    }

    /// Takes the items for the targets at `positions`; gives those that are worth repeating, for a write that
    /// `is_kept` until it is answered also those that failed for a reason that is not theirs. `text` is the answer as
    /// it was received, when it is about this call alone.
    pub(super) fn take_items(
        &mut self,
        positions: &Positions,
        items: impl IntoIterator<Item = Item>,
        text: Option<String>,
        is_kept: bool,
    ) -> Vec<usize> {
        self.begin_answer(text);
        let is_first = self.slots.is_empty() && positions.len() == self.request.targets().len();
        if is_first {
            self.slots.reserve_exact(positions.len());
        } else {
            self.open();
        }
        let mut again = Vec::new();
        for (position, item) in positions.iter().zip(items) {
            if is_worth_repeating(&item) || (is_kept && is_put_off(&item)) {
                again.push(position);
                if item.code != 0 {
                    self.put_off = item.code;
                }
            }
            let slot = match item.verdict {
                Verdict::Unanswered => Slot::Failed(Status::Network),
                _ => Slot::Answered(item),
            };
            if is_first {
                self.slots.push(slot);
            } else {
                self.slots[position] = slot;
            }
        }
        self.open();
        again
    }

    /// A slot for each target. Not at the beginning: that is on the thread of a caller that must not be delayed.
    fn open(&mut self) {
        let first = if std::mem::take(&mut self.is_all_done) {
            Slot::Done
        } else {
            Slot::Open
        };
        self.slots.resize(self.request.targets().len(), first);
    }

    fn begin_answer(&mut self, text: Option<String>) {
        self.answers += 1;
        self.text = text;
        // An earlier attempt of the same part may have failed; parts before it did not.
        self.refusal = None;
        self.error = None;
    }

    /// Takes a refusal of the targets at `positions`.
    pub(super) fn refuse(&mut self, positions: &Positions, answer: &Answer) {
        self.open();
        self.answers += 1;
        self.text.clone_from(&answer.text);
        for position in positions.iter() {
            // An answer to an earlier attempt for this very target says more.
            if !matches!(self.slots[position], Slot::Answered(_) | Slot::Done) {
                self.slots[position] = Slot::Refused(answer.code);
            }
        }
        self.refusal = Some((answer.code, answer.info.clone()));
        self.put_off = answer.code;
    }

    /// The targets at `positions` have no answer after this attempt.
    pub(super) fn lose(&mut self, positions: &Positions, error: &Error) {
        self.open();
        for position in positions.iter() {
            self.slots[position].lose(error.status());
        }
        self.was_lost |= error.status() != Status::Connect;
        // "Nothing was sent" is not the whole story once another attempt was sent.
        if self.error.is_none() || error.status() != Status::Connect {
            self.error = Some(error.clone());
        }
    }

    /// Nothing more will be tried: what is open has no answer for this reason.
    pub(super) fn fail(&mut self, error: Error) {
        self.open();
        for slot in &mut self.slots {
            slot.lose(error.status());
        }
        if self
            .error
            .as_ref()
            .is_none_or(|earlier| earlier.status() == Status::Connect)
        {
            self.error = Some(error);
        }
    }

    /// The caller of a recorded write does not wait any longer: what is not answered for good stays queued, as
    /// `why` says, with the `code` that the service gave last.
    pub(super) fn leave_queued(&mut self, why: Error, code: i32) {
        self.open();
        for slot in &mut self.slots {
            match slot {
                Slot::Done => {}
                Slot::Answered(item) if !is_worth_repeating(item) && !is_put_off(item) => {}
                Slot::Answered(item) => *slot = Slot::Queued(item.code),
                _ => *slot = Slot::Queued(0),
            }
        }
        // An answer that put the write off is not the answer to it.
        self.text = None;
        self.refusal = None;
        self.answers = usize::from(self.slots.iter().any(|slot| !slot.is_queued()));
        self.put_off = code;
        self.error = Some(why);
    }

    /// What the service said last about a part that it did not do yet: a code, or 0 and why there was no answer.
    pub(super) fn put_off(&self) -> (i32, Option<&Error>) {
        (self.put_off, self.error.as_ref())
    }

    /// What is open was not sent, because the part before it failed for good: it shares its fate.
    pub(super) fn skip_rest(&mut self) {
        self.open();
        let failed = |slot: &&Slot| !matches!(slot, Slot::Open | Slot::Answered(_) | Slot::Done);
        let last = self.slots.iter().rev().find(failed).cloned();
        for slot in self
            .slots
            .iter_mut()
            .filter(|slot| matches!(slot, Slot::Open))
        {
            *slot = last.clone().unwrap_or(Slot::Failed(Status::Cancelled));
        }
    }

    /// How the call ended as a whole: by its first target without success, unless others had it. While a target is
    /// queued no failure is the last word.
    pub(super) fn status(&self) -> Status {
        if self.is_all_done {
            return Status::Ok;
        }
        if self.slots.is_empty() {
            let error = self.error.as_ref().map_or(Status::Ok, Error::status);
            return self.refusal.as_ref().map_or(error, |_| Status::Service);
        }
        let queued = self.slots.iter().find(|slot| slot.is_queued());
        let failed = || self.slots.iter().find(|slot| !slot.status().is_done());
        match queued.or_else(failed).map(Slot::status) {
            None => Status::Ok,
            Some(_) if self.slots.iter().any(|slot| slot.status().is_done()) => Status::Partial,
            Some(status) => status,
        }
    }

    /// One response covers the whole call: its text is the text of the reply.
    pub(super) fn take_text(&mut self) -> Option<String> {
        self.text.take().filter(|_| self.answers == 1)
    }

    /// Whether an attempt that may have arrived has no answer: it may still be done, late.
    pub(super) fn was_lost(&self) -> bool {
        self.was_lost
    }

    /// A read goes out before so many writes that concern it and that are set aside.
    pub(super) fn pass_set_aside(&mut self, writes: usize) {
        self.passed = writes;
    }

    /// How many they are.
    pub(super) fn passed(&self) -> usize {
        self.passed
    }

    /// The targets that are done and not reported yet, as a call of their own: others of this call may take long, and
    /// later writes about these may proceed.
    pub(super) fn report_done(&mut self) -> Option<Self> {
        self.reported.resize(self.request.targets().len(), false);
        let mut done = Vec::new();
        let targets = self.slots.iter().zip(self.request.targets());
        for ((slot, target), reported) in targets.zip(&mut self.reported) {
            if slot.status().is_done() && !std::mem::replace(reported, true) {
                done.push(target.clone());
            }
        }
        if done.is_empty() {
            return None;
        }
        let mut part = Self::new(Arc::new(self.request.with_targets(done.into())));
        part.is_all_done = true;
        Some(part)
    }

    /// A call whose targets are all done and reported.
    pub(super) fn all_done(request: Arc<Request>) -> Self {
        Self {
            reported: vec![true; request.targets().len()],
            is_all_done: true,
            ..Self::new(request)
        }
    }

    /// Whether the target was reported before the end of the call.
    pub(super) fn was_reported(&self, position: usize) -> bool {
        self.reported.get(position).copied().unwrap_or(false)
    }

    /// Whether anything came back at all.
    pub(super) fn has_answer(&self) -> bool {
        self.answers > 0
    }
}

/// Whether an item failed for a reason that concerns the caller, not the account.
fn is_put_off(item: &Item) -> bool {
    matches!(item.verdict, Verdict::Failed(_)) && codes::leaves_the_account(item.code)
}

fn is_worth_repeating(item: &Item) -> bool {
    match item.verdict {
        Verdict::Done | Verdict::Unchanged => false,
        Verdict::Failed(retry) => retry.is_retryable(),
        Verdict::Unanswered => true,
    }
}
