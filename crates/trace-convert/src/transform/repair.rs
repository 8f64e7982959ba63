//! Traces that are not what they should be: lengths that do not fit the ids,
//! and answers without tokens.

use super::{Fate, Transform};
use crate::limit;
use crate::record::Record;
use crate::report::{Kind, Report};
use trace_core::Field;

/// What `--repair` mends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Repair {
    /// Sort by timestamp; holds the trace, 1 to 2 GB for a million requests
    Order,
    /// As many hash_ids as the input length takes: spare ones are cut, missing
    /// ones are new and share nothing
    Lengths,
    /// Take timestamps for seconds where the first 1,000 look like it; holds
    /// those
    Units,
}

/// What becomes of requests that were answered with no tokens: failures, in
/// the traces that have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Failed {
    /// They stay as they are
    Keep,
    /// They are dropped
    Drop,
    /// They get the field `failed`, true
    Tag,
}

/// Gives every prompt as many ids as its length takes.
pub(crate) struct BlockCounts {
    block_size: u64,
    /// Ids given out, from the top so that they meet no other.
    invented: u64,
}

/// Above the ids that are given out by this, other tools' ids would stand in
/// the way.
const TOP: u64 = (1 << 53) - 1;

impl BlockCounts {
    /// For blocks of `block_size` tokens.
    pub(crate) fn new(block_size: u64) -> Self {
        Self {
            block_size,
            invented: 0,
        }
    }
}

impl Transform for BlockCounts {
    fn apply(&mut self, record: &mut Record, report: &mut Report) -> anyhow::Result<Fate> {
        let request = record.request();
        let (Some(length), Some(ids)) = (request.input_length, &request.hash_ids) else {
            return Ok(Fate::Kept);
        };
        let blocks = limit::blocks(length, self.block_size).map_err(|why| record.error(why))?;
        let blocks = blocks as usize;
        let number = ids.len();
        if ids.iter().any(|id| *id > TOP / 2) {
            return Err(record.error(super::TOO_LARGE).into());
        }
        if number > blocks {
            report.count(
                Kind::Dropped,
                "hash_ids beyond the input length",
                (number - blocks) as u64,
            );
            let ids = record.change(Field::HashIds).hash_ids.as_mut();
            ids.expect("seen above").truncate(blocks);
        } else if number < blocks {
            let missing = (blocks - number) as u64;
            report.count(Kind::Invented, "hash_ids for blocks that had none", missing);
            let first = self.invented;
            self.invented += missing;
            let ids = record.change(Field::HashIds).hash_ids.as_mut();
            ids.expect("seen above")
                .extend((first..first + missing).map(|n| TOP - n));
        }
        Ok(Fate::Kept)
    }
}

impl Transform for Failed {
    fn apply(&mut self, record: &mut Record, report: &mut Report) -> anyhow::Result<Fate> {
        if record.request().output_length != Some(0) {
            return Ok(Fate::Kept);
        }
        match self {
            Self::Keep => {}
            Self::Drop => {
                report.drop_request("answered with 0 tokens");
                return Ok(Fate::Dropped);
            }
            Self::Tag => {
                report.count(
                    Kind::Changed,
                    "requests answered with 0 tokens, tagged as failed",
                    1,
                );
                record.tag("failed", b"true");
            }
        }
        Ok(Fate::Kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{convert, convert_with};

    #[test]
    fn ids_are_cut_or_added_to_fit_the_length() {
        let trace = "{\"input_length\":512,\"hash_ids\":[1,2]}\n{\"input_length\":1025,\"hash_ids\":[1]}\n{\"input_length\":5,\"hash_ids\": [3]}\n";
        let (out, _, report) = convert_with("--repair=lengths", trace);
        assert_eq!(
            out,
            "{\"input_length\":512,\"hash_ids\":[1]}\n{\"input_length\":1025,\"hash_ids\":[1,9007199254740991,9007199254740990]}\n{\"input_length\":5,\"hash_ids\": [3]}\n"
        );
        assert_eq!(report.of(Kind::Dropped, "hash_ids"), 1);
        assert_eq!(report.of(Kind::Invented, "hash_ids"), 2);
    }

    #[test]
    fn failures_are_kept_dropped_or_tagged() {
        let trace = "{\"input_length\":1,\"output_length\":0,\"x\":1e5}\n{\"input_length\":2,\"output_length\":3}\n";
        assert_eq!(convert("--failed keep", trace), trace);
        assert_eq!(convert("--failed drop", trace).lines().count(), 1);
        assert!(
            convert("--failed tag", trace).starts_with(
                "{\"input_length\":1,\"output_length\":0,\"x\":1e5,\"failed\":true}\n"
            )
        );
    }

    #[test]
    fn order_is_restored_ties_and_untimed_lines_staying() {
        let trace = "{\"timestamp\":5,\"input_length\":1}\n{\"input_length\":2}\n{\"timestamp\":3,\"input_length\":3}\n{\"timestamp\":5,\"input_length\":4}\n";
        let (out, _, report) = convert_with("--repair=order", trace);
        let lengths: Vec<&str> = out
            .lines()
            .map(|line| line.split("input_length\":").nth(1).unwrap())
            .collect();
        assert_eq!(lengths, ["3}", "1}", "2}", "4}"]);
        assert_eq!(report.of(Kind::Reordered, ""), 1);
    }

    #[test]
    fn dates_before_the_first_row_are_sorted_too() {
        let table = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:00:02,1,1\n2023-11-16 18:00:00,2,1\n2023-11-16 18:00:01,3,1\n";
        let out = convert("--repair=order", table);
        let times: Vec<&str> = out
            .lines()
            .map(|line| line.split(',').next().unwrap())
            .collect();
        assert_eq!(
            times,
            [
                "{\"timestamp\":0",
                "{\"timestamp\":1000",
                "{\"timestamp\":2000"
            ]
        );
    }

    #[test]
    fn seconds_that_stand_for_milliseconds_are_seen() {
        let seconds =
            "{\"timestamp\":0.5,\"input_length\":1}\n{\"timestamp\":2,\"input_length\":1}\n";
        let (out, _, report) = convert_with("--repair=units", seconds);
        assert_eq!(
            out,
            "{\"timestamp\":500,\"input_length\":1}\n{\"timestamp\":2000,\"input_length\":1}\n"
        );
        assert!(report.line().unwrap().contains("seconds"));
        let millis =
            "{\"timestamp\":0,\"input_length\":1}\n{\"timestamp\":2000,\"input_length\":1}\n";
        assert_eq!(convert("--repair=units", millis), millis);
    }
}
