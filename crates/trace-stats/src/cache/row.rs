//! A prompt as a cache meets it: numbered blocks, and the tokens in each.

use super::curve::Hits;
use crate::ids::Ids;

/// The blocks of one prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// Numbers of the blocks, from the start of the prompt.
    pub blocks: &'a [u32],
    /// Length of the prompt in tokens; 0 where it is not known, and then the
    /// row counts in block rates only.
    pub tokens: u64,
    /// Tokens in a full block.
    pub block_size: u64,
}

impl Row<'_> {
    /// Tokens in `count` blocks from the one at `start`: a partial last block
    /// has what is left of the prompt.
    pub fn tokens_of(&self, start: usize, count: usize) -> u64 {
        let until = |block: usize| {
            (block as u64)
                .saturating_mul(self.block_size)
                .min(self.tokens)
        };
        until(start + count) - until(start)
    }

    /// Hits on `count` blocks from the one at `start`.
    pub fn hits(&self, start: usize, count: usize) -> Hits {
        Hits {
            blocks: count as u64,
            tokens: self.tokens_of(start, count),
        }
    }

    /// All that the prompt asks for.
    pub fn asked(&self) -> Hits {
        Hits {
            blocks: self.blocks.len() as u64,
            tokens: self.tokens,
        }
    }
}

/// How many of `blocks` blocks of a prompt take part: all, or with `full_only`
/// those that `tokens` tokens fill. Without a length every block is taken for
/// full.
pub(super) fn full_blocks(
    tokens: Option<u64>,
    blocks: usize,
    block_size: u64,
    full_only: bool,
) -> usize {
    match tokens {
        Some(tokens) if full_only => {
            let full = tokens / block_size;
            usize::try_from(full).unwrap_or(usize::MAX).min(blocks)
        }
        _ => blocks,
    }
}

/// Makes rows of prompts: ids become numbers, and partial blocks go if asked.
#[derive(Debug)]
pub struct Rows {
    block_size: u64,
    full_only: bool,
    ids: Ids,
    blocks: Vec<u32>,
    without_length: u64,
}

impl Rows {
    /// Rows of blocks of `block_size` tokens; with `full_only` a last block
    /// that the prompt does not fill is left out, since engines cache full
    /// blocks only.
    pub fn new(block_size: u64, full_only: bool) -> Self {
        Self {
            block_size,
            full_only,
            ids: Ids::default(),
            blocks: Vec::new(),
            without_length: 0,
        }
    }

    /// The row of a prompt of `tokens` tokens, if that is known, with these ids.
    ///
    /// # Errors
    ///
    /// If there are more ids than can be numbered.
    pub fn row(&mut self, tokens: Option<u64>, ids: &[u64]) -> anyhow::Result<Row<'_>> {
        self.without_length += u64::from(tokens.is_none() && !ids.is_empty());
        let full = full_blocks(tokens, ids.len(), self.block_size, self.full_only);
        self.blocks.clear();
        for &id in &ids[..full] {
            self.blocks.push(self.ids.number(id)?);
        }
        Ok(Row {
            blocks: &self.blocks,
            tokens: tokens.unwrap_or(0),
            block_size: self.block_size,
        })
    }

    /// Number of distinct blocks so far.
    pub fn distinct(&self) -> u32 {
        self.ids.len()
    }

    /// Rows with ids and without a length so far.
    pub fn without_length(&self) -> u64 {
        self.without_length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_last_block_has_what_is_left() {
        let blocks = [0, 1, 2];
        let row = Row {
            blocks: &blocks,
            tokens: 25,
            block_size: 10,
        };
        assert_eq!((row.tokens_of(0, 3), row.tokens_of(2, 1)), (25, 5));
        assert_eq!(row.tokens_of(0, 2), 20);
    }

    #[test]
    fn partial_blocks_are_left_out_if_asked() {
        let mut rows = Rows::new(10, true);
        assert_eq!(rows.row(Some(25), &[7, 8, 9]).unwrap().blocks, [0, 1]);
        assert_eq!(rows.row(Some(30), &[7, 8, 9]).unwrap().blocks, [0, 1, 2]);
        assert_eq!(rows.row(Some(9), &[5]).unwrap().blocks, [0; 0]);
        // Without a length every block is taken for full.
        assert_eq!(rows.row(None, &[5]).unwrap().blocks, [3]);
        assert_eq!((rows.distinct(), rows.without_length()), (4, 1));
    }
}
