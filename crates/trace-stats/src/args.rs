//! What was typed.

use crate::by::Buckets;
use crate::confidence::Level;
use crate::format::{Format, Quantile};
use crate::partial::{PartArgs, Settings};
use crate::results::Rules;
use crate::steady::{Choice, Windows};
use crate::{assertion, by, cache, compare, lint, prefixes, slo, telemetry, windows};
use anyhow::ensure;
use std::path::PathBuf;
use trace_core::cli::{BlockSizeArg, InputArgs};

/// Numbers about a trace, or about what became of it
///
/// Reads requests or outcomes and prints one report: lengths, arrivals,
/// sessions and shared prefixes of the requests; of outcomes also times,
/// throughput, failures, and whether the client kept its own schedule.
///
/// Times of outcomes are given on two clocks: ttft_ms and latency_ms run from
/// the moment a request was sent, user_ttft_ms and user_latency_ms from the
/// moment the trace wanted it sent. A failed request counts as infinitely slow
/// in quantiles (inf, or null in JSON) and is left out of mean, std, min and
/// max. Quantiles interpolate linearly between the closest ranks, as numpy
/// does; std is the population's.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "trace-stats", version, about, after_help = MORE, args_conflicts_with_subcommands = true)]
pub struct Args {
    /// Another question than the report.
    #[command(subcommand)]
    pub command: Option<Command>,

    #[command(flatten)]
    #[expect(missing_docs, reason = "shared with the other tools")]
    pub input: InputArgs,

    /// How to print the report
    #[arg(short, long, value_enum, default_value_t)]
    pub format: Format,

    /// Quantiles that the table has columns for, in percent, of 25, 50, 75, 90, 95,
    /// 99 and 99.9; the other formats have all of them
    #[arg(
        long,
        value_name = "P,…",
        value_delimiter = ',',
        default_value = "50,90,95,99"
    )]
    pub quantiles: Vec<Quantile>,

    #[command(flatten)]
    #[expect(missing_docs, reason = "shared with the other tools")]
    pub block_size: BlockSizeArg,

    /// Leave out everything about prefixes, and the memory it takes
    #[arg(long)]
    pub no_prefix: bool,

    #[command(flatten)]
    #[expect(missing_docs, reason = "told in its own place")]
    pub partial: PartArgs,

    /// Only requests scheduled from A on and before B, on the clock of the run,
    /// or in its steady state
    ///
    /// 30s..10m; either end may be left out. `auto` looks for the steady state of
    /// each level of a sweep: the stretch after the warm-up and before the end
    /// that MSER-5 (White, 1997) finds in the number of requests in flight. For
    /// it, the input is read twice, a pipe is held, and 16 bytes for each
    /// request. A request of a trace counts by its timestamp. Throughput is per
    /// time from A up to B, or to the end of the run.
    #[arg(long, value_name = "auto|A..B", conflicts_with = "combine")]
    pub window: Option<Choice>,

    /// Also give the interval that holds each mean and quantile with this
    /// probability
    ///
    /// Requests of one run wait for each other, so they tell less than as many
    /// independent ones. How much less is taken from how 64 to 128 stretches of
    /// the run's time differ (batch means): for a quantile as the number of
    /// independent requests that would tell as much, between whose order
    /// statistics it lies (Woodruff, 1952). Around a mean it is as skew as the
    /// values are (Hall, 1992). Assumed is that the run is of one load (see
    /// --window auto), and long against the swings of its queue; a note says where
    /// it is not. At 95 %, an upper end takes 370 independent requests for a p99
    /// and 3700 for a p99.9, else it is open; any interval takes requests in 8
    /// stretches of time or more.
    #[arg(long, value_name = "LEVEL", num_args = 0..=1, require_equals = true, default_missing_value = "0.95", conflicts_with = "combine")]
    pub confidence: Option<Level>,

    /// Also give the hit rate of an LRU cache against its capacity, exact, from
    /// the same pass
    #[arg(long, conflicts_with = "no_prefix")]
    pub cache: bool,

    /// Also write metrics_summary.csv and, for each level of a sweep,
    /// concurrency_N_round_M.json in DIR, laid out as FluxPerf's
    ///
    /// The table has a column for each level and round, and what each round
    /// changed; the files have every request and a summary. A run without
    /// --concurrency is the level `open`; stages have folders of their own.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["combine", "partial"])]
    pub output_dir: Option<PathBuf>,

    /// Telemetry of the run, as trace-send --telemetry writes it, for rows in
    /// metrics_summary.csv: each of its series during each level
    #[arg(long, value_name = "FILE", requires = "output_dir")]
    pub telemetry: Option<PathBuf>,

    /// Leave failed requests out of every quantile and of the attainment,
    /// instead of taking them for infinitely slow
    #[arg(long, conflicts_with = "combine")]
    pub successes_only: bool,

    #[command(flatten)]
    #[expect(missing_docs, reason = "described there")]
    pub by: by::Args,

    #[command(flatten)]
    #[expect(missing_docs, reason = "described there")]
    pub slo: slo::Args,

    #[command(flatten)]
    #[expect(missing_docs, reason = "described there")]
    pub assert: assertion::Args,
}

/// What can be asked beside the report. A file of such a name is written as
/// ./NAME.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Command {
    /// Hit rate of a KV cache against its capacity
    Cache(cache::Args),
    /// What prompts share: context, hit rates, tree, turns
    Prefixes(prefixes::Args),
    /// How far apart two traces are
    Compare(compare::Args),
    /// What is odd about a trace, and where
    Lint(lint::Args),
    /// Slices of a trace worth a run of their own, as flags for trace-convert
    Windows(windows::Args),
    /// What the server and the GPUs said during a run
    Telemetry(telemetry::TelemetryArgs),
}

impl Args {
    /// What is counted, and how.
    ///
    /// # Errors
    ///
    /// Flags that name nothing.
    pub fn settings(&self) -> anyhow::Result<Settings> {
        ensure!(
            !self.partial.partial || !self.by.by.iter().any(|name| name == "turn"),
            "--by turn needs the whole of each session: leave out --partial"
        );
        ensure!(
            !self.by.by.iter().any(|name| name.trim().is_empty()),
            "--by: a name between commas is empty; name fields, as --by concurrency,round"
        );
        let prefixes = !self.no_prefix && !self.partial.partial;
        Ok(Settings {
            exact_up_to: self.partial.limit()?,
            by: self.by.by.clone(),
            buckets: Buckets::new(&self.by.buckets)?,
            max_groups: self.by.max_groups,
            rules: Rules {
                successes_only: self.successes_only,
                slo: self.slo.slo()?,
            },
            confidence: self.confidence,
            window: match self.window {
                Some(Choice::Span(span)) => Windows::Span(span),
                Some(Choice::Auto) | None => Windows::All,
            },
            block_size: prefixes.then_some(self.block_size.block_size),
            cache: self.cache,
        })
    }
}

const MORE: &str = "\
Prefix rows (lines with hash_ids):
  context_length        blocks that another request has at the same place, earlier
                        or later, in tokens; the whole prompt if all are shared
  unique_prompt_length  the rest of the prompt
  prefix_hit_rate       leading blocks that an earlier request had, as a share: an
                        infinite cache, met in the order of the input. Outcomes come
                        in the order they ended; their ids are held until the end and
                        taken in the order of stage, concurrency, round and seq

Gaps:
  icl_ms                between chunks, all requests pooled
  itl_ms                the same per token: a chunk of k tokens gives k gaps. k is
                        known if output_tokens is a multiple of chunks; the other
                        requests give gaps per chunk, and the report says how many

Time per output token, of n tokens:
  tpot_ms               (last token - first token) / (n - 1), as vLLM's
  tpot_with_ttft_ms     last token / n, from sending, as guidellm's
  tpot_phase02_ms       latency / n, as Phase 02's, and inference-perf's normalized
  request_output_tps    n per second of latency

Objectives (--slo) may bound ttft_ms, first_content_ms, the three times per token,
latency_ms, user_ttft_ms, user_latency_ms, queue_ms, itl_ms (the mean gap of a
request) and request_output_tps (from below; FluxPerf's output_token_throughput).
Bounds are inclusive. slo_attainment is good requests by scheduled ones, goodput_rps
and goodput_tps are good requests and their tokens per second of duration_ms. What an
outcome does not tell is not good, but that an answer of one token, between whose
tokens there is no time, keeps every bound of the times per token.

Exit codes: 0 done; 1 an assertion does not hold; 2 it could not be done.

Memory:
  8 bytes for each value of a metric while a million of them are kept, 16 for each
  distinct one at most, and below a megabyte for a metric beyond: at most 100 MB
  for the times of outcomes, however many they are; 16 MB for arrivals; some 50
  bytes for each session. For a million requests, prefixes take 50 MB, 4 to 24
  bytes for each distinct block id, and for outcomes another 112 MB and 4 bytes for
  each block (--no-prefix leaves them out); --cache takes 4 to 20 bytes for each id.
  The Mooncake conversation trace, repeated to a million requests with ids of its own in each copy (15 million
  of them), takes 125 MB, and 20 MB with --no-prefix. --by takes as much again.
  --confidence takes 100 bytes more for each value while those are few, 10 MB at
  most, in each group; and up to three times the time where outcomes have gaps.

Examples:
  trace-stats conversation.jsonl
  trace-stats --format json outcomes.jsonl | jq .metrics.user_ttft_ms.p99
  trace-stats --cache conversation.jsonl
  trace-stats --by source a=monday.jsonl b=tuesday.jsonl
  trace-stats --by concurrency,round --slo ttft_ms=500 sweep.jsonl
  trace-stats --assert 'error_rate<1%' --assert 'ttft_ms.p99.9<500' \\
    outcomes.jsonl
  ls day/*.jsonl | xargs -P4 -I{} trace-stats --partial {} \\
    | trace-stats --combine
  trace-send --url http://localhost:8000 trace.jsonl | trace-stats";
