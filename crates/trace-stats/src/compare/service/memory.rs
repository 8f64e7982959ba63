//! How far requests of a run depend on those before them.

use libm::{cbrt, log10};

/// How far values depend on their neighbours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Memory {
    /// How many neighbours are to stay together when values are resampled.
    pub(super) block: usize,
    /// The variance of their mean, as a multiple of what blocks of that length
    /// keep of it: 1 or more.
    pub(super) missed: f64,
}

impl Memory {
    /// Nothing depends on anything.
    const NONE: Self = Self {
        block: 1,
        missed: 1.0,
    };

    /// The memory of `values`, in the order of time.
    ///
    /// The length of blocks that estimates the variance of a mean best, by the
    /// rule of Politis and White (2004, corrected 2009): its two sums of
    /// autocorrelations end where five in a row are no larger than chance. Taken
    /// of ranks, so that failures, which are infinite, and single long requests
    /// do not decide it.
    pub(super) fn of(values: &[f64]) -> Self {
        let count = values.len();
        let ranks = centred_ranks(values);
        let of_lag = |lag: usize| -> f64 {
            let pairs = ranks.iter().zip(&ranks[lag..]);
            pairs.map(|(a, b)| a * b).sum::<f64>() / count as f64
        };
        let variance = if count < SHORTEST { 0.0 } else { of_lag(0) };
        if variance <= 0.0 {
            return Self::NONE;
        }
        let n = count as f64;
        let most = (n.sqrt().ceil() as usize + QUIET).min(count - 1);
        let chance = 2.0 * (log10(n) / n).sqrt() * variance;
        let mut lags = vec![variance];
        let mut quiet = 0;
        while quiet < QUIET && lags.len() <= most {
            let lag = of_lag(lags.len());
            quiet = if lag.abs() < chance { quiet + 1 } else { 0 };
            lags.push(lag);
        }
        let last = lags.len() - 1 - quiet;
        if last == 0 {
            return Self::NONE;
        }
        let wanted = (2 * last).min(most);
        while lags.len() <= wanted {
            lags.push(of_lag(lags.len()));
        }
        Self::from_lags(&lags[..=wanted], n)
    }

    /// From the autocovariances of `n` values, the last of which is 0 but for
    /// chance.
    fn from_lags(lags: &[f64], n: f64) -> Self {
        let wanted = (lags.len() - 1) as f64;
        // A window with a flat top: 1 up to the middle, then down to 0.
        let weighted = lags.iter().enumerate().skip(1).map(|(lag, covariance)| {
            let weight = (2.0 * (1.0 - lag as f64 / wanted)).min(1.0);
            (lag as f64, weight * covariance)
        });
        let (sum, moment) = weighted.fold((0.0, 0.0), |(sum, moment), (lag, covariance)| {
            (sum + covariance, moment + lag * covariance)
        });
        // Of values that swing from one to the next the sum may be below 0.
        let spectrum = (lags[0] + 2.0 * sum).max(lags[0] / 10.0);
        let bias = 2.0 * moment;
        let best = cbrt(1.5 * bias * bias / (spectrum * spectrum)) * cbrt(n);
        let longest = (3.0 * n.sqrt()).min(n / 3.0).ceil();
        let block = best.ceil().clamp(1.0, longest);
        // What a block keeps: a lag counts by the share of neighbours within it.
        let within = lags.iter().enumerate().skip(1);
        let within = within.take_while(|(lag, _)| (*lag as f64) < block);
        let kept = within.map(|(lag, covariance)| (1.0 - lag as f64 / block) * covariance);
        let kept = (lags[0] + 2.0 * kept.sum::<f64>()).max(lags[0] / 10.0);
        Self {
            block: block as usize,
            missed: (spectrum / kept).clamp(1.0, 2.0),
        }
    }

    /// The longer and the worse of both.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            block: self.block.max(other.block),
            missed: self.missed.max(other.missed),
        }
    }
}

/// Autocorrelations in a row that are no larger than chance, before the rest is
/// taken for chance too.
const QUIET: usize = 5;
/// Fewer values tell nothing of their memory.
const SHORTEST: usize = 16;

/// The rank of each value, less the mean of the ranks; equal values share one.
fn centred_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = before as f64 + (equal.len() as f64 - 1.0) / 2.0;
        equal.iter().for_each(|&at| ranks[at] = rank);
        before += equal.len();
    }
    let mean = (values.len() as f64 - 1.0) / 2.0;
    ranks.iter_mut().for_each(|rank| *rank -= mean);
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_core::Streams;
    use trace_core::seed::unit;

    fn series(memory: f64, count: usize) -> Vec<f64> {
        let mut random = Streams::new(5).stream("test");
        let mut state = 0.0;
        let next = |_| {
            state = memory * state + (unit(&mut random) - 0.5);
            state
        };
        (0..count).map(next).collect()
    }

    #[test]
    fn what_remembers_longer_has_longer_blocks() {
        let block = |memory| Memory::of(&series(memory, 1_000)).block;
        assert_eq!(Memory::of(&series(0.0, 1_000)), Memory::NONE);
        // The rule gives (2.67 n)^⅓ = 14 and (29.6 n)^⅓ = 31 for the true
        // correlations.
        assert!((9..=19).contains(&block(0.5)), "{}", block(0.5));
        assert!((20..=45).contains(&block(0.8)), "{}", block(0.8));
    }

    #[test]
    fn blocks_keep_most_of_the_variance() {
        let memory = Memory::of(&series(0.8, 1_000));
        assert!((1.0..1.5).contains(&memory.missed), "{memory:?}");
    }

    #[test]
    fn the_same_and_the_few_have_no_memory() {
        assert_eq!(Memory::of(&[]), Memory::NONE);
        assert_eq!(Memory::of(&[1.0, 2.0]), Memory::NONE);
        assert_eq!(Memory::of(&[7.0; 100]), Memory::NONE);
        assert_eq!(Memory::of(&[f64::INFINITY; 100]), Memory::NONE);
    }

    #[test]
    fn failures_in_a_row_are_a_memory() {
        let mut values = series(0.0, 400);
        values[100..160].fill(f64::INFINITY);
        let memory = Memory::of(&values);
        assert!(memory.block > 5, "{memory:?}");
    }
}
