//! The embedded tokenizers: a vocabulary and the pattern that goes with it.

use crate::merge::{self, Scratch};
use crate::split::Split;
use crate::vocabulary::{Rank, Vocabulary};
use std::sync::LazyLock;

/// A byte-pair tokenizer whose vocabulary is in the binary.
pub(crate) struct Bpe {
    split: Split,
    vocabulary: LazyLock<Vocabulary>,
}

/// 200k tokens: GPT-4o and later, gpt-oss.
pub(crate) static O200K: Bpe = Bpe {
    split: Split::O200k,
    vocabulary: LazyLock::new(|| Vocabulary::unpack(include_bytes!("../vocabularies/o200k.zst"))),
};

/// 100k tokens: GPT-4 and GPT-3.5.
pub(crate) static CL100K: Bpe = Bpe {
    split: Split::Cl100k,
    vocabulary: LazyLock::new(|| Vocabulary::unpack(include_bytes!("../vocabularies/cl100k.zst"))),
};

impl Bpe {
    /// Append the tokens of `text`. What looks like a special token is text.
    pub(crate) fn encode(&self, text: &str, tokens: &mut Vec<Rank>) {
        let mut scratch = Scratch::default();
        self.pieces(text, |vocabulary, piece| {
            merge::encode(vocabulary, piece, &mut scratch, tokens);
        });
    }

    /// Number of tokens of `text`.
    pub(crate) fn count(&self, text: &str) -> u64 {
        let (mut scratch, mut tokens) = (Scratch::default(), Vec::new());
        let mut count = 0;
        self.pieces(text, |vocabulary, piece| {
            tokens.clear();
            merge::encode(vocabulary, piece, &mut scratch, &mut tokens);
            count += tokens.len() as u64;
        });
        count
    }

    /// The bytes of `tokens`, or the first of them that is none.
    pub(crate) fn decode(&self, tokens: &[Rank]) -> Result<Vec<u8>, Rank> {
        let mut bytes = Vec::with_capacity(4 * tokens.len());
        for &token in tokens {
            bytes.extend_from_slice(self.vocabulary.token(token).ok_or(token)?);
        }
        Ok(bytes)
    }

    fn pieces(&self, text: &str, mut each: impl FnMut(&Vocabulary, &[u8])) {
        if text.is_empty() {
            return;
        }
        let vocabulary = &*self.vocabulary;
        let mut at = 0;
        while at < text.len() {
            let end = self.split.end(text, at);
            each(vocabulary, &text.as_bytes()[at..end]);
            at = end;
        }
    }
}
