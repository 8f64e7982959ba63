//! Block ids, renumbered 0, 1, 2, … in the order they are first seen.
//!
//! Ids of traces are mostly small and dense, and first seen in ascending
//! order. As long as they are 0, 1, 2, … in that very order, an id is its own
//! number and nothing is kept. From the first one that is not, a plain table
//! indexed by id serves nearly all of them: four bytes an id and no hashing.
//! Ids far beyond the number seen so far (hashes) go to a hash map.

use anyhow::bail;
use hashbrown::HashMap;

/// Numbers of the ids seen so far.
#[derive(Debug)]
pub struct Ids {
    /// Ids below this go to the table, however few were seen.
    always_dense: u64,
    /// Ids below this are their own number, and `dense` is empty.
    in_order: u32,
    /// 1 + the number of each id; 0 of one that was not seen, or that the map
    /// has.
    dense: Vec<u32>,
    sparse: HashMap<u64, u32, foldhash::fast::FixedState>,
    len: u32,
}

/// Ids beyond twice those seen, and beyond this many, go to the hash map. The
/// table's memory is only taken where it is written to: a page for 1024 ids in
/// a row, so 134 MB at most for ids that are spaced out. Traces that share one
/// space of ids, every hundredth for one of them, lie well below.
const ALWAYS_DENSE: u64 = 1 << 25;

impl Default for Ids {
    fn default() -> Self {
        Self {
            always_dense: ALWAYS_DENSE,
            in_order: 0,
            dense: Vec::new(),
            sparse: HashMap::default(),
            len: 0,
        }
    }
}

impl Ids {
    /// For a few ids out of many: nearly all go to the hash map, where each
    /// would take a page of the table for itself.
    pub fn of_sample() -> Self {
        Self {
            always_dense: 1 << 12,
            ..Self::default()
        }
    }

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
    #[inline]
    pub fn number(&mut self, id: u64) -> anyhow::Result<u32> {
        if id < u64::from(self.in_order) {
            return Ok(id as u32);
        }
        if id == u64::from(self.len) && self.in_order == self.len && self.len < Self::MOST {
            self.in_order += 1;
            self.len += 1;
            return Ok(id as u32);
        }
        if let Some(&entry) = self.dense.get(usize::try_from(id).unwrap_or(usize::MAX)) {
            if let Some(number) = entry.checked_sub(1) {
                return Ok(number);
            }
            if self.sparse.is_empty() && self.len < Self::MOST {
                self.len += 1;
                self.dense[id as usize] = self.len;
                return Ok(self.len - 1);
            }
        }
        self.number_of_rare(id)
    }

    /// [`Ids::number`] for an id that is out of order, or beyond the table.
    #[cold]
    fn number_of_rare(&mut self, id: u64) -> anyhow::Result<u32> {
        if self.in_order > 0 {
            self.make_room(u64::from(self.in_order) - 1);
            for (entry, number) in self.dense.iter_mut().zip(1..=self.in_order) {
                *entry = number;
            }
            self.in_order = 0;
        }
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
        if id < self.always_dense.max(2 * u64::from(self.len)) {
            self.make_room(id);
            self.dense[id as usize] = self.len;
        } else {
            self.sparse.insert(id, number);
        }
        Ok(number)
    }

    /// Make the table reach `id`.
    fn make_room(&mut self, id: u64) {
        let room = (id as usize + 1).next_power_of_two().max(1 << 16);
        if room > self.dense.len() {
            // Zeros that were asked for take no memory until written to; those
            // of a vector that grows do.
            let mut larger = vec![0; room];
            larger[..self.dense.len()].copy_from_slice(&self.dense);
            self.dense = larger;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_table_may_grow_past_an_id_in_the_map() {
        let mut ids = Ids::default();
        let far = ALWAYS_DENSE + 1;
        assert_eq!(ids.number(far).unwrap(), 0);
        assert_eq!(ids.number(ALWAYS_DENSE - 1).unwrap(), 1);
        assert_eq!(ids.sparse.len(), 1);
        ids.make_room(far);
        assert_eq!(ids.number(far - 1).unwrap(), 2);
        assert_eq!(ids.number(far).unwrap(), 0);
        assert_eq!(ids.len(), 3);
    }

    #[test]
    fn ids_in_order_are_their_own_numbers() {
        let mut ids = Ids::default();
        let numbers = [0, 1, 0, 2, 1, 3, 7, 3, 4, 7, 0].map(|id| ids.number(id).unwrap());
        assert_eq!(numbers, [0, 1, 0, 2, 1, 3, 4, 3, 5, 4, 0]);
        assert_eq!(ids.len(), 6);
    }

    proptest! {
        #[test]
        fn numbers_are_first_seen_order(seen in prop::collection::vec(
            prop_oneof![
                0u64..40, ALWAYS_DENSE - 50..ALWAYS_DENSE + 50, any::<u64>()
            ], 0..300,
        ), sampled in any::<bool>()) {
            let mut ids = if sampled { Ids::of_sample() } else { Ids::default() };
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
