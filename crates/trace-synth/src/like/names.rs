//! Ids of blocks that everybody shares.

use std::collections::HashMap;

use super::ids::UNNAMED;

/// The pass of what stays for ever.
pub const EVER: u64 = u64::MAX;

/// Places for the ids of public blocks: a table for each pass and root.
#[derive(Debug, Default)]
pub struct Names {
    tables: HashMap<(u64, u32), Vec<u64>>,
    size: usize,
}

impl Names {
    /// Tables of `size` places.
    pub fn new(size: usize) -> Self {
        Self {
            tables: HashMap::new(),
            size,
        }
    }

    /// The places of a pass and root.
    pub fn table(&mut self, pass: u64, root: u32) -> &mut [u64] {
        let size = self.size;
        self.tables
            .entry((pass, root))
            .or_insert_with(|| vec![UNNAMED; size])
    }

    /// Forget passes that are `over`.
    pub fn forget(&mut self, over: impl Fn(u64) -> bool) {
        self.tables
            .retain(|&(pass, _), _| pass == EVER || !over(pass));
    }
}
