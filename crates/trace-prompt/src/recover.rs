//! Prompt to `hash_ids`: the way back.
//!
//! The tokens of a prompt are cut into blocks; a block's id stands for its
//! tokens and everything before them. What is kept of a block is a keyed
//! 128-bit hash of both, not its tokens: 40 to 70 bytes with the table's room.
//!
//! A last block that is not full is a block too, and its text is the beginning
//! of the full block's. So when a conversation grows, and what was its last
//! block comes back longer, it keeps its id. What comes back shorter gets an
//! id of its own, since the tokens are gone; and if several blocks continue
//! the same beginning, the first of them has its id. Full blocks get the ids
//! that [`trace_core::BlockTable`] would give them; it is not used, because a
//! block's content is fixed there when it gets its id.

use crate::tokenizer::{Error, Tokenizer};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;

/// Ids have no more bits, so that jq and JavaScript can hold them.
const ID_BITS: u32 = 53;

/// Gives prompts their `hash_ids`.
///
/// A table over the lifetime of a recording or a conversion: it grows by 40 to
/// 70 bytes for each different block.
#[derive(Debug, Clone)]
pub struct Recover {
    block_tokens: usize,
    key: [u8; 16],
    numbered: bool,
    blocks: HashMap<u128, Block, FixedState>,
    /// Lengths of the partial blocks seen after a block, by the hash up to it.
    partial: HashMap<u128, Vec<u32>, FixedState>,
    tokens: Vec<u32>,
    next: u64,
}

/// A block, by the hash of it and everything before it.
#[derive(Debug, Clone, Copy)]
struct Block {
    id: u64,
    /// A longer block has taken over the id of this partial one.
    continued: bool,
}

impl Recover {
    /// Ids are consecutive integers from 0, in first-seen order.
    ///
    /// # Panics
    /// If `block_tokens` is zero or beyond 2³².
    pub fn new(block_tokens: u64) -> Self {
        let block_tokens = u32::try_from(block_tokens).expect("a block has fewer than 2³² tokens");
        assert!(block_tokens > 0, "a block holds at least one token");
        Self {
            block_tokens: block_tokens as usize,
            key: *b"trace-prompt ids",
            numbered: true,
            blocks: HashMap::default(),
            partial: HashMap::default(),
            tokens: Vec::new(),
            next: 0,
        }
    }

    /// Ids are hashes under `key`, below 2⁵³, instead of numbers.
    ///
    /// Recordings made apart under one key have equal ids for equal prompts,
    /// and can be put together. Without the key nobody can find out the text
    /// of an id by trying texts. Two of a million different blocks get the
    /// same id with a probability of 1 in 18,000.
    #[must_use]
    pub fn keyed(self, key: [u8; 16]) -> Self {
        Self {
            key,
            numbered: false,
            ..self
        }
    }

    /// Put the ids of a prompt's blocks into `ids`, and give its length in tokens.
    ///
    /// # Errors
    /// The text cannot be encoded.
    pub fn text(
        &mut self,
        tokenizer: &Tokenizer,
        text: &str,
        ids: &mut Vec<u64>,
    ) -> Result<u64, Error> {
        let mut tokens = std::mem::take(&mut self.tokens);
        tokens.clear();
        let encoded = tokenizer.identify(text, &mut tokens);
        if encoded.is_ok() {
            self.tokens(&tokens, ids);
        }
        let length = tokens.len() as u64;
        self.tokens = tokens;
        encoded.map(|()| length)
    }

    /// Put the ids of the blocks of a prompt of these tokens into `ids`.
    pub fn tokens(&mut self, tokens: &[u32], ids: &mut Vec<u64>) {
        ids.clear();
        let mut before = 0;
        for block in tokens.chunks(self.block_tokens) {
            let (hash, id) = self.block(before, block);
            ids.push(id);
            before = hash;
        }
    }

    /// An id that no prompt has, for a block of which the text is not known.
    pub fn unknown(&mut self) -> u64 {
        if self.numbered {
            return self.fresh(0);
        }
        self.next += 1;
        let mut hasher = self.hasher(0);
        hasher.write(b"unknown");
        hasher.write(&self.next.to_le_bytes());
        let hash = hasher.finish128().as_u128();
        self.fresh(hash)
    }

    /// The hash and the id of a block after what has the hash `before`.
    fn block(&mut self, before: u128, tokens: &[u32]) -> (u128, u64) {
        let mut hasher = self.hasher(before);
        // Hashes of the beginnings that were once a partial block here, the
        // longest last.
        let lengths = self.partial.get(&before).map_or(&[][..], Vec::as_slice);
        let mut beginnings = Vec::new();
        let mut hashed = 0;
        for &length in lengths
            .iter()
            .filter(|&&length| (length as usize) < tokens.len())
        {
            feed(&mut hasher, &tokens[hashed..length as usize]);
            hashed = length as usize;
            beginnings.push(hasher.finish128().as_u128());
        }
        feed(&mut hasher, &tokens[hashed..]);
        let hash = hasher.finish128().as_u128();
        if let Some(known) = self.blocks.get(&hash) {
            return (hash, known.id);
        }
        let id = self
            .continues(&beginnings)
            .unwrap_or_else(|| self.fresh(hash));
        self.blocks.insert(
            hash,
            Block {
                id,
                continued: false,
            },
        );
        if tokens.len() < self.block_tokens {
            let length = tokens.len() as u32;
            let lengths = self.partial.entry(before).or_default();
            if let Err(place) = lengths.binary_search(&length) {
                lengths.insert(place, length);
            }
        }
        (hash, id)
    }

    /// The id of the longest of these beginnings that nothing continues yet.
    fn continues(&mut self, beginnings: &[u128]) -> Option<u64> {
        for beginning in beginnings.iter().rev() {
            if let Some(partial) = self.blocks.get_mut(beginning) {
                if partial.continued {
                    return None;
                }
                partial.continued = true;
                return Some(partial.id);
            }
        }
        None
    }

    fn fresh(&mut self, hash: u128) -> u64 {
        if !self.numbered {
            return hash as u64 >> (u64::BITS - ID_BITS);
        }
        let id = self.next;
        self.next += 1;
        id
    }

    fn hasher(&self, before: u128) -> SipHasher13 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write(&before.to_le_bytes());
        hasher
    }
}

/// Hash tokens, the same on every machine.
fn feed(hasher: &mut SipHasher13, tokens: &[u32]) {
    let mut bytes = [0; 256];
    for tokens in tokens.chunks(bytes.len() / 4) {
        for (place, token) in bytes.chunks_exact_mut(4).zip(tokens) {
            place.copy_from_slice(&token.to_le_bytes());
        }
        hasher.write(&bytes[..4 * tokens.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use trace_core::BlockTable;

    proptest! {
        #[test]
        fn full_blocks_get_the_ids_of_a_block_table(
            prompts in proptest::collection::vec(proptest::collection::vec(0..3_u32, 0..6), 0..30),
        ) {
            let (mut recover, mut table) = (Recover::new(1), BlockTable::new());
            for prompt in prompts {
                let mut expected = Vec::new();
                table.row(&prompt, &mut expected);
                prop_assert_eq!(ids(&mut recover, &prompt), expected);
            }
        }

        #[test]
        fn prompts_share_ids_only_where_one_begins_with_the_other(
            prompts in proptest::collection::vec(proptest::collection::vec(0..2_u32, 0..12), 0..12),
        ) {
            let mut recover = Recover::new(4);
            let found: Vec<_> = prompts.iter().map(|prompt| ids(&mut recover, prompt)).collect();
            for (a, ids_of_a) in prompts.iter().zip(&found) {
                for (b, ids_of_b) in prompts.iter().zip(&found) {
                    let shared = 4 * trace_core::shared_prefix(ids_of_a, ids_of_b);
                    let (a, b) = (&a[..shared.min(a.len())], &b[..shared.min(b.len())]);
                    prop_assert!(a.starts_with(b) || b.starts_with(a), "{a:?} {b:?}");
                }
            }
        }
    }

    fn ids(recover: &mut Recover, tokens: &[u32]) -> Vec<u64> {
        let mut ids = Vec::new();
        recover.tokens(tokens, &mut ids);
        ids
    }

    #[test]
    fn an_id_stands_for_the_whole_prefix() {
        let mut recover = Recover::new(2);
        assert_eq!(ids(&mut recover, &[1, 2, 3, 4, 5]), [0, 1, 2]);
        assert_eq!(ids(&mut recover, &[1, 2, 3, 4, 5]), [0, 1, 2]);
        assert_eq!(ids(&mut recover, &[1, 2, 3, 5]), [0, 3]);
        assert_eq!(ids(&mut recover, &[3, 4]), [4], "behind nothing");
        assert_eq!(ids(&mut recover, &[]), [0; 0]);
    }

    #[test]
    fn a_last_block_that_grows_keeps_its_id() {
        let mut recover = Recover::new(4);
        assert_eq!(ids(&mut recover, &[1, 2, 3, 4, 5]), [0, 1]);
        assert_eq!(ids(&mut recover, &[1, 2, 3, 4, 5, 6]), [0, 1]);
        assert_eq!(ids(&mut recover, &[1, 2, 3, 4, 5, 6, 7, 8, 9]), [0, 1, 2]);
        assert_eq!(ids(&mut recover, &[1, 2, 3, 4, 5]), [0, 1], "as it was");
        assert_eq!(
            ids(&mut recover, &[1, 2, 3, 4, 5, 6, 0]),
            [0, 3],
            "another continuation is another block"
        );
    }

    #[test]
    fn the_id_of_what_is_not_known_is_no_other() {
        for mut recover in [Recover::new(2), Recover::new(2).keyed([1; 16])] {
            let known = ids(&mut recover, &[1, 2, 3]);
            let unknown = [recover.unknown(), recover.unknown()];
            let later = ids(&mut recover, &[4]);
            let all: Vec<_> = [&known[..], &unknown, &later].concat();
            let different: std::collections::HashSet<_> = all.iter().collect();
            assert_eq!(different.len(), 5, "{all:?}");
        }
    }

    #[test]
    fn a_beginning_elsewhere_is_not_continued() {
        let mut recover = Recover::new(4);
        assert_eq!(ids(&mut recover, &[1, 2, 3, 4, 5]), [0, 1]);
        assert_eq!(ids(&mut recover, &[5, 6, 7, 8]), [2]);
    }

    #[test]
    fn keyed_ids_are_equal_in_recordings_made_apart_and_differ_by_key() {
        let prompt: Vec<u32> = (0..40).collect();
        let keyed = |key: u8| ids(&mut Recover::new(16).keyed([key; 16]), &prompt);
        assert_eq!(keyed(1), keyed(1));
        assert!(keyed(1).iter().all(|id| id >> ID_BITS == 0));
        assert!(keyed(1).iter().zip(keyed(2)).all(|(a, b)| *a != b));
        assert_eq!(
            keyed(1)[..2],
            ids(&mut Recover::new(16).keyed([1; 16]), &prompt[..32])
        );
    }
}
