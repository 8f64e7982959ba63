//! Values of one quantity, each kept.

use super::{Spread, quantile};

/// Values of one quantity, each kept: 8 bytes a value.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    values: Vec<f64>,
    sorted: bool,
    censored: u64,
}

impl Sample {
    /// A sample without values.
    pub fn new() -> Self {
        Self::default()
    }

    /// Add a measured value; positive infinity counts as censored.
    ///
    /// # Panics
    ///
    /// If `value` is not a number or is negative infinity: no measurement is.
    pub fn push(&mut self, value: f64) {
        if value == f64::INFINITY {
            self.push_censored();
            return;
        }
        assert!(value.is_finite(), "{value} is not a measurement");
        self.values.push(value);
        self.sorted = false;
    }

    /// Add a value known only to be larger than every other.
    pub fn push_censored(&mut self) {
        self.censored += 1;
    }

    /// Move the values of `other` in.
    pub fn append(&mut self, mut other: Self) {
        self.values.append(&mut other.values);
        self.censored += other.censored;
        self.sorted = false;
    }

    /// Number of measured values.
    pub fn count(&self) -> u64 {
        self.values.len() as u64
    }

    /// Number of censored values.
    pub fn censored(&self) -> u64 {
        self.censored
    }

    /// The measured values in ascending order.
    pub fn sorted(&mut self) -> &[f64] {
        if !self.sorted {
            self.values.sort_unstable_by(f64::total_cmp);
            self.sorted = true;
        }
        &self.values
    }

    /// The `q`-quantile, 0 ≤ `q` ≤ 1; see [`quantile`].
    pub fn quantile(&mut self, q: f64) -> Option<f64> {
        let censored = self.censored;
        quantile(self.sorted(), censored, q)
    }

    /// Summary of the values.
    pub fn spread(&mut self) -> Spread {
        let censored = self.censored;
        let values = self.sorted();
        let count = values.len() as u64;
        Spread::of(
            values.iter().map(|&value| (value, 1)),
            count,
            censored,
            |rank| values[rank as usize],
        )
    }
}

impl Extend<f64> for Sample {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        for value in values {
            self.push(value);
        }
    }
}

impl FromIterator<f64> for Sample {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut sample = Self::new();
        sample.extend(values);
        sample
    }
}
