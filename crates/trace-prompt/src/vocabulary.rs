//! The tokens of an embedded vocabulary: bytes to rank and back.
//!
//! Embedded as zstd of one byte per token length, a zero, and the bytes of all
//! tokens in order of rank (`examples/pack-vocabulary.rs` makes it). Unpacking
//! it and filling the tables takes some milliseconds, once, when the first
//! text is encoded; a table that needed no filling would be ten times larger
//! in the binary.

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;
use std::io::Read;
use std::ops::Range;

/// A token's number: its place in the order in which the vocabulary was made.
pub(crate) type Rank = u32;

/// Tokens of up to this many bytes are looked up by value.
const SHORT: usize = 7;

/// Every token, by rank and by its bytes.
pub(crate) struct Vocabulary {
    bytes: Vec<u8>,
    /// Where each token ends in `bytes`.
    ends: Vec<u32>,
    /// Two thirds of the tokens, by value: found without a look at `bytes`.
    short: HashTable<(u64, Rank)>,
    long: HashTable<Rank>,
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
        Self::index(bytes, ends, longest)
    }

    fn index(bytes: Vec<u8>, ends: Vec<u32>, longest: usize) -> Self {
        let hasher = FixedState::default();
        let mut vocabulary = Self {
            bytes,
            short: HashTable::with_capacity(ends.len() / 3 * 2 + 1),
            long: HashTable::with_capacity(ends.len() / 3 + 1),
            ends,
            hasher: hasher.clone(),
            longest,
        };
        for rank in 0..vocabulary.ends.len() {
            let token = &vocabulary.bytes[vocabulary.range(rank)];
            let rank = rank as Rank;
            if let Some(key) = short_key(token) {
                let rehash = |&(key, _): &(u64, Rank)| hasher.hash_one(key);
                let hash = hasher.hash_one(key);
                vocabulary.short.insert_unique(hash, (key, rank), rehash);
            } else {
                let hash = hasher.hash_one(token);
                let (bytes, ends) = (&vocabulary.bytes, &vocabulary.ends);
                let rehash = |&rank: &Rank| hasher.hash_one(&bytes[range(ends, rank as usize)]);
                vocabulary.long.insert_unique(hash, rank, rehash);
            }
        }
        vocabulary
    }

    /// The rank of the token with these bytes.
    pub(crate) fn rank(&self, token: &[u8]) -> Option<Rank> {
        if let Some(key) = short_key(token) {
            let same = |&(known, _): &(u64, Rank)| known == key;
            let found = self.short.find(self.hasher.hash_one(key), same);
            return found.map(|&(_, rank)| rank);
        }
        if token.len() > self.longest {
            return None;
        }
        let same = |&rank: &Rank| &self.bytes[self.range(rank as usize)] == token;
        self.long.find(self.hasher.hash_one(token), same).copied()
    }

    /// The bytes of a token, or none if there is none of that rank.
    pub(crate) fn token(&self, rank: Rank) -> Option<&[u8]> {
        let rank = rank as usize;
        (rank < self.ends.len()).then(|| &self.bytes[self.range(rank)])
    }

    fn range(&self, rank: usize) -> Range<usize> {
        range(&self.ends, rank)
    }
}

fn range(ends: &[u32], rank: usize) -> Range<usize> {
    let start = if rank == 0 { 0 } else { ends[rank - 1] };
    start as usize..ends[rank] as usize
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
