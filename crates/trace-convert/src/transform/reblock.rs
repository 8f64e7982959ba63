//! Block ids of one block size as those of another, and ids numbered anew.
//!
//! A block that is split gives each part an id of its own, the same wherever
//! the block occurs: `id · parts + part`. Blocks that are joined get one id for
//! each different sequence of parts, in first-seen order. Sharing stays as far
//! as the ids tell: two prompts that part inside a large block part at its
//! beginning, since nobody knows where.

use super::{Fate, Transform};
use crate::formats::BLOCK_SIZE;
use crate::limit;
use crate::record::Record;
use crate::report::Report;
use std::collections::HashMap;
use trace_core::{Field, blocks_of};

/// From one block size to another.
pub(crate) struct Reblock {
    /// Parts an input block is split into.
    split: u64,
    /// Parts an output block is joined from.
    join: u64,
    /// Tokens in a part.
    part: u64,
    /// Ids of joined blocks, by their parts; a run of consecutive parts by
    /// its first, so that a partial last block is the beginning of the full
    /// one. About 100 bytes and 8 a part for each different block.
    joined: HashMap<Box<[u64]>, u64>,
    parts: Vec<u64>,
}

impl Reblock {
    /// Ids of `from` tokens to ids of `to` tokens.
    pub(crate) fn new(from: u64, to: u64) -> Self {
        let part = greatest_common_divisor(from, to);
        Self {
            split: from / part,
            join: to / part,
            part,
            joined: HashMap::new(),
            parts: Vec::new(),
        }
    }

    /// None for an id too large to be split.
    fn convert(&mut self, ids: &[u64], tokens: Option<u64>) -> Option<Vec<u64>> {
        let covered = ids.len() as u64 * self.split;
        let wanted = tokens.map_or(covered, |tokens| blocks_of(tokens, self.part));
        let number = wanted.min(covered);
        self.parts.clear();
        for at in 0..number {
            let id = ids[(at / self.split) as usize].checked_mul(self.split)?;
            let id = id.checked_add(at % self.split)?;
            self.parts.push(id);
        }
        if self.join == 1 {
            let fits = self.parts.iter().all(|id| *id < 1 << 53);
            return fits.then(|| self.parts.clone());
        }
        let mut blocks = Vec::new();
        for group in self.parts.chunks(self.join as usize) {
            // Part of a block whose rest has no id is not known whole.
            if (group.len() as u64) < self.join && number < wanted {
                break;
            }
            let run = group.windows(2).all(|pair| pair[1] == pair[0] + 1);
            let key = if run { &group[..1] } else { group };
            let next = self.joined.len() as u64;
            let id = match self.joined.get(key) {
                Some(id) => *id,
                None => *self.joined.entry(key.into()).or_insert(next),
            };
            blocks.push(id);
        }
        Some(blocks)
    }
}

impl Transform for Reblock {
    fn apply(&mut self, record: &mut Record, _: &mut Report) -> anyhow::Result<Fate> {
        let Some(ids) = record.change(Field::HashIds).hash_ids.take() else {
            return Ok(Fate::Kept);
        };
        let tokens = record.request().input_length;
        let covered = (ids.len() as u64).saturating_mul(self.split * self.part);
        let written = tokens.map_or(covered, |tokens| tokens.min(covered));
        limit::blocks(written, self.part).map_err(|why| record.error(why))?;
        let blocks = self.convert(&ids, tokens);
        let blocks = blocks.ok_or_else(|| record.error(super::TOO_LARGE))?;
        record.change(Field::HashIds).hash_ids = Some(blocks);
        let size = (self.join * self.part).to_string();
        record.replace(BLOCK_SIZE, size.as_bytes());
        Ok(Fate::Kept)
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

/// Numbers ids anew from 0 in first-seen order: 40 bytes for each different
/// one.
#[derive(Default)]
pub(crate) struct Relabel {
    ids: HashMap<u64, u64>,
}

impl Transform for Relabel {
    fn apply(&mut self, record: &mut Record, _: &mut Report) -> anyhow::Result<Fate> {
        if let Some(ids) = &mut record.change(Field::HashIds).hash_ids {
            for id in ids {
                let next = self.ids.len() as u64;
                *id = *self.ids.entry(*id).or_insert(next);
            }
        }
        Ok(Fate::Kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{convert, convert_with};
    use proptest::prelude::*;
    use trace_core::shared_prefix;

    #[test]
    fn blocks_are_split_and_numbers_start_anew() {
        let trace = "{\"input_length\":600,\"hash_ids\":[7,9]}\n{\"input_length\":520,\"hash_ids\":[7,8]}\n";
        assert_eq!(
            convert("--block-size 256", trace),
            "{\"input_length\":600,\"hash_ids\":[14,15,18]}\n{\"input_length\":520,\"hash_ids\":[14,15,16]}\n"
        );
        assert_eq!(
            convert("--relabel", trace),
            "{\"input_length\":600,\"hash_ids\":[0,1]}\n{\"input_length\":520,\"hash_ids\":[0,2]}\n"
        );
        let (_, error, _) = convert_with(
            "--block-size 1",
            "{\"input_length\":1,\"hash_ids\":[9007199254740991]}",
        );
        assert!(error.unwrap().contains("--relabel"));
    }

    #[test]
    fn a_block_known_in_part_is_left_out() {
        let mut reblock = Reblock::new(16, 64);
        assert_eq!(reblock.convert(&[0, 1, 2], Some(100)), Some(vec![]));
        assert_eq!(reblock.convert(&[0, 1, 2], Some(40)), Some(vec![0]));
    }

    /// Rows that share prefixes at random, ids standing for the whole prefix.
    fn rows() -> impl Strategy<Value = Vec<(Vec<u64>, u64)>> {
        let row = (proptest::collection::vec(0..2_u32, 1..6), 1..512_u64);
        proptest::collection::vec(row, 1..12).prop_map(|rows| {
            let mut table = trace_core::BlockTable::new();
            let row = |(contents, last): (Vec<u32>, u64)| {
                let mut ids = Vec::new();
                table.row(&contents, &mut ids);
                let tokens = (ids.len() as u64 - 1) * 512 + last;
                (ids, tokens)
            };
            rows.into_iter().map(row).collect()
        })
    }

    proptest! {
        #[test]
        fn there_and_back_shares_as_before(rows in rows(), small in prop_oneof![Just(16_u64), Just(64), Just(300), Just(1)]) {
            let (mut down, mut up) = (Reblock::new(512, small), Reblock::new(small, 512));
            let small_rows: Vec<_> = rows.iter().map(|(ids, tokens)| down.convert(ids, Some(*tokens)).unwrap()).collect();
            let back: Vec<_> = small_rows.iter().zip(&rows).map(|(ids, (_, tokens))| up.convert(ids, Some(*tokens)).unwrap()).collect();
            for (small_ids, (_, tokens)) in small_rows.iter().zip(&rows) {
                prop_assert_eq!(small_ids.len() as u64, blocks_of(*tokens, small));
            }
            if 512 % small == 0 {
                for (i, (ids, _)) in rows.iter().enumerate() {
                    prop_assert_eq!(ids.len(), back[i].len());
                    for (j, (other, _)) in rows.iter().enumerate() {
                        prop_assert_eq!(shared_prefix(ids, other), shared_prefix(&back[i], &back[j]));
                    }
                }
            }
        }
    }
}
