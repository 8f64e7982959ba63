//! Values in their order.

use super::{Spread, Values, interpolate};

/// Values of one quantity in their order.
#[derive(Debug)]
pub struct Ranked<'a> {
    pub(super) values: &'a Values,
    pub(super) ranks: Vec<(f64, u64)>,
    /// How many values there are up to each of `ranks`.
    pub(super) ends: Vec<u64>,
}

impl Ranked<'_> {
    /// How many there are, censored ones not counted.
    pub fn count(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// How many are known only to be larger than every other.
    pub fn censored(&self) -> u64 {
        self.values.censored
    }

    /// The value of a rank, from 0; `None` if it is censored or there is none.
    pub fn at(&self, rank: u64) -> Option<f64> {
        let index = self.ends.partition_point(|&end| end <= rank);
        self.ranks.get(index).map(|(value, _)| *value)
    }

    /// Distinct values, ascending, with how often each occurs; of a sketch what
    /// stands for them.
    pub fn distinct(&self) -> &[(f64, u64)] {
        &self.ranks
    }

    /// The `q`-quantile, 0 ≤ `q` ≤ 1; see [`quantile`](super::quantile()).
    pub fn quantile(&self, q: f64) -> Option<f64> {
        interpolate(self.count(), self.censored(), q, |rank| self.known(rank))
    }

    fn known(&self, rank: u64) -> f64 {
        self.at(rank).expect("a rank below the count has a value")
    }

    /// Summary of the values.
    pub fn spread(&self) -> Spread {
        let censored = self.censored();
        match &self.values.sketch {
            Some(sketch) => sketch.spread(censored, |rank| self.known(rank)),
            None => {
                let values = self.ranks.iter().copied();
                Spread::of(values, self.count(), censored, |rank| self.known(rank))
            }
        }
    }
}
