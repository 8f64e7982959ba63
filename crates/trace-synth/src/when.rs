//! When requests arrive, as flags: a rate, a process, an end.

use anyhow::{bail, ensure};
use clap::{ArgGroup, ValueEnum};
use trace_core::{Micros, Streams, parse_duration};

use crate::args::parse_positive_rate;
use crate::arrival::{Arrivals, Constant, Renewal, until};
use crate::gap::{Gap, MAX_CV, MIN_CV};

/// Flags that say when requests arrive, whatever they look like.
#[derive(Clone, Debug, clap::Args)]
#[command(group = ArgGroup::new("end").args(["duration", "requests"]).required(true).multiple(true))]
pub struct WhenArgs {
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

fn parse_cv(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(cv) if (MIN_CV..=MAX_CV).contains(&cv) => Ok(cv),
        _ => Err(format!(
            "{text:?} is not a coefficient of variation from {MIN_CV} to {MAX_CV}"
        )),
    }
}

impl WhenArgs {
    /// The arrivals that the flags describe, from the stream `arrival`.
    ///
    /// # Errors
    /// `--cv` that does not go with `--arrival`.
    pub fn arrivals(&self, streams: Streams) -> anyhow::Result<Arrivals> {
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
                let rng = streams.stream("arrival");
                until(Renewal::new(gap, rng), self.duration, self.requests)
            }
        })
    }
}
