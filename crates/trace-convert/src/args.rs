//! What was typed.

use crate::clock::{Clock, TimeUnit};
use crate::format;
use clap::Parser;
use clap::builder::PossibleValuesParser;
use std::path::PathBuf;
use trace_core::{BLOCK_TOKENS, Micros, parse_duration};

const EXAMPLES: &str = "\
Examples:
  trace-convert conversation_trace.jsonl --limit 1000
  trace-convert day.jsonl.gz --from-time 10m --to-time 20m --zero
  trace-convert day.jsonl --speed 10 | trace-send --url mock:";

/// Turn any LLM trace into request lines, and cut, change or check a trace
///
/// Lines of our own format that need no change go through byte for byte. What
/// a conversion dropped or made up is told in one line on stderr. Memory is
/// one request where the help of a flag does not say otherwise.
#[derive(Debug, Parser)]
#[command(name = "trace-convert", version, after_help = EXAMPLES)]
pub struct Args {
    /// Files to read as one stream; `-` or none is stdin, a directory is the
    /// .json, .jsonl and .csv files in it, NAME=FILE sets the field `source` to NAME
    /// on every line of FILE
    ///
    /// Gzip and zstd are recognised by content.
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,

    /// Go on past lines that cannot be read, and report their number
    #[arg(long)]
    pub skip_invalid: bool,

    /// What the files are
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = PossibleValuesParser::new(format::from_values()))]
    pub from: String,

    /// What to write
    #[arg(long, value_name = "FORMAT", default_value = "mooncake", value_parser = PossibleValuesParser::new(format::to_values()))]
    pub to: String,

    /// Write what was dropped, invented, changed and reordered as JSON
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Unit of the times that are read
    ///
    /// `auto` is what the format says, and else what the column's name and
    /// the numbers suggest; what was taken is told on stderr.
    #[arg(
        long,
        value_name = "UNIT",
        value_enum,
        default_value = "auto",
        help_heading = "Read"
    )]
    pub time_unit: TimeUnit,

    /// Tokens per KV block of the hash_ids that are written: 512 where they
    /// have to be invented, else what the input has
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Read")]
    pub block_size: Option<u64>,

    /// Keep requests that arrive at this time or later
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Keep")]
    pub from_time: Option<Micros>,

    /// Keep requests that arrive before this time
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Keep")]
    pub to_time: Option<Micros>,

    /// Drop the first N requests of what is kept
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Keep")]
    pub skip: u64,

    /// Stop after N requests
    #[arg(long, value_name = "N", help_heading = "Keep")]
    pub limit: Option<u64>,

    /// Let the first request that is kept arrive at zero
    #[arg(long, help_heading = "Change")]
    pub zero: bool,

    /// Divide timestamps and delays by FACTOR
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor, help_heading = "Change")]
    pub speed: f64,
}

impl Args {
    /// The unit of the times of a format whose own unit is `usual`.
    pub(crate) fn unit_or(&self, usual: TimeUnit) -> TimeUnit {
        match self.time_unit {
            TimeUnit::Auto => usual,
            given => given,
        }
    }

    /// A clock for the times of the input.
    pub(crate) fn clock(&self) -> Clock {
        Clock::new(false)
    }

    /// Whether a decoder makes up hash_ids for requests that have none.
    pub(crate) fn invents_ids(&self) -> bool {
        true
    }

    /// Tokens per block of hash_ids that are made up.
    pub(crate) fn block_size(&self) -> u64 {
        self.block_size.unwrap_or(BLOCK_TOKENS)
    }
}

fn factor(text: &str) -> Result<f64, String> {
    let factor = text
        .parse::<f64>()
        .ok()
        .filter(|f| f.is_finite() && *f > 0.0);
    factor.ok_or_else(|| "expected a number above 0".to_owned())
}
