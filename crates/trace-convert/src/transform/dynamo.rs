//! What Dynamo's BurstGPT converter writes, id for id.
//!
//! Its blocks are random numbers up to `--num-hash-blocks`, drawn by Python's
//! generator seeded with the row's position, and named by one hasher over the
//! whole output. That makes prompts share prefixes that nobody measured, so
//! it is done only when asked for.

use super::{Fate, Transform};
use crate::limit;
use crate::mt19937::Mt19937;
use crate::record::Record;
use crate::report::{Kind, Report};
use trace_core::{BlockTable, Field, Micros};

/// Draws the ids; memory is 5 to 30 bytes for each different block.
pub(crate) struct Dynamo {
    block_size: u64,
    last: u32,
    row: u64,
    random: Mt19937,
    table: BlockTable,
    contents: Vec<u32>,
}

impl Dynamo {
    /// Blocks of `block_size` tokens, numbers from 0 to `last`.
    pub(crate) fn new(block_size: u64, last: u32) -> Self {
        Self {
            block_size,
            last,
            row: 0,
            random: Mt19937::new(),
            table: BlockTable::new(),
            contents: Vec::new(),
        }
    }
}

impl Transform for Dynamo {
    fn apply(&mut self, record: &mut Record, report: &mut Report) -> anyhow::Result<Fate> {
        let input = record.request().input_length;
        let input = input.ok_or_else(|| record.error("--compat dynamo needs an input_length"))?;
        self.random.seed(self.row);
        self.row += 1;
        self.contents.clear();
        let blocks = limit::blocks(input, self.block_size).map_err(|why| record.error(why))?;
        for _ in 0..blocks {
            self.contents.push(self.random.up_to(self.last));
        }
        let mut ids = record.empty_ids();
        self.table.row(&self.contents, &mut ids);
        record.change(Field::HashIds).hash_ids = Some(ids);
        if let Some(time) = record.request().timestamp {
            let whole = time.as_micros() / 1_000 * 1_000;
            record.change(Field::Timestamp).timestamp = Some(Micros::from_micros(whole));
        }
        record.keep_only_the_mooncake_fields();
        report.count(
            Kind::Invented,
            "hash_ids as Dynamo's converter draws them, sharing what was never shared",
            1,
        );
        report.count(
            Kind::Dropped,
            "requests' model and other columns, which Dynamo's output has not",
            1,
        );
        Ok(Fate::Kept)
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::convert;

    #[test]
    fn rows_are_dynamos() {
        let table = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,500,18,518,Conversation log\n45,GPT-4,1,2,3,API log\n118.5,ChatGPT,300,276,576,Conversation log\n";
        // Row 0 draws 6311 6890 663 4242, row 1 (ChatGPT's second) 2201 9325 1033.
        assert_eq!(
            convert("--compat dynamo --model ChatGPT", table),
            "{\"timestamp\":0,\"input_length\":500,\"output_length\":18,\"hash_ids\":[0,1,2,3]}\n{\"timestamp\":113500,\"input_length\":300,\"output_length\":276,\"hash_ids\":[4,5,6]}\n"
        );
        // With one number only, every prompt is the beginning of the longest.
        assert_eq!(
            convert(
                "--compat dynamo --num-hash-blocks 0 --skip-num-prompt 1 --speed-ratio 2",
                table
            ),
            "{\"timestamp\":0,\"input_length\":1,\"output_length\":2,\"hash_ids\":[0]}\n{\"timestamp\":36750,\"input_length\":300,\"output_length\":276,\"hash_ids\":[0,1,2]}\n"
        );
    }
}
