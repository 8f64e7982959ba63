//! When requests arrive, as flags: a rate, a process, an end.

use anyhow::{bail, ensure};
use clap::{ArgGroup, ValueEnum};
use trace_core::{Micros, Streams, parse_duration};

use crate::arrival::{Arrivals, Constant, Renewal, until};
use crate::gap::{Gap, MAX_CV, MIN_CV};
use crate::intensity::Intensity;
use crate::rate_curve::RateCurve;
use crate::rescaled::Rescaled;

/// Flags that say when requests arrive, whatever they look like.
#[derive(Clone, Debug, clap::Args)]
#[command(group = ArgGroup::new("end").args(["duration", "requests"]).required(true).multiple(true))]
pub struct WhenArgs {
    /// Mean arrivals, requests per second: a number, or a rate over time
    /// such as ramp:1..50,10m; --help tells every CURVE
    #[arg(long, value_name = "CURVE", allow_negative_numbers = true)]
    pub rate: RateCurve,

    /// End before this time, such as 90s, 10m or 1h30m (bare numbers are
    /// seconds)
    #[arg(long, value_name = "TIME", value_parser = parse_duration, allow_negative_numbers = true)]
    pub duration: Option<Micros>,

    /// End after this many requests
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub requests: Option<u64>,

    /// How gaps vary.
    #[command(flatten)]
    pub process: ProcessArgs,
}

/// Flags that say how gaps between arrivals vary, whatever the rate is.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct ProcessArgs {
    /// How gaps between arrivals vary
    #[arg(long, value_name = "PROCESS", value_enum, default_value_t = Process::Poisson)]
    pub arrival: Process,

    /// Coefficient of variation of the gaps (standard deviation / mean), for
    /// gamma and weibull: below 1 regular, 1 as Poisson, above 1 bursty
    #[arg(long, value_name = "CV", value_parser = parse_cv, allow_negative_numbers = true)]
    pub cv: Option<f64>,
}

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

/// A coefficient of variation that gaps can have.
pub(crate) fn parse_cv(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(cv) if (MIN_CV..=MAX_CV).contains(&cv) => Ok(cv),
        _ => Err(format!(
            "{text:?} is not a coefficient of variation from {MIN_CV} to {MAX_CV}"
        )),
    }
}

impl ProcessArgs {
    /// Gaps of `rate` per second; nothing if they are all equal.
    ///
    /// # Errors
    /// `--cv` that does not go with `--arrival`.
    pub fn gap(&self, rate: f64) -> anyhow::Result<Option<Gap>> {
        Ok(match (self.arrival, self.cv) {
            (Process::Constant, None) => None,
            (Process::Poisson, None) => Some(Gap::poisson(rate)),
            (Process::Gamma, Some(cv)) => Some(Gap::gamma(rate, cv)),
            (Process::Weibull, Some(cv)) => Some(Gap::weibull(rate, cv)),
            (Process::Gamma | Process::Weibull, None) => {
                bail!(
                    "--arrival gamma and weibull need --cv, the coefficient of variation of the gaps"
                )
            }
            (Process::Constant | Process::Poisson, Some(_)) => {
                bail!("--cv goes with --arrival gamma or weibull only")
            }
        })
    }

    /// Arrivals at the rate of `intensity` up to its end, from the stream
    /// `arrival`.
    ///
    /// # Errors
    /// As [`gap`](Self::gap).
    pub fn arrivals(&self, intensity: Intensity, streams: Streams) -> anyhow::Result<Arrivals> {
        let rng = streams.stream("arrival");
        Ok(Box::new(Rescaled::new(intensity, self.gap(1.0)?, rng)))
    }
}

impl WhenArgs {
    /// The arrivals that the flags describe, from the stream `arrival`, and
    /// `states` where the rate itself is random.
    ///
    /// # Errors
    /// `--cv` that does not go with `--arrival`.
    pub fn arrivals(&self, streams: Streams) -> anyhow::Result<Arrivals> {
        ensure!(
            self.duration.is_some() || self.requests.is_some(),
            "--duration or --requests must say where the trace ends"
        );
        let Some(rate) = self.rate.constant() else {
            let intensity = self.rate.open(streams, self.duration);
            let arrivals = self.process.arrivals(intensity, streams)?;
            return Ok(until(arrivals, self.duration, self.requests));
        };
        Ok(match self.process.gap(rate)? {
            None => until(Constant::new(rate), self.duration, self.requests),
            Some(gap) => {
                let rng = streams.stream("arrival");
                until(Renewal::new(gap, rng), self.duration, self.requests)
            }
        })
    }
}
