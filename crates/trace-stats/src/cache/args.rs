//! What was typed after `cache`.

use super::capacity::{Capacity, parse_bytes};
use super::report::Format;
use trace_core::cli::{BlockSizeArg, InputArgs};

/// Hit rate of a KV cache against its capacity
///
/// Takes the prompts of a trace in their order (outcomes in the order of the
/// input they came from) and says what share of their blocks, and of their
/// tokens, a cache would have had. Least recently used is exact at every
/// capacity, from one pass.
///
/// A block is touched for every id of every line, in order; hits ÷ all touches
/// is the hit rate. A partial last block is a block, with its true tokens.
#[derive(Debug, Clone, clap::Parser)]
#[command(after_help = MORE)]
pub struct Args {
    #[command(flatten)]
    #[expect(missing_docs, reason = "shared with the other tools")]
    pub input: InputArgs,

    /// Capacities: blocks, or 80GiB with --bytes-per-token [default: round
    /// numbers up to the one beyond which nothing is gained]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub capacities: Vec<Capacity>,

    /// Default capacities for each factor of ten
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub per_decade: u32,

    /// What a token takes in the KV cache: 131072 or 128KiB (2 × layers × KV
    /// heads × head size × bytes per number)
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub bytes_per_token: Option<f64>,

    /// Leave out a last block that its prompt does not fill, as engines do
    #[arg(long)]
    pub full_blocks_only: bool,

    #[command(flatten)]
    #[expect(missing_docs, reason = "shared with the other tools")]
    pub block_size: BlockSizeArg,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    pub format: Format,
}

const MORE: &str = "\
Memory, for a million requests:
  8 bytes for each distinct block id (up to 24 if ids are spaced out), and half a
  byte for each access: 135 MB for the 15 million ids of the Mooncake conversation
  trace repeated to a million requests with ids of its own in each copy. Outcomes
  are held: another 112 MB and 4 bytes for each block.

Examples:
  trace-stats cache conversation.jsonl
  trace-stats cache --capacities 1000,10000,100000 conversation.jsonl
  trace-stats cache --bytes-per-token 128KiB --capacities 40GiB,80GiB,1TiB conversation.jsonl
  trace-stats cache --format json --per-decade 20 conversation.jsonl | trace-plot cache > cache.png";
