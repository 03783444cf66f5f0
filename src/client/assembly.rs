//! One call while it is under way: which targets are answered, by whatever parts and attempts.

use crate::api::{Answer, Item, Listing, Request, Verdict};
use crate::error::{Error, Status};

/// What is known about one target.
#[derive(Clone, Debug)]
pub(super) enum Slot {
    /// Not sent yet, or sent and still to be repeated.
    Open,
    /// The service answered for this target.
    Answered(Item),
    /// The part with this target was refused with this code.
    Refused(i32),
    /// There is no answer for this target.
    Failed(Status),
}

/// A call and everything that came back for it so far.
#[derive(Debug)]
pub(super) struct Assembly {
    pub(super) request: Request,
    /// One per target, in request order.
    pub(super) slots: Vec<Slot>,
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
}

impl Assembly {
    pub(super) fn new(request: Request) -> Self {
        Self {
            slots: vec![Slot::Open; request.targets().len()],
            request,
            entries: Vec::new(),
            listing: Listing::default(),
            refusal: None,
            error: None,
            text: None,
            answers: 0,
        }
    }

    /// The whole call failed before anything was tried.
    pub(super) fn failed(request: Request, error: Error) -> Self {
        let mut assembly = Self::new(request);
        assembly.fail(error);
        assembly
    }

    /// The targets at `open`, as a request of their own.
    pub(super) fn part(&self, open: &[usize]) -> Request {
        let targets = self.request.targets();
        self.request
            .with_targets(open.iter().map(|&index| targets[index].clone()).collect())
    }

    /// Takes an accepted answer for the targets at `open`; gives those that are worth repeating.
    pub(super) fn accept(&mut self, open: &[usize], answer: Answer) -> Vec<usize> {
        self.answers += 1;
        self.text = answer.text;
        self.listing = answer.listing;
        // An earlier attempt of the same part may have failed; parts before it did not.
        self.refusal = None;
        self.error = None;
        if self.slots.is_empty() {
            self.entries = answer.items;
            return Vec::new();
        }
        let mut again = Vec::new();
        for (&index, item) in open.iter().zip(answer.items) {
            if is_worth_repeating(&item) {
                again.push(index);
            }
            self.slots[index] = match item.verdict {
                Verdict::Unanswered => Slot::Failed(Status::Network),
                _ => Slot::Answered(item),
            };
        }
        again
    }

    /// Takes a refusal of the targets at `open`.
    pub(super) fn refuse(&mut self, open: &[usize], answer: Answer) {
        self.answers += 1;
        self.text = answer.text;
        for &index in open {
            // An answer to an earlier attempt for this very target says more.
            if !matches!(self.slots[index], Slot::Answered(_)) {
                self.slots[index] = Slot::Refused(answer.code);
            }
        }
        self.refusal = Some((answer.code, answer.info));
    }

    /// The targets at `open` have no answer after this attempt.
    pub(super) fn lose(&mut self, open: &[usize], error: Error) {
        for &index in open {
            // An earlier answer for the same target says more than silence.
            if matches!(self.slots[index], Slot::Open) {
                self.slots[index] = Slot::Failed(error.status());
            }
        }
        self.error = Some(error);
    }

    /// Nothing more will be tried: what is open has no answer for this reason.
    pub(super) fn fail(&mut self, error: Error) {
        for slot in &mut self.slots {
            if matches!(slot, Slot::Open) {
                *slot = Slot::Failed(error.status());
            }
        }
        self.error.get_or_insert(error);
    }

    /// The targets from `start` on were not sent, because the part before them failed for good.
    pub(super) fn skip_rest(&mut self, start: usize) {
        let last = self.slots[..start].last().cloned().unwrap_or(Slot::Open);
        for slot in &mut self.slots[start..] {
            *slot = match &last {
                Slot::Refused(code) => Slot::Refused(*code),
                Slot::Failed(status) => Slot::Failed(*status),
                Slot::Open | Slot::Answered(_) => Slot::Failed(Status::Cancelled),
            };
        }
    }

    /// Exactly one answer covers the whole call: its text stands for all.
    pub(super) fn take_text(&mut self) -> Option<String> {
        self.text.take().filter(|_| self.answers == 1)
    }

    /// Whether anything came back at all.
    pub(super) fn has_answer(&self) -> bool {
        self.answers > 0
    }
}

fn is_worth_repeating(item: &Item) -> bool {
    match item.verdict {
        Verdict::Done | Verdict::Unchanged => false,
        Verdict::Failed(retry) => retry.is_retryable(),
        Verdict::Unanswered => true,
    }
}
