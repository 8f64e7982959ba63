//! The kinds of plot: one file each, and one line in [`KINDS`].
//!
//! A kind counts what it needs from one line after the other and then makes a
//! sheet of it. All kinds of a run see the lines in one pass.

mod apart;
mod in_flight;
mod latency_cdf;
mod lateness;
mod lengths;
mod panel;
mod pareto;
mod rate;
mod rounds;
mod sessions;
mod sweep;
mod time_series;
mod timeline;
mod tokens;
mod totals;
mod ttft_histogram;
mod workload;

use anyhow::Result;
use trace_core::Micros;

use crate::{
    axis::{Axis, Quantity},
    extent::TooManyBins,
    figure::{Entry, Mark, Sheet},
    group::{Groups, Series},
    sample::Sample,
    slo::Slo,
};

/// Every kind, in the order they are drawn and documented.
pub const KINDS: &[Kind] = &[
    rate::KIND,
    rate::SCHEDULED,
    totals::KIND,
    workload::KIND,
    lengths::KIND,
    sessions::KIND,
    latency_cdf::KIND,
    ttft_histogram::KIND,
    tokens::KIND,
    pareto::KIND,
    in_flight::KIND,
    timeline::KIND,
    time_series::KIND,
    lateness::KIND,
    rounds::KIND,
    sweep::KINDS[0],
    sweep::KINDS[1],
    sweep::KINDS[2],
    sweep::KINDS[3],
    sweep::KINDS[4],
    sweep::KINDS[5],
    sweep::KINDS[6],
    sweep::KINDS[7],
    sweep::KINDS[8],
    sweep::KINDS[9],
];

/// Series beyond which lines of noisy means hide one another.
const CROWD: usize = 3;

/// A kind of plot.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name on the command line and of its files.
    pub name: &'static str,
    /// What it shows, for the help.
    pub about: &'static str,
    /// Whether it is drawn when no kind is asked for.
    pub usual: bool,
    /// A fresh one, that has seen no line.
    pub new: fn(&Settings) -> Box<dyn Plot>,
}

/// What the user decides about the content of plots.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The field that tells requests apart.
    pub by: String,
    /// Width of the bins over time, if not chosen by the tool.
    pub bin: Option<Micros>,
    /// How latencies are spread over their axis.
    pub x_axis: Spacing,
    /// What a good answer keeps.
    pub slo: Option<Slo>,
    /// GPUs that served the run.
    pub gpus: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            by: "model".to_owned(),
            bin: None,
            x_axis: Spacing::Auto,
            slo: None,
            gpus: 1.0,
        }
    }
}

/// How an axis of durations or lengths is spaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Spacing {
    /// Logarithmic when the values span more than a factor of 20
    #[default]
    Auto,
    /// Equal distances for equal differences
    Linear,
    /// Equal distances for equal ratios
    Log,
}

/// A plot that is being counted.
pub trait Plot {
    /// Count one line.
    ///
    /// # Errors
    /// If the line does not fit what the user asked for.
    fn add(&mut self, sample: &Sample<'_>) -> Result<()>;

    /// The sheet of all lines, or why there is none.
    ///
    /// # Errors
    /// [`Nothing`] if no line had what this plot shows.
    fn sheet(&self, groups: &Groups) -> Result<Sheet, Nothing>;

    /// What a text beside the picture says of it, line by line; nothing for
    /// most.
    fn words(&self, _groups: &Groups) -> Vec<String> {
        Vec::new()
    }
}

/// Why a plot cannot be drawn from this input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Nothing(pub String);

impl From<TooManyBins> for Nothing {
    fn from(error: TooManyBins) -> Self {
        Self(error.to_string())
    }
}

impl Kind {
    /// The kind called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }
}

impl Spacing {
    /// An axis over durations from `min` to `max` of which all but the
    /// fastest hundredth are at least `low`, in microseconds.
    pub(crate) fn duration(self, title: &str, (min, low, max): (f64, f64, f64)) -> Axis {
        if self.is_log(low, max) {
            Axis::log(title, Quantity::Duration, (min, max), 1.0)
        } else {
            Axis::from_zero(title, Quantity::Duration, max)
        }
    }

    /// Whether values whose bulk begins at `low` and that end at `max` are
    /// spread by their ratios.
    pub(crate) fn is_log(self, low: f64, max: f64) -> bool {
        match self {
            Self::Auto => max > 20.0 * low.max(1.0),
            Self::Linear => false,
            Self::Log => true,
        }
    }
}

/// What the colours of `series` mean; nothing if there is one.
fn legend(series: &[Series], mark: Mark) -> Vec<Entry> {
    let several = series.iter().filter(|_| series.len() > 1);
    several
        .map(|one| Entry::new(&one.label, one.ink, mark))
        .collect()
}

/// `p50 183 ms · p90 1.2 s · p99 inf`: quantiles for the facts of a figure.
fn quantiles(spread: &trace_core::quantile::Spread) -> String {
    let quantiles = [
        ("p50", spread.p50),
        ("p90", spread.p90),
        ("p99", spread.p99),
    ];
    let texts = quantiles.map(|(name, value)| match value {
        Some(value) => format!("{name} {}", crate::number::duration(value)),
        None => format!("{name} inf"),
    });
    texts.join(" · ")
}

/// ` · model NAME`, when all requests are of one named group.
fn only(groups: &Groups, series: &[Series]) -> String {
    match (series, groups.field()) {
        ([one], _) if one.label.starts_with('(') => String::new(),
        ([one], field) if one.label.starts_with(field) => format!(" · {}", one.label),
        ([one], field) => format!(" · {field} {}", one.label),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
