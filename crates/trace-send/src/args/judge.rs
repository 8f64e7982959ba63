//! What a run is held to.

use super::values::share;
use crate::search::Search;
use crate::slo::{Slo, Stop};

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
    /// --good-share. A level at which --stop-on fires breaks. Outcomes carry
    /// the rate as stage, or the concurrency, so that the curve can be drawn.
    #[arg(long, value_name = "WHAT=LOW..HIGH", requires = "slo", conflicts_with_all = ["concurrency", "rate", "resume"])]
    pub search: Option<Search>,

    /// What an answer must keep to be good, such as ttft_ms=500; repeatable
    #[arg(long, value_name = "METRIC=MS")]
    pub slo: Vec<Slo>,

    /// Share of good answers at which a level holds
    #[arg(long, value_name = "SHARE", default_value_t = 0.99, value_parser = share)]
    pub good_share: f64,

    /// Send nothing more when a condition is met, such as error_rate>0.1;
    /// repeatable
    #[arg(long, value_name = "WHAT>NUMBER")]
    pub stop_on: Vec<Stop>,

    /// End with status 1 if the run was client-limited
    #[arg(long)]
    pub strict_clock: bool,
}
