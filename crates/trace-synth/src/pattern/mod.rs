//! `trace-synth pattern`: AIBrix's traffic and length patterns.
//!
//! The numbers are AIBrix's, the clock is not: each sample lasts exactly one
//! `--interval`, arrivals follow the integral of the rate, and none comes
//! after the end.

pub mod series;

use std::fs;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, anyhow, ensure};
use trace_core::{Micros, Random};

use crate::args::{TraceArgs, parse_period, parse_rate};
use crate::arrival::until;
use crate::intensity::Intensity;
use crate::length_at::{LengthAt, Replaced};
use crate::pieces::Points;
use crate::requests::Requests;
use crate::scale::{ScaleArgs, scaled};
use crate::shape::{self, ShapeArgs};
use crate::when::ProcessArgs;
use series::{Config, PRESETS, Preset};

/// Samples of a pattern that are held.
const MOST_SAMPLES: u64 = 10_000_000;

/// Rates and lengths that follow AIBrix's patterns.
///
/// A pattern is a sine wave of which one sample is taken at each --interval,
/// noise is added and the sum rounded; it holds until the next. PATTERN is
/// quick_rising, slow_rising, slight_fluctuation, severe_fluctuation or
/// constant (around 6 requests/s and 1024 tokens, or around the mean in
/// NAME:MEAN), or a JSON file with the keys fluctuate, mean, noise,
/// period_len_ms and only_rise. The samples are held: 30 MB for a million of
/// rates and both lengths.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{}\n\n{EXAMPLES}", shape::grammar()))]
pub struct Args {
    /// Requests per second
    #[arg(long, visible_alias = "traffic-pattern", value_name = "PATTERN")]
    pub traffic: Source,

    /// Prompt lengths, instead of --input-length: all prompts of a moment are
    /// equally long
    #[arg(
        long,
        visible_alias = "prompt-len-pattern",
        value_name = "PATTERN",
        conflicts_with_all = ["input_length", "prompt_words"]
    )]
    pub prompt_len: Option<Source>,

    /// Response lengths, instead of --output-length
    #[arg(
        long,
        visible_alias = "completion-len-pattern",
        value_name = "PATTERN",
        conflicts_with = "output_length"
    )]
    pub completion_len: Option<Source>,

    /// How long the traffic lasts
    #[arg(long, value_name = "TIME", value_parser = parse_period, default_value = "60s")]
    #[arg(allow_negative_numbers = true)]
    pub duration: Micros,

    /// How long each sample of a pattern lasts
    #[arg(long, value_name = "TIME", value_parser = parse_period, default_value = "1s")]
    #[arg(allow_negative_numbers = true)]
    pub interval: Micros,

    /// What rates and lengths are divided by.
    #[command(flatten)]
    pub scale: ScaleArgs,

    /// Standard deviation of the noise in every pattern [default: 0.1 in the
    /// named ones, else as the file says]
    #[arg(long, value_name = "SD", value_parser = parse_rate, allow_negative_numbers = true)]
    pub noise: Option<f64>,

    /// Keep the fractions of rates; without it a sample is a whole number of
    /// requests per second, as in AIBrix, before --qps-scale divides it
    #[arg(long)]
    pub fractional: bool,

    /// How gaps vary.
    #[command(flatten)]
    pub process: ProcessArgs,

    /// What.
    #[command(flatten)]
    pub shape: ShapeArgs,

    /// What every kind of trace has.
    #[command(flatten)]
    pub trace: TraceArgs,
}

const EXAMPLES: &str = "\
Examples:
  trace-synth pattern --traffic quick_rising --duration 5m
  trace-synth pattern --traffic severe_fluctuation:20 --prompt-len slow_rising \\
    --completion-len constant:200 --duration 10m --interval 5s --qps-scale 2
  echo '{\"fluctuate\": 2, \"mean\": 6, \"noise\": 0.1, \"period_len_ms\": 300000,
    \"only_rise\": false}' > t.json
  trace-synth pattern --traffic ./t.json --duration 1400s \\
    | trace-plot rate > rate.png";

/// A pattern by name or from a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A named one, and the mean if it was given.
    Preset(Preset, Option<f64>),
    /// A JSON file.
    File(PathBuf),
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, mean) = match text.split_once(':') {
            Some((name, mean)) => (name, Some(mean)),
            None => (text, None),
        };
        let preset = PRESETS.iter().find(|(known, _)| *known == name);
        match (preset, mean.map(parse_rate)) {
            (Some(&(_, preset)), None) => Ok(Self::Preset(preset, None)),
            (Some(&(_, preset)), Some(Ok(mean))) => Ok(Self::Preset(preset, Some(mean))),
            (Some(_), Some(Err(_))) => Err(format!("{text:?}: the mean is not a number from 0")),
            (None, _) => Ok(Self::File(text.into())),
        }
    }
}

impl Source {
    /// The pattern, around `mean` if it has a name and no mean was given.
    fn config(&self, mean: f64, duration_ms: f64) -> anyhow::Result<Config> {
        let path = match self {
            Self::Preset(preset, given) => {
                return Ok(preset.config(given.unwrap_or(mean), duration_ms));
            }
            Self::File(path) => path,
        };
        let name = path.display();
        let bytes = fs::read(path).with_context(|| {
            let names: Vec<_> = PRESETS.iter().map(|(name, _)| *name).collect();
            format!(
                "{name} is no pattern ({}) and no readable file",
                names.join(", ")
            )
        })?;
        let text = String::from_utf8(bytes);
        let text =
            text.map_err(|_| anyhow!("{name}:1:1: this is not text; expected a pattern file"))?;
        let config: Config = serde_json::from_str(&text)
            .map_err(|error| crate::json_error(&name.to_string(), &error))?;
        config
            .check()
            .map_err(|reason| anyhow::anyhow!("{name}: {reason}"))?;
        Ok(config)
    }
}

/// Samples, each of which holds for one interval.
struct Steps {
    tokens: Vec<u32>,
    interval: f64,
}

impl LengthAt for Steps {
    fn draw(&mut self, seconds: f64) -> u64 {
        let index = (seconds / self.interval) as usize;
        u64::from(self.tokens[index.min(self.tokens.len() - 1)])
    }
}

impl Args {
    /// The trace that the flags describe.
    ///
    /// # Errors
    /// A file that is no pattern, flags that contradict each other, or a
    /// pattern without any request.
    pub fn requests(&self) -> anyhow::Result<Box<dyn Requests>> {
        let streams = self.trace.streams();
        let rates = self
            .samples(
                &self.traffic,
                6.0,
                self.fractional,
                &mut streams.stream("traffic noise"),
            )
            .context("--traffic")?;
        ensure!(
            rates.iter().any(|&rate| rate > 0.0),
            "--traffic never rises above 0 requests/s; --fractional keeps rates below one half"
        );
        let step = self.interval.as_secs();
        let points = rates.iter().enumerate();
        let points = points.map(|(i, rate)| (i as f64 * step, rate / self.scale.qps_scale));
        let intensity = Intensity::new(
            vec![Box::new(Points::steps(points.collect()))],
            Vec::new(),
            self.duration.as_secs(),
        );
        let arrivals = until(
            self.process.arrivals(intensity, streams)?,
            Some(self.duration),
            None,
        );
        let lengths = |source: &Option<Source>, scale, flag: &'static str| {
            let noise = streams.stream(&format!("{flag} noise"));
            source
                .as_ref()
                .map(|source| self.lengths(source, scale, noise).context(flag))
                .transpose()
        };
        let replaced = Replaced {
            base: self.shape.lengths(&self.trace)?,
            input: lengths(&self.prompt_len, self.scale.input_scale, "--prompt-len")?,
            output: lengths(
                &self.completion_len,
                self.scale.output_scale,
                "--completion-len",
            )?,
        };
        self.shape
            .requests_of(arrivals, Box::new(replaced), Vec::new(), &self.trace)
    }

    fn lengths(
        &self,
        source: &Source,
        scale: f64,
        mut noise: Random,
    ) -> anyhow::Result<Box<dyn LengthAt>> {
        let samples = self.samples(source, 1024.0, false, &mut noise)?;
        let tokens = samples
            .iter()
            .map(|&tokens| scaled(tokens.max(1.0), scale) as u32);
        Ok(Box::new(Steps {
            tokens: tokens.collect(),
            interval: self.interval.as_secs(),
        }))
    }

    fn samples(
        &self,
        source: &Source,
        mean: f64,
        fractional: bool,
        noise: &mut Random,
    ) -> anyhow::Result<Vec<f64>> {
        let duration_ms = self.duration.as_millis();
        let steps = self.duration.as_micros() / self.interval.as_micros() + 1;
        ensure!(
            steps <= MOST_SAMPLES,
            "--duration has {steps} intervals, more than {MOST_SAMPLES}; a longer --interval would do"
        );
        let mut config = source.config(mean, duration_ms)?;
        config.noise = self.noise.unwrap_or(config.noise);
        Ok(config
            .series(steps, duration_ms, fractional, noise)
            .collect())
    }
}
