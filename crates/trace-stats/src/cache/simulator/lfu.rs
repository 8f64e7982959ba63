//! Least frequently used.

use super::{ByBlock, Simulator};
use std::collections::BTreeSet;

/// The block used least often since it came goes first; of equals, the one
/// used longest ago. What has gone is forgotten.
#[derive(Debug, Clone)]
pub struct Lfu {
    capacity: u64,
    now: u64,
    /// Uses since it came and the time of the last, of each block; no uses of
    /// one that is not held.
    uses: ByBlock<(u64, u64)>,
    order: BTreeSet<(u64, u64, u32)>,
}

impl Lfu {
    /// An empty cache of `capacity` blocks, at least 1.
    pub fn new(capacity: u64) -> Self {
        Self {
            capacity,
            now: 0,
            uses: ByBlock::default(),
            order: BTreeSet::new(),
        }
    }
}

impl Simulator for Lfu {
    fn holds(&self, block: u32) -> bool {
        self.uses.get(block).0 > 0
    }

    fn access(&mut self, block: u32) -> bool {
        self.now += 1;
        let (count, last) = self.uses.get(block);
        if count > 0 {
            self.order.remove(&(count, last, block));
        } else if self.order.len() as u64 == self.capacity
            && let Some((_, _, gone)) = self.order.pop_first()
        {
            *self.uses.entry(gone) = (0, 0);
        }
        *self.uses.entry(block) = (count + 1, self.now);
        self.order.insert((count + 1, self.now, block));
        count > 0
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{accesses, outcomes};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_least_used_goes_first(accesses in accesses(), capacity in 1usize..12) {
            // From the least to the most recently used, with the uses of each.
            let mut cache: Vec<(u32, u32)> = Vec::new();
            let naive = accesses.iter().map(|&block| {
                let held = cache.iter().position(|(held, _)| *held == block);
                let uses = held.map_or(0, |at| cache.remove(at).1);
                if uses == 0 && cache.len() == capacity {
                    let least = cache.iter().map(|(_, uses)| *uses).min();
                    let at = cache.iter().position(|(_, uses)| Some(*uses) == least);
                    cache.remove(at.unwrap());
                }
                cache.push((block, uses + 1));
                uses > 0
            });
            let naive: Vec<bool> = naive.collect();
            prop_assert_eq!(outcomes(&mut Lfu::new(capacity as u64), &accesses), naive);
        }
    }
}
