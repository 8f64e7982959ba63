//! What was typed after `compare`.

use crate::confidence::Level;
use trace_core::cli::{BlockSizeArg, SeedArg};

/// How far apart two traces are, or two runs
///
/// Holds trace B against trace A: the distributions of gaps, lengths, context
/// and turns, how they go together, burstiness over scales, and the hit rate
/// of an LRU cache against its capacity.
///
/// Outcomes on both sides are two runs: which was faster, by how much, and
/// whether that is more than chance. Requests with the same stage, concurrency,
/// round and seq that ask for the same prompt are pairs (tests of Wilcoxon and McNemar); without pairs the
/// runs are held against each other as wholes (Mann-Whitney, Fisher). Intervals
/// are of a bootstrap that resamples stretches of neighbours, as long as requests
/// of the run still depend on each other (Politis and White). A failed request counts as infinitely slow.
///
/// With --tolerance the answer is a verdict: 1 if a difference is beyond its
/// tolerance, and which.
#[derive(Debug, Clone, clap::Parser)]
#[command(after_help = MORE)]
pub struct Args {
    /// The trace that differences are relative to; `-` is stdin
    #[arg(value_name = "A")]
    pub a: String,

    /// The trace that is held against it
    #[arg(value_name = "B")]
    pub b: String,

    /// How far a difference may go: name=value, a pattern such as
    /// '*.ks=0.05', or a FILE of such lines; repeatable
    #[arg(long, value_name = "NAME=VALUE|FILE")]
    pub tolerance: Vec<String>,

    /// Capacities in blocks of the LRU cache [default: round numbers over the
    /// whole range]
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u64).range(1..))]
    pub capacities: Vec<u64>,

    /// Compare outcomes by what they asked, not by what became of it
    #[arg(long)]
    pub requests: bool,

    /// The probability with which intervals of differences hold them
    #[arg(long, value_name = "LEVEL", default_value = "0.95")]
    pub confidence: Level,

    /// How often runs are resampled
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = resamples)]
    pub resamples: usize,

    #[command(flatten)]
    #[expect(missing_docs, reason = "shared with the other tools")]
    pub seed: SeedArg,

    #[command(flatten)]
    #[expect(missing_docs, reason = "shared with the other tools")]
    pub block_size: BlockSizeArg,

    /// Go on past lines that cannot be read, and report their number
    #[arg(long)]
    pub skip_invalid: bool,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    pub format: Format,
}

/// At least as many as intervals need.
fn resamples(text: &str) -> Result<usize, String> {
    let times = text.parse().ok().filter(|&times| times >= 100);
    times.ok_or_else(|| "a number, 100 or more".to_owned())
}

/// How the comparison is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// Aligned columns, for reading
    #[default]
    Table,
    /// One object with every number, unrounded
    Json,
}

const MORE: &str = "\
Differences, by the names that tolerances call them:
  METRIC.ks             largest difference of the shares of values up to a point
                        (Kolmogorov-Smirnov), 0 to 1
  METRIC.wasserstein    how far values have to be moved on average, over A's mean
  METRIC.mean, .std     relative to A's
  correlation.PAIR      difference of Pearson's coefficients
  dispersion.WINDOW     index of dispersion for counts (variance over mean of the
                        arrivals per window), relative to A's
  request_hit_rate, block_hit_rate, token_hit_rate, lru.BLOCKS, lru.max
                        difference of hit rates; lru by block
  rate_rps              relative to A's
Of two runs:
  METRIC.mean, .p50, .p90, .p95, .p99
                        relative to A's, either way; METRIC is ttft_ms, tpot_ms,
                        latency_ms, user_ttft_ms, user_latency_ms, lateness_ms or
                        output_tokens
  METRIC.p99.worse      the same if B's is larger, else 0; likewise the others
  METRIC.ks             as above
  error_rate, throughput_rps, and each with .worse
A difference that only one of the two has is beyond any tolerance. Failures make
quantiles infinite: of two such there is no difference, but in error_rate.

Both traces are held, as some 300 MB for a million requests, and 4 to 30 bytes
for each distinct block id; of outcomes another 200 MB. Resampling a million
outcomes a thousand times takes minutes: --resamples 100.

Examples:
  trace-stats compare conversation.jsonl synthetic.jsonl
  trace-stats compare --tolerance '*.ks=0.05' --tolerance lru.max=0.02 \\
    conversation.jsonl synthetic.jsonl
  trace-stats compare --tolerance ttft_ms.p99.worse=0.1 before.jsonl after.jsonl
  trace-convert --to-time 10m day.jsonl \\
    | trace-stats compare --format json day.jsonl -";
