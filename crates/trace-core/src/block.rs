//! Block ids: what two prompts share, in units of KV-cache blocks.
//!
//! A prompt is cut into blocks of a fixed number of tokens; the id of a block
//! stands for the block *and everything before it*. Two requests share a
//! prefix exactly as far as their ids are equal from the start.

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hash};

/// Tokens per block, as in the published Mooncake traces; another size would
/// make our ids incomparable with theirs.
pub const BLOCK_TOKENS: u64 = 512;

/// Number of blocks a prompt of `tokens` tokens takes, a partial one included.
pub fn blocks_of(tokens: u64, block_size: u64) -> u64 {
    tokens.div_ceil(block_size)
}

/// Number of leading blocks two requests share.
///
/// Blocks after the first difference do not count even if equal: a cache
/// entry is only reusable behind an unbroken prefix.
pub fn shared_prefix(a: &[u64], b: &[u64]) -> usize {
    a.iter().zip(b).take_while(|(x, y)| x == y).count()
}

/// Gives every path of block contents its id: consecutive integers from 0, in
/// first-seen order, over the table's lifetime.
///
/// The same ids as AIPerf's rolling hasher, but exact: a trie keyed by parent
/// and content, where no two paths can collide. Most blocks are the only
/// continuation of the block before them and got their ids one after the
/// other, so such a run is an array of contents; only where paths part is
/// there an entry in a hash table. A run costs one content and one bit per
/// block, a branch 16 bytes more.
#[derive(Debug, Clone)]
pub struct BlockTable<C = u32> {
    /// Content of each block, by id.
    contents: Vec<C>,
    /// Bit `i`: block `i + 1` continues block `i`.
    continued: Vec<u64>,
    branches: HashTable<Branch>,
    hasher: FixedState,
}

/// A block that does not directly follow its parent's id.
#[derive(Debug, Clone, Copy)]
struct Branch {
    /// 1 + the id before it; 0 at the start of a prompt.
    parent: u64,
    id: u64,
}

impl<C: Copy + Eq + Hash> BlockTable<C> {
    /// An empty table.
    pub fn new() -> Self {
        Self {
            contents: Vec::new(),
            continued: Vec::new(),
            branches: HashTable::new(),
            hasher: FixedState::default(),
        }
    }

    /// Number of different blocks seen.
    pub fn len(&self) -> u64 {
        self.contents.len() as u64
    }

    /// Whether none was seen.
    pub fn is_empty(&self) -> bool {
        self.contents.is_empty()
    }

    /// Put the ids of a prompt with these block contents into `ids`.
    pub fn row(&mut self, contents: &[C], ids: &mut Vec<u64>) {
        ids.clear();
        self.extend(None, contents, ids);
    }

    /// Append the ids of `contents` after block `parent`, or at the start of a
    /// prompt, to `ids`.
    ///
    /// What follows a block never seen before was never seen either, so the
    /// rest of the prompt is added as one run.
    pub fn extend(&mut self, mut parent: Option<u64>, contents: &[C], ids: &mut Vec<u64>) {
        for (at, &content) in contents.iter().enumerate() {
            let fresh = self.len();
            let id = self.child(parent, content);
            ids.push(id);
            if id == fresh {
                self.push_run(&contents[at + 1..]);
                ids.extend(id + 1..self.len());
                return;
            }
            parent = Some(id);
        }
    }

    /// The id of `content` after block `parent`, or at the start of a prompt.
    pub fn child(&mut self, parent: Option<u64>, content: C) -> u64 {
        if let Some(parent) = parent {
            if self.is_continued(parent) {
                if self.contents[parent as usize + 1] == content {
                    return parent + 1;
                }
            } else if parent + 1 == self.len() {
                self.set_continued(parent);
                return self.push(content);
            }
        }
        self.branch(parent.map_or(0, |id| id + 1), content)
    }

    fn branch(&mut self, parent: u64, content: C) -> u64 {
        let hash = self.hasher.hash_one((parent, content));
        let contents = &self.contents;
        let same =
            |branch: &Branch| branch.parent == parent && contents[branch.id as usize] == content;
        if let Some(found) = self.branches.find(hash, same) {
            return found.id;
        }
        let id = self.push(content);
        let (hasher, contents) = (&self.hasher, &self.contents);
        let rehash =
            |branch: &Branch| hasher.hash_one((branch.parent, contents[branch.id as usize]));
        self.branches
            .insert_unique(hash, Branch { parent, id }, rehash);
        id
    }

    fn push(&mut self, content: C) -> u64 {
        let id = self.len();
        if id.is_multiple_of(64) {
            self.continued.push(0);
        }
        self.contents.push(content);
        id
    }

    /// Add blocks each of which continues the one before, the first the last
    /// block there is.
    fn push_run(&mut self, contents: &[C]) {
        let mut id = self.len() - 1;
        self.contents.extend_from_slice(contents);
        self.continued.resize(self.contents.len().div_ceil(64), 0);
        let end = self.len() - 1;
        while id < end {
            let here = (end - id).min(64 - id % 64);
            self.continued[id as usize / 64] |= (u64::MAX >> (64 - here)) << (id % 64);
            id += here;
        }
    }

    fn is_continued(&self, id: u64) -> bool {
        self.continued[id as usize / 64] >> (id % 64) & 1 == 1
    }

    fn set_continued(&mut self, id: u64) {
        self.continued[id as usize / 64] |= 1 << (id % 64);
    }
}

impl<C: Copy + Eq + Hash> Default for BlockTable<C> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn rows(contents: &[&[u32]]) -> Vec<Vec<u64>> {
        let mut table = BlockTable::new();
        let row = |row: &&[u32]| {
            let mut ids = Vec::new();
            table.row(row, &mut ids);
            ids
        };
        contents.iter().map(row).collect()
    }

    #[test]
    fn an_id_stands_for_the_whole_prefix() {
        let ids = rows(&[&[7, 8, 9], &[7, 8, 5], &[8, 9], &[7, 8, 9, 1], &[]]);
        assert_eq!(
            ids,
            [
                vec![0, 1, 2],
                vec![0, 1, 3],
                vec![4, 5],
                vec![0, 1, 2, 6],
                vec![]
            ]
        );
    }

    #[test]
    fn a_partial_last_block_counts() {
        assert_eq!(
            [0, 1, 512, 513].map(|tokens| blocks_of(tokens, 512)),
            [0, 1, 1, 2]
        );
    }

    #[test]
    fn equal_blocks_behind_a_difference_are_not_shared() {
        assert_eq!(shared_prefix(&[0, 1, 2], &[0, 9, 2]), 1);
    }

    #[test]
    fn long_runs_are_found_again() {
        let long: Vec<u32> = (0..1000).collect();
        let mut other = long.clone();
        other[700] = 0;
        let ids = rows(&[&[5; 61], &long, &long[..300], &other, &long]);
        let of = |start: u64, count: u64| (start..start + count).collect::<Vec<u64>>();
        assert_eq!(ids[1], of(61, 1000));
        assert_eq!(ids[2], of(61, 300));
        assert_eq!(ids[3], [of(61, 700), of(1061, 300)].concat());
        assert_eq!(ids[4], ids[1]);
    }

    proptest! {
        #[test]
        fn ids_are_those_of_the_definition(contents in proptest::collection::vec(proptest::collection::vec(0..3_u32, 0..6), 0..40)) {
            let mut seen = HashMap::new();
            let expected: Vec<Vec<u64>> = contents.iter().map(|row| {
                (1..=row.len()).map(|n| {
                    let next = seen.len() as u64;
                    *seen.entry(row[..n].to_vec()).or_insert(next)
                }).collect()
            }).collect();
            let slices: Vec<&[u32]> = contents.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(rows(&slices), expected);
        }
    }
}
