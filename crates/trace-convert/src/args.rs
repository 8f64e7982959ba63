//! What was typed.

use clap::Parser;
use trace_core::cli::InputArgs;
use trace_core::{Micros, parse_duration};

const EXAMPLES: &str = "\
Examples:
  trace-convert conversation_trace.jsonl --limit 1000
  trace-convert day.jsonl.gz --from-time 10m --to-time 20m --zero
  trace-convert day.jsonl --speed 10 | trace-send --url mock:";

/// Cut a piece out of a trace, change its speed, check its lines
///
/// Reads and writes the Mooncake format. Lines that need no change go through
/// byte for byte. Memory is one line.
#[derive(Debug, Parser)]
#[command(name = "trace-convert", version, after_help = EXAMPLES)]
pub struct Args {
    /// The traces
    #[command(flatten)]
    pub input: InputArgs,

    /// Keep requests that arrive at this time or later
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub from_time: Option<Micros>,

    /// Keep requests that arrive before this time
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub to_time: Option<Micros>,

    /// Drop the first N requests of what is kept
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub skip: u64,

    /// Stop after N requests
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,

    /// Let the first request that is kept arrive at zero
    #[arg(long)]
    pub zero: bool,

    /// Divide timestamps and delays by FACTOR
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    pub speed: f64,
}

fn factor(text: &str) -> Result<f64, String> {
    let factor = text
        .parse::<f64>()
        .ok()
        .filter(|f| f.is_finite() && *f > 0.0);
    factor.ok_or_else(|| "expected a number above 0".to_owned())
}
