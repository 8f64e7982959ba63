//! What was typed.

use crate::sort::parse_memory;
use clap::{Parser, ValueEnum};
use trace_core::cli::InputArgs;
use trace_core::{Micros, parse_duration};

const EXAMPLES: &str = "\
Examples:
  trace-merge chat.jsonl code.jsonl.gz > both.jsonl
  trace-synth rate --rate 2 --duration 1h | trace-merge - production.jsonl
  trace-merge chat=chat.jsonl code=code.jsonl --offset code=10m --speed chat=2 \\
    --model code=qwen-coder --tag chat=tenant=a | trace-stats --by source
  trace-merge --concat --gap 10s warmup.jsonl day.jsonl
  trace-merge --sort logs/*.jsonl.zst > day.jsonl
  trace-merge --outcomes shard-*.jsonl | trace-stats --slo ttft_ms=500
  trace-merge --format aibrix a/workload.jsonl b/workload.jsonl

Input i of N, counted from 0, has its hash ids changed to id * N + i and its
sessions to \"i:SESSION\", unless --shared-ids. INPUT in a flag is NAME of
NAME=FILE, FILE as it was given, or that number; without it the flag is for all
inputs. Lines that need no change go through byte for byte.

Memory: 4 to 256 KiB and the longest line for each input, and what unpacking
takes (gzip 50 KiB, zstd up to its window, usually 1 to 8 MiB). More inputs than
can be open at once are merged through an unnamed temporary file, as is what
exceeds --sort-memory; TMPDIR says where.";

/// Merge request traces by arrival time
///
/// Each input must be sorted by timestamp, or say --sort; a line without one
/// follows the line before it, and of equal times the line of the earlier
/// input comes first.
#[derive(Debug, Parser)]
#[command(name = "trace-merge", version, after_help = EXAMPLES)]
pub struct Args {
    /// The traces
    #[command(flatten)]
    pub input: InputArgs,

    /// Equal ids and sessions in different inputs mean the same blocks and
    /// conversations
    #[arg(long)]
    pub shared_ids: bool,

    /// Sort inputs that are not sorted, on disk if they exceed --sort-memory;
    /// writes nothing before all has been read
    #[arg(long)]
    pub sort: bool,

    /// Memory that sorting may take (a request of 250 bytes takes 280)
    #[arg(long, value_name = "SIZE", value_parser = parse_memory, default_value = "256M")]
    pub sort_memory: u64,

    /// Put the inputs one after the other in time, each beginning where the
    /// one before it ended
    #[arg(long)]
    pub concat: bool,

    /// Time between the last line of an input and the beginning of the next
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "0", requires = "concat", allow_hyphen_values = true)]
    pub gap: Micros,

    /// Move an input in time: 10s later, -10s earlier
    #[arg(long, value_name = "[INPUT=]DURATION", allow_hyphen_values = true)]
    pub offset: Vec<String>,

    /// Divide the times and delays of an input by SPEED, before --offset
    #[arg(long, value_name = "[INPUT=]SPEED", allow_hyphen_values = true)]
    pub speed: Vec<String>,

    /// Ask MODEL for every request of an input
    #[arg(long, value_name = "[INPUT=]MODEL")]
    pub model: Vec<String>,

    /// Set a field of every line of an input to a string
    #[arg(long, value_name = "[INPUT=]FIELD=VALUE")]
    pub tag: Vec<String>,

    /// Merge the outcomes of shards of one run, one for each stage,
    /// concurrency, round and seq, in that order; ids and sessions are shared
    #[arg(long, conflicts_with_all = ["concat", "sort", "offset", "speed"])]
    pub outcomes: bool,

    /// What the lines are; the output is the same
    ///
    /// AIBrix's rows may be unsorted; those of one time become one row. With
    /// --concat a file begins at the timestamp of the last line before it.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Mooncake)]
    pub format: Format,

    /// Inputs that may be open at once [default: what the system allows]
    #[arg(long, value_name = "N", value_parser = parse_count)]
    pub open_files: Option<usize>,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A request
    Mooncake,
    /// A row of an AIBrix workload: the requests of one time
    Aibrix,
}

fn parse_count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if count >= 2 => Ok(count),
        _ => Err("a merge needs at least 2".to_owned()),
    }
}
