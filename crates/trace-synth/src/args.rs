//! What can be typed: the commands, and the flags they share.

use clap::{Parser, Subcommand};
use rand::Rng;
use trace_core::cli::{BlockSizeArg, SeedArg};
use trace_core::{Micros, Streams, parse_duration};

use crate::requests::Requests;
use crate::{drawn, grafana, like, pattern, rate, servegen, sine};

/// Make request traces: arrivals, lengths, shared prefixes.
///
/// Writes one request per line on stdout, in time order, as it makes them.
/// Memory does not grow with the trace, except that prompts whose blocks are
/// drawn from a pool (`sine`, and `rate --total-blocks`) need a table of them:
/// 45 MB for a million requests of `sine`, 345 MB for ten million. What is
/// read from files (`like`, `curve`, `pattern`, `grafana`, `servegen`) is held,
/// and sessions while they have a turn to come, some hundred bytes each.
/// The same flags and seed give the same bytes on every machine; times,
/// lengths and blocks come from independent streams of randomness, so that
/// changing one leaves the others as they were.
#[derive(Clone, Debug, Parser)]
#[command(name = "trace-synth", version, after_help = EXAMPLES)]
pub struct Args {
    /// What to make.
    #[command(subcommand)]
    pub command: Command,
}

/// The kinds of trace.
#[allow(
    clippy::large_enum_variant,
    reason = "there is one of them, parsed once"
)]
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Arrivals at a rate, constant or a curve; lengths from any distribution
    Rate(rate::Args),
    /// Rate and length mix that swing like sine waves (Dynamo's sin_synth.py)
    Sine(sine::Args),
    /// Rates and lengths that follow AIBrix's patterns
    Pattern(pattern::Args),
    /// Rates drawn by hand, of several models: trace-design's curve file or
    /// the Traffic Designer's
    Curve(drawn::Args),
    /// Rates and lengths that a dashboard measured: AIBrix's statistics
    Grafana(grafana::Args),
    /// A trace of any size that behaves like another one
    Like(like::Args),
    /// Many clients, as ServeGen recorded them
    Servegen(servegen::Args),
}

const EXAMPLES: &str = "\
Examples:
  ten minutes at 20 requests/s, bursty, realistic lengths
    trace-synth rate --rate 20 --duration 10m --arrival gamma --cv 3 \\
      --input-length lognormal:1200,1800,max=32768 \\
      --output-length exponential:250
  an hour that swings between 5 and 50 requests/s every ten minutes
    trace-synth sine --rate 5..50 --period 10m --duration 1h > hour.jsonl
  a day in an hour, with a burst now and then
    trace-synth rate --rate diurnal:2..40,day=1h+mmpp:0@5m,60@10s --duration 1h
  conversations behind shared system prompts
    trace-synth rate --rate 2 --duration 10m --sessions geometric:4 \\
      --think-time exponential:20s --prefixes pool:20,900,zipf=1
  look before you send
    trace-synth sine --seed 7 | trace-stats";

/// Flags that every kind of trace has.
#[derive(Clone, Debug, clap::Args)]
pub struct TraceArgs {
    /// Model that every request asks for
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,

    /// Leave hash_ids out: lengths alone
    #[arg(long, conflicts_with = "total_blocks")]
    pub no_hash_ids: bool,

    /// Tokens per block.
    #[command(flatten)]
    pub block_size: BlockSizeArg,

    /// Where randomness starts.
    #[command(flatten)]
    pub seed: SeedArg,
}

impl TraceArgs {
    /// The streams of randomness of this seed.
    pub fn streams(&self) -> Streams {
        Streams::new(self.seed.seed)
    }

    /// The same flags for one part of a trace of several, such as a model or
    /// a client: with a seed of its own, which depends on `name` and not on
    /// what other parts there are.
    pub fn part(&self, name: &str) -> Self {
        let mut part = self.clone();
        part.seed.seed = self.streams().stream(&format!("part {name}")).next_u64();
        part
    }
}

impl Command {
    /// The trace that the flags describe.
    ///
    /// Fails if flags contradict each other or a file they name cannot be
    /// read; the message names the flag.
    pub fn requests(&self) -> anyhow::Result<Box<dyn Requests>> {
        match self {
            Self::Rate(args) => args.requests(),
            Self::Sine(args) => Ok(Box::new(args.synth()?)),
            Self::Pattern(args) => args.requests(),
            Self::Curve(args) => args.requests(),
            Self::Grafana(args) => args.requests(),
            Self::Like(args) => args.requests(),
            Self::Servegen(args) => args.requests(),
        }
    }

    /// How many requests were asked for, where the rate alone may end the
    /// trace before.
    pub(crate) fn wanted(&self) -> Option<u64> {
        match self {
            Self::Rate(args) if args.when.duration.is_none() => args.when.requests,
            _ => None,
        }
    }
}

/// Most requests per second that can be asked for.
pub const MAX_RATE: f64 = 1e9;

/// A rate of at least 0 requests per second.
pub fn parse_rate(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(rate) if (0.0..=MAX_RATE).contains(&rate) => Ok(rate),
        _ => Err(format!(
            "{text:?} is not a rate from 0 to {MAX_RATE} requests per second"
        )),
    }
}

/// A duration longer than nothing.
pub fn parse_period(text: &str) -> Result<Micros, String> {
    match parse_duration(text)? {
        Micros::ZERO => Err("must be longer than 0".to_owned()),
        period => Ok(period),
    }
}

/// A share from 0 to 1.
pub fn parse_share(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(format!("{text:?} is not a share from 0 to 1")),
    }
}

/// Two rates, `A..B`, or one, which stands for both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The lower rate.
    pub low: f64,
    /// The higher rate.
    pub high: f64,
}

impl std::str::FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (low, high) = text.split_once("..").unwrap_or((text, text));
        let (low, high) = (parse_rate(low)?, parse_rate(high)?);
        if low > high {
            return Err(format!(
                "{low} is more than {high}; the lower rate comes first"
            ));
        }
        Ok(Self { low, high })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }

    #[test]
    fn a_range_is_two_rates_or_one() {
        assert_eq!(
            "5..50".parse(),
            Ok(Range {
                low: 5.0,
                high: 50.0
            })
        );
        assert_eq!(
            "0.5..1e3".parse(),
            Ok(Range {
                low: 0.5,
                high: 1000.0
            })
        );
        assert_eq!(
            "7".parse(),
            Ok(Range {
                low: 7.0,
                high: 7.0
            })
        );
        for bad in [
            "50..5", "-1..5", "..5", "5..", "5..NaN", "5..inf", "1..2..3", "",
        ] {
            assert!(bad.parse::<Range>().is_err(), "{bad}");
        }
    }

    #[test]
    fn rates_and_shares_are_numbers_in_range() {
        for bad in ["-1", "NaN", "inf", "1e10", "fast", ""] {
            assert!(parse_rate(bad).is_err(), "{bad}");
        }
        for bad in ["-0.1", "1.01", "NaN", "half"] {
            assert!(parse_share(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_period("0"), Err("must be longer than 0".to_owned()));
    }
}
