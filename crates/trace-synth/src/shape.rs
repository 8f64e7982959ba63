//! What requests look like, as flags: lengths and shared prefixes.

use anyhow::{Context, ensure};
use clap::value_parser;

use crate::args::TraceArgs;
use crate::arrival::Arrivals;
use crate::conversation::{Content, Conversations, Open};
use crate::dist::{self, Dist};
use crate::empirical::Field;
use crate::length::{Independent, Length, Lengths, MAX_TOKENS, Shape};
use crate::prefix::{MAX_CONTENTS, Pool, Prefixes, Unique};
use crate::requests::Requests;
use crate::session::{self, SessionArgs};
use crate::sharing::{self, Sharing};
use crate::synth::Synth;
use crate::words::Words;

/// Flags that say what requests look like, whenever they arrive.
#[derive(Clone, Debug, clap::Args)]
pub struct ShapeArgs {
    /// Prompt lengths; --help tells every DIST [default: 512, or the preset's
    /// of --prefixes]
    #[arg(long, value_name = "DIST", value_parser = dist::parse_input)]
    #[arg(allow_negative_numbers = true)]
    pub input_length: Option<Dist>,

    /// Response lengths; --help tells every DIST [default: 128; none with
    /// --prompt-words]
    #[arg(long, value_name = "DIST", allow_negative_numbers = true)]
    pub output_length: Option<Dist>,

    /// Draw the content of every block from N contents, so that prompts may
    /// share prefixes; without it no two prompts share anything
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=MAX_CONTENTS))]
    #[arg(allow_negative_numbers = true, conflicts_with_all = ["prefixes", "sessions"])]
    pub total_blocks: Option<u64>,

    /// Let prompts begin with texts that several share: a pool of system
    /// prompts, a share of each prompt, or a preset such as toolbench; --help
    /// tells all. Several pools are levels
    #[arg(long, value_name = "PREFIXES")]
    pub prefixes: Vec<Sharing>,

    /// Prompts of random words, this many each (at most 4000000), as the field
    /// text_input: poisson:15 is the generator of Phase 02
    #[arg(long, value_name = "DIST", value_parser = parse_words)]
    #[arg(allow_negative_numbers = true)]
    #[arg(conflicts_with_all = ["input_length", "total_blocks", "prefixes", "turn_length", "max_context", "tools"])]
    pub prompt_words: Option<Dist>,

    /// Sessions.
    #[command(flatten)]
    pub session: SessionArgs,
}

/// What the values of these flags may be, for `--help`.
pub fn grammar() -> String {
    [
        dist::GRAMMAR,
        dist::TIME_GRAMMAR,
        sharing::GRAMMAR,
        session::NOTES,
    ]
    .join("\n\n")
}

impl ShapeArgs {
    /// Requests of this shape at `arrivals`.
    ///
    /// # Errors
    /// A file of lengths that cannot be read.
    pub fn requests(
        &self,
        arrivals: Arrivals,
        trace: &TraceArgs,
    ) -> anyhow::Result<Box<dyn Requests>> {
        self.requests_of(arrivals, self.lengths(trace)?, Vec::new(), trace)
    }

    /// Requests at `arrivals` that are as long as `lengths` says, with all
    /// else as the flags say and with `members` on each line (see
    /// [`Row::members`](crate::Row::members)): for what brings lengths of its
    /// own.
    ///
    /// # Errors
    /// As [`requests`](Self::requests).
    pub fn requests_of(
        &self,
        arrivals: Arrivals,
        lengths: Box<dyn Lengths + Send>,
        members: Vec<u8>,
        trace: &TraceArgs,
    ) -> anyhow::Result<Box<dyn Requests>> {
        if !self.prefixes.is_empty()
            || self.prompt_words.is_some()
            || self.session.sessions.is_some()
        {
            let conversations = self.conversations(arrivals, lengths, members, trace)?;
            return Ok(Box::new(conversations));
        }
        Ok(Box::new(Synth {
            arrivals,
            lengths,
            prefixes: self.blocks(trace),
            block_size: trace.block_size.block_size,
            model: trace.model.clone(),
            members,
        }))
    }

    /// The lengths that the flags describe, from streams of their own.
    ///
    /// # Errors
    /// A file of lengths that cannot be read.
    pub fn lengths(&self, trace: &TraceArgs) -> anyhow::Result<Box<dyn Lengths + Send>> {
        let streams = trace.streams();
        let mut input = match &self.input_length {
            Some(dist) => dist.open(Field::Input).context("--input-length")?,
            None => self.preset().unwrap_or(always(512)),
        };
        let most = most_tokens(trace);
        ensure!(
            input.min <= most && !matches!(input.shape, Shape::Fixed(tokens) if tokens > most),
            "--input-length: more than {most} tokens take more hash_ids than a line holds; see --block-size and --no-hash-ids"
        );
        input.max = input.max.min(most);
        let output = match &self.output_length {
            Some(dist) => dist.open(Field::Output).context("--output-length")?,
            None => always(128),
        };
        Ok(Box::new(Independent {
            input: (input, streams.stream("input_length")),
            output: (output, streams.stream("output_length")),
        }))
    }

    /// Prompt lengths of the preset among `--prefixes`.
    fn preset(&self) -> Option<Length> {
        self.prefixes.iter().find_map(Sharing::lengths)
    }

    fn blocks(&self, trace: &TraceArgs) -> Option<Box<dyn Prefixes + Send>> {
        match self.total_blocks {
            _ if trace.no_hash_ids => None,
            None => Some(Box::new(Unique::default())),
            Some(contents) => Some(Box::new(Pool::new(
                contents,
                trace.streams().stream("blocks"),
            ))),
        }
    }

    fn conversations(
        &self,
        arrivals: Arrivals,
        lengths: Box<dyn Lengths + Send>,
        members: Vec<u8>,
        trace: &TraceArgs,
    ) -> anyhow::Result<Conversations> {
        Ok(Conversations {
            arrivals: arrivals.peekable(),
            pace: self.session.arrivals_are,
            lengths,
            beginnings: sharing::beginnings(&self.prefixes, trace.streams())?,
            script: self.session.script(trace)?,
            service: self.session.service_time,
            max_context: self
                .session
                .max_context
                .unwrap_or(MAX_TOKENS)
                .min(most_tokens(trace)),
            content: self.content(trace)?,
            model: trace.model.clone(),
            members,
            open: Open::default(),
        })
    }

    fn content(&self, trace: &TraceArgs) -> anyhow::Result<Content> {
        let streams = trace.streams();
        Ok(match &self.prompt_words {
            Some(dist) => Content::Words {
                words: Box::new(Words::new(
                    (
                        dist.open(Field::Untold("numbers of words"))
                            .context("--prompt-words")?,
                        streams.stream("words"),
                    ),
                    streams.stream("word length"),
                    streams.stream("letters"),
                )),
                output: self.output_length.is_some(),
            },
            None if trace.no_hash_ids => Content::Lengths,
            None => Content::Blocks(trace.block_size.block_size),
        })
    }
}

/// Most `hash_ids` of a line: with more it is longer than our tools read.
const MOST_BLOCKS: u64 = 8 << 20;

/// Tokens of the longest prompt that a line of `trace` holds.
fn most_tokens(trace: &TraceArgs) -> u64 {
    let most = MOST_BLOCKS.saturating_mul(trace.block_size.block_size);
    if trace.no_hash_ids {
        MAX_TOKENS
    } else {
        most.min(MAX_TOKENS)
    }
}

/// Most words of a prompt: with more, of twelve letters, its line is longer
/// than our tools read.
const MOST_WORDS: u64 = 4_000_000;

fn parse_words(text: &str) -> Result<Dist, String> {
    dist::parse_input(text)?;
    dist::parse_up_to(text, MOST_WORDS)
}

/// Always the same length.
fn always(tokens: u64) -> Length {
    Length {
        shape: Shape::Fixed(tokens),
        min: tokens.min(1),
        max: MAX_TOKENS,
    }
}
