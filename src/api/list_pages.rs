//! The pages of one list, and whether they are all of it (docs/protocol.md 3.3, choice C14).

use super::{Account, Listing};

/// How often a list is read again that may have changed while it was read.
const REPETITIONS: u8 = 3;
/// A list is at most 1000 entries long, and a page has at least one.
const MAX_PAGES: u32 = 1000;
/// More than that in one reading, and the service has no such limit.
const MAX_ENTRIES: usize = 100_000;

/// The state of a listing after a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Another page is needed: the one at [`ListPages::next_index`], which is 0 when the list is read again.
    Onward,
    /// Every entry that stood in the list all the while is among the entries.
    Whole,
    /// It may have changed in each reading.
    Changed,
    /// The pages do not end.
    Endless,
}

/// Joins the pages of a list. Pages of two sequences are never joined. Where the service gives no sequence, a list of several
/// pages is whole when two readings show the same entries with the same times, none of them twice:
///
/// An entry that is missed, although it stood in the list, was behind the end of the pages so far when one page was read, and
/// before it when the next one was. So one of the entries read so far was gone by then. A reading with the same entries shows
/// that all of them are there, and were not added again since: their times are the same.
#[derive(Debug, Default)]
pub struct ListPages {
    /// Of this reading, with the times at which they were added.
    entries: Vec<(Account, i64)>,
    /// Those of the last reading without a sequence, in order.
    before: Option<Vec<(Account, i64)>>,
    next_index: u32,
    sequence: Option<u64>,
    pages: u32,
    /// Those of earlier readings.
    earlier_pages: u32,
    repetitions: u8,
}

impl ListPages {
    /// Takes the page at [`Self::next_index`].
    pub fn take(
        &mut self,
        entries: impl IntoIterator<Item = (Account, i64)>,
        listing: Listing,
    ) -> Progress {
        self.pages += 1;
        self.entries.extend(entries);
        let next = listing.next_index;
        let is_same = *self.sequence.get_or_insert(listing.sequence) == listing.sequence;
        if is_same && next != 0 {
            let is_long = self.pages >= MAX_PAGES || self.entries.len() > MAX_ENTRIES;
            if next <= self.next_index || is_long {
                return Progress::Endless;
            }
            self.next_index = next;
            return Progress::Onward;
        }
        if is_same && (self.pages == 1 || listing.sequence != 0 || self.is_confirmed()) {
            return Progress::Whole;
        }
        self.read_again()
    }

    /// Whether the reading before was the same, and has no entry twice.
    fn is_confirmed(&mut self) -> bool {
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_unstable();
        let is_distinct = entries.windows(2).all(|two| two[0].0 != two[1].0);
        let is_confirmed = is_distinct && self.before.as_ref() == Some(&entries);
        if is_confirmed {
            self.entries = entries;
        } else {
            self.before = Some(entries);
        }
        is_confirmed
    }

    fn read_again(&mut self) -> Progress {
        if self.repetitions == REPETITIONS {
            return Progress::Changed;
        }
        self.repetitions += 1;
        self.entries.clear();
        self.sequence = None;
        self.next_index = 0;
        self.earlier_pages += std::mem::take(&mut self.pages);
        Progress::Onward
    }

    /// Where the next page starts.
    pub fn next_index(&self) -> u32 {
        self.next_index
    }

    /// How many pages were taken, those of earlier readings too.
    pub fn all_pages(&self) -> u32 {
        self.earlier_pages + self.pages
    }

    /// How often the list was read.
    pub fn readings(&self) -> u8 {
        self.repetitions + 1
    }

    /// The accounts in the list.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.entries.iter().map(|(account, _)| account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Page<'a> = (&'a [(&'a str, i64)], u32, u64);

    fn take(list: &mut ListPages, (entries, next_index, sequence): Page<'_>) -> Progress {
        let entries = entries.iter().map(|(name, time)| ((*name).into(), *time));
        let listing = Listing {
            next_index,
            sequence,
        };
        list.take(entries, listing)
    }

    /// What the last of `pages` comes to, before which each wants another page.
    fn read(pages: &[Page<'_>]) -> (Progress, Vec<String>) {
        let mut list = ListPages::default();
        let (end, before) = pages.split_last().expect("a page");
        for page in before {
            assert_eq!(take(&mut list, *page), Progress::Onward, "{page:?}");
        }
        let progress = take(&mut list, *end);
        let accounts = list.accounts().map(ToString::to_string).collect();
        (progress, accounts)
    }

    const TOP: &[(&str, i64)] = &[("ann", 1), ("bob", 2)];
    const END: &[(&str, i64)] = &[("cem", 3)];

    #[test]
    fn one_page_is_a_whole_list() {
        assert_eq!(read(&[(TOP, 0, 0)]).0, Progress::Whole);
        assert_eq!(read(&[(&[], 0, 0)]).0, Progress::Whole);
    }

    #[test]
    fn pages_of_one_sequence_are_a_whole_list() {
        let (progress, accounts) = read(&[(TOP, 2, 7), (END, 0, 7)]);
        assert_eq!(progress, Progress::Whole);
        assert_eq!(accounts, ["ann", "bob", "cem"]);
    }

    #[test]
    fn pages_of_two_sequences_are_not_joined() {
        let (progress, accounts) = read(&[(TOP, 2, 7), (END, 0, 8), (END, 0, 8)]);
        assert_eq!(progress, Progress::Whole);
        assert_eq!(accounts, ["cem"]);
        let always: Vec<_> = (0..4)
            .flat_map(|round| [(TOP, 2, 2 * round + 1), (END, 0, 2 * round + 2)])
            .collect();
        assert_eq!(read(&always).0, Progress::Changed);
        // A sequence that is missing on one of the pages is another one.
        assert_eq!(
            read(&[(TOP, 2, 7), (END, 0, 0), (END, 0, 0)]).0,
            Progress::Whole
        );
    }

    #[test]
    fn without_a_sequence_a_second_reading_confirms_the_first() {
        let (progress, accounts) = read(&[(TOP, 2, 0), (END, 0, 0), (TOP, 2, 0), (END, 0, 0)]);
        assert_eq!(progress, Progress::Whole);
        assert_eq!(accounts, ["ann", "bob", "cem"]);
    }

    #[test]
    fn without_a_sequence_an_entry_that_was_added_again_is_another_one() {
        let again: &[_] = &[("ann", 1), ("bob", 9)];
        let pages = [
            (TOP, 2, 0),
            (END, 0, 0),
            (again, 2, 0),
            (END, 0, 0),
            (again, 2, 0),
            (END, 0, 0),
        ];
        assert_eq!(read(&pages).0, Progress::Whole);
    }

    #[test]
    fn without_a_sequence_a_list_with_an_entry_twice_is_not_whole() {
        let twice: &[_] = &[("bob", 2)];
        let pages: Vec<_> = (0..4).flat_map(|_| [(TOP, 2, 0), (twice, 0, 0)]).collect();
        assert_eq!(read(&pages).0, Progress::Changed);
    }

    #[test]
    fn without_a_sequence_a_list_that_changes_all_the_time_is_not_whole() {
        let one: &[_] = &[("dan", 4)];
        let pages = [(END, 0, 0), (one, 0, 0)].repeat(2);
        let pages: Vec<_> = pages
            .into_iter()
            .flat_map(|end| [(TOP, 2, 0), end])
            .collect();
        assert_eq!(read(&pages).0, Progress::Changed);
    }

    #[test]
    fn pages_that_do_not_end_are_no_list() {
        assert_eq!(read(&[(TOP, 2, 7), (END, 2, 7)]).0, Progress::Endless);
        let pages: Vec<Page> = (1..=MAX_PAGES).map(|next| (END, next, 7)).collect();
        assert_eq!(read(&pages).0, Progress::Endless);
    }
}
