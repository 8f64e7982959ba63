//! The kinds of plot: one file each, and one line in [`KINDS`].
//!
//! A kind counts what it needs from one line after the other and then makes a
//! figure of it. All kinds of a run see the lines in one pass.

mod latency_cdf;
mod rate;
mod ttft_histogram;

use anyhow::Result;
use trace_core::{Micros, Outcome, Request};

use crate::{
    axis::{Axis, Quantity},
    figure::Figure,
    group::{Groups, Series},
};

/// Every kind, in the order they are drawn and documented.
pub const KINDS: &[Kind] = &[rate::KIND, latency_cdf::KIND, ttft_histogram::KIND];

/// A kind of plot.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name on the command line and of its files.
    pub name: &'static str,
    /// What it shows, for the help.
    pub about: &'static str,
    /// A fresh one, that has seen no line.
    pub new: fn(&Settings) -> Box<dyn Plot>,
}

/// What the user decides about the content of plots.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// Width of the bins over time, if not chosen by the tool.
    pub bin: Option<Micros>,
    /// How latencies are spread over their axis.
    pub x_axis: Spacing,
}

/// How an axis of durations is spaced.
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

/// One line of the input, as a plot sees it.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// The index of its group.
    pub group: usize,
    /// What was asked.
    pub request: &'a Request,
    /// What happened, on a line that tells.
    pub outcome: Option<&'a Outcome>,
}

/// A plot that is being counted.
pub trait Plot {
    /// Count one line.
    ///
    /// # Errors
    /// If the line does not fit what the user asked for.
    fn add(&mut self, sample: &Sample<'_>) -> Result<()>;

    /// The figure of all lines, or why there is none.
    ///
    /// # Errors
    /// [`Nothing`] if no line had what this plot shows.
    fn figure(&self, groups: &Groups) -> Result<Figure, Nothing>;
}

/// Why a plot cannot be drawn from this input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Nothing(pub String);

impl Kind {
    /// The kind called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }
}

impl Spacing {
    /// An axis over durations from `min` to `max` of which all but the
    /// fastest hundredth are at least `low`, in microseconds.
    fn axis(self, title: &str, (min, low, max): (f64, f64, f64)) -> Axis {
        if self.is_log(low, max) {
            Axis::log(title, Quantity::Duration, (min, max), 1.0)
        } else {
            Axis::from_zero(title, Quantity::Duration, max)
        }
    }

    fn is_log(self, low: f64, max: f64) -> bool {
        match self {
            Self::Auto => max > 20.0 * low.max(1.0),
            Self::Linear => false,
            Self::Log => true,
        }
    }
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

/// ` of NAME`, when all requests are of one named group.
fn only(series: &[Series]) -> String {
    match series {
        [one] if !one.label.starts_with('(') => format!(" · {}", one.label),
        _ => String::new(),
    }
}
