//! Least recently used: over blocks, and over prefixes with leaves first.

use super::super::curve::Hits;
use super::super::row::Row;
use super::Simulator;
use super::list::List;

/// The block that was used longest ago goes first.
#[derive(Debug, Clone)]
pub struct Lru {
    capacity: u64,
    blocks: List,
}

impl Lru {
    /// An empty cache of `capacity` blocks, at least 1.
    pub fn new(capacity: u64) -> Self {
        Self {
            capacity,
            blocks: List::default(),
        }
    }
}

impl Simulator for Lru {
    fn holds(&self, block: u32) -> bool {
        self.blocks.holds(block)
    }

    fn access(&mut self, block: u32) -> bool {
        let hit = self.blocks.holds(block);
        if hit {
            self.blocks.remove(block);
        } else if self.blocks.len() == self.capacity {
            self.blocks.pop_back();
        }
        self.blocks.push_front(block);
        hit
    }
}

/// The leaf that was used longest ago goes first, as in the radix caches of
/// vLLM and SGLang: a block only goes when nothing behind it is held.
///
/// A prompt finds the leading blocks that were held before it came. All of its
/// blocks are then used at once, and of blocks used at once the deepest goes
/// first; of a prompt larger than the cache the beginning stays.
#[derive(Debug, Clone)]
pub struct LeafFirst(Lru);

impl LeafFirst {
    /// An empty cache of `capacity` blocks, at least 1.
    pub fn new(capacity: u64) -> Self {
        Self(Lru::new(capacity))
    }
}

impl Simulator for LeafFirst {
    fn holds(&self, block: u32) -> bool {
        self.0.holds(block)
    }

    fn access(&mut self, block: u32) -> bool {
        self.0.access(block)
    }

    fn serve(&mut self, row: &Row<'_>) -> Hits {
        let lead = self.lead(row.blocks);
        for &block in row.blocks.iter().rev() {
            self.access(block);
        }
        row.hits(0, lead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_block_used_longest_ago_goes_first() {
        let mut cache = Lru::new(2);
        let hits = super::super::tests::outcomes(&mut cache, &[1, 2, 1, 3, 1, 2]);
        assert_eq!(hits, [false, false, true, false, true, false]);
    }

    /// A radix cache as it is told: nodes with a time of last use; while there
    /// are too many, the leaf with the oldest time goes. Nodes of the prompt
    /// being served are locked, and what does not fit then is not kept.
    fn radix(rows: &[Vec<u32>], capacity: usize) -> Vec<usize> {
        let mut last: BTreeMap<Vec<u32>, usize> = BTreeMap::new();
        let mut found = Vec::new();
        for (now, row) in rows.iter().enumerate() {
            let paths = (1..=row.len()).map(|end| row[..end].to_vec());
            let paths: Vec<Vec<u32>> = paths.collect();
            found.push(
                paths
                    .iter()
                    .take_while(|path| last.contains_key(*path))
                    .count(),
            );
            for path in &paths {
                let new = !last.contains_key(path);
                while new && last.len() == capacity {
                    let is_leaf = |path: &Vec<u32>| {
                        !last
                            .keys()
                            .any(|other| other.len() > path.len() && other.starts_with(path))
                    };
                    let unlocked = last
                        .iter()
                        .filter(|(path, _)| is_leaf(path) && !paths.contains(path));
                    let oldest = unlocked.min_by_key(|(_, time)| **time);
                    let Some(oldest) = oldest.map(|(path, _)| path.clone()) else {
                        break;
                    };
                    last.remove(&oldest);
                }
                if !new || last.len() < capacity {
                    last.insert(path.clone(), now);
                }
            }
        }
        found
    }

    proptest! {
        #[test]
        fn leaves_go_as_from_a_radix_tree(
            rows in prop::collection::vec(prop::collection::vec(0u32..3, 1..5), 0..30),
            capacity in 1usize..20,
        ) {
            // Ids name paths, as they do in a trace.
            let mut table = trace_core::BlockTable::new();
            let mut ids = Vec::new();
            let mut cache = LeafFirst::new(capacity as u64);
            let mut found = Vec::new();
            for row in &rows {
                table.row(row, &mut ids);
                let blocks: Vec<u32> = ids.iter().map(|&id| id as u32).collect();
                let row = Row { blocks: &blocks, tokens: 0, block_size: 1 };
                found.push(cache.serve(&row).blocks as usize);
            }
            prop_assert_eq!(found, radix(&rows, capacity));
        }
    }
}
