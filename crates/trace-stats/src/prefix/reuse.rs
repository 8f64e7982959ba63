//! What the rows of a trace share, in numbers.

use trace_core::quantile::Spread;

/// What the rows of a trace share.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reuse {
    /// Rows that have ids.
    pub rows: u64,
    /// Ids of all rows together.
    pub blocks: u64,
    /// Prompt tokens of the rows that have ids.
    pub tokens: u64,
    /// Leading blocks that an infinite cache would have had.
    pub hit_blocks: u64,
    /// Tokens in them, a partial last block counted as what it is.
    pub hit_tokens: u64,
    /// Distinct ids.
    pub distinct_ids: u64,
    /// Distinct pairs of position and id.
    pub distinct_pairs: u64,
    /// Of those, the ones that two rows or more have.
    pub repeated_pairs: u64,
    /// Distinct prefixes.
    pub distinct_prefixes: u64,
    /// Blocks whose prefix two rows or more have.
    pub shared_blocks: u64,
    /// First blocks that two rows or more have.
    pub groups: u64,
    /// Rows of which every block is repeated.
    pub repeated_rows: u64,
    /// Rows, counted from 0 among those with ids, whose context is longer than
    /// their prompt: how many, and the first few.
    pub context_exceeds_input: u64,
    /// The first few of them.
    pub first_exceeding: Vec<u32>,
    /// Repeated part of each prompt, in tokens.
    pub context_length: Spread,
    /// Rest of each prompt, in tokens.
    pub unique_prompt_length: Spread,
    /// Hit rate of each row, between 0 and 1.
    pub prefix_hit_rate: Spread,
}

impl Reuse {
    /// Share of all blocks that an infinite cache would have had.
    pub fn block_hit_rate(&self) -> Option<f64> {
        ratio(self.hit_blocks, self.blocks)
    }

    /// Share of all prompt tokens that an infinite cache would have had.
    pub fn token_hit_rate(&self) -> Option<f64> {
        ratio(self.hit_tokens, self.tokens)
    }

    /// Share of all blocks whose prefix occurs in two rows or more.
    pub fn prefix_reuse_ratio(&self) -> Option<f64> {
        ratio(self.shared_blocks, self.blocks)
    }
}

/// `part / whole`, undefined for nothing.
pub(crate) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
