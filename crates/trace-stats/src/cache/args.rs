//! What was typed after `cache`.

use super::capacity::{Capacity, parse_bytes};
use super::policy::Policy;
use super::report::Format;
use super::routing::Routing;
use trace_core::cli::{BlockSizeArg, InputArgs};
use trace_core::{Micros, parse_duration};

/// Hit rate of a KV cache against its capacity
///
/// Takes the prompts of a trace in their order (outcomes in the order of the
/// input they came from) and says what share of their blocks, and of their
/// tokens, a cache would have had. `lru` and `prefix-lru` are exact at every
/// capacity, from one pass; other policies are simulated at --capacities.
///
/// A block is touched for every id of every line, in order; hits ÷ all touches
/// is the hit rate by block, tokens in hits ÷ prompt tokens that by token. A
/// partial last block is a block, with its true tokens.
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

    /// What goes first when the cache is full; several, separated by commas
    #[arg(
        long,
        value_name = "POLICY",
        value_enum,
        value_delimiter = ',',
        default_value = "lru"
    )]
    pub policy: Vec<Policy>,

    /// Number of caches, each of the capacity, behind a router; several,
    /// separated by commas
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "1", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub replicas: Vec<u32>,

    /// How requests are spread over replicas; several, separated by commas
    #[arg(
        long,
        value_name = "ROUTING",
        value_enum,
        value_delimiter = ',',
        default_value = "round-robin"
    )]
    pub routing: Vec<Routing>,

    /// How long a request counts as load of its replica
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = parse_duration)]
    pub load_window: Micros,

    /// Estimate `lru` from this share of the blocks, and state the error: for
    /// traces whose blocks do not fit in memory
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    pub sample: Option<f64>,

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
  each curve takes 5 bytes for each distinct block id and replica; ids that are not
  0, 1, 2, … as they are first seen another 4, or 20 if they are spaced out. The 15
  million ids of the Mooncake conversation trace, repeated to a million requests with
  ids of its own in each copy, take 70 MB. Simulated policies take up to 24 bytes for
  each id, capacity and replica, the optimum 8 bytes for each access; --sample takes
  its share. Outcomes are held: another 112 MB and 4 bytes for each block.

Examples:
  trace-stats cache conversation.jsonl
  trace-stats cache --capacities 1000,10000,100000 conversation.jsonl
  trace-stats cache --bytes-per-token 128KiB \\
    --capacities 40GiB,80GiB,1TiB conversation.jsonl
  trace-stats cache --policy lru,prefix-lru,s3-fifo,optimum \\
    --capacities 1000,10000 conversation.jsonl
  trace-stats cache --replicas 1,4 --routing round-robin,prefix-affinity \\
    --policy prefix-lru --capacities 1000,10000 conversation.jsonl
  trace-stats cache --sample 0.01 year.jsonl.zst
  trace-stats cache --format json --per-decade 20 conversation.jsonl \\
    | trace-plot cache > cache.png";

/// A share of something: more than 0, at most 1.
fn parse_share(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err(format!("{text:?} is not a share: more than 0, at most 1")),
    }
}
