//! Block ids, renumbered 0, 1, 2, … in the order they are first seen.
//!
//! Ids of traces are mostly small and dense, and first seen in ascending
//! order, so a plain table indexed by id serves nearly all of them: four bytes
//! an id and no hashing. Ids far beyond the number seen so far (hashes, ids
//! spaced out on purpose) go to a hash map.

use anyhow::{Context, bail};
use hashbrown::HashMap;

/// Numbers of the ids seen so far.
#[derive(Debug, Default)]
pub struct Ids {
    dense: Vec<u32>,
    sparse: HashMap<u64, u32, foldhash::fast::FixedState>,
    len: u32,
}

/// An entry of the table that no id has taken.
const NONE: u32 = u32::MAX;

/// Ids beyond twice those seen, and beyond this many, go to the hash map: the
/// table is then at least half full, or 256 KiB.
const ALWAYS_DENSE: u64 = 1 << 16;

impl Ids {
    /// Most ids that are told apart: half of `u32`, the other half being taken
    /// by the blocks that are seen behind a second prefix.
    pub const MOST: u32 = 1 << 31;

    /// Number of distinct ids seen.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether none was seen.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of `id`; the number of ids seen before if it is new.
    ///
    /// # Errors
    ///
    /// If `id` is one more than can be told apart.
    pub fn number(&mut self, id: u64) -> anyhow::Result<u32> {
        if let Some(&number) = usize::try_from(id).ok().and_then(|id| self.dense.get(id))
            && number != NONE
        {
            return Ok(number);
        }
        self.number_of_rare(id)
    }

    /// [`Ids::number`] for an id that is new, or not in the table.
    #[cold]
    fn number_of_rare(&mut self, id: u64) -> anyhow::Result<u32> {
        // The table may have grown past an id that the map took earlier.
        if let Some(&number) = self.sparse.get(&id) {
            return Ok(number);
        }
        if self.len == Self::MOST {
            bail!(
                "more than {} distinct block ids; go on without prefix rows with --no-prefix",
                Self::MOST
            );
        }
        let number = self.len;
        self.len += 1;
        if id < ALWAYS_DENSE.max(2 * u64::from(self.len)) {
            let index = usize::try_from(id).context("block id")?;
            if index >= self.dense.len() {
                self.dense.resize(index + 1, NONE);
            }
            self.dense[index] = number;
        } else {
            self.sparse.insert(id, number);
        }
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_table_may_grow_past_an_id_in_the_map() {
        let mut ids = Ids::default();
        assert_eq!(ids.number(100_000).unwrap(), 0);
        for id in 0..60_000 {
            assert_eq!(ids.number(id).unwrap(), 1 + id as u32);
        }
        assert_eq!(ids.number(100_001).unwrap(), 60_001);
        assert!(ids.dense.len() > 100_000);
        assert_eq!(ids.number(100_000).unwrap(), 0);
        assert_eq!(ids.len(), 60_002);
    }

    proptest! {
        #[test]
        fn numbers_are_first_seen_order(seen in prop::collection::vec(
            prop_oneof![0u64..40, 65_500u64..65_600, any::<u64>()], 0..300,
        )) {
            let mut ids = Ids::default();
            let mut known: Vec<u64> = Vec::new();
            for id in seen {
                let number = known.iter().position(|&old| old == id).unwrap_or_else(|| {
                    known.push(id);
                    known.len() - 1
                });
                prop_assert_eq!(ids.number(id).unwrap(), number as u32);
            }
            prop_assert_eq!(ids.len() as usize, known.len());
        }
    }
}
