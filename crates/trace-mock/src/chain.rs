//! Names of the blocks of a KV cache: each stands for its tokens and everything before them.
//!
//! The ids of a record are of prompts alone, and a last block that is not full has one. An engine
//! keeps full blocks, of prompts and of the answers behind them, so it has names of its own.

use std::hash::{DefaultHasher, Hasher};

/// The full blocks of a prompt, and what it takes to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chain {
    /// By their order.
    pub(crate) blocks: Vec<u64>,
    /// Tokens behind the last full block.
    rest: Vec<u32>,
}

impl Chain {
    /// The chain of a prompt of these tokens, in blocks of `size`.
    pub(crate) fn of(tokens: &[u32], size: u64) -> Chain {
        let mut chain = Chain::default();
        chain.push(tokens, size);
        chain
    }

    /// Go on with `tokens`.
    pub(crate) fn push(&mut self, tokens: &[u32], size: u64) {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        self.rest.extend_from_slice(tokens);
        let blocks = self.rest.chunks_exact(size);
        let left = blocks.remainder().len();
        let mut before = self.blocks.last().copied().unwrap_or_default();
        for block in blocks {
            let mut hasher = DefaultHasher::new();
            hasher.write_u64(before);
            block.iter().for_each(|token| hasher.write_u32(*token));
            before = hasher.finish();
            self.blocks.push(before);
        }
        self.rest.drain(..self.rest.len() - left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_the_same_in_any_pieces() {
        let tokens: Vec<u32> = (0..23).collect();
        let whole = Chain::of(&tokens, 4);
        assert_eq!((whole.blocks.len(), whole.rest.len()), (5, 3));
        for at in 0..=23 {
            let mut parts = Chain::of(&tokens[..at], 4);
            parts.push(&tokens[at..], 4);
            assert_eq!(parts, whole, "{at}");
        }
    }

    #[test]
    fn a_block_stands_for_what_is_before_it_too() {
        let [a, b] = [[1, 2, 7, 7], [1, 3, 7, 7]].map(|tokens| Chain::of(&tokens, 2).blocks);
        assert!(a[0] != b[0] && a[1] != b[1]);
        assert_eq!(Chain::of(&[1, 2, 7, 7], 2).blocks, a);
    }
}
