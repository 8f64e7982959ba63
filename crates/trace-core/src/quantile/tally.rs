//! Values of one quantity, equal ones counted.

use hashbrown::HashMap;

use super::Spread;

/// Values of one quantity, equal ones counted: memory grows with the number
/// of distinct values only.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    // Keyed by the bits of the value, so that any f64 is exact.
    counts: HashMap<u64, u64, foldhash::fast::FixedState>,
    count: u64,
    censored: u64,
}

impl Tally {
    /// A tally without values.
    pub fn new() -> Self {
        Self::default()
    }

    /// Add a measured value; positive infinity counts as censored.
    ///
    /// # Panics
    ///
    /// As [`Sample::push`](super::Sample::push).
    pub fn push(&mut self, value: f64) {
        self.push_times(value, 1);
    }

    /// Add a measured value `times` times over.
    ///
    /// # Panics
    ///
    /// As [`Sample::push`](super::Sample::push).
    pub fn push_times(&mut self, value: f64, times: u64) {
        if times == 0 {
            return;
        }
        if value == f64::INFINITY {
            self.censored += times;
            return;
        }
        assert!(value.is_finite(), "{value} is not a measurement");
        // Adding zero turns -0.0 into 0.0: equal values are one entry.
        *self.counts.entry((value + 0.0).to_bits()).or_default() += times;
        self.count += times;
    }

    /// Add a value known only to be larger than every other.
    pub fn push_censored(&mut self) {
        self.censored += 1;
    }

    /// Move the values of `other` in.
    pub fn append(&mut self, other: Self) {
        for (bits, times) in other.counts {
            *self.counts.entry(bits).or_default() += times;
        }
        self.count += other.count;
        self.censored += other.censored;
    }

    /// Number of measured values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Number of censored values.
    pub fn censored(&self) -> u64 {
        self.censored
    }

    /// Distinct measured values in ascending order, each with its count.
    pub fn sorted(&self) -> Vec<(f64, u64)> {
        let mut values: Vec<(f64, u64)> = self
            .counts
            .iter()
            .map(|(&bits, &times)| (f64::from_bits(bits), times))
            .collect();
        values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        values
    }

    /// Summary of the values.
    pub fn spread(&self) -> Spread {
        let values = self.sorted();
        // ends[i] is the number of values up to and including values[i].
        let ends: Vec<u64> = values
            .iter()
            .scan(0, |end, &(_, times)| {
                *end += times;
                Some(*end)
            })
            .collect();
        Spread::of(values.iter().copied(), self.count, self.censored, |rank| {
            values[ends.partition_point(|&end| end <= rank)].0
        })
    }
}
