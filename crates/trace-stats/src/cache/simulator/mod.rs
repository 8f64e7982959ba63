//! Caches of one size, block by block: for the orders that have no stack.
//!
//! Least recently used is here too, as a cache that can be asked what it holds
//! now; its curve comes from [`distance`](super::distance).

mod fifo;
mod lfu;
mod list;
mod lru;
mod s3_fifo;

pub use fifo::Fifo;
pub use lfu::Lfu;
pub use lru::{LeafFirst, Lru};
pub use s3_fifo::S3Fifo;

use super::curve::Hits;
use super::row::Row;

/// A cache of one capacity that meets prompts.
pub trait Simulator {
    /// Whether it holds `block` now.
    fn holds(&self, block: u32) -> bool;

    /// Access `block`: whether it was there; it may be afterwards.
    fn access(&mut self, block: u32) -> bool;

    /// Serve a prompt: what of it was there.
    fn serve(&mut self, row: &Row<'_>) -> Hits {
        let mut hits = Hits::default();
        for (at, &block) in row.blocks.iter().enumerate() {
            if self.access(block) {
                hits.add(row.hits(at, 1));
            }
        }
        hits
    }

    /// Number of leading blocks of a prompt that it holds now.
    fn lead(&self, blocks: &[u32]) -> usize {
        let held = blocks.iter().take_while(|&&block| self.holds(block));
        held.count()
    }
}

/// What is kept for each block, by its number; grows as blocks appear.
#[derive(Debug, Clone, Default)]
pub(crate) struct ByBlock<T>(Vec<T>);

impl<T: Clone + Default> ByBlock<T> {
    pub(crate) fn get(&self, block: u32) -> T {
        self.0.get(block as usize).cloned().unwrap_or_default()
    }

    pub(crate) fn entry(&mut self, block: u32) -> &mut T {
        let at = block as usize;
        if at >= self.0.len() {
            self.0.resize(at + 1, T::default());
        }
        &mut self.0[at]
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Accesses of a few blocks, some much more often than others.
    pub(crate) fn accesses() -> impl Strategy<Value = Vec<u32>> {
        let block = prop_oneof![0u32..4, 0u32..20];
        prop::collection::vec(block, 0..200)
    }

    pub(crate) fn outcomes(cache: &mut impl Simulator, accesses: &[u32]) -> Vec<bool> {
        accesses.iter().map(|&block| cache.access(block)).collect()
    }

    fn every(capacity: u64) -> Vec<Box<dyn Simulator>> {
        vec![
            Box::new(Lru::new(capacity)),
            Box::new(LeafFirst::new(capacity)),
            Box::new(Fifo::new(capacity)),
            Box::new(Lfu::new(capacity)),
            Box::new(S3Fifo::new(capacity)),
        ]
    }

    proptest! {
        #[test]
        fn a_hit_is_a_block_that_is_held_and_no_more_fit_than_do(
            accesses in accesses(), capacity in 1u64..12,
        ) {
            for mut cache in every(capacity) {
                for &block in &accesses {
                    let held = cache.holds(block);
                    prop_assert_eq!(cache.access(block), held);
                    let holding = (0..20).filter(|&block| cache.holds(block)).count();
                    prop_assert!(holding as u64 <= capacity);
                    prop_assert!(cache.holds(block), "what was accessed last is there");
                }
            }
        }

        #[test]
        fn a_cache_for_everything_misses_each_block_once(accesses in accesses()) {
            // S3-FIFO's small queue is a tenth of it.
            for mut cache in every(200) {
                let misses = accesses.iter().filter(|&&block| !cache.access(block)).count();
                let distinct: std::collections::BTreeSet<_> = accesses.iter().collect();
                prop_assert_eq!(misses, distinct.len());
            }
        }
    }
}
