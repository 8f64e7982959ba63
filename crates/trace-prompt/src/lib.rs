//! Deterministic prompt text for block ids and lengths.
//!
//! A trace does not hold prompts. It holds how long each was, and one id per
//! block of it, so that requests whose ids are equal from the start shared a
//! prefix. To replay it, something must make text of those lengths that
//! shares exactly those prefixes, and nothing else: this crate.
//!
//! ```
//! use trace_prompt::Prompts;
//!
//! let prompts = Prompts::new(0);
//! let (mut first, mut second) = (String::new(), String::new());
//! // Two requests of 600 tokens that share their first block of 512.
//! prompts.render(&[46, 47], 600, 0, &mut first);
//! prompts.render(&[46, 99], 600, 1, &mut second);
//! assert_eq!(prompts.count(&first), 600);
//! let shared = first.bytes().zip(second.bytes()).take_while(|(a, b)| a == b).count();
//! assert!(prompts.count(&first[..shared]) >= 512);
//! ```
//!
//! **Counts are words until a tokenizer is plugged in.** One token is one
//! common English word with the space before it. Most vocabularies have each
//! of them as one token, so a server counts about the same; it need not count
//! exactly the same, and a chat template adds its own. What a server did
//! count stands in its `usage`.
//!
//! The promises, which a tokenizer will have to keep too:
//! - equal ids from the start give text that is equal as far, and equal
//!   across runs, machines and versions for the same seed;
//! - the text counts exactly as many tokens as were asked for;
//! - a partial last block is the beginning of the full block's text;
//! - what ids do not cover is text of the request's own, shared with nobody.
//!
//! Text is generated anew each time, at 1 to 2 GB/s: faster than a cache of
//! blocks would find it in memory, and with nothing to bound.

mod words;

use trace_core::BLOCK_TOKENS;
use words::{WORD_BITS, WORDS};

/// Makes prompts: which seed, which block size and, one day, whose tokens.
#[derive(Debug, Clone)]
pub struct Prompts {
    seed: u64,
    block_tokens: u64,
}

/// What a stretch of text is drawn for. Their texts have nothing in common.
#[derive(Debug, Clone, Copy)]
enum Stretch {
    /// The block of this id, the same wherever it occurs.
    Block(u64),
    /// What no id covers of the request of this number.
    Own(u64),
}

impl Prompts {
    /// Prompts of blocks of [`BLOCK_TOKENS`] tokens; another seed gives other text.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            block_tokens: BLOCK_TOKENS,
        }
    }

    /// Blocks of `tokens` tokens instead.
    ///
    /// # Panics
    /// If `tokens` is zero.
    #[must_use]
    pub fn block_size(self, tokens: u64) -> Self {
        assert!(tokens > 0, "a block holds at least one token");
        Self {
            block_tokens: tokens,
            ..self
        }
    }

    /// Append a prompt of `tokens` tokens whose blocks are `hash_ids`.
    ///
    /// Ids beyond the length are not rendered. Where there are fewer than
    /// ⌈`tokens` / block size⌉ of them, or none, the rest is text that only
    /// the request with number `own` gets.
    pub fn render(&self, hash_ids: &[u64], tokens: u64, own: u64, out: &mut String) {
        let mut left = tokens;
        for &id in hash_ids {
            let here = left.min(self.block_tokens);
            self.stretch(Stretch::Block(id), here, out);
            left -= here;
            if left == 0 {
                return;
            }
        }
        self.stretch(Stretch::Own(own), left, out);
    }

    /// Number of tokens in `text`: of words, as the crate's page says.
    pub fn count(&self, text: &str) -> u64 {
        text.split_ascii_whitespace().count() as u64
    }

    fn stretch(&self, stretch: Stretch, tokens: u64, out: &mut String) {
        let (kind, id) = match stretch {
            Stretch::Block(id) => (0x626c_6f63_6b00_0000, id),
            Stretch::Own(seq) => (0x6f77_6e00_0000_0000, seq),
        };
        let mut draw = Draw(mix(self.seed ^ kind) ^ id);
        // A buffer on the stack: a word is copied whole and the next one
        // overwrites its padding, which a String would not let us do.
        let mut buffer = [0_u8; 8 * 7 * 16];
        let mut left = tokens;
        while left > 0 {
            let mut end = 0;
            for _ in 0..16 {
                let mut bits = draw.next();
                let here = left.min(7);
                for _ in 0..here {
                    let word = &WORDS[(bits & ((1 << WORD_BITS) - 1)) as usize];
                    buffer[end..end + 8].copy_from_slice(&word.bytes);
                    end += usize::from(word.len);
                    bits >>= WORD_BITS;
                }
                left -= here;
            }
            out.push_str(std::str::from_utf8(&buffer[..end]).expect("the words are ASCII"));
        }
    }
}

/// The bits words are chosen by: splitmix64, which maps each start to a first
/// value of its own. Seven words take 63 of its 64 bits, so that at most one
/// other id begins with the same seven words.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        let bits = mix(self.0);
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        bits
    }
}

/// The finalizer of splitmix64, a bijection.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn render(prompts: &Prompts, ids: &[u64], tokens: u64, own: u64) -> String {
        let mut text = String::new();
        prompts.render(ids, tokens, own, &mut text);
        text
    }

    #[test]
    fn the_text_is_pinned() {
        let text = render(&Prompts::new(0), &[46], 8, 0);
        assert_eq!(text, " any behind strong suit sun swim man suit");
    }

    #[test]
    fn no_tokens_are_no_text() {
        assert_eq!(render(&Prompts::new(0), &[1, 2], 0, 0), "");
        assert_eq!(render(&Prompts::new(0), &[], 0, 0), "");
    }

    #[test]
    fn ids_beyond_the_length_are_not_rendered() {
        let prompts = Prompts::new(0).block_size(4);
        assert_eq!(
            render(&prompts, &[1, 2, 3], 5, 0),
            render(&prompts, &[1, 2], 5, 9)
        );
    }

    #[test]
    fn what_no_id_covers_belongs_to_the_request() {
        let prompts = Prompts::new(0).block_size(16);
        let (first, second) = (render(&prompts, &[1], 40, 0), render(&prompts, &[1], 40, 1));
        let block = render(&prompts, &[1], 16, 0);
        assert!(first.starts_with(&block) && second.starts_with(&block));
        assert_ne!(first, second);
        assert_ne!(
            render(&prompts, &[], 16, 1),
            block,
            "the request of a number is not the block of that id"
        );
    }

    #[test]
    fn another_seed_gives_other_text() {
        assert_ne!(
            render(&Prompts::new(0), &[1], 16, 0),
            render(&Prompts::new(1), &[1], 16, 0)
        );
    }

    proptest! {
        #[test]
        fn the_count_is_what_was_asked_for(
            ids in prop::collection::vec(any::<u64>(), 0..6),
            tokens in 0..400_u64,
            block in 1..80_u64,
            own in any::<u64>(),
        ) {
            let prompts = Prompts::new(7).block_size(block);
            prop_assert_eq!(prompts.count(&render(&prompts, &ids, tokens, own)), tokens);
        }

        #[test]
        fn equal_ids_give_equal_text_as_far_as_they_are_equal(
            shared in prop::collection::vec(any::<u64>(), 0..5),
            first in prop::collection::vec(any::<u64>(), 0..3),
            second in prop::collection::vec(any::<u64>(), 0..3),
            (one, two) in (0..200_u64, 0..200_u64),
        ) {
            let prompts = Prompts::new(7).block_size(16);
            let ids = |rest: &[u64]| [&shared, rest].concat();
            let a = render(&prompts, &ids(&first), one, 1);
            let b = render(&prompts, &ids(&second), two, 2);
            let common = one.min(two).min(16 * shared.len() as u64);
            let prefix = render(&prompts, &shared, common, 3);
            prop_assert!(a.starts_with(&prefix) && b.starts_with(&prefix));
        }

        #[test]
        fn different_ids_differ_within_seven_words(a in 0..u64::MAX / 2, b in 0..u64::MAX / 2) {
            prop_assume!(a != b);
            let prompts = Prompts::new(7);
            prop_assert_ne!(render(&prompts, &[a], 7, 0), render(&prompts, &[b], 7, 0));
        }

        #[test]
        fn a_partial_block_is_the_beginning_of_the_full_one(id in any::<u64>(), tokens in 0..512_u64) {
            let prompts = Prompts::new(7);
            prop_assert!(render(&prompts, &[id], 512, 0).starts_with(&render(&prompts, &[id], tokens, 0)));
        }
    }
}
