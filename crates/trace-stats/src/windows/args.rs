//! What was typed after `windows`.

use super::slice::Pick;
use trace_core::cli::InputArgs;
use trace_core::{Micros, parse_duration};

/// Slices of a trace worth a run of their own, as flags for trace-convert
///
/// Looks at every window of a length, one a tenth of it later than the other,
/// and tells the steadiest, the busiest and the one most like the whole.
#[derive(Debug, Clone, clap::Parser)]
#[command(after_help = MORE)]
pub struct Args {
    #[command(flatten)]
    #[expect(missing_docs, reason = "shared with the other tools")]
    pub input: InputArgs,

    /// How long a slice is
    #[arg(short, long, value_name = "DURATION", value_parser = parse_length)]
    pub length: Micros,

    /// Print the flags of this slice and nothing else
    #[arg(long, value_name = "SLICE", value_enum)]
    pub pick: Option<Pick>,

    /// How to print the slices
    #[arg(short, long, value_enum, default_value_t)]
    pub format: Format,
}

/// How slices are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// Aligned columns, for reading
    #[default]
    Table,
    /// One object with all of them
    Json,
}

fn parse_length(text: &str) -> Result<Micros, String> {
    match parse_duration(text)? {
        Micros::ZERO => Err("must be longer than 0".to_owned()),
        length => Ok(length),
    }
}

const MORE: &str = "\
Slices:
  steadiest       the counts in its tenths vary least, relative to their mean
  busiest         the most requests
  representative  the least mean of four distances to the whole trace: the
                  Kolmogorov-Smirnov distances of gaps, prompt and response
                  lengths, and that of the rates as a share of the higher one

Holds 48 bytes for each request, and room for as many again: 50 to 100 MB for a million.

Examples:
  trace-stats windows --length 10m conversation.jsonl
  trace-convert conversation.jsonl --zero \\
    $(trace-stats windows --length 10m --pick busiest conversation.jsonl) \\
    > busy.jsonl";
