//! What was typed after `lint`.

use trace_core::cli::{BlockSizeArg, InputArgs};

/// What is odd about a trace, and where
///
/// Prints a line for each finding, as file:line: kind: what, and ends with 1
/// if there is any.
#[derive(Debug, Clone, clap::Parser)]
#[command(after_help = MORE)]
pub struct Args {
    #[command(flatten)]
    #[expect(missing_docs, reason = "shared with the other tools")]
    pub input: InputArgs,

    /// Most findings of each kind that are printed; 0 is all of them
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub limit: u64,

    #[command(flatten)]
    #[expect(missing_docs, reason = "shared with the other tools")]
    pub block_size: BlockSizeArg,

    /// How to print the findings
    #[arg(short, long, value_enum, default_value_t)]
    pub format: Format,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// A line each, as compilers do
    #[default]
    Text,
    /// One object with all of them
    Json,
}

const MORE: &str = "\
Kinds:
  time_unit        times that look like seconds, microseconds or Unix time
  quantised_clock  arrivals on the ticks of a coarse clock
  order            a line that arrives before the line above it
  block_count      not ⌈input_length / block size⌉ ids
  block_size       another block size that fits every line
  duplicate_id     an id twice in one prompt
  two_parents      an id behind different ids: no true prefix
  large_id         an id beyond 2^53, which jq and JavaScript change
  zero_input       a prompt of no tokens
  zero_output      a response of no tokens
  short_turn       a turn that adds nothing to the turn before it

Memory, for a million requests: 16 MB, 4 to 24 bytes for each distinct block id,
100 bytes for each session; with --limit 0 also every finding.

Examples:
  trace-stats lint conversation.jsonl
  trace-stats lint --block-size 16 --limit 0 qwen.jsonl > findings.txt
  trace-stats lint --format json day.jsonl | jq .counts";
