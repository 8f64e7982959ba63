//! The text of every answer: common words in a fixed order, over and over.
//!
//! Each has a space in front and is one token of the o200k and cl100k vocabularies, so an answer
//! of n tokens is n words. None needs an escape in JSON; one has a character of two bytes, so that
//! answers in small pieces cut one.

use std::ops::Range;

use trace_prompt::Tokenizer;

const WORDS: [&str; 16] = [
    " the", " time", " of", " a", " long", " day", " and", " night", " is", " not", " what",
    " you", " would", " café", " it", " was",
];

/// Where each word of a round starts, and behind them the length of a round.
const STARTS: [usize; WORDS.len() + 1] = {
    let mut starts = [0; WORDS.len() + 1];
    let mut at = 0;
    while at < WORDS.len() {
        starts[at + 1] = starts[at] + WORDS[at].len();
        at += 1;
    }
    starts
};

/// The word that token `index` of an answer is.
pub(crate) fn word(index: u64) -> &'static str {
    // A power of two of them, so that the remainder is a mask.
    WORDS[(index % WORDS.len() as u64) as usize]
}

/// Bytes before token `index`.
pub(crate) fn start(index: u64) -> u64 {
    let round = WORDS.len() as u64;
    let before = STARTS[(index % round) as usize] as u64;
    index / round * STARTS[WORDS.len()] as u64 + before
}

/// Append the text of `tokens`, as far as the first `visible` bytes of the answer go.
pub(crate) fn push(tokens: Range<u64>, visible: u64, out: &mut Vec<u8>) {
    if start(tokens.end) <= visible {
        tokens.for_each(|token| out.extend_from_slice(word(token).as_bytes()));
        return;
    }
    for token in tokens {
        let word = word(token).as_bytes();
        let left = visible.saturating_sub(start(token));
        let left = usize::try_from(left).unwrap_or(usize::MAX).min(word.len());
        out.extend_from_slice(&word[..left]);
    }
}

/// The tokens of a round, if each word is one.
///
/// An answer that comes back in a prompt is then made of the tokens that were generated: text is
/// cut before a space, so only the last of them may join with what follows.
pub(crate) fn tokens(tokenizer: &Tokenizer) -> Option<Vec<u32>> {
    let mut tokens = Vec::new();
    tokenizer.identify(&WORDS.concat(), &mut tokens).ok()?;
    (tokens.len() == WORDS.len()).then_some(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(tokens: Range<u64>, visible: u64) -> String {
        let mut out = Vec::new();
        push(tokens, visible, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_is_the_same_in_any_pieces() {
        let whole = text(0..100, u64::MAX);
        assert_eq!(text(0..37, u64::MAX) + &text(37..100, u64::MAX), whole);
        for index in [0, 1, 15, 16, 17, 40, 100] {
            assert_eq!(start(index), text(0..index, u64::MAX).len() as u64);
        }
    }

    #[test]
    fn it_ends_where_it_is_no_longer_visible() {
        assert_eq!(text(0..4, 6), " the t");
        assert_eq!(text(1..4, 6), " t");
        assert_eq!(text(2..4, 6), "");
    }

    #[test]
    fn every_word_is_a_token_of_the_usual_vocabularies() {
        for tokenizer in [
            trace_prompt::Tokenizer::o200k(),
            trace_prompt::Tokenizer::cl100k(),
        ] {
            assert_eq!(tokenizer.count(&text(0..64, u64::MAX)).unwrap(), 64);
        }
    }
}
