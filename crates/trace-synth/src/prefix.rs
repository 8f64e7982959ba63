//! What requests share: the ids of their prompts' blocks.

use rand::Rng;
use trace_core::BlockTable;

use crate::draw::Below;

/// The blocks of the prompts of a trace, in order.
pub trait Prefixes {
    /// Put the ids of a prompt of `blocks` blocks into `ids`.
    fn draw(&mut self, blocks: u64, ids: &mut Vec<u64>);
}

/// Prompts that share nothing: every block has an id of its own.
///
/// Drawing contents from a pool, however large, makes prompts share their
/// first blocks sooner or later; this is what "no prefix caching" means.
#[derive(Clone, Debug, Default)]
pub struct Unique {
    next: u64,
}

impl Prefixes for Unique {
    fn draw(&mut self, blocks: u64, ids: &mut Vec<u64>) {
        ids.clear();
        ids.extend(self.next..self.next + blocks);
        self.next += blocks;
    }
}

/// Most contents a pool can have.
pub const MAX_CONTENTS: u64 = 1 << 32;

/// Prompts whose every block is drawn, uniformly, from a pool of contents.
///
/// Two prompts share blocks as far as their draws agree from the start, so
/// sharing is rare beyond the first block unless the pool is small. Memory
/// grows with the number of distinct prefixes.
#[derive(Debug)]
pub struct Pool<R> {
    contents: Below,
    table: BlockTable<u32>,
    /// Ids of first blocks by content, [`UNSEEN`] where there is none yet.
    first: Vec<u64>,
    /// What was drawn for a prompt.
    drawn: Vec<u32>,
    rng: R,
}

/// First blocks are looked up in an array up to this many contents, 8 MiB:
/// every prompt starts there, and a place in the cache beats a place in the
/// table among all the blocks that are never met again.
const MOST_FIRST: u64 = 1 << 20;

const UNSEEN: u64 = u64::MAX;

impl<R: Rng> Pool<R> {
    /// A pool of `contents` contents, from 1 to [`MAX_CONTENTS`].
    pub fn new(contents: u64, rng: R) -> Self {
        Self {
            contents: Below::new(contents),
            table: BlockTable::new(),
            first: vec![UNSEEN; contents.min(MOST_FIRST) as usize],
            drawn: Vec::new(),
            rng,
        }
    }

    fn first(&mut self, content: u32) -> u64 {
        match self.first.get_mut(content as usize) {
            Some(id) => {
                if *id == UNSEEN {
                    *id = self.table.child(None, content);
                }
                *id
            }
            None => self.table.child(None, content),
        }
    }
}

impl<R: Rng> Prefixes for Pool<R> {
    fn draw(&mut self, blocks: u64, ids: &mut Vec<u64>) {
        ids.clear();
        let (contents, rng) = (self.contents, &mut self.rng);
        self.drawn.clear();
        self.drawn.extend((0..blocks).map(|_| contents.draw(rng)));
        let Some(&content) = self.drawn.first() else {
            return;
        };
        let first = self.first(content);
        ids.push(first);
        self.table.extend(Some(first), &self.drawn[1..], ids);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    #[test]
    fn unique_prompts_never_share_a_block() {
        let mut prefixes = Unique::default();
        let (mut first, mut second) = (Vec::new(), Vec::new());
        prefixes.draw(3, &mut first);
        prefixes.draw(2, &mut second);
        assert_eq!((first, second), (vec![0, 1, 2], vec![3, 4]));
    }

    #[test]
    fn a_pool_of_one_content_makes_every_prompt_a_prefix_of_another() {
        let mut prefixes = Pool::new(1, ChaCha8Rng::seed_from_u64(1));
        let (mut first, mut second) = (Vec::new(), Vec::new());
        prefixes.draw(2, &mut first);
        prefixes.draw(4, &mut second);
        assert_eq!((first, second), (vec![0, 1], vec![0, 1, 2, 3]));
    }
    #[test]
    fn ids_are_those_of_one_table_on_both_sides_of_the_array() {
        let contents = MOST_FIRST + MOST_FIRST / 2;
        let mut pool = Pool::new(contents, ChaCha8Rng::seed_from_u64(1));
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (below, mut table) = (Below::new(contents), BlockTable::new());
        let (mut ids, mut expected) = (Vec::new(), Vec::new());
        for blocks in [2, 1, 5].repeat(200_000) {
            let row: Vec<u32> = (0..blocks).map(|_| below.draw(&mut rng)).collect();
            table.row(&row, &mut expected);
            pool.draw(blocks, &mut ids);
            assert_eq!(ids, expected);
        }
    }
}
