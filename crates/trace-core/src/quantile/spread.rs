//! How values are spread: the figures of a report.

use serde::{Serialize, Serializer};

use super::interpolate;
use super::sum::Sum;

/// How the values of one quantity are spread.
///
/// `None` is *undefined*: of no values at all, or, for a quantile, of values
/// of which it touches a censored one. It is written as `null`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Spread {
    /// Number of measured values.
    pub count: u64,
    /// Number of values known only to be larger than every other.
    pub censored: u64,
    /// Arithmetic mean of the measured values.
    #[serde(serialize_with = "number")]
    pub mean: Option<f64>,
    /// Standard deviation of the measured values, as of a whole population.
    #[serde(serialize_with = "number")]
    pub std: Option<f64>,
    /// Least measured value.
    #[serde(serialize_with = "number")]
    pub min: Option<f64>,
    /// First quartile.
    #[serde(serialize_with = "number")]
    pub p25: Option<f64>,
    /// Median.
    #[serde(serialize_with = "number")]
    pub p50: Option<f64>,
    /// Third quartile.
    #[serde(serialize_with = "number")]
    pub p75: Option<f64>,
    /// 90th percentile.
    #[serde(serialize_with = "number")]
    pub p90: Option<f64>,
    /// 95th percentile.
    #[serde(serialize_with = "number")]
    pub p95: Option<f64>,
    /// 99th percentile.
    #[serde(serialize_with = "number")]
    pub p99: Option<f64>,
    /// 99.9th percentile.
    #[serde(rename = "p99.9", serialize_with = "number")]
    pub p99_9: Option<f64>,
    /// Greatest measured value.
    #[serde(serialize_with = "number")]
    pub max: Option<f64>,
    /// How far the quantiles can be from the exact ones, as a share of them, if
    /// they are of a sketch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantile_error: Option<f64>,
}

impl Spread {
    /// Summary of `count` values, given in ascending order with how often each
    /// occurs; `at` is the value of a rank below `count`.
    pub(super) fn of(
        values: impl Iterator<Item = (f64, u64)> + Clone,
        count: u64,
        censored: u64,
        at: impl Fn(u64) -> f64,
    ) -> Self {
        let percentile = |mille: u32| interpolate(count, censored, f64::from(mille) / 1000.0, &at);
        let mut spread = Self {
            count,
            censored,
            ..Self::quantiles(percentile)
        };
        if count == 0 {
            return spread;
        }
        let (min, max) = (at(0), at(count - 1));
        let sum: Sum = values.clone().collect();
        // Rounding may put the mean of equal values an ulp outside of them.
        let mean = (sum.value() / count as f64).clamp(min, max);
        let squares: Sum = values
            .map(|(value, times)| ((value - mean) * (value - mean), times))
            .collect();
        spread.mean = Some(mean);
        spread.std = Some((squares.value() / count as f64).sqrt());
        spread.min = Some(min);
        spread.max = Some(max);
        spread
    }

    /// The percentiles alone, each as `of` gives that many thousandths.
    pub(super) fn quantiles(of: impl Fn(u32) -> Option<f64>) -> Self {
        Self {
            p25: of(250),
            p50: of(500),
            p75: of(750),
            p90: of(900),
            p95: of(950),
            p99: of(990),
            p99_9: of(999),
            ..Self::default()
        }
    }

    /// The figures with their names, in the order they are reported.
    pub fn figures(&self) -> [(&'static str, Option<f64>); 11] {
        [
            ("mean", self.mean),
            ("std", self.std),
            ("min", self.min),
            ("p25", self.p25),
            ("p50", self.p50),
            ("p75", self.p75),
            ("p90", self.p90),
            ("p95", self.p95),
            ("p99", self.p99),
            ("p99.9", self.p99_9),
            ("max", self.max),
        ]
    }
}

/// Writes whole numbers without a fraction, and undefined ones as `null`: for
/// `#[serde(serialize_with)]` on the figures of a report.
///
/// # Errors
///
/// Those of `serializer`.
pub fn number<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    // Up to 2^53 every whole number is itself in an f64.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match *value {
        None => serializer.serialize_none(),
        Some(value) if value.fract() == 0.0 && value.abs() <= EXACT => {
            serializer.serialize_i64(value as i64)
        }
        Some(value) => serializer.serialize_f64(value),
    }
}
