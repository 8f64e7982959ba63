//! What requests look like, as flags: lengths and shared prefixes.

use anyhow::Context;

use crate::args::TraceArgs;
use crate::arrival::Arrivals;
use crate::dist::{self, Dist};
use crate::empirical::Field;
use crate::length::{Independent, Lengths};
use crate::prefix::{MAX_CONTENTS, Pool, Prefixes, Unique};
use crate::requests::Requests;
use crate::synth::Synth;

/// Flags that say what requests look like, whenever they arrive.
#[derive(Clone, Debug, clap::Args)]
pub struct ShapeArgs {
    /// Prompt lengths; --help tells every DIST
    #[arg(long, value_name = "DIST", value_parser = dist::parse_input, default_value = "512")]
    #[arg(allow_negative_numbers = true)]
    pub input_length: Dist,

    /// Response lengths; --help tells every DIST
    #[arg(
        long,
        value_name = "DIST",
        default_value = "128",
        allow_negative_numbers = true
    )]
    pub output_length: Dist,

    /// Draw the content of every block from N contents, so that prompts may
    /// share prefixes; without it no two prompts share anything
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_CONTENTS))]
    #[arg(allow_negative_numbers = true)]
    pub total_blocks: Option<u64>,
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
        Ok(Box::new(Synth {
            arrivals,
            lengths,
            prefixes: self.prefixes(trace),
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
        let input = self
            .input_length
            .open(Field::Input)
            .context("--input-length")?;
        let output = self
            .output_length
            .open(Field::Output)
            .context("--output-length")?;
        Ok(Box::new(Independent {
            input: (input, streams.stream("input_length")),
            output: (output, streams.stream("output_length")),
        }))
    }

    fn prefixes(&self, trace: &TraceArgs) -> Option<Box<dyn Prefixes + Send>> {
        match self.total_blocks {
            _ if trace.no_hash_ids => None,
            None => Some(Box::new(Unique::default())),
            Some(contents) => Some(Box::new(Pool::new(
                contents,
                trace.streams().stream("blocks"),
            ))),
        }
    }
}
