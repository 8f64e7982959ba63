//! `trace-synth like`: its flags.

use anyhow::ensure;
use clap::{ValueEnum, value_parser};
use trace_core::cli::{self, BlockSizeArg, InputArgs, SeedArg};
use trace_core::{LineError, Streams};

use super::faithful::Faithful;
use super::iid::Iid;
use super::knobs::Knobs;
use super::scale::Factor;
use super::source::Source;
use crate::length::MAX_TOKENS;
use crate::requests::Requests;

/// A trace of any size that behaves like another one; see [`NOTES`].
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{NOTES}\n\n{EXAMPLES}"))]
pub struct Args {
    /// The trace to be like.
    #[command(flatten)]
    pub input: InputArgs,

    /// Requests to write [default: as many as the source has]
    #[arg(short = 'n', long, visible_alias = "num-requests", value_name = "N")]
    #[arg(allow_negative_numbers = true)]
    pub requests: Option<u64>,

    /// How requests are made
    #[arg(long, value_name = "METHOD", value_enum, default_value_t = Method::Faithful)]
    pub method: Method,

    /// Divide times by this
    #[arg(long, value_name = "FACTOR", value_parser = parse_speedup, default_value_t = 1.0)]
    #[arg(allow_negative_numbers = true)]
    pub speedup_ratio: f64,

    /// Stretch what is shared: the prefixes that two or more requests begin
    /// with
    #[arg(
        long,
        value_name = "FACTOR",
        default_value = "1",
        allow_negative_numbers = true
    )]
    pub prefix_len_multiplier: Factor,

    /// Copies of everything shared; each conversation (iid: request) begins
    /// with one of them
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=MAX_ROOTS))]
    #[arg(default_value_t = 1, allow_negative_numbers = true)]
    pub prefix_root_multiplier: u32,

    /// Stretch what is not shared: the ends of prompts
    #[arg(
        long,
        value_name = "FACTOR",
        default_value = "1",
        allow_negative_numbers = true
    )]
    pub prompt_len_multiplier: Factor,

    /// Stretch responses
    #[arg(
        long,
        value_name = "FACTOR",
        default_value = "1",
        allow_negative_numbers = true
    )]
    pub osl_multiplier: Factor,

    /// Leave out requests with shorter prompts; others take their place
    #[arg(long, value_name = "TOKENS", value_parser = value_parser!(u64).range(0..=MAX_TOKENS))]
    #[arg(allow_negative_numbers = true)]
    pub min_isl: Option<u64>,

    /// Leave out requests with longer prompts; others take their place
    #[arg(long, value_name = "TOKENS", value_parser = value_parser!(u64).range(0..=MAX_TOKENS))]
    #[arg(allow_negative_numbers = true)]
    pub max_isl: Option<u64>,

    /// Lengthen shorter responses to this
    #[arg(long, value_name = "TOKENS", value_parser = value_parser!(u64).range(0..=MAX_TOKENS))]
    #[arg(allow_negative_numbers = true)]
    pub min_osl: Option<u64>,

    /// Cut longer responses to this
    #[arg(long, value_name = "TOKENS", value_parser = value_parser!(u64).range(0..=MAX_TOKENS))]
    #[arg(allow_negative_numbers = true)]
    pub max_osl: Option<u64>,

    /// Tokens per block.
    #[command(flatten)]
    pub block_size: BlockSizeArg,

    /// Where randomness starts.
    #[command(flatten)]
    pub seed: SeedArg,
}

/// How requests are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// Whole conversations dealt anew: reuse over time as in the source
    Faithful,
    /// Each request on its own, as Dynamo does
    Iid,
}

/// Most copies of what is shared; each has a table of its own.
const MAX_ROOTS: i64 = 10_000;

/// How the methods work, and what they cost.
pub const NOTES: &str = "\
Learns from a trace, then writes requests whose lengths, sharing, arrivals
and reuse over time are like the source's, with fresh ids. Only times,
lengths, hash_ids, sessions, delays and models are learned; prompts,
request bodies and other fields are not.

--method faithful deals whole conversations anew: the requests that share
more than what everybody shares, and the turns of a session. Each
conversation of the source is dealt once per pass over it, near its place
in time; inside, its lengths and pauses stay. Arrivals are runs of the
source's gaps in a new order. The hit rate of an LRU cache of any size
follows the source's, mostly within 0.01, and stays where it is in a
longer trace. It does not suit a source that is one conversation, which
would be repeated as it was (this is said on stderr), nor jobs that come
back like clockwork: they come back, but irregularly.

--method iid is Dynamo's `datagen synthesize` without its defects: each
request drawn on its own. Order is lost, so that hit rates of a finite
cache differ from the source's, and rise with the length of the trace. As
there, a prefix multiplier below 1 leaves one block of each chain of blocks
that always come together, and prompts grow by whole blocks.

The source is held in memory, 470 MB for a million requests of 24 blocks
each; the trace is written as it is made. Times begin at 0.";

const EXAMPLES: &str = "\
Examples:
  a million requests like an hour of production
    trace-synth like production.jsonl -n 1000000 > million.jsonl
  next month: twice as fast, prompts a tenth longer
    trace-synth like production.jsonl --speedup-ratio 2 \\
      --prompt-len-multiplier 1.1
  as Dynamo would, without the longest prompts
    trace-synth like production.jsonl --method iid --max-isl 16384 --seed 7";

fn parse_speedup(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(ratio) if (1e-6..=1e6).contains(&ratio) => Ok(ratio),
        _ => Err(format!("{text:?} is not a ratio from 0.000001 to 1000000")),
    }
}

impl Args {
    /// The trace that the flags describe, once the source is read.
    ///
    /// What is worth knowing about the source is said on stderr.
    ///
    /// # Errors
    /// Flags that contradict each other, and a source that cannot be read or
    /// learned from.
    pub fn requests(&self) -> anyhow::Result<Box<dyn Requests>> {
        let knobs = self.knobs()?;
        let source = self.source()?;
        let requests = self.requests.unwrap_or(source.entries.len() as u64);
        let streams = Streams::new(self.seed.seed);
        let filters = !knobs.keeps_all();
        let mut notes = source_notes(&source);
        let (trace, kept): (Box<dyn Requests>, f64) = match self.method {
            Method::Iid => {
                let iid = Iid::new(&source, knobs, requests, streams)?;
                let kept = iid.kept();
                (Box::new(iid), kept)
            }
            Method::Faithful => {
                let faithful = Faithful::new(&source, knobs, requests, streams)?;
                let kept = faithful.kept();
                notes.extend(faithful.note());
                (Box::new(faithful), kept)
            }
        };
        if filters {
            let share = 100.0 * kept;
            notes.push(format!(
                "{share:.1} % of requests pass --min-isl and --max-isl; the rate stays as it was"
            ));
        }
        if !notes.is_empty() {
            trace_core::say!("trace-synth: {}", notes.join("; "));
        }
        Ok(trace)
    }

    fn source(&self) -> anyhow::Result<Source> {
        let mut reader = self.input.open()?;
        let skip = self.input.skip_invalid;
        let (source, misfits) = Source::read(&mut reader, self.block_size.block_size, skip)?;
        cli::report_skipped("trace-synth", &reader);
        if let Some((count, first)) = misfits {
            report_misfits(count, &first);
        }
        Ok(source)
    }

    fn knobs(&self) -> anyhow::Result<Knobs> {
        let range = |min: Option<u64>, max: Option<u64>, name: &str| {
            let (min, max) = (min.unwrap_or(0), max.unwrap_or(u64::MAX));
            ensure!(
                min <= max,
                "--min-{name} {min} is more than --max-{name} {max}"
            );
            Ok(min..=max)
        };
        Ok(Knobs {
            speedup: self.speedup_ratio,
            prefix: self.prefix_len_multiplier,
            roots: self.prefix_root_multiplier,
            prompt: self.prompt_len_multiplier,
            output: self.osl_multiplier,
            input_range: range(self.min_isl, self.max_isl, "isl")?,
            output_range: range(self.min_osl, self.max_osl, "osl")?,
        })
    }
}

fn report_misfits(count: u64, first: &LineError) {
    trace_core::say!("trace-synth: skipped {count} more lines that do not fit, the first: {first}");
}

/// What is worth knowing about the source.
fn source_notes(source: &Source) -> Vec<String> {
    let mut notes = Vec::new();
    if source.unsorted > 0 {
        notes.push(format!("{} lines were out of time order", source.unsorted));
    }
    let untimed = source.entries.iter().filter(|entry| !entry.timed).count();
    if untimed == source.entries.len() {
        notes.push("no line has a timestamp, so none is written".to_owned());
    } else if untimed > 0 {
        notes.push(format!("{untimed} lines have no timestamp"));
    }
    if source.literal > 0 {
        let count = source.literal;
        notes.push(format!(
            "{count} lines have a prompt or body in full, which is not learned"
        ));
    }
    if source.extras > 0 {
        let count = source.extras;
        notes.push(format!(
            "{count} lines have extra members for the body, which are not learned"
        ));
    }
    notes
}
