//! Records that are not sent again and stay on disk: refused writes until their refusal is polled, and rows that are
//! not valid writes until an operator removes them.
//!
//! A state machine, part of the outbox: which marks are to be written, and which refusals are in memory to be polled.
//! Their number is bounded; the others are read when those are polled.

use std::collections::HashSet;

use super::record::{BadRow, Letter, LetterCounts, Refused};
use crate::api::{Answer, Item, codes};
use crate::client::call::Positions;
use crate::client::call::{Call, Slot};
use crate::client::reply::Reply;
use crate::client::scheduler::CallId;
use crate::error::Status;

/// So many refusals to which no caller has a tag wait in memory to be polled.
const IN_MEMORY: usize = 256;
/// So many are read at once, when there is room for them.
const PAGE: usize = 64;

/// How a write was refused.
pub(in crate::client) struct WriteRefusal {
    code: i32,
    codes: String,
    reason: String,
}

impl WriteRefusal {
    /// What the service said of `call`, when that was no.
    pub(in crate::client) fn of(call: &Call) -> Option<Self> {
        if !matches!(call.status(), Status::Service | Status::Partial) {
            return None;
        }
        let (whole, info) = match &call.refusal {
            Some((code, info)) => (*code, info.as_str()),
            None => (0, ""),
        };
        let each: Vec<_> = call
            .slots()
            .map(|slot| match slot {
                _ if slot.status().is_done() => (0, ""),
                Slot::Answered(item) => (item.code, item.info.as_str()),
                Slot::Refused(code) => (*code, info),
                _ => (whole, info),
            })
            .collect();
        let (code, reason) = *each.iter().find(|(code, _)| *code != 0)?;
        let is_for_all = each.iter().all(|(own, _)| *own == code);
        let codes: Vec<_> = each.iter().map(|(code, _)| code.to_string()).collect();
        Some(Self {
            code,
            codes: if is_for_all {
                String::new()
            } else {
                codes.join(" ")
            },
            reason: crate::client::reply::plain(reason),
        })
    }
}

impl Refused {
    /// The reply as the client that sent the write had it.
    pub(super) fn into_reply(self) -> Reply {
        let Self { letter, record } = self;
        let id = record.id;
        let mut call = Call::new(record.into_request());
        let count = call.request.targets().len();
        let all = Positions::Run(0..count);
        let each: Vec<i32> = letter
            .codes
            .split(' ')
            .filter_map(|code| code.parse().ok())
            .collect();
        if each.len() == count {
            let command = call.request.command();
            let targets = call.request.targets().iter().zip(each);
            let items: Vec<_> = targets
                .map(|(target, code)| {
                    let info = if code == 0 { "" } else { &letter.reason };
                    let verdict = codes::judge(command, code, info);
                    Item::answered(target.clone(), code, info, verdict)
                })
                .collect();
            call.take_items(&all, items, None, false);
        } else {
            call.refuse(&all, &Answer::refused(letter.code, letter.reason));
        }
        Reply {
            letter: Some(id),
            has_place: false,
            ..Reply::from_call(call)
        }
    }
}

/// What is sent no more.
#[derive(Default)]
pub(super) struct DeadLetters {
    /// Marks on their way to disk, and letters to be removed from it.
    pub(super) marks: Vec<Letter>,
    pub(super) polled: Vec<CallId>,
    counts: LetterCounts,
    /// Refusals that wait in memory to be polled.
    in_memory: HashSet<CallId>,
    /// Refusals that are on disk only, all with greater numbers than `read`.
    on_disk: u64,
    read: i64,
    is_reading: bool,
}

impl DeadLetters {
    /// These are on disk.
    pub(super) fn found(&mut self, counts: LetterCounts) {
        self.counts = counts;
        self.on_disk = counts.refused;
    }

    pub(super) fn counts(&self) -> LetterCounts {
        self.counts
    }

    pub(super) fn is_written(&self) -> bool {
        self.marks.is_empty() && self.polled.is_empty()
    }

    fn number(&mut self) -> i64 {
        self.counts.last = self.counts.last.saturating_add(1);
        self.counts.last
    }

    /// The row is no write, as was found at `unix_seconds`.
    pub(super) fn set_aside(&mut self, row: BadRow, unix_seconds: i64) {
        self.counts.bad_rows += 1;
        let number = self.number();
        self.marks.push(Letter {
            number,
            id: row.id,
            refused: unix_seconds,
            code: 0,
            codes: String::new(),
            reason: row.reason,
        });
    }

    /// The write `id` was refused at `unix_seconds`. True if its reply waits in memory from now on, as that of a
    /// caller with a tag (`has_tag`) always does.
    pub(super) fn refuse(
        &mut self,
        id: CallId,
        refusal: WriteRefusal,
        has_tag: bool,
        unix_seconds: i64,
    ) -> bool {
        self.counts.refused += 1;
        let number = self.number();
        self.marks.push(Letter {
            number,
            id: i64::try_from(id).unwrap_or(i64::MAX),
            refused: unix_seconds,
            code: refusal.code,
            codes: refusal.codes,
            reason: refusal.reason,
        });
        let is_shown = has_tag || (self.on_disk == 0 && self.in_memory.len() < IN_MEMORY);
        if is_shown {
            self.in_memory.insert(id);
        } else {
            self.on_disk += 1;
        }
        if self.on_disk == 0 {
            self.read = number;
        }
        is_shown
    }

    /// The refusal of `id` was polled; false when it is none.
    pub(super) fn take(&mut self, id: CallId) -> bool {
        let is_known = self.in_memory.remove(&id);
        if is_known {
            self.counts.refused = self.counts.refused.saturating_sub(1);
            let is_other = |letter: &Letter| CallId::try_from(letter.id) != Ok(id);
            self.marks.retain(is_other);
            self.polled.push(id);
        }
        is_known
    }

    /// Whether more are to be read: not before everything else is written, so that what was polled is gone.
    pub(super) fn wants_page(&self) -> bool {
        !self.is_reading && self.on_disk > 0 && self.in_memory.len() + PAGE <= IN_MEMORY
    }

    /// From which number on, exclusively, and how many are to be read.
    pub(super) fn begin_page(&mut self) -> (i64, usize) {
        self.is_reading = true;
        (self.read, PAGE)
    }

    /// Takes what was read, up to the number `read`; None if there was nothing more. Returns the replies to be
    /// polled.
    pub(super) fn take_page(&mut self, page: Vec<Refused>, read: Option<i64>) -> Vec<Reply> {
        self.is_reading = false;
        self.read = read.unwrap_or(self.read);
        if read.is_none() {
            self.on_disk = 0;
        }
        let mut replies = Vec::new();
        for refused in page {
            // That of a caller with a tag is in memory already.
            if self.in_memory.insert(refused.record.id) {
                self.on_disk = self.on_disk.saturating_sub(1);
                replies.push(refused.into_reply());
            }
        }
        replies
    }
}
