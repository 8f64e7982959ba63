//! What was typed.

use crate::clock::{Clock, TimeUnit};
use crate::format;
use crate::formats::{Mapping, parse_mapping};
use crate::targets::Tpot;
use crate::transform::condition::{Condition, parse_condition};
use crate::transform::pace::{Pace, Shift, parse_shift};
use crate::transform::render::RenderAs;
use crate::transform::repair::{Failed, Repair};
use crate::transform::sample::SampleBy;
use anyhow::bail;
use clap::builder::PossibleValuesParser;
use clap::{Parser, ValueEnum};
use std::path::PathBuf;
use trace_core::cli::{InputArgs, SeedArg};
use trace_core::{BLOCK_TOKENS, Micros, parse_duration};
use trace_prompt::TokenizerArg;

const EXAMPLES: &str = "\
Examples:
  trace-convert BurstGPT_1.csv --model GPT-4 --speed 10 | trace-stats
  trace-convert AzureLLMInferenceTrace_code.csv \\
    --from-time 10m --to-time 20m --zero
  trace-convert log.csv \\
    --map timestamp=start_time,input_length=tokens_in --time-unit s
  trace-convert qwen_traceA_blksz_16.jsonl --block-size 512 > trace.jsonl
  trace-convert day.jsonl.gz --sample 0.1 --report dropped.json
  trace-convert conversation_trace.jsonl --ungroup-interval 3s
  trace-convert ShareGPT_V3.json --tokenizer cl100k | trace-stats
  trace-convert BurstGPT_1.csv --prompts ShareGPT_V3.json --limit 1000
  trace-convert conversation_trace.jsonl --render > prompts.jsonl
  trace-convert BurstGPT_1.csv --compat dynamo --num-prompt 1000";

/// Turn any LLM trace into request lines, and cut, change or check a trace
///
/// A directory stands for the .json, .jsonl, .ndjson, .csv and .tsv files in it.
/// Lines of our own format that need no change go through byte for byte. What a
/// conversion dropped or made up is told in one line on stderr.
///
/// Memory is one request where the help of a format or flag does not say
/// otherwise, 300 bytes for each session whose hash_ids are made up, and 70 for
/// each different block of prompts that are text.
#[derive(Debug, Parser)]
#[command(name = "trace-convert", version, after_help = EXAMPLES)]
pub struct Args {
    /// The files
    #[command(flatten)]
    pub input: InputArgs,

    /// What the files are
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = PossibleValuesParser::new(format::from_values()))]
    pub from: String,

    /// What to write
    #[arg(long, value_name = "FORMAT", default_value = "mooncake", value_parser = PossibleValuesParser::new(format::to_values()))]
    pub to: String,

    /// Write what was dropped, invented, changed and reordered as JSON
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Which column or key is which field, for CSV and JSON lines of any kind;
    /// may be repeated
    ///
    /// FIELD is timestamp, input_length, output_length, hash_ids, session_id,
    /// delay, model, text_input, messages, payload, extra, or a new name. COLUMN
    /// inside an object is its path: usage.prompt_tokens. Columns of usual
    /// names need no mention.
    #[arg(long = "map", value_name = "FIELD=COLUMN", value_parser = parse_mapping, value_delimiter = ',', help_heading = "Read")]
    pub mappings: Vec<Mapping>,

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

    /// Tokens per KV block of the hash_ids that are read, where the format does
    /// not say: 512
    #[arg(long, value_name = "TOKENS", value_parser = block_size, help_heading = "Read")]
    pub from_block_size: Option<u64>,

    /// Tokens per KV block of the hash_ids that are written: 512 where they
    /// have to be invented, else what the input has
    ///
    /// Ids of another size are split, or joined, consistently; joining takes
    /// about 200 bytes for each different block.
    #[arg(long, value_name = "TOKENS", value_parser = block_size, help_heading = "Read")]
    pub block_size: Option<u64>,

    /// Whose tokens the lengths of texts are.
    #[command(flatten)]
    pub tokenizer: TokenizerArg,

    /// Keep requests that arrive at this time or later
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Keep")]
    pub from_time: Option<Micros>,

    /// Keep requests that arrive before this time
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Keep")]
    pub to_time: Option<Micros>,

    /// Keep requests whose FIELD has this value; `!=` keeps those where it has
    /// not; may be repeated, and all must hold
    #[arg(long = "where", value_name = "FIELD=VALUE", value_parser = parse_condition, help_heading = "Keep")]
    pub conditions: Vec<Condition>,

    /// Keep requests to this model: --where model=MODEL
    #[arg(long, value_name = "MODEL", help_heading = "Keep")]
    pub model: Option<String>,

    /// Keep BurstGPT rows of this log type: --where log_type=TYPE
    #[arg(long, value_name = "TYPE", help_heading = "Keep")]
    pub log_type: Option<String>,

    /// Drop requests with a shorter prompt
    #[arg(
        long,
        value_name = "TOKENS",
        help_heading = "Keep",
        conflicts_with = "clip"
    )]
    pub min_input_length: Option<u64>,

    /// Drop requests with a longer prompt
    #[arg(long, value_name = "TOKENS", help_heading = "Keep")]
    pub max_input_length: Option<u64>,

    /// Drop requests with a shorter answer
    #[arg(long, value_name = "TOKENS", help_heading = "Keep")]
    pub min_output_length: Option<u64>,

    /// Drop requests with a longer answer
    #[arg(long, value_name = "TOKENS", help_heading = "Keep")]
    pub max_output_length: Option<u64>,

    /// Clip lengths to those limits instead of dropping requests
    #[arg(long, help_heading = "Keep")]
    pub clip: bool,

    /// Keep requests answered with 0 tokens, drop them, or tag them with the
    /// field `failed`
    #[arg(
        long,
        value_name = "WHAT",
        value_enum,
        default_value = "keep",
        help_heading = "Keep"
    )]
    pub failed: Failed,

    /// Keep each session, or request without one, with probability P
    #[arg(long, value_name = "P", value_parser = probability, help_heading = "Keep")]
    pub sample: Option<f64>,

    /// Keep N sessions, or requests without one, drawn at random from what
    /// all else keeps; holds them
    #[arg(
        long,
        value_name = "N",
        value_parser = at_least_one,
        conflicts_with = "sample",
        help_heading = "Keep"
    )]
    pub num_samples: Option<usize>,

    /// What --sample and --num-samples keep or drop as one
    #[arg(
        long,
        value_name = "UNIT",
        value_enum,
        default_value = "session",
        help_heading = "Keep"
    )]
    pub sample_by: SampleBy,

    /// Drop the first N requests of what is kept
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        visible_alias = "skip-num-prompt",
        help_heading = "Keep"
    )]
    pub skip: u64,

    /// Stop after N requests
    #[arg(
        long,
        value_name = "N",
        visible_alias = "num-prompt",
        help_heading = "Keep"
    )]
    pub limit: Option<u64>,

    /// Let the first request that is kept arrive at zero
    #[arg(long, help_heading = "Change")]
    pub zero: bool,

    /// Divide timestamps and delays by FACTOR
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor, visible_alias = "speed-ratio", help_heading = "Change")]
    pub speed: f64,

    /// Add this to timestamps, after --zero and --speed; may be negative
    #[arg(long, value_name = "DURATION", value_parser = parse_shift, allow_hyphen_values = true, help_heading = "Change")]
    pub shift: Option<Shift>,

    /// Cut timestamps down to a grid, after --zero, --speed and --shift
    #[arg(long, value_name = "DURATION", value_parser = positive_duration, help_heading = "Change")]
    pub group_interval: Option<Micros>,

    /// Spread equal timestamps over this interval, before all other changes:
    /// uniform at random, in order; holds the requests of one time
    #[arg(long, value_name = "DURATION", value_parser = positive_duration, help_heading = "Change")]
    pub ungroup_interval: Option<Micros>,

    /// Multiply input lengths; blocks stretch in proportion
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor, help_heading = "Change")]
    pub scale_input: f64,

    /// Multiply output lengths
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor, help_heading = "Change")]
    pub scale_output: f64,

    /// Number hash_ids anew from 0, in first-seen order; 40 MB for a million
    /// different blocks
    #[arg(long, help_heading = "Change")]
    pub relabel: bool,

    /// Write every request N times, each copy with blocks and sessions of its
    /// own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..), help_heading = "Change")]
    pub repeat: u64,

    /// Mend the trace first; without a list: order and lengths
    #[arg(
        long,
        value_name = "WHAT",
        value_enum,
        value_delimiter = ',',
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "order,lengths",
        help_heading = "Change"
    )]
    pub repair: Option<Vec<Repair>>,

    /// Give real prompts to requests that have only lengths
    ///
    /// FILE has prompts in any format with texts: AIBrix's prompt files,
    /// ShareGPT, FluxPerf, LongBench. A request gets a prompt whose length and
    /// completion are near its own, cut or filled up with words to exactly its
    /// length, and none twice while another would do; a later turn of a
    /// session, as many tokens as it adds. Of a FILE of sessions, turns come
    /// in their order. hash_ids become those of the text. FILE is held:
    /// its text, and 100 bytes for each prompt.
    #[arg(long, value_name = "FILE", help_heading = "Prompts")]
    pub prompts: Option<String>,

    /// How many sessions of --prompts go on at once in a trace without any
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one, help_heading = "Prompts")]
    pub max_concurrent_sessions: usize,

    /// Count the tokens of prompts that are text, and hash their blocks, in
    /// lines of ours too; of a session, 100 bytes and 8 for each block
    #[arg(long, help_heading = "Prompts")]
    pub count: bool,

    /// Write the text that hash_ids and input_length stand for
    ///
    /// Equal ids are equal text, and the tokens are exactly as many; with the
    /// same seed and tokenizer, it is what trace-send would send.
    #[arg(
        long,
        value_name = "WHERE",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "text",
        help_heading = "Prompts"
    )]
    pub render: Option<RenderAs>,

    /// What the column tpot of --to phase02 holds
    #[arg(long, value_enum, default_value = "phase02", help_heading = "Write")]
    pub tpot: Tpot,

    /// Columns of --to csv; else those of the first thousand lines
    #[arg(
        long,
        value_name = "FIELD,…",
        value_delimiter = ',',
        value_parser = column,
        help_heading = "Write"
    )]
    pub columns: Option<Vec<String>>,

    /// Write what another tool writes, id for id
    #[arg(
        long,
        value_name = "TOOL",
        value_enum,
        conflicts_with_all = ["prompts", "count"],
        help_heading = "Dynamo"
    )]
    pub compat: Option<Compat>,

    /// Largest block number drawn with --compat dynamo
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10_000,
        help_heading = "Dynamo"
    )]
    pub num_hash_blocks: u32,

    /// Print lengths, rate and peak on stderr; on with --compat dynamo
    #[arg(long, help_heading = "Dynamo")]
    pub statistics: bool,

    /// The seed of --sample, --num-samples, --ungroup-interval, --prompts and
    /// --render
    #[command(flatten)]
    pub seed: SeedArg,
}

/// Whose output is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Compat {
    /// Dynamo's BurstGPT converter: its random hash_ids by row number, blocks
    /// of 128 tokens, time from zero in whole milliseconds, for rows in order
    /// of time; up to 30 bytes of memory for each different block
    Dynamo,
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
        let sorts = |all: &Vec<Repair>| all.contains(&Repair::Order);
        Clock::new(self.repair.as_ref().is_some_and(sorts))
    }

    /// Limits between which there is nothing.
    ///
    /// # Errors
    /// The two flags that leave nothing.
    pub(crate) fn check_limits(&self) -> anyhow::Result<()> {
        let limits = [
            ("input", self.min_input_length, self.max_input_length),
            ("output", self.min_output_length, self.max_output_length),
        ];
        for (what, least, most) in limits {
            if let (Some(least), Some(most)) = (least, most)
                && least > most
            {
                bail!("--min-{what}-length {least} is more than --max-{what}-length {most}");
            }
        }
        if let (Some(from), Some(to)) = (self.from_time, self.to_time)
            && from >= to
        {
            bail!("--from-time is not before --to-time, which leaves nothing");
        }
        Ok(())
    }

    /// Whether a decoder makes up hash_ids for requests that have none.
    pub(crate) fn invents_ids(&self) -> bool {
        self.compat.is_none()
    }

    /// Tokens per block of hash_ids that are made up.
    pub(crate) fn block_size(&self) -> u64 {
        let usual = match self.compat {
            Some(Compat::Dynamo) => 128,
            None => BLOCK_TOKENS,
        };
        self.block_size.unwrap_or(usual)
    }

    /// What becomes of arrival times.
    pub(crate) fn pace(&self) -> Pace {
        Pace {
            zero: self.zero || self.compat.is_some(),
            speed: self.speed,
            shift: self.shift,
            grid: self.group_interval,
            origin: None,
            strict: self.compat.is_some(),
        }
    }

    /// Whether a line's timestamp is all that must be known of it, and there is
    /// something to do at all: a plain copy checks every line.
    pub(crate) fn decides_by_time_only(&self) -> bool {
        let cuts = self.from_time.is_some() || self.to_time.is_some() || self.skip > 0;
        let cuts = cuts || self.limit.is_some() || self.zero || self.shift.is_some();
        let others = self.input.skip_invalid
            || self.to != "mooncake"
            || !matches!(self.from.as_str(), "auto" | "mooncake")
            || !self.mappings.is_empty()
            || !matches!(self.time_unit, TimeUnit::Auto | TimeUnit::Ms)
            || self.block_size.is_some()
            || !self.conditions.is_empty()
            || self.model.is_some()
            || self.log_type.is_some()
            || self.limits_lengths()
            || self.clip
            || self.failed != Failed::Keep
            || self.sample.is_some()
            || self.num_samples.is_some()
            || self.speed != 1.0
            || self.group_interval.is_some()
            || self.ungroup_interval.is_some()
            || self.scale_input != 1.0
            || self.scale_output != 1.0
            || self.relabel
            || self.repeat != 1
            || self.repair.is_some()
            || self.compat.is_some()
            || self.prompts.is_some()
            || self.count
            || self.render.is_some()
            || self.statistics;
        cuts && !others
    }

    /// Whether any length has a limit.
    pub(crate) fn limits_lengths(&self) -> bool {
        self.min_input_length.is_some()
            || self.max_input_length.is_some()
            || self.min_output_length.is_some()
            || self.max_output_length.is_some()
    }

    /// Whether the report has a page of statistics.
    pub(crate) fn prints_statistics(&self) -> bool {
        self.statistics || self.compat.is_some()
    }
}

fn block_size(text: &str) -> Result<u64, String> {
    let tokens = text.parse::<u32>().ok().filter(|tokens| *tokens > 0);
    tokens
        .map(u64::from)
        .ok_or_else(|| "expected a whole number from 1 to 4294967295".to_owned())
}

fn factor(text: &str) -> Result<f64, String> {
    let factor = text
        .parse::<f64>()
        .ok()
        .filter(|f| f.is_finite() && *f > 0.0);
    factor.ok_or_else(|| "expected a number above 0".to_owned())
}

fn probability(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|p| (0.0..=1.0).contains(p));
    number.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

fn column(text: &str) -> Result<String, String> {
    let name = Some(text.to_owned()).filter(|name| !name.is_empty());
    name.ok_or_else(|| "expected names with commas between them".to_owned())
}

fn at_least_one(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "expected a whole number above 0".to_owned())
}

fn positive_duration(text: &str) -> Result<Micros, String> {
    let span = parse_duration(text)?;
    if span == Micros::ZERO {
        return Err("expected a duration above 0".to_owned());
    }
    Ok(span)
}
