//! A row of ids as steps along the tree of prefixes.

/// The node before the first block.
pub const ROOT: u32 = u32::MAX;

/// One block of a row as a step along the tree of prefixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The position of the block in the row.
    pub position: u32,
    /// The prefix that ends with it: a node of the tree.
    pub node: u32,
    /// The prefix before it; [`ROOT`] for the first block.
    pub parent: u32,
    /// Whether an earlier row has the prefix.
    pub seen: bool,
    /// If this is the second row that has it, the first: counted from 0 among
    /// the rows that have ids.
    pub first_row: Option<u32>,
}

/// Somebody who wants to see the steps of each row.
pub trait Watch {
    /// The next block of the current row.
    fn step(&mut self, step: Step);
}

impl Watch for () {
    fn step(&mut self, _: Step) {}
}
