//! Request to prompt: text, or token ids, of exactly the length asked for.

use crate::pool::{Ids, Pool};
use crate::tokenizer::{Error, Tokenizer};
use crate::words::Word;
use std::sync::{Arc, OnceLock};
use trace_core::BLOCK_TOKENS;

/// Makes prompts: which seed, which block size, whose tokens.
///
/// Cheap to clone, and shared by threads. It remembers no text: making it anew
/// is faster than finding it in memory would be.
#[derive(Debug, Clone)]
pub struct Prompts {
    seed: u64,
    block_tokens: u64,
    tokenizer: Tokenizer,
    pool: Arc<Pool>,
    /// Token ids of the pool's words, made when first asked for.
    ids: Arc<OnceLock<Ids>>,
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
    /// Prompts counted in words, of blocks of [`BLOCK_TOKENS`]; another seed
    /// gives other text.
    pub fn new(seed: u64) -> Self {
        Self::of(Tokenizer::words(), Pool::common(), seed)
    }

    /// Prompts counted in the tokens of `tokenizer`.
    ///
    /// The embedded tokenizers and `words` give the same text, and need not be
    /// loaded for it.
    ///
    /// # Errors
    /// No text of exact length can be made of a file's tokens.
    pub fn with(tokenizer: &Tokenizer, seed: u64) -> Result<Self, Error> {
        Ok(Self::of(tokenizer.clone(), tokenizer.pool()?, seed))
    }

    fn of(tokenizer: Tokenizer, pool: Pool, seed: u64) -> Self {
        Self {
            seed,
            block_tokens: BLOCK_TOKENS,
            tokenizer,
            pool: Arc::new(pool),
            ids: Arc::new(OnceLock::new()),
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

    /// Whose tokens are counted.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Append a prompt of `tokens` tokens whose blocks are `hash_ids`.
    ///
    /// Ids beyond the length are not rendered. Where there are fewer than
    /// ⌈`tokens` / block size⌉ of them, or none, the rest is text that only
    /// the request with number `own` gets.
    pub fn render(&self, hash_ids: &[u64], tokens: u64, own: u64, out: &mut String) {
        let mut text = Text {
            pool: &self.pool,
            skip: usize::from(self.pool.joined),
            out,
        };
        self.stretches(hash_ids, tokens, own, |draw, tokens| {
            text.push(draw, tokens);
        });
    }

    /// Append the token ids of the prompt that [`render`](Self::render) gives,
    /// for servers that take arrays of them.
    ///
    /// # Errors
    /// The tokenizer has no ids: `words`.
    pub fn render_tokens(
        &self,
        hash_ids: &[u64],
        tokens: u64,
        own: u64,
        out: &mut Vec<u32>,
    ) -> Result<(), Error> {
        let ids = self.ids()?;
        let pool = &*self.pool;
        let start = out.len();
        let mut first = None;
        out.reserve(usize::try_from(tokens).unwrap_or(0));
        self.stretches(hash_ids, tokens, own, |draw, tokens| {
            draw.each(pool.bits, tokens, |word| {
                first.get_or_insert(word);
                out.push(ids.rest[word]);
            });
        });
        if let Some(word) = first {
            out[start] = ids.first[word];
        }
        Ok(())
    }

    /// Cut a prompt into blocks and the rest, and say what each is drawn from.
    fn stretches(&self, hash_ids: &[u64], tokens: u64, own: u64, mut each: impl FnMut(Draw, u64)) {
        let mut left = tokens;
        for &id in hash_ids {
            let here = left.min(self.block_tokens);
            if here == 0 {
                return;
            }
            each(self.draw(Stretch::Block(id)), here);
            left -= here;
        }
        if left > 0 {
            each(self.draw(Stretch::Own(own)), left);
        }
    }

    fn draw(&self, stretch: Stretch) -> Draw {
        let (kind, id) = match stretch {
            Stretch::Block(id) => (0x626c_6f63_6b00_0000, id),
            Stretch::Own(seq) => (0x6f77_6e00_0000_0000, seq),
        };
        Draw(mix(self.seed ^ kind) ^ id)
    }

    fn ids(&self) -> Result<&Ids, Error> {
        if let Some(ids) = self.ids.get() {
            return Ok(ids);
        }
        let ids = match &self.pool.ids {
            Some(ids) => ids.clone(),
            None => {
                let mut rest = Vec::new();
                for word in self.pool.words.iter() {
                    self.tokenizer.encode(word.text(), &mut rest)?;
                }
                Ids {
                    first: rest.clone(),
                    rest,
                }
            }
        };
        Ok(self.ids.get_or_init(|| ids))
    }
}

/// Where words are written.
struct Text<'a> {
    pool: &'a Pool,
    /// Bytes to leave out before the next one.
    skip: usize,
    out: &'a mut String,
}

impl Text<'_> {
    fn push(&mut self, draw: Draw, tokens: u64) {
        // A buffer on the stack: a word is copied whole and the next one
        // overwrites its padding, which a String would not let us do.
        let mut buffer = [0_u8; 1024];
        let words = &*self.pool.words;
        let mut end = 0;
        draw.each(self.pool.bits, tokens, |word| {
            if end + Word::LONGEST > buffer.len() {
                self.skip = flush(self.out, &buffer[self.skip..end]);
                end = 0;
            }
            let word = &words[word];
            buffer[end..end + Word::LONGEST].copy_from_slice(&word.bytes);
            end += usize::from(word.len);
        });
        self.skip = flush(self.out, &buffer[self.skip..end]);
    }
}

/// Append `text`; there is nothing to leave out behind it.
fn flush(out: &mut String, text: &[u8]) -> usize {
    out.push_str(std::str::from_utf8(text).expect("the words are text"));
    0
}

/// The bits words are chosen by: splitmix64, which maps each start to a first
/// value of its own. Seven words of nine bits take 63 of its 64, so that at
/// most one other id begins with the same seven words.
#[derive(Debug, Clone, Copy)]
struct Draw(u64);

impl Draw {
    /// Call `word` with `count` indices of `bits` bits.
    #[inline]
    fn each(mut self, bits: u32, count: u64, mut word: impl FnMut(usize)) {
        let at_once = u64::from(63 / bits);
        let mask = (1 << bits) - 1;
        let mut left = count;
        while left > 0 {
            let mut chosen = self.next();
            let here = left.min(at_once);
            for _ in 0..here {
                word((chosen & mask) as usize);
                chosen >>= bits;
            }
            left -= here;
        }
    }

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
            prop_assert_eq!(prompts.tokenizer().count(&render(&prompts, &ids, tokens, own)).unwrap(), tokens);
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
