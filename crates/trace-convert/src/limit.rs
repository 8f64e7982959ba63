//! The most that a line holds.
//!
//! A number in a table may be anything; what is made of it must fit a line
//! that our tools would read again, and into memory.

use trace_core::blocks_of;

/// Tokens in the longest prompt that is written as text.
pub(crate) const MOST_TOKENS: u64 = 8 << 20;

/// Ids in the longest prompt that is written.
const MOST_BLOCKS: u64 = 8 << 20;

/// Number of blocks of a prompt of `tokens` tokens.
///
/// # Errors
/// More than a line holds.
pub(crate) fn blocks(tokens: u64, block_size: u64) -> Result<u64, String> {
    let blocks = blocks_of(tokens, block_size);
    if blocks > MOST_BLOCKS {
        return Err(format!(
            "an input_length of {tokens} takes {blocks} hash_ids, more than a line holds"
        ));
    }
    Ok(blocks)
}
