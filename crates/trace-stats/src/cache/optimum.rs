//! The most that any cache could have had: Belady's optimum, with hindsight.
//!
//! The block that is needed again last goes first, and a block that is needed
//! again later than everything held is not taken in at all. No cache of that
//! capacity has more hits by block, whatever it does; by token another one may
//! do better by the odd partial block.

use super::curve::Hits;
use super::row::Row;
use std::collections::BinaryHeap;

/// Prompts held until their end is known: 4 bytes an access, 16 a row, and 4
/// more an access when a capacity is asked for.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    accesses: Vec<u32>,
    /// Number of blocks and of tokens of each row.
    rows: Vec<(u32, u64)>,
    block_size: u64,
    asked: Hits,
}

/// Never needed again.
const NEVER: u32 = u32::MAX;

impl Recording {
    /// Hold the next row.
    ///
    /// # Errors
    ///
    /// If there are more accesses than can be numbered, 2^32 − 1.
    pub fn push(&mut self, row: &Row<'_>) -> anyhow::Result<()> {
        self.accesses.extend_from_slice(row.blocks);
        anyhow::ensure!(
            self.accesses.len() < NEVER as usize,
            "more than {NEVER} block accesses; the optimum holds them all, leave it out"
        );
        self.rows.push((row.blocks.len() as u32, row.tokens));
        self.block_size = row.block_size;
        self.asked.add(row.asked());
        Ok(())
    }

    /// All that was asked for.
    pub fn asked(&self) -> Hits {
        self.asked
    }

    /// For each access, the next one of the same block.
    pub fn next_uses(&self) -> Vec<u32> {
        let highest = self.accesses.iter().max();
        let mut coming = vec![NEVER; highest.map_or(0, |&block| block as usize + 1)];
        let mut next: Vec<u32> = vec![NEVER; self.accesses.len()];
        for (at, &block) in self.accesses.iter().enumerate().rev() {
            next[at] = std::mem::replace(&mut coming[block as usize], at as u32);
        }
        next
    }

    /// What an optimal cache of `capacity` blocks, at least 1, has; `next` is
    /// [`Recording::next_uses`].
    pub fn hits(&self, capacity: u64, next: &[u32]) -> Hits {
        // The next use stands for the block: no two blocks have the same one.
        let mut held = vec![0u64; self.accesses.len().div_ceil(64)];
        let is_held = |held: &[u64], at: u32| held[at as usize / 64] >> (at % 64) & 1 == 1;
        let mut latest: BinaryHeap<u32> = BinaryHeap::new();
        let mut count = 0u64;
        let mut hits = Hits::default();
        let mut at = 0u32;
        for &(blocks, tokens) in &self.rows {
            let row = Row {
                blocks: &self.accesses[at as usize..at as usize + blocks as usize],
                tokens,
                block_size: self.block_size,
            };
            for place in 0..blocks {
                let now = at + place;
                if is_held(&held, now) {
                    hits.add(row.hits(place as usize, 1));
                    count -= 1;
                }
                let use_again = next[now as usize];
                if use_again == NEVER {
                    continue;
                }
                if count == capacity {
                    // Uses that have passed lie below those that have not.
                    match latest.peek() {
                        Some(&last) if last > use_again => {
                            latest.pop();
                            held[last as usize / 64] &= !(1u64 << (last % 64));
                        }
                        _ => continue,
                    }
                } else {
                    count += 1;
                }
                latest.push(use_again);
                held[use_again as usize / 64] |= 1 << (use_again % 64);
                if latest.len() as u64 / 2 > capacity.max(1 << 10) {
                    latest.retain(|&time| time > now);
                }
            }
            at += blocks;
        }
        hits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Policy;
    use clap::ValueEnum;
    use proptest::prelude::*;

    fn record(rows: &[Vec<u32>]) -> Recording {
        let mut recording = Recording::default();
        for blocks in rows {
            let row = Row {
                blocks,
                tokens: 10 * blocks.len() as u64,
                block_size: 10,
            };
            recording.push(&row).unwrap();
        }
        recording
    }

    /// The most hits of any choice at all, by trying every one.
    fn exhaustive(accesses: &[u32], capacity: usize) -> u64 {
        let mut best = std::collections::BTreeMap::from([(Vec::new(), 0)]);
        for &block in accesses {
            let mut after = std::collections::BTreeMap::new();
            for (held, hits) in best {
                let hits = hits + u64::from(held.contains(&block));
                let mut with: Vec<u32> = held.clone();
                if !with.contains(&block) {
                    with.push(block);
                    with.sort_unstable();
                }
                let mut choices = vec![held];
                if with.len() <= capacity {
                    choices.push(with);
                } else {
                    choices.extend((0..with.len()).map(|gone| {
                        let mut kept = with.clone();
                        kept.remove(gone);
                        kept
                    }));
                }
                for choice in choices {
                    let known = after.entry(choice).or_insert(0);
                    *known = hits.max(*known);
                }
            }
            best = after;
        }
        best.into_values().max().unwrap_or(0)
    }

    proptest! {
        #[test]
        fn no_choice_has_more_hits(
            rows in prop::collection::vec(prop::collection::vec(0u32..6, 0..5), 0..8),
            capacity in 1usize..5,
        ) {
            let recording = record(&rows);
            let hits = recording.hits(capacity as u64, &recording.next_uses());
            prop_assert_eq!(hits.blocks, exhaustive(&rows.concat(), capacity));
            prop_assert_eq!(hits.tokens, 10 * hits.blocks);
        }

        #[test]
        fn no_policy_has_more_hits_and_a_larger_cache_has_no_fewer(
            rows in prop::collection::vec(prop::collection::vec(0u32..20, 0..8), 0..60),
        ) {
            let recording = record(&rows);
            let next = recording.next_uses();
            let mut smaller = 0;
            for capacity in 1..25 {
                let most = recording.hits(capacity, &next).blocks;
                prop_assert!(smaller <= most);
                smaller = most;
                for policy in Policy::value_variants() {
                    let Some(mut cache) = policy.simulator(capacity) else { continue };
                    let served = rows.iter().map(|blocks| {
                        cache.serve(&Row { blocks, tokens: 0, block_size: 10 }).blocks
                    });
                    prop_assert!(served.sum::<u64>() <= most, "{}", policy.name());
                }
            }
        }
    }
}
