//! The tokens of an embedded vocabulary: bytes to rank and back.
//!
//! Embedded as zstd of one byte per token length, a zero, and the bytes of all
//! tokens in order of rank (`examples/pack-vocabulary.rs` makes it). Unpacking
//! it and filling the table takes some milliseconds, once, when the first
//! text is encoded; a table that needed no filling would be ten times larger
//! in the binary.

use foldhash::fast::FixedState;
use std::hash::BuildHasher;
use std::io::Read;

/// A token's number: its place in the order in which the vocabulary was made.
pub(crate) type Rank = u32;

/// What a slot of the table holds, from its low bits: a token's rank, plus one
/// so that zero is free; where it begins; its length, less one; and bits of
/// its hash, so that a wrong token is hardly ever looked at.
const RANK_BITS: u32 = 18;
const START_BITS: u32 = 21;
const LENGTH_BITS: u32 = 7;
const TAG_SHIFT: u32 = RANK_BITS + START_BITS + LENGTH_BITS;

/// No token.
pub(crate) const NONE: Rank = Rank::MAX;

/// Tokens of up to this many bytes are hashed as a number.
const SHORT: usize = 7;

/// Every token, by rank and by its bytes.
pub(crate) struct Vocabulary {
    bytes: Vec<u8>,
    /// Where each token ends in `bytes`.
    ends: Vec<u32>,
    /// A hash table with linear probing. Filling it at random places is most
    /// of what unpacking takes. Slots of four bytes, without start and length,
    /// fill faster still, but each look-up then misses the cache once more.
    slots: Vec<u64>,
    /// Ranks of the tokens of two bytes, by these: where every merging begins.
    pairs: Vec<Rank>,
    hasher: FixedState,
    longest: usize,
}

impl Vocabulary {
    /// Unpack an embedded vocabulary.
    pub(crate) fn unpack(packed: &[u8]) -> Self {
        let mut bytes = Vec::new();
        zstd::Decoder::with_buffer(packed)
            .and_then(|mut decoder| decoder.read_to_end(&mut bytes))
            .expect("what is embedded was packed by us");
        let tokens = bytes
            .iter()
            .position(|&length| length == 0)
            .expect("a zero ends the lengths");
        let mut ends = Vec::with_capacity(tokens);
        let mut longest = 0;
        let mut end = 0;
        for &length in &bytes[..tokens] {
            end += u32::from(length);
            ends.push(end);
            longest = longest.max(usize::from(length));
        }
        bytes.drain(..=tokens);
        assert_eq!(bytes.len(), end as usize, "lengths add up");
        let fits = tokens < 1 << RANK_BITS && end < 1 << START_BITS && longest <= 1 << LENGTH_BITS;
        assert!(fits, "a slot holds any token");
        let mut vocabulary = Self {
            bytes,
            slots: vec![0; (2 * tokens).next_power_of_two()],
            pairs: vec![NONE; 1 << 16],
            ends,
            hasher: FixedState::default(),
            longest,
        };
        vocabulary.fill();
        vocabulary
    }

    fn fill(&mut self) {
        let mask = self.slots.len() - 1;
        let mut start = 0;
        for (rank, &end) in (1..).zip(&self.ends) {
            let (mut at, tag) = self.place(&self.bytes[start as usize..end as usize]);
            while self.slots[at] != 0 {
                at = (at + 1) & mask;
            }
            let length = u64::from(end - start - 1) << (RANK_BITS + START_BITS);
            self.slots[at] = tag << TAG_SHIFT | length | u64::from(start) << RANK_BITS | rank;
            if let &[first, second] = &self.bytes[start as usize..end as usize] {
                self.pairs[pair(first, second)] = rank as Rank - 1;
            }
            start = end;
        }
    }

    /// The rank of the token with these bytes.
    pub(crate) fn rank(&self, token: &[u8]) -> Option<Rank> {
        if token.is_empty() || token.len() > self.longest {
            return None;
        }
        let (mut at, tag) = self.place(token);
        let wanted = tag << LENGTH_BITS | (token.len() - 1) as u64;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return None;
            }
            if slot >> (RANK_BITS + START_BITS) == wanted {
                let start = (slot >> RANK_BITS) as usize & ((1 << START_BITS) - 1);
                if self.bytes[start..].starts_with(token) {
                    return Some((slot as Rank & ((1 << RANK_BITS) - 1)) - 1);
                }
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// The rank of the token of these two bytes, or [`NONE`].
    pub(crate) fn pair(&self, first: u8, second: u8) -> Rank {
        self.pairs[pair(first, second)]
    }

    /// The bytes of a token, or none if there is none of that rank.
    pub(crate) fn token(&self, rank: Rank) -> Option<&[u8]> {
        let rank = rank as usize;
        let end = *self.ends.get(rank)?;
        let start = if rank == 0 { 0 } else { self.ends[rank - 1] };
        self.bytes.get(start as usize..end as usize)
    }

    /// The slot where to look for a token first, and the tag it has.
    fn place(&self, token: &[u8]) -> (usize, u64) {
        let hash = match short_key(token) {
            Some(key) => self.hasher.hash_one(key),
            None => self.hasher.hash_one(token),
        };
        (hash as usize & (self.slots.len() - 1), hash >> TAG_SHIFT)
    }
}

fn pair(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

/// A short token's bytes and length as one number.
fn short_key(token: &[u8]) -> Option<u64> {
    if token.len() > SHORT {
        return None;
    }
    let mut key = [0; 8];
    key[..token.len()].copy_from_slice(token);
    key[SHORT] = token.len() as u8;
    Some(u64::from_le_bytes(key))
}
