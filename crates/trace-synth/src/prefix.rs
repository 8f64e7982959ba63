//! What requests share: the ids of their prompts' blocks.

use rand::Rng;
use trace_core::{BlockTable, seed};

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
    contents: u64,
    table: BlockTable<u32>,
    rng: R,
    drawn: Vec<u32>,
}

impl<R: Rng> Pool<R> {
    /// A pool of `contents` contents, from 1 to [`MAX_CONTENTS`].
    pub fn new(contents: u64, rng: R) -> Self {
        let table = BlockTable::new();
        Self {
            contents,
            table,
            rng,
            drawn: Vec::new(),
        }
    }
}

impl<R: Rng> Prefixes for Pool<R> {
    fn draw(&mut self, blocks: u64, ids: &mut Vec<u64>) {
        let Self {
            contents,
            table,
            rng,
            drawn,
        } = self;
        drawn.clear();
        drawn.extend((0..blocks).map(|_| seed::below(rng, *contents) as u32));
        table.row(drawn, ids);
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
}
