//! What a run is held to.

use super::values::share;
use crate::search::Search;
use crate::slo::Slo;
use crate::stop::Stop;
use trace_core::cli::SloClockArg;

/// What a run is held to.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Judging")]
pub struct JudgeArgs {
    /// Find the highest rate or concurrency that keeps every --slo:
    /// rate=LOW..HIGH or concurrency=LOW..HIGH
    ///
    /// Doubled until it breaks, then halved in between, to 5 % of a rate or a
    /// concurrency of 1, each time with the same requests. What is
    /// said of a level has a 95 % interval (Wilson's) for its share of good
    /// answers, as if one did not depend on another. With --rounds N
    /// a level is tried up to N times, until that interval lies on one side of
    /// --good-share. A level at which --stop-on fires breaks; one at which this
    /// client was the limit is undecided, and none above it is tried. Outcomes
    /// carry the rate as stage, or the concurrency, so that the curve can be
    /// drawn.
    #[arg(long, value_name = "WHAT=LOW..HIGH", requires = "slo", conflicts_with_all = ["concurrency", "rate", "resume"])]
    pub search: Option<Search>,

    /// What an answer must keep to be good, such as ttft_ms=500; repeatable
    #[arg(long, value_name = "METRIC=MS")]
    pub slo: Vec<Slo>,

    /// From when on an answer is judged.
    #[command(flatten)]
    pub clock: SloClockArg,

    /// Share of good answers at which a level holds
    #[arg(long, value_name = "SHARE", default_value_t = 0.99, value_parser = share)]
    pub good_share: f64,

    /// Send nothing more when a condition is met, such as error_rate>0.1 or
    /// ttft_p99_ms>2000, and end with status 1; repeatable
    ///
    /// error_rate (share of requests that failed), errors, in_flight, rate
    /// (answers a second over the last five, also rate<5), saturation, and a
    /// quantile of any time in milliseconds: ttft_p50_ms, tpot_p99_ms,
    /// latency_p90_ms, lateness_p99_ms, queue_p99_ms, user_latency_p99_ms, …
    /// A share may be a percentage, and >= and <= are understood.
    /// Shares and quantiles are of the run so far, once 20 requests have ended.
    /// saturation>10, or saturation, is met when for ten seconds running fewer
    /// than nine in ten of the requests that came due were answered: answers
    /// of five seconds against requests of five seconds, a median latency
    /// before; or, where --max-concurrency makes requests wait, when that wait
    /// grows by more than a tenth of the time. A closed loop sends no more than is
    /// answered and is never saturated.
    #[arg(long, value_name = "CONDITION")]
    pub stop_on: Vec<Stop>,

    /// End with status 1 if the run was client-limited
    #[arg(long)]
    pub strict_clock: bool,
}
