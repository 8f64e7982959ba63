//! `trace-synth rate`: a constant mean rate.

use anyhow::{Context, bail, ensure};
use clap::{ArgGroup, ValueEnum};
use trace_core::{Micros, parse_duration};

use crate::args::{TraceArgs, parse_positive_rate};
use crate::arrival::{Arrivals, Constant, Renewal, until};
use crate::dist::{self, Dist};
use crate::empirical::Field;
use crate::gap::{Gap, MAX_CV, MIN_CV};
use crate::length::Independent;
use crate::prefix::{MAX_CONTENTS, Pool, Prefixes, Unique};
use crate::synth::Synth;

/// Arrivals at a constant mean rate, lengths from any distribution.
#[derive(Clone, Debug, clap::Args)]
#[command(group = ArgGroup::new("end").args(["duration", "requests"]).required(true).multiple(true))]
#[command(after_help = EXAMPLES, after_long_help = format!("{}\n\n{EXAMPLES}", dist::GRAMMAR))]
pub struct Args {
    /// Mean arrivals, requests per second
    #[arg(long, value_name = "RATE", value_parser = parse_positive_rate, allow_negative_numbers = true)]
    pub rate: f64,

    /// End before this time, such as 90s, 10m or 1h30m (bare numbers are
    /// seconds)
    #[arg(long, value_name = "TIME", value_parser = parse_duration, allow_negative_numbers = true)]
    pub duration: Option<Micros>,

    /// End after this many requests
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub requests: Option<u64>,

    /// How gaps between arrivals vary
    #[arg(long, value_name = "PROCESS", value_enum, default_value_t = Process::Poisson)]
    pub arrival: Process,

    /// Coefficient of variation of the gaps (standard deviation / mean), for
    /// gamma and weibull: below 1 regular, 1 as Poisson, above 1 bursty
    #[arg(long, value_name = "CV", value_parser = parse_cv, allow_negative_numbers = true)]
    pub cv: Option<f64>,

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

    /// What every kind of trace has.
    #[command(flatten)]
    pub trace: TraceArgs,
}

const EXAMPLES: &str = "\
Examples:
  trace-synth rate --rate 10 --duration 60
  trace-synth rate --rate 200 --requests 1000000 --no-hash-ids \\
    --input-length uniform:100..4000 --output-length poisson:15
  trace-synth rate --rate 20 --duration 10m --arrival weibull --cv 2.5 \\
    --input-length empirical:production.jsonl --output-length 'lognormal:mu=5.2,sigma=0.9'";

/// How the gaps between arrivals vary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Process {
    /// Not at all: equal gaps, the first request at 0
    Constant,
    /// Exponential gaps: many independent users
    Poisson,
    /// Gamma gaps with --cv
    Gamma,
    /// Weibull gaps with --cv; rarer, longer pauses than gamma above 1
    Weibull,
}

fn parse_cv(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(cv) if (MIN_CV..=MAX_CV).contains(&cv) => Ok(cv),
        _ => Err(format!(
            "{text:?} is not a coefficient of variation from {MIN_CV} to {MAX_CV}"
        )),
    }
}

impl Args {
    /// The trace that the flags describe.
    ///
    /// Fails if `--cv` does not go with `--arrival`, or a file of lengths
    /// cannot be read.
    pub fn synth(&self) -> anyhow::Result<Synth> {
        let streams = self.trace.streams();
        let input = self
            .input_length
            .open(Field::Input)
            .context("--input-length")?;
        let output = self
            .output_length
            .open(Field::Output)
            .context("--output-length")?;
        let prefixes: Option<Box<dyn Prefixes + Send>> = match self.total_blocks {
            _ if self.trace.no_hash_ids => None,
            None => Some(Box::new(Unique::default())),
            Some(contents) => Some(Box::new(Pool::new(contents, streams.stream("blocks")))),
        };
        Ok(Synth {
            arrivals: self.arrivals()?,
            lengths: Box::new(Independent {
                input: (input, streams.stream("input_length")),
                output: (output, streams.stream("output_length")),
            }),
            prefixes,
            block_size: self.trace.block_size.block_size,
            model: self.trace.model.clone(),
        })
    }

    fn arrivals(&self) -> anyhow::Result<Arrivals> {
        let gap = match (self.arrival, self.cv) {
            (Process::Constant, None) => None,
            (Process::Poisson, None) => Some(Gap::poisson(self.rate)),
            (Process::Gamma, Some(cv)) => Some(Gap::gamma(self.rate, cv)),
            (Process::Weibull, Some(cv)) => Some(Gap::weibull(self.rate, cv)),
            (Process::Gamma | Process::Weibull, None) => {
                bail!(
                    "--arrival gamma and weibull need --cv, the coefficient of variation of the gaps"
                )
            }
            (Process::Constant | Process::Poisson, Some(_)) => {
                bail!("--cv goes with --arrival gamma or weibull only")
            }
        };
        ensure!(
            self.duration.is_some() || self.requests.is_some(),
            "--duration or --requests must say where the trace ends"
        );
        Ok(match gap {
            None => until(Constant::new(self.rate), self.duration, self.requests),
            Some(gap) => {
                let rng = self.trace.streams().stream("arrival");
                until(Renewal::new(gap, rng), self.duration, self.requests)
            }
        })
    }
}
