//! What was typed after `telemetry`.

use crate::steady::Span;
use trace_core::cli::InputArgs;

/// What the server and the GPUs said during a run
///
/// Reads lines of trace-send --telemetry and summarises each series: a name, its
/// labels and its source.
#[derive(Debug, Clone, clap::Parser)]
#[command(after_help = MORE)]
pub struct TelemetryArgs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "shared with the other tools")]
    pub input: InputArgs,

    /// Only samples from A on and before B, by the clock of the run; either may
    /// be left out
    #[arg(long, value_name = "A..B")]
    pub window: Option<Span>,

    /// Only series whose name contains this; repeatable
    #[arg(long, value_name = "TEXT")]
    pub name: Vec<String>,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    pub format: TelemetryFormat,
}

/// How the summary is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum TelemetryFormat {
    /// Aligned columns, for reading
    #[default]
    Table,
    /// One object with every number, unrounded
    Json,
}

const MORE: &str = "\
Samples count the same, however far apart they are: the mean is that of the
samples. Times are those of the run, so --window takes what trace-stats --window
auto reports on its outcomes.

Memory: 8 bytes a sample up to a million of a series, then a sketch within 0.05 %.

Examples:
  trace-send --url http://localhost:8000 --telemetry gpu.jsonl trace.jsonl \\
    > out.jsonl
  trace-stats telemetry gpu.jsonl
  trace-stats telemetry --window 30s.. --name cache --format json gpu.jsonl";
