//! How late requests left, in constant memory.

use trace_core::time::Micros;

/// Bits of a value that are kept: buckets are at most 1/64 wide.
const KEPT: u32 = 6;

/// Counts of times, in buckets of at most 1.6 % of their value.
#[derive(Debug, Clone)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    most: Micros,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; ((64 - KEPT as usize) + 1) << KEPT],
            total: 0,
            most: Micros::ZERO,
        }
    }
}

impl Histogram {
    /// Count `time`.
    pub fn add(&mut self, time: Micros) {
        self.counts[bucket(time.as_micros())] += 1;
        self.total += 1;
        self.most = self.most.max(time);
    }

    /// The time that a share `q` of all are not above, to the bucket's upper
    /// end; zero when nothing was counted.
    pub fn quantile(&self, q: f64) -> Micros {
        let rank = (q * self.total as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (i, &count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Micros::from_micros(upper(i)).min(self.most);
            }
        }
        Micros::ZERO
    }

    /// The largest.
    pub fn max(&self) -> Micros {
        self.most
    }
}

fn bucket(value: u64) -> usize {
    let shift = (u64::BITS - value.leading_zeros()).saturating_sub(KEPT + 1);
    ((shift as usize) << KEPT) + (value >> shift) as usize
}

/// The largest value of a bucket.
fn upper(bucket: usize) -> u64 {
    let shift = (bucket >> KEPT).saturating_sub(1);
    let kept = (bucket - (shift << KEPT)) as u64;
    ((u128::from(kept) + 1) << shift)
        .saturating_sub(1)
        .try_into()
        .unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantiles_of_few_values_are_those_values() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), Micros::ZERO);
        for micros in 1..=100 {
            histogram.add(Micros::from_micros(micros));
        }
        assert_eq!(histogram.quantile(0.5).as_micros(), 50);
        assert_eq!(histogram.quantile(0.99).as_micros(), 99);
        assert_eq!(histogram.quantile(1.0).as_micros(), 100);
    }

    proptest! {
        #[test]
        fn a_bucket_holds_its_values_closely(value in any::<u64>()) {
            let top = upper(bucket(value));
            prop_assert!(top >= value);
            prop_assert!((top - value) as f64 <= value as f64 / 64.0);
            prop_assert_eq!(bucket(top), bucket(value));
            prop_assert!(bucket(value) < Histogram::default().counts.len());
        }
    }
}
