//! How late requests left, in constant memory.
//!
//! Quantiles are those of [`trace_core::quantile`], linear between the closest
//! ranks. Every microsecond up to 8 ms has a count of its own, so that there
//! they are equal to what is computed from the outcomes; above, a time is
//! rounded up by at most 1/4096.

use trace_core::time::Micros;

/// Bits of a value that are kept.
const KEPT: u32 = 12;

/// Counts of times.
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

    /// The `q` quantile; `None` when nothing was counted.
    pub fn quantile(&self, q: f64) -> Option<Micros> {
        let rank = q * self.total.checked_sub(1)? as f64;
        let (below, share) = (rank.floor(), rank.fract());
        let lower = self.ranked(below as u64)?;
        let upper = if share > 0.0 {
            self.ranked(below as u64 + 1)?
        } else {
            lower
        };
        let between = (upper - lower) as f64 * share;
        Some(Micros::from_micros(lower + between.round() as u64))
    }

    /// The value of that rank, from 0, in microseconds.
    fn ranked(&self, rank: u64) -> Option<u64> {
        let mut seen = 0;
        let at = self.counts.iter().position(|&count| {
            seen += count;
            seen > rank
        })?;
        Some(upper(at).min(self.most.as_micros()))
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
    fn quantiles_of_small_values_are_those_of_the_workspace() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        let mut sample = trace_core::quantile::Sample::new();
        for i in 0..100_u64 {
            let micros = i * i * 7_919 % 8_192;
            histogram.add(Micros::from_micros(micros));
            sample.push(micros as f64);
        }
        for q in [0.0, 0.01, 0.5, 0.9, 0.99, 1.0] {
            let exact = sample.quantile(q).unwrap().round() as u64;
            assert_eq!(histogram.quantile(q).unwrap().as_micros(), exact, "{q}");
        }
    }

    proptest! {
        #[test]
        fn a_bucket_holds_its_values_closely(value in any::<u64>()) {
            let top = upper(bucket(value));
            prop_assert!(top >= value);
            prop_assert!((top - value) as f64 <= value as f64 / 4_096.0);
            prop_assert_eq!(bucket(top), bucket(value));
            prop_assert!(bucket(value) < Histogram::default().counts.len());
        }
    }
}
