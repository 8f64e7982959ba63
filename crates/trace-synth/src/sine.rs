//! `trace-synth sine`: Dynamo's `sin_synth.py`, flag by flag.

use std::path::PathBuf;

use anyhow::ensure;
use clap::value_parser;
use trace_core::{Micros, parse_duration};

use crate::args::{Range, TraceArgs, parse_period, parse_rate, parse_share};
use crate::arrival::Intervals;
use crate::curve::Sine;
use crate::draw::POISSON_MAX_MEAN;
use crate::length::{MAX_TOKENS, Pairs};
use crate::prefix::{MAX_CONTENTS, Pool, Prefixes};
use crate::synth::Synth;

/// Rate and length mix that swing like sine waves (Dynamo's sin_synth.py).
///
/// The rate is MIN when the trace begins and MAX half a period later. Time
/// goes in steps of --process-interval: each step holds a Poisson number of
/// requests at the rate of its beginning, equally spaced from its beginning.
/// Each request is of the first kind (--isl1, --osl1) with the probability
/// that a second sine gives at its time, else of the second (--isl2, --osl2).
/// The contents of its blocks are drawn from --total-blocks contents.
/// Timestamps are whole milliseconds.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Lowest and highest rate, requests per second, instead of
    /// --request-rate-min and --request-rate-max
    #[arg(long, value_name = "A..B", allow_negative_numbers = true)]
    #[arg(conflicts_with_all = ["request_rate_min", "request_rate_max"])]
    pub rate: Option<Range>,

    /// Lowest rate, requests per second
    #[arg(long, value_name = "RATE", value_parser = parse_rate, default_value_t = 5.0)]
    #[arg(allow_negative_numbers = true)]
    pub request_rate_min: f64,

    /// Highest rate, requests per second
    #[arg(long, value_name = "RATE", value_parser = parse_rate, default_value_t = 10.0)]
    #[arg(allow_negative_numbers = true)]
    pub request_rate_max: f64,

    /// From one lowest rate to the next, such as 90s or 10m; bare numbers are seconds
    #[arg(long, visible_alias = "period", value_name = "TIME", value_parser = parse_period)]
    #[arg(default_value = "10", allow_negative_numbers = true)]
    pub request_rate_period: Micros,

    /// Length of the trace
    #[arg(long, visible_alias = "duration", value_name = "TIME", value_parser = parse_duration)]
    #[arg(default_value = "100", allow_negative_numbers = true)]
    pub time_duration: Micros,

    /// Length of a step, within which the rate is constant
    #[arg(long, value_name = "TIME", value_parser = parse_period, default_value = "1")]
    #[arg(allow_negative_numbers = true)]
    pub process_interval: Micros,

    /// Prompt tokens of the first kind of request
    #[arg(long, value_name = "TOKENS", value_parser = value_parser!(u64).range(1..=MAX_TOKENS))]
    #[arg(default_value_t = 100, allow_negative_numbers = true)]
    pub isl1: u64,

    /// Response tokens of the first kind of request
    #[arg(long, value_name = "TOKENS", value_parser = value_parser!(u64).range(0..=MAX_TOKENS))]
    #[arg(default_value_t = 2000, allow_negative_numbers = true)]
    pub osl1: u64,

    /// Prompt tokens of the second kind of request
    #[arg(long, value_name = "TOKENS", value_parser = value_parser!(u64).range(1..=MAX_TOKENS))]
    #[arg(default_value_t = 5000, allow_negative_numbers = true)]
    pub isl2: u64,

    /// Response tokens of the second kind of request
    #[arg(long, value_name = "TOKENS", value_parser = value_parser!(u64).range(0..=MAX_TOKENS))]
    #[arg(default_value_t = 100, allow_negative_numbers = true)]
    pub osl2: u64,

    /// Lowest share of the first kind of request, 0 to 1
    #[arg(long, value_name = "SHARE", value_parser = parse_share, default_value_t = 0.2)]
    #[arg(allow_negative_numbers = true)]
    pub isl_osl_ratio_min: f64,

    /// Highest share of the first kind of request, 0 to 1
    #[arg(long, value_name = "SHARE", value_parser = parse_share, default_value_t = 0.8)]
    #[arg(allow_negative_numbers = true)]
    pub isl_osl_ratio_max: f64,

    /// From one lowest share to the next
    #[arg(long, value_name = "TIME", value_parser = parse_period, default_value = "10")]
    #[arg(allow_negative_numbers = true)]
    pub isl_osl_ratio_period: Micros,

    /// Contents that blocks are drawn from: the fewer, the more is shared
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=MAX_CONTENTS))]
    #[arg(default_value_t = 10_000, allow_negative_numbers = true)]
    pub total_blocks: u64,

    /// Write here instead of stdout (-); `auto` makes a name from the flags,
    /// as sin_synth.py does
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,

    /// What every kind of trace has.
    #[command(flatten)]
    pub trace: TraceArgs,
}

const EXAMPLES: &str = "\
Examples:
  trace-synth sine --time-duration 60 --seed 7
  trace-synth sine --rate 5..50 --period 10m --duration 1h
  trace-synth sine --time-duration 1800 --process-interval 5 \\
    --request-rate-min 5 --request-rate-max 20 --request-rate-period 300 \\
    --isl1 3000 --osl1 150 --isl2 500 --osl2 2000 --isl-osl-ratio-min 0.1 \\
    --isl-osl-ratio-max 0.9 --isl-osl-ratio-period 120 --output-file auto";

impl Args {
    fn rates(&self) -> Range {
        let both = Range {
            low: self.request_rate_min,
            high: self.request_rate_max,
        };
        self.rate.unwrap_or(both)
    }

    /// Fail on flags that are fine by themselves but not together.
    fn check(&self) -> anyhow::Result<Range> {
        let Range { low, high } = self.rates();
        ensure!(
            low <= high,
            "--request-rate-min {low} is more than --request-rate-max {high}"
        );
        let (least, most) = (self.isl_osl_ratio_min, self.isl_osl_ratio_max);
        ensure!(
            least <= most,
            "--isl-osl-ratio-min {least} is more than --isl-osl-ratio-max {most}"
        );
        let step = self.process_interval.min(self.time_duration).as_secs();
        ensure!(
            high * step <= POISSON_MAX_MEAN,
            "{high} requests/s for {step} s are more than {POISSON_MAX_MEAN} at once; \
             a shorter --process-interval would do"
        );
        Ok(Range { low, high })
    }

    /// The trace that the flags describe.
    ///
    /// Fails if a minimum is above its maximum.
    pub fn synth(&self) -> anyhow::Result<Synth> {
        let Range { low, high } = self.check()?;
        let streams = self.trace.streams();
        let rate = Sine::new(low, high, self.request_rate_period.as_secs());
        let (least, most) = (self.isl_osl_ratio_min, self.isl_osl_ratio_max);
        let prefixes: Option<Box<dyn Prefixes + Send>> = if self.trace.no_hash_ids {
            None
        } else {
            Some(Box::new(Pool::new(
                self.total_blocks,
                streams.stream("blocks"),
            )))
        };
        Ok(Synth {
            arrivals: Box::new(Intervals::new(
                rate,
                self.time_duration,
                self.process_interval,
                streams.stream("arrival"),
            )),
            lengths: Box::new(Pairs {
                share: Sine::new(least, most, self.isl_osl_ratio_period.as_secs()),
                first: (self.isl1, self.osl1),
                second: (self.isl2, self.osl2),
                rng: streams.stream("pair"),
            }),
            prefixes,
            block_size: self.trace.block_size.block_size,
            model: self.trace.model.clone(),
            members: Vec::new(),
        })
    }

    /// Where the trace goes; nothing is stdout.
    pub fn destination(&self) -> Option<PathBuf> {
        let file = self.output_file.as_ref()?;
        match file.to_str() {
            Some("-") => None,
            Some("auto") => Some(self.auto_name().into()),
            _ => Some(file.clone()),
        }
    }

    /// The name that `sin_synth.py` would choose, numbers in their shortest form.
    fn auto_name(&self) -> String {
        let Range { low, high } = self.rates();
        format!(
            "sin_b{}_t{}_rr{low}-{high}-{}_io{}{}-{}{}-{}-{}-{}.jsonl",
            self.trace.block_size.block_size,
            self.time_duration.as_secs(),
            self.request_rate_period.as_secs(),
            self.isl1,
            self.osl1,
            self.isl2,
            self.osl2,
            self.isl_osl_ratio_min,
            self.isl_osl_ratio_max,
            self.isl_osl_ratio_period.as_secs(),
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::args::{Args, Command};
    use crate::requests::Requests;
    use clap::Parser;

    fn sine(flags: &str) -> super::Args {
        let words = ["trace-synth", "sine"]
            .into_iter()
            .chain(flags.split_whitespace());
        match Args::try_parse_from(words) {
            Ok(Args {
                command: Command::Sine(args),
            }) => args,
            other => panic!("{flags}: {other:?}"),
        }
    }

    fn refusal(flags: &str) -> String {
        match sine(flags).synth() {
            Ok(_) => panic!("{flags} was accepted"),
            Err(err) => err.to_string(),
        }
    }

    #[test]
    fn the_defaults_name_the_file_as_the_script_does() {
        let auto = sine("--output-file auto").destination();
        let name = "sin_b512_t100_rr5-10-10_io1002000-5000100-0.2-0.8-10.jsonl";
        assert_eq!(auto, Some(name.into()));
        assert_eq!(sine("--output-file -").destination(), None);
        assert_eq!(
            sine("--output-file ./auto").destination(),
            Some("./auto".into())
        );
    }

    #[test]
    fn both_spellings_mean_the_same() {
        let long = "--request-rate-min 2 --request-rate-max 8 --request-rate-period 600 \
                    --time-duration 3600";
        let requests = |flags: &str| -> Vec<_> {
            let synth = sine(flags).synth().unwrap();
            synth
                .each()
                .take(100)
                .map(|request| request.timestamp)
                .collect()
        };
        assert_eq!(
            requests(long),
            requests("--rate 2..8 --period 10m --duration 1h")
        );
    }

    #[test]
    fn minima_above_maxima_are_refused_by_name() {
        assert_eq!(
            refusal("--request-rate-min 11"),
            "--request-rate-min 11 is more than --request-rate-max 10"
        );
        assert_eq!(
            refusal("--isl-osl-ratio-max 0.1"),
            "--isl-osl-ratio-min 0.2 is more than --isl-osl-ratio-max 0.1"
        );
        assert!(refusal("--rate 1..1e9 --process-interval 1h").contains("--process-interval"));
    }
}
