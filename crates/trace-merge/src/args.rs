//! What was typed.

use clap::Parser;
use trace_core::cli::InputArgs;
use trace_core::{Micros, parse_duration};

const EXAMPLES: &str = "\
Examples:
  trace-merge chat.jsonl code.jsonl.gz > both.jsonl
  trace-synth rate --rate 2 --duration 1h | trace-merge - production.jsonl
  trace-merge chat=chat.jsonl code=code.jsonl | trace-stats
  trace-merge --concat --gap 10s warmup.jsonl day.jsonl";

/// Merge request traces by arrival time
///
/// Each input must be sorted by timestamp; a line without one follows the line
/// before it. Lines that need no change go through byte for byte. Memory is
/// one line per input.
#[derive(Debug, Parser)]
#[command(name = "trace-merge", version, after_help = EXAMPLES)]
pub struct Args {
    /// The traces
    #[command(flatten)]
    pub input: InputArgs,

    /// Equal ids and sessions in different inputs mean the same blocks and
    /// conversations; else id becomes id * inputs + input, and a session
    /// INPUT:SESSION
    #[arg(long)]
    pub shared_ids: bool,

    /// Put the inputs one after the other in time, each beginning where the
    /// one before it ended
    #[arg(long)]
    pub concat: bool,

    /// Time between the last line of an input and the first of the next
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "0", requires = "concat")]
    pub gap: Micros,
}
