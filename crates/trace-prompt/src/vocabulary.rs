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

/// Bits of a slot that hold a rank, one more than it so that zero is free.
const RANK_BITS: u32 = 18;

/// Tokens of up to this many bytes are hashed as a number.
const SHORT: usize = 7;

/// Every token, by rank and by its bytes.
pub(crate) struct Vocabulary {
    bytes: Vec<u8>,
    /// Where each token ends in `bytes`.
    ends: Vec<u32>,
    /// A hash table with linear probing: 1 + rank, and above it bits of the
    /// hash, so that a wrong token is hardly ever looked at. At four bytes a
    /// slot it stays in the processor's cache, which filling it at random
    /// places needs most: a general table of keys and ranks took twice as
    /// long to fill.
    slots: Vec<u32>,
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
        assert!(tokens < 1 << RANK_BITS, "a slot holds any rank");
        let mut vocabulary = Self {
            bytes,
            slots: vec![0; (2 * tokens).next_power_of_two()],
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
            self.slots[at] = tag << RANK_BITS | rank;
            start = end;
        }
    }

    /// The rank of the token with these bytes.
    pub(crate) fn rank(&self, token: &[u8]) -> Option<Rank> {
        if token.len() > self.longest {
            return None;
        }
        let (mut at, tag) = self.place(token);
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return None;
            }
            if slot >> RANK_BITS == tag {
                let rank = (slot & ((1 << RANK_BITS) - 1)) - 1;
                if self.token(rank) == Some(token) {
                    return Some(rank);
                }
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// The bytes of a token, or none if there is none of that rank.
    pub(crate) fn token(&self, rank: Rank) -> Option<&[u8]> {
        let rank = rank as usize;
        let end = *self.ends.get(rank)?;
        let start = if rank == 0 { 0 } else { self.ends[rank - 1] };
        self.bytes.get(start as usize..end as usize)
    }

    /// The slot where to look for a token first, and the tag it has.
    fn place(&self, token: &[u8]) -> (usize, u32) {
        let hash = match short_key(token) {
            Some(key) => self.hasher.hash_one(key),
            None => self.hasher.hash_one(token),
        };
        let tag = (hash >> (u64::BITS - u32::BITS + RANK_BITS)) as u32;
        (hash as usize & (self.slots.len() - 1), tag)
    }
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
