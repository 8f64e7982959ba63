//! When requests leave, and how many.

use super::values::{at_least_one, moment, positive_duration, speed, threads};
use trace_core::time::{Micros, parse_duration};

/// When requests leave, and how many.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Load")]
pub struct LoadArgs {
    /// Divide timestamps and delays by X
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = speed)]
    pub speed: f64,

    /// Count time from the first request's timestamp instead of from zero
    #[arg(long)]
    pub align_first: bool,

    /// Send R requests per second, evenly, whatever their timestamps say
    #[arg(long, value_name = "R", value_parser = speed, conflicts_with_all = ["concurrency", "align_first"])]
    pub rate: Option<f64>,

    /// Keep N requests in flight; timestamps are ignored (closed loop). Several
    /// levels are run one after the other. Outcomes carry theirs
    #[arg(short, long, value_name = "N,…", value_delimiter = ',', value_parser = at_least_one)]
    pub concurrency: Vec<usize>,

    /// Let at most N requests be in flight in open loop; waiting for one to
    /// end shows as queue_ms
    #[arg(long, value_name = "N", value_parser = at_least_one, conflicts_with = "concurrency")]
    pub max_concurrency: Option<usize>,

    /// Send with N threads. One does some ten thousand streamed answers a
    /// second; more help where cores are free and the run is client-limited.
    /// Each has an equal share of --concurrency, --max-concurrency and
    /// --max-sessions, and keeps the sessions it began
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = threads)]
    pub threads: usize,

    /// Reach --rate or --concurrency only after DURATION
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    pub ramp_up: Option<Micros>,

    /// Send nothing after DURATION; what is in flight goes on to its end
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    pub duration: Option<Micros>,

    /// Send the first N lines; several numbers are one for each level
    #[arg(
        short = 'n',
        long,
        alias = "limit",
        value_name = "N,…",
        value_delimiter = ',',
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub requests: Vec<u64>,

    /// Send N requests of 64 tokens before the run, which are not in its
    /// results
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub warmup: Option<usize>,

    /// Try a request again up to N times if there was no connection, no
    /// answer, or status 429, 500, 502, 503 or 504
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub retries: u64,

    /// Begin at TIME: 2026-01-02T03:04:05Z, or seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub start_at: Option<String>,

    /// After ^C, wait this long for what is in flight
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = parse_duration)]
    pub drain: Micros,
}
