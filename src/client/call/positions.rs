//! A set of targets of a call, nearly always a contiguous range.

use std::ops::Range;

/// Positions of targets in a call's request, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::client) enum Positions {
    Run(Range<usize>),
    Each(Vec<usize>),
}

impl Positions {
    pub(in crate::client) fn len(&self) -> usize {
        match self {
            Self::Run(run) => run.len(),
            Self::Each(positions) => positions.len(),
        }
    }

    pub(in crate::client) fn iter(&self) -> impl Iterator<Item = usize> {
        let (run, each) = match self {
            Self::Run(run) => (run.clone(), [].as_slice()),
            Self::Each(positions) => (0..0, positions.as_slice()),
        };
        run.chain(each.iter().copied())
    }

    /// Those from the one at `index` on leave.
    pub(in crate::client) fn split_off(&mut self, index: usize) -> Self {
        match self {
            Self::Run(run) => {
                let middle = run.start + index;
                let rest = middle..run.end;
                run.end = middle;
                Self::Run(rest)
            }
            Self::Each(positions) => Self::Each(positions.split_off(index)),
        }
    }
}
