//! How far a figure of a run may be from that of the server: intervals.
//!
//! A quantile lies between two values of the sample with a probability that is
//! known whatever the distribution is ([`order`]): how many values are below it
//! is binomial. That takes requests for independent, which those of one run are
//! not quite: they share a queue, so slow ones come together, and the interval
//! is too narrow where load swings slowly. The interval of a mean allows for
//! it: it comes from how the means of stretches of time differ ([`batches`]).

pub mod batches;
pub mod intervals;
pub mod order;
pub mod student;

pub use batches::{Batches, MeanInterval};
pub use intervals::{Figures, Intervals};

use serde::{Deserialize, Serialize};
use trace_core::quantile::Ranked;

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

/// The intervals of the percentiles of a sample, in the order of
/// [`PERCENTILES`].
pub fn of_percentiles(values: &Ranked<'_>, level: Level) -> [Ends; PERCENTILES.len()] {
    let count = values.count() + values.censored();
    PERCENTILES.map(|(_, q)| {
        let (low, high) = order::ranks(count, q, level.get());
        let value = |rank: Option<u64>| rank.and_then(|rank| values.at(rank));
        (value(low), value(high))
    })
}
