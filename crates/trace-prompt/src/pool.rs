//! What prompts are made of: pieces of text that are one token each, wherever
//! they stand among others of them.

use crate::words::{WORD_BITS, WORDS, Word};
use std::borrow::Cow;

/// Pieces of one token, 2ᵏ of them, chosen from by k bits.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    pub(crate) words: Cow<'static, [Word]>,
    pub(crate) bits: u32,
    /// The first piece of a prompt goes without its first byte, a space: the
    /// tokenizer itself puts one at the beginning of every text.
    pub(crate) joined: bool,
    /// Token ids of the pieces, if known already.
    pub(crate) ids: Option<Ids>,
}

/// Token ids by index of the piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ids {
    /// At the beginning of a prompt.
    pub(crate) first: Vec<u32>,
    /// After another piece.
    pub(crate) rest: Vec<u32>,
}

impl Pool {
    /// The common words with a space before each.
    ///
    /// That they are one token each holds for the embedded vocabularies by
    /// construction. Both patterns match a space and the lower-case letters
    /// behind it as one piece, however many such words stand in a row, and a
    /// piece that is in the vocabulary as a whole is one token; that each of
    /// the words is there, is tested. So no vocabulary is needed to make text.
    pub(crate) const fn common() -> Self {
        Self {
            words: Cow::Borrowed(&WORDS),
            bits: WORD_BITS,
            joined: false,
            ids: None,
        }
    }

    /// A pool of as many of these as make a power of two.
    #[cfg(feature = "huggingface")]
    pub(crate) fn of(mut words: Vec<Word>, mut ids: Ids, joined: bool) -> Option<Self> {
        let bits = words.len().checked_ilog2().filter(|&bits| bits > 0)?;
        words.truncate(1 << bits);
        ids.first.truncate(1 << bits);
        ids.rest.truncate(1 << bits);
        Some(Self {
            words: Cow::Owned(words),
            bits,
            joined,
            ids: Some(ids),
        })
    }
}
