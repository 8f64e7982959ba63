//! How far a figure of a run may be from that of the server: intervals.
//!
//! Requests of one run share a queue, so slow ones come together, and a thousand
//! of them say less than a thousand that know nothing of each other. How much
//! less is told by how the run's stretches of time differ ([`batches`]): of a
//! mean that gives the interval at once, of a quantile how many independent
//! values would be worth as much, between whose order statistics it lies
//! ([`order`]).
//!
//! Requests without a time belong to no stretch, and what only they tell has no
//! interval.

pub mod batches;
mod cells;
#[cfg(test)]
mod coverage;
pub mod dependence;
pub mod intervals;
pub mod order;
pub mod student;

pub use batches::{Batches, MeanInterval, QuantileInterval};
pub use cells::Repeated;
pub use dependence::Dependence;
pub use intervals::{Figures, Intervals};

use serde::{Deserialize, Serialize};

/// The probability with which an interval holds what it is of, above 0 and
/// below 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Level(f64);

impl Level {
    /// Its value.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl std::str::FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let level = text.parse::<f64>().ok();
        let level = level.filter(|&level| 0.0 < level && level < 1.0);
        level
            .map(Self)
            .ok_or_else(|| "a probability above 0 and below 1, such as 0.95".to_owned())
    }
}

/// The percentiles that get an interval.
pub const PERCENTILES: [(&str, f64); 7] = [
    ("p25", 0.25),
    ("p50", 0.5),
    ("p75", 0.75),
    ("p90", 0.9),
    ("p95", 0.95),
    ("p99", 0.99),
    ("p99.9", 0.999),
];

/// Two ends; `None` is an end that the sample does not give: too few values, or
/// one that touches a failure.
pub type Ends = (Option<f64>, Option<f64>);
