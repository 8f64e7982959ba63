//! Two profiles side by side, and every difference under a name of its own.

use super::dispersion;
use super::divergence::{kolmogorov_smirnov, wasserstein};
use super::profile::{Profile, QUANTITIES};
use super::tolerance::Beyond;
use crate::cache::capacity::ladder;
use serde::Serialize;
use trace_core::Micros;
use trace_core::quantile::{self, Spread};

/// How far apart two traces are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// What this object is: always `comparison`.
    pub kind: &'static str,
    /// Tokens in a full block.
    pub block_size: u64,
    /// The first trace, which differences are relative to.
    pub a: Side,
    /// The second trace.
    pub b: Side,
    /// Distributions of what requests have.
    pub metrics: Vec<Metric>,
    /// How quantities of the same requests go together.
    pub correlations: Vec<Pair>,
    /// Burstiness: variance over mean of the arrivals per window.
    pub dispersion: Vec<Window>,
    /// Hit rates of an infinite cache.
    pub hit_rates: Vec<Pair>,
    /// Hit rates by block of an LRU cache, by capacity.
    pub lru: Vec<Capacity>,
    /// Every difference by name, as tolerances call them.
    pub differences: Vec<Difference>,
    /// The differences that are beyond their tolerance.
    pub beyond: Vec<Beyond>,
}

/// One of the two traces.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Side {
    /// The file.
    pub name: String,
    /// Number of requests.
    pub requests: u64,
    /// First to last arrival, in milliseconds.
    #[serde(serialize_with = "quantile::number")]
    pub duration_ms: Option<f64>,
    /// Arrivals per second.
    #[serde(serialize_with = "quantile::number")]
    pub rate_rps: Option<f64>,
}

/// The distributions of one quantity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metric {
    /// The quantity.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// In the first trace.
    pub a: Spread,
    /// In the second trace.
    pub b: Spread,
    /// The statistic of Kolmogorov and Smirnov, 0 to 1.
    #[serde(serialize_with = "quantile::number")]
    pub ks: Option<f64>,
    /// The Wasserstein distance, in the unit.
    #[serde(serialize_with = "quantile::number")]
    pub wasserstein: Option<f64>,
}

/// A figure of both.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// What it is.
    pub name: &'static str,
    /// In the first trace.
    #[serde(serialize_with = "quantile::number")]
    pub a: Option<f64>,
    /// In the second trace.
    #[serde(serialize_with = "quantile::number")]
    pub b: Option<f64>,
}

/// The index of dispersion for counts of both.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Window {
    /// Length of the windows in milliseconds.
    #[serde(serialize_with = "whole")]
    pub window_ms: f64,
    /// In the first trace.
    #[serde(serialize_with = "quantile::number")]
    pub a: Option<f64>,
    /// In the second trace.
    #[serde(serialize_with = "quantile::number")]
    pub b: Option<f64>,
}

/// The hit rate of both at one capacity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Capacity {
    /// Capacity in blocks.
    pub blocks: u64,
    /// In the first trace.
    #[serde(serialize_with = "quantile::number")]
    pub a: Option<f64>,
    /// In the second trace.
    #[serde(serialize_with = "quantile::number")]
    pub b: Option<f64>,
}

/// How far apart the two are in one figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Its name, such as `input_length.ks`.
    pub name: String,
    /// How far, never negative; undefined if only one of the two has it.
    #[serde(serialize_with = "quantile::number")]
    pub difference: Option<f64>,
}

fn whole<S: serde::Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    quantile::number(&Some(*value), serializer)
}

impl Comparison {
    /// Hold `b` against `a`, with LRU caches of these `capacities`, or of round
    /// ones over the whole range if there are none.
    pub fn new(
        (name_a, mut a): (String, Profile),
        (name_b, mut b): (String, Profile),
        block_size: u64,
        capacities: &[u64],
    ) -> Self {
        let mut comparison = Self {
            kind: "comparison",
            block_size,
            metrics: metrics(&mut a, &mut b),
            correlations: pairs(&a.correlations, &b.correlations),
            dispersion: windows(&a, &b),
            hit_rates: pairs(&a.hit_rates, &b.hit_rates),
            lru: lru(&a, &b, capacities),
            a: Side::of(name_a, &a),
            b: Side::of(name_b, &b),
            differences: Vec::new(),
            beyond: Vec::new(),
        };
        comparison.differences = comparison.all_differences();
        comparison
    }

    fn all_differences(&self) -> Vec<Difference> {
        let mut list = List(Vec::new());
        list.relative("rate_rps", self.a.rate_rps, self.b.rate_rps);
        for metric in &self.metrics {
            let (a, b, name) = (&metric.a, &metric.b, metric.name);
            list.plain(format!("{name}.ks"), metric.ks);
            let scaled = metric.wasserstein.zip(a.mean);
            let scaled = scaled.and_then(|(moved, mean)| over(moved, mean));
            list.plain(format!("{name}.wasserstein"), scaled);
            list.relative(format!("{name}.mean"), a.mean, b.mean);
            list.relative(format!("{name}.std"), a.std, b.std);
        }
        for pair in &self.correlations {
            list.absolute(format!("correlation.{}", pair.name), pair.a, pair.b);
        }
        for window in &self.dispersion {
            let name = format!("dispersion.{}", window.title());
            list.relative(name, window.a, window.b);
        }
        for pair in &self.hit_rates {
            list.absolute(pair.name, pair.a, pair.b);
        }
        let mut largest = None;
        for point in &self.lru {
            let apart = point.a.zip(point.b).map(|(a, b)| (a - b).abs());
            if apart > largest {
                largest = apart;
            }
            list.absolute(format!("lru.{}", point.blocks), point.a, point.b);
        }
        if self
            .lru
            .iter()
            .any(|point| point.a.is_some() || point.b.is_some())
        {
            list.plain("lru.max", largest);
        }
        list.0
    }
}

/// `part` in units of `whole`; none of nothing.
fn over(part: f64, whole: f64) -> Option<f64> {
    if part == 0.0 {
        return Some(0.0);
    }
    (whole != 0.0).then(|| (part / whole).abs())
}

/// Differences by name. What neither trace has is no difference.
struct List(Vec<Difference>);

impl List {
    fn plain(&mut self, name: impl Into<String>, difference: Option<f64>) {
        let name = name.into();
        self.0.push(Difference { name, difference });
    }

    fn absolute(&mut self, name: impl Into<String>, a: Option<f64>, b: Option<f64>) {
        if a.is_some() || b.is_some() {
            self.plain(name, a.zip(b).map(|(a, b)| (a - b).abs()));
        }
    }

    fn relative(&mut self, name: impl Into<String>, a: Option<f64>, b: Option<f64>) {
        if a.is_some() || b.is_some() {
            self.plain(name, a.zip(b).and_then(|(a, b)| over(b - a, a)));
        }
    }
}

impl Side {
    fn of(name: String, profile: &Profile) -> Self {
        Self {
            name,
            requests: profile.requests,
            duration_ms: profile.duration().map(Micros::as_millis),
            rate_rps: profile.rate(),
        }
    }
}

impl Window {
    /// `10ms`, `1s`, `1000s`.
    pub fn title(&self) -> String {
        if self.window_ms < 1_000.0 {
            format!("{}ms", self.window_ms)
        } else {
            format!("{}s", self.window_ms / 1_000.0)
        }
    }
}

fn metrics(a: &mut Profile, b: &mut Profile) -> Vec<Metric> {
    let spreads = a.spreads().into_iter().zip(b.spreads());
    let spreads: Vec<_> = spreads.map(|((_, a), (_, b))| (a, b)).collect();
    let samples = a.samples.iter_mut().zip(&mut b.samples);
    let all = samples.zip(spreads).zip(QUANTITIES);
    all.filter(|((_, (a, b)), _)| a.count + b.count > 0)
        .map(|((((_, in_a), (_, in_b)), (a, b)), (name, unit))| {
            let (in_a, in_b) = (in_a.sorted(), in_b.sorted());
            Metric {
                name,
                unit,
                a,
                b,
                ks: kolmogorov_smirnov(in_a, in_b),
                wasserstein: wasserstein(in_a, in_b),
            }
        })
        .collect()
}

fn pairs(a: &[(&'static str, Option<f64>)], b: &[(&'static str, Option<f64>)]) -> Vec<Pair> {
    let both = a.iter().zip(b);
    let pair = |(&(name, a), &(_, b)): (&(&'static str, _), &(_, _))| Pair { name, a, b };
    both.map(pair).collect()
}

fn windows(a: &Profile, b: &Profile) -> Vec<Window> {
    let shorter = a.duration().min(b.duration()).unwrap_or(Micros::ZERO);
    let window = |&width: &Micros| Window {
        window_ms: width.as_millis(),
        a: dispersion::index(&a.arrivals, width),
        b: dispersion::index(&b.arrivals, width),
    };
    dispersion::scales(shorter).iter().map(window).collect()
}

fn lru(a: &Profile, b: &Profile, capacities: &[u64]) -> Vec<Capacity> {
    let end = a.curve.saturation().max(b.curve.saturation());
    let round;
    let capacities = if capacities.is_empty() && end > 0 {
        round = ladder(end, 3);
        &round
    } else {
        capacities
    };
    let point = |&blocks: &u64| Capacity {
        blocks,
        a: a.curve.at(blocks).hit_rate,
        b: b.curve.at(blocks).hit_rate,
    };
    capacities.iter().map(point).collect()
}
