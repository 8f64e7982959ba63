//! One input sent in several runs, or in parts.

use crate::between::Which;
use crate::select::Shard;
use std::path::PathBuf;

/// One input sent in several runs, or in parts.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Several runs")]
pub struct RunsArgs {
    /// Send everything N times at each level; in a search, at most N times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub rounds: u64,

    /// Keep the order of requests in later rounds; else it is drawn by --seed
    #[arg(long)]
    pub no_shuffle: bool,

    /// Between two runs, post to URL or run CMD by the shell
    #[arg(long, value_name = "URL|CMD")]
    pub between: Option<String>,

    /// Between which runs
    #[arg(
        long,
        value_name = "WHICH",
        default_value = "all",
        requires = "between"
    )]
    pub between_which: Which,

    /// Name that outcomes carry as their stage
    #[arg(long, value_name = "NAME")]
    pub stage: Option<String>,

    /// Send the I-th of N parts, from 0; the turns of a session stay together
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,

    /// Leave out what has an outcome in FILE; the rest leaves at once, the
    /// first of it at time zero
    ///
    /// It is a run with a clock of its own: over both, rates and pictures by
    /// time mean nothing, times of answers do. `trace-stats one=FILE two=REST
    /// --by source` tells them apart.
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,

    /// What x-request-id begins with, before the number of the line; by
    /// default made from the time and the process
    #[arg(long, value_name = "ID")]
    pub run_id: Option<String>,
}
