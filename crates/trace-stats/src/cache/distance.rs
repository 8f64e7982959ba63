//! Exact stack distances of least recently used, in one pass.
//!
//! The blocks of a prompt mostly come in the order in which they came before,
//! one right after the other, and then all of them have the same distance:
//! each access takes one block out from in front of the next and puts it
//! behind it. So a run of blocks costs one question and one move, not one per
//! block; a prompt of a thousand blocks is often two runs, the part seen
//! before and the part never seen.

use super::curve::{Curve, Histogram, Hits};
use super::recency::{NEVER, Recency};
use super::row::Row;

/// The order in which the blocks of one prompt are used, and what a hit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// From the first block to the last, each a hit or not by itself: plain
    /// LRU over blocks.
    Forward,
    /// From the last block to the first, so that of equally old blocks the
    /// deepest goes first and no block goes before those behind it: leaf-first
    /// eviction. A block is a hit if all blocks before it are, and if it was
    /// there before the prompt came.
    LeafFirst,
}

/// Measures distances: rows go in one after the other.
///
/// Holds 4 bytes per distinct block, about half a byte per access between two
/// compactions, and 16 to 32 bytes per distinct distance.
#[derive(Debug, Clone)]
pub struct Distances {
    order: Order,
    recency: Recency,
    /// The moment of each block's last access, by its number.
    last: Vec<u32>,
    histogram: Histogram,
}

impl Distances {
    /// Nothing measured yet.
    pub fn new(order: Order) -> Self {
        Self {
            order,
            recency: Recency::default(),
            last: Vec::new(),
            histogram: Histogram::default(),
        }
    }

    /// Take the next row.
    pub fn push(&mut self, row: &Row<'_>) {
        self.make_room(row.blocks);
        self.histogram.ask(row.asked());
        match self.order {
            Order::Forward => self.forward(row),
            Order::LeafFirst => self.leaf_first(row),
        }
    }

    /// Take one access to `block` by itself, in whatever order, as part of the
    /// accesses that `asked` counts.
    pub fn access(&mut self, block: u32, asked: Hits) {
        self.make_room(&[block]);
        self.histogram.ask(asked);
        let moment = self.last[block as usize];
        if moment != NEVER {
            self.histogram.hit(self.recency.after(moment) + 1, asked);
        }
        self.use_run(moment, std::iter::once(&block));
    }

    /// The hit rate at every capacity, as of the rows so far.
    pub fn curve(&self) -> Curve {
        self.histogram.curve()
    }

    fn make_room(&mut self, blocks: &[u32]) {
        if let Some(&highest) = blocks.iter().max()
            && highest as usize >= self.last.len()
        {
            self.last.resize(highest as usize + 1, NEVER);
        }
        if !self.recency.has_room(blocks.len()) {
            self.recency.compact(&mut self.last, blocks.len());
        }
    }

    fn forward(&mut self, row: &Row<'_>) {
        let mut at = 0;
        while at < row.blocks.len() {
            let moment = self.last[row.blocks[at] as usize];
            let distance = (moment != NEVER).then(|| self.recency.after(moment) + 1);
            let count = self.use_run(moment, row.blocks[at..].iter());
            if let Some(distance) = distance {
                self.histogram.hit(distance, row.hits(at, count));
            }
            at += count;
        }
    }

    fn leaf_first(&mut self, row: &Row<'_>) {
        let mut deepest = 0;
        let mut above = NEVER;
        let mut distance = 0;
        for (at, &block) in row.blocks.iter().enumerate() {
            let moment = self.last[block as usize];
            if moment == NEVER {
                break;
            }
            // Right behind the block before it, as it was used last time.
            distance = if above != NEVER && moment.checked_add(1) == Some(above) {
                distance + 1
            } else {
                self.recency.after(moment) + 1
            };
            above = moment;
            deepest = distance.max(deepest);
            self.histogram.hit(deepest, row.hits(at, 1));
        }
        let mut end = row.blocks.len();
        while end > 0 {
            let moment = self.last[row.blocks[end - 1] as usize];
            end -= self.use_run(moment, row.blocks[..end].iter().rev());
        }
    }

    /// Use blocks as long as they were used one after the other last time,
    /// from `moment` on, or never; how many that is, at least 1.
    fn use_run<'b>(&mut self, moment: u32, blocks: impl Iterator<Item = &'b u32>) -> usize {
        let now = self.recency.now();
        let mut count = 0;
        for &block in blocks {
            let last = &mut self.last[block as usize];
            let goes_on = if moment == NEVER {
                *last == NEVER
            } else {
                // A block that this very run has used comes as its own repeat.
                *last == moment + count && *last < now
            };
            if !goes_on {
                break;
            }
            *last = now + count;
            count += 1;
        }
        if moment == NEVER {
            self.recency.mark(count);
        } else {
            self.recency.renew(moment, count);
        }
        count as usize
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::paths;
    use super::*;
    use proptest::prelude::*;

    /// One cache of one size, as a list from the most to the least recent.
    fn naive(rows: &[Vec<u32>], capacity: usize, order: Order) -> u64 {
        let mut cache: Vec<u32> = Vec::new();
        let mut hits = 0;
        for row in rows {
            if order == Order::LeafFirst {
                hits += row.iter().take_while(|block| cache.contains(block)).count() as u64;
            }
            let mut blocks = row.clone();
            if order == Order::LeafFirst {
                blocks.reverse();
            }
            for block in blocks {
                if let Some(at) = cache.iter().position(|&cached| cached == block) {
                    hits += u64::from(order == Order::Forward);
                    cache.remove(at);
                }
                cache.insert(0, block);
                cache.truncate(capacity);
            }
        }
        hits
    }

    fn curve(rows: &[Vec<u32>], order: Order) -> Curve {
        let mut distances = Distances::new(order);
        for row in rows {
            distances.push(&Row {
                blocks: row,
                tokens: 10 * row.len() as u64,
                block_size: 10,
            });
        }
        distances.curve()
    }

    #[test]
    fn a_run_has_one_distance() {
        let rows = [vec![0, 1, 2], vec![0, 1, 2], vec![3], vec![0, 1]];
        let steps = curve(&rows, Order::Forward).steps;
        let blocks: Vec<_> = steps
            .iter()
            .map(|(from, hits)| (*from, hits.blocks))
            .collect();
        assert_eq!(blocks, [(3, 3), (4, 5)]);
    }

    #[test]
    fn leaves_go_first() {
        // Two of the three blocks fit: the first two, not the last two.
        let rows = [vec![0, 1, 2], vec![0, 1, 2]];
        assert_eq!(curve(&rows, Order::LeafFirst).hits(2).blocks, 2);
        assert_eq!(curve(&rows, Order::Forward).hits(2).blocks, 0);
    }

    #[test]
    fn a_block_twice_in_a_row_is_its_own_repeat() {
        let rows = [vec![0], vec![0, 0, 0], vec![0, 1, 0, 1]];
        assert_eq!(curve(&rows, Order::Forward).hits(1).blocks, 4);
        assert_eq!(curve(&rows, Order::Forward).hits(2).blocks, 6);
    }

    #[test]
    fn time_is_compacted_without_a_trace() {
        let row: Vec<u32> = (0..1_000).collect();
        let rows: Vec<_> = (0..200u32)
            .map(|turn| row.iter().map(|block| block + turn % 3 * 500).collect())
            .collect();
        let found = curve(&rows, Order::Forward);
        for capacity in [500, 999, 1_000, 1_500, 2_000] {
            assert_eq!(
                found.hits(capacity as u64).blocks,
                naive(&rows, capacity, Order::Forward)
            );
        }
    }

    /// Paths of a tree, as prompts are, and lists of anything, as they are not.
    fn rows() -> impl Strategy<Value = Vec<Vec<u32>>> {
        let any = prop::collection::vec(0u32..12, 0..8);
        prop_oneof![paths(7), prop::collection::vec(any, 0..40),]
    }

    proptest! {
        #[test]
        fn every_capacity_is_as_simulated(rows in rows()) {
            for order in [Order::Forward, Order::LeafFirst] {
                let curve = curve(&rows, order);
                for capacity in 1..30 {
                    prop_assert_eq!(curve.hits(capacity as u64).blocks, naive(&rows, capacity, order));
                }
            }
        }

        #[test]
        fn a_larger_cache_finds_no_less(rows in rows()) {
            for order in [Order::Forward, Order::LeafFirst] {
                let steps = curve(&rows, order).steps;
                let rises = |pair: &[(u64, Hits)]| {
                    pair[0].0 < pair[1].0 && pair[0].1.blocks < pair[1].1.blocks
                };
                prop_assert!(steps.windows(2).all(rises));
            }
        }
    }
}
