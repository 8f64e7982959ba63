//! Where ids and prefixes were first seen.

/// Ids that were first seen one after the other in the same row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// The number of the first of them; the others follow.
    pub(super) start: u32,
    /// The position of the first of them in the row.
    pub(super) position: u32,
    /// The prefix before it, as the node it ends in.
    pub(super) parent: u32,
    pub(super) row: u32,
}

impl Run {
    pub(super) fn position_of(self, number: u32) -> u32 {
        self.position + (number - self.start)
    }

    pub(super) fn parent_of(self, number: u32) -> u32 {
        if number == self.start {
            self.parent
        } else {
            number - 1
        }
    }
}

/// The pair of id and position was seen in a second row.
pub(super) const PAIR_REPEATED: u32 = 1 << 31;
/// The prefix that ends here was seen in a second row.
pub(super) const PATH_REPEATED: u32 = 1 << 30;
pub(super) const RUN: u32 = PATH_REPEATED - 1;

#[derive(Debug)]
pub(super) struct Pair {
    pub(super) row: u32,
    pub(super) repeated: bool,
}

#[derive(Debug)]
pub(super) struct Branch {
    pub(super) node: u32,
    pub(super) row: u32,
    pub(super) repeated: bool,
}
